"""Equal images against equal computing: how the order of rows changes with what a training may cost.

Computing is counted, not timed: seconds change with what else a machine does. They stand in the table as a cost.
"""

import itertools
import math
from functools import cached_property

from scipy.stats import kendalltau

from colorlib.reports.rows import PRIMARY, Budget, Row, by_budget
from colorlib.reports.sections.base import Section
from colorlib.reports.tables import COST_HEADS
from colorlib.reports.words import head, number, plural, short


def _allowed(budget: Budget) -> tuple[str, str]:
    """Name the cost that a budget leaves open, and word it."""
    return ("training_macs", "took {} MACs") if budget.unit == "images" else ("images_seen", "saw {} photographs")


class Budgets(Section):
    heading = "Equal images, equal computing"

    @cached_property
    def rows(self) -> dict[Budget, list[Row]]:
        """Budget → its trained rows, best first."""
        return by_budget(self.c.rows)

    @cached_property
    def sentences(self) -> list[str]:
        """How the order changes from budgets of images to budgets of computing, and what each budget allowed."""
        sentences = []
        for first, second in itertools.combinations(self.rows, 2):
            if first.unit == second.unit:
                continue
            means = [
                {row.short: self.c.intervals[PRIMARY][row.label].mean for row in self.rows[budget]}
                for budget in (first, second)
            ]
            both = [name for name in means[0] if name in means[1]]
            if len(both) > 1:
                tau = kendalltau(*([table[name] for name in both] for table in means)).statistic
                ends = [min(both, key=table.__getitem__) for table in means]
                same = f"{ends[0]} leads both times" if ends[0] == ends[1] else f"{ends[0]} leads first, {ends[1]} then"
                sentences.append(
                    f"{plural(len(both), 'row')} were trained for {first} and again for {second}: {same}, and "
                    f"Kendall's τ between the two orders is {number(tau)}."
                )
        for budget, rows in self.rows.items():
            cost, words = _allowed(budget)
            spent = {row.short: row.cost(cost) for row in rows if math.isfinite(row.cost(cost))}
            if len(spent) > 1:
                least, most = min(spent, key=spent.__getitem__), max(spent, key=spent.__getitem__)
                start = f"For {budget}, {least} {words.format(short(spent[least]))}"
                sentences.append(f"{start} and {most} {short(spent[most])}.")
        return sentences

    @cached_property
    def table(self) -> list[list[str]]:
        """Rows down and budgets across: place, primary metric with its interval, and what the budget allowed."""
        heads = ["row"]
        for budget in self.rows:
            heads += [f"{budget}: place", head(PRIMARY), COST_HEADS[_allowed(budget)[0]]]
        places = {
            budget: {row.short: (place, row) for place, row in enumerate(rows, 1)} for budget, rows in self.rows.items()
        }
        table = [heads]
        for name in dict.fromkeys(name for found in places.values() for name in found):
            cells = [name]
            for budget, found in places.items():
                if name not in found:
                    cells += ["–"] * 3
                    continue
                place, row = found[name]
                mean, low, high = self.c.intervals[PRIMARY][row.label]
                cost = row.cost(_allowed(budget)[0])
                cells += [f"{place}", f"{number(mean)} ({number(low)}…{number(high)})", short(cost)]
            table.append(cells)
        return table
