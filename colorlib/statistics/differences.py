"""Which rows differ: paired differences with their p-values, Holm's correction, verdicts and ranks.

How sure a difference is, :mod:`colorlib.statistics.intervals` says: photographs are shared by both rows, seeds are each
row's own. **With a row that was trained once there is no p-value and no verdict**: how far the luck of a training moves
it, nobody has measured.

References:
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    Schuirmann, "A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence
    of average bioavailability", Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.
    Al Mohamad, Goeman and van Zwet, "Simultaneous confidence intervals for ranks with application to ranking
    institutions", Biometrics 78, 2022.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from colorlib.statistics.intervals import Label, Spread, half_width, spread, two_sided_p

ONE_TRAINING = "no verdict: one training"
ONE_PHOTOGRAPH = "no verdict: one photograph"


class Difference(NamedTuple):
    """Mean of the first row minus mean of the second, with the two ends of its interval and two p-values.

    ``p`` is the two-sided one of "no difference", ``p_large`` that of "a difference of the margin or more", which two
    one-sided tests decide. Both are NaN where a side was trained once; the interval is then over photographs alone on
    that side. ``seeds`` counts the trainings behind each side, 0 for a colorizer as it is.
    """

    mean: float
    low: float
    high: float
    p: float
    p_large: float
    seeds: tuple[int, int]

    def reversed(self) -> "Difference":
        """Return the second row minus the first."""
        return self._replace(mean=-self.mean, low=-self.high, high=-self.low, seeds=self.seeds[::-1])


class Rank(NamedTuple):
    """A rank, 1 the best, with the two ends of its interval."""

    rank: int
    low: int
    high: int


def paired_differences(
    scores: Mapping[Label, ArrayLike], margin: float = 0.0, level: float = 0.95
) -> dict[tuple[Label, Label], Difference]:
    """Compare every row with every later one on the same photographs.

    Args:
        scores: {label: (N,) or (S, N)}.
        margin: differences up to this size, in the metric's unit, do not matter.
        level: share of such intervals that should hold the true difference.

    Returns:
        {(first, second): Difference of first − second}, not corrected for their number: see :func:`holm`.

    Raises:
        ValueError: no scores, different numbers of photographs, or none that all rows have a score for.
    """
    return differences_of(list(scores), spread(list(scores.values())), margin, level)


def differences_of(
    labels: Sequence[Label], found: Spread, margin: float = 0.0, level: float = 0.95
) -> dict[tuple[Label, Label], Difference]:
    """Compare the rows of a spread, called by their labels; see :func:`paired_differences`."""
    first, second = np.triu_indices(len(labels), 1)
    gaps, variances, freedom = gaps_of(found)
    halves = half_width(variances, freedom, 1 - level)
    p, p_large = two_sided_p(gaps, variances, freedom), np.ones(len(gaps))
    inside = margin - np.abs(gaps)  # to the nearer end of the margin
    near = inside > 0
    p_large[near] = two_sided_p(inside[near], variances[near], freedom[near]) / 2
    once = (found.trainings[first] == 1) | (found.trainings[second] == 1)
    p[once] = p_large[once] = np.nan
    numbers = np.stack([gaps, gaps - halves, gaps + halves, p, p_large], -1).tolist()
    return {
        (labels[i], labels[j]): Difference(
            mean, low, high, same, large, (int(found.trainings[i]), int(found.trainings[j]))
        )
        for i, j, (mean, low, high, same, large) in zip(first.tolist(), second.tolist(), numbers, strict=True)
    }


def gaps_of(found: Spread) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of each pair of K rows, K (K − 1) / 2 of them: its difference, (pairs, 3) variances and their freedom.

    The three parts are what photographs give, the first row's seeds and the second's.
    """
    i, j = np.triu_indices(len(found.trainings), 1)
    own = np.diag(found.photographs)
    photographs = np.maximum(own[i] + own[j] - 2 * found.photographs[i, j], 0)
    variances = np.stack([photographs, found.seeds[i], found.seeds[j]], -1)
    freedom = np.stack([np.full(len(i), found.N - 1.0), found.freedom[i], found.freedom[j]], -1)
    return found.means[i] - found.means[j], variances, freedom


def paired_difference(a: ArrayLike, b: ArrayLike, margin: float = 0.0, level: float = 0.95) -> Difference:
    """Compare two rows on the same photographs: the difference of their means, a − b; see :func:`paired_differences`.

    Example:
        >>> difference = paired_difference([3.0, 4.0, 5.0], [2.0, 3.0, 4.0])  # one higher on every photograph
        >>> f"{difference.mean:.2f} [{difference.low:.2f}, {difference.high:.2f}]"
        '1.00 [1.00, 1.00]'
    """
    return paired_differences({"a": a, "b": b}, margin, level)["a", "b"]


def both_ways(found: Mapping[tuple[Label, Label], Difference]) -> dict[tuple[Label, Label], Difference]:
    """Return every pair in either order."""
    return {**found, **{pair[::-1]: difference.reversed() for pair, difference in found.items()}}


def holm(p_values: ArrayLike, weights: ArrayLike = 1.0) -> np.ndarray:
    """Adjust p-values for their number, so that the chance of any false rejection stays below the level (Holm 1979).

    Args:
        p_values: (M,) in [0, 1]; NaN where there was no test, which stays NaN and is not counted.
        weights: (M,) above 0, what part of the level each has; all the same by default.

    Returns:
        (M,) adjusted p-values in the same order.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        array([0.03, 0.06, 0.06])
        >>> holm([0.01, 0.04, 0.03], weights=[1, 1, 2])
        array([0.04 , 0.045, 0.045])
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    weights = np.broadcast_to(np.asarray(weights, dtype=np.float64), p_values.shape)
    order = np.argsort(p_values / weights)[: np.isfinite(p_values).sum()]  # NaN comes last
    left = np.cumsum(weights[order][::-1])[::-1]  # of the weights, from each on
    adjusted = np.full_like(p_values, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * left / weights[order]), 1)
    return adjusted


def correct(differences: Mapping[Label, Difference], *questions: Collection[Label]) -> dict[Label, Difference]:
    """Correct the p-values of many differences by Holm, those of each question among themselves.

    Args:
        differences: which are compared with one another.
        questions: those that were to be asked from the beginning, the first first; each has half of what the one before
            it leaves of the level, and all other differences have the rest. What two ask belongs to the first.

    Example:
        >>> found = {k: Difference(1.0, 0.0, 2.0, p, 1.0, (3, 3)) for k, p in {"a": 0.01, "b": 0.9, "c": 0.9}.items()}
        >>> round(correct(found)["a"].p, 6), round(correct(found, ["a"])["a"].p, 6)
        (0.03, 0.02)
    """
    last = len(questions)
    asked = [next((i for i, question in enumerate(questions) if label in question), last) for label in differences]

    def corrected(name: str) -> np.ndarray:
        p = np.array([getattr(found, name) for found in differences.values()])
        counts = Counter(which for which, value in zip(asked, p, strict=True) if np.isfinite(value))
        found = sorted(counts)  # a question that nothing asks leaves its part to the others
        parts = {which: 0.5 ** min(place + 1, len(found) - 1) for place, which in enumerate(found)}
        return holm(p, [parts.get(which, 1.0) / max(counts[which], 1) for which in asked])

    p, p_large = corrected("p"), corrected("p_large")
    return {
        pair: found._replace(p=float(same), p_large=float(large))
        for (pair, found), same, large in zip(differences.items(), p, p_large, strict=True)
    }


def verdict(difference: Difference, margin: float, higher_is_better: bool | None, alpha: float = 0.05) -> str:
    """Say in words what a difference amounts to, from the first row's side.

    Args:
        difference: its p-values may have been corrected; see :func:`correct`.
        margin: that it was measured with, in the metric's unit.
        higher_is_better: the metric's direction; None if it has none.
        alpha: the level that p must lie below.

    Returns:
        "no verdict: one training" where a side was trained once; "no verdict: one photograph" where both were measured
        on no other; "no difference larger than <margin>" if p_large < alpha; else "better" or "worse" ("higher" or
        "lower" for a metric without direction) if p < alpha; else "undecided".
    """
    if 1 in difference.seeds:
        return ONE_TRAINING
    if np.isnan(difference.p):
        return ONE_PHOTOGRAPH
    if difference.p_large < alpha:
        return f"no difference larger than {margin:g}"
    if not difference.p < alpha:
        return "undecided"
    if higher_is_better is None:
        return "higher" if difference.mean > 0 else "lower"
    return "better" if (difference.mean > 0) == higher_is_better else "worse"


def rank_intervals(
    differences: Mapping[tuple[Label, Label], Difference], higher_is_better: bool, alpha: float = 0.05
) -> dict[Label, Rank]:
    """Rank rows by their means, 1 the best, each with the interval of ranks that the decided differences leave it.

    Equal rows share the better rank. A row ranks behind all that are better by p < alpha and before all that are worse;
    with corrected p-values, all intervals hold together at that level.

    Args:
        differences: every pair, in either order or both; see :func:`correct`.
        higher_is_better: the metric's direction.
        alpha: the level that p must lie below.

    Example:
        >>> found = paired_differences({"a": [1.0, 2.0, 3.0], "b": [2.0, 3.0, 4.0], "c": [1.0, 3.0, 2.0]})
        >>> rank_intervals(found, higher_is_better=False)
        {'a': Rank(rank=1, low=1, high=2), 'b': Rank(rank=3, low=2, high=3), 'c': Rank(rank=1, low=1, high=3)}
    """
    better: dict[Label, set[Label]] = {}
    surely: dict[Label, set[Label]] = {}
    for pair, difference in differences.items():
        ahead, behind = pair if (difference.mean > 0) == higher_is_better else pair[::-1]
        for found in (better, surely):
            found.setdefault(ahead, set()), found.setdefault(behind, set())
        if difference.mean:
            better[behind].add(ahead)
        if difference.p < alpha:
            surely[behind].add(ahead)
    worse = {label: sum(label in ahead for ahead in surely.values()) for label in surely}
    return {label: Rank(1 + len(better[label]), 1 + len(surely[label]), len(surely) - worse[label]) for label in surely}
