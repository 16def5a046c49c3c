"""Whether the thing in a coloured picture is still recognised, by EfficientNet-Lite2 (:mod:`colorlib.judges`).

Nothing is trained against Lite2. What it says is NaN where its weights, the extra ``pretrained``, are missing, below 16
pixels, and for pictures that it was not asked to look at. Where a photograph's class is the WordNet id of one of
ImageNet's, its picture is *recognised* or not, and the class has a probability. Anywhere, the first guess at the
picture agrees with that at the photograph or does not.

Reference:
    Zhang, Isola and Efros, "Colorful image colorization", ECCV 2016, section 3.1 (semantic interpretability).
"""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from colorlib.judges import Seen
from colorlib.metrics.base import ZHANG, Metric, PooledMetric
from colorlib.metrics.pair import Pair

NOT_VGG = f"{ZHANG}, with EfficientNet-Lite2 in place of VGG-16"

METRICS: dict[str, Metric] = {}
POOLED: dict[str, PooledMetric] = {}


def _recognised(pair: Pair, seen: Seen | None) -> Tensor:
    if seen is None:
        return pair.unknown
    wanted = pair.imagenet_labels
    return torch.where(wanted < 0, torch.nan, (seen.logits.argmax(1) == wanted).to(pair.ab))


def recognised_lite2(pair: Pair) -> Tensor:
    """(N,) 1 where Lite2's first guess at the coloured picture is what the photograph shows, else 0.

    NaN where what it shows is not known by the WordNet id of one of ImageNet's classes.

    Difference from the paper (Zhang et al. 2016, section 3.1): EfficientNet-Lite2 in place of VGG-16.
    """
    return _recognised(pair, pair.seen)


METRICS["recognised_lite2"] = Metric(
    recognised_lite2,
    title="Recognised (Lite2)",
    unit="",
    higher_is_better=True,
    about=(
        "1 where the first guess of EfficientNet-Lite2 at the coloured picture is what the photograph shows, else 0; "
        "photographs whose class is no WordNet id of ImageNet's have none."
    ),
    blind_to=(
        "Colours that do not matter to what a thing is, and most of them do not: it knows much from lightness alone."
    ),
    reference=NOT_VGG,
)


def recognised_lite2_error(pair: Pair) -> Tensor:
    """(N,) :func:`recognised_lite2` minus that of the photograph itself: −1 where colouring has hidden the thing."""
    return _recognised(pair, pair.seen) - _recognised(pair, pair.seen_true)


METRICS["recognised_lite2_error"] = Metric(
    recognised_lite2_error,
    title="Recognised (Lite2), signed error",
    unit="",
    higher_is_better=None,
    about="Recognised (Lite2) of the prediction minus of the photograph; below 0 colouring has hidden things.",
    blind_to="Colours that do not matter to what a thing is.",
    reference=NOT_VGG,
)


def recognised_lite2_gain(pair: Pair) -> Tensor:
    """(N,) :func:`recognised_lite2` minus that of the photograph left grey: 1 where colouring has shown the thing."""
    return _recognised(pair, pair.seen) - _recognised(pair, pair.seen_grey)


METRICS["recognised_lite2_gain"] = Metric(
    recognised_lite2_gain,
    title="Recognised (Lite2), gain on grey",
    unit="",
    higher_is_better=None,
    about="Recognised (Lite2) of the prediction minus of the photograph left grey; serves to pool.",
    blind_to="Colours that do not matter to what a thing is.",
    reference=NOT_VGG,
)


def _log_probability(pair: Pair, seen: Seen | None) -> Tensor:
    if seen is None:
        return pair.unknown
    wanted = pair.imagenet_labels
    log_probability = seen.logits.log_softmax(1).gather(1, wanted.clamp(min=0)[:, None])[:, 0]
    return torch.where(wanted < 0, torch.nan, log_probability.to(pair.ab))


def log_probability_lite2(pair: Pair) -> Tensor:
    """(N,) logarithm of the probability that Lite2 gives to what the photograph shows, in nats, at most 0.

    NaN where what it shows is not known by the WordNet id of one of ImageNet's classes.

    Difference from the paper (Zhang et al. 2016, section 3.1): there only the first guess counts, and it is VGG-16's.
    """
    return _log_probability(pair, pair.seen)


METRICS["log_probability_lite2"] = Metric(
    log_probability_lite2,
    title="Log-probability (Lite2)",
    unit="nats",
    higher_is_better=True,
    about=(
        "Logarithm of the probability that EfficientNet-Lite2 gives to what the photograph shows: recognition by "
        "degrees, which few photographs tell more surely than first guesses."
    ),
    blind_to="Colours that do not matter to what a thing is; a few things that it is sure are others weigh most.",
    reference=NOT_VGG,
)


def log_probability_lite2_error(pair: Pair) -> Tensor:
    """(N,) :func:`log_probability_lite2` minus the same of the photograph itself, in nats."""
    return _log_probability(pair, pair.seen) - _log_probability(pair, pair.seen_true)


METRICS["log_probability_lite2_error"] = Metric(
    log_probability_lite2_error,
    title="Log-probability (Lite2), signed error",
    unit="nats",
    higher_is_better=None,
    about="Log-probability (Lite2) of the prediction minus of the photograph; below 0 colouring has hidden things.",
    blind_to="Colours that do not matter to what a thing is.",
    reference=NOT_VGG,
)


def log_probability_lite2_gain(pair: Pair) -> Tensor:
    """(N,) :func:`log_probability_lite2` minus the same of the photograph left grey, in nats."""
    return _log_probability(pair, pair.seen) - _log_probability(pair, pair.seen_grey)


METRICS["log_probability_lite2_gain"] = Metric(
    log_probability_lite2_gain,
    title="Log-probability (Lite2), gain on grey",
    unit="nats",
    higher_is_better=None,
    about="Log-probability (Lite2) of the prediction minus of the photograph left grey; serves to pool.",
    blind_to="Colours that do not matter to what a thing is.",
    reference=NOT_VGG,
)


def class_agreement_lite2(pair: Pair) -> Tensor:
    """(N,) 1 where Lite2's first guess is the same for picture and photograph, right or wrong, else 0; needs no labels.

    Difference from the paper (Zhang et al. 2016, section 3.1): agreement with the photograph in place of its label.
    """
    if pair.seen is None or pair.seen_true is None:
        return pair.unknown
    return (pair.seen.logits.argmax(1) == pair.seen_true.logits.argmax(1)).to(pair.ab)


METRICS["class_agreement_lite2"] = Metric(
    class_agreement_lite2,
    title="Same class (Lite2)",
    unit="",
    higher_is_better=True,
    about=(
        "1 where the first guess of EfficientNet-Lite2 at picture and photograph is the same, right or wrong, else 0; "
        "needs no labels."
    ),
    blind_to="Colours that do not matter to what a thing is; where Lite2 is unsure, a hair's breadth decides.",
    reference=f"{NOT_VGG}, against its guess at the photograph",
)


# ---- the share of the gap ----------------------------------------------------------------------------------------


def share_recovered(gain: ArrayLike, error: ArrayLike) -> np.ndarray:
    """Return what share of the gap between grey and colour is recovered, in %; NaN where there is no gap.

    Args:
        gain: mean score of the predictions minus that of the photographs left grey, any shape.
        error: mean score of the predictions minus that of the photographs, of the same shape.

    Example:
        >>> round(float(share_recovered(56.0 - 52.7, 56.0 - 68.3)))  # Zhang et al. 2016, table 1: colour, ours, grey
        21
    """
    gap = np.subtract(gain, error)
    return 100 * np.divide(gain, gap, out=np.full_like(gap, np.nan), where=gap > 0)


POOLED["recognised_lite2_share"] = PooledMetric(
    lambda per_image: per_image[["recognised_lite2_gain", "recognised_lite2_error"]],
    share_recovered,
    title="Gap recovered, top-1 (Lite2)",
    unit="%",
    higher_is_better=True,
    about=(
        "Share of the gap between grey and colour that colouring recovers: (recognised − recognised in grey) / "
        "(recognised in colour − recognised in grey), by EfficientNet-Lite2; 21 % in the paper, by VGG-16."
    ),
    blind_to="Colours that do not matter to what a thing is; unsure where the gap is small, as in small photographs.",
    reference=NOT_VGG,
)

POOLED["log_probability_lite2_share"] = PooledMetric(
    lambda per_image: per_image[["log_probability_lite2_gain", "log_probability_lite2_error"]],
    share_recovered,
    title="Gap recovered (Lite2)",
    unit="%",
    higher_is_better=True,
    about=(
        "Share of the gap between grey and colour that colouring recovers, of EfficientNet-Lite2's mean "
        "log-probability of what the photograph shows; below 0 the thing is harder to tell than in grey."
    ),
    blind_to="Colours that do not matter to what a thing is; a few things that it is sure are others weigh most.",
    reference=NOT_VGG,
)
