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

from colorlib.color.lab import L_CENTRE, lab_to_rgb
from colorlib.imagenet import EfficientNetLite, Encoder, Standardized, enlarge, enlargement, load_pretrained
from colorlib.models.base import Network
from colorlib.models.blocks import L_to_unit, double_conv, pad_to_multiple
from colorlib.registry import look_up

__all__ = [
    "LITE",
    "PRETRAINING",
    "STRIDE",
    "EfficientNetLite",
    "EncodedNetwork",
    "LightnessEncoder",
    "PlainEncoder",
    "enlargement",
]

STRIDE = 32  # of the coarsest features
LITE = {"lite0": 0, "lite1": 1, "lite2": 2}
PRETRAINING = ("none", "frozen", "tuned")
FRESH_MOMENTUM = 0.1  # of batch normalisation; the published 0.01 is for hundreds of thousands of steps


def check_settings(encoder: str, pretraining: str, statistics: str, rate: float) -> None:
    """Check the settings of a network's encoder.

    Raises:
        ValueError: an unknown word, a rate out of range, or pretraining without an encoder of :data:`LITE`.
    """
    look_up(dict.fromkeys(("none", *LITE)), encoder, "encoder")
    look_up(dict.fromkeys(PRETRAINING), pretraining, "pretraining")
    look_up(dict.fromkeys(("held", "moving")), statistics, "way with statistics")
    if encoder == "none" and pretraining != "none":
        raise ValueError(f"there is no pretraining for encoder none; take one of {', '.join(LITE)}.")
    if not 0 < rate <= 1:
        raise ValueError(f"encoder_rate is a share of the learning rate, above 0 and up to 1, not {rate}.")


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

    The published weights are read when something first looks through the encoder or is about to train it, and not at
    all where other weights came before: a network that was trained carries its encoder, and needs none of them.

    Args:
        name: "none" (:class:`PlainEncoder`) or a key of :data:`LITE`.
        pretraining: "none" (fresh weights), "frozen" (the published ones, which learn nothing) or "tuned".
        rate: share of the learning rate that a tuned encoder learns with; a fresh one learns with all of it.
        statistics: of batch normalisation in a tuned encoder: "held" as they were published, or "moving" with what the
            encoder is shown. A fresh encoder's always move, a frozen one's never.

    Raises:
        ValueError: an unknown word, a rate out of range, or pretraining of the plain encoder.
    """

    def __init__(self, name: str, pretraining: str, statistics: str = "held", rate: float = 0.1) -> None:
        super().__init__()
        check_settings(name, pretraining, statistics, rate)
        self.rate = rate if pretraining == "tuned" else 1.0
        self.frozen = pretraining == "frozen"
        self.held = self.frozen or (pretraining == "tuned" and statistics == "held")
        self.network = PlainEncoder() if name == "none" else Encoder(LITE[name])
        self.unread = pretraining != "none"  # the published weights are still to come
        self.register_load_state_dict_post_hook(_loaded)
        if pretraining == "none":
            for layer in self.network.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.momentum = FRESH_MOMENTUM
        self.channels = self.network.channels
        self.network.requires_grad_(not self.frozen)
        self.standardized = Standardized()

    def train(self, mode: bool = True) -> "LightnessEncoder":
        super().train(mode)
        if self.held:
            self.network.eval()
        return self

    def read_published(self) -> None:
        """Read the published weights, where they were asked for and no others came.

        Raises:
            ModuleNotFoundError: they are not installed.
            ValueError: their file is not the published one.
        """
        if self.unread and isinstance(self.network, Encoder):
            load_pretrained(self.network)
            self.unread = False

    def groups_in(self, network: nn.Module) -> list[dict]:
        """Return what learns in a network that looks through this encoder, as its ``parameter_groups``.

        Raises: those of :meth:`read_published`.
        """
        self.read_published()
        own = list(self.parameters())
        known = set(map(id, own))
        rest = [p for p in network.parameters() if id(p) not in known]
        return [*([] if self.frozen else [{"params": own, "share": self.rate}]), {"params": rest, "share": 1.0}]

    def forward(self, L: Tensor, times: int = 1) -> list[Tensor]:
        """Return the features of L (N, 1, H, W) in [0, 100], enlarged before by a whole factor.

        The enlarged picture's last row and column are repeated until its sides are multiples of 32, so that each map
        has exactly half the sides of the one before.

        Returns:
            five maps (N, channels, h, w) at strides 2, 4, 8, 16 and 32 of the enlarged picture.

        Raises: those of :meth:`read_published`.
        """
        self.read_published()
        grey = lab_to_rgb(F.pad(L, (0, 0, 0, 0, 0, 2)))[:, :1]
        grey = pad_to_multiple(enlarge(grey, times), STRIDE)
        rgb = self.standardized(grey)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.network.features(rgb)


def _loaded(encoder: LightnessEncoder, keys: Any) -> None:
    if not keys.missing_keys:
        encoder.unread = False


class EncodedNetwork(Network):
    """A published design with an encoder of its own, in whose place an EfficientNet-Lite may look.

    The rest of the design stays as it is and takes its five maps. What replaces the encoder knows things by their size,
    so small photographs are enlarged before it; the whole design then works on the enlarged photograph, and the means
    of its features over each of the photograph's pixels go to the output.

    Args:
        encoder: "none" for the design's own, or a key of :data:`LITE`.
        pretraining, encoder_rate, statistics: of what stands in its place, as in :class:`LightnessEncoder`.
        enlarge_to: pixels that the short side is brought near to before it, see :func:`enlargement`.

    Attributes:
        lite: what stands in the place of the design's own encoder, or None.

    Raises:
        ValueError: those of :func:`check_settings`, or ``enlarge_to`` is not above zero.
    """

    def __init__(self, encoder: str, pretraining: str, encoder_rate: float, statistics: str, enlarge_to: int) -> None:
        super().__init__()
        check_settings(encoder, pretraining, statistics, encoder_rate)
        if enlarge_to <= 0:
            raise ValueError(f"enlarge_to is a number of pixels, above zero, not {enlarge_to}.")
        self.enlarge_to = enlarge_to
        self.lite: LightnessEncoder | None = None
        if encoder != "none":
            self.lite = LightnessEncoder(encoder, pretraining, statistics, encoder_rate)

    def parameter_groups(self) -> list[dict]:
        return super().parameter_groups() if self.lite is None else self.lite.groups_in(self)

    def enlargement(self, size: tuple[int, ...]) -> int:
        """Return how many times a photograph of ``size`` (H, W) is enlarged; the own encoder sees it as it is."""
        return 1 if self.lite is None else enlargement(size, self.enlarge_to)

    def prepared(self, L: Tensor, stride: int) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into what the design reads: in [-1, 1], enlarged, and padded.

        Its sides are multiples of ``stride``, the coarsest of the own encoder, or of the coarsest in its place.
        """
        enlarged = enlarge(L, self.enlargement(L.shape[-2:]))
        return pad_to_multiple(L_to_unit(enlarged), stride if self.lite is None else STRIDE)

    def maps_of_lite(self, picture: Tensor) -> list[Tensor]:
        """Return the five maps, at strides 2, 4, 8, 16 and 32, of what :meth:`prepared` gives."""
        assert self.lite is not None
        return self.lite(L_CENTRE * (picture + 1))

    def reduced(self, features: Tensor, size: tuple[int, ...]) -> Tensor:
        """Bring features of the enlarged photograph back to one of ``size`` (H, W), by means over squares."""
        times = self.enlargement(size)
        return F.avg_pool2d(features, times, ceil_mode=True) if times > 1 else features
