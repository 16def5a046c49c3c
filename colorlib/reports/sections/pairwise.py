"""How every two rows stand to one another."""

from functools import cached_property

import pandas as pd

from colorlib import plots
from colorlib.reports.sections.base import Chart, Section

SIGNS = {"better": 1, "worse": -1}


class Pairwise(Section):
    heading = "Pair by pair"

    @cached_property
    def charts(self) -> dict[str, Chart]:
        c = self.c
        if len(c.contestants) < 2:
            return {}
        verdicts = pd.DataFrame(0, c.contestants, c.contestants)
        for a, b in c.differences:
            verdicts.loc[a, b] = SIGNS.get(c.verdict(a, b), 0)
        apart = int((verdicts == 1).sum(axis=None))
        title = f"{apart:,} of {len(c.differences) // 2:,} pairs of rows are told apart"
        caption = (
            "Read along a row: blue are the rows than which it is better. Pale pairs are not decided, or their "
            "difference is shown to be too small to matter; the numbers are in pairs.csv."
        )
        return {"pairwise": Chart(plots.plot_pairwise(verdicts, title), title, caption, folded=True)}
