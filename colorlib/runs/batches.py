"""The batches of a training: which photographs come at a step, and what is done to them before a network sees them.

What is done keeps a network from learning photographs by heart. It is drawn by lot from torch's generator, which the
training loop seeds at every step; where several processes share a batch (:mod:`colorlib.distributed`), for all of it.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.distributed import part, parts


class Order:
    """The order of the photographs: a new permutation of ``indices`` for each pass, seeded by (seed, pass)."""

    def __init__(self, indices: np.ndarray, batch_size: int, seed: int) -> None:
        self.indices, self.batch_size, self.seed = indices, batch_size, seed
        self.permutations: dict[int, np.ndarray] = {}

    def batch(self, step: int) -> np.ndarray:
        """Return the ``batch_size`` indices of a step; a batch may straddle two passes."""
        passes, places = np.divmod(np.arange(step * self.batch_size, (step + 1) * self.batch_size), len(self.indices))
        wanted = set(passes.tolist())
        known = self.permutations
        self.permutations = {p: known[p] if p in known else self._permutation(p) for p in wanted}
        return np.array([self.permutations[p][place] for p, place in zip(passes.tolist(), places, strict=True)])

    def _permutation(self, number: int) -> np.ndarray:
        return np.random.default_rng([self.seed, number]).permutation(self.indices)


def mirror(lab: Tensor) -> Tensor:
    """Flip each photograph (N, C, H, W) left to right with probability one half."""
    flip = part(torch.rand(parts() * len(lab)) < 0.5).to(lab.device).view(-1, 1, 1, 1)
    return torch.where(flip, lab.flip(-1), lab)


def crop(lab: Tensor, smallest: float) -> Tensor:
    """Cut a part out of each photograph and enlarge it to the whole (bilinear).

    Args:
        lab: (N, C, H, W).
        smallest: sides of the smallest part over those of the photograph, above 0 and up to 1; shares between it and 1
            are equally likely, and so is each place.
    """
    N = parts() * len(lab)
    share, places = 1 - (1 - smallest) * part(torch.rand(N, 1)), part(torch.rand(N, 2))
    places = (1 - share) * (2 * places - 1)  # of the middle, in the units of affine_grid
    turned = torch.cat(
        [share, torch.zeros_like(share), places[:, :1], torch.zeros_like(share), share, places[:, 1:]], 1
    )
    grid = F.affine_grid(turned.view(-1, 2, 3).to(lab), list(lab.shape), align_corners=False)
    return F.grid_sample(lab, grid, padding_mode="border", align_corners=False)


def change_contrast(L: Tensor, most: float) -> Tensor:
    """Change contrast and brightness of each photograph, as another exposure, film or print would.

    Args:
        L: (N, 1, H, W) in [0, 100].
        most: contrast is multiplied by 1 − most to 1 + most, around the photograph's mean, which is moved by up to
            25 · most; what leaves [0, 100] is clipped.
    """
    lots = part(torch.rand(2, parts() * len(L), 1, 1, 1), dim=1)
    contrast, brightness = (1 + most * (2 * lots.to(L) - 1)).unbind()
    mean = L.mean((2, 3), keepdim=True)
    return ((L - mean) * contrast + mean + 25 * (brightness - 1)).clamp(0, 100)
