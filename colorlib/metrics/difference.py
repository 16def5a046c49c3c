"""Colour differences: how far apart two colours look, CIE 1976 and CIEDE2000.

References:
    CIE 15:2004, section 8.2.1 (ΔE*ab of 1976).
    Sharma, Wu and Dalal, Color Research & Application 30(1), 2005 (CIEDE2000).
"""

from torch import Tensor

from colorlib.color.appearance import ciede2000
from colorlib.metrics.pair import Pair


def delta_e_76(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of ΔE*ab 1976, before clipping to sRGB; L is the photograph's on both sides."""
    return pair.ab_distance.mean((1, 2))


def delta_e_2000(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of :func:`ciede2000`, before clipping to sRGB; L is the photograph's on both sides."""
    return ciede2000(pair.lab, pair.lab_true).mean((1, 2))
