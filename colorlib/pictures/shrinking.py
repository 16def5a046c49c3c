"""Photographs of any size brought to the size that a network works at, strip by strip."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.pictures.picture import Picture

STRIP = 1 << 18  # pixels that are worked on at a time
ELONGATION = 16  # a working size has at most this many times the pixels of the short side's square


def lanczos(x: np.ndarray) -> np.ndarray:
    """Weigh by the distance in pixels of the smaller image: the kernel that data sets are made with."""
    return np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys's kernel with a = -1/2: third order, and it runs through the samples."""
    x = np.abs(x)
    return np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))


def resampling(source: int, target: int, kernel: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """Return the (target, source) matrix that resamples a side; past its ends the last pixel goes on."""
    scale = max(1.0, source / target)
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    reach = int(np.ceil(3 * scale)) + 1
    taps = np.floor(centres)[:, None].astype(np.int64) + np.arange(-reach, reach + 1)  # (target, taps)
    weights = kernel((taps - centres[:, None]) / scale)
    matrix = np.zeros((target, source), np.float32)
    np.add.at(matrix, (np.arange(target)[:, None], taps.clip(0, source - 1)), weights / weights.sum(1, keepdims=True))
    return torch.from_numpy(matrix)


def working_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Return (h, w) of the small copy of a photograph of ``size`` (H, W); a smaller photograph stays as it is."""
    H, W = size
    scale = min(1.0, short_side / min(H, W), (ELONGATION * short_side**2 / (H * W)) ** 0.5)
    return max(1, round(H * scale)), max(1, round(W * scale))


def strips(size: tuple[int, int]) -> Iterator[slice]:
    """Cut a photograph of (H, W) into slices of rows of about ``STRIP`` pixels."""
    H, W = size
    step = max(1, STRIP // W)
    return (slice(top, min(top + step, H)) for top in range(0, H, step))


def shrink(picture: Picture, size: tuple[int, int]) -> Tensor:
    """Return lab (1, 3, h, w) of a small copy: one pass over the rows, no larger copy in between."""
    rows, columns = resampling(picture.size[0], size[0], lanczos), resampling(picture.size[1], size[1], lanczos).T
    small = torch.zeros(1, 1 if picture.is_grey else 3, *size)
    for strip in strips(picture.size):
        values = picture.lightness(strip) if picture.is_grey else picture.lab(strip)
        small += rows[:, strip] @ (values @ columns)
    small[:, 0].clamp_(0, 100)
    return F.pad(small, (0, 0, 0, 0, 0, 3 - small.shape[1]))
