"""Hints: what a network that may be told true colours gains by them."""

from functools import cached_property

import pandas as pd

from colorlib import plots
from colorlib.color import hints
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.words import number, plural


class Hints(Section):
    heading = "Hints"

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The lines of ``hints.csv`` of all networks that take hints, with their label and seed."""
        return self.c.gathered("hints.csv")

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        return {"hints.csv": self.curves}

    @cached_property
    def sentences(self) -> list[str]:
        sentences = []
        for label, table in self.curves.groupby("label", sort=False):
            means = table.groupby("hints")["psnr_rgb_db"].mean()
            sentences.append(
                f"{label}: mean PSNR {number(means.iloc[0])} dB with {plural(int(means.index[0]), 'hint')} and "
                f"{number(means.iloc[-1])} dB with {int(means.index[-1]):,} "
                f"({plural(int(table['images'].iloc[0]), 'photograph')})."
            )
        return sentences

    @cached_property
    def charts(self) -> dict[str, Chart]:
        if self.curves.empty:
            return {}
        curves = {
            label: [own.sort_values("hints") for _, own in table.groupby("seed", dropna=False)]
            for label, table in self.curves.groupby("label", sort=False)
        }
        authors = "the authors' network on their 1,000 ImageNet photographs, another data set"
        means = {
            label: t.groupby("hints")["psnr_rgb_db"].mean() for label, t in self.curves.groupby("label", sort=False)
        }
        label = max(means, key=lambda label: means[label].iloc[-1] - means[label].iloc[0])
        first, last = means[label].iloc[[0, -1]]
        most = plural(int(means[label].index[-1]), "hint")
        title = f"{label} gains most by hints: from {number(first)} to {number(last)} dB with {most}"
        return {
            "hints": Chart(
                plots.plot_hints(curves, (authors, hints.AUTHORS_CURVE), title),
                title,
                "Hints are squares of the true colours at places drawn by lot, of the same share of the photograph "
                "as the authors'. The authors' curve is of other photographs and another size; what compares is the "
                "slope.",
            )
        }
