"""Several answers: how far the answers of a network that samples lie apart, and what the nearest is worth."""

from functools import cached_property

import pandas as pd

from colorlib import plots
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.words import number, plural


class Several(Section):
    heading = "Several answers"

    @cached_property
    def means(self) -> pd.DataFrame:
        """The scores in ``several.csv`` of all networks that sample, by label and k, the mean over seeds."""
        found = self.c.gathered("several.csv")
        if found.empty:
            return pd.DataFrame(columns=["label", "k"])
        return found.drop(columns="seed").groupby(["label", "k"], sort=False).mean().reset_index()

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        return {"several.csv": self.means}

    @cached_property
    def sentences(self) -> list[str]:
        sentences = []
        for label, table in self.means.groupby("label", sort=False):
            most = table.loc[table["k"].idxmax()]
            sentences.append(
                f"{label}: {int(most['k'])} answers to one photograph lie {number(most['diversity'], 1)} ΔE apart on "
                f"average; the ΔE 76 of their average is {number(most['mean_of_k_delta_e_76'])}, and that of the "
                f"nearest, which takes the truth to choose, {number(most['best_of_k_delta_e_76'])}."
            )
        return sentences

    @cached_property
    def charts(self) -> dict[str, Chart]:
        c = self.c
        if self.means.empty or c.best is None:
            return {}
        names = {f"{name}_of_k_delta_e_76": name for name in ("best", "mean")}
        best = f"{c.best}, one answer to each of {plural(len(c.ids), 'photograph')}"
        line = self.means.loc[self.means["k"].idxmax()]
        title = (
            f"Of {line['k']:.0f} answers of {line['label']} the nearest errs by "
            f"{number(line['best_of_k_delta_e_76'], 1)}, their average by {number(line['mean_of_k_delta_e_76'], 1)}"
        )
        table = self.means.rename(columns={"label": "name", **names})
        figure = plots.plot_several(table, (best, c.mean("delta_e_76", c.best)), title)
        caption = (
            "The best of k is chosen with the truth in hand, so it is no score of a colorizer that must answer once; "
            "it says whether the right colours are among the answers."
        )
        return {"several": Chart(figure, title, caption)}

    @cached_property
    def table(self) -> list[list[str]]:
        """A line for each row and number of answers k: how far apart they are, and two ways to score them."""
        heads = ["diversity, ΔE", "ΔE 76 of the average of k", "ΔE 76 of the best of k, which needs the truth"]
        scores = ("diversity", "mean_of_k_delta_e_76", "best_of_k_delta_e_76")
        return [["row", "k", *heads]] + [
            [line["label"], f"{line['k']:.0f}", *(number(line[score]) for score in scores)]
            for line in self.means.to_dict("records")
        ]
