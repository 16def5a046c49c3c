"""The cells of a report's tables: which number of decimals, what stands below it, what where there is none."""

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from colorlib.metrics import METRICS, SETS, known_metric
from colorlib.reports.rows import PRIMARY
from colorlib.reports.words import head, number, signed
from colorlib.statistics import Difference, Interval, Rank

if TYPE_CHECKING:
    from colorlib.reports.comparison import Comparison

COST_HEADS = {
    "parameters": "Parameters",
    "macs_per_image": "MACs per image",
    "images_seen": "Images seen",
    "training_macs": "MACs in training",
    "train_seconds": "Training, s",
    "seconds_per_1000_training_images": "Training, s per 1,000 images",
    "ms_per_image": "Colouring, ms",
    "peak_memory_mb": "Memory, MB",
}
UNMEASURED = "not measured"
PIXELS = 620  # width at which a figure is shown, where there is room


def primary_label() -> str:
    """Name the primary metric's mean with its unit, for an axis."""
    unit = METRICS[PRIMARY].unit
    return f"mean {head(PRIMARY)}" + (f" [{unit}]" if unit else "")


def primary_table(c: "Comparison") -> pd.DataFrame:
    """Give every row's mean, low, high of the primary metric and its group, for a figure."""
    table = pd.DataFrame.from_dict(c.intervals[PRIMARY], orient="index", columns=["mean", "low", "high"])
    return table.assign(group=[c.by_label[label].group for label in table.index])


def mark_of(c: "Comparison", label: str) -> str:
    """Return what stands behind the name of a row that learned on the metric that ranks it; else nothing."""
    return " ‡" if label in c.taught_to_the_test else ""


def marked(c: "Comparison", table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of a figure's table, named in its index, their marks."""
    return table.rename(index=lambda label: label + mark_of(c, label))


def table_cells(c: "Comparison", metrics: Iterable[str], whole: bool = False) -> list[dict]:
    """Columns for a table: head, unit, direction, and for each label its text, what is small below it, and the best.

    Args:
        c: whose rows are shown.
        metrics: one column each; those without any value are left out.
        whole: say in every cell without a value why there is none.
    """
    columns = []
    for name in metrics:
        known = known_metric(name)
        text, ends, note = _cells(c, name)
        if not text:
            continue
        missing = {row.label: why_missing(c, name, row.label) if whole else "–" for row in c.rows}
        order = c.order(name)
        truth = c.truth(name)
        columns.append(
            {
                "name": name,
                "head": head(name),
                "unit": known.unit,
                "arrow": known.arrow,
                "truth": number(truth, _decimals(c.intervals[name].values())) if math.isfinite(truth) else "",
                "note": note,
                "text": missing | text,
                "ends": ends,
                "best": next((label for label in order.index if label in c.trained), None)
                if order is not None
                else None,
            }
        )
    return columns


def _decimals(values: Iterable[Interval], most: int = 3) -> int:
    """Choose decimals by the intervals: their half-width is shown to two digits, no value to more than four."""
    values = list(values)
    width = float(np.median([(v.high - v.low) / 2 for v in values if v.high > v.low] or [0.05]))
    size = float(np.median([abs(v.mean) for v in values] or [1.0])) or 1.0
    return int(np.clip(min(1 - math.floor(math.log10(width)), most - math.floor(math.log10(size))), 0, most))


def _cells(c: "Comparison", name: str) -> tuple[dict[str, str], dict[str, str], str]:
    """Give a metric's texts by label, the small ones below them, and a note for the head."""
    if intervals := c.intervals.get(name) or c.pooled.get(name):
        decimals = _decimals(intervals.values())
        ends = {label: f"{number(v.low, decimals)}…{number(v.high, decimals)}" for label, v in intervals.items()}
        return {label: number(value.mean, decimals) for label, value in intervals.items()}, ends, ""
    scores = c.sets.get(name, {})
    spread = [Interval(v.value, v.value - v.sd, v.value + v.sd) for v in scores.values() if math.isfinite(v.sd)]
    decimals = _decimals(spread, 5) if spread else 2
    ends = {label: f"± {number(v.sd, decimals)}" for label, v in scores.items() if math.isfinite(v.sd)}
    ends |= {label: f"N {v.n:,}, not compared" for label, v in scores.items() if not v.compared}
    sizes = {v.n for v in scores.values() if v.compared}
    return {label: number(v.value, decimals) for label, v in scores.items()}, ends, "".join(f"N {n:,}" for n in sizes)


def why_missing(c: "Comparison", name: str, label: str) -> str:
    """Say why a row lacks a metric: a distance between sets may need more pictures than it has."""
    for run in c.by_label[label].runs if name in SETS else ():
        sets = run.sets or {}
        least = sets.get(SETS[name].needs)
        if least and sets[SETS[name].alike[0]] < least:
            return f"needs {least:,} pictures"
    return UNMEASURED


def rank_text(rank: Rank | None) -> str:
    if rank is None:
        return "–"
    return f"{rank.rank}" + (f" ({rank.low}–{rank.high})" if rank.low != rank.high else "")


def markdown_head(column: dict) -> str:
    """Write the head of a column of :func:`table_cells` in one line."""
    unit = f"[{column['unit']}]" if column["unit"] else ""
    return " ".join(filter(None, (column["head"], unit, column["arrow"], column["note"])))


def markdown_cell(column: dict, label: str) -> str:
    """Write a cell of a column of :func:`table_cells` in one line."""
    return column["text"][label] + (f" ({column['ends'][label]})" if label in column["ends"] else "")


def filled(table: list[list[str]]) -> list[list[str]]:
    """Leave out of lines of cells, of which the first is the head, the columns that are empty throughout.

    Example:
        >>> filled([["row", "ms", "s"], ["a", "–", "1"], ["b", "–", "–"]])
        [['row', 's'], ['a', '1'], ['b', '–']]
    """
    columns = [column for column in zip(*table, strict=True) if not {*column[1:]} <= {"", "–", UNMEASURED}]
    return [list(cells) for cells in zip(*columns, strict=True)]


def markdown_table(table: list[list[str]]) -> list[str]:
    """Write lines of cells, of which the first is the head, as a table in Markdown."""
    head, *lines = filled(table)
    return [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        for cells in (head, ["---"] * len(head), *lines)
    ]


def difference_cell(found: Difference) -> str:
    """Write a difference with its sign and its interval."""
    return f"{signed(found.mean)} ({signed(found.low)}…{signed(found.high)})"


def markdown_details(summary: str, lines: Iterable[str]) -> list[str]:
    """Write lines of Markdown so that they are folded below a summary; the first line is blank."""
    return ["", "<details>", f"<summary>{escape(summary)}</summary>", "", *lines, "", "</details>"]


def markdown_figure(name: str, words: str, caption: str) -> list[str]:
    """Write a figure of the folder ``figures`` and its caption in Markdown; the first line is blank."""
    return ["", f'<img src="figures/{name}.png" width="{PIXELS}" alt="{escape(words)}">', "", caption]
