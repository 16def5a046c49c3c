"""A U-Net of residual blocks: the generator of the study that this one grew from.

Reference:
    The conditional WGAN of github.com/Daru1914/B-W-Colorising-Models. No paper describes it; what is said of it here
    was read in its repository. The shape is that of Z. Zhang, Q. Liu and Y. Wang, "Road Extraction by Deep Residual
    U-Net", arXiv:1711.10684.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.models.base import Network
from colorlib.models.blocks import L_to_unit, Output, double_conv, pad_to_multiple


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions, each with batch normalisation and ReLU, plus a 1×1 shortcut past both; then ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convs = double_conv(in_channels, out_channels)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (N, in_channels, H, W) into (N, out_channels, H, W)."""
        return F.relu(self.convs(x) + self.shortcut(x))


class ResUNet(Network):
    """Four levels of ``width``, 2, 4 and 8 times ``width`` channels: maximum pooling down, bilinear enlargement up.

    On the way down whole channels are dropped, one in five, in training.

    Difference from the origin: gradients flow through the convolutions of a block and its shortcut, where the origin
    cuts them off (detaches) before the convolutions; enlarging does not align corners, which would shift colours
    against edges.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: channels of the finest level; the origin has 64.
        dropout: the share of channels that are dropped, between 0 and 1.
    """

    replays = True
    narrow = {"width": 8}

    def __init__(self, out_channels: int, out_stride: int = 1, width: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        if not 0 < dropout < 1:
            raise ValueError(f"dropout of resunet is a share of channels, so between 0 and 1, not {dropout}.")
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.first = nn.Sequential(ResidualBlock(1, width), nn.Dropout2d(dropout))
        self.down = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), ResidualBlock(i, o), nn.Dropout2d(dropout))
            for i, o in zip(widths, widths[1:], strict=False)
        )
        self.up = nn.ModuleList(ResidualBlock(3 * w, w) for w in widths[-2::-1])  # 2w from below and w from the skip
        self.output = Output(width, out_channels, stride=1, out_stride=out_stride)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up."""
        levels = [self.first(pad_to_multiple(L_to_unit(L), 2 ** len(self.down)))]
        for level in self.down:
            levels.append(level(levels[-1]))
        x = levels.pop()
        for level in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = level(torch.cat([x, levels.pop()], 1))
        return self.output(x, L.shape[-2:])
