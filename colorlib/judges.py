"""The networks that judge what is seen in pictures: EfficientNet-Lite0 for losses, Lite2 for metrics, never otherwise.

A metric that something was trained on is no evidence. So an objective looks through :func:`judge_for_losses`, a metric
through :func:`judge_for_metrics`, and a test forbids either room the other's judge. Neither judge is ever trained.

Small photographs are enlarged first, for these networks know things at the size at which ImageNet shows them. Measured
on 300 photographs of 64 pixels (Tiny-ImageNet's), on one slow core; guessing has a log-probability of −6.9:

=========  ==========  ============  =============================  =======================  ==========
judge      enlarged    top-1, %      log-probability of the class   gap, colour − grey       ms a
           to, pixels  colour, grey  colour, grey                   (± standard error)       picture
=========  ==========  ============  =============================  =======================  ==========
Lite2      64          7, 3          −16.8, −19.7                   2.87 ± 0.55              5
Lite2      **128**     23, 11        −7.1, −9.7                     2.62 ± 0.29              19
Lite2      192         26, 13        −4.6, −6.2                     1.67 ± 0.16              41
Lite2      256         22, 12        −4.3, −5.7                     1.43 ± 0.11              92
Lite0      **128**     19, 9         −6.7, −9.0                     2.31 ± 0.22              14
Lite0      192         19, 10        −4.7, −6.1                     1.37 ± 0.11              30
=========  ==========  ============  =============================  =======================  ==========

128 it is: colour counts for most there, and what larger sides tell more surely of each photograph, twice as many
photographs tell in the same time. Photographs of 256 pixels are looked at as they are.
"""

from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.imagenet import EfficientNetLite, Standardized

SIDE = 128  # pixels
JUDGE = 2  # the version that metrics look through


class Seen(NamedTuple):
    """What a judge sees in N pictures.

    Attributes:
        maps: five maps of features (N, C, h, w), at strides 2, 4, 8, 16 and 32 of the enlarged picture, finest first.
        embedding: (N, D), the mean over the last map; D is 320 of Lite0 and 352 of Lite2.
        logits: (N, 1000), of ImageNet's classes in the order of :func:`~colorlib.imagenet.class_ids`.
    """

    maps: list[Tensor]
    embedding: Tensor
    logits: Tensor


class Judge(nn.Module):
    """An EfficientNet-Lite that looks at photographs in sRGB, differentiable by them and not to be trained.

    Photographs whose short side is below ``SIDE`` are enlarged to it (bicubic), others stay as they are.

    Args:
        version: 0, 1 or 2.

    Raises:
        ModuleNotFoundError: the extra ``pretrained`` is missing.
        ValueError: its file of weights is not the published one.
    """

    def __init__(self, version: int) -> None:
        super().__init__()
        self.network = EfficientNetLite(version, pretrained=True)
        self.standardized = Standardized()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "Judge":
        """Stay as it is: what looks at pictures of a training is not trained, nor are its statistics."""
        return super().train(False)

    def forward(self, rgb: Tensor) -> Seen:
        """Look at rgb (N, 3, H, W) in [0, 1]; values a little beyond keep their gradient."""
        if (short := min(rgb.shape[-2:])) < SIDE:
            size = [round(length * SIDE / short) for length in rgb.shape[-2:]]
            rgb = F.interpolate(rgb, size=size, mode="bicubic", align_corners=False)
        rgb = self.standardized(rgb).contiguous(memory_format=torch.channels_last)  # a third quicker on a processor
        maps = self.network.features(rgb)
        return Seen(maps, maps[-1].mean((2, 3)), self.network.classify(maps[-1]))


def judge_for_losses() -> Judge:
    """Return a Lite0 of the caller's own, which moves to a device or a precision with the objective that holds it.

    Raises:
        ModuleNotFoundError: the extra ``pretrained`` is missing; the message names it.

    Example:
        >>> import torch
        >>> [tuple(features.shape[1:]) for features in judge_for_losses()(torch.zeros(1, 3, 64, 64)).maps]
        [(16, 64, 64), (24, 32, 32), (40, 16, 16), (112, 8, 8), (320, 4, 4)]
    """
    return Judge(version=0)


def judge_for_metrics(device: torch.device | str = "cpu") -> Judge | None:
    """Return the Lite2 that a process shares on a device, or None where the extra ``pretrained`` is missing.

    Raises:
        ValueError: its file of weights is not the published one.
    """
    return _shared_judge(torch.device(device))


@cache
def _shared_judge(device: torch.device) -> Judge | None:
    try:
        return Judge(JUDGE).to(device)
    except ModuleNotFoundError:
        return None
