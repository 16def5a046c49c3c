"""Colours in the ab plane: where they lie, the 313 bins, and how often each bin's colour occurs."""

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from colorlib.color.gamut import bin_centres
from colorlib.color.lab import lab_to_rgb, out_of_gamut, rgb_to_lab
from colorlib.plots.style import DENSITY, FAINT, INK, RULE, new_figure, rule, style


def _colors_of(ab: np.ndarray, lightness: float) -> tuple[np.ndarray, np.ndarray]:
    """Give rgb (n, 3) and "sRGB can show it" (n,) of ab (n, 2) at one lightness."""
    colors = torch.as_tensor(np.asarray(ab), dtype=torch.float32)
    lab = torch.cat([torch.full((len(colors), 1), float(lightness)), colors], 1).view(-1, 3, 1, 1)
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
    pieces = list(np.stack([ab[:-1], ab[1:]], 1))
    axes.add_collection(LineCollection(pieces, colors=rgb[:-1], lw=2.2, capstyle="round"))
    axes.axhline(0, color=RULE, lw=0.7, zorder=0)
    axes.axvline(0, color=RULE, lw=0.7, zorder=0)
    axes.set(xlim=(-118, 118), ylim=(-118, 118), aspect="equal", title=title)
    axes.set(xlabel="a*  (green ← → red)", ylabel="b*  (blue ← → yellow)", xticks=range(-100, 101, 100))
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
    columns = min(len(samples), 2)
    rows = -(-len(samples) // columns)
    figure, grid = new_figure(0.9 + rows * (3.2 if columns == 1 else 2.3), columns, rows, sharey=True)
    panels = list(grid.flat[: len(samples)])
    for axes in grid.flat[len(samples) :]:
        axes.remove()
    edges = np.arange(-118, 118 + step, step)
    norm = LogNorm(1e-6, 1e-2)
    for axes, (name, ab) in zip(panels, samples.items(), strict=True):
        ab = np.asarray(ab)
        a, b = (ab.transpose(1, 0, 2, 3).reshape(2, -1) if ab.ndim == 4 else ab.T).astype(float)
        if a.size:
            sns.histplot(
                x=a, y=b, bins=(edges, edges), stat="probability", cmap=DENSITY, norm=norm, vmin=None, vmax=None,
                rasterized=True, ax=axes,
            )  # fmt: skip
        _ab_plane(axes, name)
    bar = figure.colorbar(
        ScalarMappable(norm, DENSITY), ax=panels, location="bottom", shrink=0.75, pad=0.02,
        label=f"share of pixels per {step:g}×{step:g} cell",
    )  # fmt: skip
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
    side = min(2.8, 3.8 / len(lightness))  # inches of a panel
    size = np.full(len(centres), (0.85 * 72 * side * 10 / 236) ** 2)  # bins are 10 units apart, of 236 across
    if weights is not None:
        weights = np.asarray(weights, float)
        if weights.shape != (len(centres),):
            raise ValueError(f"weights must have shape ({len(centres)},), one per bin, not {weights.shape}.")
        size = 3 + 180 * np.sqrt(weights / weights.max())
    figure, grid = new_figure(side + 0.7, len(lightness), sharey=True)
    for axes, L in zip(grid[0], lightness, strict=True):
        rgb, shown = _colors_of(centres, L)
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
    rgb, _ = _colors_of(np.asarray(bin_centres()), 60)
    figure, grid = new_figure(3.0 if weights is None else 4.4, rows=1 if weights is None else 2, sharex=True)
    top = grid[0, 0]
    floor = prior[prior > 0].min() / 3
    top.bar(range(len(prior)), np.maximum(prior[order], floor) - floor, bottom=floor, color=rgb[order], width=1)
    top.set_yscale("log")
    top.set(ylabel="share of pixels", xlim=(-1, len(prior)), ylim=(floor, None))
    if smoothed is not None:
        line = np.asarray(smoothed, float)[order]
        top.plot(line, color=INK, lw=1)
        middle = len(line) // 3
        top.annotate("line: smoothed", (middle, line[middle]), (0, 8), textcoords="offset points")
    if weights is not None:
        grid[1, 0].bar(range(len(prior)), np.asarray(weights, float)[order], color=rgb[order], width=1)
        grid[1, 0].set_ylabel("weight in the loss")
    for axes in grid[:, 0]:
        rule(axes)
    grid[-1, 0].set_xlabel("the 313 bins of the ab plane, commonest colour first")
    return figure
