"""How colourful a picture is, whatever the photograph was: Hasler and Süsstrunk's measure, and mean chroma.

References:
    Hasler and Süsstrunk, "Measuring colourfulness in natural images", Human Vision and Electronic Imaging VIII,
    SPIE 5007, 2003 (the measure computed on sRGB's opponent channels).
"""

import torch
from torch import Tensor

from colorlib.metrics.pair import Pair


def _opponents(rgb: Tensor) -> Tensor:
    R, G, B = (rgb * 255).unbind(1)
    return torch.stack([R - G, (R + G) / 2 - B], 1)  # (N, 2, H, W): red against green, yellow against blue


def _colorfulness(opponents: Tensor) -> Tensor:
    variance, mean = torch.var_mean(opponents, (2, 3), correction=0)
    return variance.sum(1).sqrt() + 0.3 * mean.square().sum(1).sqrt()


def hs03(rgb: Tensor) -> Tensor:
    """(N,) colourfulness of rgb (N, 3, H, W) in [0, 1], as published: signed opponent channels on 0 … 255.

    Example:
        >>> hs03(torch.eye(3).view(1, 3, 1, 3))  # one red, one green and one blue pixel
        tensor([275.4315])
    """
    return _colorfulness(_opponents(rgb))


def hs03_absolute(rgb: Tensor) -> Tensor:
    """(N,) colourfulness with absolute opponent channels.

    Difference from the paper: |R − G| and |(R + G)/2 − B|, as the published evaluations of DDColor, CT2 and
    ColorFormer compute it.

    Example:
        >>> hs03_absolute(torch.eye(3).view(1, 3, 1, 3))
        tensor([206.5217])
    """
    return _colorfulness(_opponents(rgb).abs())


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
