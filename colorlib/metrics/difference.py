"""Errors of colour in CIELAB: how far apart two colours look (CIE 1976 and CIEDE2000), and errors of a* and b*.

CIEDE2000 is of the colours as they are shown. The others are of the answers, in the gamut or not.

References:
    CIE 15:2004, section 8.2.1 (ΔE*ab of 1976).
    Sharma, Wu and Dalal, Color Research & Application 30(1), 2005 (CIEDE2000).
"""

from torch import Tensor

from colorlib.color.appearance import ciede2000
from colorlib.metrics.base import DEFINITION, Metric
from colorlib.metrics.pair import Pair

METRICS: dict[str, Metric] = {}


def delta_e_76(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of ΔE*ab 1976, before clipping to sRGB; L is the photograph's on both sides."""
    return pair.ab_distance.mean((1, 2))


METRICS["delta_e_76"] = Metric(
    delta_e_76,
    title="ΔE 76",
    unit="ΔE",
    higher_is_better=False,
    about="Mean Euclidean distance in CIELAB; lightness is given, so it is the distance in ab.",
    blind_to="That the eye forgives more in saturated colours; rewards the cautious average.",
    reference="CIE 15:2004",
)


def delta_e_2000(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of :func:`ciede2000` between what sRGB shows of the prediction and of the photograph.

    What a prediction has beyond the gamut nobody ever sees: it is cut, as in every picture that is shown, whether the
    colours come from a network or were read from a picture file.
    """
    return ciede2000(pair.lab_shown, pair.lab_true_shown).mean((1, 2))


METRICS["delta_e_2000"] = Metric(
    delta_e_2000,
    title="ΔE 2000",
    unit="ΔE",
    higher_is_better=False,
    about=(
        "Mean CIEDE2000 colour difference of what sRGB shows, made to follow what the eye sees between small patches."
    ),
    blind_to="Context and plausibility; it was fitted to small differences and is coarse for large ones.",
    reference="Sharma, Wu and Dalal, Color Research & Application 30(1), 2005",
)


def ab_mae(pair: Pair) -> Tensor:
    """(N,) mean absolute error over the pixels and the two ab channels, CIELAB units."""
    return pair.ab_error.abs().mean((1, 2, 3))


METRICS["ab_mae"] = Metric(
    ab_mae,
    title="MAE of ab",
    unit="ab",
    higher_is_better=False,
    about="Mean absolute error of a* and b*.",
    blind_to="Plausibility: of two possible colours it rewards the more frequent one everywhere.",
    reference=DEFINITION,
)


def ab_rmse(pair: Pair) -> Tensor:
    """(N,) root of the mean squared error over the pixels and the two ab channels, CIELAB units."""
    return pair.ab_error.square().mean((1, 2, 3)).sqrt()


METRICS["ab_rmse"] = Metric(
    ab_rmse,
    title="RMSE of ab",
    unit="ab",
    higher_is_better=False,
    about="Root of the mean squared error of a* and b*.",
    blind_to="Plausibility: of two possible colours it rewards their mean, which may be a colour that never occurs.",
    reference=DEFINITION,
)
