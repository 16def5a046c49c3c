"""Photographs side by side: as they are, and as colorizers see them."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from colorlib.color.lab import decode_lab8, lab_to_rgb
from colorlib.plots.style import DENSITY, FAINT, INK, SMALL, WIDTH, folded, inches_of, new_figure, style

LINE = 11.5  # points from one line of a name in the smallest letters to the next
NAMES = 1.1  # inches of the rows' names in the smallest letters, at most


def to_photos(L: torch.Tensor, ab: torch.Tensor) -> np.ndarray:
    """Turn L (N, 1, H, W) and ab (N, 2, H, W) in CIELAB units into photographs (N, H, W, 3) in [0, 1] to be shown."""
    return lab_to_rgb(torch.cat([L, ab], 1)).permute(0, 2, 3, 1).numpy()  # NCHW -> NHWC


def lab8_to_photo(L8: np.ndarray, ab8: np.ndarray) -> np.ndarray:
    """Turn one photograph as a run keeps it, L8 (H, W) and ab8 (H, W, 2) uint8, into (H, W, 3) in [0, 1]."""
    return to_photos(*decode_lab8(torch.tensor(L8[None]), torch.tensor(ab8[None])))[0]


def strengths_to_photo(strengths: torch.Tensor, floor: float = 1e-5) -> np.ndarray:
    """Turn strengths (H, W), none negative and not all zero, into a picture (H, W, 3) in [0, 1] to be shown.

    The scale is logarithmic: the strongest is darkest, and ``floor`` of it or less is as pale as nothing.
    """
    decades = (strengths / strengths.max()).clamp(min=floor).log10()
    return DENSITY(1 - decades.numpy() / math.log10(floor))[..., :3]


@style()
def show_photos(
    photos: Sequence[Sequence[np.ndarray | None]],
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    size: float = 1.35,
) -> Figure:
    """Show a grid of photographs with a name for each row and column.

    Letters grow with the grid, so that on a telephone they are as large as in any other figure, as far as
    there is room for a column's words above it and for a row's lines beside it.

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
    names = [folded(name, NAMES) for name in rows or ()]
    left = max((inches_of(line) for name in names for line in name.split("\n")), default=0.0)  # in the smallest letters
    gap = 0.3 * bool(left)
    room = [size * ratio / (LINE / 72 * (1 + name.count("\n"))) for name, ratio in zip(names, ratios, strict=False)]
    wanted = max(1.0, (size * width + gap) / (WIDTH - left))
    growth = max(1.0, min([wanted, *room]))
    words = max((inches_of(word) for name in columns or () for word in name.split()), default=0.01)
    above = SMALL * max(1.0, min(wanted, (size - 0.1) / words))
    titles = [folded(name, size - 0.05, above) for name in columns or ()]
    lines = max((title.count("\n") + 1 for title in titles), default=0)
    figure, grid = new_figure(
        size * sum(ratios) + 0.1 + LINE / SMALL * above / 72 * lines, width, height,
        width=size * width + gap + growth * left, height_ratios=ratios,
    )  # fmt: skip
    figure.set_layout_engine("constrained", w_pad=0.015, h_pad=0.015, wspace=0.01, hspace=0.01)
    for i, line in enumerate(photos):
        for j in range(width):
            axes = grid[i, j]
            axes.set(xticks=[], yticks=[], anchor="N")  # right below its name
            axes.spines[:].set_visible(False)
            photo = line[j] if j < len(line) else None
            if photo is None:
                axes.text(0.5, 0.5, "–", ha="center", va="center", color=FAINT, transform=axes.transAxes)
            else:
                photo = np.asarray(photo)
                top = 255 if photo.dtype == np.uint8 else 1
                axes.imshow(photo, cmap="gray", vmin=0, vmax=top, interpolation="lanczos")
            if titles and i == 0:
                axes.set_title(titles[j], fontsize=above, fontweight="normal", loc="center")
            if names and j == 0:
                look = {"fontsize": growth * SMALL, "color": INK, "labelpad": 6}
                axes.set_ylabel(names[i], rotation=0, ha="right", va="center", **look)
    return figure


def show_answers(L: torch.Tensor, ab: torch.Tensor, answers: Mapping[str, torch.Tensor], size: float = 1.35) -> Figure:
    """Show photographs in grey, in their true colours, and below as each colorizer sees them.

    Args:
        L: (N, 1, H, W) in [0, 100].
        ab: (N, 2, H, W), the truth in CIELAB units.
        answers: name -> (N, 2, H, W) in CIELAB units.
        size: width of a photograph in inches.
    """
    colored = {"truth": ab, **answers}
    grid = [list((L[:, 0] / 100).numpy()), *(list(to_photos(L, colors)) for colors in colored.values())]
    return show_photos(grid, ["grey", *colored], size=size)


def show_kept(
    kept: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]],
    count: int = 8,
) -> Figure:
    """Show the pictures that runs kept: the photographs, then as each run coloured them.

    Args:
        kept: what to call a run -> its pictures as ``Run.pictures`` returns them: identity of a photograph ->
            L8 (H, W), ab8 (H, W, 2) and the true ab8 (H, W, 2), all uint8.
        count: of photographs, at most; those that the first run kept first. One that another run did not keep is a
            gap in its row.

    Raises:
        ValueError: no run, or the first run kept no picture.
    """
    first = next(iter(kept.values()), {})
    if not first:
        raise ValueError("the first run kept no pictures: give the name of a set that it coloured to Run.pictures.")
    ids = list(first)[:count]
    grid: list[list[np.ndarray | None]] = [[lab8_to_photo(first[i][0], first[i][2]) for i in ids]]
    for pictures in kept.values():
        grid.append([lab8_to_photo(*pictures[i][:2]) if i in pictures else None for i in ids])
    return show_photos(grid, ["truth", *kept])
