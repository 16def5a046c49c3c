"""Photographs of any size brought to the size that a network works at, strip by strip."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.pictures.picture import Picture

STRIP = 1 << 18  # pixels that are worked on at a time
BLOCK = 32  # samples that are resampled at a time
ELONGATION = 16  # a working size has at most this many times the pixels of the short side's square


def lanczos(x: np.ndarray) -> np.ndarray:
    """Weigh by the distance in pixels of the smaller image: the kernel that data sets are made with."""
    return np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys's kernel with a = -1/2: third order, and it runs through the samples."""
    x = np.abs(x)
    return np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))


class Resampling:
    """What resamples a side: each sample of the result weighs a few of the source; past its ends the last one goes on.

    The whole matrix would have ``target`` × ``source`` numbers, gigabytes for a strip of film; its rows are made a few
    at a time, as wide as their weights reach.

    Args:
        source, target: samples before and after.
        kernel: weighs by the distance in samples of the smaller side.
    """

    def __init__(self, source: int, target: int, kernel: Callable[[np.ndarray], np.ndarray]) -> None:
        scale = max(1.0, source / target)
        centres = (np.arange(target) + 0.5) * source / target - 0.5
        reach = int(np.ceil(3 * scale)) + 1
        taps = np.floor(centres)[:, None].astype(np.int64) + np.arange(-reach, reach + 1)  # (target, taps)
        weights = kernel((taps - centres[:, None]) / scale)
        self._weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
        self._taps = taps.clip(0, source - 1)

    def block(self, targets: slice) -> tuple[slice, Tensor]:
        """Return which samples of the source some of the result rest on, and the weights (targets, sources)."""
        taps, weights = self._taps[targets], self._weights[targets]
        first, last = int(taps[0, 0]), int(taps[-1, -1]) + 1
        matrix = np.zeros((len(taps), last - first), np.float32)
        np.add.at(matrix, (np.arange(len(taps))[:, None], taps - first), weights)
        return slice(first, last), torch.from_numpy(matrix)

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[slice, slice, Tensor]]:
        """Give the result, or a part of it, in pieces: which samples of it, on which they rest, and the weights."""
        stop = len(self._taps) if stop is None else stop
        for first in range(start, stop, BLOCK):
            targets = slice(first, min(first + BLOCK, stop))
            yield targets, *self.block(targets)

    def __call__(self, values: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Resample the last axis, (…, source) to (…, target), or some samples of the result."""
        pieces = self.blocks(start, stop)
        return torch.cat([values[..., sources] @ weights.T.to(values) for _, sources, weights in pieces], -1)


def working_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Return (h, w) of the small copy of a photograph of ``size`` (H, W); a smaller photograph stays as it is.

    What is more than 64 times as long as it is wide is squeezed to that shape: networks enlarge what is thin for them.
    """
    H, W = size
    scale = min(1.0, short_side / min(H, W), (ELONGATION * short_side**2 / (H * W)) ** 0.5)
    h, w = max(1, round(H * scale)), max(1, round(W * scale))
    return min(h, 4 * ELONGATION * w), min(w, 4 * ELONGATION * h)


def strips(size: tuple[int, int]) -> Iterator[slice]:
    """Cut a photograph of (H, W) into slices of rows of about ``STRIP`` pixels."""
    H, W = size
    step = max(1, STRIP // W)
    return (slice(top, min(top + step, H)) for top in range(0, H, step))


def shrink(picture: Picture, size: tuple[int, int]) -> Tensor:
    """Return lab (1, 3, h, w) of a small copy: one pass over the rows, no larger copy in between."""
    rows, columns = (list(Resampling(*sides, lanczos).blocks()) for sides in zip(picture.size, size, strict=True))
    small = torch.zeros(1, 1 if picture.is_grey else 3, *size)
    for strip in strips(picture.size):
        values = picture.lightness(strip) if picture.is_grey else picture.lab(strip)
        narrow = torch.cat([values[..., sources] @ weights.T for _, sources, weights in columns], -1)
        for targets, sources, weights in rows:
            first, last = max(sources.start, strip.start), min(sources.stop, strip.stop)
            if first < last:
                of_strip, of_block = (slice(first - s.start, last - s.start) for s in (strip, sources))
                small[:, :, targets] += weights[:, of_block] @ narrow[:, :, of_strip]
    small[:, 0].clamp_(0, 100)
    return F.pad(small, (0, 0, 0, 0, 0, 3 - small.shape[1]))
