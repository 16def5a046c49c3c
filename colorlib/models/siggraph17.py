"""The network of "Real-Time User-Guided Image Colorization", for training and as its authors released it.

ECCV16's groups of convolutions with the way back up and skip connections between: full resolution again, which a hint
of a few pixels needs. Lightness comes in together with hints, and a network without hints is the same network.

Reference:
    R. Zhang, J.-Y. Zhu, P. Isola, X. Geng, A. S. Lin, T. Yu and A. A. Efros, "Real-Time User-Guided Image Colorization
    with Learned Deep Priors", SIGGRAPH 2017, arXiv:1705.02999, section 3.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color import gamut
from colorlib.color.hints import to_unit
from colorlib.color.lab import AB_SCALE
from colorlib.models.base import HintedNetwork
from colorlib.models.blocks import L_to_unit, Output, conv_group, load_released, pad_to_multiple

RELEASED_CLASSES = 529  # a grid of 23×23 over the ab plane, from -110 to 110 in steps of 10
CLASS_STRIDE = 4


def doubling(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return the learned enlargement by 2; a Sequential of one layer, for the released names."""
    return nn.Sequential(nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1))


def shortcut(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return the convolution that a skip connection goes through; a Sequential of one layer, for the released names."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1))


class SIGGRAPH17(HintedNetwork):
    """The published network up to its colours; with ``out_channels`` 2 and ``width`` 1 it has their very layers.

    Beside the colours it learns, in training mode, which of the 313 bins of :mod:`colorlib.color.gamut` are likely at
    each place (the paper's suggestions for the user). That side branch does not shape the features it looks at.

    Difference from the paper: He's initialisation; no tanh, the objective decides what the output means; everything is
    trained at once, where the paper begins with ECCV16's weights; as in the release, the side branch is one 1×1
    convolution of ``model8``'s features, where the paper has two layers on features of several depths. The mask is 0 or
    1 as in the paper; the authors' PyTorch code for training subtracts 0.5.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: multiplies the channels of every layer; 1 is the published network.
        class_weight: of the side branch's cross-entropy; as its gradient stays in the branch, it matters little.
        hinted: the share of photographs that are shown with hints in training; 1 is the paper's. A network that will
            mostly be used without any sees such photographs more often with a smaller one.
    """

    replays = True
    narrow = {"width": 0.125}

    def __init__(
        self, out_channels: int, out_stride: int = 1, width: float = 1.0, class_weight: float = 1.0, hinted: float = 1.0
    ) -> None:
        super().__init__(hinted)
        if not (width > 0 and class_weight > 0):
            raise ValueError(f"width and class_weight must be above zero, not {width} and {class_weight}.")
        c64, c128, c256, c512 = (max(1, round(channels * width)) for channels in (64, 128, 256, 512))
        self.class_weight = class_weight
        self.model1 = conv_group([4, c64, c64])
        self.model2 = conv_group([c64, c128, c128])
        self.model3 = conv_group([c128, c256, c256, c256])
        self.model4 = conv_group([c256, c512, c512, c512])
        self.model5 = conv_group([c512, c512, c512, c512], dilation=2)
        self.model6 = conv_group([c512, c512, c512, c512], dilation=2)
        self.model7 = conv_group([c512, c512, c512, c512])
        self.model8up = doubling(c512, c256)
        self.model8 = nn.Sequential(nn.ReLU(), *conv_group([c256, c256, c256]))
        self.model9up = doubling(c256, c128)
        self.model9 = nn.Sequential(nn.ReLU(), *conv_group([c128, c128]))
        self.model10up = doubling(c128, c128)
        self.model10 = nn.Sequential(nn.ReLU(), nn.Conv2d(c128, c128, 3, padding=1), nn.LeakyReLU(0.2))
        self.model3short8 = shortcut(c256, c256)
        self.model2short9 = shortcut(c128, c128)
        self.model1short10 = shortcut(c64, c128)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        up, short = (self.model8up, self.model9up, self.model10up), (self.model3short8, self.model2short9)
        for branch in (*up, *short, self.model1short10):  # these take normalised features, not rectified ones
            weight, _ = branch.parameters()
            nn.init.kaiming_normal_(weight, nonlinearity="linear")
        self.classes = Output(c256, len(gamut.bin_centres()), stride=CLASS_STRIDE, out_stride=CLASS_STRIDE)
        self.output = Output(c128, out_channels, stride=1, out_stride=out_stride)
        self.seen: Tensor | None = None  # by the side branch, from the last forward in training mode

    def features(self, L: Tensor, hints: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what ``model8`` gives, at 1/4 of the resolution, and ``model10``, at all of it.

        H and W are first padded to multiples of 8.
        """
        x = pad_to_multiple(torch.cat([L_to_unit(L) / 2, to_unit(hints, L)], 1), 8)
        x1 = self.model1(x)
        x2 = self.model2(x1[..., ::2, ::2])
        x3 = self.model3(x2[..., ::2, ::2])
        x = x3[..., ::2, ::2]
        for group in (self.model4, self.model5, self.model6, self.model7):
            x = group(x)
        x8 = self.model8(self.model8up(x) + self.model3short8(x3))
        x9 = self.model9(self.model9up(x8) + self.model2short9(x2))
        return x8, self.model10(self.model10up(x9) + self.model1short10(x1))

    def forward(self, L: Tensor, hints: Tensor | None = None) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up.

        ``hints`` are (N, 3, H, W), see :mod:`colorlib.color.hints`; None means no hints.
        """
        x8, x10 = self.features(L, hints)
        if self.training:
            self.seen = x8.detach()
        return self.output(x10, L.shape[-2:])

    def side_loss(self, L: Tensor, ab: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Return ``class_ce``: the weighted cross-entropy of the bins at 1/4 of the resolution, a mean in nats.

        Args:
            L: (N, 1, H, W), that of the last forward in training mode.
            ab: (N, 2, H, W), the truth in CIELAB units.
            labels: not looked at.

        Raises:
            RuntimeError: there was no forward in training mode.
        """
        if self.seen is None:
            raise RuntimeError("side_loss needs the network's answer first: call it in training mode on the same L.")
        logits = self.classes(self.seen.float(), L.shape[-2:]).float()  # (N, 313, h, w)
        cross_entropy, _ = gamut.soft_cross_entropy(logits, F.avg_pool2d(ab, CLASS_STRIDE, ceil_mode=True))
        return {"class_ce": self.class_weight * cross_entropy.mean()}


class ReleasedSIGGRAPH17(SIGGRAPH17):
    """The network as its authors released it: 34.2 M parameters under their names, L and hints in, ab out.

    Its class head, ``model_class``, is loaded with the others; the colours do not depend on it.

    Difference from the release: none intended; photographs whose sides are not multiples of 8 are padded, then cropped.
    """

    def __init__(self) -> None:
        super().__init__(out_channels=2)
        self.model_class = nn.Sequential(nn.Conv2d(self.classes.conv.in_channels, RELEASED_CLASSES, 1))
        self.model_out = nn.Sequential(self.output.conv, nn.Tanh())
        del self.classes, self.output

    def forward(self, L: Tensor, hints: Tensor | None = None) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] and hints (N, 3, H, W) or None into ab (N, 2, H, W) in CIELAB units."""
        ab_unit = self.model_out(self.features(L, hints)[1])
        return AB_SCALE * ab_unit[..., : L.shape[-2], : L.shape[-1]]


def load_released_siggraph17(path: Path | str) -> ReleasedSIGGRAPH17:
    """Load the authors' weight file, ``siggraph17-df00044c.pth``, which a user has to bring.

    Returns:
        the network in eval mode.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else.
    """
    return load_released(ReleasedSIGGRAPH17(), path, "SIGGRAPH17")
