"""What critics buy: each row with a critic beside the same network that learns from the same terms without it."""

import json
import math
from functools import cached_property

from colorlib.objectives import OBJECTIVES, objective_options
from colorlib.objectives.adversarial import Adversarial
from colorlib.reports.rows import NOT_SETTINGS, PRIMARY, Row
from colorlib.reports.sections.base import PairsSection
from colorlib.reports.tables import difference_cell
from colorlib.reports.words import are, head, number, plural

RECOVERED = "log_probability_lite2_share"
DISTANCE = "frechet_lite2"
VIVID = "colorfulness_hs03"


class Critics(PairsSection):
    heading = "What critics buy"
    note = (
        "Figures with an arrow lead from the row without the critic to the row with it. Their network, learning rate "
        "and budget are the same, and so are their other terms and the weights of these to one another."
    )

    @cached_property
    def pairs(self) -> dict[str, str]:
        """Label of a row with a critic → that of the row which differs from it in having none."""
        alone = {_rest(row): row.label for row in self.c.rows if row.group == "trained" and not _critics(row)}
        with_one = [row for row in self.c.rows if row.group == "trained" and _critics(row)]
        return {row.label: alone[_rest(row)] for row in with_one if _rest(row) in alone}

    @cached_property
    def planned(self) -> list[tuple[str, str]]:
        return list(self.pairs.items())

    @cached_property
    def headline(self) -> str:
        if not self.pairs:
            return ""
        verdicts = [self.c.verdict(label, other) for label, other in self.pairs.items()]
        better = verdicts.count("better")
        return (
            f"Of {plural(len(verdicts), 'row')} with a critic, each beside the same network without it, {better} "
            f"{are(better)} shown to be lower in {head(PRIMARY)} and {verdicts.count('worse')} higher."
        )

    @cached_property
    def sentences(self) -> list[str]:
        """In how many rows the critic brought colours nearer to the photographs, one by one and as a set."""
        if not self.pairs:
            return []
        sentences = [self.headline]
        for metric, words in (
            (VIVID, "more colourful"),
            (RECOVERED, "easier to recognise"),
            (DISTANCE, "nearer as a set"),
        ):
            ends = [self._ends(metric, *pair) for pair in self.pairs.items()]
            found = [(before, after) for before, after in ends if math.isfinite(before) and math.isfinite(after)]
            if found:
                fewer = metric == DISTANCE
                count = sum(after < before if fewer else after > before for before, after in found)
                sentences.append(f"{head(metric)}: with the critic {count} of {len(found)} are {words}.")
        rows = [self.c.by_label[label] for label in self.pairs]
        collapsed, trainings = sum(len(row.collapsed) for row in rows), sum(len(row.runs) for row in rows)
        return [*sentences, f"{collapsed} of their {plural(trainings, 'training')} collapsed."]

    @cached_property
    def table(self) -> list[list[str]]:
        """A line for each pair: the difference with its verdict, and what else changed."""
        lines = [["row", f"{head(PRIMARY)}, difference", "verdict"]]
        lines[0] += [*(head(metric) for metric in (VIVID, RECOVERED, DISTANCE)), "collapsed", "without its critic"]
        for label, other in self.pairs.items():
            row = self.c.by_label[label]
            line = [label, difference_cell(self.c.differences[label, other]), self.c.verdict(label, other)]
            for metric in (VIVID, RECOVERED, DISTANCE):
                line.append(" → ".join(number(value, 1) for value in self._ends(metric, label, other)))
            lines.append([*line, f"{len(row.collapsed)} of {len(row.runs)}", other])
        return lines

    def _ends(self, metric: str, label: str, other: str) -> tuple[float, float]:
        """Return a metric without the critic and with it, NaN where it was not measured."""
        if metric in self.c.sets:
            values = {name: score.value for name, score in self.c.sets[metric].items()}
        else:
            values = {name: found.mean for name, found in (self.c.intervals | self.c.pooled).get(metric, {}).items()}
        return values.get(other, math.nan), values.get(label, math.nan)


def _critics(row: Row) -> set[str]:
    return {name for name in row.terms if issubclass(OBJECTIVES[name], Adversarial)}


def _rest(row: Row) -> str:
    """Return all settings of a row but its critics', as a key; the weights of its other terms add up to one."""
    critics = _critics(row)
    terms = {name: weight for name, weight in row.terms.items() if name not in critics}
    known = objective_options(terms) if terms else {}
    options = {name: value for name, value in (row.config.get("objective_options") or {}).items() if name in known}
    total = sum(terms.values())
    shares = {name: round(weight / total, 6) for name, weight in sorted(terms.items())}
    rest = {name: value for name, value in row.config.items() if name not in (*NOT_SETTINGS, "label")}
    return json.dumps(rest | {"objective": shares or str(row.label), "objective_options": options}, sort_keys=True)
