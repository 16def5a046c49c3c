"""The slips of the course project that this study grew from, and what each did to its two measures."""

import itertools
import math
from functools import cached_property

import numpy as np
import pandas as pd

from colorlib.reports.sections.base import Section
from colorlib.reports.words import listed, number

PUBLISHED = {"CWGAN": (0.3865, 0.5966), "ECCV16": (0.0117, 0.1551), "SIGGRAPH17": (0.0106, 0.1297)}  # mse, "CIE76"


class Slips(Section):
    heading = "The origin's slips, made on purpose"
    note = (
        "One network each, measured on the same photographs with its slips and without. Of the published figures the "
        'second is called "CIE76" there.'
    )

    @cached_property
    def means(self) -> pd.DataFrame:
        """The means of ``slips.csv`` by label, over photographs and seeds: mse and delta_e, with slips and right."""
        found = self.c.gathered("slips.csv")
        if found.empty:
            return pd.DataFrame()
        return found.drop(columns=["id", "seed"]).groupby("label", sort=False).mean()

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        return {"slips.csv": self.means.reset_index()}

    @cached_property
    def headline(self) -> str:
        """The row that comes nearest to a published one, in both measures by their ratio, and what it is rightly."""
        if self.means.empty:
            return ""
        measured = self.means[["mse", "delta_e"]]
        label, name = min(
            itertools.product(self.means.index, PUBLISHED),
            key=lambda pair: np.abs(np.log(measured.loc[pair[0]] / np.array(PUBLISHED[pair[1]]))).sum(),
        )
        row, (mse, delta_e) = self.means.loc[label], PUBLISHED[name]
        return (
            f"{label} has a mean squared error of {number(row['mse'], 4)} and a ΔE 76 of {number(row['delta_e'])}, "
            f"where {number(mse, 4)} and {number(delta_e)} were published of the {name}; measured rightly, the same "
            f"network has {number(row['mse_right'], 4)} and {number(row['delta_e_right'])}."
        )

    @cached_property
    def sentences(self) -> list[str]:
        sentences = []
        for label, row in self.means.iterrows():
            changes = [
                f"{name} from {number(row[f'{key}_right'], digits)} to {number(row[key], digits)}"
                for key, name, digits in (("mse", "the mean squared error", 4), ("delta_e", "ΔE 76", 2))
                if not math.isclose(row[key], row[f"{key}_right"], rel_tol=1e-6)
            ]
            sentences.append(f"{label}: takes {listed(changes)}.")
        return sentences

    @cached_property
    def table(self) -> list[list[str]]:
        lines = [["row", "MSE, right", "MSE, with slips", "ΔE 76, right", "ΔE 76, with slips"]]
        for label, row in self.means.iterrows():
            squared = [number(row[key], 4) for key in ("mse_right", "mse")]
            lines.append([str(label), *squared, *(number(row[key], 3) for key in ("delta_e_right", "delta_e"))])
        for name, (mse, delta_e) in PUBLISHED.items():
            lines.append([f"{name}, as published there", "–", number(mse, 4), "–", number(delta_e, 3)])
        return lines
