"""How sure a comparison is: bootstrap intervals over images and seeds, Holm's correction, verdicts and ranks.

Scores are arrays (N,) or (S, N): N images, the same ones in the same order for all that is compared, and S trainings
of one row that differ in their seed. All intervals come from one hierarchical bootstrap: each resample draws the
images once for all rows, which pairs them, and each row's seeds apart. **A row with one seed has its training taken
as given: its intervals then say how sure the images are and do not include the noise of training.** Few seeds say
little of that noise: by simulation, 95 % intervals from three seeds hold the truth some 90 times in 100. Images whose
score is NaN or infinite in any row are left out of all.

References:
    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13 (percentile interval).
    Rao and Wu, "Resampling inference with complex survey data", JASA 83, 1988 (rescaling for few clusters).
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945 (tau-b).
    Grömping, "Estimators of relative importance in linear regression based on variance decomposition", The American
    Statistician 61(2), 2007 (LMG: averaging over the orders of the factors).
"""

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

CHUNK = 4_000_000  # resampled images held in memory at once

Label = TypeVar("Label", bound=Hashable)
Number = TypeVar("Number", float, np.ndarray)


class Interval(NamedTuple):
    """A mean over images and seeds, with the two ends of its interval."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """Mean of the first row minus mean of the second, its interval, and the two-sided p of "no difference".

    ``seeds`` counts the trainings behind each side; with 1 on a side, the interval holds for that training only.
    """

    mean: float
    low: float
    high: float
    p: float
    seeds: tuple[int, int]


class Rank(NamedTuple):
    """A rank, 1 the best, with the two ends of its interval."""

    rank: int
    low: int
    high: int


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


def _groups(scores: Sequence[ArrayLike]) -> list[np.ndarray]:
    groups = [np.atleast_2d(np.asarray(group, dtype=np.float64)) for group in scores]
    if not groups:
        raise ValueError("there are no scores to compare.")
    for group in groups:
        if group.ndim != 2 or len(group) == 0:
            raise ValueError(f"scores must be (N,) or (seeds, N), not {np.shape(group)}.")
        if group.shape[1] != groups[0].shape[1]:
            raise ValueError(
                f"scores of {groups[0].shape[1]} and of {group.shape[1]} images cannot be paired: "
                "compare rows on the same images."
            )
    scored = np.isfinite(np.concatenate(groups)).all(0)
    if not scored.any():
        raise ValueError("no image has a finite score in every row: there is nothing to compare.")
    return [group[:, scored] for group in groups]


def _bootstrap(groups: list[np.ndarray], n_resamples: int, seed: int) -> np.ndarray:
    # (n_resamples, groups): the mean of each group in each resample.
    rng = np.random.default_rng(seed)
    N = groups[0].shape[1]
    # Resampling S seeds shows (S - 1)/S of their variance: their spread is widened first, by what it will lose.
    widened = [
        group.mean(0) + (group - group.mean(0)) * np.sqrt(len(group) / max(len(group) - 1, 1)) for group in groups
    ]
    stacked = np.concatenate(widened)
    ends = np.cumsum([len(group) for group in groups])
    means = np.empty((n_resamples, len(groups)))
    step = max(1, CHUNK // N)
    for start in range(0, n_resamples, step):
        R = min(step, n_resamples - start)
        drawn = rng.integers(N, size=(R, N)) + N * np.arange(R)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=R * N).reshape(R, N)  # how often each image was drawn
        by_seed = counts.astype(np.float64) @ stacked.T / N  # (R, all seeds of all groups)
        for g, end in enumerate(ends):
            S = len(groups[g])
            seeds = rng.multinomial(S, np.full(S, 1 / S), size=R) / S
            means[start : start + R, g] = (seeds * by_seed[:, end - S : end]).sum(1)
    return means


def _ends(resampled: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_intervals(
    scores: Mapping[Label, ArrayLike], n_resamples: int = 10_000, seed: int = 0, level: float = 0.95
) -> dict[Label, Interval]:
    """Give each row's mean with its percentile interval, all from one bootstrap.

    Args:
        scores: {label: (N,) or (S, N)}.
        n_resamples: draws of the bootstrap.
        seed: of the bootstrap's own random numbers.
        level: share of such intervals that should hold the true mean.

    Raises:
        ValueError: no scores, different numbers of images, or no image that all rows have a score for.
    """
    groups = _groups(list(scores.values()))
    resampled = _bootstrap(groups, n_resamples, seed)
    return {
        label: Interval(float(group.mean()), *_ends(resampled[:, g], level))
        for g, (label, group) in enumerate(zip(scores, groups, strict=True))
    }


def mean_interval(scores: ArrayLike, n_resamples: int = 10_000, seed: int = 0, level: float = 0.95) -> Interval:
    """Give the mean of one row, (N,) or (S, N), with its interval; see :func:`mean_intervals`."""
    return mean_intervals({0: scores}, n_resamples, seed, level)[0]


def paired_differences(
    scores: Mapping[Label, ArrayLike], n_resamples: int = 10_000, seed: int = 0, level: float = 0.95
) -> dict[tuple[Label, Label], Difference]:
    """Compare every row with every later one on the same images, all from one bootstrap.

    Args:
        scores, n_resamples, seed, level: as for :func:`mean_intervals`.

    Returns:
        {(first, second): Difference of first − second}, not corrected for their number: see :func:`holm`. p is twice
        the smaller share of resampled differences on either side of 0, at least 2/(n_resamples + 1).

    Difference from Rao and Wu (1988): the spread over seeds is widened by √(S/(S − 1)), images are not.
    """
    groups = _groups(list(scores.values()))
    resampled = _bootstrap(groups, n_resamples, seed)
    differences = {}
    for (i, first), (j, second) in itertools.combinations(enumerate(scores), 2):
        gap = resampled[:, i] - resampled[:, j]
        tail = min((gap <= 0).sum(), (gap >= 0).sum()) + 1
        differences[first, second] = Difference(
            float(groups[i].mean() - groups[j].mean()),
            *_ends(gap, level),
            min(1.0, 2 * float(tail) / (n_resamples + 1)),
            (len(groups[i]), len(groups[j])),
        )
    return differences


def paired_bootstrap(
    a: ArrayLike, b: ArrayLike, n_resamples: int = 10_000, seed: int = 0, level: float = 0.95
) -> Difference:
    """Compare two rows on the same images: the difference of their means, a − b; see :func:`paired_differences`.

    Example:
        >>> difference = paired_bootstrap([3.0, 4.0, 5.0], [2.0, 3.0, 4.0])  # one higher on every image
        >>> f"{difference.mean:.2f} [{difference.low:.2f}, {difference.high:.2f}]"
        '1.00 [1.00, 1.00]'
    """
    return paired_differences({"a": a, "b": b}, n_resamples, seed, level)["a", "b"]


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjust p-values for their number, so that the chance of any false "better" stays below the level (Holm 1979).

    Args:
        p_values: (M,) in [0, 1].

    Returns:
        (M,) adjusted p-values in the same order.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        array([0.03, 0.06, 0.06])
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values)
    stepped = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted


def verdict(difference: Difference, margin: float, higher_is_better: bool | None, alpha: float = 0.05) -> str:
    """Say in words what a difference amounts to, from the first row's side.

    Args:
        difference: its ``p`` may have been corrected: ``difference._replace(p=adjusted)``.
        margin: differences up to this size, in the metric's unit, do not matter.
        higher_is_better: the metric's direction; None if it has none.
        alpha: the level that p must lie below.

    Returns:
        "no difference larger than <margin>" if the whole interval lies within ±margin, else "better" or "worse"
        ("higher" or "lower" for a metric without direction) if p < alpha, else "undecided".
    """
    if -margin < difference.low and difference.high < margin:
        return f"no difference larger than {margin:g}"
    if difference.p >= alpha:
        return "undecided"
    if higher_is_better is None:
        return "higher" if difference.mean > 0 else "lower"
    return "better" if (difference.mean > 0) == higher_is_better else "worse"


def _rank(means: np.ndarray, higher_is_better: bool) -> np.ndarray:
    # (..., groups) -> 1 + the number of groups that are strictly better
    worse = means[..., :, None] < means[..., None, :] if higher_is_better else means[..., :, None] > means[..., None, :]
    return 1 + worse.sum(-1)


def rank_intervals(
    scores: Mapping[Label, ArrayLike],
    higher_is_better: bool,
    n_resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[Label, Rank]:
    """Rank the rows by their mean, 1 the best, each with the interval of its ranks in the resamples.

    Equal rows share the better rank. The interval says how stable a rank is; read
    :func:`paired_differences` for whether two rows differ.

    Args:
        scores, n_resamples, seed, level: as for :func:`mean_intervals`.
        higher_is_better: the metric's direction.
    """
    groups = _groups(list(scores.values()))
    resampled = _rank(_bootstrap(groups, n_resamples, seed), higher_is_better)
    ends = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf")
    ranks = _rank(np.array([group.mean() for group in groups]), higher_is_better)
    return {
        label: Rank(int(rank), int(low), int(high)) for label, rank, low, high in zip(scores, ranks, *ends, strict=True)
    }


def kendall_tau(ranking_a: ArrayLike, ranking_b: ArrayLike) -> float:
    """Measure how far two rankings of the same rows agree: 1 the same order, −1 the reverse (Kendall's tau-b).

    Args:
        ranking_a, ranking_b: (M,) ranks or scores of the same rows in the same order; ties are allowed.

    Returns:
        (concordant − discordant pairs) / √(pairs untied in a · pairs untied in b); NaN if a ranking is all ties.

    Raises:
        ValueError: the lengths differ.

    Example:
        >>> kendall_tau([1, 2, 3, 4], [1, 2, 4, 3])  # one of six pairs is turned round
        0.6666666666666666
    """
    a, b = np.asarray(ranking_a, dtype=np.float64), np.asarray(ranking_b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"two rankings of the same rows must have the same length, not {a.shape} and {b.shape}.")
    i, j = np.triu_indices(len(a), 1)
    order_a, order_b = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    untied = np.count_nonzero(order_a) * np.count_nonzero(order_b)
    return float((order_a * order_b).sum() / np.sqrt(untied)) if untied else float("nan")


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
        n_resamples, seed, level: of the bootstrap over images, the same ones for all runs; it takes the runs as given.
            With values (R,) there are no intervals, and the ends are NaN.

    Returns:
        {name: Share} for each factor with two levels or more, then "interaction", whose levels are the settings, and
        "seed", whose levels are the runs. All NaN where the runs do not differ.

    Raises:
        ValueError: no run, a factor or settings of another length, more than 10 factors, or no image with a finite
            score in every run.

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
    images = _groups(list(scores.reshape(R, -1)))
    table = np.concatenate(images)  # (R, N)
    means = [table.mean(1)[None]]
    if scores.ndim == 2:
        rng, N = np.random.default_rng(seed), table.shape[1]
        for start in range(0, n_resamples, step := max(1, CHUNK // N)):
            drawn = rng.multinomial(N, np.full(N, 1 / N), size=min(step, n_resamples - start))
            means.append(drawn @ table.T / N)
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
        low, high = _ends(parts[1:], level) if len(parts) > 1 and np.isfinite(parts).all() else (math.nan, math.nan)
        ends = (float(value / scale[0]) for value in (first, last))
        return Share(float(parts[0]), low, high, *ends, count, float(noise * rank / scale[0]))

    found = {}
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
    gain, F = 0.0, len(everything)
    for before, value in explained.items():
        if factor not in before:
            orders = math.factorial(len(before)) * math.factorial(F - len(before) - 1)
            gain = gain + orders / math.factorial(F) * (explained[before | {factor}] - value)
    return gain
