"""Which colour a picture has as a whole, as sRGB shows it: the means of a* and of b*, and the hue in which they lie.

Reference:
    CIE 15:2004, section 8.2.1 (a*, b* and the hue angle).
"""

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from colorlib.metrics.base import Metric
from colorlib.metrics.pair import Pair

CIE = "CIE 15:2004"
GREY = 1e-3  # ab units: a mean nearer to grey has no hue

METRICS: dict[str, Metric] = {}


def hue_deg(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Give the hue angle of colours, in degrees from 0 (red) over 90 (yellow) and 180 (green) to 360; NaN for greys.

    The mean hue of many colours is the hue of the means of their a* and b*: a mean of angles has no sense across 0, and
    would count a faint colour as much as a strong one.

    Example:
        >>> hue_deg([5.0, 0.0, 0.0], [5.0, -2.0, 0.0])
        array([ 45., 270.,  nan])
    """
    return np.where(np.hypot(a, b) < GREY, np.nan, np.degrees(np.arctan2(b, a)) % 360)


def mean_a(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of the prediction's a*, CIELAB units: below 0 green, above it red."""
    return pair.lab_shown[:, 1].mean((1, 2))


METRICS["mean_a"] = Metric(
    mean_a,
    title="Mean a*",
    unit="ab",
    higher_is_better=None,
    about="Mean a* of the prediction, clipped to sRGB: below 0 a green tint, above it a red one.",
    blind_to="All but the mean: a picture half red and half green has none.",
    reference=CIE,
)


def mean_a_error(pair: Pair) -> Tensor:
    """(N,) mean a* of the prediction minus that of the photograph, CIELAB units."""
    return (pair.lab_shown - pair.lab_true_shown)[:, 1].mean((1, 2))


METRICS["mean_a_error"] = Metric(
    mean_a_error,
    title="Mean a*, signed error",
    unit="ab",
    higher_is_better=None,
    about="Mean a* of the prediction minus the photograph's; below 0 it is too green, above it too red.",
    blind_to="Errors that cancel within a picture.",
    reference=CIE,
)


def mean_b(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of the prediction's b*, CIELAB units: below 0 blue, above it yellow."""
    return pair.lab_shown[:, 2].mean((1, 2))


METRICS["mean_b"] = Metric(
    mean_b,
    title="Mean b*",
    unit="ab",
    higher_is_better=None,
    about="Mean b* of the prediction, clipped to sRGB: below 0 a blue tint, above it a yellow one.",
    blind_to="All but the mean: a picture half blue and half yellow has none.",
    reference=CIE,
)


def mean_b_error(pair: Pair) -> Tensor:
    """(N,) mean b* of the prediction minus that of the photograph, CIELAB units."""
    return (pair.lab_shown - pair.lab_true_shown)[:, 2].mean((1, 2))


METRICS["mean_b_error"] = Metric(
    mean_b_error,
    title="Mean b*, signed error",
    unit="ab",
    higher_is_better=None,
    about="Mean b* of the prediction minus the photograph's; below 0 it is too blue, above it too yellow.",
    blind_to="Errors that cancel within a picture.",
    reference=CIE,
)
