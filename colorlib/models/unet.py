"""A small U-Net: what a thing is, from a coarse view; where it ends, from the fine one.

Reference:
    O. Ronneberger, P. Fischer and T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
    MICCAI 2015, arXiv:1505.04597, figure 1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.models.base import Network
from colorlib.models.blocks import L_to_unit, Output, double_conv, pad_to_multiple


class UNet(Network):
    """Four levels of ``width``, 2, 4 and 8 times ``width`` channels, with a skip connection at each but the lowest.

    Difference from the paper: four levels, not five; padded convolutions, so the output is as large as the input;
    batch normalisation; enlarging by repetition and a convolution, which leaves no checkerboard, where the paper
    has a transposed convolution.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: channels of the finest level; the paper has 64.
    """

    replays = True
    narrow = {"width": 8}

    def __init__(self, out_channels: int, out_stride: int = 1, width: int = 32) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.down = nn.ModuleList(double_conv(i, o) for i, o in zip([1, *widths], widths, strict=False))
        self.up = nn.ModuleList(double_conv(3 * w, w) for w in widths[-2::-1])  # 2w from below and w from the skip
        self.output = Output(width, out_channels, stride=1, out_stride=out_stride)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up."""
        x = pad_to_multiple(L_to_unit(L), 2 ** len(self.up))
        skips: list[Tensor] = []
        for level in self.down:
            x = level(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for level, skip in zip(self.up, skips[-2::-1], strict=True):
            x = level(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skip], 1))
        return self.output(x, L.shape[-2:])
