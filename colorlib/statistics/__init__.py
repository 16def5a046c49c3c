"""How sure one can be: intervals, paired differences and ranks, and what the variance goes with."""

from colorlib.statistics.differences import (
    Difference,
    Rank,
    correct,
    holm,
    paired_difference,
    paired_differences,
    rank_intervals,
    verdict,
)
from colorlib.statistics.intervals import Interval, mean_interval, mean_intervals, pseudo_values
from colorlib.statistics.variance import Share, attribute_variance

__all__ = [
    "Difference",
    "Interval",
    "Rank",
    "Share",
    "attribute_variance",
    "correct",
    "holm",
    "mean_interval",
    "mean_intervals",
    "paired_difference",
    "paired_differences",
    "pseudo_values",
    "rank_intervals",
    "verdict",
]
