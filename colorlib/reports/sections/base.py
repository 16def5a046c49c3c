"""What a section of a report may have; one that has only some of it leaves the rest as it is here."""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from colorlib.plots import figure_bytes
from colorlib.reports.tables import markdown_details, markdown_figure, markdown_table

if TYPE_CHECKING:  # a comparison has sections, and a section is of a comparison
    from colorlib.reports.comparison import Comparison


class Chart(NamedTuple):
    """A figure of the page: what is to be seen in it, which is its title, and how to read it."""

    figure: Figure
    title: str
    caption: str
    folded: bool = False  # behind its title


class Section:
    """A part of a report, on whatever rows there are: what it says, shows and adds to the table.

    All of it is computed from the comparison, on demand and once. A section that has neither sentences nor charts is
    left out of the report.

    Args:
        comparison: its rows are the section's matter.

    Attributes:
        heading: of the page and of ``comparison.md``.
        note: small print below all else on the page.
        leads: whether its headline stands before those of the others.
        in_markdown: whether ``comparison.md`` has the section too.
        template: a piece of a Jinja template that shows it on the page; it sees ``section``, the comparison as ``c``,
            and the macros of ``report.html``.
    """

    heading = ""
    note = ""
    leads = False
    in_markdown = True
    template = """
<h2>{{ section.heading }}</h2>
{% if section.sentences %}
{{ bullets(section.sentences) }}
{% endif %}
{% for name in section.charts %}
{{ chart(section, name) }}
{% endfor %}
{% if section.table %}
<details><summary>The figures in a table</summary>
{{ plain_table(section.table) }}
</details>
{% endif %}
{% if section.note %}
<p class="note">{{ section.note }}</p>
{% endif %}
"""

    def __init__(self, comparison: "Comparison") -> None:
        self.c = comparison

    @cached_property
    def sentences(self) -> list[str]:
        """What it found, in sentences made from its numbers and names."""
        return []

    @cached_property
    def charts(self) -> dict[str, Chart]:
        """Its figures by name."""
        return {}

    @cached_property
    def headline(self) -> str:
        """A sentence that stands with the report's answer; most sections have none."""
        return ""

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        """What its figures and sentences rest on and no other file of the report holds: name of a CSV file → table."""
        return {}

    @cached_property
    def planned(self) -> list[tuple[str, str]]:
        """Pairs of rows that the study was made to compare: by the rows' settings, not by how they score."""
        return []

    @cached_property
    def table(self) -> list[list[str]]:
        """Lines of cells, of which the first is the head."""
        return []

    def results(self, label: str) -> dict[str, float]:
        """Return what it adds to a row of ``results.csv``: column → value."""
        return {}

    @cached_property
    def present(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.sentences or self.charts)

    def files(self) -> dict[str, bytes]:
        """Return what it puts into the report's folder ``figures``: path in it → contents."""
        return {f"{name}.png": figure_bytes(chart.figure) for name, chart in self.charts.items()}

    def markdown(self) -> list[str]:
        """Return its lines of ``comparison.md``, the first of them blank."""
        if not (self.in_markdown and self.present):
            return []
        lines = ["", f"## {self.heading}", "", *(f"- {sentence}" for sentence in self.sentences)]
        for name, chart in self.charts.items():
            shown = markdown_figure(name, chart.title, chart.caption)
            lines += markdown_details(chart.title, shown[1:]) if chart.folded else shown
        return lines + (markdown_details("The figures in a table", markdown_table(self.table)) if self.table else [])


class PairsSection(Section):
    """A section whose matter is a table of pairs of rows: it is not folded, and ``comparison.md`` has the note, too."""

    template = """
<h2>{{ section.heading }}</h2>
{{ bullets(section.sentences) }}
{{ plain_table(section.table) }}
<p class="note">{{ section.note }}</p>
"""

    def markdown(self) -> list[str]:
        lines = ["", f"## {self.heading}", "", *(f"- {sentence}" for sentence in self.sentences), ""]
        return [*lines, *markdown_table(self.table), "", self.note] if self.present else []
