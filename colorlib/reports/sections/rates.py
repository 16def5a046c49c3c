"""At which learning rate each row was trained, what else was tried, and where that leaves a better one open."""

from functools import cached_property

import pandas as pd

from colorlib.reports.sections.base import Section
from colorlib.reports.words import listed, plural

NAMED = 6  # rows of one kind


class Rates(Section):
    heading = "Learning rates"

    @cached_property
    def sweeps(self) -> pd.DataFrame:
        """What was tried for each row: label, learning_rate, images_seen, val_loss and chosen (0 or 1).

        Seeds share a sweep; of those that swept anew, on another machine, the losses differ in the last digits.
        """
        found = self.c.gathered("sweep.csv").drop(columns="seed")
        if len(found):
            found = found.drop_duplicates(["label", "learning_rate", "chosen"])
        return found[["label", *found.columns.drop("label")]]

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        return {"sweep.csv": self.sweeps}

    @cached_property
    def at_an_end(self) -> list[str]:
        """The rows whose rate is the lowest or the highest of those tried."""
        if self.sweeps.empty:
            return []
        tried = self.sweeps.groupby("label", sort=False)["learning_rate"]
        chosen = self.sweeps[self.sweeps["chosen"] == 1].drop_duplicates("label").set_index("label")["learning_rate"]
        return chosen.index[(chosen == tried.min()[chosen.index]) | (chosen == tried.max()[chosen.index])].tolist()

    @cached_property
    def sentences(self) -> list[str]:
        lines = []
        swept = set(self.sweeps["label"])
        if swept:
            images = listed(f"{images:,}" for images in sorted(set(self.sweeps["images_seen"])))
            lines.append(
                f"For {plural(len(swept), 'row')} the learning rate was chosen from {self._most} by the loss on val "
                f"after {images} photographs."
            )
        if self.at_an_end:
            count = len(self.at_an_end)
            more = [f"{count - NAMED} more"] * (count > NAMED)
            lines.append(
                f"Of {count} of them it is the lowest or the highest that was tried, so a rate beyond may serve them "
                f"better than the report shows: {listed(self.at_an_end[:NAMED] + more)}."
            )
        given = {
            row.label: row.config["learning_rate"]
            for row in self.c.rows
            if row.group == "trained" and row.label not in swept and row.config.get("learning_rate")
        }
        if given:
            rates = listed(f"{rate:g}" for rate in sorted(set(given.values())))
            kind = "one rate" if len(set(given.values())) == 1 else "rates"
            lines.append(
                f"{plural(len(given), 'row')} learned at {kind} that the study's file gives, {rates}; whether another "
                "would serve some of them better was not tried."
            )
        return lines

    @property
    def _most(self) -> int:
        return int(self.sweeps.groupby("label").size().max())

    @cached_property
    def table(self) -> list[list[str]]:
        """Each row's rates with the loss that each reached on val; the chosen one is marked."""
        lines = (
            [["row", *(f"{place}. rate: loss on val" for place in range(1, self._most + 1))]]
            if len(self.sweeps)
            else []
        )
        for label, tried in self.sweeps.groupby("label", sort=False):
            cells = [
                f"{one.learning_rate:g}: {one.val_loss:.4g}" + " (chosen)" * bool(one.chosen)
                for one in tried.sort_values("learning_rate").itertuples()
            ]
            lines.append([str(label), *cells, *[""] * (self._most - len(cells))])
        return lines
