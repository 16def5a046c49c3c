"""Colours of a small copy brought up to a large photograph, along the edges of its lightness."""

import torch
from torch import Tensor

from colorlib.color.blur import blur
from colorlib.pictures.shrinking import Resampling, cubic

WINDOW = 0.7  # deviation of the Gaussian window in which a and b are lines in L, in pixels of the working size
SMOOTHNESS = 100.0  # L² units; a window whose L varies less than this is taken to say little about colour


class ColorField:
    """The colours of a photograph, found at a small size and ready to be asked for at full size.

    Args:
        L: (1, 1, h, w) in [0, 100], the small copy.
        ab: (1, 2, h, w) in CIELAB units, its colours.
        size: (H, W) of the photograph.
    """

    def __init__(self, L: Tensor, ab: Tensor, size: tuple[int, int]) -> None:
        self.L, self.ab, self.size = L, ab, size
        mean = blur(L, WINDOW)
        variance = (blur(L * L, WINDOW) - mean * mean).clamp(min=0)
        slope = (blur(L * ab, WINDOW) - mean * blur(ab, WINDOW)) / (variance + SMOOTHNESS)
        self.rows = Resampling(L.shape[2], size[0], cubic)
        self.columns = Resampling(L.shape[3], size[1], cubic)(torch.cat([ab, slope, L], 1))  # (1, 5, h, W)

    def at(self, L: Tensor, rows: slice) -> Tensor:
        """Return ab (1, 2, h, W) of some rows, L (1, 1, h, W) being the photograph's own lightness there."""
        smooth = self.rows(self.columns.mT, *rows.indices(self.size[0])[:2]).mT
        return smooth[:, :2] + smooth[:, 2:4] * (L - smooth[:, 4:])
