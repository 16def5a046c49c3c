"""Which rows of a field may be its best: all but those that another row is shown to beat.

References:
    Gupta, "On some multiple decision (selection and ranking) rules", Technometrics 7(2), 1965 (the set of rows that
    holds the best with a given chance).
    Hsu, "Multiple comparisons: theory and methods", Chapman and Hall, 1996, chapter 4 (comparisons with the best).
"""

from collections.abc import Mapping, Sequence

from colorlib.statistics.differences import Difference, both_ways
from colorlib.statistics.intervals import Label


def may_be_best(
    field: Sequence[Label],
    differences: Mapping[tuple[Label, Label], Difference],
    higher_is_better: bool,
    alpha: float = 0.05,
) -> list[Label]:
    """Return those of K rows of which one may be the best: with a chance of 1 − alpha the best is among them.

    A row is out when another is better by (K − 1) p < alpha. The best itself is out only if it loses one of its own
    K − 1 comparisons, so p is corrected for these and not for all K (K − 1) / 2 pairs. A row that was trained once has
    no p: it is never out, puts none out, and is not counted.

    Args:
        field: labels of the rows, whose order is kept.
        differences: every pair of them, in either order or both; their p-values are not corrected.
        higher_is_better: the metric's direction.
        alpha: the chance to be wrong.

    Example:
        >>> from colorlib.statistics import paired_differences
        >>> found = paired_differences({"a": [1.0, 2.0, 3.0], "b": [2.0, 3.0, 4.0], "c": [1.0, 3.0, 2.0]})
        >>> may_be_best(["a", "b", "c"], found, higher_is_better=False)
        ['a', 'c']
    """
    both, left = both_ways(differences), []
    for label in field:
        tests = [both[label, other] for other in field if other != label and both[label, other].p >= 0]  # NaN is not
        if not any(len(tests) * d.p < alpha and (d.mean < 0) == higher_is_better for d in tests):
            left.append(label)
    return left
