"""Colour hints: what a person, or a simulated one, tells a network about a few places of a photograph.

A hint tensor is (N, 3, H, W): a and b in CIELAB units where something was hinted and zero elsewhere, then a mask that
is 1 where something was hinted and 0 elsewhere. The mask is needed because a hinted grey is zero too.

Reference:
    R. Zhang, J.-Y. Zhu, P. Isola, X. Geng, A. S. Lin, T. Yu and A. A. Efros, "Real-Time User-Guided Image Colorization
    with Learned Deep Priors", SIGGRAPH 2017, arXiv:1705.02999, section 3.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from colorlib.color.lab import AB_SCALE
from colorlib.distributed import part, parts

P_STOP = 1 / 8  # of the geometric distribution: before each point, the simulated person stops with this probability
MAX_SIDE = 9  # pixels; the sides of the revealed squares are uniform from 1 to this

# Number of hints -> PSNR in dB: the authors' network on their 1,000 test photographs, 6×6 pixels at a time, the mean
# of the photographs' PSNRs (standard error 0.14 dB), from the array they released. `reveal` makes such hints.
AUTHORS_CURVE = {
    0: 24.43,
    1: 25.37,
    2: 26.20,
    5: 27.39,
    10: 28.42,
    20: 29.34,
    50: 30.42,
    100: 31.13,
    200: 31.70,
    501: 32.14,
}


def _check(ab: Tensor) -> tuple[int, int, int]:
    """Return N, H and W."""
    if ab.ndim != 4 or ab.shape[1] != 2 or not ab.is_floating_point():
        raise ValueError(f"ab must be floating-point with shape (N, 2, H, W), not {ab.dtype} {tuple(ab.shape)}.")
    return ab.shape[0], ab.shape[2], ab.shape[3]


def _paint(ab: Tensor, top: Tensor, left: Tensor, side: Tensor) -> Tensor:
    """Reveal the mean colour of squares; where two overlap, the later one covers the earlier.

    Args:
        ab: (N, 2, H, W).
        top, left, side: (N, K) int64, squares inside the photograph; side 0 is no square at all.

    Returns:
        hints (N, 3, H, W).
    """
    (N, _, H, W), K = ab.shape, side.shape[1]
    hints = ab.new_zeros(N, 3, H, W, dtype=torch.float32)
    if not side.any():
        return hints
    steps = torch.arange(int(side.max()), device=ab.device)
    inside = steps < side[..., None]  # (N, K, S)
    inside = (inside[..., :, None] & inside[..., None, :]).flatten(2)  # (N, K, S, S) -> (N, K, S²)
    y, x = (start[..., None] + steps for start in (top, left))  # (N, K, S)
    pixels = (y.clamp(max=H - 1)[..., None] * W + x.clamp(max=W - 1)[..., None, :]).flatten(2)  # (N, K, S²)

    colors = ab.float().flatten(2).gather(2, pixels.view(N, 1, -1).expand(-1, 2, -1)).view(N, 2, K, -1)
    means = (colors * inside[:, None]).sum(-1) / inside.sum(-1).clamp(min=1)[:, None]  # (N, 2, K)

    # The last square over each pixel, counted from 1; 0 is none. A maximum does not depend on the order of writing.
    numbers = torch.arange(1, K + 1, device=ab.device)[:, None] * inside
    last = numbers.new_zeros(N, H * W).scatter_reduce_(1, pixels.flatten(1), numbers.flatten(1), "amax")
    palette = torch.cat([means.new_zeros(N, 2, 1), means], 2)  # (N, 2, 1 + K)
    hints[:, :2] = palette.gather(2, last[:, None].expand(-1, 2, -1)).view(N, 2, H, W)
    hints[:, 2] = (last > 0).view(N, H, W)
    return hints


def draw_hints(ab: Tensor, share: float = 1.0) -> Tensor:
    """Draw hints from the truth as the paper simulates people for training.

    The number of points is geometric with p = 1/8: none with probability 1/8, seven on average. Each reveals the mean
    colour of a square whose side is uniform from 1 to 9 pixels, and whose place is normal around the middle of the
    photograph, with a standard deviation of a quarter of the range it can move in, cut off at the edges.

    Difference from the paper: none intended; that there may be no point at all follows the authors' PyTorch code. The
    sides are meant for photographs of 256 pixels and are kept for smaller ones too, where they show more of the
    picture; none exceeds the photograph.

    Args:
        ab: (N, 2, H, W) in CIELAB units.
        share: of the photographs that get hints, above 0 and at most 1, the paper's; the others get none.

    Returns:
        hints (N, 3, H, W) float32, on the device of ``ab``. They are drawn from torch's global random generator; of a
        batch that several processes share (:mod:`colorlib.distributed`), for all of it.

    Raises:
        ValueError: ab of another shape.

    Example:
        >>> draw_hints(torch.full((2, 2, 64, 64), 20.0)).shape
        torch.Size([2, 3, 64, 64])
    """
    N, H, W = _check(ab)
    N *= parts()
    counts = torch.empty(N, 1).geometric_(P_STOP).long() - 1  # torch counts the trial that stops, too
    K = int(counts.max()) if N else 0
    side = torch.randint(1, MAX_SIDE + 1, (N, K)).clamp(max=min(H, W)) * (torch.arange(K) < counts)
    places = torch.randn(2, N, K)
    top, left = (
        ((0.5 + place / 4) * room).floor().clamp(min=0).minimum(room - 1).long()  # room: how many places there are
        for place, room in zip(places, (H - side + 1, W - side + 1), strict=True)
    )
    hints = _paint(ab, *(part(x).to(ab.device) for x in (top, left, side)))
    return hints if share == 1 else hints * part(torch.rand(N) < share).to(hints).view(-1, 1, 1, 1)


def reveal(ab: Tensor, count: int, patch: int = 6, generator: torch.Generator | None = None) -> Tensor:
    """Reveal ``count`` random squares of the truth in every photograph, for the curve "PSNR against number of hints".

    Places are uniform; squares may overlap, as they must where there are many. See ``AUTHORS_CURVE``.

    Args:
        ab: (N, 2, H, W) in CIELAB units.
        count: points per photograph, 0 or more.
        patch: side of the squares in pixels; the authors' curve has 6.
        generator: where the places come from; torch's global generator without one.

    Returns:
        hints (N, 3, H, W) float32.

    Raises:
        ValueError: ab of another shape, a negative count, or a patch that does not fit into the photograph.
    """
    N, H, W = _check(ab)
    if count < 0:
        raise ValueError(f"count, the number of hints, must be 0 or more, not {count}.")
    if not 1 <= patch <= min(H, W):
        raise ValueError(f"patch must be from 1 to {min(H, W)}, the photograph's shorter side, not {patch}.")
    top, left = (torch.randint(room, (N, count), generator=generator) for room in (H - patch + 1, W - patch + 1))
    side = torch.full_like(top, patch)
    return _paint(ab, *(x.to(ab.device) for x in (top, left, side)))


def place(size: tuple[int, int], points: Iterable[tuple[float, float, float, float]], patch: int = 1) -> Tensor:
    """Turn a person's clicks into hints for one photograph.

    Args:
        size: (H, W) of the photograph.
        points: (x, y, a, b) of each click: x from the left and y from the top in pixels, a and b in CIELAB units. A
            later click covers an earlier one.
        patch: side of the square around each click in pixels; what lies outside the photograph is cut off.

    Returns:
        hints (1, 3, H, W) float32.

    Raises:
        ValueError: a point that is not four finite numbers or lies outside the photograph, or a patch below 1.

    Example:
        >>> place((4, 6), [(5, 0, 40.0, -10.0)])[0, :, 0, 5]
        tensor([ 40., -10.,   1.])
    """
    H, W = size
    if patch < 1:
        raise ValueError(f"patch, the side of the square around a click, must be 1 or more, not {patch}.")
    hints = torch.zeros(1, 3, H, W)
    for point in points:
        if len(point) != 4 or not all(math.isfinite(number) for number in point):
            raise ValueError(f"a hint is four numbers, (x, y, a, b), not {point}.")
        x, y, a, b = point
        if not (0 <= x < W and 0 <= y < H):
            raise ValueError(f"the hint at x = {x}, y = {y} is outside the photograph, which is {W} wide and {H} high.")
        top, left = int(y) - (patch - 1) // 2, int(x) - (patch - 1) // 2
        square = hints[:, :, max(top, 0) : top + patch, max(left, 0) : left + patch]
        square[:] = torch.tensor([a, b, 1.0]).view(1, 3, 1, 1)
    return hints


def to_unit(hints: Tensor | None, L: Tensor) -> Tensor:
    """Return hints as networks take them: a and b over 110, the mask as it is; none at all is all zeros.

    Args:
        hints: (N, 3, H, W) or None.
        L: (N, 1, H, W), the photographs they belong to.

    Returns:
        (N, 3, H, W), of the type and on the device of ``L``.

    Raises:
        ValueError: hints of another shape.
    """
    N, _, H, W = L.shape
    if hints is None:
        return L.new_zeros(N, 3, H, W)
    if hints.shape != (N, 3, H, W):
        raise ValueError(f"hints for L {tuple(L.shape)} must have shape {(N, 3, H, W)}, not {tuple(hints.shape)}.")
    hints = hints.to(L)
    return torch.cat([hints[:, :2] / AB_SCALE, hints[:, 2:]], 1)
