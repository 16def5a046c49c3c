"""What pretraining is worth, in photographs: how many more a network needs to learn as much without it.

Rows that share all but their encoder's pretraining and the number of photographs they learned from are curves over that
number, one for each pretraining. What was learned beforehand is worth as many photographs as bring the curve without it
to the same error.
"""

import json
import math
import re
from collections.abc import Sequence
from functools import cached_property

import pandas as pd

from colorlib import plots
from colorlib.reports.rows import NOT_SETTINGS, PRIMARY, Row
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.words import head, listed, number

FREE = (*NOT_SETTINGS, "label", "photographs", "images_seen")  # may differ between the points of one network's curves


def photographs_needed(photographs: Sequence[float], errors: Sequence[float], error: float) -> float:
    """Return with how many photographs a curve first reaches an error, between two points linearly in their logarithm.

    Args:
        photographs: of the curve's points, above zero, in any order.
        errors: at these, lower is better.
        error: to be reached.

    Returns:
        A number within the curve; its first where that has the error already, infinity where no point reaches it.

    Raises:
        ValueError: no point, or not one error for each.

    Example:
        >>> photographs_needed([1_000, 4_000, 16_000], [12.0, 11.0, 10.0], 10.5)
        8000.0
    """
    if not len(photographs) or len(photographs) != len(errors):
        raise ValueError("a curve needs an error for each of at least one number of photographs.")
    points = sorted(zip(photographs, errors, strict=True))
    count, found = points[0]
    if found <= error:
        return float(count)
    for next_count, next_found in points[1:]:
        if next_found <= error:
            share = (found - error) / (found - next_found)
            return float(count * (next_count / count) ** share)
        count, found = next_count, next_found
    return math.inf


class Pretraining(Section):
    heading = "What pretraining is worth"

    @cached_property
    def curves(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Network → pretraining → its curve, for networks with two curves of two points or more.

        A curve has the columns photographs (in the train split), mean, low and high (of the primary metric, over all
        seeds), in order of photographs.
        """
        return {
            name: {words: self._curve(rows) for words, rows in curves.items()} for name, curves in self._rows.items()
        }

    @cached_property
    def _rows(self) -> dict[str, dict[str, dict[float, Row]]]:
        """Network → pretraining → photographs in the train split → the row."""
        points: dict[str, dict[str, dict[float, Row]]] = {}
        for row in self.c.rows:
            if row.group == "trained" and (count := row.config.get("photographs")):
                points.setdefault(_shared(row), {}).setdefault(row.encoder["pretraining"], {})[count] = row
        found = {}
        for curves in points.values():
            several = {words: rows for words, rows in sorted(curves.items()) if len(rows) > 1}
            if len(several) > 1:
                found[_name(next(iter(next(iter(several.values())).values())))] = several
        return found

    def _budgets(self, network: str) -> str:
        """Say that those who learned from more photographs also learned for longer, where it is so."""
        rows = [row for curve in self._rows[network].values() for row in curve.values()]
        seen = [row.config.get("images_seen") or 0 for row in rows]
        if len(set(seen)) == 1:
            return ""
        return (
            f" Who learned from more of them learned for longer, too, here {number(min(seen), 0)} to "
            f"{number(max(seen), 0)} images: the number is of both."
        )

    def _curve(self, rows: dict[float, Row]) -> pd.DataFrame:
        lines = [(count, *self.c.intervals[PRIMARY][row.label]) for count, row in sorted(rows.items())]
        return pd.DataFrame(lines, columns=["photographs", "mean", "low", "high"])

    @cached_property
    def sentences(self) -> list[str]:
        """For each number of photographs: how many more it would take without pretraining."""
        return [
            f"{network}, {pretraining}: {about_worth(curves['none'], curve)}"
            for network, curves in self.curves.items()
            for pretraining, curve in curves.items()
            if pretraining != "none" and "none" in curves
        ]

    @cached_property
    def charts(self) -> dict[str, Chart]:
        charts = {}
        for place, (network, curves) in enumerate(self.curves.items(), start=1):
            title = f"What pretraining is worth to {network}"
            charts[f"pretraining_{place}"] = Chart(
                plots.plot_training_sizes(curves, f"mean {head(PRIMARY)}, lower is better", title),
                title,
                "One line for each pretraining of its encoder, with 95 % intervals over photographs and seeds. "
                f"Where these overlap, what it is worth in photographs is a guess.{self._budgets(network)}",
            )
        return charts


def about_worth(without: pd.DataFrame, with_it: pd.DataFrame) -> str:
    """Say in a sentence what pretraining is worth at each number of photographs of its curve.

    Args:
        without, with_it: columns photographs and mean, an error.
    """
    parts = []
    for count, error in zip(with_it["photographs"], with_it["mean"], strict=True):
        needed = photographs_needed(without["photographs"].tolist(), without["mean"].tolist(), error)
        most = without["photographs"].max()
        if math.isinf(needed):
            worth = f"more than {_roughly(most - count)}" if most > count else "more than was measured"
        else:
            worth = f"about {_roughly(needed - count)}" if needed > count else "nothing"
        parts.append(f"{worth} on top of {number(count, 0)} ({head(PRIMARY)} {number(error)})")
    return f"pretraining is worth, in photographs, {listed(parts)}."


def _roughly(count: float) -> str:
    """Write a number with two digits that count: what lies between points whose errors have intervals is no surer."""
    return number(float(f"{count:.2g}"), 0)


def _name(row: Row) -> str:
    """Return a row's label without what differs along a curve and between the curves of one network."""
    name = re.sub(r"pretraining \w+|[\d,]+ photographs", "", row.short)
    return re.sub(r"(?<=\()(, )+|(, )+(?=\))|(, )(?=, )", "", name).replace(" ()", "")


def _shared(row: Row) -> str:
    """What the rows of one network's curves have in common, as a key."""
    options = {name: value for name, value in row.config.get("model_options", {}).items() if name != "pretraining"}
    rest = {name: value for name, value in row.config.items() if name not in FREE}
    return json.dumps(rest | {"model_options": options}, sort_keys=True)
