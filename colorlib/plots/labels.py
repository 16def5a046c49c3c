"""Names in figures, written beside what they name where they cover nothing else."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from scipy.optimize import isotonic_regression

from colorlib.plots.style import BROKEN, FAINT, GROUPS, PAPER, SMALL, folded, inches_of

NAMES = 1.75  # inches of the names down the left of a figure, before they are broken into lines
NAME = 1.6  # inches of a name elsewhere
LINE = 10.0  # points from one line of a name to the next
HALO = [withStroke(linewidth=1.8, foreground=PAPER)]  # keeps a text apart from the lines that it lies on
REACH = range(0, 200, 8)  # points from a mark, at which a name is tried
TURNS = (0, 30, -30, 60, -60, 85, -85)  # degrees from the level, in which it is


def spread(
    positions: np.ndarray, sizes: float | np.ndarray, lowest: float = -np.inf, highest: float = np.inf
) -> np.ndarray:
    """Move things of such sizes apart, as little as needed, until none reaches into its neighbour or lies outside."""
    order = np.argsort(positions, kind="stable")
    sizes = np.broadcast_to(np.asarray(sizes, float), len(order))[order]
    gaps = (sizes[1:] + sizes[:-1]) / 2
    steps = np.concatenate([[0.0], np.cumsum(gaps)])  # with these taken off, "apart" becomes "not decreasing"
    moved = np.empty(len(order))
    level = isotonic_regression(np.asarray(positions, float)[order] - steps).x
    moved[order] = np.clip(level, lowest, max(lowest, highest - steps[-1])) + steps
    return moved


def note(
    axes: Axes, text: str, at: tuple[float, float], by: tuple[float, float], of: Any = "axes fraction", **look: Any
) -> Annotation:
    """Write a text ``by`` so many points from a place; ``of`` says what the place counts in, as ``xycoords`` does."""
    look = {"fontsize": SMALL, "annotation_clip": False, "linespacing": 1.05, "path_effects": HALO, **look}
    return axes.annotate(text, at, by, xycoords=of, textcoords="offset points", **look)


def mark(axes: Axes, name: str, value: float, group: str, across: bool = True) -> None:
    """Draw a broken line across at a height, or upright at an x, and its name at its left or lower end."""
    color = GROUPS[group]
    (axes.axhline if across else axes.axvline)(value, color=color, lw=1, ls=BROKEN, zorder=0)
    if across:
        note(axes, name, (0.01, value), (0, 3), ("axes fraction", "data"), color=color)
    else:
        note(axes, name, (value, 0.01), (3, 0), ("data", "axes fraction"), va="bottom", color=color)


def row_heights(names: Iterable[str]) -> dict[str, float]:
    """Return how many inches each row takes whose name is broken into lines down the left of a figure."""
    return {name: 0.06 + LINE / 72 * (1 + folded(name, NAMES).count("\n")) for name in names}


def settle(figure: Figure, right: float = 0.0) -> None:
    """Lay a figure out for good, with room at its right, so that labels do not move what they are placed by.

    Args:
        right: inches.
    """
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)  # `new_figure` gave it
    engine.set(rect=(0, 0, 1 - right / figure.get_figwidth(), 1))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write (x, y, text, colour) to the right of line ends, moved apart so that no two overlap."""
    if not ends:
        return
    texts = [folded(text, NAME) for *_, text, _ in ends]
    settle(axes.figure.figure, 0.2 + max(inches_of(line) for text in texts for line in text.split("\n")))
    points, pixels = axes.transData.transform([end[:2] for end in ends]), axes.figure.dpi / 72  # of a point
    foot, top = axes.transAxes.transform([(0, 0), (0, 1)])[:, 1]
    points[:, 1] = np.clip(points[:, 1], foot, top)
    sizes = np.array([LINE * (1 + text.count("\n")) + 2 for text in texts]) * pixels
    fit = sizes.sum() < top - foot  # then none lies beside the words below the axis, or above the figure
    room = (foot + sizes.max() / 2, top - sizes.max() / 2) if fit else ()
    heights = spread(points[:, 1], sizes, *room)
    right = axes.transAxes.transform((1, 0))[0] + 10 * pixels
    for (*_, color), text, start, height in zip(ends, texts, points, heights, strict=True):
        line = {"arrowstyle": "-", "color": color, "lw": 0.5, "alpha": 0.5, "shrinkA": 0, "shrinkB": 2}
        line["relpos"] = (0, 0.5)  # from the text's left edge
        by = (right - start[0]) / pixels, (height - start[1]) / pixels
        end = tuple(axes.transData.inverted().transform(start))  # which it follows when the axes change afterwards
        note(axes, text, end, by, "data", va="center", color=color, arrowprops=line, in_layout=False)


def label_points(axes: Axes, points: pd.DataFrame, named: Iterable[int]) -> None:
    """Write texts beside points, each at the nearest place where it covers no other text and no point.

    The line that ties a text to its point crosses no other text and, where that can be, no other point. A text for
    which there is no such place within the axes is not written.

    Args:
        axes: of a figure that is laid out already.
        points: columns x, y, text and color; a text covers none of these.
        named: the numbers of the points whose texts are written, the first of them first.
    """
    canvas = axes.figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)  # `new_figure` gave it
    renderer, pixels = canvas.get_renderer(), axes.figure.dpi / 72  # of a point
    frame = axes.get_window_extent(renderer)
    texts = [text.get_window_extent(renderer) for text in axes.texts]
    places = axes.transData.transform(points[["x", "y"]].to_numpy(float))
    marks = [Bbox.from_extents(x - 3 * pixels, y - 3 * pixels, x + 3 * pixels, y + 3 * pixels) for x, y in places]
    for i in named:
        x, y, words, color = points[["x", "y", "text", "color"]].iloc[i]
        text = note(axes, folded(words, NAME), (x, y), (0, 0), "data", va="center", color=color, in_layout=False)
        size = Text.get_window_extent(text, renderer)
        others = [mark for mark, place in zip(marks, places, strict=True) if (place != places[i]).any()]
        found = None
        for uncrossed in ([*texts, *others], texts):
            for across, along, reach, side in _around() if found is None else ():
                left, middle = places[i] + np.array([across, along]) * pixels
                left -= size.width * (side < 0)
                box = Bbox.from_bounds(left, middle - size.height / 2, size.width, size.height)
                line = Path([places[i], (box.x1 if side < 0 else box.x0, middle)])
                inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
                apart = box.padded(4 * pixels, 0)  # two names in one line are not read as one
                if not inside or any(map(apart.overlaps, texts)) or any(map(box.overlaps, others)):
                    continue
                if not reach or not any(map(line.intersects_bbox, uncrossed)):
                    found = across, along, reach, side, box
                    break
        if found is None:
            text.remove()
            continue
        across, along, reach, side, box = found
        text.set(position=(across, along), ha="right" if side < 0 else "left")
        texts.append(box)
        if reach:
            arrow = {"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 1, "shrinkB": 3}
            note(axes, "", (x, y), (across, along), "data", arrowprops=arrow, in_layout=False)


def _around() -> Iterator[tuple[float, float, int, int]]:
    """Yield the places at which a text is tried, the nearest first: points across and along, how far, on which side."""
    for reach in REACH:
        for turn in TURNS if reach else (0,):
            across, along = 7 + reach * math.cos(math.radians(turn)), reach * math.sin(math.radians(turn))
            yield from ((side * across, along, reach, side) for side in (1, -1))
