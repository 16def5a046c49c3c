"""Colder and warmer: what a network of odds scores when it is decoded more or less boldly."""

import json
import math
import re
from functools import cached_property

import numpy as np
import pandas as pd

from colorlib import plots
from colorlib.objectives import OBJECTIVES, SUMS, objective_options
from colorlib.reports.rows import NOT_SETTINGS, PRIMARY, Row
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.tables import marked
from colorlib.reports.words import head, number, plural

AXES = [PRIMARY, "colorfulness_hs03"]


class Temperatures(Section):
    heading = "Colder and warmer"

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One line per curve and temperature: what a network scores when it is decoded more or less boldly.

        A curve is one network decoded at many temperatures, the mean over seeds, or else rows that share everything but
        their temperature. Columns: curve, temperature, delta_e_2000, colorfulness_hs03 and images, as measured;
        delta_e_2000_moved and colorfulness_hs03_moved, a curve that was measured on a part of the photographs moved as
        a whole so that it passes through its row's point, which is of all photographs; name, the label of that row.
        """
        c = self.c
        curves: dict[str, list[tuple[float, Row]]] = {}
        for row in c.rows:
            if (temperature := _temperature(row)) is not None:
                options = {k: v for k, v in row.config.get("objective_options", {}).items() if k != "temperature"}
                config = {k: v for k, v in row.config.items() if k not in (*NOT_SETTINGS, "label")}
                key = json.dumps(config | {"objective_options": options}, sort_keys=True)
                curves.setdefault(key, []).append((temperature, row))
        tables = []
        for rows in curves.values():
            temperature, first = rows[0]
            if measured := [table for _, row in rows for table in row.tables("temperature.csv")]:
                table = pd.concat(measured).groupby("temperature")[[*AXES, "images"]].mean()
                table = table.sort_index().reset_index()
                for axis in AXES:
                    own = np.interp(temperature, table["temperature"], table[axis])
                    table[f"{axis}_moved"] = table[axis] + c.mean(axis, first.label) - own
                table["name"] = first.label
            else:
                lines = [(own, *(c.mean(axis, row.label) for axis in AXES)) for own, row in rows]
                table = pd.DataFrame(lines, columns=["temperature", *AXES]).assign(images=len(c.ids))
                table = table.assign(**{f"{axis}_moved": table[axis] for axis in AXES})
                table["name"] = [row.label for _, row in rows]
            if len(table.dropna()) > 1:
                name = re.sub(r"temperature [^,)]+(, )?|, temperature [^,)]+(?=\))", "", first.label)
                table = table.dropna().sort_values("temperature")
                tables.append(table.assign(curve=name.replace(" ()", "")))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["curve", "temperature", *AXES])

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        return {"temperatures.csv": self.curves}

    @cached_property
    def sentences(self) -> list[str]:
        """What each curve costs and gains from its coldest to its warmest end."""
        sentences = []
        for name, table in self.curves.groupby("curve", sort=False):
            cold, warm = table.iloc[0], table.iloc[-1]
            best = table.loc[table[PRIMARY].idxmin()]
            sentences.append(
                f"From temperature {cold['temperature']:g} to {warm['temperature']:g}, {name} goes from "
                f"{head(PRIMARY)} {number(cold[PRIMARY])} and colourfulness {number(cold['colorfulness_hs03'], 1)} to "
                f"{number(warm[PRIMARY])} and {number(warm['colorfulness_hs03'], 1)}; its {head(PRIMARY)} is lowest, "
                f"{number(best[PRIMARY])}, at {best['temperature']:g} ({plural(int(best['images']), 'photograph')})."
            )
        return sentences

    @cached_property
    def charts(self) -> dict[str, Chart]:
        if self.curves.empty:
            return {}
        c, (x, y) = self.c, AXES
        table = self.curves.rename(columns={f"{x}_moved": "x", f"{y}_moved": "y", "temperature": "mark"})
        points = pd.DataFrame(
            {
                "x": {label: c.mean(x, label) for label in c.contestants},
                "y": {label: c.mean(y, label) for label in c.contestants},
                "group": {label: c.by_label[label].group for label in c.contestants},
            }
        )
        spans = self.curves.groupby("curve", sort=False)[y].agg(["first", "last"])
        name = (spans["last"] - spans["first"]).abs().idxmax()
        ends = self.curves.loc[self.curves["curve"] == name, "temperature"].iloc[[0, -1]]
        title = (
            f"From temperature {ends.iloc[0]:g} to {ends.iloc[1]:g}, {name} goes from a colourfulness of "
            f"{number(spans['first'][name], 1)} to {number(spans['last'][name], 1)}"
        )
        figure = plots.plot_plane(
            marked(c, points.dropna().drop(index=[c.grey] if c.grey else [])),
            dict(list(table.groupby("curve", sort=False))),
            f"mean {head(x)} [ΔE], lower is better",
            f"mean {head(y).lower()}",
            ("left grey", c.mean(x, c.grey)) if c.grey else None,
            ("the photographs' own", c.truth(y)) if math.isfinite(c.truth(y)) else None,
            title,
        )
        caption = (
            "A network of odds is a curve: one training, decoded from the likeliest bin (vivid) to the mean (dull); "
            "the numbers at its ends are temperatures. Every other row but the oracles is a point; where there are "
            "many, those have names than which none is both nearer in colour and nearer to the photographs' own "
            "colourfulness. "
        )
        if self.curves["images"].max() < len(c.ids):
            caption += (
                f"Each curve was measured on {int(self.curves['images'].max())} photographs and is moved as a whole, "
                f"so that it passes through its row's own point, which all {len(c.ids):,} made; the figures above are "
                "as measured. "
            )
        caption += "The broken lines are grey and the photographs' own colourfulness."
        return {"temperature": Chart(figure, title, caption)}


def _temperature(row: Row) -> float | None:
    """Return the temperature a trained row is decoded at; None where its objective has none."""
    objective, options = row.config.get("objective"), row.config.get("objective_options") or {}
    names = objective if isinstance(objective, dict) else [objective]
    if row.group != "trained" or objective is None or not all(name in OBJECTIVES or name in SUMS for name in names):
        return None
    return options.get("temperature", objective_options(objective).get("temperature"))
