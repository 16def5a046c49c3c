"""Two scores against one another: quality and cost, error and colourfulness, PSNR and hints, error and diversity."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from colorlib.plots.labels import folded, label_ends, label_points, mark, note
from colorlib.plots.style import FAINT, GROUPS, LINES, MANY, PAPER, RULE, interval, new_figure, range_of, rule, style


@style()
def plot_pareto(
    table: pd.DataFrame,
    costs: Mapping[str, str],
    label: str,
    higher_is_better: bool = False,
    reference: tuple[str, float] | None = None,
) -> Figure:
    """Draw quality against cost, one panel per cost, with the frontier no row beats in both.

    Args:
        table: index = names of the rows; columns mean, low, high, group and one per cost.
        costs: column → the axis' words with unit; rows without that cost are left out of its panel, and the axis is
            logarithmic where the costs differ much.
        label: what mean is, with its unit.
        higher_is_better: which end of the quality axis is good.
        reference: a name and a value drawn as a line across, for example what leaving every photograph grey scores.
    """
    figure, grid = new_figure(7.2, 4.2 if len(table) <= MANY else 6.0, len(costs), sharey=True)
    panels = []
    for axes, (cost, words) in zip(grid[0], costs.items(), strict=True):
        rows = table[pd.to_numeric(table[cost]) > 0].astype({cost: float}).sort_values(cost, kind="stable")
        rows = rows.rename(columns={cost: "x", "mean": "y"})
        x, y = rows["x"].to_numpy(), rows["y"].to_numpy(float)
        log = len(x) > 0 and x[-1] > 8 * x[0]
        axes.set_xscale("log" if log else "linear")
        best = np.maximum.accumulate(y) if higher_is_better else np.minimum.accumulate(y)
        axes.step(x, best, where="post", color=RULE, lw=5, alpha=0.7, zorder=0, solid_capstyle="round")
        axes.vlines(x, rows["low"], rows["high"], colors=rows["group"].map(GROUPS), alpha=0.45, lw=2.2)
        _scatter(axes, rows, 60)
        axes.set(xlabel=words, ylabel="")
        rule(axes)
        if log:
            axes.set_xlim(x[0] / 2, x[-1] * 2)
            axes.xaxis.set_minor_formatter("")
        elif len(x):
            axes.set_xlim(0, x[-1] * 1.25)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        if reference:
            mark(axes, *reference, "trivial")
        order = np.argsort(-y if higher_is_better and len(table) > MANY else y, kind="stable").tolist()
        if len(table) > MANY:  # what no row beats in both, then the best
            frontier = np.flatnonzero((y == best) & (np.diff(best, prepend=np.nan) != 0))
            order = list(dict.fromkeys([*frontier, *order[:8]]))
        panels.append((axes, rows, order))
    grid[0, 0].set_ylabel(label)
    low, high = range_of(table, None)
    if np.isfinite(low):
        low, high = (min(low, reference[1] - 0.1), max(high, reference[1] + 0.1)) if reference else (low, high)
        grid[0, 0].set_ylim(low, high)
        beyond = [name for name, mean in table["mean"].items() if not low <= mean <= high]
        if beyond:
            names = ", ".join(beyond[:4]) + (f" and {len(beyond) - 4} more" if len(beyond) > 4 else "")
            figure.text(0.99, 0.995, f"beyond the axis: {names}", ha="right", va="top", fontsize=7, color=FAINT)
    _settle(figure)
    for panel in panels:
        label_points(*panel)
    return figure


def _scatter(axes: Axes, points: pd.DataFrame, size: float) -> None:
    """Draw a point for each row in the colour of its group."""
    if len(points):
        sns.scatterplot(points, x="x", y="y", hue="group", palette=GROUPS, s=size, zorder=3, legend=False, ax=axes)


def _settle(figure: Figure) -> None:
    """Lay a figure out for good: labels must not move what they were placed by."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


@style()
def plot_plane(
    points: pd.DataFrame,
    curves: Mapping[str, pd.DataFrame],
    x_label: str,
    y_label: str,
    x_mark: tuple[str, float] | None = None,
    y_mark: tuple[str, float] | None = None,
) -> Figure:
    """Draw rows as points in a plane of two scores, and what one network reaches as a curve.

    Args:
        points: index = names of the rows; columns x, y and group.
        curves: name → table with the columns x, y, mark (the number to write at the curve's ends) and name (of the
            row among ``points`` that is on the curve and gets no name of its own), in order.
        x_label, y_label: the axes' words, with units.
        x_mark, y_mark: a name and a value drawn as a line across.
    """
    figure, grid = new_figure(7.2, 5.0 if len(points) <= MANY else 6.4)
    axes = grid[0, 0]
    for i, ((name, table), color) in enumerate(zip(curves.items(), itertools.cycle(LINES), strict=False)):
        axes.plot(table["x"], table["y"], "-o", color=color, ms=3, zorder=2)
        note(axes, f"curve: {name}", (1, 1), (0, -11 * i), ha="right", va="top", color=color)
        for place, up, side in ((0, 5, "bottom"), (-1, -5, "top")):
            end = table.iloc[place]
            look = {"ha": "center", "va": side, "fontsize": 7, "color": color}
            note(axes, f"{end['mark']:g}", (end["x"], end["y"]), (0, up), "data", **look)
    _scatter(axes, points, 50)
    if x_mark:
        mark(axes, *x_mark, "trivial", across=False)
    if y_mark:
        mark(axes, *y_mark, "trivial")
    axes.set(xlabel=x_label, ylabel=y_label)
    rule(axes, "both")
    axes.margins(0.12)
    _settle(figure)
    named = points.index.isin([name for table in curves.values() for name in table["name"]])  # by its curve
    order = [i for i in np.argsort(points["y"].to_numpy(float), kind="stable") if not named[i]]
    label_points(axes, points.assign(low=points["y"], high=points["y"]), order)
    return figure


@style()
def plot_hints(curves: Mapping[str, Sequence[pd.DataFrame]], reference: tuple[str, Mapping[int, float]]) -> Figure:
    """Draw PSNR against the number of hints, one line for each seed of a row, with its interval where it is known.

    Args:
        curves: name → one table per seed; columns hints, psnr_rgb_db, psnr_rgb_db_low, psnr_rgb_db_high.
        reference: a name and {number of hints: PSNR in dB} of another network, drawn grey and broken.
    """
    figure, grid = new_figure(7.2, 3.8)
    axes = grid[0, 0]
    name, published = reference
    axes.plot(list(published), list(published.values()), color=FAINT, ls=(0, (4, 2)), marker="o", ms=3, mfc=PAPER)
    note(axes, folded(f"broken: {name}", 52), (0.02, 0.99), (0, 0), va="top", color=FAINT)
    ends = []
    for (name, tables), color in zip(curves.items(), itertools.cycle(LINES), strict=False):
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
    axes.set_xticks(counts, [f"{count:,}" for count in counts], fontsize=8)
    axes.minorticks_off()
    axes.set(xlabel="hints per photograph", ylabel="mean PSNR [dB]", xlim=(0, None))
    rule(axes)
    label_ends(axes, ends)
    return figure


@style()
def plot_several(table: pd.DataFrame, reference: tuple[str, float] | None = None) -> Figure:
    """Draw error against diversity of networks that give several answers: their average filled, the nearest hollow.

    Args:
        table: one line per row and k; columns name, k, diversity, mean (the error of the average of k answers) and
            best (of the nearest one), all ΔE76. One answer has no diversity and is not drawn.
        reference: a name and an error drawn as a line across, for example of a row that answers once.
    """
    figure, grid = new_figure(7.2, 3.8)
    axes = grid[0, 0]
    table = table.dropna(subset=["diversity"])
    for (name, rows), color in zip(table.groupby("name", sort=False), itertools.cycle(LINES), strict=False):
        axes.vlines(rows["diversity"], rows["best"], rows["mean"], color=color, lw=1.2, alpha=0.5)
        for y, face in (("mean", color), ("best", PAPER)):
            axes.plot(rows["diversity"], rows[y], "o", ms=6, mfc=face, mec=color, mew=1.4)
        for k, at, best in rows[["k", "diversity", "best"]].itertuples(index=False):
            note(axes, f"best of {k:.0f}", (at, best), (7, 0), "data", va="center", fontsize=7, color=color)
        words = f"{name}: average of {', '.join(f'{k:.0f}' for k in rows['k'])}"
        note(axes, words, rows[["diversity", "mean"]].iloc[0], (-6, 8), "data", ha="right", color=color)
    if reference:
        mark(axes, *reference, "trained")
    axes.set(xlabel="diversity: ΔE 76 between two answers to one photograph", ylabel="ΔE 76 to the photograph")
    axes.set_xlim(0, 1.25 * table["diversity"].max())
    axes.margins(y=0.15)
    rule(axes)
    return figure
