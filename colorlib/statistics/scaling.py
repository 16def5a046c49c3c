"""How scores change with the budget of a training: agreement of orders, crossings of curves, and a power law.

Budgets are numbers above zero, of photographs or of multiply-accumulates; scores are errors, lower is better.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar, nnls
from scipy.stats import kendalltau, t

from colorlib.statistics.intervals import Interval

EXPONENTS = (0.01, 3.0)  # of a power law: from nearly a logarithm to nearly a step


class Crossing(NamedTuple):
    """Where two curves cross: ``ahead`` is better up to a budget, ``then`` beyond it."""

    ahead: str
    then: str
    budget: float


@dataclass(frozen=True)
class PowerLaw:
    """An error that falls with the budget n as floor + scale · n^−exponent."""

    floor: float
    scale: float
    exponent: float

    def __call__(self, budget: float) -> float:
        return self.floor + self.scale * budget**-self.exponent


def fit_power_law(budgets: Sequence[float], scores: ArrayLike) -> PowerLaw:
    """Fit floor + scale · n^−exponent by least squares, with floor and scale not below zero.

    For each exponent the best floor and scale are those of a linear regression; the exponent is searched for between
    0.01 and 3. Scores that do not fall at all give a scale of zero: the law is their mean.

    Args:
        budgets: above zero, of at least three different sizes.
        scores: one for each.

    Raises:
        ValueError: fewer than three budgets, one that is not above zero, or not a score for each.

    Example:
        >>> law = fit_power_law([1_000, 4_000, 16_000], [12.0, 11.0, 10.5])
        >>> round(law.floor, 3), round(law.exponent, 3), round(law(64_000), 3)
        (10.0, 0.5, 10.25)
    """
    n, y = np.asarray(budgets, float), np.asarray(scores, float)
    if n.shape != y.shape or len(set(n.tolist())) < 3 or n.min() <= 0:
        raise ValueError("a power law needs a score for each of at least three budgets above zero.")
    x = n / n.min()

    def solved(exponent: float) -> tuple[np.ndarray, float]:
        return nnls(np.stack([np.ones_like(x), x**-exponent], 1), y)

    grid = np.geomspace(*EXPONENTS, 61)
    place = int(np.argmin([solved(exponent)[1] for exponent in grid]))
    bounds = (grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)])
    exponent = float(
        minimize_scalar(lambda e: solved(e)[1], bounds=bounds, method="bounded", options={"xatol": 1e-9}).x
    )
    floor, scale = solved(exponent)[0]
    return PowerLaw(float(floor), float(scale * n.min() ** exponent), exponent)


def forecast(budgets: Sequence[float], scores: ArrayLike, budget: float) -> Interval:
    """Forecast the mean score at a larger budget from a power law fitted to smaller ones, with its interval over seeds.

    Args:
        budgets: (B,) of the curve.
        scores: (S, B), a curve for each seed.
        budget: to forecast.
    """
    return jackknife(lambda curve: fit_power_law(budgets, curve)(budget), scores)


def jackknife(statistic: Callable[[np.ndarray], float], scores: ArrayLike, level: float = 0.95) -> Interval:
    """Give a statistic of the mean over seeds, with its interval by leaving out each seed in turn.

    Args:
        statistic: of an array (B,), the mean over seeds.
        scores: (S, B), a row for each seed. One seed alone says nothing of the others: the ends are then NaN.
        level: share of such intervals that should hold the true value.

    Reference:
        Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 11; the ends by Student's t.

    Example:
        >>> mean, low, high = jackknife(lambda mean: mean[0], [[1.0], [2.0], [3.0]])
        >>> mean, round(low, 3), round(high, 3)
        (2.0, -0.484, 4.484)
    """
    table = np.asarray(scores, float)
    S = len(table)
    value = float(statistic(table.mean(0)))
    if S < 2:
        return Interval(value, math.nan, math.nan)
    without = np.array([statistic(np.delete(table, seed, 0).mean(0)) for seed in range(S)])
    half = float(t.ppf((1 + level) / 2, S - 1) * np.sqrt((S - 1) / S * ((without - without.mean()) ** 2).sum()))
    return Interval(value, value - half, value + half)


def order_agreement(scores: ArrayLike) -> np.ndarray:
    """Return Kendall's τ between the orders of the rows at each two budgets.

    Args:
        scores: (R, B), R rows at B budgets.

    Returns:
        (B, B): 1 for the same order, −1 for the reverse.

    Example:
        >>> order_agreement([[1, 3], [2, 2], [3, 1]]).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    table = np.asarray(scores, float)
    return np.array([[kendalltau(one, other).statistic for other in table.T] for one in table.T])


def crossings(budgets: Sequence[float], curves: Mapping[str, Sequence[float]]) -> list[Crossing]:
    """Find where curves cross, between two budgets linearly in their logarithm; in order of the budget.

    Args:
        budgets: (B,) rising.
        curves: name → (B,) scores.

    Example:
        >>> crossings([1_000, 4_000], {"small": [10.0, 9.5], "large": [11.0, 8.5]})
        [Crossing(ahead='small', then='large', budget=2000.0)]
    """
    found = []
    for one, other in itertools.combinations(curves, 2):
        gaps = np.subtract(curves[one], curves[other])
        for (n, gap), (after, gap_after) in itertools.pairwise(zip(budgets, gaps, strict=True)):
            if gap * gap_after < 0:
                ahead, then = (one, other) if gap < 0 else (other, one)
                found.append(Crossing(ahead, then, float(n * (after / n) ** (gap / (gap - gap_after)))))
    return sorted(found, key=lambda crossing: crossing.budget)
