"""How sure one can be: intervals, paired differences and ranks by the bootstrap, and what the variance goes with."""

from colorlib.statistics.bootstrap import (
    Difference,
    Interval,
    Rank,
    holm,
    mean_interval,
    mean_intervals,
    paired_bootstrap,
    paired_differences,
    pooled_intervals,
    rank_intervals,
    verdict,
)
from colorlib.statistics.variance import Share, attribute_variance

__all__ = [
    "Difference",
    "Interval",
    "Rank",
    "Share",
    "attribute_variance",
    "holm",
    "mean_interval",
    "mean_intervals",
    "paired_bootstrap",
    "paired_differences",
    "pooled_intervals",
    "rank_intervals",
    "verdict",
]
