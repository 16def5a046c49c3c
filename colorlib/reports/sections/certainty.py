"""How often verdicts and intervals such as this report's are wrong, by studies that were simulated."""

from functools import cached_property
from pathlib import Path

import pandas as pd

from colorlib.reports.sections.base import Section
from colorlib.reports.words import number

TABLE = Path(__file__).parents[1] / "coverage.csv"  # by tests/coverage.py
COLUMNS = {
    "question": "what is true",
    "seed_sd": "standard deviation over seeds, ΔE",
    "seeds": "seeds",
    "photographs": "photographs",
    "studies": "simulated studies",
    "false_verdicts": "with a false verdict, %",
    "best_missed": "best rows that are not among those that may be the best, %",
    "best_named": "with one row wrongly called the best, %",
    "covers_rows": "intervals that hold, two rows, %",
    "covers_fixed": "a row and grey, %",
    "bootstrap_false_verdicts": "by bootstrap: with a false verdict, %",
    "bootstrap_covers_rows": "two rows, %",
    "bootstrap_covers_fixed": "a row and grey, %",
}


class Certainty(Section):
    heading = "How sure verdicts are"
    note = (
        "Twenty rows and grey, simulated by tests/coverage.py. Where rows are equal, every “better” is false; at "
        "the margin half of them lie 0.5 ΔE above the others, and “no difference larger than 0.5” is false between the "
        "halves."
    )

    @cached_property
    def simulated(self) -> pd.DataFrame:
        return pd.read_csv(TABLE)

    @cached_property
    def sentences(self) -> list[str]:
        """The largest share of false verdicts and the worst intervals, at the seeds that studies are run with."""
        found = self.simulated
        equal = found[found["question"] == "equal rows"]
        margin = found[found["question"] == "margin"]
        covered = pd.concat([equal["covers_rows"], equal["covers_fixed"]])
        false, resampled, alike = (
            number(column.max(), 1)
            for column in (equal["false_verdicts"], equal["bootstrap_false_verdicts"], margin["false_verdicts"])
        )
        return [
            f"Of simulated studies whose rows are all equal, with {_span(equal['seeds'])} seeds, at most {false} % had "
            f"a false “better”; a percentile bootstrap gives one to as many as {resampled} %.",
            "There, and where half of the rows are better than the others, a row as good as the best was not among "
            f"those that “may be the best” in at most {number(found['best_missed'].max(), 1)} %, and one of several "
            f"equal rows was called the best in at most {number(found['best_named'].max(), 1)} % of studies.",
            f"95 % intervals of a difference held the truth there {number(covered.min(), 1)} to "
            f"{number(covered.max(), 1)} times in a hundred.",
            f"“No difference larger than …” was said wrongly in at most {alike} % of studies, with "
            f"{_span(margin['seeds'])} seeds.",
        ]

    @cached_property
    def table(self) -> list[list[str]]:
        """The simulation's table."""
        lines = self.simulated[list(COLUMNS)].to_dict("records")
        return [list(COLUMNS.values())] + [
            [cell if isinstance(cell, str) else number(cell, int(isinstance(cell, float))) for cell in line.values()]
            for line in lines
        ]


def _span(seeds: pd.Series) -> str:
    return f"{seeds.min()} to {seeds.max()}"
