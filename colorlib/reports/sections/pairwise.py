"""The difference of every two rows."""

import math
from functools import cached_property

import pandas as pd

from colorlib import plots
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.tables import primary_label


class Pairwise(Section):
    heading = "Pair by pair"
    in_markdown = False
    template = """
<h2>{{ section.heading }}</h2>
<details><summary>The difference of every two rows</summary>
{{ chart(section, "pairwise", c.contestants | length > many) }}
</details>
"""

    @cached_property
    def charts(self) -> dict[str, Chart]:
        c = self.c
        if len(c.contestants) < 2:
            return {}
        square = pd.DataFrame(math.nan, c.contestants, c.contestants)
        decided = pd.DataFrame(False, c.contestants, c.contestants)
        for (a, b), difference in c.differences.items():
            square.loc[a, b] = difference.mean
            decided.loc[a, b] = c.verdict(a, b) in ("better", "worse")
        caption = "Undecided pairs, and pairs whose difference is shown to be too small to matter, are pale and " + (
            "have a dot; the numbers are in pairs.csv." if len(c.contestants) > plots.MANY else "in brackets."
        )
        figure = plots.plot_pairwise(square, decided, f"difference in {primary_label()}")
        return {"pairwise": Chart(figure, "Differences of all pairs", caption)}
