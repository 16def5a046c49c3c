"""By law of colour: how each row does where a thing has one possible hue, two, or any (the embedded scenes)."""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from colorlib import plots
from colorlib.data.scenes.laws import LAWS
from colorlib.objectives import describe_objective
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.words import listed, number, percent, signed

OWN_ORACLE = {"l2": "bayes_l2", "l1": "bayes_l1", "ce": "bayes_ce", "rebalanced_ce": "bayes_rebalanced_ce"}


class Laws(Section):
    heading = "By law of colour"
    laws = plots.LAWS
    template = """
<h2>{{ section.heading }}</h2>
<p>Every thing in these scenes has a law of colour, so the best possible answer under each loss is known. An oracle knows the law and not the draw, and nothing else that knows as much has less of that loss on average; each network is tied to the oracle of its own loss. By chroma and by ΔE 76, which are not its loss, a network may stand on either side of its oracle: distances have their sign. The losses part where a thing may have any hue. Near the middle of a ring of equally likely hues a loss is almost flat, so a network may keep more chroma than its oracle at little cost:</p>
{{ bullets(section.sentences) }}
{{ chart(section, "laws_chroma") }}
{{ chart(section, "laws_delta_e") }}
<details><summary>The figures in a table</summary><div class="scroll"><table>
<thead><tr><th class="name" rowspan="2">Row</th>{% for law, words in section.laws.items() %}<th colspan="2">{{ words }}</th>{% endfor %}</tr>
<tr>{% for law in section.laws %}<th>chroma kept</th><th>ΔE 76</th>{% endfor %}</tr></thead>
<tbody>{% for row in c.rows if section.results(row.label) %}{% set found = section.results(row.label) %}
<tr class="{{ row.group }}"><td class="name">{{ row.label | name }}</td>
{% for law in section.laws %}
<td>{{ found.get("chroma_kept_" ~ law) | number(2) }}</td><td>{{ found.get("delta_e_76_" ~ law) | number(1) }}</td>
{% endfor %}</tr>
{% endfor %}</tbody></table></div></details>
"""  # noqa: E501

    @cached_property
    def by_law(self) -> pd.DataFrame:
        """One line per row and law of colour: kept (share of the true chroma) and delta_e_76, over all its pixels."""
        lines = []
        for row in self.c.rows:
            for law in LAWS:
                share, chroma, true, error = (
                    row.scores(f"{name}_{law}", self.c.ids)
                    for name in ("share", "mean_chroma", "mean_chroma_true", "delta_e_76")
                )
                total = np.nansum(share)
                if total > 0:
                    kept = np.nansum(share * chroma) / np.nansum(share * true)
                    lines.append((row.label, row.group, law, kept, np.nansum(share * error) / total))
        table = pd.DataFrame(lines, columns=["name", "group", "law", "kept", "delta_e_76"])
        own = {row.label: self._oracles.get(_own_oracle(row.config)) for row in self.c.rows}
        table["oracle"] = [own[name] for name in table["name"]]
        return table

    @cached_property
    def _oracles(self) -> dict[str, str]:
        """Name of an oracle → its label."""
        return {row.config["model"]: row.label for row in self.c.rows if row.group == "oracle"}

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        return {"laws.csv": self.by_law}

    def results(self, label: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for _, law in self.by_law[self.by_law["name"] == label].iterrows():
            found |= {f"chroma_kept_{law['law']}": law["kept"], f"delta_e_76_{law['law']}": law["delta_e_76"]}
        return found

    @cached_property
    def sentences(self) -> list[str]:
        """How far each objective stands from the best it could do, on things that may have any colour."""
        table = self.by_law[self.by_law["law"] == "free"].set_index("name")
        if table.empty:
            return []
        sentences = []
        if self._oracles.get("bayes_l2") in table.index:
            kept = table["kept"][self._oracles["bayes_l2"]]
            found = "L2 turns brown, and no training cures it." if kept < 0.5 else "here L2 keeps most of it."
            sentences.append(
                f"On things of any hue, the best possible answer under L2, the mean of all hues, keeps {percent(kept)} "
                f"of the chroma: {found}"
            )
        under: dict[tuple[str, str], list[str]] = {}
        for label in self.c.trained:
            config = self.c.by_label[label].config
            if label in table.index and config.get("objective"):
                under.setdefault((describe_objective(config["objective"]), _own_oracle(config)), []).append(label)
        errors = table["delta_e_76"].map(lambda value: number(value, 1))
        for (objective, _), labels in under.items():
            first, *others = labels
            words = [f"{first} keeps {percent(table['kept'][first])} of the chroma (ΔE 76 {errors[first]})"]
            words += [f"{label} {percent(table['kept'][label])} ({errors[label]})" for label in others]
            text = f"Under {objective}, {listed(words)}"
            oracle = table["oracle"][labels[0]]
            if oracle in table.index:
                own = table.loc[oracle]
                near = (table["kept"][labels] - own["kept"]).abs().idxmin()
                text += (
                    f". Its oracle, {oracle}, keeps {percent(own['kept'])} ({errors[oracle]}): "
                    f"{near if len(labels) > 1 else 'the network'} minus its oracle is "
                    f"{signed(100 * (table['kept'][near] - own['kept']), 0)} points of chroma and "
                    f"{signed(table['delta_e_76'][near] - own['delta_e_76'], 1)} ΔE"
                )
            sentences.append(text + ".")
        return sentences

    @cached_property
    def charts(self) -> dict[str, Chart]:
        if self.by_law.empty:
            return {}
        return {
            "laws_chroma": Chart(
                *self._draw(
                    "kept", "chroma kept, as a share of the photographs' own", 1, percent, "keep", "of the chroma"
                ),
                "Rings are oracles, and a line ties a network to its own. At 1 (dashed) a row is as colourful as the "
                "photographs; at 0 it is grey.",
            ),
            "laws_delta_e": Chart(
                *self._draw("delta_e_76", "mean ΔE 76, lower is better", None, number, "err by", "ΔE 76"),
                "The same for the error. Keeping chroma where the hue cannot be known costs error: what is right on "
                "average is brown.",
            ),
        }

    def _draw(
        self, column: str, label: str, mark: float | None, words: Callable[[float], str], verb: str, unit: str
    ) -> tuple[Figure, str]:
        """Draw a column by law, under a title that says between what ends it lies where any hue will do."""
        values = self.by_law.set_index(["name", "law"])[column]
        free = self.by_law[(self.by_law["law"] == "free") & self.by_law["name"].isin(self.c.trained)][column]
        title = f"{label[0].upper()}{label[1:]}, by law of colour"
        if len(free):
            title = f"Where any hue will do, trained rows {verb} {words(free.min())} to {words(free.max())} {unit}"
        pairs = zip(self.by_law["oracle"], self.by_law["law"], strict=True)
        oracle = [values.get((own, law), math.nan) for own, law in pairs]
        table = self.by_law.assign(value=self.by_law[column], oracle=oracle)
        return plots.plot_laws(table, label, mark, title), title


def _own_oracle(config: dict) -> str:
    """Name the oracle that says the best possible answer under a run's objective and decoder; "" where none does."""
    objective, options = config.get("objective"), config.get("objective_options")
    if objective == "rebalanced_ce" and options == {"temperature": 0.1}:
        return "bayes_rebalanced_ce_vivid"
    return "" if options or not isinstance(objective, str) else OWN_ORACLE.get(objective, "")
