"""EfficientNet-Lite as a colorizer's eyes: L in, five maps of features out, of a network that may know ImageNet.

Every colorizer that people use stands on an encoder that was first trained to name things. What that is worth can be
studied here: the same network with fresh weights (``none``), with the published ones as they are (``frozen``), and with
the published ones as a beginning (``tuned``). The network itself is in :mod:`colorlib.imagenet`, since objectives and
metrics look through it, too.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.lab import lab_to_rgb
from colorlib.imagenet import DEVIATION, MEAN, EfficientNetLite, Encoder
from colorlib.models.blocks import double_conv
from colorlib.registry import look_up

__all__ = ["LITE", "PRETRAINING", "STRIDE", "EfficientNetLite", "LightnessEncoder", "PlainEncoder"]

STRIDE = 32  # of the coarsest features
LITE = {"lite0": 0, "lite1": 1, "lite2": 2}
PRETRAINING = ("none", "frozen", "tuned")
FRESH_MOMENTUM = 0.1  # of batch normalisation; the published 0.01 is for hundreds of thousands of steps


class PlainEncoder(nn.Module):
    """Five levels of two convolutions, with the channels of EfficientNet-Lite0: what a U-Net has for an encoder."""

    channels = (16, 24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        inputs = (3 * 4, *self.channels)
        self.levels = nn.ModuleList(double_conv(i, o) for i, o in zip(inputs, self.channels, strict=False))

    def features(self, rgb: Tensor) -> list[Tensor]:
        """Return five maps at strides 2, 4, 8, 16 and 32 of rgb (N, 3, H, W), whose sides are multiples of 32."""
        found: list[Tensor] = []
        for level in self.levels:
            found.append(level(F.max_pool2d(found[-1], 2) if found else F.pixel_unshuffle(rgb, 2)))
        return found


class LightnessEncoder(nn.Module):
    """An encoder of :data:`LITE`, or a plain one, that looks at a photograph without its colours.

    L becomes grey sRGB, the nearest thing to a photograph that an encoder trained on photographs can be shown.

    A network of the study is also created where the published weights are not installed, since one that was trained
    carries its encoder: only looking through an encoder that never got its weights fails.

    Args:
        name: "none" (:class:`PlainEncoder`) or a key of :data:`LITE`.
        pretraining: "none" (fresh weights), "frozen" (the published ones, which learn nothing) or "tuned".
        rate: share of the learning rate that a tuned encoder learns with; a fresh one learns with all of it.
        statistics: of batch normalisation in a tuned encoder: "held" as they were published, or "moving" with what the
            encoder is shown. A fresh encoder's always move, a frozen one's never.

    Raises:
        ValueError: an unknown word, a rate out of range, pretraining of the plain encoder, or a weight file that is not
            the published one.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, pretraining: str, statistics: str = "held", rate: float = 0.1) -> None:
        super().__init__()
        look_up(dict.fromkeys(("none", *LITE)), name, "encoder")
        look_up(dict.fromkeys(PRETRAINING), pretraining, "pretraining")
        look_up(dict.fromkeys(("held", "moving")), statistics, "way with statistics")
        if name == "none" and pretraining != "none":
            raise ValueError(f"there is no pretraining for encoder none; take one of {', '.join(LITE)}.")
        if not 0 < rate <= 1:
            raise ValueError(f"encoder_rate is a share of the learning rate, above 0 and up to 1, not {rate}.")
        self.rate = rate if pretraining == "tuned" else 1.0
        self.frozen = pretraining == "frozen"
        self.held = self.frozen or (pretraining == "tuned" and statistics == "held")
        self.missing: ModuleNotFoundError | None = None
        try:
            self.network = PlainEncoder() if name == "none" else Encoder(LITE[name], pretraining != "none")
        except ModuleNotFoundError as missing:
            self.network, self.missing = Encoder(LITE[name]), missing
            self.register_load_state_dict_post_hook(_found)
        if pretraining == "none":
            for layer in self.network.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.momentum = FRESH_MOMENTUM
        self.channels = self.network.channels
        self.network.requires_grad_(not self.frozen)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)

    def train(self, mode: bool = True) -> "LightnessEncoder":
        super().train(mode)
        if self.held:
            self.network.eval()
        return self

    def groups_with(self, *rest: nn.Module) -> list[dict]:
        """Return what learns of this encoder and of the ``rest`` as a network's ``parameter_groups``."""
        own = [] if self.frozen else [{"params": list(self.parameters()), "share": self.rate}]
        return [*own, {"params": [p for part in rest for p in part.parameters()], "share": 1.0}]

    def forward(self, L: Tensor, enlarge: int = 1) -> list[Tensor]:
        """Return the features of L (N, 1, H, W) in [0, 100], enlarged before by a whole factor (bicubic).

        The enlarged picture's last row and column are repeated until its sides are multiples of 32, so that each map
        has exactly half the sides of the one before.

        Returns:
            five maps (N, channels, h, w) at strides 2, 4, 8, 16 and 32 of the enlarged picture.

        Raises:
            ModuleNotFoundError: the published weights were asked for and are not installed.
        """
        if self.missing is not None:
            raise self.missing
        grey = lab_to_rgb(torch.cat([L, torch.zeros_like(L), torch.zeros_like(L)], 1))[:, :1]
        if enlarge > 1:
            grey = F.interpolate(grey, scale_factor=enlarge, mode="bicubic", align_corners=False)
        H, W = grey.shape[-2:]
        grey = F.pad(grey, (0, -W % STRIDE, 0, -H % STRIDE), mode="replicate")
        rgb = ((grey - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.network.features(rgb)


def _found(encoder: LightnessEncoder, keys: Any) -> None:
    if not keys.missing_keys:
        encoder.missing = None
