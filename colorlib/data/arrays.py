"""Arrays of a store, mapped from its files and not read into memory."""

import mmap
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MINIMUM_SIDE = 16  # pixels of a photograph


@dataclass(frozen=True)
class MappedArray:
    """A uint8 ``.npy`` array mapped read-only, from a file or from inside a larger one.

    Attributes:
        values: the array, on pages of the mapping.
        pages: the mapping, so that touched pages can be handed back to the system.
    """

    values: np.ndarray
    pages: mmap.mmap

    def release(self) -> None:
        """Give touched pages back, so that resident memory does not grow with the data read."""
        self.pages.madvise(mmap.MADV_DONTNEED)


class MappedRows:
    """The rows of several mapped arrays, one after another, as one array that is asked by position.

    Attributes:
        shape: (N, …) of all together.
        dtype: uint8.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, parts: Sequence[MappedArray]) -> None:
        self._parts = [part.values for part in parts]
        self._starts = np.cumsum([0, *map(len, self._parts)])
        self.shape = (int(self._starts[-1]), *self._parts[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: int | np.ndarray) -> np.ndarray:
        """Return the row at one position in [0, N), or (n, …) at several, as a copy."""
        wanted = np.atleast_1d(np.asarray(indices, dtype=np.int64))
        gathered = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        part_of = np.searchsorted(self._starts, wanted, side="right") - 1
        for part in np.unique(part_of):
            here = part_of == part
            gathered[here] = self._parts[part][wanted[here] - self._starts[part]]
        return gathered[0] if np.ndim(indices) == 0 else gathered


def map_npy(path: Path | str, offset: int = 0, length: int | None = None) -> MappedArray:
    """Map a uint8 ``.npy`` file, reading nothing but its header.

    Args:
        path: the file that holds the array.
        offset: byte where the ``.npy`` begins (an uncompressed member of a zip).
        length: its bytes; by default to the end of the file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not an ``.npy`` file, not uint8 in C order, or shorter than its header promises.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; a store of photographs has l/gray_scale.npy and ab/ab/ab1.npy ….")
    with open(path, "rb") as file:
        length = path.stat().st_size - offset if length is None else length
        file.seek(offset)
        try:
            version = np.lib.format.read_magic(file)
            reader = {(1, 0): np.lib.format.read_array_header_1_0}.get(version, np.lib.format.read_array_header_2_0)
            shape, fortran, dtype = reader(file)
        except (ValueError, EOFError, SyntaxError) as error:
            raise ValueError(f"{path} is not a readable .npy file ({error}); download or prepare it again.") from None
        start = file.tell()
        if dtype != np.uint8 or fortran:
            raise ValueError(
                f"{path} holds {dtype}{' in Fortran order' if fortran else ''}, but 8-bit Lab is uint8 in C order; "
                "convert it or prepare the photographs again."
            )
        wanted, present = int(np.prod(shape)), offset + length - start
        if present < wanted:
            raise ValueError(
                f"{path} is truncated: its header promises {wanted:,} bytes of pixels and {present:,} are there; "
                "download or copy it again."
            )
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return MappedArray(np.frombuffer(pages, np.uint8, wanted, start).reshape(shape), pages)


def ab_file_number(path: Path | str) -> int:
    """Return 2 for ``…/ab2.npy``, so that ab10 comes after ab9; 0 where there is no number."""
    number = re.search(r"(\d+)\.npy$", str(path))
    return int(number[1]) if number else 0


def check_arrays(where: Path, L8: MappedArray, ab8: Sequence[MappedArray], kinds: MappedArray | None = None) -> None:
    """Check that arrays of L, ab and kinds are those of one set of photographs.

    Raises:
        ValueError: a shape or length does not fit; the sentence names both sides.
    """
    shape = L8.values.shape
    if len(shape) != 3 or not len(L8.values) or min(shape[1:]) < MINIMUM_SIDE:
        raise ValueError(
            f"the L array of {where} has shape {shape}, but (N, H, W) with N ≥ 1 and sides of {MINIMUM_SIDE} or more "
            "is needed; prepare the photographs again."
        )
    for part in ab8:
        if part.values.shape[1:] != (*shape[1:], 2):
            raise ValueError(
                f"an ab array of {where} has shape {part.values.shape}, but (n, {shape[1]}, {shape[2]}, 2) goes with "
                f"its L of {shape}; download or prepare it again."
            )
    lengths = [len(part.values) for part in ab8]
    if sum(lengths) != shape[0]:
        raise ValueError(
            f"{where} has {shape[0]:,} photographs in L but {sum(lengths):,} in ab ({' + '.join(map(str, lengths))}); "
            "a file is missing or is another download's."
        )
    if kinds is not None and kinds.values.shape != shape:
        raise ValueError(
            f"the kinds of {where} have shape {kinds.values.shape} but its L has {shape}; prepare it again."
        )


@dataclass(frozen=True)
class Arrays:
    """The mapped files of one store: its L, its ab in pieces, and the kinds or None."""

    L8: MappedArray
    ab8: Sequence[MappedArray]
    kinds: MappedArray | None = None


def map_store(folder: Path) -> Arrays:
    """Map the files of a store, reading nothing but their headers.

    Raises:
        FileNotFoundError, ValueError: one is missing or damaged, or they do not fit one another.
    """
    parts = sorted((folder / "ab" / "ab").glob("ab*.npy"), key=ab_file_number)
    if not parts:
        raise FileNotFoundError(f"{folder} has no ab/ab/ab1.npy; prepare the photographs again.")
    L8, ab8 = map_npy(folder / "l" / "gray_scale.npy"), [map_npy(part) for part in parts]
    kinds = folder / "kinds" / "kinds.npy"
    arrays = Arrays(L8, ab8, map_npy(kinds) if kinds.exists() else None)
    check_arrays(folder, L8, ab8, arrays.kinds)
    return arrays
