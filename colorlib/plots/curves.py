"""Scores over a budget: one line for each design, with its band, named at its end."""

import itertools

import pandas as pd
from matplotlib.figure import Figure

from colorlib.plots.labels import label_ends
from colorlib.plots.style import LINES, new_figure, rule, style


@style()
def plot_curves(
    points: pd.DataFrame, x: str, x_label: str, label: str, forecasts: pd.DataFrame, title: str = ""
) -> Figure:
    """Draw scores over budgets with their bands, each curve named at its end.

    Args:
        points: columns name, ``x``, mean, low and high, a curve's budgets in order.
        x, x_label, label: the column of the budget, and the axes' words.
        forecasts: index = names; the column forecast, drawn as a hollow mark at the curve's last budget.
        title: what is to be seen.
    """
    figure, grid = new_figure(3.6, title=title)
    axes, ends = grid[0, 0], []
    looks = itertools.product(("o-", "o--"), LINES)  # dashed where the colours begin anew
    for (name, curve), (line, color) in zip(points.groupby("name", sort=False), itertools.cycle(looks), strict=False):
        axes.plot(curve[x], curve["mean"], line, ms=4, color=color)
        axes.fill_between(curve[x], curve["low"], curve["high"], color=color, alpha=0.15, lw=0)
        if name in forecasts.index:
            axes.plot(curve[x].iloc[-1], forecasts.loc[name, "forecast"], "o", ms=7, mfc="none", color=color)
        ends.append((*curve[[x, "mean"]].iloc[-1], name, color))
    axes.set_xscale("log")
    if points.groupby("name")[x].apply(tuple).nunique() == 1:
        budgets = sorted(set(points[x]))
        axes.set_xticks(budgets, [f"{budget:,}" for budget in budgets])
        axes.minorticks_off()
    axes.set(xlabel=x_label, ylabel=label)
    rule(axes)
    label_ends(axes, ends)
    return figure
