"""One line per row of the study: its score and interval, or its score for each law of colour."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from colorlib.plots.labels import broken, note, width_of
from colorlib.plots.style import BROKEN, FAINT, GROUPS, MANY, PAPER, RULE, interval, new_figure, range_of, style

LAWS = {"determined": "determined,\none hue", "two_way": "two-way,\ntwo hues", "free": "free,\nany hue"}


def plot_forest(table: pd.DataFrame, label: str, better: str = "", reference: str | None = None) -> Figure:
    """Draw each row's mean and interval, best on top as the table is sorted: the study's main figure.

    With more than ``MANY`` rows the axis is that of the trained ones, and arrows stand for what lies beyond it.

    Args:
        table: index = names of the rows; columns mean, low, high (one unit) and group (a key of ``GROUPS``).
        label: what the axis shows, with its unit.
        better: words for the direction, for example "lower is better".
        reference: the row whose mean is drawn as a line through all others.
    """
    return plot_forests({"": table}, label, better, reference)


@style()
def plot_forests(
    tables: Mapping[str, pd.DataFrame], label: str, better: str = "", reference: str | None = None
) -> Figure:
    """Draw several forests side by side, the rows of one name at one height: what another budget does to each.

    Args:
        tables: title of the panel → table as for :func:`plot_forest`; a name may be missing in some. Names stand in
            the order of the first table that has them.
        label, better, reference: as for :func:`plot_forest`.
    """
    everything = pd.concat(list(tables.values()))
    groups = everything["group"][~everything.index.duplicated()]
    figure, grid = new_figure(
        max(4.6, 2.9 * len(tables)) + width_of(groups.index), 0.95 + 0.2 * any(tables) + 0.27 * len(groups),
        len(tables), sharey=True, sharex=True,
    )  # fmt: skip
    heights = _heights(groups.index)
    ends = range_of(everything, reference)
    for axes, (title, table) in zip(grid[0], tables.items(), strict=True):
        if np.isfinite(ends[0]):
            axes.set_xlim(ends)
        if reference in table.index:
            axes.axvline(table["mean"][reference], color=RULE, lw=1.2, ls=BROKEN, zorder=0)
        _draw_rows(axes, table, groups.index, ends)
        for name, row in table.iterrows():
            at, look = (1.0, heights[name]), {"va": "center", "color": GROUPS[row["group"]]}
            note(axes, f"{row['mean']:.2f}", at, (6, 0), ("axes fraction", "data"), **look)
        axes.set_title(title, pad=18)
    _name_rows(grid[0, 0], groups)
    _name_groups(grid[0, 0], groups)
    label += f"  ({better})" if better else ""
    if len(tables) == 1:
        grid[0, 0].set_xlabel(label)
    else:
        figure.supxlabel(label, fontsize=9, color=FAINT)
    return figure


@style()
def plot_laws(table: pd.DataFrame, label: str, mark: float | None = None) -> Figure:
    """Draw one value per row and law of colour, each row tied to the best its own objective could do.

    Args:
        table: one line per name and law; columns name, law (a key of ``LAWS``), value, oracle (the value of the
            row's own oracle, or NaN) and group.
        label: what value is, with its unit.
        mark: a value worth a line, for example 1 where all chroma is kept.
    """
    laws = [law for law in LAWS if law in set(table["law"])]
    groups = table.drop_duplicates("name").set_index("name")["group"]
    figure, grid = new_figure(7.2, 0.95 + 0.25 * len(groups), len(laws), sharey=True, sharex=True)
    figure.set_layout_engine("constrained", wspace=0.06)
    for axes, law in zip(grid[0], laws, strict=True):
        rows = table[table["law"] == law].set_index("name")
        own = rows.dropna(subset="oracle").assign(group="oracle")
        _draw_rows(axes, own.assign(mean=own["oracle"], low=own["value"], high=own["oracle"]), groups.index)
        _draw_rows(axes, rows.assign(mean=rows["value"], low=np.nan, high=np.nan), groups.index)
        if mark is not None:
            axes.axvline(mark, color=RULE, lw=1.2, ls=BROKEN, zorder=0)
        axes.set_title(LAWS[law])
        axes.margins(x=0.09)
    _name_rows(grid[0, 0], groups)
    figure.supxlabel(label, fontsize=9, color=FAINT)
    return figure


def _heights(names: Sequence[str]) -> dict[str, int]:
    """Return the height of each row, the first on top."""
    return {name: height for height, name in enumerate(reversed(names))}


def _draw_rows(
    axes: Axes, table: pd.DataFrame, names: Sequence[str], ends: tuple[float, float] = (-np.inf, np.inf)
) -> None:
    """Draw means and intervals, one height for each of ``names``, the first on top; beyond ``ends`` are arrows."""
    left, right = ends
    inset = 0.02 * (right - left) if np.isfinite(left) else 0.0
    table = table.assign(
        height=table.index.map(_heights(names)),
        shown=table["mean"].clip(left + inset, right - inset),
        mark=np.select([table["mean"] < left, table["mean"] > right], ["<", ">"], "o"),
    )
    for (group, mark), rows in table.groupby(["group", "mark"]):
        sns.pointplot(
            **interval(rows, "shown", "low", "high"), x="drawn", y="height", orient="y", native_scale=True, ax=axes,
            color=GROUPS[group], marker=mark, markersize=6 if len(names) <= MANY else 5, markeredgewidth=1.5,
            markerfacecolor=PAPER if group == "oracle" else GROUPS[group], linestyle="none",
            err_kws={"linewidth": 2.2, "alpha": 0.45, "zorder": 1.5, "solid_capstyle": "butt"},
        )  # fmt: skip
    axes.set(xlabel="", ylabel="", ylim=(-0.7, len(names) - 0.3))
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)


def _name_rows(axes: Axes, groups: pd.Series) -> None:
    """Write the names, the index of ``groups``, down the left of a forest, each in the colour of its group."""
    axes.set_yticks(np.arange(len(groups))[::-1], [broken(name) for name in groups.index], linespacing=0.95)
    for tick, group in zip(axes.get_yticklabels(), groups, strict=True):
        tick.set_color(GROUPS[group])


def _name_groups(axes: Axes, groups: Iterable[str]) -> None:
    """Write the names of the groups in their colours above the axes, side by side."""
    for i, group in enumerate(group for group in GROUPS if group in set(groups)):
        note(axes, f"{'○' if group == 'oracle' else '●'} {group}", (0, 1), (52 * i, 4), color=GROUPS[group])
