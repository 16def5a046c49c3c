"""What networks see in the pictures: recognition, and the distances between sets of pictures."""

from functools import cached_property

import numpy as np

from colorlib.reports.sections.base import Section
from colorlib.reports.tables import (
    UNMEASURED,
    markdown_cell,
    markdown_details,
    markdown_head,
    markdown_table,
    table_cells,
    why_missing,
)
from colorlib.reports.words import SEEN, head, listed, number, plural


class Recognised(Section):
    heading = "Recognised and plausible"
    template = """
<h3>{{ section.heading }}</h3>
<p class="note">What networks see in the pictures. Whatever is marked Lite2 is seen by EfficientNet-Lite2, a network of ImageNet that nothing here is trained against, and is not on the scale of the published measures, which need networks of their own. {{ section.sentences | join(" ") }}</p>
{{ metric_table(section.columns, false) }}
"""  # noqa: E501

    @cached_property
    def columns(self) -> list[dict]:
        """All of ``SEEN`` or, where no row has any of them, none."""
        found = {*self.c.intervals, *self.c.pooled, *self.c.sets}
        return table_cells(self.c, SEEN, whole=True) if found & set(SEEN) else []

    @cached_property
    def present(self) -> bool:
        return bool(self.columns)

    @cached_property
    def sentences(self) -> list[str]:
        """How many pictures were seen, what share of the gap was recovered, and which rows are not compared."""
        return [*self._recognition, *self._distances, *self._unmeasured]

    @property
    def _recognition(self) -> list[str]:
        name = "log_probability_lite2"
        if name not in self.c.intervals:
            return []
        scores = [self.c.by_label[label].scores(name, self.c.ids) for label in self.c.intervals[name]]
        known = int(np.isfinite(np.concatenate([np.atleast_2d(s) for s in scores])).all(0).sum())
        sentences = [f"What is recognised is of {plural(known, 'photograph')} whose class ImageNet has."]
        shares = {label: v for label, v in self.c.pooled.get(f"{name}_share", {}).items() if label in self.c.trained}
        if shares:
            best = max(shares, key=lambda label: shares[label].mean)
            share = shares[best]
            ends = f"{number(share.low, 0)} to {number(share.high, 0)}"
            told = (
                f"Of the gap between grey and colour, in the log-probability of what is shown, of the trained rows "
                f"{best} recovers the most: {number(share.mean, 0)} % (95 % interval {ends})"
            )
            untrained = {row.label for row in self.c.rows if row.group == "trivial"}
            more = {
                label: v.mean
                for label, v in self.c.pooled[f"{name}_share"].items()
                if label in untrained and v.mean > share.mean
            }
            if more:
                told += (
                    f"; without training, {listed(f'{label} recovers {number(v, 0)} %' for label, v in more.items())}"
                )
            sentences.append(told + ".")
        return sentences

    @property
    def _distances(self) -> list[str]:
        scores = [(label, score) for table in self.c.sets.values() for label, score in table.items()]
        sizes = sorted({score.n for _, score in scores if score.compared})
        sentences = [f"Distances between sets are of N = {listed(f'{n:,}' for n in sizes)} pictures."] if sizes else []
        apart = {label: score.n for label, score in scores if not score.compared}
        if apart:
            named = listed(f"{label} (N = {n:,})" for label, n in apart.items())
            sentences.append(f"Measured in another way, shown and not compared: {named}.")
        return sentences

    @property
    def _unmeasured(self) -> list[str]:
        shown = {column["name"] for column in self.columns}
        why = {
            name: {why_missing(self.c, name, row.label) for row in self.c.rows} for name in SEEN if name not in shown
        }
        parts = [
            head(name) + "".join(f" ({reason})" for reason in sorted(reasons - {UNMEASURED}))
            for name, reasons in why.items()
        ]
        return (
            [f"Of what networks see, {listed(parts)} {'was' if len(parts) == 1 else 'were'} not measured."]
            if parts
            else []
        )

    def markdown(self) -> list[str]:
        if not self.columns:
            return []
        table = [["row", *map(markdown_head, self.columns)]]
        table += [[row.label, *(markdown_cell(column, row.label) for column in self.columns)] for row in self.c.rows]
        shown = markdown_details("What networks see in the pictures, row by row", markdown_table(table))
        return ["", f"## {self.heading}", "", " ".join(self.sentences), *shown]
