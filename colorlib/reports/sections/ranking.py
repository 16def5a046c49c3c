"""The comparison itself: every row with its interval and rank, best on top."""

import math
from functools import cached_property

from colorlib import plots
from colorlib.reports.rows import COSTS, PRIMARY, TIMES, by_budget, usual_budget
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.tables import (
    COST_HEADS,
    mark_of,
    markdown_cell,
    markdown_details,
    markdown_figure,
    markdown_head,
    markdown_table,
    marked,
    primary_label,
    primary_table,
    rank_text,
    table_cells,
)
from colorlib.reports.words import HEADS, are, head, number, plural, short

FIRST = ("delta_e_2000", "psnr_rgb_db", "auc_rebalanced", "colorfulness_hs03")  # metrics of the first table


class Ranking(Section):
    heading = "The comparison"
    template = """
<h2>{{ section.heading }}</h2>
{{ chart(section, "forest") }}
<p class="note">Sorted by {{ head(primary) }}. Small figures are 95 % intervals; ↑ higher is better, ↓ lower is better; blue is the best trained row of a column. A rank is followed by the ranks that the verdicts leave open.</p>
{{ metric_table(section.first) }}
{% for sentence in section.collapses %}<p class="note">† {{ sentence | tidy }}</p>{% endfor %}
{% if section.taught %}<p class="note">{{ section.taught }}</p>{% endif %}
{% if section.chosen %}<p class="note">{{ section.chosen }}</p>{% endif %}
{% if section.labels %}<p class="note">{{ section.labels }}</p>{% endif %}
{% if section.table %}
<details><summary>The rows' names in full</summary>
{{ plain_table(section.table) }}
</details>
{% endif %}
"""  # noqa: E501

    @cached_property
    def columns(self) -> list[dict]:
        """The metrics that the report rests on, as :func:`~colorlib.reports.tables.table_cells` gives them."""
        return table_cells(self.c, HEADS)

    @cached_property
    def first(self) -> list[dict]:
        """Those of the first table."""
        return [column for column in self.columns if column["name"] in FIRST]

    @cached_property
    def table(self) -> list[list[str]]:
        """The names in full of rows that are called otherwise."""
        called = [[row.label, row.full] for row in self.c.rows if row.label != row.runs[0].label]
        return [["row", "in full"], *called] if called else []

    @cached_property
    def labels(self) -> str:
        """What labels leave out where there are several budgets: the usual one."""
        usual = usual_budget(self.c.rows)
        others = any(row.budget not in (None, usual) for row in self.c.rows)
        return f"Rows without a budget in their name were trained for {usual}." if others else ""

    @cached_property
    def collapses(self) -> list[str]:
        """The runs whose adversarial training was ended early, with why and when."""
        return [
            f"{row.label}, seed {run.config.get('seed')}, collapsed after {collapse['images_seen']:,} photographs: "
            f"{collapse['why']}. Judged is the last network before."
            for row in self.c.rows
            for run in row.collapsed
            if (collapse := run.collapse)
        ]

    @cached_property
    def taught(self) -> str:
        """What the mark of rows says that learned by the metric that ranks them."""
        words = f"‡ Trained on {head(PRIMARY)} itself, which ranks the rows: look at the other metrics too."
        return words if self.c.taught_to_the_test else ""

    @cached_property
    def chosen(self) -> str:
        """Which weights of a training were judged, where some rows have a critic."""
        if not any(row.has_critic for row in self.c.rows):
            return ""
        return (
            "Judged are, of a training with a critic, the last weights that have not left the photographs (by more "
            "than twice the lowest validation loss), and of any other those with the lowest: that loss leaves critics "
            "out, so by it alone a network would be judged as it was when it heeded its critic least."
        )

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """All rows, or where a study has budgets of both kinds, each budget's rows in a panel of its own."""
        c, table, label = self.c, primary_table(self.c), primary_label()
        better, budgets, title = "lower is better, bars are 95 % intervals", by_budget(self.c.rows), self._title()
        caption = (
            "How far each row's colours lie from the photographs', best on top. Trivial rows need no training and show "
            "what learning is worth; oracles know the answer and show what is left to learn. The dashed line is what "
            "leaving every photograph grey scores; an arrow at the edge is a row that lies beyond it."
        )
        caption += " ‡ learned on the very measure." * bool(c.taught_to_the_test)
        if not budgets:
            figure = plots.plot_forest(marked(c, table), label, better, c.grey, title)
            return {"forest": Chart(figure, title, caption)}
        caption += " Rows were trained for equal images or for equal computing, each in a panel of its own."
        panels = {}
        for budget, rows in budgets.items():
            names = {row.label: row.short for row in rows} | {row.label: row.label for row in c.rows if not row.budget}
            names = {label: name + mark_of(c, label) for label, name in names.items()}
            equal = "equal images" if budget.unit == "images" else "equal computing"
            panels[f"{equal}: {str(budget).removesuffix(' images')}"] = table[table.index.isin(names)].rename(
                index=names
            )
        return {"forest": Chart(plots.plot_forests(panels, label, better, c.grey, title), title, caption)}

    def _title(self) -> str:
        """Say how many trained rows do better than grey, which is what the figure shows at first sight."""
        c = self.c
        better = sum(c.verdict(label, c.grey) == "better" for label in c.trained)
        if not c.trained or c.grey is None:
            return f"Mean {head(PRIMARY)} of every row"
        count = f"{better:,} of {plural(len(c.trained), 'trained row')}"
        return f"{count} {are(better)} shown to be better than leaving photographs grey"

    def markdown(self) -> list[str]:
        """Return figure and first table without a heading, right after the answer, and the rest of it folded below."""
        c = self.c
        chart = self.charts["forest"]
        table = [["rank", "row", *map(markdown_head, self.first), "may be the best", "against grey", "Parameters"]]
        for row in c.rows:
            collapsed = f" † ({len(row.collapsed)} of {len(row.runs)} collapsed)" if row.collapsed else ""
            cells = [rank_text(c.ranks.get(row.label)), row.label + collapsed + mark_of(c, row.label)]
            cells += [markdown_cell(column, row.label) for column in self.first]
            cells += [c.may_be_best(row.label) or "–", c.verdict(row.label, c.grey) or "–"]
            table.append([*cells, short(row.cost("parameters"))])
        lines = [*markdown_figure("forest", chart.title, chart.caption), "", *markdown_table(table)]
        metrics = [["row", *map(markdown_head, self.columns)]]
        metrics += [[row.label, *(markdown_cell(column, row.label) for column in self.columns)] for row in c.rows]
        costs = [["row", "group", "seeds", *(COST_HEADS[name] for name in (*COSTS, *TIMES))]]
        costs += [
            [row.label, row.group, f"{len(row.runs)}", *(short(row.cost(name)) for name in (*COSTS, *TIMES))]
            for row in c.rows
        ]
        lines += markdown_details("Every metric of the main table", markdown_table(metrics))
        lines += markdown_details("What each row is and what it cost", markdown_table(costs))
        if self.table:
            lines += markdown_details("The rows' names in full", markdown_table(self.table))
        for name in ("colorfulness_hs03", "mean_chroma"):
            if math.isfinite(c.truth(name)):
                lines += ["", f"{head(name)} of the photographs themselves: {number(c.truth(name), 1)}."]
        for sentence in filter(None, (self.labels, self.taught, self.chosen, *self.collapses)):
            lines += ["", sentence]
        return lines
