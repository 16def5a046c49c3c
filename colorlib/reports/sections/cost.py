"""What quality costs: error against what a network computes for a photograph and computed in training."""

from functools import cached_property

from colorlib import plots
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.tables import marked, primary_label, primary_table
from colorlib.reports.words import are, plural

COMPUTING = {  # cost → its unit, and what the axis says
    "macs_per_image": (1e6, "computing one photograph [million MACs]"),
    "training_macs": (1e9, "computing the training [billion MACs]"),
}
ALIKE = 1.5  # times the least that a row computes, up to which all compute the same


class Cost(Section):
    heading = "Quality against cost"

    @cached_property
    def charts(self) -> dict[str, Chart]:
        c, table = self.c, primary_table(self.c)
        for name, (unit, _) in COMPUTING.items():
            table[name] = c.results[name].astype(float) / unit
        known = table.loc[c.trained]
        costs = {
            name: words
            for name, (_, words) in COMPUTING.items()
            if known[name].max() > ALIKE * known[name].min() > 0  # else the figure would be one column of points
        }
        if not costs:
            return {}
        grey = ("left grey", table["mean"][c.grey]) if c.grey else None
        best = plots.unbeaten(known[next(iter(costs))], known["mean"])
        title = (
            f"{len(best)} of {plural(len(known), 'row')} {are(len(best))} beaten by none in both error and computing"
        )
        caption = (
            "Down is better, left is cheaper: no row lies below and left of the grey band. Where there are many, only "
            "the rows on the band have names. A MAC is one multiplication with an addition; unlike seconds their "
            "number is the same on every machine, whatever else runs there."
        )
        if any(row.encoder["pretraining"] != "none" for row in c.rows if row.group == "trained"):
            caption += " What an encoder computed before, when it learned ImageNet, is not counted."
        figure = plots.plot_pareto(marked(c, known), costs, primary_label(), reference=grey, title=title)
        return {"pareto": Chart(figure, title, caption)}
