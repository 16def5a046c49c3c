"""Learning curves: the validation error while training, over photographs seen or over seconds."""

from functools import cached_property

import pandas as pd

from colorlib import plots
from colorlib.reports.rows import MANY, by_budget
from colorlib.reports.sections.base import Chart, Section

AXES = {
    "history": (
        "images_seen",
        "photographs seen in training",
        "Validation error against photographs seen",
        "Error on the validation split while training; one line per seed. The weights that were judged are those of "
        "the lowest validation loss; where a critic taught, the last.",
    ),
    "history_seconds": (
        "seconds",
        "training [s]",
        "Validation error against seconds of training",
        "The rows with a budget of seconds, over seconds of training.",
    ),
}
GROUPED = "The same, network by network", "The same curves, network by network."


class Histories(Section):
    heading = "Learning curves"
    in_markdown = False

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """Curves of rows with a budget of seconds over seconds, of all others over photographs."""
        charts = {}
        budgets = by_budget(self.c.rows)
        for name, (x, x_label, words, caption) in AXES.items():
            timed = name == "history_seconds"
            histories: dict[str, list[pd.DataFrame]] = {}
            groups: dict[str, dict[str, list[pd.DataFrame]]] = {}  # the same, by network and objective
            for row in (self.c.by_label[label] for label in self.c.trained):
                tables = [run.history for run in row.runs if run.history is not None and x in run.history]
                if tables and timed == bool(budgets and row.budget and row.budget.unit == "s"):
                    network, _, objective = row.label.partition(" · ")
                    histories[row.label] = groups.setdefault(network, {})[objective or row.label] = tables
            if histories:
                charts[name] = Chart(plots.plot_history(histories, x=x, x_label=x_label), words, caption)
            if len(histories) > MANY and len(groups) < len(histories):
                charts[f"{name}_groups"] = Chart(plots.plot_history_groups(groups, x=x, x_label=x_label), *GROUPED)
        return charts
