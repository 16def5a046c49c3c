"""Learning curves: one colour for each row of the study, one line for each seed."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from colorlib.plots.labels import label_ends, note
from colorlib.plots.style import FAINT, LINES, RULE, interval, new_figure, rule, style

DASHES = ("", (4, 1.5), (1, 1))  # of the first names, and then of those that come when the colours have run out


@style()
def plot_history(
    histories: Mapping[str, Sequence[pd.DataFrame]],
    y: str = "val_delta_e_76",
    label: str = "ΔE76 on validation photographs",
    x: str = "images_seen",
    x_label: str = "photographs seen in training",
    log: bool = False,
    named: int = 10,
) -> Figure:
    """Draw learning curves, one colour per row and one line per seed, each named at its end.

    Args:
        histories: name → one table per seed with the columns ``x`` and ``y``.
        y, x: columns; rows where ``y`` is empty are left out.
        label, x_label: the axes' words, with units.
        log: a logarithmic y axis.
        named: so many rows, the first ones, are coloured and named where there are more; the others stay grey.
    """
    figure, grid = new_figure(7.2, max(3.4, 1.2 + 0.25 * min(len(histories), named)))
    axes = grid[0, 0]
    lines, colors = _lines_of({"": histories}, x, y), _colors_of(list(histories)[:named])
    _draw(axes, lines, lines["name"].isin(colors), colors, x, y, lw=1.1 if lines["seed"].any() else 1.6)
    if log:
        axes.set_yscale("log")
    axes.set(xlabel=x_label, ylabel=label)
    _cut_off(axes, lines[y])
    ends = lines[lines["seed"] == 0].groupby("name").last()
    label_ends(axes, [(*ends.loc[name, [x, y]], name, color) for name, color in colors.items() if name in ends.index])
    return figure


@style()
def plot_training_sizes(curves: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """Draw a score over the number of photographs learned from, one line for each curve, with its interval.

    Args:
        curves: name → columns photographs, mean, low and high, in order of photographs.
        label: what mean is, with its unit.
    """
    figure, grid = new_figure(7.2, 3.6)
    axes = grid[0, 0]
    ends = []
    for (name, table), color in zip(curves.items(), itertools.cycle(LINES), strict=False):
        sns.lineplot(
            **interval(table, "mean", "low", "high"), x="photographs", y="drawn", sort=False, color=color, marker="o",
            ms=5, err_kws={"alpha": 0.18, "lw": 0}, ax=axes,
        )  # fmt: skip
        ends.append((*table[["photographs", "mean"]].iloc[-1], name, color))
    counts = sorted({count for table in curves.values() for count in table["photographs"]})
    axes.set_xscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set(xlabel="photographs learned from", ylabel=label)
    rule(axes)
    label_ends(axes, ends)
    return figure


@style()
def plot_history_groups(
    groups: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]],
    y: str = "val_delta_e_76",
    label: str = "ΔE76 on validation photographs",
    x: str = "images_seen",
    x_label: str = "photographs seen in training",
) -> Figure:
    """Draw many learning curves, a panel for each group with its own in colour and all others grey behind them.

    Args:
        groups: title of the panel → name → one table per seed; a name has one colour in all panels.
        y, label, x, x_label: as for :func:`plot_history`.
    """
    lines = _lines_of(groups, x, y)
    colors = _colors_of(dict.fromkeys(name for histories in groups.values() for name in histories))
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    height = max(1.9, 1.1 + 0.13 * max(len(histories) for histories in groups.values()))
    figure, grid = new_figure(7.2, 0.6 + height * rows, columns, rows, sharex=True, sharey=True)
    for axes in grid.flat[len(groups) :]:
        axes.set_axis_off()
    for axes, (title, histories) in zip(grid.flat, groups.items(), strict=False):
        _draw(axes, lines, lines["panel"] == title, colors, x, y, lw=1.2)
        for line, name in enumerate(histories):
            look = {"ha": "right", "va": "top", "fontsize": 6.5, "color": colors[name]}
            note(axes, name, (1, 1), (0, -2 - 9 * line), **look)
        axes.set_title(title)
        axes.xaxis.set_major_locator(MaxNLocator(3))
    _cut_off(grid[0, 0], lines[y])
    figure.supxlabel(x_label, fontsize=9, color=FAINT)
    figure.supylabel(label, fontsize=9, color=FAINT)
    return figure


def _lines_of(groups: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]], x: str, y: str) -> pd.DataFrame:
    """Return the points of all lines where ``y`` is known: columns panel, name, seed, line (a number), ``x``, ``y``."""
    tables = {
        (panel, name, seed): table[[x, y]].dropna(subset=[y])
        for panel, histories in groups.items()
        for name, seeds in histories.items()
        for seed, table in enumerate(seeds)
    }
    lines = pd.concat(tables, names=["panel", "name", "seed"])
    lines["line"] = lines.groupby(level=["panel", "name", "seed"], sort=False).ngroup()
    return lines.reset_index(["panel", "name", "seed"]).reset_index(drop=True)


def _colors_of(names: Iterable[str]) -> dict[str, str]:
    return dict(zip(names, itertools.cycle(LINES)))


def _draw(
    axes: Axes, lines: pd.DataFrame, own: pd.Series, colors: Mapping[str, str], x: str, y: str, lw: float
) -> None:
    """Draw the lines in the colours of their names where ``own`` is true, and the others grey behind them."""
    given = {"x": x, "y": y, "units": "line", "estimator": None, "sort": False, "legend": False, "ax": axes}
    dashes = {name: DASHES[i // len(LINES) % len(DASHES)] for i, name in enumerate(colors)}
    if not own.all():
        sns.lineplot(lines[~own], color=RULE, lw=0.9, zorder=1, **given)
    if own.any():
        sns.lineplot(lines[own], hue="name", palette=colors, style="name", dashes=dashes, lw=lw, **given)
    axes.set(xlabel="", ylabel="")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.margins(x=0)
    rule(axes)


def _cut_off(axes: Axes, values: pd.Series) -> None:
    """End the y axis where nearly all values lie, so that one training gone astray does not flatten the others."""
    if len(values) and values.max() > 2 * (high := float(values.quantile(0.9))):
        axes.set_ylim(top=1.3 * high)
        note(axes, f"up to {values.max():,.0f}, cut off", (0.01, 1), (0, -2), va="top", fontsize=7, color=FAINT)
