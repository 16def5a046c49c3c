"""Every pair of rows: which of the two is better, where that is decided."""

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from colorlib.plots.labels import NAMES, row_heights
from colorlib.plots.style import FAINT, INK, SMALL, folded, new_figure, style

BETTER, WORSE, OPEN = "#0a66a8", "#d98a4b", "#e3e6e9"
LEGEND = {BETTER: "better", OPEN: "not told apart", WORSE: "worse"}
EVERY = 5  # columns with a number, where there are many


@style()
def plot_pairwise(verdicts: pd.DataFrame, title: str = "") -> Figure:
    """Draw how each row stands to each other one: read along a row, blue are those than which it is better.

    Args:
        verdicts: square, the same names on both sides, best first: 1 the row is better than the column, −1 it is worse,
            0 that is not decided; the diagonal is not looked at.
        title: what is to be seen.
    """
    n = len(verdicts)
    names = [f"{name}  {place}" for place, name in enumerate(verdicts.index, 1)]
    edges = np.cumsum([0.0, *row_heights(names).values()])  # inches from the top
    figure, grid = new_figure(0.9 + edges[-1], title=title)
    axes = grid[0, 0]
    cells = verdicts.to_numpy(float).copy()
    np.fill_diagonal(cells, np.nan)
    axes.pcolormesh(
        np.arange(n + 1), edges, cells, vmin=-1, vmax=1, cmap=ListedColormap([WORSE, OPEN, BETTER]),
        edgecolors="white", linewidth=0.6, rasterized=True,
    )  # fmt: skip
    axes.invert_yaxis()
    axes.set_yticks((edges[1:] + edges[:-1]) / 2, [folded(name, NAMES) for name in names])
    for name in axes.get_yticklabels():
        name.set_linespacing(0.95)
    columns = [place for place in range(1, n + 1) if n <= 2 * EVERY or place == 1 or place % EVERY == 0]
    axes.set_xticks(np.array(columns) - 0.5, [f"{place}" for place in columns])
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0, labelcolor=INK)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel("than the row of this number", fontsize=SMALL, color=FAINT)
    axes.xaxis.set_label_position("top")
    keys = [Patch(color=color, label=word) for color, word in LEGEND.items()]
    axes.legend(
        handles=keys, ncols=len(keys), loc="upper left", bbox_to_anchor=(0, 0), frameon=False,
        borderpad=0.4, borderaxespad=0, handlelength=1, handletextpad=0.5, columnspacing=1.5,
    )  # fmt: skip
    return figure
