"""The generator of pix2pix: a U-Net that goes down to a single pixel and uses dropout as its noise.

Each level halves the picture, so the innermost features see all of it at once; the skip connections carry what was
lost on the way, which for colours is where things end.

Reference:
    P. Isola, J.-Y. Zhu, T. Zhou and A. A. Efros, "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017, arXiv:1611.07004, sections 3.2 and 6.1.1.
"""

import torch
from torch import Tensor, nn

from colorlib.models.base import Network
from colorlib.models.blocks import L_to_unit, Output, pad_to_multiple

DROPOUT_LEVELS = 3  # of the decoder, counted from the innermost


def halving(in_channels: int, out_channels: int, norm: bool) -> nn.Sequential:
    """Return a 4×4 convolution of stride 2 with leaky ReLU, where ``norm`` with batch normalisation between them."""
    layers: list[nn.Module] = [nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=not norm)]
    if norm:
        layers.append(nn.BatchNorm2d(out_channels))
    return nn.Sequential(*layers, nn.LeakyReLU(0.2, inplace=True))


def doubling(in_channels: int, out_channels: int, dropout: bool) -> nn.Sequential:
    """Return a transposed 4×4 convolution of stride 2, batch normalisation, dropout of one half if so, and ReLU."""
    layers = [nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=False), nn.BatchNorm2d(out_channels)]
    if dropout:
        layers.append(nn.Dropout(0.5))
    return nn.Sequential(*layers, nn.ReLU(inplace=True))


class UNet256(Network):
    """Encoder C64-C128-C256-C512-C512-C512-C512-C512, decoder CD512-CD512-CD512-C512-C256-C128-C64, with skips.

    At the published size 256 pixels become one. Photographs are padded to a multiple of 2^depth, so ``depth`` should
    not be more than they need: 6 for 64 pixels, 8 for 256.

    Difference from the paper: one channel in, not three; the last layer is a 3×3 convolution and bilinear enlargement
    without tanh, not a transposed convolution with it, so that 313 bins at 1/4 of the resolution cost little and no
    checkerboard appears; the innermost layer has no batch normalisation, which would leave nothing of a single pixel
    (the paper's own errata, and its released code); no dropout in eval mode, where the paper keeps it at test time, so
    the same photograph gets the same colours. The paper's last layer and three channels in and out would make
    54,414,531 parameters; there are 54,408,642 with ``out_channels`` 2.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: channels of the outermost level; each further one has twice as many, up to eight times ``width``.
        depth: how many times the picture is halved, at least 2.
    """

    replays = True
    narrow = {"width": 12, "depth": 6}

    def __init__(self, out_channels: int, out_stride: int = 1, width: int = 64, depth: int = 8) -> None:
        super().__init__()
        if depth < 2:
            raise ValueError(f"depth of unet256, how often the picture is halved, must be at least 2, not {depth}.")
        widths = [width * min(2**level, 8) for level in range(depth)]
        self.down = nn.ModuleList(
            halving(i, o, norm=level not in (0, depth - 1))
            for level, (i, o) in enumerate(zip([1, *widths], widths, strict=False))
        )
        # all but the innermost level are fed from below and by a skip
        sources = [widths[-1], *(2 * w for w in widths[-2:0:-1])]
        self.up = nn.ModuleList(
            doubling(i, o, dropout=level < DROPOUT_LEVELS)
            for level, (i, o) in enumerate(zip(sources, widths[-2::-1], strict=True))
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, mean=1.0, std=0.02)
        self.output = Output(2 * width, out_channels, stride=2, out_stride=out_stride, kernel_size=3)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up."""
        x = pad_to_multiple(L_to_unit(L), 2 ** len(self.down))
        skips = []
        for level in self.down:
            x = level(x)
            skips.append(x)
        x = skips.pop()
        for level in self.up:
            x = torch.cat([level(x), skips.pop()], 1)
        return self.output(x, L.shape[-2:])
