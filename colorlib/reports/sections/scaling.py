"""Budgets as an axis: what more photographs buy, where designs change places, and whether one can tell beforehand.

Rows at a constant learning rate that differ in how many photographs they saw are one *curve*: branches of one long run
(:mod:`colorlib.runs.schedule`). A curve's seeds are drawn together at all its budgets, so whatever is computed from a
whole curve has an interval over seeds, by leaving out each in turn; a point's own interval is over photographs too.
"""

import itertools
import json
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from colorlib import plots
from colorlib.reports.rows import NOT_SETTINGS, PRIMARY, Row
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.tables import difference_cell
from colorlib.reports.words import head, listed, number, plural
from colorlib.statistics import scaling

FOUR_TIMES = (3.0, 5.0)  # of the weights, as widths that are doubled give it nearly


class Curve(NamedTuple):
    """One design at several budgets, the smallest first: photographs → row."""

    name: str
    rows: dict[int, Row]

    @property
    def weights(self) -> float:
        return next(iter(self.rows.values())).cost("parameters")


class Scaling(Section):
    heading = "More photographs"
    note = (
        "Each curve is one long training at a constant rate, from which a cool-down over the last fifth branches off "
        "for each budget (Hägele et al. 2024). Forecasts are of a power law with a floor, fitted to all budgets but "
        "the largest, with intervals over seeds alone. They, and what four times the photographs buy, count the seeds "
        "that all budgets of a design have."
    )

    @cached_property
    def curves(self) -> list[Curve]:
        """The designs that were trained with the same budgets, two at least; the best at the largest budget first."""
        found: dict[str, dict[int, Row]] = {}
        for row in self.c.rows:
            if row.group == "trained" and row.config.get("schedule") == "constant":
                found.setdefault(_shared(row.config), {})[row.config["images_seen"]] = row
        budgets = set.intersection(*map(set, found.values())) if found else set()
        if len(found) < 2 or len(budgets) < 2:
            return []
        names = [min((row.short for row in rows.values()), key=len) for rows in found.values()]
        rows = [{budget: rows[budget] for budget in sorted(budgets)} for rows in found.values()]
        curves = [Curve(name, row) for name, row in zip(names, rows, strict=True)]
        return sorted(curves, key=lambda curve: self._means(curve)[-1])

    @property
    def budgets(self) -> list[int]:
        return list(self.curves[0].rows) if self.curves else []

    def _means(self, curve: Curve) -> list[float]:
        return [self.c.intervals[PRIMARY][row.label].mean for row in curve.rows.values()]

    def seeds(self, curve: Curve) -> np.ndarray:
        """(S, B): the primary metric's mean over photographs, for each seed that all of a curve's budgets have."""
        tables = []
        for row in curve.rows.values():
            means = np.nanmean(row.scores(PRIMARY, self.c.ids), axis=1)
            tables.append(dict(zip((run.config["seed"] for run in row.runs), means, strict=True)))
        shared = sorted(set.intersection(*map(set, tables)))
        return np.array([[table[seed] for table in tables] for seed in shared]).reshape(len(shared), len(tables))

    @cached_property
    def points(self) -> pd.DataFrame:
        """Every curve at every budget: name, images, macs (of all training), mean, low, high."""
        lines = [
            (curve.name, images, row.cost("training_macs"), *self.c.intervals[PRIMARY][row.label][:3])
            for curve in self.curves
            for images, row in curve.rows.items()
        ]
        return pd.DataFrame(lines, columns=["name", "images", "macs", "mean", "low", "high"])

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """Kendall's τ between the orders of the designs at each two budgets."""
        means = [self._means(curve) for curve in self.curves]
        return pd.DataFrame(scaling.order_agreement(means), self.budgets, self.budgets)

    @cached_property
    def crossings(self) -> pd.DataFrame:
        """Where curves cross: ahead, then, images, and whether both are decided, ahead before it and then after it."""
        by_name = {curve.name: curve for curve in self.curves}
        found = scaling.crossings(self.budgets, {curve.name: self._means(curve) for curve in self.curves})
        lines = []
        for crossing in found:
            before = max(budget for budget in self.budgets if budget <= crossing.budget)
            after = min(budget for budget in self.budgets if budget > crossing.budget)
            ahead, then = by_name[crossing.ahead].rows, by_name[crossing.then].rows
            decided = [
                self.c.verdict(ahead[before].label, then[before].label) == "better",
                self.c.verdict(then[after].label, ahead[after].label) == "better",
            ]
            lines.append((*crossing, all(decided)))
        return pd.DataFrame(lines, columns=["ahead", "then", "images", "decided"])

    @cached_property
    def exchange(self) -> pd.DataFrame:
        """What four times the images buys, and what four times the weights, at each budget of the smaller design.

        Columns small, large, images, by_images, by_weights (both how far the primary metric falls), and difference, low
        and high: the first minus the second, with its interval over seeds.
        """
        lines = []
        for small, large in itertools.permutations(self.curves, 2):
            if not _is_wider(large, small):
                continue
            both = [self.seeds(small), self.seeds(large)]
            count = min(map(len, both))
            stacked = np.concatenate([table[:count] for table in both], axis=1)
            for place, images in enumerate(self.budgets):
                if 4 * images not in self.budgets:
                    continue
                # Of the small design here and with four times the images, and of the large one here.
                three = stacked[:, [place, self.budgets.index(4 * images), len(self.budgets) + place]]
                here, more, wider = three.mean(0)
                difference = scaling.jackknife(lambda mean: mean[2] - mean[1], three)
                lines.append((small.name, large.name, images, here - more, here - wider, *difference))
        names = ["small", "large", "images", "by_images", "by_weights", "difference", "low", "high"]
        return pd.DataFrame(lines, columns=names)

    @cached_property
    def forecasts(self) -> pd.DataFrame:
        """The largest budget as a power law fitted to all smaller ones has it, and as it came; by name.

        Columns floor and exponent of the law, forecast, low and high over seeds, came, and error, error_low and
        error_high: what came minus the forecast, over seeds. Empty where there are fewer than four budgets.
        """
        lines = {}
        *smaller, largest = self.budgets or [0]
        for curve in self.curves if len(smaller) > 2 else []:
            table = self.seeds(curve)
            law = scaling.fit_power_law(smaller, table[:, :-1].mean(0))
            told = scaling.forecast(smaller, table[:, :-1], largest)
            error = scaling.jackknife(lambda mean: mean[-1] - scaling.fit_power_law(smaller, mean[:-1])(largest), table)
            lines[curve.name] = (law.floor, law.exponent, *told, table[:, -1].mean(), *error)
        names = ["floor", "exponent", "forecast", "low", "high", "came", "error", "error_low", "error_high"]
        return pd.DataFrame.from_dict(lines, orient="index", columns=names)

    @cached_property
    def separate(self) -> pd.DataFrame:
        """Branches beside trainings of their own under a cosine: name, images, branch, separate (means), difference.

        The difference is the separate training less the branch, with its interval; equal says whether it is shown to
        be within the study's margin. Both may have a learning rate that a sweep chose for them.
        """
        lines = []
        for name, images, row in ((c.name, images, row) for c in self.curves for images, row in c.rows.items()):
            for other in self.c.rows:
                same = other.config | {"schedule": "constant", "learning_rate": row.config.get("learning_rate")}
                if other.config.get("schedule") == "cosine" and _shared(same, images=True) == _shared(row.config, True):
                    means = [self.c.intervals[PRIMARY][which.label].mean for which in (row, other)]
                    pair = other.label, row.label
                    equal = self.c.verdict(*pair).startswith("no difference")
                    lines.append((name, images, *means, difference_cell(self.c.differences[pair]), equal))
        return pd.DataFrame(lines, columns=["name", "images", "branch", "separate", "difference", "equal"])

    @cached_property
    def headline(self) -> str:
        """What four times the photographs and four times the weights buy, and whether the order lasts."""
        if self.exchange.empty:
            return ""
        parts = [
            f"four times the {word} change the {head(PRIMARY)} by {number(-found.max())} to {number(-found.min())}"
            for word, found in (("photographs", self.exchange["by_images"]), ("weights", self.exchange["by_weights"]))
        ]
        designs = plural(self.exchange["small"].nunique(), "design")
        return f"Of {designs} with one of four times its weights, {' and '.join(parts)}. {self.sentences[0]}"

    @cached_property
    def sentences(self) -> list[str]:
        if not self.curves:
            return []
        first, last = self.budgets[0], self.budgets[-1]
        neighbours = [self.agreement.loc[a, b] for a, b in itertools.pairwise(self.budgets)]
        sentences = [
            f"Kendall's τ between the orders of {plural(len(self.curves), 'design')} at {first:,} and at {last:,} "
            f"photographs is {number(self.agreement.loc[first, last])}; between neighbouring budgets it is "
            f"{listed(map(number, neighbours))}."
        ]
        decided = self.crossings[self.crossings["decided"]]
        sentence = f"{plural(len(self.crossings), 'pair')} of curves cross, {len(decided)} of them beyond doubt"
        passed = [f"{then} passes {ahead} at about {number(n, 0)}" for ahead, then, n, _ in decided.to_numpy()]
        sentences.append(sentence + (f": {listed(passed)}." if passed else "."))
        for small, rows in self.exchange.groupby("small", sort=False):
            parts = [
                f"from {line.images:,} photographs by {number(line.by_images)} and {number(line.by_weights)}"
                for line in rows.itertuples()
            ]
            sentences.append(
                f"Four times the photographs and four times the weights lower the {head(PRIMARY)} of {small} "
                f"{listed(parts)}."
            )
        sentences += [
            f"{line.name}, trained for {line.images:,} photographs on its own under a cosine, has {head(PRIMARY)} "
            f"{number(line.separate)} where its branch has {number(line.branch)}: {line.difference}"
            + f", {'' if line.equal else 'not '}shown to be within {self.c.margin:g}" * bool(self.c.margin)
            + "."
            for line in self.separate.itertuples()
        ]
        if len(self.forecasts):
            errors = self.forecasts["error"]
            known = self.forecasts.dropna(subset=["error_low", "error_high"])  # one seed gives no interval
            held = (known["error_low"] <= 0) & (known["error_high"] >= 0)
            sentences.append(
                f"A power law fitted to the smaller budgets forecasts {last:,} photographs with errors of "
                f"{number(errors.min())} to {number(errors.max())} in {head(PRIMARY)}; for {held.sum()} of "
                f"{plural(len(held), 'design')} the interval of the error holds zero."
            )
        return sentences

    @cached_property
    def table(self) -> list[list[str]]:
        """Designs down: what came at each budget, the forecast of the largest, and its error."""
        if not self.curves:
            return []
        heads = ["design", *(f"{budget:,}" for budget in self.budgets)]
        lines = [heads + (["forecast", "came minus forecast"] if len(self.forecasts) else [])]
        for curve in self.curves:
            line = [curve.name, *map(number, self._means(curve))]
            if len(self.forecasts):
                told = self.forecasts.loc[curve.name]
                line += [_with_ends(told["forecast"], told["low"], told["high"])]
                line += [_with_ends(told["error"], told["error_low"], told["error_high"])]
            lines.append(line)
        return lines

    @cached_property
    def charts(self) -> dict[str, Chart]:
        if not self.curves:
            return {}
        leaders = [min(self.curves, key=lambda curve: self._means(curve)[i]).name for i in (0, -1)]
        first, last = (f"{self.budgets[i]:,}" for i in (0, -1))
        title = f"{leaders[0]} has the lowest error at {first} and at {last} photographs"
        if leaders[0] != leaders[1]:
            title = f"The lowest error at {first} photographs is that of {leaders[0]}, at {last} that of {leaders[1]}"
        axes = {
            "images": ("photographs seen in training", title),
            "macs": ("multiply-accumulates of training", "The same curves over what the trainings computed"),
        }
        caption, label = "One line for each design, with its 95 % intervals.", f"mean {head(PRIMARY)}, lower is better"
        charts = {}
        for column, (words, title) in axes.items():
            told = self.forecasts if column == "images" else self.forecasts[:0]
            if self.points[column].notna().all():
                figure = plots.plot_curves(self.points, column, words, label, told, title)
                more = " A hollow mark is the forecast from the smaller budgets." if len(told) else ""
                charts[f"scaling_{column}"] = Chart(figure, title, caption + more)
        return charts


def _shared(config: dict, images: bool = False) -> str:
    """Return what the rows of a curve have in common, or, with ``images``, those of one of its points, as a key."""
    free = {*NOT_SETTINGS, "label", "macs", "validations", *(() if images else ("images_seen",))}
    return json.dumps({key: value for key, value in config.items() if key not in free}, sort_keys=True)


def _is_wider(large: Curve, small: Curve) -> bool:
    """Say whether two designs differ in one option alone, and the first has four times the weights of the second."""
    configs = [next(iter(curve.rows.values())).config for curve in (large, small)]
    if any(configs[0].get(key) != configs[1].get(key) for key in ("model", "objective", "objective_options")):
        return False
    one, other = (config.get("model_options") or {} for config in configs)
    differing = [key for key in {*one, *other} if one.get(key) != other.get(key)]
    low, high = FOUR_TIMES
    return len(differing) == 1 and low <= large.weights / small.weights <= high


def _with_ends(value: float, low: float, high: float) -> str:
    return f"{number(value)} ({number(low)}…{number(high)})"
