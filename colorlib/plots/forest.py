"""One line per row of the study: its score and interval, or its score for each law of colour."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from colorlib.plots.labels import LINE, NAMES, note, row_heights
from colorlib.plots.style import (
    BROKEN,
    FAINT,
    GROUPS,
    PAPER,
    RULE,
    SMALL,
    WIDTH,
    folded,
    interval,
    new_figure,
    range_of,
    style,
)

LAWS = {"determined": "determined,\none hue", "two_way": "two-way,\ntwo hues", "free": "free,\nany hue"}


def plot_forest(
    table: pd.DataFrame,
    label: str,
    better: str = "",
    reference: str | None = None,
    title: str = "",
    higher_is_better: bool = False,
) -> Figure:
    """Draw each row's mean and interval, best on top as the table is sorted: the study's main figure.

    Rows that lie far out at the bad end, and oracles, do not squeeze the others: they are arrows at the edge, with
    their means beside them.

    Args:
        table: index = names of the rows; columns mean, low, high (one unit) and group (a key of ``GROUPS``).
        label: what the axis shows, with its unit.
        better: words for the direction, for example "lower is better".
        reference: the row whose mean is drawn as a line through all others.
        title: what is to be seen.
        higher_is_better: which end of the axis is good.
    """
    return plot_forests({"": table}, label, better, reference, title, higher_is_better)


@style()
def plot_forests(
    tables: Mapping[str, pd.DataFrame],
    label: str,
    better: str = "",
    reference: str | None = None,
    title: str = "",
    higher_is_better: bool = False,
) -> Figure:
    """Draw several forests side by side, the rows of one name at one height: what another budget does to each.

    Args:
        tables: title of the panel → table as for :func:`plot_forest`; a name may be missing in some. Names stand in
            the order of the first table that has them.
        label, better, reference, title, higher_is_better: as for :func:`plot_forest`.
    """
    everything = pd.concat(list(tables.values()))
    groups = everything["group"][~everything.index.duplicated()]
    heights, inches = _heights(groups.index)
    width = WIDTH + 1.4 * max(0, len(tables) - 2)
    titles = [folded(name, (width - NAMES) / len(tables) - 0.2, bold=True) for name in tables]
    lines = max(name.count("\n") + 1 for name in titles) if any(titles) else 0
    figure, grid = new_figure(
        0.95 + LINE / 72 * 1.4 * lines + inches, len(tables), title=title, width=width, sharey=True, sharex=True
    )
    ends = range_of(everything, everything["mean"][everything.index == reference], higher_is_better)
    for axes, name, table in zip(grid[0], titles, tables.values(), strict=True):
        if reference in table.index:
            axes.axvline(table["mean"][reference], color=RULE, lw=1.2, ls=BROKEN, zorder=0)
        _draw_rows(axes, table, heights, ends)
        axes.set_xlim(ends)
        for row, mean in table["mean"].items():
            look = {"va": "center", "color": GROUPS[table["group"][row]]}
            note(axes, f"{mean:.2f}".replace("-", "−"), (1.0, heights[row]), (5, 0), ("axes fraction", "data"), **look)
        axes.set_title(name, pad=18)
        axes.xaxis.set_major_locator(MaxNLocator(5 // len(tables)))
    _name_rows(grid[0, 0], groups, heights)
    _name_groups(grid[0, 0], groups)
    figure.supxlabel(folded(label + f" ({better})" * bool(better), WIDTH - 0.2), fontsize=SMALL, color=FAINT)
    return figure


@style()
def plot_laws(table: pd.DataFrame, label: str, mark: float | None = None, title: str = "") -> Figure:
    """Draw one value per row and law of colour, each row tied to the best its own objective could do.

    Args:
        table: one line per name and law; columns name, law (a key of ``LAWS``), value, oracle (the value of the
            row's own oracle, or NaN) and group.
        label: what value is, with its unit.
        mark: a value worth a line, for example 1 where all chroma is kept.
        title: what is to be seen.
    """
    laws = [law for law in LAWS if law in set(table["law"])]
    groups = table.drop_duplicates("name").set_index("name")["group"]
    heights, inches = _heights(groups.index)
    figure, grid = new_figure(0.95 + inches, len(laws), title=title, sharey=True, sharex=True)
    figure.set_layout_engine("constrained", wspace=0.06)
    for axes, law in zip(grid[0], laws, strict=True):
        rows = table[table["law"] == law].set_index("name")
        own = rows.dropna(subset="oracle").assign(group="oracle")
        _draw_rows(axes, own.assign(mean=own["oracle"], low=own["value"], high=own["oracle"]), heights)
        _draw_rows(axes, rows.assign(mean=rows["value"], low=np.nan, high=np.nan), heights)
        if mark is not None:
            axes.axvline(mark, color=RULE, lw=1.2, ls=BROKEN, zorder=0)
        axes.set_title(LAWS[law])
        axes.margins(x=0.09)
        axes.xaxis.set_major_locator(MaxNLocator(3))
    _name_rows(grid[0, 0], groups, heights)
    figure.supxlabel(label, fontsize=SMALL, color=FAINT)
    return figure


def _heights(names: Iterable[str]) -> tuple[dict[str, float], float]:
    """Return at how many inches from the foot each row stands, the first on top, and the inches of all."""
    inches = row_heights(names)
    tops = dict(zip(inches, np.cumsum(list(inches.values())[::-1])[::-1], strict=True))
    return {name: top - inches[name] / 2 for name, top in tops.items()}, sum(inches.values())


def _draw_rows(
    axes: Axes, table: pd.DataFrame, heights: Mapping[str, float], ends: tuple[float, float] = (-np.inf, np.inf)
) -> None:
    """Draw means and intervals at the rows' heights; beyond ``ends`` are arrows."""
    left, right = ends
    inset = 0.04 * (right - left) if np.isfinite(left) else 0.0
    table = table.assign(
        height=table.index.map(heights),
        shown=table["mean"].clip(left + inset, right - inset),
        mark=np.select([table["mean"] < left, table["mean"] > right], ["<", ">"], "o"),
    )
    for (group, mark), rows in table.groupby(["group", "mark"]):
        sns.pointplot(
            **interval(rows, "shown", "low", "high"), x="drawn", y="height", orient="y", native_scale=True, ax=axes,
            color=GROUPS[group], marker=mark, markersize=5, markeredgewidth=1.5, clip_on=False,
            markerfacecolor=PAPER if group == "oracle" else GROUPS[group], linestyle="none",
            err_kws={"linewidth": 2.2, "alpha": 0.45, "zorder": 1.5, "solid_capstyle": "butt"},
        )  # fmt: skip
    axes.set(xlabel="", ylabel="", ylim=(0, max(heights.values(), default=1) + 0.1))
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0, pad=6)


def _name_rows(axes: Axes, groups: pd.Series, heights: Mapping[str, float]) -> None:
    """Write the names, the index of ``groups``, down the left of a forest, each in the colour of its group."""
    axes.set_yticks([heights[name] for name in groups.index], [folded(name, NAMES) for name in groups.index])
    for tick, group in zip(axes.get_yticklabels(), groups, strict=True):
        tick.set(color=GROUPS[group], linespacing=0.95)


def _name_groups(axes: Axes, groups: Iterable[str]) -> None:
    """Write the names of the groups in their colours above the axes, side by side."""
    for i, group in enumerate(group for group in GROUPS if group in set(groups)):
        note(axes, f"{'○' if group == 'oracle' else '●'} {group}", (0, 1), (54 * i, 4), color=GROUPS[group])
