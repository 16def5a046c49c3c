"""Colorizers that need no training, and oracles that know the answer but may not say all of it.

A table without the first cannot tell learning from guessing; one without the second cannot tell how much was left to
learn. A baseline is made from the training photographs: ``BASELINES[name](data, seed)`` returns a colorizer, L (N, 1,
H, W) in, ab (N, 2, H, W) out, for any size. An oracle is made in the same way and is given the truth as well:
``ORACLES[name](data)`` returns a function of a :class:`~colorlib.data.store.Batch`.
"""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import gamut
from colorlib.color.lab import L8_MAX
from colorlib.data import scenes
from colorlib.data.store import Batch, LabArrays
from colorlib.objectives.classification import CrossEntropy, RebalancedCrossEntropy
from colorlib.runs.colorizer import Oracle

Baseline = Callable[[Tensor], Tensor]  # L (N, 1, H, W) in [0, 100] -> ab (N, 2, H, W), what Colorizer takes

SAMPLE = 4_000  # training photographs that a baseline looks at: its averages are exact to a tenth of a unit by then
THUMBNAIL = 16  # pixels a side, for the nearest neighbour


def _training_batches(data: LabArrays, seed: int = 0) -> Iterator[Batch]:
    indices = data.indices("train")
    chosen = np.random.default_rng(seed).permutation(indices)[:SAMPLE]
    for start in range(0, len(chosen), 64):
        yield data.batch(chosen[start : start + 64])


def grey(data: LabArrays, seed: int = 0) -> Baseline:
    """Leaves the photograph as it is."""
    return lambda L: L.new_zeros(len(L), 2, *L.shape[-2:])


def mean_ab(data: LabArrays, seed: int = 0) -> Baseline:
    """Tints every pixel with the mean colour of the training photographs: the best constant under L2."""
    means = torch.cat([batch.ab.mean((2, 3)) for batch in _training_batches(data, seed)])  # one for each photograph
    mean = means.mean(0).view(1, 2, 1, 1)
    return lambda L: mean.to(L).expand(len(L), 2, *L.shape[-2:]).contiguous()


def lightness_lookup(data: LabArrays, seed: int = 0) -> Baseline:
    """Looks up the mean colour of the training pixels of the same lightness."""
    count = torch.zeros(L8_MAX + 1, dtype=torch.float64)
    total = torch.zeros(L8_MAX + 1, 2, dtype=torch.float64)
    for batch in _training_batches(data, seed):
        level = _level(batch.L).flatten()
        count += torch.bincount(level, minlength=L8_MAX + 1)
        total.index_add_(0, level, batch.ab.permute(0, 2, 3, 1).reshape(-1, 2).double())
    # A level that no photograph has takes the mean of its surroundings.
    window = torch.ones(1, 1, 9, dtype=torch.float64)
    count = F.conv1d(count.view(1, 1, -1), window, padding=4).flatten()
    total = F.conv1d(total.T.unsqueeze(1), window, padding=4).squeeze(1).T
    table = (total / count.clamp(min=1).unsqueeze(1)).float()
    return lambda L: table.to(L.device)[_level(L)].permute(0, 3, 1, 2)  # (N, H, W, 2) -> (N, 2, H, W)


def random_photo(data: LabArrays, seed: int = 0) -> Baseline:
    """Lays the colours of a training photograph drawn by lot over this one."""
    indices = data.indices("train")

    def colorize(L: Tensor) -> Tensor:
        # By lot, yet the same for the same photograph, whatever stands beside it in the batch.
        lots = [hashlib.sha256(photo.cpu().numpy().tobytes() + bytes([seed % 256])).digest() for photo in L]
        chosen = [indices[int.from_bytes(lot[:8], "big") % len(indices)] for lot in lots]
        return _resize(data.batch(chosen).ab, L)

    return colorize


def nearest_neighbour(data: LabArrays, seed: int = 0) -> Baseline:
    """Lays over it the colours of the training photograph whose lightness thumbnail (16×16) is nearest."""
    thumbnails, maps = [], []
    for batch in _training_batches(data, seed):
        thumbnails.append(F.adaptive_avg_pool2d(batch.L, THUMBNAIL).flatten(1))
        maps.append(F.adaptive_avg_pool2d(batch.ab, min(64, *batch.ab.shape[-2:])))
    known, ab = torch.cat(thumbnails), torch.cat(maps)

    def colorize(L: Tensor) -> Tensor:
        thumbnail = F.adaptive_avg_pool2d(L.cpu(), THUMBNAIL).flatten(1)
        return _resize(ab[torch.cdist(thumbnail, known).argmin(1)], L)

    return colorize


def _level(L: Tensor) -> Tensor:
    """Return the 8-bit level of each pixel: (N, H, W) int64."""
    return (L[:, 0] * (L8_MAX / 100)).round().long().clamp(0, L8_MAX)


def _resize(ab: Tensor, L: Tensor) -> Tensor:
    return F.interpolate(ab, size=L.shape[-2:], mode="bilinear", align_corners=False).to(L)


BASELINES: dict[str, Callable[[LabArrays, int], Baseline]] = {
    function.__name__: function for function in (grey, mean_ab, lightness_lookup, random_photo, nearest_neighbour)
}


def nearest_bin(data: LabArrays) -> Oracle:
    """Knows the truth, but may only say the nearest of the 313 bins."""
    centres = gamut.bin_centres()
    return lambda batch: centres.to(batch.ab)[gamut.nearest_bin(batch.ab)].permute(0, 3, 1, 2)


def quarter_resolution(data: LabArrays) -> Oracle:
    """Knows the truth, but at a quarter of its height and width."""

    def colorize(batch: Batch) -> Tensor:
        H, W = batch.ab.shape[-2:]
        return _resize(F.adaptive_avg_pool2d(batch.ab, (-(-H // 4), -(-W // 4))), batch.L)

    return colorize


def bayes_l2(data: LabArrays) -> Oracle:
    """Knows what each thing is and its law of colour, and answers with the mean: nothing does better under L2."""
    return _from_table(torch.from_numpy(scenes.bayes_mean()))


def bayes_l1(data: LabArrays) -> Oracle:
    """Knows what each thing is and its law of colour, and answers with the median of a and of b: the best under L1."""
    return _from_table(torch.from_numpy(scenes.bayes_median()))


def bayes_ce(data: LabArrays) -> Oracle:
    """Knows the odds of the 313 bins that cost least under cross-entropy, and decodes them as a network's would be."""
    return _from_table(_decoded(CrossEntropy()))


def bayes_rebalanced_ce(data: LabArrays) -> Oracle:
    """Knows the odds that cost least under rebalanced cross-entropy, and decodes them in the same way."""
    return _from_table(_decoded(RebalancedCrossEntropy(data.class_prior)))


def bayes_rebalanced_ce_vivid(data: LabArrays) -> Oracle:
    """Knows the odds that cost least under rebalanced cross-entropy, decoded at temperature 0.1: nearer to the mode."""
    return _from_table(_decoded(RebalancedCrossEntropy(data.class_prior, temperature=0.1)))


def _from_table(table: Tensor) -> Oracle:
    def colorize(batch: Batch) -> Tensor:
        if batch.kinds is None:
            raise ValueError(
                "this oracle must be told the kind of thing at each pixel, which only procedural scenes know; "
                "oracles_for(data) names the others."
            )
        return table[batch.kinds.long().cpu(), _level(batch.L).cpu()].permute(0, 3, 1, 2).to(batch.ab)

    return colorize


def bayes_odds(objective: CrossEntropy) -> Tensor:
    """Return the odds of the bins that cost least under a cross-entropy, for each kind of thing and 8-bit lightness.

    The loss compares odds with a target, the softly encoded truth, and may weigh a pixel by the bin nearest to its
    truth. What costs least on average is therefore the mean of the targets, each with its weight and the odds of its
    colour. That is so of the truth as it stands (``out_stride`` 1); where the loss averages it over squares first,
    these odds are the best of all that know only their own pixel, except at the edges of things.

    Returns:
        (K, 256, 313), sum 1 over the bins.
    """
    ab, odds = map(torch.from_numpy, scenes.posterior_table())
    K, levels, M, _ = ab.shape
    ticks = torch.arange(-gamut.REACH, gamut.REACH).float()  # the scenes' colours are 8-bit: each is encoded once
    plane = torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"))[None]
    encoded = gamut.soft_encode(plane, objective.k, objective.sigma)
    bins, shares = (x[0].movedim(0, -1) for x in encoded)  # (256, 256, k) each
    shares = shares * objective.pixel_weights(bins[..., :1])
    a, b = (ab.long() + gamut.REACH).unbind(-1)  # (K, 256, M) each
    law = torch.zeros(K, levels, len(gamut.bin_centres()))
    for hue in range(M):
        at = a[..., hue], b[..., hue]
        law.scatter_add_(2, bins[at], shares[at] * odds[:, hue].float().view(K, 1, 1))
    return law / law.sum(2, keepdim=True)


def _decoded(objective: CrossEntropy) -> Tensor:
    """Return the colour that the best odds stand for, (K, 256, 2)."""
    logits = bayes_odds(objective).clamp(min=1e-12).log().permute(0, 2, 1).unsqueeze(-1)  # (K, 313, 256, 1)
    return gamut.annealed_mean(logits, objective.temperature).squeeze(-1).permute(0, 2, 1).contiguous()


ORACLES: dict[str, Callable[[LabArrays], Oracle]] = {
    function.__name__: function
    for function in (
        nearest_bin,
        quarter_resolution,
        bayes_l2,
        bayes_l1,
        bayes_ce,
        bayes_rebalanced_ce,
        bayes_rebalanced_ce_vivid,
    )
}


def oracles_for(data: LabArrays) -> list[str]:
    """Name the oracles that a data set allows: the Bayes-optimal ones need the kind of thing at every pixel."""
    return [name for name in ORACLES if data.kinds is not None or not name.startswith("bayes")]
