"""Learning curves: the best rows in colour before all others, or each row in a panel of its own."""

import itertools
from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from colorlib.plots.labels import LINE, label_ends, note
from colorlib.plots.style import FAINT, LINES, NAMED, RULE, SMALL, WIDTH, folded, interval, new_figure, rule, style

COLUMNS = 3  # panels beside one another
SETTLED = 0.2  # of a training, after which a curve says how high the axis must reach
Y, X = "val_delta_e_76", "images_seen"
LABEL, X_LABEL = "ΔE76 on validation photographs", "photographs seen in training"


@style()
def plot_history(
    histories: Mapping[str, Sequence[pd.DataFrame]],
    y: str = Y,
    label: str = LABEL,
    x: str = X,
    x_label: str = X_LABEL,
    log: bool = False,
    named: int = NAMED,
    title: str = "",
) -> Figure:
    """Draw learning curves, one colour per row and one line per seed, each named at its end.

    The axis is that of the named rows once they have settled; what lies far above it is cut off.

    Args:
        histories: name → one table per seed with the columns ``x`` and ``y``.
        y, x: columns; rows where ``y`` is empty are left out.
        label, x_label: the axes' words, with units.
        log: a logarithmic y axis.
        named: so many rows, the first ones, are coloured and named where there are more; the others stay grey.
        title: what is to be seen.
    """
    figure, grid = new_figure(3.2, title=title)
    axes = grid[0, 0]
    lines = _lines_of(histories, x, y)
    colors = dict(zip(list(histories)[:named], itertools.cycle(LINES)))
    own = lines["name"].isin(colors)
    _draw(axes, lines, own, colors, x, y)
    if log:
        axes.set_yscale("log")
    else:
        _cut_off(axes, lines, lines[own], x, y)
    axes.set(xlabel=x_label, ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    ends = lines[lines["seed"] == 0].groupby("name").last()
    label_ends(axes, [(*ends.loc[name, [x, y]], name, color) for name, color in colors.items() if name in ends.index])
    return figure


@style()
def plot_history_rows(
    histories: Mapping[str, Sequence[pd.DataFrame]],
    y: str = Y,
    label: str = LABEL,
    x: str = X,
    x_label: str = X_LABEL,
    title: str = "",
) -> Figure:
    """Draw many learning curves, a panel for each row with its own in colour and all others grey behind them.

    Args:
        histories, y, label, x, x_label, title: as for :func:`plot_history`.
    """
    lines = _lines_of(histories, x, y)
    names = [folded(name, WIDTH / COLUMNS - 0.35) for name in histories]
    lines_of_names = [
        max(1 + name.count("\n") for name in names[i : i + COLUMNS]) for i in range(0, len(names), COLUMNS)
    ]
    rows, height = len(lines_of_names), sum(0.75 + LINE / 72 * count for count in lines_of_names)
    figure, grid = new_figure(0.4 + height, COLUMNS, rows, title=title, sharex=True, sharey=True)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    for axes in grid.flat[max(0, len(names) - COLUMNS) : len(names)]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
    for axes, name, words in zip(grid.flat, histories, names, strict=False):
        _draw(axes, lines, lines["name"] == name, {name: LINES[0]}, x, y)
        axes.set_title(words, fontweight="normal")
        axes.xaxis.set_major_locator(MaxNLocator(2))
        axes.yaxis.set_major_locator(MaxNLocator(3))
    _cut_off(grid[0, 0], lines, lines, x, y, say=False)
    top = grid[0, 0].get_ylim()[1]
    for axes, name in zip(grid.flat, histories, strict=False):
        lowest = lines[lines["name"] == name][y].min()
        if lowest > top:
            note(axes, f"above, at {lowest:,.0f}", (0.97, 0.95), (0, 0), ha="right", va="top", color=LINES[0])
    figure.supxlabel(x_label, fontsize=SMALL, color=FAINT)
    figure.supylabel(label, fontsize=SMALL, color=FAINT)
    return figure


@style()
def plot_training_sizes(curves: Mapping[str, pd.DataFrame], label: str, title: str = "") -> Figure:
    """Draw a score over the number of photographs learned from, one line for each curve, with its interval.

    Args:
        curves: name → columns photographs, mean, low and high, in order of photographs.
        label: what mean is, with its unit.
        title: what is to be seen.
    """
    figure, grid = new_figure(3.2, title=title)
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


def _lines_of(histories: Mapping[str, Sequence[pd.DataFrame]], x: str, y: str) -> pd.DataFrame:
    """Return the points of all lines where ``y`` is known: columns name, seed, line (a number), ``x``, ``y``."""
    tables = {
        (name, seed): table[[x, y]].dropna(subset=[y])
        for name, seeds in histories.items()
        for seed, table in enumerate(seeds)
    }
    lines = pd.concat(tables, names=["name", "seed"])
    lines["line"] = lines.groupby(level=["name", "seed"], sort=False).ngroup()
    return lines.reset_index(["name", "seed"]).reset_index(drop=True)


def _draw(axes: Axes, lines: pd.DataFrame, own: pd.Series, colors: Mapping[str, str], x: str, y: str) -> None:
    """Draw the lines in the colours of their names where ``own`` is true, and the others' first seeds grey behind."""
    given = {"x": x, "y": y, "units": "line", "estimator": None, "sort": False, "legend": False, "ax": axes}
    first = lines["seed"] == 0
    looks = ((~own & first, RULE, 0.9, 1), (own & ~first, None, 0.7, 2), (own & first, None, 1.7, 3))
    for chosen, color, lw, zorder in looks:
        if chosen.any():
            hue = {"color": color} if color else {"hue": "name", "palette": dict(colors)}
            sns.lineplot(lines[chosen], lw=lw, zorder=zorder, **hue, **given)
    axes.set(xlabel="", ylabel="")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.margins(x=0)
    rule(axes)


def _cut_off(axes: Axes, lines: pd.DataFrame, own: pd.DataFrame, x: str, y: str, say: bool = True) -> None:
    """End the y axis where nearly all of the settled ``own`` values lie, if what is higher would flatten them."""
    settled = own[y][own[x] >= SETTLED * own[x].max()]
    if not len(settled):
        return
    low, high = min(lines[y].min(), settled.min()), settled.quantile(0.9)
    if lines[y].max() - low > 4 * (high - low) > 0:
        axes.set_ylim(low - 0.1 * (high - low), high + 0.3 * (high - low))
        if say:
            text = f"up to {lines[y].max():,.3g}, cut off"
            note(axes, text, (0.99, 1), (0, -2), ha="right", va="top", color=FAINT)
