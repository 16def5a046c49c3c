"""A U-Net whose encoder has learned on ImageNet what things are; its decoder learns here which colours they have.

The pattern of the colorizers that people use, at a size that two cores can train.

References:
    O. Ronneberger, P. Fischer and T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
    MICCAI 2015, arXiv:1505.04597, figure 1; P. Iakubovskii, "Segmentation Models Pytorch", 2019, for U-Nets on
    pretrained encoders; M. Tan and Q. V. Le, ICML 2019, arXiv:1905.11946, for the encoder.
    R. Zhang, J.-Y. Zhu, P. Isola, X. Geng, A. S. Lin, T. Yu and A. A. Efros, "Real-Time User-Guided Image Colorization
    with Learned Deep Priors", SIGGRAPH 2017, arXiv:1705.02999, section 3: hints.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.hints import to_unit
from colorlib.models.base import HintedNetwork
from colorlib.models.blocks import Output, pad_to_multiple
from colorlib.models.efficientnet_lite import STRIDE, LightnessEncoder, enlargement

HINT_CHANNELS = 3
HINT_SCALE = 16.0  # an encoder's features are some 10 in size and hints some 0.3: so both are heard alike


def hint_pyramid(hints: Tensor, levels: int) -> list[Tensor]:
    """Return hints at 1/2, 1/4, … of their sides, which are multiples of 2 to the power of ``levels``.

    Args:
        hints: (N, 3, H, W): a, b and a mask, zero where nothing is hinted.

    Returns:
        for each level (N, 3, h, w): the mean of what is hinted within each square, and 1 where anything is.
    """
    pyramid = []
    for _ in range(levels):
        hints = F.avg_pool2d(hints, 2)
        share = hints[:, 2:]
        pyramid.append(torch.cat([hints[:, :2] / share.clamp(min=1e-9), (share > 0).to(hints)], 1))
    return pyramid


class UpStage(nn.Module):
    """Enlarge twice, join what the encoder saw and what was hinted at that resolution, and convolve.

    The joined maps are added up after a 1×1 convolution of each: as if they had been put on top of one another before
    one, but what is enlarged is narrow already.
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.below = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.skip = nn.Conv2d(skip_channels + HINT_CHANNELS, out_channels, 1, bias=False)
        conv = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.conv = nn.Sequential(
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            conv,
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )
        for layer in (self.below, self.skip, conv):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, x: Tensor, skip: Tensor, hints: Tensor) -> Tensor:
        x = F.interpolate(self.below(x), scale_factor=2, mode="nearest")
        return self.conv(x + self.skip(torch.cat([skip, HINT_SCALE * hints.to(skip)], 1)))


class EffUNet(HintedNetwork):
    """Five levels from an EfficientNet-Lite, four back up; hints come in at each of those, and never reach the encoder.

    Small photographs are enlarged before the encoder, which knows things by their size; the decoder ends at half the
    enlarged sides, which are the photograph's own where it was enlarged twice.

    Difference from segmentation_models: hints; the decoder ends at half the resolution, which is fine enough for
    colours and four times cheaper; its widths are ``width`` times 4, 3, 2 and 1.

    Args:
        out_channels, out_stride: what the objective asks for.
        encoder: lite0, lite1, lite2, or none for a plain one, :class:`colorlib.models.efficientnet_lite.PlainEncoder`.
        pretraining: none, frozen or tuned, see :class:`colorlib.models.efficientnet_lite.LightnessEncoder`.
        encoder_rate: share of the learning rate that a tuned encoder learns with; a fresh one learns with all of it.
        statistics: of the batch normalisation in a tuned encoder: held or moving.
        width: channels of the finest level of the decoder.
        enlarge_to: photographs are enlarged by the power of 2 that brings their short side nearest to this many pixels
            (128: those of 64 pixels twice, those of 128 not at all); 1 enlarges nothing. No weight depends on it.
        hinted: the share of photographs that are shown with hints in training.

    Raises:
        ValueError: an unknown word, a plain encoder with pretraining, or a number out of range.
    """

    replays = True
    narrow = {"pretraining": "none", "width": 8, "enlarge_to": 64}  # at 32 the coarsest map is one pixel

    def __init__(
        self,
        out_channels: int,
        out_stride: int = 1,
        encoder: str = "lite0",
        pretraining: str = "tuned",
        encoder_rate: float = 0.1,
        statistics: str = "held",
        width: int = 48,
        enlarge_to: int = 128,
        hinted: float = 0.25,
    ) -> None:
        super().__init__(hinted)
        if not (width > 0 and enlarge_to > 0):
            raise ValueError(f"width and enlarge_to must be above zero, not {width} and {enlarge_to}.")
        self.enlarge_to = enlarge_to
        self.encoder = LightnessEncoder(encoder, pretraining, statistics, encoder_rate)
        *skips, below = self.encoder.channels
        self.decoder = nn.ModuleList()
        for skip, times in zip(reversed(skips), (4, 3, 2, 1), strict=True):
            self.decoder.append(UpStage(below, skip, times * width))
            below = times * width
        self.output = Output(width, out_channels, stride=1, out_stride=out_stride)

    def parameter_groups(self) -> list[dict]:
        return self.encoder.groups_in(self)

    def forward(self, L: Tensor, hints: Tensor | None = None) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up.

        ``hints`` are (N, 3, H, W), see :mod:`colorlib.color.hints`; None means no hints.

        Raises:
            ModuleNotFoundError: a pretrained encoder was asked for, and its weights are neither installed nor loaded.
        """
        times = enlargement(L.shape[-2:], self.enlarge_to)
        *skips, x = self.encoder(L, times)
        enlarged = F.interpolate(to_unit(hints, L), scale_factor=times, mode="nearest")
        pyramid = hint_pyramid(pad_to_multiple(enlarged, STRIDE), len(skips))
        for level, skip, told in zip(self.decoder, reversed(skips), reversed(pyramid), strict=True):
            x = level(x, skip, told)
        if times == 1:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        elif times > 2:
            x = F.avg_pool2d(x, times // 2)
        return self.output(x, L.shape[-2:])
