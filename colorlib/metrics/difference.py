"""Colour differences: how far apart two colours look, CIE 1976 and CIEDE2000.

References:
    CIE 15:2004, section 8.2.1 (ΔE*ab of 1976).
    Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data,
    and mathematical observations", Color Research & Application 30(1), 2005, equations 2 to 22.
"""

from math import pi, radians

import torch
from torch import Tensor

from colorlib.metrics.pair import Pair

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
        lab, lab_true: (N, 3, H, W) CIELAB under D65; of float32 expect 1e-3.

    Returns:
        (N, H, W), 0 for equal colours; about 1 is just noticeable.

    Difference from the paper (Sharma et al. 2005): ΔH'² is |Δ(a', b')|² − ΔC'² in place of equation 11, which is
    the same number and keeps its slope where a prediction is grey.

    Example:
        >>> red, orange = torch.tensor([50.0, 2.5, 0.0]), torch.tensor([73.0, 25.0, -18.0])
        >>> ciede2000(red.view(1, 3, 1, 1), orange.view(1, 3, 1, 1))
        tensor([[[27.1492]]])
    """
    L1, a1, b1 = lab.unbind(1)
    L2, a2, b2 = lab_true.unbind(1)
    mean_chroma_ab = (_root(a1**2 + b1**2) + _root(a2**2 + b2**2)) / 2
    stretch = 1.5 - 0.5 * _saturation(mean_chroma_ab)  # 1 + G, equation 4
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = _root(a1**2 + b1**2), _root(a2**2 + b2**2)
    h1, h2 = _hue(a1, b1, C1), _hue(a2, b2, C2)
    both = (C1 > 0) & (C2 > 0)

    dL, dC = L2 - L1, C2 - C1
    dh = h2 - h1
    # Opposite hues (Sharma's pairs 10 and 14) differ by π give or take a rounding: it must not flip the mean hue.
    turn = 2 * pi * ((dh > pi + 1e-9).to(dh) - (dh < -pi - 1e-9).to(dh))
    dh = (dh - turn) * both
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


def delta_e_76(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of ΔE*ab 1976, before clipping to sRGB; L is the photograph's on both sides."""
    return pair.ab_distance.mean((1, 2))


def delta_e_2000(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of :func:`ciede2000`, before clipping to sRGB; L is the photograph's on both sides."""
    return ciede2000(pair.lab, pair.lab_true).mean((1, 2))
