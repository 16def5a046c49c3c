"""Learning curves: the validation error while training, over photographs seen."""

from functools import cached_property

import numpy as np
import pandas as pd

from colorlib import plots
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.words import number, plural

ERROR = "val_delta_e_76"
CAPTION = (
    "Error on the validation split while training, a line for each seed. The weights that were judged are those of "
    "the lowest validation loss; where a critic taught, the last that have not left the photographs."
)


class Histories(Section):
    heading = "Learning curves"

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        shown = ["images_seen", "seconds", "val_delta_e_76"]  # which a history may lack
        tables = [
            run.history.reindex(columns=shown).assign(label=label, seed=run.config.get("seed"))
            for label in self.c.trained
            for run in self.c.by_label[label].runs
            if run.history is not None
        ]
        return {"histories.csv": pd.concat(tables)[["label", "seed", *shown]]} if tables else {}

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """The curves of all rows in one figure, and where they are many each once more in a panel of its own."""
        rows = [self.c.by_label[label] for label in self.c.trained]
        histories = {row.label: [run.history for run in row.runs if run.history is not None] for row in rows}
        histories = {label: tables for label, tables in histories.items() if tables}
        if not histories:
            return {}
        ends = {label: np.mean([t[ERROR].dropna().iloc[-1] for t in histories[label]]) for label in histories}
        lowest = min(ends, key=ends.__getitem__)
        title = f"{lowest} ends lowest, with a validation error of {number(ends[lowest], 1)}"
        if len(histories) <= plots.NAMED:
            return {"history": Chart(plots.plot_history(histories, title=title), title, CAPTION)}
        caption = f"{CAPTION} Named are the {plots.NAMED} that score best on the test photographs."
        words = f"The curves of {plural(len(histories), 'row')}, one by one"
        figure = plots.plot_history_rows(histories, title=words)
        return {
            "history": Chart(plots.plot_history(histories, title=title), title, caption),
            "history_rows": Chart(figure, words, "Blue is the row, grey are all others.", folded=True),
        }
