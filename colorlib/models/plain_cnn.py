"""The plainest network that can learn colour: four 3×3 convolutions in a row.

It sees 9×9 pixels, so it can tell textures apart and no objects. That makes it the floor which every other network has
to beat, and the cheapest check that training works at all.

Reference:
    The first network of the study that this one grew from, github.com/Daru1914/B-W-Colorising-Models.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.models.base import Network
from colorlib.models.blocks import L_to_unit, Output


class PlainCNN(Network):
    """Three convolutions of ``filters`` filters with ReLU, then one to the output, all 3×3.

    The origin tried three settings (its third report): 12 filters, the same with stride 2, and more filters. With
    stride 2 all but the first work at half the resolution, where they see 15×15 pixels at a quarter of the cost.

    Difference from the origin: it gives what the objective asks for, where the origin gave RGB and later HSL.

    Args:
        out_channels, out_stride: what the objective asks for.
        filters: of each hidden layer; the origin has 12.
        stride: of the first convolution, 1 or 2; the output is brought up again bilinearly.
    """

    replays = True
    narrow = {}

    def __init__(self, out_channels: int, out_stride: int = 1, filters: int = 12, stride: int = 1) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride of plain_cnn must be 1 or 2, not {stride!r}.")
        self.conv1 = nn.Conv2d(1, filters, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1)
        self.conv3 = nn.Conv2d(filters, filters, 3, padding=1)
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        self.output = Output(filters, out_channels, stride=stride, out_stride=out_stride, kernel_size=3)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up."""
        x = L_to_unit(L)
        for conv in (self.conv1, self.conv2, self.conv3):
            x = F.relu(conv(x))
        return self.output(x, L.shape[-2:])
