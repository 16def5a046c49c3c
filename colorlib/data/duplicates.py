"""Photographs that are there twice: the difference hash, and near-duplicates found by its bands.

Two hashes that differ in at most ten of 64 bits differ in at most two of the 16 bits of one of four bands, whatever the
bits are. So a photograph is compared with those alone that share a band with it but for two bits: with one in a hundred
of them, and none that matters is missed.

Reference:
    M. Norouzi, A. Punjani, D. J. Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing", TPAMI 2014.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from colorlib.color.lab import L8_MAX

if TYPE_CHECKING:
    from colorlib.data.arrays import MappedArray

NEAR_DUPLICATE_BITS = 10
"""Largest number of differing dHash bits, of 64, between near-duplicates. Of 400 photographs saved again as JPEG of
quality 20, at half size, or 15 % brighter, 97 to 100 % stay within it, and 99 % of those cropped by 2 % a side."""
NEAR_DUPLICATE_RMSE = 8.0
"""Largest root mean square difference, in units of L, between the 16×16 thumbnails of near-duplicates. The changes
above mostly stay under 2, 2, 8 and 6; of 270 million pairs of one set's photographs, 3 lay under it and within those
bits."""
_CHUNK = 256
_BANDS = [[8 * row + column for row in range(8) for column in range(8) if (row + column) % 4 == k] for k in range(4)]
"""Bits of the hash by diagonals of its 8×8 cells: neighbours, which tend to agree, lie in different bands."""
_FLIPS = np.array([sum(1 << bit for bit in bits) for n in range(3) for bits in combinations(range(16), n)], np.int32)
_QUERIES, _PAIRS = 1 << 12, 1 << 18  # looked up, and compared, at once


def area_sums(L8: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum L over a grid of cells, in whole numbers, so that every machine finds the same.

    Args:
        L8: (N, H, W) uint8 with H ≥ rows and W ≥ columns.

    Returns:
        sums (N, rows, columns) int64 and the number of pixels in each cell (rows, columns) int64.
    """
    height, width = L8.shape[1:]
    top, left = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    sums = np.add.reduceat(np.add.reduceat(L8, top, axis=1, dtype=np.int64), left, axis=2)
    return sums, np.diff(top, append=height)[:, None] * np.diff(left, append=width)


def dhash(L8: np.ndarray) -> np.ndarray:
    """Return the 64-bit difference hash of each photograph, (N,) uint64.

    A bit tells whether a cell of the 8×9 area-averaged thumbnail of L is darker than its right neighbour, so the hash
    survives another size, another compression and another exposure. Ties are exact, being compared in whole numbers.
    """
    sums, pixels = area_sums(L8, 8, 9)
    darker = sums[:, :, :-1] * pixels[:, 1:] < sums[:, :, 1:] * pixels[:, :-1]
    return np.packbits(darker.reshape(len(L8), 64), axis=1).view(">u8")[:, 0].astype(np.uint64)


def thumbnails(L8: "MappedArray") -> np.ndarray:
    """Return the 16×16 area-averaged thumbnails of 8-bit L, (N, 256) uint8, keeping little in memory."""
    small = np.empty((len(L8.values), 256), np.uint8)
    for start in range(0, len(small), _CHUNK):
        sums, pixels = area_sums(L8.values[start : start + _CHUNK], 16, 16)
        small[start : start + _CHUNK] = ((2 * sums + pixels) // (2 * pixels)).reshape(-1, 256)
        L8.release()
    return small


def has_near_duplicate(hashes: np.ndarray, small: np.ndarray, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Tell which photographs have a near-duplicate among others, (n,) bool.

    Near-duplicates differ in at most `NEAR_DUPLICATE_BITS` of their hashes and `NEAR_DUPLICATE_RMSE` in their
    thumbnails.

    Args:
        hashes: (N,) uint64, difference hashes.
        small: (N, 256) uint8, thumbnails of 8-bit L.
        ones: (n,) positions of the photographs.
        others: (m,) positions of those that they are compared with.
    """
    largest = (NEAR_DUPLICATE_RMSE * L8_MAX / 100) ** 2 * small.shape[1]
    found = np.zeros(len(ones), bool)
    for band in _BANDS:
        keys = _bits_of(hashes[others], band)
        order = np.argsort(keys, kind="stable")
        there, their_hashes = others[order], hashes[others[order]]
        starts = np.searchsorted(keys[order], np.arange((1 << 16) + 1)).astype(np.int32)
        for start in range(0, len(ones), _QUERIES):
            asking = np.flatnonzero(~found[start : start + _QUERIES]) + start
            own_hashes = hashes[ones[asking]]
            for one, place in _sharing(_bits_of(own_hashes, band), starts):
                close = np.bitwise_count(own_hashes[one] ^ their_hashes[place]) <= NEAR_DUPLICATE_BITS
                i, j = asking[one[close]], there[place[close]]
                for piece in range(0, len(i), _CHUNK):
                    one, other = i[piece : piece + _CHUNK], j[piece : piece + _CHUNK]
                    apart = small[ones[one]].astype(np.int32) - small[other]
                    found[one[(apart**2).sum(axis=1) <= largest]] = True
    return found


def _bits_of(hashes: np.ndarray, bits: list[int]) -> np.ndarray:
    """Return 16 bits of hashes, (N,) int32, one beside the other."""
    picked = np.zeros(len(hashes), np.int32)
    for place, bit in enumerate(bits):
        picked |= ((hashes >> np.uint64(bit)).astype(np.int32) & 1) << place
    return picked


def _sharing(keys: np.ndarray, starts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give pairs of a key's position and of a place at which the same key, but for two bits, lies sorted.

    Args:
        keys: (n,) int32, of 16 bits.
        starts: (65,537) int32, where each key begins among the sorted ones.
    """
    flipped = keys[:, None] ^ _FLIPS
    first, sizes = starts[flipped], np.diff(starts)[flipped]
    pairs = sizes.sum(axis=1)
    group = np.cumsum(pairs) // _PAIRS
    for rows in np.split(np.arange(len(keys), dtype=np.int32), np.flatnonzero(np.diff(group)) + 1):
        size = sizes[rows].ravel()
        before = np.cumsum(size, dtype=np.int32) - size
        places = np.repeat(first[rows].ravel() - before, size) + np.arange(size.sum(), dtype=np.int32)
        yield np.repeat(rows, pairs[rows]), places
