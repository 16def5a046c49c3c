"""What a prediction is measured by: one number per image each, and a few that only a whole set of images has.

``METRICS`` are measured on a :class:`Pair` of predictions and photographs; ``POOLED`` are computed from the table of
the images' scores; ``SETS`` compare all pictures with all photographs, by :class:`SetDistances`.

Each family of metrics is a file, and each metric's entry stands below its function there. To add one, write both into
its family's file; for a new family, write a file and add it to the lines below. Lists, tables and reports follow.
"""

import torch
from torch import Tensor

from colorlib.metrics import auc, colorfulness, difference, distribution, fidelity, perceptual, recognition, sets, tint
from colorlib.metrics.base import Metric, PooledMetric, SetMetric
from colorlib.metrics.pair import Pair
from colorlib.metrics.sets import SetDistances

__all__ = [
    "METRICS",
    "POOLED",
    "SETS",
    "Metric",
    "Pair",
    "PooledMetric",
    "SetDistances",
    "SetMetric",
    "known_metric",
    "score",
]

METRICS: dict[str, Metric] = {  # in the order of the tables' columns
    **fidelity.METRICS,
    **difference.METRICS,
    **auc.METRICS,
    **colorfulness.METRICS,
    **tint.METRICS,
    **distribution.METRICS,
    **recognition.METRICS,
    **perceptual.METRICS,
}
POOLED: dict[str, PooledMetric] = {**fidelity.POOLED, **auc.POOLED, **colorfulness.POOLED, **recognition.POOLED}
SETS: dict[str, SetMetric] = sets.SETS


def known_metric(name: str) -> Metric | PooledMetric | SetMetric:
    """Return a metric's entry, be it of images, pooled or of sets."""
    return METRICS.get(name) or POOLED.get(name) or SETS[name]


@torch.no_grad()
def score(pair: Pair) -> dict[str, Tensor]:
    """Measure every image of ``pair`` by every metric: {name: (N,) tensor}, in the order of ``METRICS``."""
    return {name: metric.fn(pair) for name, metric in METRICS.items()}
