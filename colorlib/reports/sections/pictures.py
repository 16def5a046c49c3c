"""Photographs side by side, chosen by rule, as every row coloured them."""

from functools import cached_property
from html import escape

from colorlib.reports.rows import MANY
from colorlib.reports.samples import Sample, choose_samples, jpeg
from colorlib.reports.sections.base import Section
from colorlib.reports.tables import markdown_table

TITLES = {"bundled": "Photographs that ship with scikit-image", "test": "Photographs of the test split"}
FEW = 6  # rows of pictures in comparison.md
LARGEST = 192**2  # pixels of a picture
ALL_PIXELS = 4_600_000  # of all pictures of a report; their files take about half a byte a pixel


class Pictures(Section):
    heading = "Side by side"
    titles = TITLES
    shown = MANY
    template = """
<h2>{{ section.heading }}</h2>
<p>Photographs are chosen by rule, never by eye: of those that every trained row coloured, the one with the lowest, the median and the highest mean {{ head(primary) }} over the trained rows, and the one on which they differ most (largest variance) among the rest. The first seed of each row is shown.</p>
{% macro picture(name, i, column) %}
{% set sample = section.samples[name][i] %}
{% if sample.photos[column] is none %}–{% else %}<img src="figures/{{ section.path(name, i, column) }}" alt="{{ sample.identity }}, {{ column }}" loading="lazy">{% endif %}
{% endmacro %}
{% macro picture_rows(name, columns) %}
<div class="scroll"><table class="pictures">
<thead><tr><th class="name"></th>{% for sample in section.samples[name] %}<th>{{ sample.identity }}<small>{{ sample.reason | tidy }}</small></th>{% endfor %}</tr></thead>
<tbody>{% for column in columns %}
<tr><td class="name"><b>{{ column | name }}</b></td>
{% for sample in section.samples[name] %}<td>{{ picture(name, loop.index0, column) | trim }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% endmacro %}
{% for name, samples in section.samples.items() %}{% set columns = samples[0].photos | list %}
<h3>{{ section.titles.get(name, name) }}</h3>
{% if columns | length > section.shown %}
{{ picture_rows(name, columns[:section.shown]) }}
<details><summary>{{ columns | length - section.shown }} more rows</summary>
{{ picture_rows(name, columns[section.shown:]) }}
</details>
{% else %}
<div class="scroll"><table class="pictures">
<thead><tr><th class="name"></th>{% for column in columns %}<th>{{ column | name }}</th>{% endfor %}</tr></thead>
<tbody>{% for sample in samples %}{% set i = loop.index0 %}
<tr><td class="name"><b>{{ sample.identity }}</b><small>{{ sample.reason | tidy }}</small></td>
{% for column in columns %}<td>{{ picture(name, i, column) | trim }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% endif %}
{% endfor %}
"""  # noqa: E501

    @cached_property
    def samples(self) -> dict[str, list[Sample]]:
        """Set of pictures, of those that the study may show → the photographs chosen from it."""
        names = self.c.study.get("pictures", ["bundled"])
        found = {name: choose_samples(self.c, name) for name in names}
        return {name: samples for name, samples in found.items() if samples}

    @cached_property
    def present(self) -> bool:
        return bool(self.samples)

    def path(self, name: str, i: int, column: str) -> str:
        """Name the file of one picture: of the set ``name`` the ``i``-th photograph, as ``column`` coloured it."""
        number = list(self.samples[name][i].photos).index(column)
        return f"{name}/{i + 1}-{number + 1:02}.jpg"

    def markdown(self) -> list[str]:
        """Return a table for each set: photographs across, the truth, grey and the best rows down."""
        lines = ["", f"## {self.heading}"] if self.present else []
        for name, samples in self.samples.items():
            table = [["", *(f"{sample.identity}: {sample.reason}" for sample in samples)]]
            for column in list(samples[0].photos)[:FEW]:
                pictures = [
                    f'<img src="figures/{self.path(name, i, column)}" width="150" alt="{escape(column)}">'
                    if sample.photos[column] is not None
                    else "–"
                    for i, sample in enumerate(samples)
                ]
                table.append([column, *pictures])
            lines += ["", f"{TITLES.get(name, name)}, chosen by rule; all rows are on the page index.html.", ""]
            lines += markdown_table(table)
        return lines

    def files(self) -> dict[str, bytes]:
        photos = {
            self.path(name, i, column): photo
            for name, samples in self.samples.items()
            for i, sample in enumerate(samples)
            for column, photo in sample.photos.items()
        }
        pixels = min(LARGEST, ALL_PIXELS / max(len(photos), 1))
        return {path: jpeg(photo, pixels) for path, photo in photos.items() if photo is not None}
