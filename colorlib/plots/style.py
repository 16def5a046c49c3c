"""The study's look: its colours, a figure to begin with, and a figure as the bytes of a file.

Figures of reports and notebooks are ``WIDTH`` inches wide and no letter on them is below ``SMALL`` points, so that on a
telephone, where a page is 390 pixels wide, letters are still as large as the page's own small print.
"""

import contextlib
import functools
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

WIDTH = 5.0  # inches of a figure
SMALL = 9.0  # points of its smallest letters
TITLE = 10.5  # points of its title
INK, FAINT, RULE, PAPER = "#22262b", "#6d747c", "#d9dde1", "#ffffff"
GROUPS = {"trained": "#0a66a8", "trivial": "#7b828a", "oracle": "#c2681c", "judged": "#7a4fa3", "slip": "#a3456b"}
NAMED = 6  # rows that a reader can tell apart by their colours
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8f6bb3", "#b8860b", "#56b4e9", "#4d4d4d")
DENSITY = LinearSegmentedColormap.from_list("density", ["#eef2f6", "#8fb3d1", "#2f6ea3", "#12304d"])
BROKEN = (0, (4, 3))  # how a line is drawn that is a mark and no data
FENCE = 3.0  # quartiles' distances beyond which a value lies far out (Tukey 1977)
WIDE = 3.0  # times the trained rows' middle width, beyond which an interval may be cut by the edge of its axes


class _Picture(Figure):
    """A figure that a notebook shows sharply, whether or not the notebook has imported pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Hold the study's look while the block runs; every function here is decorated with it.

    Example:
        >>> with style():
        ...     figure = Figure()
    """
    with mpl.rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": SMALL,
            "axes.titlesize": SMALL,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelcolor": FAINT,
            "axes.edgecolor": RULE,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "axes.axisbelow": True,
            "grid.color": RULE,
            "grid.linewidth": 0.6,
            "text.color": INK,
            "xtick.color": RULE,
            "ytick.color": RULE,
            "xtick.labelcolor": FAINT,
            "ytick.labelcolor": INK,
            "figure.facecolor": PAPER,
            "savefig.facecolor": PAPER,
            "lines.linewidth": 1.6,
            "svg.fonttype": "path",
            "svg.hashsalt": "colorlib",  # the ids inside an SVG are random without it
        }
    ):
        yield


@style()
def new_figure(
    height: float, columns: int = 1, rows: int = 1, title: str = "", width: float = WIDTH, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Begin a figure in the study's look, and return it with its axes as an array (rows, columns).

    Args:
        height, width: in inches. Letters on a figure wider than ``WIDTH`` are too small for a telephone: panels that
            find no room beside one another go below one another.
        title: the figure's one message, broken into lines above the axes; the height grows by them.
        options: of Matplotlib's ``Figure.subplots``, for example ``sharex=True``.

    Example:
        >>> figure, axes = new_figure(3)
        >>> line = axes[0, 0].plot([1, 4, 9])
    """
    lines = folded(title, width - 0.1, TITLE, bold=True)
    height += 0.2 * (lines.count("\n") + bool(lines))
    figure = _Picture(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # labels are placed by the size of drawn text
    if title:
        figure.suptitle(lines, x=0.05 / width, ha="left", fontsize=TITLE, fontweight="bold")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


@functools.cache
def inches_of(text: str, size: float = SMALL, bold: bool = False) -> float:
    """Return how wide a line of text is drawn at a size in points."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72


def folded(text: str, inches: float, size: float = SMALL, bold: bool = False) -> str:
    """Break a text into lines that are at most so wide, after blanks and underscores, or in a word that is wider.

    Example:
        >>> folded("a network · loss_of_many_words", 1.2)
        'a network · loss_\\nof_many_words'
    """
    lines = []
    for paragraph in text.split("\n"):
        lines.append("")
        for part in re.findall(r"[^ _]+[ _]?|[ _]", paragraph):
            if lines[-1] and inches_of((lines[-1] + part).rstrip(), size, bold) > inches:
                lines.append("")
            for letter in part:  # of a part that is too wide for any line
                if lines[-1] and inches_of((lines[-1] + letter).rstrip(), size, bold) > inches:
                    lines.append("")
                lines[-1] += letter
    return "\n".join(line.rstrip() for line in lines)


def figure_bytes(figure: Figure, kind: str = "png", dpi: int = 200) -> bytes:
    """Return a figure as the bytes of a file, the same bytes each time.

    Args:
        figure: from any function here.
        kind: "png" or "svg".
        dpi: pixels per inch of a PNG.
    """
    buffer = io.BytesIO()
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    with style():
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def rule(axes: Axes, along: Literal["x", "y", "both"] = "y") -> None:
    """Give an axis of numbers, or "both", its grid; numbers up the side are as faint as those along the foot."""
    axes.grid(axis=along)
    axes.tick_params(axis="y", labelcolor=FAINT)


def interval(table: pd.DataFrame, value: str, low: str, high: str) -> dict[str, Any]:
    """Return the arguments with which seaborn draws a value and its interval just as they are, as ``drawn``.

    seaborn makes intervals from samples, which it draws again at random; here each row is there three times, with
    its value and the ends of its interval, in any order.
    """
    rows = pd.concat([table.assign(drawn=table[column]) for column in (value, low, high)], ignore_index=True)
    ends = {"errorbar": lambda three: (three.iloc[1:].min(), three.iloc[1:].max())}
    return {"data": rows, "estimator": lambda three: three.iloc[0], **ends}


def range_of(table: pd.DataFrame, reached: Iterable[float] = (), higher_is_better: bool = False) -> tuple[float, float]:
    """Return the ends of an axis of scores on which what lies far out does not squeeze the rest together.

    Rows may fall off at the bad end; at the good one only oracles and trivial rows may, never the best trained row. An
    interval much wider than those of the trained rows may be cut.

    Args:
        table: columns mean, low, high and group. A mean lies far out that is more than ``FENCE`` quartiles' distances
            beyond the quartiles; they are those of the trained and judged rows, or, where these are fewer than four,
            of all.
        reached: values that lie on the axis, however far out.
        higher_is_better: which end is the good one.

    Example:
        >>> table = pd.DataFrame({"mean": [9.0, 11.6, 11.7, 11.8, 11.9, 12.0, 22.5], "group": "trained"})
        >>> low, high = range_of(table.assign(low=table["mean"] - 0.1, high=table["mean"] + 0.1))
        >>> round(low, 2), round(high, 2)
        (8.68, 12.32)
    """
    trained = table[table["group"].isin(["trained", "judged"])]
    first, third = (trained if len(trained) >= 4 else table)["mean"].quantile([0.25, 0.75])
    reach = FENCE * (third - first) or np.inf
    reached = [*reached, *trained["mean"].sort_values(ascending=not higher_is_better)[:1]]
    low, high = min([first - reach, *reached]), max([third + reach, *reached])
    rows = table[table["mean"].between(low, high)]
    width = (trained["high"] - trained["low"]).median()
    ordinary = rows[~(rows["high"] - rows["low"] > WIDE * width)]
    kept = pd.concat([rows["mean"], ordinary["low"], ordinary["high"], pd.Series(reached, dtype=float)])
    room = 0.07 * (kept.max() - kept.min()) or 0.5
    return float(kept.min() - room), float(kept.max() + room)
