"""The human study in words and one figure: who counts, how often people were fooled, and how many are needed."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from colorlib.human_study.rates import Sessions, counted_answers, fooling_rates, rate_differences
from colorlib.plots import FAINT, plot_forest, style
from colorlib.statistics import Interval


def answers_needed(rate: float, difference: float = 0.05, design_effect: float = 1.0, power: float = 0.8) -> int:
    """Return how many answers each of two models needs for a true difference to show.

    Args:
        rate: the lower fooling rate, in (0, 1).
        difference: of the other one, in (0, 1 − rate).
        design_effect: see :class:`~colorlib.human_study.rates.Rate`.
        power: how often it is to show, at the 5 % level.

    Example:
        >>> answers_needed(0.30)
        1374
    """
    quantiles = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(power)
    other = rate + difference
    variance = rate * (1 - rate) + other * (1 - other)
    return math.ceil(design_effect * variance * (quantiles / difference) ** 2)


def about_power(table: pd.DataFrame, scored: int, models: int) -> str:
    """Say in a sentence how many answers, and people, a difference of 5 points takes.

    Args:
        table: of :func:`fooling_rates`; empty before the first answer, when a rate of 30 % is supposed.
        scored: trials of a session that count.
        models: that they are divided among.
    """
    rate = float(np.clip(np.average(table["rate"], weights=table["answers"]) / 100, 0.01, 0.94)) if len(table) else 0.3
    effect = float(table["design_effect"].mean()) if len(table) else 1.0
    needed = answers_needed(rate, design_effect=effect)
    people = math.ceil(needed * models / scored)
    basis = f"the design effect of {effect:.1f} that these answers have" if effect > 1 else "independent answers"
    return (
        f"To tell {100 * rate:.0f} % from {100 * rate + 5:.0f} % four times in five takes {needed:,} answers for each "
        f"model, reckoned with {basis}: {people:,} people who finish a session like this one."
    )


@style()
def plot_rates(table: pd.DataFrame) -> Figure:
    """Draw the rates of :func:`fooling_rates` with their intervals, and the 50 % of a model nobody can tell."""
    forest = table.rename(columns={"rate": "mean"}).assign(group="judged")
    figure = plot_forest(forest, "fooling rate, %", "50: nobody can tell", higher_is_better=True)
    axes = figure.axes[0]
    axes.axvline(50, color=FAINT, lw=1, ls=(0, (4, 3)), zorder=0)
    axes.set_xlim(0, max(60, 1.03 * forest["high"].max()))
    return figure


def summary(answers: pd.DataFrame) -> str:
    """Return the table, the differences and who was left out, as text."""
    counted, sessions = counted_answers(answers)
    lines = [about_sessions(sessions)]
    if len(counted):
        table = fooling_rates(counted)
        lines += ["", table.round(1).to_string(), ""]
        lines += [about_difference(*pair, found) for pair, found in rate_differences(counted).items()]
        per_session = counted.groupby("session").size().max()
        lines += [about_power(table, per_session, len(table))]
    return "\n".join(lines)


def about_sessions(sessions: Sessions) -> str:
    """Say who counts and who was left out."""
    return (
        f"{sessions.counted:,} people count; left out are {sessions.inattentive:,} who got fewer than three in four "
        f"checks right, and {sessions.unfinished:,} who left before the first check."
    )


def about_difference(first: str, second: str, found: Interval) -> str:
    """Say what a difference of :func:`rate_differences` amounts to."""
    gap, low, high = (f"{value:+.1f}".replace("-", "−") for value in found)
    sure = "told apart" if found.low > 0 or found.high < 0 else "not told apart"
    return f"{first} less {second}: {gap} points, 95 % interval {low} to {high}, so they are {sure}."
