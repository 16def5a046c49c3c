"""How every row stands to the best one and to grey, what it costs, and every metric there is."""

import math
from functools import cached_property

from colorlib.metrics import known_metric
from colorlib.reports.rows import COSTS, TIMES
from colorlib.reports.sections.base import Section
from colorlib.reports.tables import COST_HEADS, table_cells


class Verdicts(Section):
    heading = "Verdicts and costs"
    in_markdown = False  # it stands in the first table there
    present = True
    template = """
<h3>{{ section.heading }}</h3>
<p class="note">One of the rows that may be the best is it, with a chance of 95 %. A verdict is from the row's own side: the difference in {{ head(primary) }} with its 95 % interval is below it, and p is corrected for all pairs of rows{% if c.margin %}; differences up to {{ c.margin }} do not matter{% endif %}. Times are of this machine; what ran on another device than most rows has none.</p>
<div class="scroll"><table>
<thead><tr><th class="name">Row</th><th class="text">May be the best</th><th class="text">Against grey</th>
{% for words in section.costs.values() %}<th>{{ words }}</th>{% endfor %}
</tr></thead>
<tbody>
{% for row in c.rows %}
<tr class="{{ row.group }}">
{{ name_of(row) }}
{% for other in (c.best, c.grey) %}
<td class="text">{{ (c.may_be_best(row.label) if other == c.best else c.verdict(row.label, other)) or "–" }}
{%- if (row.label, other) in c.differences %}{% set d = c.differences[row.label, other] %}
<small>{{ d.mean | signed }} ({{ d.low | signed }} … {{ d.high | signed }})</small>{% endif %}</td>
{% endfor %}
{% for name in section.costs %}<td>{{ row.cost(name) | short }}</td>{% endfor %}
</tr>
{% endfor %}
</tbody></table></div>
<details><summary>Every metric</summary>
{{ metric_table(section.columns) }}
</details>
<details><summary>What the metrics mean, and what each is blind to</summary>
<div class="scroll"><table class="words">
<thead><tr><th class="text">Metric</th><th class="text">Unit</th><th class="text">Better</th><th class="text">What it measures</th><th class="text">What it is blind to</th><th class="text">Reference</th></tr></thead>
<tbody>{% for name, metric in section.metrics.items() %}
<tr><td><code>{{ name }}</code></td><td>{{ metric.unit or "–" }}</td><td>{{ {true: "higher", false: "lower"}.get(metric.higher_is_better, "–") }}</td><td>{{ metric.about }}</td><td>{{ metric.blind_to }}</td><td>{{ metric.reference }}</td></tr>
{% endfor %}</tbody></table></div></details>
"""  # noqa: E501

    @cached_property
    def costs(self) -> dict[str, str]:
        """The heads of the costs that some row has."""
        names = [name for name in (*COSTS, *TIMES) if any(math.isfinite(row.cost(name)) for row in self.c.rows)]
        return {name: COST_HEADS[name] for name in names}

    @cached_property
    def metrics(self) -> dict:
        """What is known of every metric that a row has."""
        return {name: known_metric(name) for name in (*self.c.intervals, *self.c.pooled, *self.c.sets)}

    @cached_property
    def columns(self) -> list[dict]:
        """Every metric, as :func:`~colorlib.reports.tables.table_cells` gives it."""
        return table_cells(self.c, self.metrics)
