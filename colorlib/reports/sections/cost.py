"""What quality costs: error against the time of colouring and of training."""

from functools import cached_property

from colorlib import plots
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.tables import primary_label, primary_table


class Cost(Section):
    heading = "Quality against cost"
    in_markdown = False

    @cached_property
    def charts(self) -> dict[str, Chart]:
        c, table = self.c, primary_table(self.c)
        costs = {"ms_per_image": "colouring one photograph [ms]", "train_seconds": "training [s]"}
        for name in costs:
            table[name] = c.results[name].astype(float)
        known = table[(table["group"] != "oracle") & (table.index != c.grey)]
        costs = {name: words for name, words in costs.items() if (known[name] > 0).any()}
        if not costs:
            return {}
        grey = ("left grey", table["mean"][c.grey]) if c.grey else None
        return {
            "pareto": Chart(
                plots.plot_pareto(known, costs, primary_label(), reference=grey),
                "Quality against time",
                "Down is better, left is cheaper. No row lies below and left of the pale band; a name that found no "
                "room is in the table above. Times are of this machine, rows running beside one another.",
            )
        }
