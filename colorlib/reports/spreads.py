"""How far each row's means may lie from the truth, metric by metric, those of pooled metrics among them."""

from collections.abc import Sequence

import numpy as np

from colorlib.metrics import POOLED
from colorlib.reports.rows import PRIMARY, Row
from colorlib.statistics.intervals import Spread, pseudo_values, spread


def scored_by_all(rows: Sequence[Row], ids: Sequence[str]) -> list[str]:
    """Return the photographs of which every run has a number by the metric that ranks them.

    Raises:
        ValueError: a run has none, or none has them in common.
    """
    scored = np.full(len(ids), True)
    for row in rows:
        for run, scores in zip(row.runs, row.scores(PRIMARY, ids), strict=True):
            if not (own := np.isfinite(scores)).any():
                raise ValueError(
                    f"{run.folder} has no {PRIMARY} of any photograph that all runs share: judge it again."
                )
            scored &= own
    if rows and not scored.any():
        raise ValueError(f"no photograph has a {PRIMARY} in every run of this study: there is nothing to compare.")
    return [name for name, own in zip(ids, scored, strict=True) if own]


def measure_spreads(
    rows: Sequence[Row], ids: Sequence[str], metrics: Sequence[str]
) -> dict[str, tuple[list[str], Spread]]:
    """Return metric → the labels of the rows that have it, and their means with what makes these uncertain.

    Args:
        rows: with labels of their own.
        ids: the photographs.
        metrics: columns of the rows' tables; those pooled over photographs come after them.
    """
    by_label = {row.label: row for row in rows}
    found = {name: {label: row.scores(name, ids) for label, row in by_label.items()} for name in metrics}
    found |= {name: _pooled_scores(name, rows, ids) for name in POOLED}
    result = {}
    for name, by_row in found.items():
        # A row that one of its trainings left unmeasured lacks the metric; counted in, it would take it from all rows.
        whole = {label: own for label, own in by_row.items() if np.isfinite(own).all(0).any()}
        scores = {label: as_trained(by_label[label], own) for label, own in whole.items()}
        if scores:
            result[name] = list(scores), spread(list(scores.values()))
    return result


def as_trained(row: Row, scores: np.ndarray) -> np.ndarray:
    """Give a row's scores (seeds, N) as (N,) where no training is behind them, as :mod:`~colorlib.statistics` asks."""
    return scores[0] if row.group in ("trivial", "oracle") and len(scores) == 1 else scores


def _pooled_scores(name: str, rows: Sequence[Row], ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Return label → (seeds, N) whose mean is a pooled metric, of the photographs that have all its terms."""
    terms = {}
    for row in rows:
        try:
            tables = [POOLED[name].terms(table.loc[ids]) for table in row.by_id]
        except KeyError:  # the run was judged without the columns that this one is made from
            continue
        found = np.stack(tables).transpose(2, 0, 1)  # (seeds, N, terms) -> (terms, seeds, N)
        if np.isfinite(found).all((0, 1)).any():
            terms[row.label] = found
    whole = np.all([np.isfinite(found).all((0, 1)) for found in terms.values()], axis=0)
    return {label: pseudo_values(found[:, :, whole], POOLED[name].of) for label, found in terms.items()}
