"""Figures in one quiet style: every function takes arrays or tables and returns a matplotlib ``Figure``.

seaborn draws what it draws well: learning curves and bands, points with intervals, the matrix of pairs, densities.
Photographs, the gamut and the placing of names are drawn here. No figure is one of pyplot's, so none is shown twice
and none stays open; a notebook shows a figure by ending a cell with the call. Colours tell groups of rows apart for
colour-blind readers too (Okabe and Ito 2008), and lines carry their names instead of a legend.
"""

from colorlib.plots.color import plot_ab_histogram, plot_gamut, plot_prior
from colorlib.plots.curves import plot_curves
from colorlib.plots.forest import LAWS, plot_forest, plot_forests, plot_laws
from colorlib.plots.history import plot_history, plot_history_rows, plot_training_sizes
from colorlib.plots.pairwise import plot_pairwise
from colorlib.plots.photos import lab8_to_photo, show_answers, show_kept, show_photos, strengths_to_photo, to_photos
from colorlib.plots.planes import plot_hints, plot_pareto, plot_plane, plot_several, unbeaten
from colorlib.plots.style import (
    DENSITY,
    FAINT,
    GROUPS,
    INK,
    LINES,
    NAMED,
    RULE,
    SMALL,
    WIDTH,
    figure_bytes,
    new_figure,
    style,
)

__all__ = [
    "DENSITY",
    "FAINT",
    "GROUPS",
    "INK",
    "LAWS",
    "LINES",
    "NAMED",
    "RULE",
    "SMALL",
    "WIDTH",
    "figure_bytes",
    "lab8_to_photo",
    "new_figure",
    "plot_ab_histogram",
    "plot_curves",
    "plot_forest",
    "plot_forests",
    "plot_gamut",
    "plot_hints",
    "plot_history",
    "plot_history_rows",
    "plot_laws",
    "plot_pairwise",
    "plot_pareto",
    "plot_plane",
    "plot_prior",
    "plot_several",
    "plot_training_sizes",
    "show_answers",
    "show_kept",
    "show_photos",
    "strengths_to_photo",
    "style",
    "to_photos",
    "unbeaten",
]
