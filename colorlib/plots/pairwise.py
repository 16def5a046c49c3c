"""Every pair of rows: by how much one is better than the other, and where that is decided."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from colorlib.plots.style import FAINT, INK, MANY, new_figure, style

DIFFERENCE = LinearSegmentedColormap.from_list("difference", ["#0a66a8", "#f7f7f5", "#c2681c"])


@style()
def plot_pairwise(differences: pd.DataFrame, decided: pd.DataFrame, label: str, lower_is_better: bool = True) -> Figure:
    """Draw the difference of every pair, row minus column; pairs that are not decided stay pale and in brackets.

    With more than ``MANY`` rows colours stand for the numbers, and pairs that are not decided have a dot.

    Args:
        differences: square, the same names on both sides; NaN on the diagonal.
        decided: square bool, True where the difference is significant after correction.
        label: what the difference is of, with its unit.
        lower_is_better: blue is where the row is better than the column.
    """
    n, sign = len(differences), 1 if lower_is_better else -1
    large = n > MANY  # numbers would be too small to read
    figure, grid = new_figure(*((3.4 + 0.2 * n, 2.6 + 0.2 * n) if large else (1.9 + 0.46 * n, 1.6 + 0.32 * n)))
    axes = grid[0, 0]
    known = differences.notna().to_numpy() & ~np.eye(n, dtype=bool)
    sure = decided.to_numpy(bool) & known
    top = differences.where(known).abs().max(axis=None)
    top = top if top > 0 else 1.0  # not NaN, as where no difference is known
    shade = sign * differences.where(sure, 0.0) / top
    if large:
        y, x = np.nonzero(known & ~sure)
        axes.scatter(x + 0.5, y + 0.5, s=3, color=FAINT, lw=0, zorder=2)
    steps = np.array([-1, -0.25, -0.05, 0.05, 0.25, 1])
    sns.heatmap(
        np.sign(shade) * np.sqrt(shade.abs()), vmin=-1.15, vmax=1.15, cmap=DIFFERENCE, ax=axes, xticklabels=True,
        yticklabels=True, annot=False if large else _numbers(differences, known, sure), fmt="",
        annot_kws={"fontsize": 6.5}, cbar=large, rasterized=True,
        cbar_kws={"shrink": 0.4, "pad": 0.01, "ticks": np.sign(steps) * np.sqrt(np.abs(steps))},
    )  # fmt: skip
    for text in axes.texts:
        if text.get_text().startswith("("):
            text.set_color(FAINT)
    if large:
        words = [f"{step * top * sign:+.2g}".replace("-", "−") for step in steps]
        axes.collections[-1].colorbar.ax.set_yticklabels(words, fontsize=7)
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0, labelsize=8, labelcolor=INK)
    axes.tick_params(axis="y", rotation=0)
    for name in axes.get_xticklabels():
        name.set(rotation=45, ha="left", rotation_mode="anchor")
    axes.set_xlabel(
        f"{label},\nrow minus column: blue, the row is better; {'dot' if large else '(…)'}, no winner", fontsize=8
    )
    return figure


def _numbers(differences: pd.DataFrame, known: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Write each known difference with its sign, in brackets where it is not sure."""
    words = differences.map(lambda value: f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "0.0")
    return np.select([~known, sure], ["", words], "(" + words + ")")
