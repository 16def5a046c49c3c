"""The ab plane cut into the 313 bins of "Colorful Image Colorization".

References:
    R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization", ECCV 2016, arXiv:1603.08511, section 2.
"""

import math
from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor

from colorlib.color.lab import rgb_to_lab

STEP = 10  # ab units between the centres of neighbouring bins
SIGMA = 5.0  # ab units; the paper's width for the soft encoding and for the smoothing of the prior
TEMPERATURE = 0.38  # the paper's compromise between the mode and the mean
TIE = (5e-3, 2e-3)  # ab units; see `nearest_bin`
REACH = 128  # ab units; 8-bit Lab ends here, and with it the table of candidate bins
CHUNK = 8192  # points whose distances to every bin are held at once


# What is cached must not depend on who asks first: under autocast the bins would be rounded to others, and tensors made
# in inference mode can never be trained through.
@cache
@torch.autocast("cpu", enabled=False)
@torch.inference_mode(False)
def bin_centres() -> Tensor:
    """Return the centres of the bins, rebuilt from the sRGB gamut.

    The colours of sRGB, whatever their lightness, fill a region of the ab plane. A point of the grid (multiples of 10
    in a and in b) is kept when the square of half-side 10 around it touches the convex hull of that region: these are
    the grid points among which bilinear interpolation anywhere in the hull shares its weight.

    The hull is asked by its support function: a grid point is outside when some direction separates it from the
    widened hull. 17 levels per channel and one direction per degree decide every grid point; any half-side
    from 9.75 to 10.05 would keep the same ones.

    Difference from the paper: it says only "in-gamut". Counting the cells that sRGB occupies gives 261 bins; this rule
    gives exactly the 313 of the released network, in its order.

    Returns:
        (313, 2) float32, in ab units, ordered by a, then by b. Cached: do not write to it.

    Example:
        >>> bin_centres()[0]
        tensor([-90.,  50.])
    """
    levels = torch.linspace(0, 1, 17)
    gamut = rgb_to_lab(torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, -1, 1))[0, 1:, :, 0]  # (2, 17³)
    angles = torch.arange(360) * (math.pi / 180)
    directions = torch.stack([angles.cos(), angles.sin()], 1)  # (360, 2)
    support = (directions @ gamut).amax(1) + STEP * directions.abs().sum(1)
    ticks = torch.arange(-REACH // STEP, REACH // STEP + 1) * float(STEP)
    grid = torch.cartesian_prod(ticks, ticks)
    return grid[(grid @ directions.T <= support).all(1)]


def _checked(ab: Tensor) -> Tensor:
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"ab must have shape (N, 2, H, W), not {tuple(ab.shape)}.")
    return ab.to(torch.promote_types(ab.dtype, torch.float32))


def _points(ab: Tensor) -> Tensor:
    return _checked(ab).movedim(1, -1).reshape(-1, 2)  # (N, 2, H, W) -> (N·H·W, 2)


def _key(points: Tensor, centres: Tensor) -> Tensor:
    """Squared distances (P, M) by which centres (M, 2) or (P, M, 2) are ranked: from the points moved by ``TIE``."""
    moved = points + points.new_tensor(TIE)
    return (moved[:, None, 0] - centres[..., 0]).square() + (moved[:, None, 1] - centres[..., 1]).square()


def _nearest(points: Tensor, k: int) -> Tensor:
    """Return the indices (P, k) of the nearest bins, nearest first, by asking every bin."""
    centres = bin_centres().to(points)
    return torch.cat([_key(chunk, centres).topk(k, dim=1, largest=False).indices for chunk in points.split(CHUNK)])


@cache
@torch.inference_mode(False)
def _candidates(k: int, device: torch.device) -> Tensor:
    """Return, for each unit cell of the ab plane, every bin that may be among the k nearest of a point in the cell.

    A bin further from the cell's centre than the k-th nearest plus the cell's diagonal, here with the width of a tie on
    both sides, cannot be. Rows are padded by the next nearest bins, so each has the same length: (256², M).
    """
    ticks = torch.arange(-REACH, REACH) + 0.5
    points = torch.cartesian_prod(ticks, ticks)
    indices = _nearest(points, min(4 * k + 16, len(bin_centres())))
    distance = (bin_centres()[indices] - points[:, None]).norm(dim=2)
    possible = distance <= distance[:, k - 1 : k] + math.sqrt(2) + 4 * max(TIE)
    return indices[:, : int(possible.sum(1).max())].contiguous().to(device)


def _k_nearest(ab: Tensor, k: int) -> Tensor:
    """Return the indices of the k nearest bins, (N, k, H, W), nearest first."""
    if not 1 <= k <= len(bin_centres()):
        raise ValueError(f"k, the number of nearest bins, must be from 1 to {len(bin_centres())}, not {k}.")
    points = _points(ab)
    cells = points.floor().long() + REACH
    if ((cells >= 0) & (cells < 2 * REACH)).all():
        candidates = _candidates(k, points.device)[cells[:, 0] * (2 * REACH) + cells[:, 1]]  # (P, M)
        order = _key(points, bin_centres().to(points)[candidates]).topk(k, dim=1, largest=False).indices
        indices = candidates.gather(1, order)
    else:
        indices = _nearest(points, k)
    N, _, H, W = ab.shape
    return indices.view(N, H, W, k).movedim(-1, 1)  # (P, k) -> (N, k, H, W)


@cache
@torch.inference_mode(False)
def _bins_of_grid(device: torch.device) -> Tensor:
    """Give the bin at each point of the grid of bin centres and its rim, (M, M) int64, and −1 where there is none."""
    middle = REACH // STEP + 1
    bins = torch.full((2 * middle + 1,) * 2, -1)
    a, b = (bin_centres() / STEP).long().T + middle
    bins[a, b] = torch.arange(len(a))
    return bins.to(device)


def nearest_bin(ab: Tensor) -> Tensor:
    """Return the index of the bin whose centre is nearest to each colour.

    Of bins that are equally near, as they often are to the whole numbers of 8-bit Lab, it is the one towards larger a,
    then b; and so for colours within about 1e-3 of such a tie, so that no rounding decides. That is: the nearest to the
    colour moved by ``TIE``, 5e-3 in a and 2e-3 in b. Everything that asks for nearest bins has this rule.

    Args:
        ab: (N, 2, H, W) in ab units, in the gamut or not.

    Returns:
        (N, H, W) int64, in [0, 313).

    Example:
        >>> bin_centres()[nearest_bin(torch.tensor([12.0, -5.0]).view(1, 2, 1, 1))].flatten()
        tensor([10.,  0.])
    """
    ab = _checked(ab)
    table = _bins_of_grid(ab.device)
    middle = len(table) // 2
    moved = torch.add(ab.new_tensor(TIE).view(1, 2, 1, 1) / STEP, ab, alpha=1 / STEP)
    a, b = moved.round_().clamp_(-middle, middle).unbind(1)  # (N, H, W) each
    places = torch.add(b, a, alpha=len(table)).add_(table.numel() // 2).long()
    bins = table.flatten().index_select(0, places.flatten())
    beside = (bins < 0).nonzero()[:, 0]  # few have no bin
    if len(beside):
        size = bins.numel() // len(ab)
        colors = ab.flatten(2)[beside // size, :, beside % size]  # (P, 2)
        bins[beside] = _k_nearest(colors.T[None, :, :, None], 1).flatten()
    return bins.view(places.shape)


def soft_encode(ab: Tensor, k: int = 5, sigma: float = SIGMA) -> tuple[Tensor, Tensor]:
    """Spread each colour over its k nearest bins, by a Gaussian of their distances.

    Difference from the paper: none intended; it has k = 5, while its released code has k = 10.

    Args:
        ab: (N, 2, H, W) in ab units.
        k: how many bins, from 1 (one-hot) to 313.
        sigma: width of the Gaussian, in ab units.

    Returns:
        indices (N, k, H, W) int64, nearest first by the rule of :func:`nearest_bin`, and weights (N, k, H, W) in
        [0, 1] that sum to 1 over k.

    Raises:
        ValueError: k or sigma out of range, or ab of another shape.
    """
    if not sigma > 0:
        raise ValueError(f"sigma, in ab units, must be above zero, not {sigma}.")
    indices = _k_nearest(ab, k)  # (N, k, H, W)
    squared = (bin_centres().to(ab)[indices] - ab.movedim(1, -1)[:, None]).square().sum(-1)
    return indices, (-squared / (2 * sigma**2)).softmax(1)  # softmax: far from every bin, exp alone would be 0 / 0


def soft_cross_entropy(logits: Tensor, ab: Tensor, k: int = 5, sigma: float = SIGMA) -> tuple[Tensor, Tensor]:
    """Compare odds with the softly encoded truth (equation 2), pixel by pixel.

    Args:
        logits: (N, 313, H, W).
        ab: (N, 2, H, W) in ab units.
        k, sigma: see :func:`soft_encode`.

    Returns:
        the cross-entropy (N, H, W) in nats, and the bin nearest to the truth (N, H, W) int64.
    """
    indices, odds = soft_encode(ab, k, sigma)  # (N, k, H, W)
    return logits.logsumexp(1) - (odds * logits.gather(1, indices)).sum(1), indices[:, 0]


def annealed_mean(logits: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Decode a distribution over the bins to one colour (equation 5).

    The distribution is sharpened, then averaged. Temperature 1 gives the mean, which is dull where several
    colours are plausible; towards 0 it becomes the mode, which is vivid but patchy.

    Args:
        logits: (N, 313, H, W), logarithms of the probabilities up to a constant.
        temperature: above 0.

    Returns:
        (N, 2, H, W) in ab units, in the precision of ``logits`` but float32 at least.

    Raises:
        ValueError: the temperature is not above zero, or there are not 313 channels.
    """
    if not temperature > 0:
        raise ValueError(f"the temperature must be above zero, not {temperature}; 0.001 is as good as the mode.")
    if logits.ndim != 4 or logits.shape[1] != len(bin_centres()):
        raise ValueError(f"logits must have shape (N, {len(bin_centres())}, H, W), not {tuple(logits.shape)}.")
    with torch.autocast(logits.device.type, enabled=False):  # bfloat16 would round the colours
        probabilities = (logits.to(torch.promote_types(logits.dtype, torch.float32)) / temperature).softmax(1)
        return torch.einsum("nqhw,qc->nchw", probabilities, bin_centres().to(probabilities))


def empirical_prior(batches: Iterable[Tensor]) -> Tensor:
    """Count how often each bin is the nearest one.

    Args:
        batches: tensors (N, 2, H, W) in ab units.

    Returns:
        (313,) float64, shares that sum to 1.

    Raises:
        ValueError: there is not one pixel.
    """
    counts = torch.zeros(len(bin_centres()), dtype=torch.int64)
    for ab in batches:
        counts += nearest_bin(ab).flatten().bincount(minlength=len(counts)).cpu()
    if not counts.any():
        raise ValueError("a prior needs at least one pixel; the set of photographs is empty.")
    return counts.double() / counts.sum()


def _check_prior(prior: Tensor) -> Tensor:
    prior = torch.as_tensor(prior, dtype=torch.float64)
    if prior.shape != (len(bin_centres()),) or not (prior >= 0).all() or not math.isclose(prior.sum(), 1, rel_tol=1e-4):
        raise ValueError(f"a prior is {len(bin_centres())} shares, none negative, that sum to 1.")
    return prior


def smooth_prior(prior: Tensor, sigma: float = SIGMA) -> Tensor:
    """Spread each bin's share over its neighbours by a Gaussian of the distance between centres.

    Difference from the paper: none intended; where the gamut ends, the share of a bin is spread over the bins that
    exist, so the sum stays 1.

    Args:
        prior: (313,), sums to 1.
        sigma: width of the Gaussian, in ab units.

    Returns:
        (313,) float64, sums to 1.
    """
    return _check_prior(prior) @ _smoothing(sigma)


@cache
@torch.inference_mode(False)
def _smoothing(sigma: float) -> Tensor:
    """Return where each bin's share goes: (313, 313) float64, each row sums to 1."""
    centres = bin_centres().double()
    return (-torch.cdist(centres, centres).square() / (2 * sigma**2)).softmax(1)


def rebalancing_weights(prior: Tensor, mix: float = 0.5) -> Tensor:
    """Weigh each bin by how rare it is (equation 4): w ∝ 1 / ((1 − mix) p + mix / 313), with Σ p w = 1.

    Args:
        prior: (313,), already smoothed; it is also the p of the normalisation.
        mix: the paper's λ: 0 weighs by rarity alone, 1 weighs all bins alike.

    Returns:
        (313,) float64.

    Raises:
        ValueError: not a prior, mix out of [0, 1], or mix = 0 with an empty bin.
    """
    prior = _check_prior(prior)
    if not 0 <= mix <= 1:
        raise ValueError(f"mix must be from 0 to 1, not {mix}.")
    mixed = (1 - mix) * prior + mix / len(prior)
    if not mixed.all():
        raise ValueError("with mix = 0 an empty bin would weigh infinitely; smooth the prior or raise mix.")
    weights = 1 / mixed
    return weights / (prior @ weights)
