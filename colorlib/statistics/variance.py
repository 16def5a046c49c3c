"""What the variance between runs goes with: shares of factors, averaged over their orders.

References:
    Grömping, "Estimators of relative importance in linear regression based on variance decomposition", The American
    Statistician 61(2), 2007 (LMG: averaging over the orders of the factors).
    Rao and Wu, "Resampling inference with complex survey data", JASA 83, 1988 (rescaling for few clusters).
"""

import functools
import itertools
import math
import operator
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from colorlib.statistics.intervals import Label, grouped

CHUNK = 4_000_000  # resampled images held in memory at once

Number = TypeVar("Number", float, np.ndarray)


class Share(NamedTuple):
    """What part of the variance between runs goes with one factor, with the two ends of its interval.

    ``first`` and ``last`` are the parts it gets when it enters before and after all other factors: alike in a balanced
    grid, and far apart where the grid cannot tell this factor from another. ``levels`` counts what it was varied over.
    ``by_chance`` is what it would get on average if it did nothing and only seeds differed; NaN where no setting was
    trained twice.
    """

    share: float
    low: float
    high: float
    first: float
    last: float
    levels: int
    by_chance: float


def attribute_variance(
    values: ArrayLike,
    factors: Mapping[Label, Sequence[Hashable]],
    settings: Sequence[Hashable] | None = None,
    n_resamples: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[Label | str, Share]:
    """Divide the variance between runs among the factors they differ in; the grid need not be balanced.

    A linear model with the main effects of all factors is fitted by least squares. What a factor adds to the sum of
    squares depends on which factors entered before it, so its share is the mean over all orders (LMG). The variance
    within equal settings is the seed's, and what is left between settings is interaction. All shares add up to 1. They
    describe this grid: a factor varied over more extreme levels gets more.

    Args:
        values: (R,) one score for each run, or (R, N) its scores on N images, whose mean counts.
        factors: {name: R levels}; those with one level are left out.
        settings: R labels, equal for runs that differ in nothing but their seed; by default runs are equal when all
            their factors are.
        n_resamples, seed, level: of the bootstrap, which draws the images anew, the same ones for all runs, and the
            runs of each setting; a run alone in its setting strays as those of other settings do. Ends are NaN where
            there is nothing to draw: values (R,) and no setting trained twice.

    Returns:
        {name: Share} for each factor with two levels or more, then "interaction", whose levels are the settings, and
        "seed", whose levels are the runs. All NaN where the runs do not differ.

    Raises:
        ValueError: no run, a factor or settings of another length, more than 10 factors, or no image with a finite
            score in every run.

    The ends are the percentiles of the resampled shares, moved by as much as their mean lies off the share: what is
    drawn again from runs that differ by chance differs by chance twice.

    Difference from Grömping (2007): an order's steps are groups of dummy columns, one group for each factor, as usual
    for categorical factors.

    Example:
        >>> found = attribute_variance([1, 3, 2, 4], {"net": ["a", "a", "b", "b"], "loss": ["x", "y", "x", "y"]})
        >>> {name: round(share.share, 2) for name, share in found.items()}
        {'net': 0.2, 'loss': 0.8, 'interaction': 0.0, 'seed': 0.0}
    """
    scores = np.asarray(values, dtype=np.float64)
    R = len(scores)
    levels = {name: _codes(codes) for name, codes in factors.items()}
    levels = {name: codes for name, codes in levels.items() if codes.max(initial=0) > 0}
    cells = _codes(list(zip(*factors.values(), *([] if settings is None else [settings]), strict=True)))
    if scores.ndim not in (1, 2) or not R or len(levels) > 10 or any(len(c) != R for c in (*levels.values(), cells)):
        raise ValueError("values must be (runs,) or (runs, N), with one level of each of at most 10 factors per run.")
    table = np.concatenate(grouped(list(scores.reshape(R, -1))))  # (R, N)
    means, rng, N = [table.mean(1)[None]], np.random.default_rng(seed), table.shape[1]
    if N > 1 or cells.max(initial=0) + 1 < R:
        for start in range(0, n_resamples, step := max(1, CHUNK // N)):
            drawn = rng.multinomial(N, np.full(N, 1 / N), size=min(step, n_resamples - start))
            means.append(_draw_runs(rng, drawn @ table.T / N, cells))
    points = np.concatenate(means)  # the first is the runs as they are, the others are resampled
    centred = points - points.mean(1, keepdims=True)
    total = (centred**2).sum(1)
    names = list(levels)
    explained, ranks = {}, {}
    for size in range(len(names) + 1):
        for chosen in itertools.combinations(range(len(names)), size):
            basis = _basis([levels[names[f]] for f in chosen], R)
            explained[frozenset(chosen)] = ((centred @ basis) ** 2).sum(1)
            ranks[frozenset(chosen)] = float(basis.shape[1] - 1)
    between = ((centred @ _basis([cells], R)) ** 2).sum(1)
    freedom = R - 1 - cells.max(initial=0)  # of the seeds
    noise = (total - between)[0] / freedom if freedom else math.nan
    everything = frozenset(range(len(names)))

    def share(squares: np.ndarray, first: float, last: float, count: int, rank: float) -> Share:
        # Nothing is left of a difference that is rounding, such as that of runs that are all alike.
        scale = np.where(total > 1e-20 * np.maximum((points**2).sum(1), 1e-300), total, math.nan)
        parts = squares / scale
        low, high = math.nan, math.nan
        if len(parts) > 1 and np.isfinite(parts).all():
            ends = np.quantile(parts[1:], [(1 - level) / 2, (1 + level) / 2]) - (parts[1:].mean() - parts[0])
            low, high = np.clip(ends, 0, 1).tolist()
        earliest, latest, chance = (float(value / scale[0]) for value in (first, last, noise * rank))
        return Share(float(parts[0]), low, high, earliest, latest, count, chance)

    found: dict[Label | str, Share] = {}
    for f, name in enumerate(names):
        squares, rank = (_average_gain(f, everything, table) for table in (explained, ranks))
        first = explained[frozenset([f])][0] - explained[frozenset()][0]
        last = (explained[everything] - explained[everything - {f}])[0]
        found[name] = share(squares, first, last, int(levels[name].max()) + 1, rank)
    left = np.maximum(between - explained[everything], 0)
    found["interaction"] = share(left, left[0], left[0], int(cells.max()) + 1, cells.max() - ranks[everything])
    within = np.maximum(total - between, 0)
    found["seed"] = share(within, within[0], within[0], R, freedom)
    return found


def _draw_runs(rng: np.random.Generator, points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    # (B, R) runs' means -> the same with the runs of each cell drawn anew. Drawing S runs shows (S - 1)/S of their
    # variance: their spread is widened first, by what it will lose.
    strays, middles, alone = np.zeros_like(points), np.empty_like(points), []
    for cell in range(cells.max() + 1):
        runs = np.flatnonzero(cells == cell)
        middles[:, runs] = points[:, runs].mean(1, keepdims=True)
        if len(runs) > 1:
            strays[:, runs] = (points[:, runs] - middles[:, runs]) * math.sqrt(len(runs) / (len(runs) - 1))
        else:
            alone.append(runs[0])
    drawn = np.empty(points.shape, dtype=int)
    others = np.setdiff1d(np.arange(len(cells)), alone)
    for run, cell in enumerate(cells):
        runs = np.flatnonzero(cells == cell)
        pool = runs if len(runs) > 1 else others if len(others) else runs
        drawn[:, run] = rng.choice(pool, size=len(points))
    return middles + np.take_along_axis(strays, drawn, 1)


def _codes(levels: Sequence[Hashable]) -> np.ndarray:
    numbers = {level: number for number, level in enumerate(dict.fromkeys(levels))}
    return np.array([numbers[level] for level in levels], dtype=int)


def _basis(factors: Sequence[np.ndarray], R: int) -> np.ndarray:
    # (R, rank): orthonormal columns that span a constant and the dummies of all factors, however they overlap
    columns = [np.ones((R, 1)), *(np.eye(codes.max() + 1)[codes] for codes in factors)]
    vectors, sizes, _ = np.linalg.svd(np.concatenate(columns, 1), full_matrices=False)
    return vectors[:, sizes > 1e-9 * sizes[0]]


def _average_gain(factor: int, everything: frozenset, explained: Mapping[frozenset, Number]) -> Number:
    # The mean over all orders of what a factor adds to those before it
    F, gains = len(everything), []
    for before, value in explained.items():
        if factor not in before:
            orders = math.factorial(len(before)) * math.factorial(F - len(before) - 1)
            gains.append(orders / math.factorial(F) * (explained[before | {factor}] - value))
    return functools.reduce(operator.add, gains)
