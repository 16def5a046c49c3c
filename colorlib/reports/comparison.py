"""What the rows of a study amount to: means with intervals, differences, ranks, and one table of it all.

It knows of no page and of no part of one: what else there is to see in the rows, each of its sections finds out for
itself (:mod:`colorlib.reports.sections`).
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from colorlib import statistics
from colorlib.data.scenes.laws import LAWS
from colorlib.metrics import METRICS, POOLED, SETS, known_metric
from colorlib.objectives import OBJECTIVES, describe_objective
from colorlib.reports.rows import COSTS, PRIMARY, TIMES, Row
from colorlib.reports.sections import SECTIONS, Section
from colorlib.reports.spreads import as_trained, measure_spreads, scored_by_all
from colorlib.statistics import Difference, Interval, Rank
from colorlib.statistics.best import may_be_best
from colorlib.statistics.differences import ONE_TRAINING, both_ways, differences_of, gaps_of
from colorlib.statistics.intervals import Spread, intervals_of, spread


class SetScore(NamedTuple):
    """A distance between sets, the mean over seeds; ``sd`` of a kernel distance is over its subsets, else NaN."""

    value: float
    sd: float
    n: int
    compared: bool  # whether it was measured as those it stands beside


class Comparison:
    """All that is computed from the rows of a study as a whole.

    Args:
        study: the contents of ``study.json``.
        rows: from :func:`~colorlib.reports.rows.gather_rows`; none at all is a comparison too.
        unshown: what lies in the study's folder and is not among the rows, path → why.

    Raises:
        ValueError: the rows were judged on different photographs, so that none is common to all; or one has no score.
    """

    def __init__(self, study: dict, rows: list[Row], unshown: Mapping[str, str] | None = None) -> None:
        self.study, self.unshown = study, dict(unshown or {})
        self.margin = float(study.get("margin", {}).get(PRIMARY, 0))
        listed = [set(run.per_image["id"]) for row in rows for run in row.runs]
        common = sorted(set.intersection(*listed)) if listed else []
        if listed and not common:
            raise ValueError("the runs of this study were judged on different photographs: none is common to all.")
        self.ids = scored_by_all(rows, common)
        self.left_out = len(set.union(*listed)) - len(self.ids) if listed else 0
        means = {row.label: row.scores(PRIMARY, self.ids).mean() for row in rows}
        self.rows = sorted(rows, key=lambda row: (means[row.label], row.label))
        self.by_label = {row.label: row for row in self.rows}
        self.contestants = [row.label for row in self.rows if row.group not in ("oracle", "slip")]
        self.trained = [row.label for row in self.rows if row.group in ("trained", "judged")]
        self.trivial = [row.label for row in self.rows if row.group == "trivial"]
        self.best = next(iter(self.trained or self.contestants), None)  # it leads; whether it is best, contenders say
        self.grey = next((label for label in self.trivial if self.by_label[label].config["model"] == "grey"), None)

    @cached_property
    def sections(self) -> list[Section]:
        """The parts of the report on these rows, in its order; none where there are no rows."""
        return [section(self) for section in SECTIONS] if self.rows else []

    def columns(self) -> list[str]:
        """Metrics that at least one run has."""
        return [name for name in METRICS if name in self._found]

    @property
    def unknown(self) -> list[str]:
        """Columns of the runs that are no metric of this version."""
        of_laws = tuple(f"_{law}" for law in LAWS)
        return sorted(name for name in self._found - {"id", *METRICS} if not name.endswith(of_laws))

    @cached_property
    def _found(self) -> set[str]:
        return set().union(*(run.per_image.columns for row in self.rows for run in row.runs))

    def contenders(self, field: Sequence[str]) -> list[str]:
        """Return those of some rows that may be the best of them; one that stands alone here is the best."""
        return may_be_best(field, self._uncorrected, higher_is_better=False)

    def may_be_best(self, label: str) -> str:
        """Say whether a trained row may be the best of them: yes, no, or why there is no verdict; else empty."""
        if label not in self.trained:
            return ""
        if len(self.by_label[label].runs) == 1:
            return ONE_TRAINING
        return "yes" if label in self._may_be_best else "no"

    @cached_property
    def _may_be_best(self) -> frozenset[str]:
        return frozenset(self.contenders(self.trained))

    @cached_property
    def taught_to_the_test(self) -> frozenset[str]:
        """The rows whose loss is, alone or in a sum, the very metric that ranks all rows: a mark beside their name."""
        return frozenset(r.label for r in self.rows if any(OBJECTIVES[term].metric == PRIMARY for term in r.terms))

    @cached_property
    def spreads(self) -> dict[str, tuple[list[str], Spread]]:
        """Metric, pooled ones too → the labels that have it, and their means with what makes these uncertain."""
        return measure_spreads(self.rows, self.ids, self.columns())

    @cached_property
    def _intervals(self) -> dict[str, dict[str, Interval]]:
        spreads = self.spreads.items()
        return {name: dict(zip(labels, intervals_of(found), strict=True)) for name, (labels, found) in spreads}

    @property
    def intervals(self) -> dict[str, dict[str, Interval]]:
        """Metric → label → mean with its interval; labels that lack the metric are left out."""
        return {name: values for name, values in self._intervals.items() if name not in POOLED}

    @property
    def pooled(self) -> dict[str, dict[str, Interval]]:
        """Pooled metric → label → value, the mean over seeds, with its interval."""
        return {name: values for name, values in self._intervals.items() if name in POOLED}

    def mean(self, metric: str, label: str) -> float:
        """Return a row's mean, NaN where it lacks the metric."""
        values = self.intervals.get(metric, {})
        return values[label].mean if label in values else math.nan

    def truth(self, metric: str) -> float:
        """Mean of a descriptive metric (colourfulness, chroma) over the photographs themselves; NaN if unknown."""
        values, errors = self.intervals.get(metric, {}), self.intervals.get(f"{metric}_error", {})
        label = next((label for label in values if label in errors), None)
        return values[label].mean - errors[label].mean if label else math.nan

    @cached_property
    def sets(self) -> dict[str, dict[str, SetScore]]:
        """Distance between sets → label → score. Compared are those measured in the way that most rows were."""
        result = {}
        for name, metric in SETS.items():
            found = {}
            for row in self.rows:
                tables = [sets for run in row.runs if (sets := run.sets) and sets.get(name) is not None]
                ways = {_way(name, table) for table in tables}
                if len(ways) == 1:
                    values = [table[name] for table in tables]
                    spreads = [table.get(f"{name}_sd", math.nan) for table in tables]
                    found[row.label] = (
                        ways.pop(),
                        float(np.mean(values)),
                        float(np.mean(spreads)),
                        tables[0][metric.alike[0]],
                    )
            counts = Counter(way for way, *_ in found.values())
            usual = max(sorted(counts), key=lambda way: counts[way], default=None)
            if found:
                result[name] = {
                    label: SetScore(value, sd, n, way == usual) for label, (way, value, sd, n) in found.items()
                }
        return result

    @cached_property
    def _primary(self) -> Spread:
        rows = [self.by_label[label] for label in self.contestants]
        return spread([as_trained(row, row.scores(PRIMARY, self.ids)) for row in rows])

    @cached_property
    def _uncorrected(self) -> dict[tuple[str, str], Difference]:
        several = len(self.contestants) > 1
        return differences_of(self.contestants, self._primary, self.margin) if several else {}

    @cached_property
    def asked(self) -> dict[str, set[tuple[str, str]]]:
        """The questions that the study was made for, before it had scores: which pairs of rows, either way round."""
        planned = {pair for section in self.sections for pair in section.planned} & both_ways(self._uncorrected).keys()
        grey = {(row, self.grey) for row in self.trained if self.grey}
        pairs = {"against grey": grey, "in one setting": planned - grey}
        return {question: found | {pair[::-1] for pair in found} for question, found in pairs.items()}

    @cached_property
    def differences(self) -> dict[tuple[str, str], Difference]:
        """(row, other) → primary metric of row minus other, p corrected by Holm over all pairs, both ways round.

        Trained rows against grey have half of the level, pairs in one setting, if any, half of the other half.
        """
        return both_ways(statistics.correct(self._uncorrected, *self.asked.values()))

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Every pair of rows once: ``pairs.csv``.

        Columns: the question it belongs to, difference of the primary metric, the ends of its interval, its standard
        error over photographs, the corrected p of no difference and of one as large as the margin, and the verdict.
        """
        columns = ["row", "other", "question", "difference", "low", "high", "photographs_se"]
        columns += ["p_holm", "p_large_holm", "verdict"]
        variances = gaps_of(self._primary)[1] if self.differences else np.empty((0, 3))
        lines = [
            (
                *(a, b, next((name for name, pairs in self.asked.items() if (a, b) in pairs), "any pair")),
                *(*self.differences[a, b][:3], math.sqrt(parts[0]), *self.differences[a, b][3:5], self.verdict(a, b)),
            )
            for (a, b), parts in zip(itertools.combinations(self.contestants, 2), variances, strict=False)
        ]
        return pd.DataFrame(lines, columns=columns).set_index("row")

    def verdict(self, label: str, other: str | None) -> str:
        """Say how ``label`` stands to ``other``; empty where there is nothing to say."""
        difference = self.differences.get((label, other)) if other else None
        return statistics.verdict(difference, self.margin, higher_is_better=False) if difference else ""

    @cached_property
    def ranks(self) -> dict[str, Rank]:
        """Label → rank by the primary metric among all but the oracles, with the ranks that verdicts leave open."""
        alone = {label: Rank(1, 1, 1) for label in self.contestants}
        return statistics.rank_intervals(self.differences, higher_is_better=False) if self.differences else alone

    @cached_property
    def seeds(self) -> pd.DataFrame:
        """Every run's means, distances between sets and costs: ``seeds.csv``, from which those of rows follow."""
        lines = []
        spreads = self.spreads.items()
        means = {name: dict(zip(labels, found.by_seed, strict=True)) for name, (labels, found) in spreads}
        for row in self.rows:
            for place, run in enumerate(row.runs):
                line = {"label": row.label, "group": row.group, "seed": run.config.get("seed")}
                line |= {name: by_row[row.label][place] for name, by_row in means.items() if row.label in by_row}
                line |= {name: (run.sets or {}).get(name, math.nan) for name in self.sets}
                line |= {name: row.costs(name)[place] for name in (*COSTS, *TIMES)}
                lines.append(line)
        columns = ["label", "group", "seed", *means, *self.sets, *COSTS, *TIMES]
        return pd.DataFrame(lines, columns=columns).set_index("label")

    @cached_property
    def results(self) -> pd.DataFrame:
        """The whole table, one line per row: ``results.csv``. What sections add and what a clock decides comes last."""
        lines, errors = {}, {}
        for name, (labels, found) in self.spreads.items():  # standard errors over photographs
            variances = np.maximum(np.diag(found.photographs), 0)
            errors[name] = dict(zip(labels, np.sqrt(variances), strict=True))
        for row in self.rows:
            rank, label = self.ranks.get(row.label), row.label
            objective = describe_objective(row.config.get("objective") or "")
            line = {"group": row.group, "model": row.config["model"], "objective": objective or None}
            line |= {"seeds": len(row.runs), "images": len(self.ids), "collapsed": len(row.collapsed)}
            line |= dict(zip(("rank", "rank_low", "rank_high"), rank or (None,) * 3, strict=True))
            line |= {"trained_on_primary": label in self.taught_to_the_test}
            line |= {"may_be_best": self.may_be_best(label), "against_grey": self.verdict(label, self.grey)}
            for name, values in self._intervals.items():
                ends = values.get(label, (math.nan,) * 3)
                line |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
                line[f"{name}_photographs_se"] = errors[name].get(label, math.nan)
            line |= {name: values[label].value if label in values else math.nan for name, values in self.sets.items()}
            line |= {f"{name}_n": values[label].n if label in values else None for name, values in self.sets.items()}
            for section in self.sections:
                line |= section.results(label)
            line |= {name: row.cost(name) for name in (*COSTS, *TIMES)}
            lines[label] = line
        table = pd.DataFrame.from_dict(lines, orient="index").rename_axis("label")
        whole = [
            name for name in ("rank", "rank_low", "rank_high", *(f"{name}_n" for name in SETS), *COSTS) if name in table
        ]
        for name in whole:  # means over seeds, of images seen for equal computing for example, are rounded
            table[name] = pd.to_numeric(table[name]).round().astype("Int64")
        return table

    def order(self, metric: str) -> pd.Series | None:
        """Values of a metric with a direction, best first; None for a metric without one."""
        known = known_metric(metric)
        if known.higher_is_better is None or metric not in self.results:
            return None
        values = self.results[metric].dropna()
        if metric in self.sets:
            values = values[[label for label in values.index if self.sets[metric][label].compared]]
        return values.sort_values(ascending=not known.higher_is_better, kind="stable")

    def gathered(self, name: str) -> pd.DataFrame:
        """All lines of a CSV that only some run folders hold, such as ``hints.csv``, with their label and seed."""
        tables = [table.assign(label=row.label) for row in self.rows for table in row.tables(name)]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["label", "seed"])

    def failures(self) -> list[dict]:
        """Rows of the study that did not end well."""
        return [row for row in self.study["rows"] if row["status"] != "done"]


def _way(name: str, table: dict) -> tuple:
    """Return what must agree before two distances between sets can be compared, for sorting as text."""
    return tuple(str(table.get(key)) for key in SETS[name].alike)
