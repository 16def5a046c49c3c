"""Two scores against one another: quality and cost, error and colourfulness, PSNR and hints, error and diversity.

Where many rows are points of a plane, those that no other beats in both scores are named and coloured, and the others
stay pale: names of all would lie over one another.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from colorlib.plots.labels import label_ends, label_points, mark, note, settle
from colorlib.plots.style import (
    BROKEN,
    FAINT,
    GROUPS,
    LINES,
    NAMED,
    PAPER,
    RULE,
    WIDTH,
    folded,
    interval,
    new_figure,
    range_of,
    rule,
    style,
)

FEW = 8  # points that are all named


def unbeaten(x: pd.Series, y: pd.Series) -> list[str]:
    """Return the names that no other beats in both ``x`` and ``y``, of which less is better; the lowest x first.

    Example:
        >>> unbeaten(pd.Series({"a": 1, "b": 2, "c": 3}), pd.Series({"a": 5.0, "b": 7.0, "c": 4.0}))
        ['a', 'c']
    """
    order = pd.DataFrame({"x": x, "y": y}).dropna().sort_values(["x", "y"], kind="stable")
    return order.index[order["y"] < order["y"].cummin().shift(fill_value=np.inf)].tolist()


@style()
def plot_pareto(
    table: pd.DataFrame,
    costs: Mapping[str, str],
    label: str,
    higher_is_better: bool = False,
    reference: tuple[str, float] | None = None,
    title: str = "",
) -> Figure:
    """Draw quality against cost, one panel per cost, with the frontier no row beats in both.

    Args:
        table: index = names of the rows; columns mean, low, high, group and one per cost.
        costs: column → the axis' words with unit; rows without that cost are left out of its panel, and the axis is
            logarithmic where the costs differ much.
        label: what mean is, with its unit.
        higher_is_better: which end of the quality axis is good.
        reference: a name and a value drawn as a line across, for example what leaving every photograph grey scores.
        title: what is to be seen.
    """
    figure, grid = new_figure(0.2 + 3.8 * len(costs), rows=len(costs), title=title, sharey=True)
    panels = []
    ends = range_of(table, [reference[1]] if reference else [], higher_is_better)
    for axes, (cost, words) in zip(grid[:, 0], costs.items(), strict=True):
        rows = table[pd.to_numeric(table[cost]) > 0].astype({cost: float}).rename(columns={cost: "x", "mean": "y"})
        best = unbeaten(rows["x"], -rows["y"] if higher_is_better else rows["y"])
        named = list(rows.index) if len(rows) <= FEW else best
        x = rows["x"].sort_values().to_numpy()
        log = len(x) > 0 and x[-1] > 8 * x[0]
        axes.set_xscale("log" if log else "linear")
        if best:
            front = rows.loc[best]
            axes.step(
                [*front["x"], x[-1]], [*front["y"], front["y"].iloc[-1]], where="post", color=RULE, lw=5, zorder=0
            )
        pale = ~rows.index.isin(named)
        bars = rows[~pale]
        axes.vlines(bars["x"], bars["low"], bars["high"], colors=[*bars["group"].map(GROUPS)], alpha=0.4, lw=2)
        _scatter(axes, rows, pale)
        axes.set(xlabel=words, ylabel=label, ylim=ends)
        rule(axes)
        if log:
            axes.set_xlim(x[0] / 2, x[-1] * 2)
            axes.xaxis.set_minor_formatter("")
        elif len(x):
            axes.set_xlim(0, x[-1] * 1.25)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        if reference:
            mark(axes, *reference, "trivial")
        _say_beyond(axes, rows, "y", ends)
        panels.append((axes, rows, named))
    settle(figure)
    for axes, rows, named in panels:
        shown = rows[rows["y"].between(*ends)]
        label_points(axes, _as_texts(shown), [shown.index.get_loc(name) for name in named if name in shown.index])
    return figure


def _scatter(axes: Axes, points: pd.DataFrame, pale: np.ndarray) -> None:
    """Draw a point for each row in the colour of its group, smaller and fainter where it is pale."""
    for rows, look in ((points[pale], {"s": 18, "alpha": 0.4}), (points[~pale], {"s": 42})):
        if len(rows):
            sns.scatterplot(rows, x="x", y="y", hue="group", palette=GROUPS, zorder=3, legend=False, ax=axes, **look)


def _say_beyond(axes: Axes, points: pd.DataFrame, axis: str, ends: tuple[float, float]) -> None:
    """Say above the axes, at the right, how many points lie beyond the ends of an axis."""
    words = ("below", "above") if axis == "y" else ("to the left", "to the right")
    counts = (points[axis] < ends[0]).sum(), (points[axis] > ends[1]).sum()
    said = [f"{count} more {word}" for count, word in zip(counts, words, strict=True) if count]
    if said:
        note(axes, ", ".join(said), (1, 1), (0, 3), ha="right", color=FAINT)


@style()
def plot_plane(
    points: pd.DataFrame,
    curves: Mapping[str, pd.DataFrame],
    x_label: str,
    y_label: str,
    x_mark: tuple[str, float] | None = None,
    y_mark: tuple[str, float] | None = None,
    title: str = "",
) -> Figure:
    """Draw rows as points in a plane of two scores, and what one network reaches as a curve.

    Named are the curves, and the rows that no other beats in both: the lower x and the nearer to ``y_mark``.

    Args:
        points: index = names of the rows; columns x, y and group.
        curves: name → table with the columns x, y, mark (the number to write at the curve's ends) and name (of the
            row among ``points`` that is on the curve and gets no name of its own), in order.
        x_label, y_label: the axes' words, with units.
        x_mark, y_mark: a name and a value drawn as a line across; of x none where it lies beyond the points.
        title: what is to be seen.
    """
    figure, grid = new_figure(4.6, title=title)
    axes = grid[0, 0]
    ends = {}
    for axis in "xy":
        values = pd.concat(
            [points[[axis, "group"]], *(table[[axis]].assign(group="trained") for table in curves.values())]
        )
        ends[axis] = range_of(values.assign(mean=values[axis], low=values[axis], high=values[axis]))
    on_curve = [name for table in curves.values() for name in table["name"]]  # named by its curve
    others = points.drop(index=[name for name in on_curve if name in points.index])
    best = unbeaten(others["x"], (others["y"] - y_mark[1]).abs() if y_mark else -others["y"])
    named = list(others.index) if len(others) <= FEW else best
    if y_mark:
        ends["y"] = min(ends["y"][0], y_mark[1] - 1), max(ends["y"][1], y_mark[1] + 2)
    axes.set(xlabel=x_label, ylabel=y_label, xlim=ends["x"], ylim=ends["y"])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    rule(axes, "both")
    if x_mark and ends["x"][0] < x_mark[1] < ends["x"][1]:
        mark(axes, *x_mark, "trivial", across=False)
    if y_mark:
        mark(axes, *y_mark, "trivial")
    _scatter(axes, points, ~points.index.isin(named))
    _say_beyond(axes, points, "x", ends["x"])
    marks = [_as_texts(points)]
    for (name, table), color in zip(curves.items(), itertools.cycle(LINES[1:]), strict=False):
        axes.plot(table["x"], table["y"], "-o", color=color, ms=3, zorder=2)
        steps = np.linspace(0, len(table) - 1, 12 * len(table) - 11)  # the line itself, which no text may cover
        line = pd.DataFrame({axis: np.interp(steps, range(len(table)), table[axis]) for axis in "xy"})
        words = [f"{name}: {table['mark'].iloc[0]:g}", *[""] * (len(line) - 2), f"{table['mark'].iloc[-1]:g}"]
        marks.append(line.assign(text=words, color=color))
    texts = pd.concat(marks, ignore_index=True)
    shown = texts[texts["x"].between(*ends["x"]) & texts["y"].between(*ends["y"])].reset_index(drop=True)
    first = [i for i in shown.index[shown["text"] != ""] if shown["text"][i] not in points.index]
    settle(figure)
    label_points(axes, shown, first + [i for name in named for i in shown.index[shown["text"] == name]])
    return figure


def _as_texts(points: pd.DataFrame) -> pd.DataFrame:
    """Return points, their index the names, as :func:`label_points` takes them."""
    return points[["x", "y"]].assign(text=points.index, color=points["group"].map(GROUPS).to_numpy())


@style()
def plot_hints(
    curves: Mapping[str, Sequence[pd.DataFrame]], reference: tuple[str, Mapping[int, float]], title: str = ""
) -> Figure:
    """Draw PSNR against the number of hints, one line for each seed of a row, with its interval where it is known.

    Where rows are more than a reader can tell apart, those that end highest have colours and names.

    Args:
        curves: name → one table per seed; columns hints, psnr_rgb_db, psnr_rgb_db_low, psnr_rgb_db_high.
        reference: a name and {number of hints: PSNR in dB} of another network, drawn grey and broken.
        title: what is to be seen.
    """
    figure, grid = new_figure(3.6, title=title)
    axes = grid[0, 0]
    name, published = reference
    axes.plot(list(published), list(published.values()), color=FAINT, ls=(0, (4, 2)), marker="o", ms=3, mfc=PAPER)
    axes.set_title(folded(f"broken: {name}", WIDTH - 0.7), color=FAINT, fontweight="normal")
    ends = []
    highest = sorted(curves, key=lambda name: -curves[name][0]["psnr_rgb_db"].iloc[-1])[:NAMED]
    colors = dict(zip((name for name in curves if name in highest), LINES, strict=False))
    for table in itertools.chain(*(tables for name, tables in curves.items() if name not in colors)):
        axes.plot(table["hints"], table["psnr_rgb_db"], color=RULE, lw=0.8, zorder=2)
    for name, color in colors.items():
        tables = curves[name]
        for table in tables:
            sns.lineplot(
                **interval(table, "psnr_rgb_db", "psnr_rgb_db_low", "psnr_rgb_db_high"), x="hints", y="drawn",
                sort=False, color=color, lw=1.6 if len(tables) == 1 else 1, zorder=3, ax=axes,
                err_kws={"alpha": 0.18 / len(tables), "lw": 0},
            )  # fmt: skip
        ends.append((tables[0]["hints"].iloc[-1], tables[0]["psnr_rgb_db"].iloc[-1], name, color))
    axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    counts = sorted(
        {*published, *(count for tables in curves.values() for table in tables for count in table["hints"])}
    )
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set(xlabel="hints per photograph", ylabel="mean PSNR [dB]", xlim=(0, None))
    rule(axes)
    label_ends(axes, ends)
    return figure


@style()
def plot_several(table: pd.DataFrame, reference: tuple[str, float] | None = None, title: str = "") -> Figure:
    """Draw error against diversity of networks that give several answers: their average filled, the nearest hollow.

    A network is named where it gives most answers; the numbers beside the hollow marks say how many.

    Args:
        table: one line per row and k; columns name, k, diversity, mean (the error of the average of k answers) and
            best (of the nearest one), all ΔE76. One answer has no diversity and is not drawn.
        reference: a name and an error drawn as a line across, for example of a row that answers once.
        title: what is to be seen.
    """
    figure, grid = new_figure(3.8, title=title)
    axes = grid[0, 0]
    table = table.dropna(subset=["diversity"])
    colors = dict(zip(table["name"].unique(), itertools.cycle(LINES)))
    marks = []
    for name, rows in table.groupby("name", sort=False):
        color = colors[name]
        axes.vlines(rows["diversity"], rows["best"], rows["mean"], color=color, lw=1.2, alpha=0.5)
        for y, face in (("mean", color), ("best", PAPER)):
            axes.plot(rows["diversity"], rows[y], "o", ms=6, mfc=face, mec=color, mew=1.4)
        numbers = pd.DataFrame({"x": rows["diversity"], "y": rows["best"], "text": rows["k"].map("{:.0f}".format)})
        named = rows.loc[[rows["k"].idxmax()]]
        names = pd.DataFrame({"x": named["diversity"], "y": named["mean"], "text": name})
        marks += [numbers.assign(color=color), names.assign(color=color)]
    words = "filled: the average of so many answers; hollow: the nearest of them"
    if reference:
        axes.axhline(reference[1], color=GROUPS["trained"], lw=1, ls=BROKEN, zorder=0)
        words += f"; broken: {reference[0]}"
    axes.set_title(folded(words, WIDTH - 0.9), color=FAINT, fontweight="normal")
    axes.set(xlabel="diversity: ΔE 76 between two answers to one photograph", ylabel="ΔE 76 to the photograph")
    axes.margins(0.3, 0.15)
    rule(axes)
    settle(figure)
    label_points(axes, pd.concat(marks, ignore_index=True), range(sum(map(len, marks))))
    return figure
