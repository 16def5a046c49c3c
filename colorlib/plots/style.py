"""The study's look: its colours, a figure to begin with, and a figure as the bytes of a file."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK, FAINT, RULE, PAPER = "#22262b", "#6d747c", "#d9dde1", "#ffffff"
GROUPS = {"trained": "#0a66a8", "trivial": "#7b828a", "oracle": "#c2681c", "judged": "#7a4fa3"}
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8f6bb3", "#b8860b", "#56b4e9", "#4d4d4d")
DENSITY = LinearSegmentedColormap.from_list("density", ["#eef2f6", "#8fb3d1", "#2f6ea3", "#12304d"])
BROKEN = (0, (4, 3))  # how a line is drawn that is a mark and no data
MANY = 16  # rows, from which on a figure shows all but no longer says all


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
            "font.size": 9,
            "axes.titlesize": 9.5,
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
def new_figure(width: float, height: float, columns: int = 1, rows: int = 1, **options) -> tuple[Figure, np.ndarray]:
    """Begin a figure in the study's look: its size in inches, and its axes as an array (rows, columns).

    Example:
        >>> figure, axes = new_figure(7.2, 3)
        >>> line = axes[0, 0].plot([1, 4, 9])
    """
    figure = _Picture(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # labels are placed by the size of drawn text
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def figure_bytes(figure: Figure, kind: str = "png", dpi: int = 150) -> bytes:
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


def range_of(table: pd.DataFrame, reference: str | None) -> tuple[float, float]:
    """Return the ends of an axis that holds the trained rows and the reference; infinite where all rows fit in.

    With ``MANY`` rows at most, all fit in.
    """
    shown = table[table["group"].isin(["trained", "judged"]) | (table.index == reference)]
    low, high = shown["low"].min(), shown["high"].max()
    if len(table) <= MANY or not high > low or np.ptp(table[["low", "high"]].to_numpy()) < 1.5 * (high - low):
        return -np.inf, np.inf
    return low - 0.06 * (high - low), high + 0.06 * (high - low)
