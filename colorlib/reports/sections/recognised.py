"""What networks see in the pictures: recognition, and the distances between sets of pictures."""

from functools import cached_property

from colorlib.reports.sections.base import Section
from colorlib.reports.tables import markdown_cell, markdown_head, markdown_table, table_cells
from colorlib.reports.words import SEEN, listed


class Recognised(Section):
    heading = "Recognised and plausible"
    template = """
<h3>{{ section.heading }}</h3>
<p class="note">What networks see in the pictures. Those of classifier b, a small network that ships with this study, are named after it and are not on the scale of the published ones, which need weights that do not ship. {{ section.sentences | join(" ") }}</p>
{{ metric_table(section.columns, false) }}
"""  # noqa: E501

    @cached_property
    def columns(self) -> list[dict]:
        """All of ``SEEN`` or, where no row has any of them, none."""
        found = {*self.c.intervals, *self.c.sets}
        return table_cells(self.c, SEEN, whole=True) if found & set(SEEN) else []

    @cached_property
    def present(self) -> bool:
        return bool(self.columns)

    @cached_property
    def sentences(self) -> list[str]:
        """How many pictures the distances between sets are of, and which rows are not compared."""
        scores = [(label, score) for table in self.c.sets.values() for label, score in table.items()]
        sizes = sorted({score.n for _, score in scores if score.compared})
        sentences = [f"Distances between sets are of N = {listed(f'{n:,}' for n in sizes)} pictures."] if sizes else []
        apart = {label: score.n for label, score in scores if not score.compared}
        if apart:
            named = listed(f"{label} (N = {n:,})" for label, n in apart.items())
            sentences.append(f"Measured in another way, shown and not compared: {named}.")
        return sentences

    def markdown(self) -> list[str]:
        if not self.columns:
            return []
        table = [["row", *map(markdown_head, self.columns)]]
        table += [[row.label, *(markdown_cell(column, row.label) for column in self.columns)] for row in self.c.rows]
        return ["", f"## {self.heading}", "", *markdown_table(table), "", " ".join(self.sentences)]
