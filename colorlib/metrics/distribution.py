"""How the colours are distributed: Zhang's AuC, the ab histogram, the gamut.

References:
    Zhang, Isola and Efros, "Colorful image colorization", ECCV 2016, section 3.1 (AuC, raw and rebalanced).
    Swain and Ballard, "Color indexing", International Journal of Computer Vision 7(1), 1991 (histogram intersection).
"""

import torch
from torch import Tensor

from colorlib.color.gamut import bin_centres
from colorlib.color.lab import out_of_gamut
from colorlib.metrics.pair import Pair

AUC_MAX = 150  # the last threshold on the ab error; the first is 0, the step 1
PRIOR_FLOOR = 1e-4  # a rarer bin counts as if this share of the training pixels had it


def _area(distance: Tensor) -> Tensor:
    # A pixel of error e is a step at the threshold ⌈e⌉; the trapezoid rule gives the area under that step.
    return (AUC_MAX + 0.5 - distance.ceil()).clamp(0, AUC_MAX) * (100 / AUC_MAX)


def _weights(pair: Pair) -> Tensor:
    prior = pair.prior.to(pair.ab).clamp(min=PRIOR_FLOOR)
    return (1 / prior)[pair.bins_true]


def auc_raw(pair: Pair) -> Tensor:
    """(N,) area under the curve of the share of pixels whose ab error is at most t, t = 0, 1, … 150, in %.

    The area is the trapezoid rule's, normalised so that a perfect prediction has 100 %.

    Difference from the paper (Zhang et al. 2016, section 3.1): one value per image; its mean over images of one
    size is the paper's value over all pixels.
    """
    return _area(pair.ab_distance).mean((1, 2))


def auc_rebalanced(pair: Pair) -> Tensor:
    """(N,) AuC in % with each pixel weighted by 1/p of its true colour's bin; NaN without a prior.

    Difference from the paper (Zhang et al. 2016, section 3.1, the weights of equation 4 with λ = 0): one value per
    image (:func:`auc_weight` pools them into the paper's); p is at least ``PRIOR_FLOOR``, so that a colour that the
    training photographs never had cannot outweigh all others.
    """
    if pair.prior is None:
        return pair.ab.new_full(pair.ab.shape[:1], torch.nan)
    weights = _weights(pair)
    return (weights * _area(pair.ab_distance)).sum((1, 2)) / weights.sum((1, 2))


def auc_weight(pair: Pair) -> Tensor:
    """(N,) sum of an image's pixel weights in :func:`auc_rebalanced`; NaN without a prior."""
    if pair.prior is None:
        return pair.ab.new_full(pair.ab.shape[:1], torch.nan)
    return _weights(pair).sum((1, 2))


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


def out_of_gamut_share(pair: Pair) -> Tensor:
    """(N,) share in % of predicted pixels, before clipping, whose Lab colour sRGB cannot show."""
    return 100 * out_of_gamut(pair.lab).float().mean((1, 2, 3))
