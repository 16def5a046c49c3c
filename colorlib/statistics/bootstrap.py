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
    Grömping, "Estimators of relative importance in linear regression based on variance decomposition", The American
    Statistician 61(2), 2007 (LMG: averaging over the orders of the factors).
"""

import itertools
from collections.abc import Callable, Hashable, Mapping, Sequence
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


def grouped(scores: Sequence[ArrayLike]) -> list[np.ndarray]:
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
        by_seed = _draw_images(rng, R, N) @ stacked.T / N  # (R, all seeds of all groups)
        for g, end in enumerate(ends):
            S = len(groups[g])
            seeds = rng.multinomial(S, np.full(S, 1 / S), size=R) / S
            means[start : start + R, g] = (seeds * by_seed[:, end - S : end]).sum(1)
    return means


def _draw_images(rng: np.random.Generator, R: int, N: int) -> np.ndarray:
    # (R, N): how often each of N images is drawn in each of R resamples.
    drawn = rng.integers(N, size=(R, N)) + N * np.arange(R)[:, None]
    return np.bincount(drawn.ravel(), minlength=R * N).reshape(R, N).astype(np.float64)


def interval_ends(resampled: np.ndarray, level: float) -> tuple[float, float]:
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
    groups = grouped(list(scores.values()))
    resampled = _bootstrap(groups, n_resamples, seed)
    return {
        label: Interval(float(group.mean()), *interval_ends(resampled[:, g], level))
        for g, (label, group) in enumerate(zip(scores, groups, strict=True))
    }


def mean_interval(scores: ArrayLike, n_resamples: int = 10_000, seed: int = 0, level: float = 0.95) -> Interval:
    """Give the mean of one row, (N,) or (S, N), with its interval; see :func:`mean_intervals`."""
    return mean_intervals({0: scores}, n_resamples, seed, level)[0]


def pooled_intervals(
    terms: Mapping[Label, ArrayLike],
    of: Callable[..., ArrayLike],
    n_resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[Label, Interval]:
    """Give each row's number that follows from the means of several terms, with its interval, all from one bootstrap.

    Args:
        terms: {label: (K, S, N)}, K terms of N images in S trainings. Images that lack one in any row are left out.
        of: K means, each an array of one shape -> the number, of that shape. That of a row is the mean over its seeds.
        n_resamples, seed, level: as for :func:`mean_intervals`.

    Returns:
        NaN where no image has every term; ends of NaN where the number does not exist in some resample.

    Example:
        >>> pooled_intervals({"mine": [[[1.0, 2.0, 3.0]], [[2.0, 4.0, 6.0]]]}, lambda part, whole: part / whole)
        {'mine': Interval(mean=0.5, low=0.5, high=0.5)}
    """
    arrays = {label: np.asarray(row, dtype=np.float64) for label, row in terms.items()}
    whole = np.all([np.isfinite(row).all((0, 1)) for row in arrays.values()], axis=0)
    if not whole.any():
        return dict.fromkeys(terms, Interval(np.nan, np.nan, np.nan))
    stacked = np.concatenate([row[:, :, whole].reshape(-1, whole.sum()) for row in arrays.values()])
    rng, N = np.random.default_rng(seed), stacked.shape[1]
    step = max(1, CHUNK // N)
    chunks = [min(step, n_resamples - start) for start in range(0, n_resamples, step)]
    means = np.concatenate([_draw_images(rng, R, N) @ stacked.T / N for R in chunks])  # (n_resamples, all K·S)
    intervals, end = {}, 0
    for label, (K, S, _) in ((label, row.shape) for label, row in arrays.items()):
        start, end = end, end + K * S
        own = np.asarray(of(*stacked[start:end].mean(1).reshape(K, S)))
        drawn = np.asarray(of(*means[:, start:end].reshape(-1, K, S).transpose(1, 0, 2)))  # (n_resamples, S)
        middle = drawn.mean(1, keepdims=True)
        widened = middle + (drawn - middle) * np.sqrt(S / max(S - 1, 1))  # as in _bootstrap
        seeds = rng.multinomial(S, np.full(S, 1 / S), size=n_resamples) / S
        intervals[label] = Interval(float(own.mean()), *interval_ends((seeds * widened).sum(1), level))
    return intervals


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
    groups = grouped(list(scores.values()))
    resampled = _bootstrap(groups, n_resamples, seed)
    differences = {}
    for (i, first), (j, second) in itertools.combinations(enumerate(scores), 2):
        gap = resampled[:, i] - resampled[:, j]
        tail = min((gap <= 0).sum(), (gap >= 0).sum()) + 1
        differences[first, second] = Difference(
            float(groups[i].mean() - groups[j].mean()),
            *interval_ends(gap, level),
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
    groups = grouped(list(scores.values()))
    resampled = _rank(_bootstrap(groups, n_resamples, seed), higher_is_better)
    ends = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf")
    ranks = _rank(np.array([group.mean() for group in groups]), higher_is_better)
    return {
        label: Rank(int(rank), int(low), int(high)) for label, rank, low, high in zip(scores, ranks, *ends, strict=True)
    }
