"""Colours that hold still in a film: averaged along the motion that lightness shows.

A network that colours each frame by itself lets colours tremble. Here its answers are averaged along the motion of the
small copies: the colours of the frame before are carried to where their places have moved, and the new ones are mixed
in, the less the longer a place has been seen. What lightness cannot explain (a cut, what was hidden) starts anew. One
earlier frame is all that is remembered.

References:
    B. D. Lucas and T. Kanade, "An Iterative Image Registration Technique with an Application to Stereo Vision",
    IJCAI 1981; J.-Y. Bouguet, "Pyramidal Implementation of the Lucas Kanade Feature Tracker", Intel 2001: motion.
    M. Lang et al., "Practical Temporal Consistency for Image-Based Graphics Applications", SIGGRAPH 2012: averaging
    along it.

Difference from the last: past frames alone are averaged, one after the other.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color.blur import blur

COARSEST = 12  # pixels, the shorter side of the smallest picture in which motion is sought, or a little more
STEPS = 3  # of Lucas and Kanade at each size
NEIGHBOURHOOD, SMOOTH_MOTION = 2.5, 2.0  # deviations of Gaussian windows in pixels: what moves as one; of the result
STIFFNESS = 5.0  # squared slopes of lightness; where there is less, motion is that of the surroundings
CONTRAST = 20.0  # deviation that lightness is brought to before motion is sought: a flash does not move
PATIENCE = 8.0  # frames; the memory of colours is not longer
TOLERANCE = 10.0  # L units; places that differ by more after the motion are taken to be different things
SAME_SCENE = 0.5  # share of places that agree, times the correlation of L; below it there is a cut


def warp(x: Tensor, flow: Tensor, mode: str = "bilinear") -> Tensor:
    """Fetch (N, C, h, w) from where each place was: ``flow`` (N, 2, h, w) is x and y in pixels, from here to there."""
    h, w = x.shape[-2:]
    y, x_ = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
    grid = torch.stack([(x_ + flow[:, 0]) * 2 / w - 1, (y + flow[:, 1]) * 2 / h - 1], -1)  # (N, h, w, 2)
    return F.grid_sample(x, grid, mode=mode, padding_mode="border", align_corners=False)


def _statistics(L: Tensor) -> tuple[Tensor, Tensor]:
    return L.mean((2, 3), keepdim=True), L.std((2, 3), keepdim=True, correction=0) + 1


def _correlation(x: Tensor, y: Tensor) -> Tensor:
    x, y = (L - L.mean((2, 3), keepdim=True) for L in (x, y))
    products = torch.cat([x * y, x * x, y * y], 1).mean((2, 3), keepdim=True)  # (N, 3, 1, 1)
    return products[:, :1] / (products[:, 1:2] * products[:, 2:]).sqrt().clamp(min=1e-6)


def motion(earlier: Tensor, later: Tensor) -> Tensor:
    """Find dense motion by Lucas and Kanade's steps, from coarse to fine; brightness may change as a whole.

    Args:
        earlier, later: (N, 1, h, w) in [0, 100].

    Returns:
        The flow (N, 2, h, w) with which :func:`warp` turns ``earlier`` into ``later``.
    """
    normal = [CONTRAST * (L - mean) / deviation for L in (earlier, later) for mean, deviation in [_statistics(L)]]
    sizes = [tuple(later.shape[-2:])]
    while min(sizes[-1]) >= 2 * COARSEST:
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    flow = later.new_zeros(len(later), 2, *sizes[-1])
    for size in reversed(sizes):
        growth = torch.tensor([size[1] / flow.shape[3], size[0] / flow.shape[2]]).view(1, 2, 1, 1)
        flow = growth * F.interpolate(flow, size=size, mode="bilinear")
        source, target = (F.interpolate(L, size=size, mode="area") for L in normal)
        for _ in range(STEPS):
            moved = warp(source, flow)
            around = F.pad((moved + target) / 2, (1, 1, 1, 1), mode="replicate")
            x = (around[:, :, 1:-1, 2:] - around[:, :, 1:-1, :-2]) / 2
            y = (around[:, :, 2:, 1:-1] - around[:, :, :-2, 1:-1]) / 2
            missing = target - moved
            products = torch.cat([x * x, x * y, y * y, x * missing, y * missing], 1)
            xx, xy, yy, xm, ym = blur(products, NEIGHBOURHOOD).split(1, 1)
            xx, yy = xx + STIFFNESS, yy + STIFFNESS
            step = torch.cat([yy * xm - xy * ym, xx * ym - xy * xm], 1) / (xx * yy - xy * xy)
            flow = flow + step.clamp(-2, 2)  # further than the window sees is a guess
        flow = blur(flow, SMOOTH_MOTION)
    return flow


def agreement(earlier: Tensor, later: Tensor, flow: Tensor) -> Tensor:
    """Say how surely each place shows the same thing as before, by its lightness: (N, 1, h, w) in [0, 1].

    A change of brightness as a whole, such as a flash, is allowed for and costs some trust, so that colours keep up
    with a fade. At a cut it is 0 everywhere, also where the scenes happen to be of the same lightness.
    """
    (mean, deviation), (new_mean, new_deviation) = _statistics(earlier), _statistics(later)
    gain = new_deviation / deviation
    moved = warp(earlier, flow)
    expected = (moved - mean) * gain + new_mean
    agreeing = torch.exp(-blur((expected - later) ** 2, 0.7) / TOLERANCE**2)
    likeness = agreeing.mean((2, 3), keepdim=True) * _correlation(moved, later)  # dark scenes agree without being alike
    return agreeing * (likeness >= SAME_SCENE) * torch.minimum(gain, 1 / gain) ** 2


def steady(L: Tensor, ab: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Average the colours of successive frames along their motion.

    Args:
        L: (N, 1, h, w) in [0, 100], the small copies, in their order.
        ab: (N, 2, h, w) in CIELAB units, what the network said of each by itself.
        memory: (1, 4, h, w) of the frame before the first, None where there is none or it was of another size: its L,
            its steady a and b, and over how many frames each place was averaged.

    Returns:
        The steady ab (N, 2, h, w), and the memory after the last frame.
    """
    if memory is None or memory.shape[-2:] != L.shape[-2:]:
        memory = F.pad(torch.cat([L[:1], ab[:1]], 1), (0, 0, 0, 0, 0, 1))
    earlier = torch.cat([memory[:, :1], L[:-1]])
    flow = motion(earlier, L)
    trust = agreement(earlier, L, flow)
    steadied = []
    for i in range(len(L)):
        here = slice(i, i + 1)
        carried = warp(memory[:, 1:3], flow[here], "bicubic")  # bilinear weights would blur it a little each time
        age = trust[here] * warp(memory[:, 3:], flow[here]).clamp(max=PATIENCE)
        steadied.append(carried + (ab[here] - carried) / (1 + age))
        memory = torch.cat([L[here], steadied[-1], 1 + age], 1)
    return torch.cat(steadied), memory


def flicker(lab: Tensor) -> float:
    """Measure how much colours tremble: the mean ΔE76 between neighbouring frames after motion compensation.

    Lightness is the film's own and left out: it serves to find the motion. So are cuts, and places that are new.

    Args:
        lab: (N, 3, h, w) in CIELAB units, successive frames at a moderate size.

    Returns:
        ΔE76 units; NaN where no two neighbours show the same scene.
    """
    L, ab = lab[:, :1], lab[:, 1:]
    flow = motion(L[:-1], L[1:])
    same = agreement(L[:-1], L[1:], flow)[:, 0] > 0.5  # (N - 1, h, w)
    change = (warp(ab[:-1], flow, "bicubic") - ab[1:]).norm(dim=1)
    return float(change[same].mean())
