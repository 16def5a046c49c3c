"""What quality costs: error against the time of colouring and of training."""

from functools import cached_property

from colorlib import plots
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.tables import primary_label, primary_table
from colorlib.reports.words import plural


class Cost(Section):
    heading = "Quality against cost"

    @cached_property
    def charts(self) -> dict[str, Chart]:
        c, table = self.c, primary_table(self.c)
        costs = {"ms_per_image": "colouring one photograph [ms]", "train_seconds": "training [s]"}
        for name in costs:
            table[name] = c.results[name].astype(float)
        known = table.loc[c.trained or [label for label in c.trivial if label != c.grey]]
        costs = {name: words for name, words in costs.items() if (known[name] > 0).any()}
        if not costs:
            return {}
        grey = ("left grey", table["mean"][c.grey]) if c.grey else None
        first = next(iter(costs))
        best = plots.unbeaten(known[first], known["mean"])
        task = {"ms_per_image": "colouring", "train_seconds": "training"}[first]
        are = "is" if len(best) == 1 else "are"
        title = f"{len(best)} of {plural(len(known), 'row')} {are} beaten by none in both error and time of {task}"
        caption = (
            "Down is better, left is cheaper: no row lies below and left of the grey band. Where there are many, only "
            "the rows on the band have names. Times are of this machine, rows running beside one another."
        )
        figure = plots.plot_pareto(known, costs, primary_label(), reference=grey, title=title)
        return {"pareto": Chart(figure, title, caption)}
