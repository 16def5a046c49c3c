"""How colours look: how far apart two of them, and how colourful a picture. Both differentiable.

References:
    Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data,
    and mathematical observations", Color Research & Application 30(1), 2005, equations 2 to 22.
    Hasler and Süsstrunk, "Measuring colourfulness in natural images", Human Vision and Electronic Imaging VIII,
    SPIE 5007, 2003 (the measure computed on sRGB's opponent channels).
"""

from math import pi, radians

import torch
from torch import Tensor

from colorlib.color.lab import check_lab

TINY = 1e-12  # squared distance below which two colours are the same; the slope of a root ends here
CHROMA_POWER = 25.0**7


def _root(squared: Tensor) -> Tensor:
    # Zero, with slope zero, below TINY: the slope of a plain root is infinite at 0.
    positive = squared > TINY
    return torch.where(positive, squared, 1).sqrt() * positive


def _saturation(chroma: Tensor) -> Tensor:
    power = chroma**7
    return _root(power / (power + CHROMA_POWER))


def _hue(a: Tensor, b: Tensor, chroma: Tensor) -> Tensor:
    # atan2 has no slope at the origin; a grey has the hue 0 by definition.
    return torch.remainder(torch.atan2(b, torch.where(chroma > 0, a, 1)), 2 * pi) * (chroma > 0)


def ciede2000(lab: Tensor, lab_true: Tensor) -> Tensor:
    """Give the CIEDE2000 difference of each pixel, with kL = kC = kH = 1.

    Differentiable, with a finite gradient everywhere, equal colours and greys included (0 at equal colours).

    Args:
        lab, lab_true: (N, 3, H, W) CIELAB under D65, L* in [0, 100]; float32 is as good as float64, to 2e-4.

    Returns:
        (N, H, W), 0 for equal colours; about 1 is just noticeable.

    Raises:
        TypeError, ValueError: not float32 or float64, another shape, or L* beyond its range.

    Difference from the paper (Sharma et al. 2005): ΔH'² is |Δ(a', b')|² − ΔC'² in place of equation 11, which is
    the same number and keeps its slope where a prediction is grey.

    Example:
        >>> red, orange = torch.tensor([50.0, 2.5, 0.0]), torch.tensor([73.0, 25.0, -18.0])
        >>> ciede2000(red.view(1, 3, 1, 1), orange.view(1, 3, 1, 1))
        tensor([[[27.1492]]])
    """
    check_lab(lab, "lab")
    check_lab(lab_true, "lab_true")
    L1, a1, b1 = lab.unbind(1)
    L2, a2, b2 = lab_true.unbind(1)
    side = a1.double() * b2.double() - a2.double() * b1.double()  # of the first hue on which the second lies
    mean_chroma_ab = (_root(a1**2 + b1**2) + _root(a2**2 + b2**2)) / 2
    stretch = 1.5 - 0.5 * _saturation(mean_chroma_ab)  # 1 + G, equation 4
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = _root(a1**2 + b1**2), _root(a2**2 + b2**2)
    h1, h2 = _hue(a1, b1, C1), _hue(a2, b2, C2)
    both = (C1 > 0) & (C2 > 0)

    dL, dC = L2 - L1, C2 - C1
    dh = h2 - h1
    # Hues that are nearly opposite (Sharma's pairs 9 to 15) differ by π give or take a rounding, which would flip the
    # mean hue: the colours themselves say on which side they are. Of single precision their products are exact here.
    beyond = torch.where((dh.abs() - pi).abs() < 1e-3, dh * side < 0, dh.abs() > pi)
    dh = (dh - 2 * pi * dh.sign() * beyond) * both
    dH = 2 * _root(C1 * C2) * torch.sin(dh / 2)
    dH_squared = ((a2 - a1) ** 2 + (b2 - b1) ** 2 - dC**2).clamp(min=0)

    L = (L1 + L2) / 2
    C = (C1 + C2) / 2
    h = torch.where(both, torch.remainder(h1 + dh / 2, 2 * pi), h1 + h2)
    T = (
        1
        - 0.17 * torch.cos(h - radians(30))
        + 0.24 * torch.cos(2 * h)
        + 0.32 * torch.cos(3 * h + radians(6))
        - 0.20 * torch.cos(4 * h - radians(63))
    )
    rotation = radians(30) * torch.exp(-(((h - radians(275)) / radians(25)) ** 2))
    R_T = -2 * _saturation(C) * torch.sin(2 * rotation)
    S_L = 1 + 0.015 * (L - 50) ** 2 / (20 + (L - 50) ** 2).sqrt()
    S_C = 1 + 0.045 * C
    S_H = 1 + 0.015 * C * T
    squared = (dL / S_L) ** 2 + (dC / S_C) ** 2 + dH_squared / S_H**2 + R_T * (dC / S_C) * (dH / S_H)
    return _root(squared)


def _opponents(rgb: Tensor) -> Tensor:
    R, G, B = (rgb * 255).unbind(1)
    return torch.stack([R - G, (R + G) / 2 - B], 1)  # (N, 2, H, W): red against green, yellow against blue


def _colorfulness(opponents: Tensor) -> Tensor:
    variance, mean = torch.var_mean(opponents, (2, 3), correction=0)
    return _root(variance.sum(1)) + 0.3 * _root(mean.square().sum(1))


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
