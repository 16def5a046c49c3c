"""How colours look: how far apart two of them, and how colourful a picture. Both differentiable.

References:
    Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data,
    and mathematical observations", Color Research & Application 30(1), 2005, equations 2 to 22.
    Hasler and Süsstrunk, "Measuring colourfulness in natural images", Human Vision and Electronic Imaging VIII,
    SPIE 5007, 2003 (the measure computed on sRGB's opponent channels).
"""

from math import pi, radians

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color.lab import check_lab, in_parts

TINY = 1e-12  # squared distance below which two colours are the same; the slope of a root ends here
CHROMA_POWER = 25.0**7


def _root(squared: Tensor) -> Tensor:
    # Zero, with slope zero, up to TINY: the slope of a plain root is infinite at 0.
    return F.threshold(squared, TINY, 0.0).sqrt()


def _saturation(chroma: Tensor) -> Tensor:
    cubed = chroma * chroma * chroma
    power = cubed * cubed * chroma
    return _root(power / (power + CHROMA_POWER))


def _positive(x: Tensor) -> Tensor:
    """1 where x is above zero, else 0, without a slope: a number, which a processor is quicker at than at a truth."""
    return x.detach().clamp(min=0).sign()


def _turn(angle: Tensor) -> Tensor:
    """The same direction as an angle in [0, 2π)."""
    return torch.sub(angle, (angle.detach() / (2 * pi)).floor(), alpha=2 * pi)


def _hue(a: Tensor, b: Tensor, colored: Tensor) -> Tensor:
    # atan2 has no slope at the origin; a grey has the hue 0 by definition.
    return _turn(torch.atan2(b, a + (1 - colored)) * colored)


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
    return in_parts(_ciede2000, lab, lab_true)


def _ciede2000(lab: Tensor, lab_true: Tensor) -> Tensor:
    L1, a1, b1 = lab.unbind(1)
    L2, a2, b2 = lab_true.unbind(1)
    # On which side of the first hue the second lies; of single precision these products are exact.
    side = (a1.detach().double() * b2.detach() - a2.detach().double() * b1.detach()).sign().to(L1.dtype)
    mean_chroma_ab = (_root(a1 * a1 + b1 * b1) + _root(a2 * a2 + b2 * b2)) / 2
    stretch = 1.5 - 0.5 * _saturation(mean_chroma_ab)  # 1 + G, equation 4
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = _root(a1 * a1 + b1 * b1), _root(a2 * a2 + b2 * b2)
    colored1, colored2 = _positive(C1), _positive(C2)
    both = colored1 * colored2
    h1, h2 = _hue(a1, b1, colored1), _hue(a2, b2, colored2)

    dL, dC = L2 - L1, C2 - C1
    dh = h2 - h1
    # Hues that are nearly opposite (Sharma's pairs 9 to 15) differ by π give or take a rounding, which would flip the
    # mean hue: the colours themselves say on which side they are.
    excess = dh.detach().abs() - pi
    beyond = torch.lerp(_positive(excess), _positive(-dh * side), _positive(1e-3 - excess.abs()))
    dh = (dh - 2 * pi * dh.sign() * beyond) * both
    dH = 2 * _root(C1 * C2) * torch.sin(dh / 2)
    dH_squared = ((a2 - a1).square() + (b2 - b1).square() - dC * dC).clamp(min=0)

    L = (L1 + L2) / 2
    C = (C1 + C2) / 2
    h = _turn(h1 + dh / 2 + (1 - both) * h2)
    T = (
        1
        - 0.17 * torch.cos(h - radians(30))
        + 0.24 * torch.cos(2 * h)
        + 0.32 * torch.cos(3 * h + radians(6))
        - 0.20 * torch.cos(4 * h - radians(63))
    )
    rotation = radians(30) * torch.exp(-((h - radians(275)) / radians(25)).square())
    R_T = -2 * _saturation(C) * torch.sin(2 * rotation)
    squared_L = (L - 50).square()
    S_L = 1 + 0.015 * squared_L / (20 + squared_L).sqrt()
    S_C = 1 + 0.045 * C
    S_H = 1 + 0.015 * C * T
    dC = dC / S_C
    return _root((dL / S_L).square() + dC * dC + dH_squared / S_H.square() + R_T * dC * dH / S_H)


def opponents(rgb: Tensor) -> Tensor:
    """(N, 2, H, W) opponent channels of rgb (N, 3, H, W) in [0, 1]: R − G and (R + G) / 2 − B, on 0 … 255."""
    R, G, B = (rgb * 255).unbind(1)
    return torch.stack([R - G, (R + G) / 2 - B], 1)


def colorfulness(opponents: Tensor) -> Tensor:
    """(N,) √(σ₁² + σ₂²) + 0.3 √(μ₁² + μ₂²) of opponent channels (N, 2, H, W), signed or absolute."""
    mean = opponents.mean((2, 3), keepdim=True)
    variance = (opponents - mean).square().mean((2, 3))
    return _root(variance.sum(1)) + 0.3 * _root(mean.square().sum((1, 2, 3)))


def hs03(rgb: Tensor) -> Tensor:
    """(N,) colourfulness of rgb (N, 3, H, W) in [0, 1], as published: signed opponent channels on 0 … 255.

    Example:
        >>> hs03(torch.eye(3).view(1, 3, 1, 3))  # one red, one green and one blue pixel
        tensor([275.4315])
    """
    return colorfulness(opponents(rgb))


def hs03_absolute(rgb: Tensor) -> Tensor:
    """(N,) colourfulness with absolute opponent channels.

    Difference from the paper: |R − G| and |(R + G)/2 − B|, as the published evaluations of DDColor, CT2 and
    ColorFormer compute it.

    Example:
        >>> hs03_absolute(torch.eye(3).view(1, 3, 1, 3))
        tensor([206.5217])
    """
    return colorfulness(opponents(rgb).abs())
