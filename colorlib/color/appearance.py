"""How colours look: how far apart two of them, and how colourful a picture. Both differentiable.

References:
    Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data,
    and mathematical observations", Color Research & Application 30(1), 2005, equations 2 to 22.
    Hasler and Süsstrunk, "Measuring colourfulness in natural images", Human Vision and Electronic Imaging VIII,
    SPIE 5007, 2003 (the measure computed on sRGB's opponent channels).
"""

from collections.abc import Sequence
from math import cos, inf, log, pi, radians, sin

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color.lab import check_lab, in_parts

TINY = 1e-12  # squared distance below which two colours are the same; the slope of a root ends here
LEAST_LOGARITHM = -80.0  # below, a processor is many times slower at exponentials, and they are nothing
# T, equation 15, as polynomials in cos h, and in cos h beside a factor sin h: the smallest power first.
T_OF_COSINE = (
    1 - 0.24 - 0.20 * cos(radians(63)),
    -0.17 * cos(radians(30)) - 3 * 0.32 * cos(radians(6)),
    2 * 0.24 + 8 * 0.20 * cos(radians(63)),
    4 * 0.32 * cos(radians(6)),
    -8 * 0.20 * cos(radians(63)),
)
T_OF_SINE = (
    -0.17 * sin(radians(30)) + 0.32 * sin(radians(6)),
    4 * 0.20 * sin(radians(63)),
    -4 * 0.32 * sin(radians(6)),
    -8 * 0.20 * sin(radians(63)),
)


def _root(squared: Tensor) -> Tensor:
    # Zero, with slope zero, up to TINY: the slope of a plain root is infinite at 0.
    return F.threshold(squared, TINY, 0.0).sqrt()


def _inverse_root(squared: Tensor) -> Tensor:
    return F.threshold(squared, TINY, inf).rsqrt()  # 0 up to TINY


def _line(x: Tensor, slope: float, start: float) -> Tensor:
    return torch.rsub(x, start, alpha=-slope)  # in one go


def _polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    *others, second, first = coefficients
    value = _line(x, first, second)
    for coefficient in reversed(others):
        value = torch.addcmul(x.new_tensor(coefficient), x, value)
    return value


def _saturation(two_chromas: Tensor) -> Tensor:
    """Return the root of C⁷ / (C⁷ + 25⁷), C being the mean of two chromas whose sum is given."""
    power = (two_chromas**3).square() * two_chromas
    return _root(power / (power + 50.0**7))


def _side(ab: Tensor, ab_true: Tensor) -> Tensor:
    """Tell on which side of the first hue the second lies, by the shorter way: 1 counter-clockwise, −1 clockwise.

    Of opposite hues (Sharma's pairs 9 to 15) a rounding must not decide. In double precision the products of single
    precision are exact. Between exactly opposite ones the way goes from the smaller angle in [0, 2π) to the larger:
    this is what the added hairs say, which are too small to say anything else.
    """
    a1, b1 = ab.detach().double().unbind(1)
    a2, b2 = ab_true.detach().double().unbind(1)
    cross = a1 * b2 - a2 * b1
    return cross.add_(b1, alpha=1e-40).add_(a1, alpha=1e-80).sign().to(ab.dtype)


def ciede2000(lab: Tensor, lab_true: Tensor) -> Tensor:
    """Give the CIEDE2000 difference of each pixel, with kL = kC = kH = 1.

    Differentiable, with a finite gradient everywhere, equal colours and greys included (0 at equal colours).

    Args:
        lab, lab_true: (N, 3, H, W) CIELAB under D65, L* in [0, 100]; float32 is as good as float64, to 2e-4.

    Returns:
        (N, H, W), 0 for equal colours; about 1 is just noticeable.

    Raises:
        TypeError, ValueError: not float32 or float64, another shape, or L* beyond its range.

    Difference from the paper (Sharma et al. 2005): hues are unit vectors, whose bisector is the mean hue, so that no
    angle is taken but for equation 16, and T is a polynomial in the cosine and sine of that hue. ΔH'² is
    |Δ(a', b')|² − ΔC'² in place of equation 11. These are the same numbers; the latter keeps its slope where a
    prediction is grey.

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
    square1, square2 = b1 * b1, b2 * b2
    chromas = _root(torch.addcmul(square1, a1, a1)) + _root(torch.addcmul(square2, a2, a2))
    stretch = _line(_saturation(chromas), -0.5, 1.5)  # 1 + G, equation 4
    a1, a2 = a1 * stretch, a2 * stretch
    square1, square2 = torch.addcmul(square1, a1, a1), torch.addcmul(square2, a2, a2)
    inverse1, inverse2 = _inverse_root(square1), _inverse_root(square2)
    C1, C2 = square1 * inverse1, square2 * inverse2
    chromas, product, dC = C1 + C2, C1 * C2, C2 - C1

    # Hues as unit vectors, of length 0 for a grey. Their sum points to the mean hue, and so does their difference,
    # turned by 90° to the side of the second: one of the two is always long.
    x1, y1, x2, y2 = a1 * inverse1, b1 * inverse1, a2 * inverse2, b2 * inverse2
    dx, dy = x2 - x1, y2 - y1
    side = _side(lab[:, 1:], lab_true[:, 1:]) * product.detach().sign()  # 0 beside a grey
    x, y = (x1 + x2).addcmul_(side, dy), (y1 + y2).addcmul_(side, dx, value=-1)
    length = _inverse_root((x * x).addcmul_(y, y))
    x, y = x * length, y * length  # cosine and sine of the mean hue

    dH = side * _root((dx * dx).addcmul_(dy, dy) * product)
    da, db = a2 - a1, b2 - b1
    dH_squared = (da * da).addcmul_(db, db).addcmul_(dC, dC, value=-1)
    T = torch.addcmul(_polynomial(x, T_OF_COSINE), y, _polynomial(x, T_OF_SINE))
    opposite = torch.atan2(-y, _line(x, -1, TINY))  # the mean hue, in [0, 2π), less π; greys have no slope there
    beside = _line(opposite, 180 / pi / 25, (180 - 275) / 25)
    rotation = torch.exp(_line(beside.square(), -1, log(radians(60))).clamp(min=LEAST_LOGARITHM))  # 2Δθ, equation 16
    squared_L = _line(L1 + L2, 0.5, -50).square()
    dL = (L2 - L1) / _line(squared_L * (squared_L + 20).rsqrt(), 0.015, 1)
    dC = dC / _line(chromas, 0.045 / 2, 1)
    S_H = _line(chromas * T, 0.015 / 2, 1)
    hue_and_turn = torch.sub(dH_squared / S_H, _saturation(chromas) * torch.sin(rotation) * dC * dH, alpha=2) / S_H
    return _root(hue_and_turn.addcmul_(dL, dL).addcmul_(dC, dC))


def opponents(rgb: Tensor) -> Tensor:
    """(N, 2, H, W) opponent channels of rgb (N, 3, H, W) in [0, 1]: R − G and (R + G) / 2 − B, on 0 … 255."""
    R, G, B = rgb.unbind(1)
    return torch.stack([R - G, torch.lerp(R, G, 0.5).sub_(B)], 1).mul_(255)


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
