"""Tint: the mean colour of what each row answers, and whether the colour space or the size of a network moves it."""

import itertools
import json
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from colorlib.metrics.tint import hue_deg
from colorlib.reports.rows import NOT_SETTINGS, Row
from colorlib.reports.sections.base import Section
from colorlib.reports.words import listed, number

HUES = ((32, "red"), (85, "brown"), (105, "yellow"), (195, "green"), (300, "blue"), (345, "violet"), (360, "red"))
LEAST = 2.0  # ab units: a mean colour nearer to grey has no tint


class Tint(Section):
    heading = "Tint"
    note = (
        "Mean a* and b* are over all pixels of all photographs, as they are shown; the hue is that of this mean, from "
        "red (0°) over yellow (90°) and green (180°) to blue (270°), and a dull orange is called brown."
    )

    @cached_property
    def means(self) -> dict[str, np.ndarray]:
        """Label → mean a* and b* of a row's answers; empty unless rows differ in nothing but their colour space."""
        c = self.c
        means = {row.label: np.array([c.mean(name, row.label) for name in ("mean_a", "mean_b")]) for row in c.rows}
        known = {label: mean for label, mean in means.items() if np.isfinite(mean).all()}
        alike = [row.label for rows in self._alike("space") for row in rows]
        return known if alike and known.keys() >= {*alike} else {}

    def _alike(self, setting: str) -> list[list[Row]]:
        """Return the groups of two trained rows or more that differ in nothing but their space, or their size."""
        groups: dict[str, list[Row]] = {}
        for row in self.c.rows:
            if row.group == "trained":
                rest = {key: value for key, value in row.config.items() if key not in (*NOT_SETTINGS, "label")}
                if setting == "space":
                    options = rest.get("objective_options") or {}
                    rest["objective_options"] = {key: value for key, value in options.items() if key != "space"}
                else:
                    rest["model_options"] = None
                groups.setdefault(json.dumps(rest, sort_keys=True), []).append(row)
        return [rows for rows in groups.values() if len(rows) > 1]

    @cached_property
    def photographs(self) -> np.ndarray:
        """Mean a* and b* of the photographs themselves."""
        return np.array([self.c.truth(name) for name in ("mean_a", "mean_b")])

    @cached_property
    def headline(self) -> str:
        """Where the tint comes from, in a study with slips, which asks that: space, size or slip, and whose it is."""
        return " ".join(self.sentences[2:]) if any(row.group == "slip" for row in self.c.rows) else ""

    @cached_property
    def sentences(self) -> list[str]:
        if not self.means:
            return []
        sentences = [f"The photographs' own mean colour is {_described(self.photographs)}."]
        spaces: dict[str, list[np.ndarray]] = {}
        for row in itertools.chain(*self._alike("space")):
            spaces.setdefault((row.config.get("objective_options") or {}).get("space", "lab"), []).append(
                self.means[row.label]
            )
        tints = {space: np.mean(means, 0) for space, means in spaces.items()}
        sentences.append(
            "Of rows that differ in nothing but their colour space, the mean answer in "
            + "; in ".join(f"{space} is {_described(mean)}" for space, mean in tints.items())
            + "."
        )
        space, size = (_farthest(self.means, self._alike(setting)) for setting in ("space", "size"))
        text = f"All else equal, mean colours lie up to {number(space, 1)} ab units apart between colour spaces"
        if size:
            text += f" and up to {number(size, 1)} between sizes of a network"
            text += ": the tint comes with the space." if space > 2 * size else ": neither explains the tint alone."
        sentences.append(text.removesuffix(".") + ".")
        away = {name: _length(mean - self.photographs) for name, mean in tints.items()}
        near = [name for name in tints if away[name] < max(_length(self.photographs) / 2, LEAST)]
        if near and _name(self.photographs) != "no tint":
            sentences.append(
                f"The {_name(self.photographs)} in {listed(near)} is the photographs' own mean: what a loss that asks "
                "for an average gives where it cannot know."
            )
        for name, mean in tints.items():
            if name not in near and _name(mean) != "no tint":
                sentences.append(
                    f"The {_name(mean)} in {name} is no colour of the photographs: their mean is "
                    f"{number(away[name], 1)} ab units away."
                )
        if slips := {_name(self.means[row.label]) for row in self.c.rows if row.group == "slip"}:
            own = sorted(slips - {_name(self.photographs), "no tint"})
            sentences.append(f"The slips bring {f'{listed(own)} of their own' if own else 'no tint of their own'}.")
        return sentences

    @cached_property
    def table(self) -> list[list[str]]:
        lines = {"the photographs": self.photographs} | self.means
        heads = ["row", "mean a*", "mean b*", "hue of the mean, °", "chroma of the mean", "tint"]
        return [heads] + [
            [
                label,
                *(number(value, 1) for value in mean),
                number(float(hue_deg(*mean)), 0),
                number(_length(mean), 1),
                _name(mean),
            ]
            for label, mean in lines.items()
        ]


def _length(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


def _name(mean: np.ndarray) -> str:
    """Name the tint of a mean colour."""
    if _length(mean) < LEAST:
        return "no tint"
    return next(name for end, name in HUES if hue_deg(*mean) <= end)


def _described(mean: np.ndarray) -> str:
    if _length(mean) < LEAST:
        return "grey"
    return f"{_name(mean)} (hue {number(float(hue_deg(*mean)), 0)}°, chroma {number(_length(mean), 1)})"


def _farthest(means: dict[str, np.ndarray], groups: Iterable[Iterable[Row]]) -> float:
    """Return how far apart the mean colours of two rows of one group lie at most; 0 without a group."""
    pairs = (pair for rows in groups for pair in itertools.combinations(rows, 2))
    return max((_length(means[a.label] - means[b.label]) for a, b in pairs), default=0.0)
