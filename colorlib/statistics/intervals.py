"""How sure a mean is: intervals over photographs and seeds, by a t for each of the two sources.

Scores are arrays (N,) or (S, N): N photographs, the same ones in the same order for all that is compared, and S
trainings of one row that differ in their seed. An array (N,) is a colorizer as it is, which no luck of a training has
part in. Photographs are drawn once for all rows, which pairs them; seeds are drawn within each row. A mean's variance
is then a sum of what photographs and what seeds give it, and the half-width of its interval is

    √(t²(photographs) · variance over photographs + Σ t²(seeds of a row) · variance over that row's seeds),

each t with the degrees of freedom of its own source. One t for the sum, with the degrees of freedom of Satterthwaite
(1946), is shorter than it should be whenever three seeds happen to lie close together. **A row (1, N) has its one
training taken as given: its interval is over photographs alone.** Photographs whose score is NaN or infinite in any row
are left out of all. ``tests/coverage.py`` measures how often all this holds the truth.

References:
    Zou and Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in
    Medicine 27, 2008 (the half-width of a sum, from those of its parts).
    Smyth, "Linear models and empirical Bayes methods for assessing differential expression", Statistical Applications
    in Genetics and Molecular Biology 3(1), 2004, section 6 (pooling of variances).
    Tukey, "Bias and confidence in not-quite large samples", Annals of Mathematical Statistics 29, 1958 (pseudo-values).
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

SMALLEST_P = 1e-100
FEWEST_ROWS = 3  # of which the variances over seeds are pooled

Label = TypeVar("Label", bound=Hashable)


class Interval(NamedTuple):
    """A mean over photographs and seeds, with the two ends of its interval."""

    mean: float
    low: float
    high: float


class Spread(NamedTuple):
    """K rows' means, and what makes them uncertain.

    Attributes:
        by_seed: for each row its mean in each training, (S,).
        trainings: (K,) how many these are; 0 for a colorizer as it is.
        photographs: (K, K) the part of the means' covariance that comes with the draw of N photographs.
        seeds: (K,) the part of their variance that comes with the draw of seeds; 0 where there is none or one training.
        freedom: (K,) the degrees of freedom with which ``seeds`` is known.
        N: photographs.
    """

    by_seed: list[np.ndarray]
    trainings: np.ndarray
    photographs: np.ndarray
    seeds: np.ndarray
    freedom: np.ndarray
    N: int

    @property
    def means(self) -> np.ndarray:
        """The rows' means, (K,)."""
        return np.array([values.mean() for values in self.by_seed])


def grouped(scores: Sequence[ArrayLike]) -> list[np.ndarray]:
    """Return scores as (S, N) each, of the photographs that all rows have a score for.

    Raises:
        ValueError: no scores, another shape, different numbers of photographs, or none that all rows have a score for.
    """
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


def spread(scores: Sequence[ArrayLike]) -> Spread:
    """Measure what makes the rows' means uncertain.

    What a training adds to single photographs, beyond moving them all, is in both spreads, over photographs and over
    seeds; it is counted with the seeds.

    Raises:
        What :func:`grouped` raises.
    """
    groups = grouped(scores)
    N = groups[0].shape[1]
    rows = np.stack([group.mean(0) for group in groups])
    by_seed = [group.mean(1) for group in groups]
    covariance = np.atleast_2d(np.cov(rows)) / N if N > 1 else np.full((len(groups), len(groups)), np.nan)
    for k, group in enumerate(groups):
        if (S := len(group)) > 1 and N > 1:
            own = group - by_seed[k][:, None] - rows[k] + by_seed[k].mean()  # its effect on single photographs
            covariance[k, k] -= (own**2).sum() / (S - 1) / (N - 1) / (S * N)
    trainings = np.array(
        [0 if np.ndim(given) == 1 else len(group) for given, group in zip(scores, groups, strict=True)]
    )
    return Spread(by_seed, trainings, covariance, *seed_variances(by_seed), N)


def seed_variances(by_seed: Sequence[ArrayLike]) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the variance that the draw of seeds gives each row's mean, and with how many degrees of freedom.

    Three seeds tell a variance badly, so rows lend one another what they know: the variances are taken to come from a
    scaled inverse χ² distribution, which is fitted to all rows by the moments of their logarithms, and a row's
    is its own or the mean of its posterior, whichever is larger. Where rows scatter much, the distribution is wide and
    they lend little. Fewer than three rows are not pooled.

    Args:
        by_seed: for each row its mean in each training, (S,).

    Returns:
        (K,) variances of the means over S trainings, and (K,) degrees of freedom. A row of one training, or whose
        trainings score alike, has 0 and infinity.

    Difference from Smyth (2004): a variance above the pooled one is not made smaller.

    Example:
        >>> variances, freedom = seed_variances([[11.0, 11.2], [12.0, 12.5]])
        >>> [f"{variance:.5f}" for variance in variances], freedom.tolist()
        (['0.01000', '0.06250'], [1.0, 1.0])
    """
    rows = [np.asarray(values, dtype=np.float64) for values in by_seed]
    S = np.array([len(values) for values in rows])
    own = np.array([values.var(ddof=1) if len(values) > 1 else 0.0 for values in rows])
    varied = own > 0
    d, found, freedom = S[varied] - 1.0, own[varied], np.full(len(rows), np.inf)
    if len(found) >= FEWEST_ROWS:
        prior, prior_freedom = _fit_prior(found, d)
        if np.isinf(prior_freedom):
            pooled = np.full_like(found, prior)
        else:
            pooled = (prior_freedom * prior + d * found) / (prior_freedom + d)
        own[varied], d = np.maximum(found, pooled), d + prior_freedom
    freedom[varied] = d
    return own / S, freedom


def _fit_prior(variances: np.ndarray, freedom: np.ndarray) -> tuple[float, float]:
    """Return the scale and the degrees of freedom, perhaps infinite, of the distribution that variances come from."""
    from scipy.optimize import brentq  # here, since whoever only colours has no scipy
    from scipy.special import digamma, polygamma

    logs = np.log(variances) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean())
    ends = np.log([1e-3, 1e6])
    if excess <= polygamma(1, np.exp(ends[1]) / 2):
        return float(np.exp(logs.mean())), np.inf
    if excess >= polygamma(1, np.exp(ends[0]) / 2):  # nothing in common
        return 0.0, 0.0
    prior = float(np.exp(brentq(lambda log: polygamma(1, np.exp(log) / 2) - excess, *ends)))
    return float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2))), prior


def half_width(variances: ArrayLike, freedom: ArrayLike, alpha: ArrayLike = 0.05) -> np.ndarray:
    """Return how far an interval of level 1 − alpha reaches, for a number that is uncertain for several reasons.

    Args:
        variances: (..., parts) that each reason gives it; below zero counts as zero.
        freedom: (..., parts) degrees of freedom with which they are known; infinity where exactly.
        alpha: (...) in (0, 1].

    Example:
        >>> float(half_width([1.0], [np.inf]).round(2)), float(half_width([1.0, 1.0], [np.inf, 2]).round(2))
        (1.96, 4.73)
    """
    from scipy.special import ndtri, stdtrit

    tail = np.asarray(alpha, dtype=np.float64)[..., None] / 2
    freedom = np.asarray(freedom, dtype=np.float64)
    t = np.where(np.isfinite(freedom), stdtrit(np.where(np.isfinite(freedom), freedom, 1), tail), ndtri(tail))
    return np.sqrt((np.maximum(variances, 0) * t**2).sum(-1))


def two_sided_p(distance: ArrayLike, variances: ArrayLike, freedom: ArrayLike) -> np.ndarray:
    """Return the alpha at which the interval of :func:`half_width` just reaches so far, at least 1e-100.

    NaN where a variance is: of one photograph nobody knows how far another would lie from it.

    Args:
        distance: (...) from the number that is tested, of either sign.
        variances, freedom: as for :func:`half_width`.

    Example:
        >>> two_sided_p([1.96, 0.0], [[1.0]], [[np.inf]]).round(3)
        array([0.05, 1.  ])
    """
    distance = np.abs(np.asarray(distance, dtype=np.float64))
    low, high = np.full(distance.shape, np.log(SMALLEST_P)), np.zeros(distance.shape)
    for _ in range(45):
        middle = (low + high) / 2
        reaches = half_width(variances, freedom, np.exp(middle)) >= distance
        low, high = np.where(reaches, middle, low), np.where(reaches, high, middle)
    return np.where(np.isfinite(distance) & ~np.isnan(variances).any(-1), np.exp(high), np.nan)


def mean_intervals(scores: Mapping[Label, ArrayLike], level: float = 0.95) -> dict[Label, Interval]:
    """Give each row's mean with its interval.

    Args:
        scores: {label: (N,) or (S, N)}.
        level: share of such intervals that should hold the true mean.

    Returns:
        With one photograph the ends are NaN.

    Raises:
        What :func:`grouped` raises.
    """
    return dict(zip(scores, intervals_of(spread(list(scores.values())), level), strict=True))


def intervals_of(found: Spread, level: float = 0.95) -> list[Interval]:
    """Give the interval of every row of a spread."""
    variances = np.stack([np.diag(found.photographs), found.seeds], -1)
    freedom = np.stack([np.full(len(found.seeds), found.N - 1.0), found.freedom], -1)
    halves = half_width(variances, freedom, 1 - level)
    return [Interval(float(m), float(m - half), float(m + half)) for m, half in zip(found.means, halves, strict=True)]


def mean_interval(scores: ArrayLike, level: float = 0.95) -> Interval:
    """Give the mean of one row, (N,) or (S, N), with its interval; see :func:`mean_intervals`."""
    return mean_intervals({0: scores}, level)[0]


def pseudo_values(terms: ArrayLike, of: Callable[..., ArrayLike]) -> np.ndarray:
    """Turn a number that follows from the means of several terms into one score for each photograph.

    A photograph's score is N times the number less N − 1 times what it is without that photograph. Their mean is the
    number, and they are as uncertain as it is, so they can be handled as any metric's scores are.

    Args:
        terms: (K, S, N), K terms of N photographs in S trainings.
        of: K means, each an array of one shape → the number, of that shape.

    Returns:
        (S, N); NaN throughout where the number does not exist, with all photographs or without one of them.

    Difference from Tukey (1958): moved so that their mean is the number itself and not its jackknife estimate.

    Example:
        >>> pseudo_values([[[1.0, 2.0, 3.0]], [[2.0, 4.0, 6.0]]], lambda part, whole: part / whole)
        array([[0.5, 0.5, 0.5]])
    """
    terms = np.asarray(terms, dtype=np.float64)
    N = terms.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        number = np.asarray(of(*terms.mean(-1)))[:, None]
        without = np.asarray(of(*((terms.sum(-1, keepdims=True) - terms) / (N - 1))))
        values = number - (N - 1) * (without - without.mean(-1, keepdims=True))
    return values if np.isfinite(values).all() else np.full_like(values, np.nan)
