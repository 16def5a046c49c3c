"""What each metric would have crowned, and how far its order of the rows agrees with the primary one's.

Reference:
    Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945 (tau-b).
"""

import math
from functools import cached_property

from scipy.stats import kendalltau

from colorlib.metrics import known_metric
from colorlib.reports.rows import PRIMARY
from colorlib.reports.sections.base import Section
from colorlib.reports.words import head, listed, number, plural


class Crowns(Section):
    heading = "What each metric would have crowned"
    template = """
<h2>{{ section.heading }}</h2>
{{ bullets(section.sentences) }}
<details><summary>Metric by metric</summary><div class="scroll"><table>
<thead><tr><th class="name">Metric</th><th class="text">Best trained row</th><th>Its score</th><th>Agreement, τ</th>{% if section.fooled %}<th class="text">Trivial rows at least as good</th>{% endif %}</tr></thead>
<tbody>{% for crown in section.crowns %}
<tr><td class="name">{{ head(crown.metric) }}</td><td class="text">{% if crown.same %}{{ crown.winner }}{% else %}<b>{{ crown.winner }}</b>{% endif %}</td><td>{{ crown.value | number(3) }}</td><td>{{ crown.tau | number(2) }}</td>{% if section.fooled %}<td class="text">{{ crown.trivial | join(", ") or "–" }}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>
<p class="note">τ is Kendall's, between this metric's order of all rows but the oracles and that of {{ head(primary) }}: 1 is the same order, −1 the reverse.</p></details>
"""  # noqa: E501

    @cached_property
    def crowns(self) -> list[dict]:
        """For each metric with a direction: metric, winner, its value, same (as the primary metric's), trivial, tau.

        ``trivial`` are the rows that need no training and score at least as well; ``tau`` is Kendall's tau-b, NaN where
        there are no two rows that differ.
        """
        c, crowns = self.c, []
        for name in (*c.intervals, *c.pooled, *c.sets):
            order = c.order(name)
            if order is None:
                continue
            order = order[[label for label in order.index if label in c.contestants]]
            winners = [label for label in order.index if label in c.trained]
            if not winners:
                continue
            up = known_metric(name).higher_is_better
            top = order[winners[0]]
            orders = c.results.loc[order.index, PRIMARY], order * (-1 if up else 1)
            crowns.append(
                {
                    "metric": name,
                    "winner": winners[0],
                    "value": top,
                    "same": winners[0] == c.best,
                    "trivial": [
                        t for t in order.index if t in c.trivial and (order[t] >= top if up else order[t] <= top)
                    ],
                    "tau": float(kendalltau(*orders).statistic) if len(order) > 1 else math.nan,
                }
            )
        return crowns

    @cached_property
    def fooled(self) -> list[str]:
        """The metrics by which a row that needs no training is at least as good as every trained one."""
        return [head(crown["metric"]) for crown in self.crowns if crown["trivial"]]

    @cached_property
    def sentences(self) -> list[str]:
        """Where the metrics disagree."""
        c = self.c
        if not self.crowns or c.best is None:
            return []
        winners: dict[str, list[str]] = {}
        for crown in self.crowns:
            winners.setdefault(crown["winner"], []).append(head(crown["metric"]))
        agree = len(winners.pop(c.best, []))
        sentences = [f"{agree} of {plural(len(self.crowns), 'metric')} crown {c.best}, as {head(PRIMARY)} does."]
        for winner, metrics in sorted(winners.items(), key=lambda item: -len(item[1])):
            sentences.append(f"{listed(metrics)} would have crowned {winner}.")
        if self.fooled:
            sentences.append(
                f"By {listed(self.fooled)}, a row that needs no training equals or beats every trained one."
            )
        low = min(self.crowns, key=lambda crown: crown["tau"] if math.isfinite(crown["tau"]) else 2)
        if math.isfinite(low["tau"]) and low["tau"] < 1:
            sentences.append(
                f"The order farthest from that of {head(PRIMARY)} is that of {head(low['metric'])} "
                f"(Kendall's τ {number(low['tau'])} over {plural(len(c.contestants), 'row')})."
            )
        return sentences
