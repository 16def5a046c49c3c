"""Learning curves: the validation error while training, over photographs seen or over seconds."""

from functools import cached_property

import numpy as np
import pandas as pd

from colorlib import plots
from colorlib.reports.rows import by_budget
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.words import number, plural

ERROR = "val_delta_e_76"
AXES = {
    "history": (
        "images_seen",
        "photographs seen in training",
        "Error on the validation split while training, a line for each seed. The weights that were judged are those of "
        "the lowest validation loss; where a critic taught, the last.",
    ),
    "history_seconds": ("seconds", "training [s]", "The rows with a budget of seconds, over seconds of training."),
}


class Histories(Section):
    heading = "Learning curves"

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """Curves of rows with a budget of seconds over seconds, of all others over photographs."""
        charts = {}
        budgets = by_budget(self.c.rows)
        for name, (x, x_label, caption) in AXES.items():
            timed = name == "history_seconds"
            histories: dict[str, list[pd.DataFrame]] = {}
            for row in (self.c.by_label[label] for label in self.c.trained):
                tables = [run.history for run in row.runs if run.history is not None and x in run.history]
                if tables and timed == bool(budgets and row.budget and row.budget.unit == "s"):
                    histories[row.label] = tables
            if not histories:
                continue
            ends = {label: np.mean([t[ERROR].dropna().iloc[-1] for t in histories[label]]) for label in histories}
            lowest = min(ends, key=ends.__getitem__)
            title = f"{lowest} ends lowest, with a validation error of {number(ends[lowest], 1)}"
            few = len(histories) <= plots.NAMED
            if not few:
                caption += f" Named are the {plots.NAMED} that score best on the test photographs."
            charts[name] = Chart(plots.plot_history(histories, x=x, x_label=x_label, title=title), title, caption)
            if not few:
                title = f"The curves of {plural(len(histories), 'row')}, one by one"
                figure = plots.plot_history_rows(histories, x=x, x_label=x_label, title=title)
                charts[f"{name}_rows"] = Chart(figure, title, "Blue is the row, grey are all others.", folded=True)
        return charts
