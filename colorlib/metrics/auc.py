"""Zhang's AuC: the share of pixels whose error is at most a threshold, averaged over the thresholds.

Reference:
    Zhang, Isola and Efros, "Colorful image colorization", ECCV 2016, section 3.1 (AuC, raw and rebalanced).
"""

import pandas as pd
from torch import Tensor

from colorlib.color.gamut import smooth_prior
from colorlib.metrics.base import ZHANG, Metric, PooledMetric
from colorlib.metrics.pair import Pair

AUC_MAX = 150  # the last threshold on the ab error; the first is 0, the step 1
PRIOR_FLOOR = 1e-4  # a bin that is rarer after smoothing counts as if this share of the training pixels had it

METRICS: dict[str, Metric] = {}
POOLED: dict[str, PooledMetric] = {}


def _area(distance: Tensor) -> Tensor:
    # A pixel of error e is a step at the threshold ⌈e⌉; the trapezoid rule gives the area under that step.
    return (AUC_MAX + 0.5 - distance.ceil()).clamp(0, AUC_MAX) * (100 / AUC_MAX)


def _weights(pair: Pair) -> Tensor | None:
    if pair.prior is None:
        return None
    prior = smooth_prior(pair.prior).to(pair.ab).clamp(min=PRIOR_FLOOR)
    return (1 / prior)[pair.bins_true]


def auc_raw(pair: Pair) -> Tensor:
    """(N,) area under the curve of the share of pixels whose ab error is at most t, t = 0, 1, … 150, in %.

    The area is the trapezoid rule's, normalised so that a perfect prediction has 100 %.

    Difference from the paper (Zhang et al. 2016, section 3.1): one value per image; its mean over images of one
    size is the paper's value over all pixels.
    """
    return _area(pair.ab_distance).mean((1, 2))


METRICS["auc_raw"] = Metric(
    auc_raw,
    title="AuC",
    unit="%",
    higher_is_better=True,
    about="Area under the share of pixels whose ab error is at most t, t from 0 to 150.",
    blind_to="Rare colours: grey walls and skies fill most pixels, and leaving all grey scores near 90 %.",
    reference=ZHANG,
)


def auc_rebalanced(pair: Pair) -> Tensor:
    """(N,) AuC in % with each pixel weighted by 1/p of its true colour's bin; NaN without a prior.

    p is the share of the training pixels in that bin, smoothed over the neighbouring bins by a Gaussian of 5 ab units
    (:func:`~colorlib.color.gamut.smooth_prior`), as it is in the paper's loss.

    Difference from the paper (Zhang et al. 2016, section 3.1, the weights of equation 4 with λ = 0): one value per
    image, whose mean counts every image alike; the paper's figure, over the pixels of all images together, is
    ``auc_rebalanced_pooled``. p is at least ``PRIOR_FLOOR``, so that a colour that the training photographs never had
    cannot outweigh all others.
    """
    weights = _weights(pair)
    if weights is None:
        return pair.unknown
    return (weights * _area(pair.ab_distance)).sum((1, 2)) / weights.sum((1, 2))


METRICS["auc_rebalanced"] = Metric(
    auc_rebalanced,
    title="Rebalanced AuC",
    unit="%",
    higher_is_better=True,
    about=(
        "AuC with each pixel weighted by one over the frequency of its true colour in training, smoothed by 5 ab units "
        "and at least 1 in 10,000; one value per image, of which this is the mean."
    ),
    blind_to=(
        "False colour on grey things, whose pixels weigh almost nothing; needs the prior of the training photographs."
    ),
    reference=ZHANG,
)


def auc_weight(pair: Pair) -> Tensor:
    """(N,) sum of an image's pixel weights in :func:`auc_rebalanced`; NaN without a prior."""
    weights = _weights(pair)
    return pair.unknown if weights is None else weights.sum((1, 2))


METRICS["auc_weight"] = Metric(
    auc_weight,
    title="Rebalancing weight",
    unit="",
    higher_is_better=None,
    about="Sum of the image's pixel weights in the rebalanced AuC: says nothing of the prediction, serves to pool.",
    blind_to="The prediction: it depends on the photograph alone.",
    reference=ZHANG,
)


def _weighted(per_image: pd.DataFrame) -> pd.DataFrame:
    weight = per_image["auc_weight"]
    return pd.DataFrame({"weighted": weight * per_image["auc_rebalanced"], "weight": weight})


POOLED["auc_rebalanced_pooled"] = PooledMetric(
    _weighted,
    lambda weighted, weight: weighted / weight,
    title="Pooled rebalanced AuC",
    unit="%",
    higher_is_better=True,
    about="Rebalanced AuC over the pixels of all images together, the paper's own figure; weights likewise smoothed.",
    blind_to="Images without rare colours, which hardly weigh.",
    reference=ZHANG,
)
