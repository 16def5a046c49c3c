"""Figures in one quiet style: every function takes arrays or tables and returns a matplotlib ``Figure``.

Nothing here touches pyplot, so no figure is shown twice and none stays open. A notebook shows a figure by ending a
cell with the call. Colours tell groups of rows apart for colour-blind readers too (Okabe and Ito 2008), and lines
carry their names instead of a legend.
"""

import contextlib
import io
import itertools
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from colorlib.color.gamut import bin_centres
from colorlib.color.lab import decode_lab8, lab_to_rgb, out_of_gamut, rgb_to_lab
from colorlib.runs.run import Run

INK, FAINT, RULE, PAPER = "#22262b", "#6d747c", "#d9dde1", "#ffffff"
GROUPS = {"trained": "#0a66a8", "trivial": "#7b828a", "oracle": "#c2681c", "judged": "#7a4fa3"}
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8f6bb3", "#b8860b", "#56b4e9", "#4d4d4d")
NAME_CHARACTERS = 44  # of a row's name, in one line
MANY = 16  # rows, from which on a figure shows all but no longer says all
LAWS = {"determined": "determined,\none hue", "two_way": "two-way,\ntwo hues", "free": "free,\nany hue"}
DENSITY = LinearSegmentedColormap.from_list("density", ["#eef2f6", "#8fb3d1", "#2f6ea3", "#12304d"])
DIFFERENCE = LinearSegmentedColormap.from_list("difference", ["#0a66a8", "#f7f7f5", "#c2681c"])


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
    settings = {
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
    with mpl.rc_context(settings):
        yield


def _axes(width: float, height: float, columns: int = 1, rows: int = 1, **options) -> tuple[Figure, np.ndarray]:
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


def _spread(positions: np.ndarray, gap: float) -> np.ndarray:
    """Move positions apart, as little as needed, until neighbours are ``gap`` from one another."""
    order = np.argsort(positions, kind="stable")
    # Isotonic trick: with i·gap taken off, "at least gap apart" becomes "not decreasing"; pool the violators.
    blocks: list[list[float]] = []
    for i, value in enumerate(np.asarray(positions, float)[order]):
        blocks.append([value - i * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2], blocks.pop()
            blocks[-1] = [(a * n + b * m) / (n + m), n + m]
    flat = np.concatenate([[value] * count for value, count in blocks]) + gap * np.arange(len(order))
    spread = np.empty(len(order))
    spread[order] = flat
    return spread


def _label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]], size: float = 8.0) -> None:
    """Write (x, y, text, colour) to the right of line ends, moved apart so that no two overlap."""
    points = axes.transData.transform([(x, y) for x, y, *_ in ends])
    gap = size * 1.25 * axes.figure.dpi / 72
    for (x, y, text, colour), start, height in zip(ends, points, _spread(points[:, 1], gap), strict=True):
        offset = (
            10 + (points[:, 0].max() - start[0]) * 72 / axes.figure.dpi,
            (height - start[1]) * 72 / axes.figure.dpi,
        )
        line = {"arrowstyle": "-", "color": colour, "lw": 0.5, "alpha": 0.5, "shrinkA": 0, "shrinkB": 2}
        line["relpos"] = (0, 0.5)  # from the text's left edge
        axes.annotate(
            text, (x, y), offset, textcoords="offset points", va="center", fontsize=size, color=colour,
            annotation_clip=False, arrowprops=line,
        )  # fmt: skip


def _label_points(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    texts: Sequence[str],
    colours: Sequence[str],
    bars: Sequence[tuple[float, float, float]],
    order: Sequence[int] | None = None,
) -> None:
    """Write each text beside its point where it covers no other text and no bar (x, low, high), else not at all.

    Points in ``order`` come first; without it, low ones do. Those it leaves out get no text.
    """
    renderer = axes.figure.canvas.get_renderer()
    to_pixels, frame = axes.transData.transform, axes.get_window_extent(renderer)
    taken = [text.get_window_extent(renderer) for text in axes.texts]
    for at, low, high in bars:
        (left, bottom), (_, top) = to_pixels([(at, low), (at, high)])
        taken.append(Bbox.from_extents(left - 5, min(bottom, top) - 5, left + 5, max(bottom, top) + 5))
    heights = (0, 9, -9, 18, -18, 28, -28, 40, -40)
    for i in np.argsort(y, kind="stable") if order is None else order:
        tried = []
        for up, right in itertools.product(heights, (True, False)):
            note = axes.annotate(
                texts[i], (x[i], y[i]), (8 if right else -8, up), textcoords="offset points",
                ha="left" if right else "right", va="center", fontsize=8, color=colours[i], in_layout=False,
                arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0, "shrinkB": 4} if up else None,
            )  # fmt: skip
            note.update_positions(renderer)
            box = Text.get_window_extent(note, renderer)  # of the text; an annotation's own takes in its line
            outside = box.x0 < frame.x0 or box.x1 > frame.x1 + 6 or box.y0 < frame.y0
            tried.append((sum(map(box.overlaps, taken)) + 10 * outside, len(tried), note, box))
            if tried[-1][0] == 0:
                break
        clashes, last, _, box = min(tried)
        for _, number, note, _ in tried:
            if clashes or number != last:
                note.remove()
        if not clashes:
            taken.append(box)


@style()
def new_figure(width: float, height: float, columns: int = 1, rows: int = 1, **options) -> tuple[Figure, np.ndarray]:
    """Begin a figure of one's own in the study's look: its size in inches, and its axes as an array (rows, columns).

    Example:
        >>> figure, axes = new_figure(7.2, 3)
        >>> line = axes[0, 0].plot([1, 4, 9])
    """
    return _axes(width, height, columns, rows, **options)


def to_photos(L: torch.Tensor, ab: torch.Tensor) -> np.ndarray:
    """Turn L (N, 1, H, W) and ab (N, 2, H, W) in CIELAB units into photographs (N, H, W, 3) in [0, 1] to be shown."""
    return lab_to_rgb(torch.cat([L, ab], 1)).permute(0, 2, 3, 1).numpy()  # NCHW -> NHWC


def lab8_to_photo(L8: np.ndarray, ab8: np.ndarray) -> np.ndarray:
    """Turn one photograph as :meth:`Run.pictures` keeps it, (H, W) and (H, W, 2) uint8, into (H, W, 3) in [0, 1]."""
    return to_photos(*decode_lab8(torch.tensor(L8[None]), torch.tensor(ab8[None])))[0]


@style()
def show_photos(
    photos: Sequence[Sequence[np.ndarray | None]],
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    size: float = 1.35,
) -> Figure:
    """Show a grid of photographs with a name for each row and column.

    Args:
        photos: rows of arrays (H, W, 3) or, for black and white, (H, W); uint8 or floats in [0, 1]; None is a gap.
        rows, columns: the names, or None.
        size: width of a photograph in inches; a row is as high as its tallest.

    Raises:
        ValueError: no photograph, or names that do not match the grid.
    """
    height, width = len(photos), max((len(row) for row in photos), default=0)
    if not height or not width:
        raise ValueError("show_photos needs at least one photograph.")
    if (rows is not None and len(rows) != height) or (columns is not None and len(columns) != width):
        raise ValueError(f"the grid has {height} rows and {width} columns; give as many names.")
    shapes = [[np.shape(photo)[0] / np.shape(photo)[1] for photo in line if photo is not None] for line in photos]
    ratios = [max(line, default=1.0) for line in shapes]
    figure, grid = _axes(
        size * width + (0.35 + _width_of(rows) if rows else 0),
        size * sum(ratios) + 0.35,
        width,
        height,
        height_ratios=ratios,
    )
    figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0.01, hspace=0.01)
    for i, line in enumerate(photos):
        for j in range(width):
            axes = grid[i, j]
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            photo = line[j] if j < len(line) else None
            if photo is None:
                axes.text(0.5, 0.5, "–", ha="center", va="center", color=FAINT, transform=axes.transAxes)
            else:
                photo = np.asarray(photo)
                top = 255 if photo.dtype == np.uint8 else 1
                axes.imshow(photo, cmap="gray", vmin=0, vmax=top, interpolation="lanczos")
            if columns is not None and i == 0:
                axes.set_title(_folded(columns[j], int(size * 11)), fontsize=8, fontweight="normal", loc="center")
            if rows is not None and j == 0:
                axes.set_ylabel(
                    _broken(rows[i]) if len(rows[i]) > NAME_CHARACTERS else rows[i],
                    rotation=0,
                    ha="right",
                    va="center",
                    fontsize=8,
                    color=INK,
                    labelpad=6,
                )
    return figure


def show_answers(L: torch.Tensor, ab: torch.Tensor, answers: Mapping[str, torch.Tensor], size: float = 1.35) -> Figure:
    """Show photographs in grey, in their true colours, and below as each colorizer sees them.

    Args:
        L: (N, 1, H, W) in [0, 100].
        ab: (N, 2, H, W), the truth in CIELAB units.
        answers: name -> (N, 2, H, W) in CIELAB units.
        size: width of a photograph in inches.
    """
    coloured = {"truth": ab, **answers}
    grid = [(L[:, 0] / 100).numpy(), *(to_photos(L, colours) for colours in coloured.values())]
    return show_photos(grid, ["grey", *coloured], size=size)


def show_kept(runs: Mapping[str, Run], name: str = "bundled", count: int = 8) -> Figure:
    """Show the pictures that runs kept (`Run.pictures`): the photographs, then as each run coloured them.

    Args:
        runs: what to call a run -> the run.
        name: of the set of pictures, "bundled" or "test".
        count: of photographs, at most; those that the first run kept first.

    Raises:
        ValueError: the first run kept none.
    """
    pictures = {label: run.pictures(name) for label, run in runs.items()}
    first = next(iter(pictures.values()))
    ids = list(first)[:count]
    grid = [[lab8_to_photo(first[i][0], first[i][2]) for i in ids]]
    for kept in pictures.values():
        grid.append([lab8_to_photo(*kept[i][:2]) if i in kept else None for i in ids])
    return show_photos(grid, ["truth", *pictures])


def _folded(name: str, characters: int) -> str:
    """Break a name into lines of at most so many characters, at blanks and after underscores."""
    parts = (textwrap.wrap(part.replace("_", "_ "), characters) for part in name.split(" · "))
    return "\n".join(line.replace("_ ", "_") for lines in parts for line in lines)


@style()
def plot_forest(table: pd.DataFrame, label: str, better: str = "", reference: str | None = None) -> Figure:
    """Draw each row's mean and interval, best on top as the table is sorted: the study's main figure.

    With more than ``MANY`` rows the axis is that of the trained ones, and arrows stand for what lies beyond it.

    Args:
        table: index = names of the rows; columns mean, low, high (one unit) and group (a key of ``GROUPS``).
        label: what the axis shows, with its unit.
        better: words for the direction, for example "lower is better".
        reference: the row whose mean is drawn as a line through all others.
    """
    figure, grid = _axes(4.6 + _width_of(table.index), 0.95 + 0.27 * len(table))
    _draw_forest(grid[0, 0], table, list(table.index), reference, _range_of(table, reference))
    _name_rows(grid[0, 0], table["group"])
    grid[0, 0].set_xlabel(label + (f"  ({better})" if better else ""))
    _name_groups(grid[0, 0], table["group"])
    return figure


@style()
def plot_forests(
    tables: Mapping[str, pd.DataFrame], label: str, better: str = "", reference: str | None = None
) -> Figure:
    """Draw several forests side by side, the rows of one name at one height: what another budget does to each.

    Args:
        tables: title of the panel → table as for :func:`plot_forest`; a name may be missing in some. Names stand in
            the order of the first table that has them.
        label, better, reference: as for :func:`plot_forest`.
    """
    names = list(dict.fromkeys(name for table in tables.values() for name in table.index))
    groups = pd.concat(list(tables.values()))["group"].groupby(level=0).first()[names]
    figure, grid = _axes(
        2.9 * len(tables) + _width_of(names), 1.15 + 0.27 * len(names), len(tables), sharey=True, sharex=True
    )
    ends = _range_of(pd.concat(list(tables.values())), reference)
    for axes, (title, table) in zip(grid[0], tables.items(), strict=True):
        _draw_forest(axes, table, names, reference, ends)
        axes.set_title(title, pad=18)
    _name_rows(grid[0, 0], groups)
    figure.supxlabel(label + (f"  ({better})" if better else ""), fontsize=9, color=FAINT)
    _name_groups(grid[0, 0], groups)
    return figure


def _draw_forest(
    axes: Axes,
    table: pd.DataFrame,
    names: Sequence[str],
    reference: str | None,
    ends: tuple[float, float] = (-np.inf, np.inf),
) -> None:
    """Draw means and intervals, one height for each of ``names``, the first on top; beyond ``ends`` are arrows."""
    y = np.arange(len(names))[::-1]
    left, right = ends
    inset = 0.0
    if np.isfinite(left):
        axes.set_xlim(left, right)
        inset = 0.02 * (right - left)
    if reference in table.index:
        axes.axvline(table["mean"][reference], color=RULE, lw=1.2, ls=(0, (4, 3)), zorder=0)
    for height, name in zip(y, names, strict=True):
        if name not in table.index:
            continue
        row = table.loc[name]
        colour = GROUPS[row["group"]]
        axes.plot([row["low"], row["high"]], [height] * 2, color=colour, lw=2.2, alpha=0.45, solid_capstyle="butt")
        mark = "<" if row["mean"] < left else ">" if row["mean"] > right else "o"
        axes.plot(
            np.clip(row["mean"], left + inset, right - inset), height, mark, ms=6 if len(names) <= MANY else 5,
            mec=colour, mew=1.5, mfc=PAPER if row["group"] == "oracle" else colour,
        )  # fmt: skip
        axes.annotate(
            f"{row['mean']:.2f}", (1.0, height), (6, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize=8, color=colour, annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)


def _range_of(table: pd.DataFrame, reference: str | None) -> tuple[float, float]:
    """Return the ends of an axis that holds the trained rows and the reference; infinite where all rows fit in.

    With ``MANY`` rows at most, all fit in.
    """
    shown = table[table["group"].isin(["trained", "judged"]) | (table.index == reference)]
    low, high = shown["low"].min(), shown["high"].max()
    if len(table) <= MANY or not high > low or np.ptp(table[["low", "high"]].to_numpy()) < 1.5 * (high - low):
        return -np.inf, np.inf
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _name_rows(axes: Axes, groups: pd.Series) -> None:
    """Write the names, the index of ``groups``, down the left of a forest, each in the colour of its group."""
    axes.set_yticks(np.arange(len(groups))[::-1], [_broken(name) for name in groups.index], linespacing=0.95)
    for tick, group in zip(axes.get_yticklabels(), groups, strict=True):
        tick.set_color(GROUPS[group])


def _broken(name: str) -> str:
    """Break a long name into lines that fit the left of a figure."""
    return "\n".join(textwrap.wrap(name, NAME_CHARACTERS)) or name


def _width_of(names: Sequence[str]) -> float:
    """Return how many inches the names take to the left of a figure, once broken."""
    return 0.068 * max((len(line) for name in names for line in _broken(name).split("\n")), default=0)


def _name_groups(axes: Axes, groups: Sequence[str]) -> None:
    """Write the names of the groups in their colours above the axes, side by side."""
    for i, group in enumerate(group for group in GROUPS if group in set(groups)):
        axes.annotate(
            "●○"[group == "oracle"] + f" {group}", (0, 1), (52 * i, 4), xycoords="axes fraction",
            textcoords="offset points", fontsize=8, color=GROUPS[group], annotation_clip=False,
        )  # fmt: skip


@style()
def plot_history(
    histories: Mapping[str, Sequence[pd.DataFrame]],
    y: str = "val_delta_e_76",
    label: str = "ΔE76 on validation photographs",
    x: str = "images_seen",
    x_label: str = "photographs seen in training",
    log: bool = False,
    named: int = 10,
) -> Figure:
    """Draw learning curves, one colour per row and one line per seed, each named at its end.

    Args:
        histories: name → one table per seed with the columns ``x`` and ``y``.
        y, x: columns; rows where ``y`` is empty are left out.
        label, x_label: the axes' words, with units.
        log: a logarithmic y axis.
        named: so many rows, the first ones, are coloured and named where there are more; the others stay grey.
    """
    figure, grid = _axes(7.2, max(3.4, 1.2 + 0.25 * min(len(histories), named)))
    axes = grid[0, 0]
    chosen = dict(itertools.islice(histories.items(), named))
    _draw_grey(axes, {name: tables for name, tables in histories.items() if name not in chosen}, x, y)
    ends = []
    for i, (name, tables) in enumerate(chosen.items()):
        colour, dash = LINES[i % len(LINES)], ("-", (0, (4, 1.5)), (0, (1, 1)))[i // len(LINES) % 3]
        for table in tables:
            table = table.dropna(subset=[y])
            axes.plot(table[x], table[y], color=colour, ls=dash, lw=1.6 if len(tables) == 1 else 1.1)
        table = tables[0].dropna(subset=[y])
        if len(table):
            ends.append((table[x].iloc[-1], table[y].iloc[-1], name, colour))
    if log:
        axes.set_yscale("log")
    axes.set(xlabel=x_label, ylabel=label)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y")
    axes.tick_params(axis="y", labelcolor=FAINT)
    axes.margins(x=0)
    _cut_off(axes, histories, y)
    figure.draw_without_rendering()
    if ends:
        _label_ends(axes, ends)
    return figure


@style()
def plot_history_groups(
    groups: Mapping[str, Mapping[str, Sequence[pd.DataFrame]]],
    y: str = "val_delta_e_76",
    label: str = "ΔE76 on validation photographs",
    x: str = "images_seen",
    x_label: str = "photographs seen in training",
) -> Figure:
    """Draw many learning curves, a panel for each group with its own in colour and all others grey behind them.

    Args:
        groups: title of the panel → name → one table per seed; a name has one colour in all panels.
        y, label, x, x_label: as for :func:`plot_history`.
    """
    names = list(dict.fromkeys(name for histories in groups.values() for name in histories))
    everything = {(title, name): tables for title, own in groups.items() for name, tables in own.items()}
    columns = min(3, len(groups))
    height = 1.1 + 0.13 * max(len(histories) for histories in groups.values())
    rows = -(-len(groups) // columns)
    figure, grid = _axes(7.2, 0.6 + max(1.9, height) * rows, columns, rows, sharex=True, sharey=True)
    for axes in grid.flat[len(groups) :]:
        axes.set_axis_off()
    for axes, (title, histories) in zip(grid.flat, groups.items(), strict=False):
        _draw_grey(axes, {key: tables for key, tables in everything.items() if key[0] != title}, x, y)
        for line, (name, tables) in enumerate(histories.items()):
            number = names.index(name)
            colour, dash = LINES[number % len(LINES)], ("-", (0, (4, 1.5)), (0, (1, 1)))[number // len(LINES) % 3]
            for table in tables:
                table = table.dropna(subset=[y])
                axes.plot(table[x], table[y], color=colour, ls=dash, lw=1.2)
            axes.annotate(
                name, (1, 1), (0, -2 - 9 * line), xycoords="axes fraction", textcoords="offset points",
                ha="right", va="top", fontsize=6.5, color=colour,
            )  # fmt: skip
        axes.set_title(title)
        axes.grid(axis="y")
        axes.tick_params(axis="y", labelcolor=FAINT)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.margins(x=0)
    _cut_off(grid[0, 0], everything, y)
    figure.supxlabel(x_label, fontsize=9, color=FAINT)
    figure.supylabel(label, fontsize=9, color=FAINT)
    return figure


def _draw_grey(axes: Axes, histories: Mapping[Any, Sequence[pd.DataFrame]], x: str, y: str) -> None:
    for table in itertools.chain.from_iterable(histories.values()):
        table = table.dropna(subset=[y])
        axes.plot(table[x], table[y], color=RULE, lw=0.9, zorder=1)


def _cut_off(axes: Axes, histories: Mapping[Any, Sequence[pd.DataFrame]], y: str) -> None:
    """End the y axis where nearly all values lie, so that one training gone astray does not flatten the others."""
    values = pd.concat([table[y] for tables in histories.values() for table in tables]).dropna()
    if len(values) and values.max() > 2 * (high := float(values.quantile(0.9))):
        axes.set_ylim(top=1.3 * high)
        axes.annotate(
            f"up to {values.max():,.0f}, cut off", (0.01, 1), (0, -2), xycoords="axes fraction",
            textcoords="offset points", va="top", fontsize=7, color=FAINT,
        )  # fmt: skip


@style()
def plot_pareto(
    table: pd.DataFrame,
    costs: Mapping[str, str],
    label: str,
    higher_is_better: bool = False,
    reference: tuple[str, float] | None = None,
) -> Figure:
    """Draw quality against cost, one panel per cost, with the frontier no row beats in both.

    Args:
        table: index = names of the rows; columns mean, low, high, group and one per cost.
        costs: column → the axis' words with unit; rows without that cost are left out of its panel, and the axis is
            logarithmic where the costs differ much.
        label: what mean is, with its unit.
        higher_is_better: which end of the quality axis is good.
        reference: a name and a value drawn as a line across, for example what leaving every photograph grey scores.
    """
    figure, grid = _axes(7.2, 4.2 if len(table) <= MANY else 6.0, len(costs), sharey=True)
    panels = []
    for axes, (cost, words) in zip(grid[0], costs.items(), strict=True):
        rows = table[pd.to_numeric(table[cost]) > 0].sort_values(cost, kind="stable")
        x, y = rows[cost].to_numpy(float), rows["mean"].to_numpy(float)
        colours = [GROUPS[group] for group in rows["group"]]
        log = len(x) > 0 and x[-1] > 8 * x[0]
        axes.set_xscale("log" if log else "linear")
        axes.set_xlabel(words)
        axes.grid(axis="y")
        axes.tick_params(axis="y", labelcolor=FAINT)
        best = np.maximum.accumulate(y) if higher_is_better else np.minimum.accumulate(y)
        axes.step(x, best, where="post", color=RULE, lw=5, alpha=0.7, zorder=0, solid_capstyle="round")
        axes.vlines(x, rows["low"], rows["high"], colors=colours, alpha=0.45, lw=2.2)
        axes.scatter(x, y, s=34, c=colours, zorder=3)
        if log:
            axes.set_xlim(x[0] / 2, x[-1] * 2)
            axes.xaxis.set_minor_formatter("")
        elif len(x):
            axes.set_xlim(0, x[-1] * 1.25)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        if reference:
            _mark_height(axes, *reference, "trivial")
        bars = [*zip(x, rows["low"], rows["high"], strict=True)]
        order = None
        if len(table) > MANY:  # what no row beats in both, then the best
            frontier = [i for i in range(len(y)) if y[i] == best[i] and (i == 0 or y[i] != best[i - 1])]
            good = np.argsort(-y if higher_is_better else y, kind="stable")[:8]
            order = list(dict.fromkeys([*frontier, *good.tolist()]))
        panels.append((axes, x, y, list(rows.index), colours, bars, order))
    grid[0, 0].set_ylabel(label)
    low, high = _range_of(table, None)
    if np.isfinite(low):
        low, high = (min(low, reference[1] - 0.1), max(high, reference[1] + 0.1)) if reference else (low, high)
        beyond = [name for name, mean in table["mean"].items() if not low <= mean <= high]
        grid[0, 0].set_ylim(low, high)
        if beyond:
            figure.text(0.99, 0.995, _beyond(beyond), ha="right", va="top", fontsize=7, color=FAINT)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # labels must not move what they were placed by
    for panel in panels:
        _label_points(*panel)
    return figure


@style()
def plot_plane(
    points: pd.DataFrame,
    curves: Mapping[str, pd.DataFrame],
    x_label: str,
    y_label: str,
    x_mark: tuple[str, float] | None = None,
    y_mark: tuple[str, float] | None = None,
) -> Figure:
    """Draw rows as points in a plane of two scores, and what one network reaches as a curve.

    Args:
        points: index = names of the rows; columns x, y and group.
        curves: name → table with the columns x, y, mark (the number to write at the curve's ends) and name (of the
            row among ``points`` that is on the curve and gets no name of its own), in order.
        x_label, y_label: the axes' words, with units.
        x_mark, y_mark: a name and a value drawn as a line across.
    """
    figure, grid = _axes(7.2, 5.0 if len(points) <= MANY else 6.4)
    axes = grid[0, 0]
    for i, (name, table) in enumerate(curves.items()):
        colour = LINES[i % len(LINES)]
        axes.plot(table["x"], table["y"], "-o", color=colour, ms=3, lw=1.6, zorder=2)
        axes.annotate(
            f"curve: {name}", (1, 1), (0, -11 * i), xycoords="axes fraction", textcoords="offset points", ha="right",
            va="top", fontsize=8, color=colour,
        )  # fmt: skip
        for place in (0, -1):
            axes.annotate(
                f"{table['mark'].iloc[place]:g}", (table["x"].iloc[place], table["y"].iloc[place]),
                (0, -5 if place else 5), textcoords="offset points", ha="center", va="top" if place else "bottom",
                fontsize=7, color=colour,
            )  # fmt: skip
    colours = [GROUPS[group] for group in points["group"]]
    axes.scatter(points["x"], points["y"], s=26, c=colours, zorder=3)
    for mark, line, at in ((x_mark, axes.axvline, "x"), (y_mark, axes.axhline, "y")):
        if mark:
            line(mark[1], color=GROUPS["trivial"], lw=1, ls=(0, (4, 3)), zorder=0)
            axes.annotate(
                mark[0], (mark[1], 0.99) if at == "x" else (0.01, mark[1]), (3, 0) if at == "x" else (0, 3),
                xycoords=("data", "axes fraction") if at == "x" else ("axes fraction", "data"),
                textcoords="offset points", va="top" if at == "x" else "bottom", fontsize=8,
                color=GROUPS["trivial"],
            )  # fmt: skip
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(True)
    axes.tick_params(axis="y", labelcolor=FAINT)
    axes.margins(0.12)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # labels must not move what they were placed by
    x, y = points["x"].to_numpy(float), points["y"].to_numpy(float)
    named = points.index.isin([name for table in curves.values() for name in table["name"]])  # by its curve
    order = [i for i in np.argsort(y, kind="stable") if not named[i]]
    _label_points(axes, x, y, list(points.index), colours, [*zip(x, y, y, strict=True)], order)
    return figure


@style()
def plot_hints(curves: Mapping[str, Sequence[pd.DataFrame]], reference: tuple[str, Mapping[int, float]]) -> Figure:
    """Draw PSNR against the number of hints, one line for each seed of a row, with its interval where it is known.

    Args:
        curves: name → one table per seed; columns hints, psnr_rgb_db, psnr_rgb_db_low, psnr_rgb_db_high.
        reference: a name and {number of hints: PSNR in dB} of another network, drawn grey and broken.
    """
    figure, grid = _axes(7.2, 3.8)
    axes = grid[0, 0]
    name, published = reference
    axes.plot(list(published), list(published.values()), color=FAINT, ls=(0, (4, 2)), marker="o", ms=3, mfc=PAPER)
    axes.annotate(
        _folded(f"broken: {name}", 52), (0.02, 0.99), xycoords="axes fraction", va="top", fontsize=8, color=FAINT
    )
    ends = []
    for i, (name, tables) in enumerate(curves.items()):
        colour = LINES[i % len(LINES)]
        for table in tables:
            axes.plot(table["hints"], table["psnr_rgb_db"], color=colour, lw=1.6 if len(tables) == 1 else 1, zorder=3)
            axes.fill_between(
                table["hints"], table["psnr_rgb_db_low"], table["psnr_rgb_db_high"], color=colour, lw=0,
                alpha=0.18 / len(tables),
            )  # fmt: skip
        ends.append((tables[0]["hints"].iloc[-1], tables[0]["psnr_rgb_db"].iloc[-1], name, colour))
    axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    counts = sorted(
        {*published, *(count for tables in curves.values() for table in tables for count in table["hints"])}
    )
    axes.set_xticks(counts, [f"{count:,}" for count in counts], fontsize=8)
    axes.minorticks_off()
    axes.set(xlabel="hints per photograph", ylabel="mean PSNR [dB]", xlim=(0, None))
    axes.grid(axis="y")
    axes.tick_params(axis="y", labelcolor=FAINT)
    figure.draw_without_rendering()
    _label_ends(axes, ends)
    return figure


@style()
def plot_several(table: pd.DataFrame, reference: tuple[str, float] | None = None) -> Figure:
    """Draw error against diversity of networks that give several answers: their average filled, the nearest hollow.

    Args:
        table: one line per row and k; columns name, k, diversity, mean (the error of the average of k answers) and
            best (of the nearest one), all ΔE76. One answer has no diversity and is not drawn.
        reference: a name and an error drawn as a line across, for example of a row that answers once.
    """
    figure, grid = _axes(7.2, 3.8)
    axes = grid[0, 0]
    table = table.dropna(subset=["diversity"])
    for i, (name, rows) in enumerate(table.groupby("name", sort=False)):
        colour = LINES[i % len(LINES)]
        axes.vlines(rows["diversity"], rows["best"], rows["mean"], color=colour, lw=1.2, alpha=0.5)
        axes.plot(rows["diversity"], rows["mean"], "o", ms=6, color=colour)
        axes.plot(rows["diversity"], rows["best"], "o", ms=6, mfc=PAPER, mec=colour, mew=1.4)
        for _, row in rows.iterrows():
            axes.annotate(
                f"best of {row['k']:.0f}", (row["diversity"], row["best"]), (7, 0), textcoords="offset points",
                va="center", fontsize=7, color=colour,
            )  # fmt: skip
        first = rows.iloc[0]
        axes.annotate(
            f"{name}: average of {', '.join(f'{k:.0f}' for k in rows['k'])}", (first["diversity"], first["mean"]),
            (-6, 8), textcoords="offset points", ha="right", fontsize=8, color=colour,
        )  # fmt: skip
    if reference:
        _mark_height(axes, *reference, "trained")
    axes.set(xlabel="diversity: ΔE 76 between two answers to one photograph", ylabel="ΔE 76 to the photograph")
    axes.set_xlim(0, 1.25 * table["diversity"].max())
    axes.margins(y=0.15)
    axes.grid(axis="y")
    axes.tick_params(axis="y", labelcolor=FAINT)
    return figure


def _mark_height(axes: Axes, name: str, height: float, group: str) -> None:
    """Draw a broken line across at a height, its name above its left end, in the colour of a group."""
    axes.axhline(height, color=GROUPS[group], lw=1, ls=(0, (4, 3)), zorder=0)
    axes.annotate(
        name, (0.01, height), (0, 3), xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=8,
        color=GROUPS[group],
    )  # fmt: skip


def _beyond(names: Sequence[str]) -> str:
    """Name what lies beyond an axis, at most four of them."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"beyond the axis: {', '.join(names[:4])}{more}"


@style()
def plot_laws(table: pd.DataFrame, label: str, mark: float | None = None) -> Figure:
    """Draw one value per row and law of colour, each row tied to the best its own objective could do.

    Args:
        table: one line per name and law; columns name, law (a key of ``LAWS``), value, oracle (the value of the
            row's own oracle, or NaN) and group.
        label: what value is, with its unit.
        mark: a value worth a line, for example 1 where all chroma is kept.
    """
    laws = [law for law in LAWS if law in set(table["law"])]
    names = list(dict.fromkeys(table["name"]))
    figure, grid = _axes(7.2, 0.95 + 0.25 * len(names), len(laws), sharey=True, sharex=True)
    figure.get_layout_engine().set(wspace=0.06)
    group = table.drop_duplicates("name").set_index("name")["group"]
    for axes, law in zip(grid[0], laws, strict=True):
        rows = table[table["law"] == law].set_index("name")
        for height, name in enumerate(reversed(names)):
            if name not in rows.index:
                continue
            row = rows.loc[name]
            colour = GROUPS[row["group"]]
            if pd.notna(row["oracle"]):
                axes.plot([row["oracle"], row["value"]], [height] * 2, color=GROUPS["oracle"], lw=1.4, alpha=0.6)
                axes.plot(row["oracle"], height, "o", ms=6, mfc=PAPER, mec=GROUPS["oracle"], mew=1.4)
            hollow = row["group"] == "oracle"
            axes.plot(row["value"], height, "o", ms=6, mec=colour, mew=1.4, mfc=PAPER if hollow else colour)
        if mark is not None:
            axes.axvline(mark, color=RULE, lw=1.2, ls=(0, (4, 3)), zorder=0)
        axes.set_title(LAWS[law])
        axes.set_yticks(range(len(names)), list(reversed(names)))
        axes.set_ylim(-0.7, len(names) - 0.3)
        axes.margins(x=0.09)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(length=0)
    for tick, name in zip(grid[0, 0].get_yticklabels(), reversed(names), strict=True):
        tick.set_color(GROUPS[group[name]])
    figure.supxlabel(label, fontsize=9, color=FAINT)
    return figure


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
    n = len(differences)
    large = n > MANY  # numbers would be too small to read
    figure, grid = _axes(*((3.4 + 0.2 * n, 2.6 + 0.2 * n) if large else (1.9 + 0.46 * n, 1.6 + 0.32 * n)))
    axes = grid[0, 0]
    values = differences.to_numpy(float)
    top = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 1.0
    shade = np.where(decided.to_numpy(bool), values, 0.0) * (1 if lower_is_better else -1)
    image = axes.imshow(
        np.sign(shade) * np.sqrt(np.abs(shade) / (top or 1)), cmap=DIFFERENCE, vmin=-1.15, vmax=1.15, aspect="auto"
    )
    if large:
        undecided = np.argwhere(~decided.to_numpy(bool) & np.isfinite(values))
        axes.scatter(undecided[:, 1], undecided[:, 0], s=3, color=FAINT, lw=0)
        steps = np.array([-1, -0.25, -0.05, 0.05, 0.25, 1])
        bar = figure.colorbar(image, ax=axes, shrink=0.4, pad=0.01, ticks=np.sign(steps) * np.sqrt(np.abs(steps)))
        words = [f"{step * top * (1 if lower_is_better else -1):+.2g}".replace("-", "−") for step in steps]
        bar.ax.set_yticklabels(words, fontsize=7)
        bar.outline.set_visible(False)
    for i in range(0 if large else n):
        for j in range(n):
            if i != j and np.isfinite(values[i, j]):
                text = f"{values[i, j]:+.1f}".replace("-", "−") if abs(values[i, j]) >= 0.05 else "0.0"
                sure = decided.iat[i, j]
                dark = sure and abs(values[i, j]) > 0.45 * top
                axes.text(
                    j, i, text if sure else f"({text})", ha="center", va="center", fontsize=6.5,
                    color=PAPER if dark else INK if sure else FAINT,
                )  # fmt: skip
    axes.set_xticks(range(n), differences.columns, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(n), differences.index)
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0, labelsize=8, labelcolor=INK)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(
        f"{label},\nrow minus column: blue, the row is better; {'dot' if large else '(…)'}, no winner", fontsize=8
    )
    return figure


def _colours_of(ab: np.ndarray, lightness: float) -> tuple[np.ndarray, np.ndarray]:
    """Give rgb (n, 3) and "sRGB can show it" (n,) of ab (n, 2) at one lightness."""
    ab = torch.as_tensor(np.asarray(ab), dtype=torch.float32)
    lab = torch.cat([torch.full((len(ab), 1), float(lightness)), ab], 1).view(-1, 3, 1, 1)
    return lab_to_rgb(lab).view(-1, 3).numpy(), ~out_of_gamut(lab).view(-1).numpy()


def _outline() -> tuple[np.ndarray, np.ndarray]:
    """Give ab (n, 2) and rgb (n, 3) along the most saturated sRGB colours: red, yellow, green, cyan, blue, magenta."""
    corners = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]], float)
    where = np.linspace(0, 6, 361)
    rgb = np.stack([np.interp(where, range(7), corners[:, c]) for c in range(3)], 1)
    lab = rgb_to_lab(torch.as_tensor(rgb).view(-1, 3, 1, 1)).view(-1, 3).numpy()
    return lab[:, 1:], rgb


def _ab_plane(axes: Axes, title: str = "") -> None:
    ab, rgb = _outline()
    axes.add_collection(LineCollection(np.stack([ab[:-1], ab[1:]], 1), colors=rgb[:-1], lw=2.2, capstyle="round"))
    axes.axhline(0, color=RULE, lw=0.7, zorder=0)
    axes.axvline(0, color=RULE, lw=0.7, zorder=0)
    axes.set(xlim=(-118, 118), ylim=(-118, 118), aspect="equal", title=title)
    axes.set(xlabel="a*  (green ← → red)", ylabel="b*  (blue ← → yellow)", xticks=range(-100, 101, 50))
    axes.set_yticks(range(-100, 101, 50))
    axes.tick_params(axis="y", labelcolor=FAINT)
    axes.label_outer()


@style()
def plot_ab_histogram(samples: Mapping[str, np.ndarray], step: float = 2.0) -> Figure:
    """Draw where colours lie in the ab plane, as a logarithmic density, inside the outline of sRGB.

    Args:
        samples: name → ab values of shape (n, 2) or (N, 2, H, W), CIELAB units; one panel each.
        step: the width of a cell, CIELAB units.
    """
    figure, grid = _axes(min(3.4 * len(samples), 10.2) + 0.6, 3.6, len(samples), sharey=True)
    edges = np.arange(-118, 118 + step, step)
    mesh = None
    for axes, (name, ab) in zip(grid[0], samples.items(), strict=True):
        ab = np.asarray(ab)
        ab = ab.transpose(0, 2, 3, 1).reshape(-1, 2) if ab.ndim == 4 else ab
        counts, *_ = np.histogram2d(ab[:, 0], ab[:, 1], bins=[edges, edges])
        share = np.ma.masked_equal(counts.T / max(len(ab), 1), 0)
        mesh = axes.pcolormesh(edges, edges, share, cmap=DENSITY, norm=LogNorm(1e-6, 1e-2), rasterized=True)
        _ab_plane(axes, name)
    bar = figure.colorbar(mesh, ax=grid[0], shrink=0.75, pad=0.02, label=f"share of pixels per {step:g}×{step:g} cell")
    bar.outline.set_visible(False)
    return figure


@style()
def plot_gamut(weights: np.ndarray | None = None, lightness: Sequence[float] = (50, 70), title: str = "") -> Figure:
    """Draw the 313 bins of the ab plane, each in its own colour, one panel per lightness.

    Args:
        weights: (313,) not negative; the area of a bin's mark. None: all alike.
        lightness: L* in [0, 100], one per panel. A bin that sRGB cannot show at that lightness is a ring.
        title: words before the panel's lightness.
    """
    centres = np.asarray(bin_centres())
    size = np.full(len(centres), 42.0)
    if weights is not None:
        weights = np.asarray(weights, float)
        if weights.shape != (len(centres),):
            raise ValueError(f"weights must have shape ({len(centres)},), one per bin, not {weights.shape}.")
        size = 3 + 260 * np.sqrt(weights / weights.max())
    figure, grid = _axes(3.5 * len(lightness), 3.7, len(lightness), sharey=True)
    for axes, L in zip(grid[0], lightness, strict=True):
        rgb, shown = _colours_of(centres, L)
        axes.scatter(*centres[shown].T, s=size[shown], c=rgb[shown], marker="s" if weights is None else "o", lw=0)
        axes.scatter(*centres[~shown].T, s=size[~shown] / 3, facecolors="none", edgecolors=RULE, lw=0.7)
        _ab_plane(axes, f"{title} at L* = {L:g}".strip())
    return figure


@style()
def plot_prior(prior: np.ndarray, smoothed: np.ndarray | None = None, weights: np.ndarray | None = None) -> Figure:
    """Draw how often each bin's colour occurs, commonest first, each bin in its own colour at L* = 60.

    Args:
        prior: (313,) shares, sum 1.
        smoothed: (313,) the prior after smoothing, drawn as a line.
        weights: (313,) the rebalancing weights, drawn in a panel below.
    """
    prior = np.asarray(prior, float)
    order = np.argsort(-prior, kind="stable")
    rgb, _ = _colours_of(np.asarray(bin_centres()), 60)
    figure, grid = _axes(7.2, 3.0 if weights is None else 4.4, 1, 1 if weights is None else 2, sharex=True)
    top = grid[0, 0]
    floor = prior[prior > 0].min() / 3
    top.bar(range(len(prior)), np.maximum(prior[order], floor) - floor, bottom=floor, color=rgb[order], width=1)
    top.set_yscale("log")
    top.set(ylabel="share of pixels", xlim=(-1, len(prior)), ylim=(floor, None))
    if smoothed is not None:
        line = np.asarray(smoothed, float)[order]
        top.plot(line, color=INK, lw=1)
        middle = len(line) // 3
        top.annotate("line: smoothed", (middle, line[middle]), (0, 8), textcoords="offset points", fontsize=8)
    if weights is not None:
        grid[1, 0].bar(range(len(prior)), np.asarray(weights, float)[order], color=rgb[order], width=1)
        grid[1, 0].set_ylabel("weight in the loss")
    for axes in grid[:, 0]:
        axes.grid(axis="y")
        axes.tick_params(axis="y", labelcolor=FAINT)
    grid[-1, 0].set_xlabel("the 313 bins of the ab plane, commonest colour first")
    return figure
