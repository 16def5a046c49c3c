"""Which colours a picture has, wherever they are: the histogram of ab, and the colours that sRGB cannot show.

Reference:
    Swain and Ballard, "Color indexing", International Journal of Computer Vision 7(1), 1991 (histogram intersection).
"""

import torch
from torch import Tensor

from colorlib.color.gamut import bin_centres
from colorlib.color.lab import beyond_gamut
from colorlib.metrics.base import Metric
from colorlib.metrics.pair import Pair

GAMUT_TOLERANCE = 1e-3  # of a linear channel: rounding, not colour

METRICS: dict[str, Metric] = {}


def out_of_gamut_share(pair: Pair) -> Tensor:
    """(N,) share in % of predicted pixels, before clipping, whose Lab colour sRGB cannot show."""
    return 100 * beyond_gamut(pair.linear, GAMUT_TOLERANCE).float().mean((1, 2, 3))


METRICS["out_of_gamut_share"] = Metric(
    out_of_gamut_share,
    title="Out of gamut",
    unit="%",
    higher_is_better=False,
    about="Share of predicted pixels, before clipping, whose colour sRGB cannot show at this lightness.",
    blind_to="Everything else: grey has none.",
    reference="IEC 61966-2-1:1999",
)


def _histogram(bins: Tensor) -> Tensor:
    bins = bins.flatten(1)  # (N, H, W) -> (N, H·W)
    counts = torch.zeros(len(bins), len(bin_centres()), device=bins.device)
    return counts.scatter_add_(1, bins, torch.ones_like(bins, dtype=counts.dtype)) / bins.shape[1]


def ab_histogram_distance(pair: Pair) -> Tensor:
    """(N,) total variation, in %, between the picture's and the photograph's histograms over the 313 colour bins.

    It is 100 % minus the histogram intersection of Swain and Ballard (1991): the share of its pixels that a
    prediction would have to recolour to have the photograph's palette. Chosen over divergences (infinite or capped
    at empty bins) and over the earth mover's distance (no closed form in two dimensions) because it is bounded,
    has no parameter and reads as a share.
    """
    return 50 * (_histogram(pair.bins) - _histogram(pair.bins_true)).abs().sum(1)


METRICS["ab_histogram_distance"] = Metric(
    ab_histogram_distance,
    title="ab histogram distance",
    unit="%",
    higher_is_better=False,
    about=(
        "Total variation between the two pictures' histograms over the 313 colour bins: the share of pixels to "
        "recolour to get the photograph's palette."
    ),
    blind_to="Where a colour is, and how far a wrong bin lies from the right one.",
    reference="Swain and Ballard, IJCV 7(1), 1991",
)
