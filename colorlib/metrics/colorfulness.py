"""How colourful a picture is, whatever the photograph was: Hasler and Süsstrunk's measure, and mean chroma.

Reference:
    Hasler and Süsstrunk, SPIE 5007, 2003.
"""

import torch
from torch import Tensor

from colorlib.color.appearance import hs03, hs03_absolute
from colorlib.metrics.pair import Pair


def _mean_chroma(ab: Tensor) -> Tensor:
    return torch.hypot(*ab.unbind(1)).mean((1, 2))


def colorfulness_hs03(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction, signed variant; see :func:`hs03`."""
    return hs03(pair.rgb)


def colorfulness_hs03_error(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction minus that of the photograph, signed variant."""
    return hs03(pair.rgb) - hs03(pair.rgb_true)


def colorfulness_abs(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction, absolute variant; see :func:`hs03_absolute`."""
    return hs03_absolute(pair.rgb)


def colorfulness_abs_error(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction minus that of the photograph, absolute variant."""
    return hs03_absolute(pair.rgb) - hs03_absolute(pair.rgb_true)


def mean_chroma(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of the predicted chroma √(a*² + b*²), CIELAB units."""
    return _mean_chroma(pair.ab)


def mean_chroma_error(pair: Pair) -> Tensor:
    """(N,) mean chroma of the prediction minus that of the photograph, CIELAB units."""
    return _mean_chroma(pair.ab) - _mean_chroma(pair.ab_true)
