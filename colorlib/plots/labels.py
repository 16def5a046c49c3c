"""Names in figures: broken into lines, and written beside what they name where they cover nothing else."""

import itertools
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from scipy.optimize import isotonic_regression

from colorlib.plots.style import BROKEN, FAINT, GROUPS

NAME_CHARACTERS = 44  # of a row's name, in one line


def folded(name: str, characters: int) -> str:
    """Break a name into lines of at most so many characters, at blanks and after underscores."""
    parts = (textwrap.wrap(part.replace("_", "_ "), characters) for part in name.split(" · "))
    return "\n".join(line.replace("_ ", "_") for lines in parts for line in lines)


def broken(name: str) -> str:
    """Break a long name into lines that fit the left of a figure."""
    return "\n".join(textwrap.wrap(name, NAME_CHARACTERS)) or name


def width_of(names: Sequence[str]) -> float:
    """Return how many inches the names take to the left of a figure, once broken."""
    return 0.068 * max((len(line) for name in names for line in broken(name).split("\n")), default=0)


def spread(positions: np.ndarray, gap: float) -> np.ndarray:
    """Move positions apart, as little as needed, until neighbours are ``gap`` from one another."""
    order = np.argsort(positions, kind="stable")
    steps = gap * np.arange(len(order))  # with these taken off, "at least gap apart" becomes "not decreasing"
    moved = np.empty(len(order))
    moved[order] = isotonic_regression(np.asarray(positions, float)[order] - steps).x + steps
    return moved


def note(
    axes: Axes, text: str, at: tuple[float, float], by: tuple[float, float], of: Any = "axes fraction", **look: Any
) -> Annotation:
    """Write a text ``by`` so many points from a place; ``of`` says what the place counts in, as ``xycoords`` does."""
    look = {"fontsize": 8, "annotation_clip": False} | look
    return axes.annotate(text, at, by, xycoords=of, textcoords="offset points", **look)


def mark(axes: Axes, name: str, value: float, group: str, across: bool = True) -> None:
    """Draw a broken line across at a height, or upright at an x, and its name at its left or upper end."""
    color = GROUPS[group]
    (axes.axhline if across else axes.axvline)(value, color=color, lw=1, ls=BROKEN, zorder=0)
    if across:
        note(axes, name, (0.01, value), (0, 3), ("axes fraction", "data"), color=color)
    else:
        note(axes, name, (value, 0.99), (3, 0), ("data", "axes fraction"), va="top", color=color)


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write (x, y, text, colour) to the right of line ends, moved apart so that no two overlap."""
    if not ends:
        return
    axes.figure.canvas.figure.draw_without_rendering()
    points, pixels = axes.transData.transform([end[:2] for end in ends]), axes.figure.dpi / 72  # of a point
    heights = spread(points[:, 1], 10 * pixels)
    for (x, y, text, color), start, height in zip(ends, points, heights, strict=True):
        by = 10 + (points[:, 0].max() - start[0]) / pixels, (height - start[1]) / pixels
        line = {"arrowstyle": "-", "color": color, "lw": 0.5, "alpha": 0.5, "shrinkA": 0, "shrinkB": 2}
        line["relpos"] = (0, 0.5)  # from the text's left edge
        note(axes, text, (x, y), by, "data", va="center", color=color, arrowprops=line)


def label_points(axes: Axes, points: pd.DataFrame, order: Iterable[int]) -> None:
    """Write each name beside its point where it covers no other text and no point's bar, else not at all.

    Args:
        axes: of a figure that is laid out already.
        points: index = the names; columns x, y, group and the ends low and high of the point's bar.
        order: which rows get a name, the first of them first.
    """
    canvas = axes.figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)  # `new_figure` gave it
    renderer = canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    taken = [text.get_window_extent(renderer) for text in axes.texts]
    for low, high in zip(*(axes.transData.transform(points[["x", end]]) for end in ("low", "high")), strict=True):
        bottom, top = sorted((low[1], high[1]))
        taken.append(Bbox.from_extents(low[0] - 5, bottom - 5, low[0] + 5, top + 5))
    heights = (0, 9, -9, 18, -18, 28, -28, 40, -40)
    line = {"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0, "shrinkB": 4}
    for i in order:
        name, point = points.index[i], points.iloc[i]
        tried: list[tuple[int, int, Annotation, Bbox]] = []
        for up, side in itertools.product(heights, (1, -1)):
            text = note(
                axes, name, (point["x"], point["y"]), (8 * side, up), "data", ha="left" if side > 0 else "right",
                va="center", color=GROUPS[point["group"]], annotation_clip=True, in_layout=False,
                arrowprops=line if up else None,
            )  # fmt: skip
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer)  # of the text; an annotation's own takes in its line
            outside = box.x0 < frame.x0 or box.x1 > frame.x1 + 6 or box.y0 < frame.y0
            tried.append((sum(map(box.overlaps, taken)) + 10 * outside, len(tried), text, box))
            if tried[-1][0] == 0:
                break
        clashes, last, _, box = min(tried)
        for _, number, text, _ in tried:
            if clashes or number != last:
                text.remove()
        if not clashes:
            taken.append(box)
