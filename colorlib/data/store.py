"""The one store for all photographs: memory-mapped 8-bit Lab arrays, a manifest and a split by content.

A store is a folder in the layout of the Kaggle set, with two files that the Kaggle set lacks::

    l/gray_scale.npy                (N, H, W) uint8       OpenCV's 8-bit L
    ab/ab/ab1.npy, ab2.npy, …       (n, H, W, 2) uint8    OpenCV's 8-bit a and b, 10,000 photographs a file
    kinds/kinds.npy                 (N, H, W) uint8       kind of thing at each pixel (procedural scenes only)
    manifest.csv                    one row per photograph, in the order of the arrays
    dataset.json                    name, size, counts, fingerprint and how the store was made

Nothing is ever loaded whole: opening reads headers, a batch is one gather.
"""

import contextlib
import errno
import hashlib
import io
import itertools
import json
import mmap
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib.color import AB8_OFFSET, L8_MAX, decode_lab8
from colorlib.files import atomic_path, exclusive, write_json
from colorlib.gamut import empirical_prior
from colorlib.registry import look_up

FORMAT = 1
SPLITS = {"train": 0.8, "val": 0.1, "test": 0.1}
COLUMNS = ["id", "source", "sha256", "width", "height", "mean_chroma", "flags", "split", "dhash"]
LEFT_OUT = {"grey", "near_grey", "duplicate", "near_duplicate"}
"""Flags whose photographs are in no split's indices; any other flag only informs."""

GREY_CHROMA = 2.0
"""Mean CIELAB chroma under which a photograph is grey: rounding to 8-bit Lab and JPEG's chroma noise reach 1 to 2."""
NEAR_GREY_CHROMA = 4.0
"""Mean chroma under which a photograph is nearly grey: below the 5 units that Zhang et al. (2016, released code) ask of
some pixel of a photograph before they train on it, and too little for a viewer to call the picture coloured."""
NEAR_DUPLICATE_BITS = 10
"""Largest number of differing dHash bits, of 64, between near-duplicates. Of 400 photographs saved again as JPEG of
quality 20, at half size, or 15 % brighter, 97 to 100 % stay within it, and 99 % of those cropped by 2 % a side."""
NEAR_DUPLICATE_RMSE = 8.0
"""Largest root mean square difference, in units of L, between the 16×16 thumbnails of near-duplicates. The changes
above mostly stay under 2, 2, 8 and 6; of 270 million pairs of one set's photographs, 3 lay under it and within those
bits."""

AB_FILE_ROWS = 10_000
MINIMUM_SIDE = 16
_RELEASE_BYTES = 64 << 20
_FAULT_AROUND = 1 << 16  # the kernel maps neighbouring pages along with each page touched
_CHUNK = 256
_PRIOR_PHOTOGRAPHS = 2_000
_PRIOR_SIDE = 64


@dataclass(frozen=True)
class Batch:
    """Photographs as a network takes them.

    Attributes:
        ids: N names from the manifest.
        L: (N, 1, H, W) float32 in [0, 100].
        ab: (N, 2, H, W) float32, CIELAB units.
        kinds: (N, H, W) uint8, the kind of thing at each pixel, or None where the set does not know it.
    """

    ids: list[str]
    L: Tensor
    ab: Tensor
    kinds: Tensor | None = None


@dataclass(frozen=True)
class Record:
    """One photograph on its way into a store.

    Attributes:
        source: where it came from, for people; the last part of it begins the photograph's id.
        width, height: pixels before any resize.
        L8: (H, W) uint8, and ab8: (H, W, 2) uint8, OpenCV's 8-bit Lab.
        kinds: (H, W) uint8 or None.
        flags: what the preparation noticed, for example ``("upscaled",)``.
    """

    source: str
    width: int
    height: int
    L8: np.ndarray
    ab8: np.ndarray
    kinds: np.ndarray | None = None
    flags: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------------- reading


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


class LabArrays:
    """Photographs in 8-bit Lab, mapped from disk, with their manifest and split.

    Made by `open_store` or, for the Kaggle set opened in place, by `colorlib.data.kaggle.open_kaggle`.

    Attributes:
        name: of the data set.
        folder: where the store, or for a set opened in place its manifest, lies.
        info: the contents of ``dataset.json``.
        L8: (N, H, W) uint8, mapped.
        kinds: (N, H, W) uint8, mapped, or None.

    Raises:
        ValueError: the shapes or lengths of the arrays do not fit one another.
    """

    def __init__(
        self,
        folder: Path,
        info: dict[str, Any],
        L8: MappedArray,
        ab8: Sequence[MappedArray],
        kinds: MappedArray | None = None,
    ):
        check_arrays(folder, L8, ab8, kinds)
        self.folder, self.info, self.name = Path(folder), info, str(info["name"])
        self.L8, self.kinds = L8.values, None if kinds is None else kinds.values
        self._parts = [part.values for part in ab8]
        self._starts = np.cumsum([0, *(len(part) for part in self._parts)])
        self._maps = [m for m in (L8, *ab8, kinds) if m is not None]
        self._touched = 0

    def __len__(self) -> int:
        return len(self.L8)

    def __repr__(self) -> str:
        return f"LabArrays({self.name!r}, {len(self):,} photographs of {self.size[1]}×{self.size[0]}, {self.folder})"

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.L8.shape[1], self.L8.shape[2]

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change when any pixel, name or split does."""
        return self.info["fingerprint"]

    @cached_property
    def manifest(self) -> pd.DataFrame:
        """One row per photograph: id, source, sha256, width, height, mean_chroma, flags, split, dhash.

        ``flags`` is words joined by ``;``; ``mean_chroma`` is in CIELAB units; read at first use.

        Raises:
            FileNotFoundError, ValueError: the file is missing, or its rows are not as many as the photographs.
        """
        path = self.folder / "manifest.csv"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; prepare the photographs again.")
        words = {column: str for column in ("id", "source", "sha256", "flags", "split", "dhash")}
        manifest = pd.read_csv(path, dtype=words, keep_default_na=False)
        if len(manifest) != len(self) or missing_columns(manifest):
            raise ValueError(
                f"{path} does not fit its arrays ({len(manifest):,} rows for {len(self):,} photographs, "
                f"columns missing: {missing_columns(manifest) or 'none'}); prepare the photographs again."
            )
        return manifest

    def indices(self, split: str, include_flagged: bool = False) -> np.ndarray:
        """Return the sorted positions (int64) of a split's usable photographs.

        Args:
            split: ``"train"``, ``"val"`` or ``"test"``.
            include_flagged: also those flagged grey, near_grey, duplicate or near_duplicate.

        Raises:
            ValueError: unknown split, or nothing is left in it.
        """
        look_up(SPLITS, split, "split")
        chosen = (self.manifest["split"] == split).to_numpy()
        flagged = left_out(self.manifest["flags"])
        if not include_flagged:
            chosen = chosen & ~flagged
        if not chosen.any():
            counts = ", ".join(f"{(self.manifest['split'] == s).sum():,} {s}" for s in SPLITS)
            why = "all are grey or duplicates" if flagged.all() else f"{flagged.sum():,} flagged grey or duplicate"
            raise ValueError(
                f"data set {self.name!r} has no usable photograph in its {split} split: {len(self):,} photographs "
                f"({counts}), {why}; add more, and more varied, colour photographs (a few hundred at least)."
            )
        return np.flatnonzero(chosen)

    def ab8(self, indices: int | np.ndarray) -> np.ndarray:
        """Return 8-bit ab, (H, W, 2) for one position or (n, H, W, 2) for several, as a copy."""
        wanted = np.atleast_1d(np.asarray(indices, dtype=np.int64))
        gathered = np.empty((len(wanted), *self.size, 2), np.uint8)
        part_of = np.searchsorted(self._starts, wanted, side="right") - 1
        for part in np.unique(part_of):
            here = part_of == part
            gathered[here] = self._parts[part][wanted[here] - self._starts[part]]
        return gathered[0] if np.ndim(indices) == 0 else gathered

    def batch(self, indices: Sequence[int] | np.ndarray | Tensor, device: str | torch.device = "cpu") -> Batch:
        """Return photographs by position, in the order asked for.

        The gather reads in the order of the disk; bytes move to ``device`` first and become float32 there.

        Args:
            indices: positions in [0, N), any order, repeats allowed.
            device: where the tensors are wanted.

        Raises:
            IndexError: a position is outside [0, N).
        """
        wanted = np.asarray(indices, dtype=np.int64).reshape(-1)
        if len(wanted) and not (0 <= wanted.min() and wanted.max() < len(self)):
            raise IndexError(f"data set {self.name!r} has photographs 0 to {len(self) - 1}, not {wanted.tolist()}.")
        order = np.argsort(wanted, kind="stable")
        back = np.argsort(order, kind="stable")
        in_order = wanted[order]

        def tensor(gathered: np.ndarray) -> Tensor:
            return torch.from_numpy(gathered[back]).to(device)

        L, ab = decode_lab8(tensor(self.L8[in_order]), tensor(self.ab8(in_order)))
        kinds = None if self.kinds is None else tensor(self.kinds[in_order])
        self._release(len(wanted))
        return Batch(self._ids[wanted].tolist(), L, ab, kinds)

    @cached_property
    def class_prior(self) -> Tensor:
        """How often each of the 313 ab bins occurs in the train split: (313,) float64, sum 1.

        Counted on at most 2,000 photographs, each thinned to at most 64×64 pixels: eight million pixels, whose shares
        are exact to a thousandth.
        """
        train = self.indices("train")
        chosen = np.random.default_rng(0).permutation(train)[:_PRIOR_PHOTOGRAPHS]
        step = -(-max(self.size) // _PRIOR_SIDE)
        starts = range(0, len(chosen), 64)
        return empirical_prior(self.batch(chosen[start : start + 64]).ab[..., ::step, ::step] for start in starts)

    @cached_property
    def _ids(self) -> np.ndarray:
        return self.manifest["id"].to_numpy(dtype=object)

    def _release(self, photographs: int) -> None:
        self._touched += photographs * (3 * self.size[0] * self.size[1] + 2 * _FAULT_AROUND)
        if self._touched > _RELEASE_BYTES:
            self._touched = 0
            for mapped in self._maps:
                mapped.release()


def missing_columns(manifest: pd.DataFrame) -> list[str]:
    """Return the columns of a manifest that are not there."""
    return [column for column in COLUMNS if column not in manifest]


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


def is_store(folder: Path | str) -> bool:
    """Tell whether a folder is a finished store."""
    return (Path(folder) / "dataset.json").is_file()


def open_store(folder: Path | str) -> LabArrays:
    """Open a prepared folder; instant at any size, since only headers are read.

    Raises:
        FileNotFoundError: the folder, or a file of it, is missing.
        ValueError: a file is damaged, or the arrays do not fit one another.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no folder {folder}; make one with `colorlib prepare PHOTOGRAPHS --out {folder}`."
        )
    info = read_info(folder)
    parts = sorted((folder / "ab" / "ab").glob("ab*.npy"), key=ab_file_number)
    if not parts:
        raise FileNotFoundError(f"{folder} has no ab/ab/ab1.npy; prepare the photographs again.")
    kinds = folder / "kinds" / "kinds.npy"
    return LabArrays(
        folder,
        info,
        map_npy(folder / "l" / "gray_scale.npy"),
        [map_npy(part) for part in parts],
        map_npy(kinds) if kinds.exists() else None,
    )


def ab_file_number(path: Path | str) -> int:
    """Return 2 for ``…/ab2.npy``, so that ab10 comes after ab9; 0 where there is no number."""
    number = re.search(r"(\d+)\.npy$", str(path))
    return int(number[1]) if number else 0


def read_info(folder: Path) -> dict[str, Any]:
    path = folder / "dataset.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} is not a prepared data set (no dataset.json); run `colorlib prepare {folder} --out data/NAME` "
            "if it holds photographs."
        )
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        if info["format"] != FORMAT:
            raise ValueError(f"{path} is of format {info['format']}, this version reads {FORMAT}; prepare it again.")
        info["name"], info["fingerprint"]
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}); prepare the photographs again.") from None
    return info


# ------------------------------------------------------------------------------------- what the content says


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


def split_of(hashes: Iterable[int]) -> list[str]:
    """Return the split of each difference hash: the first 32 bits of its SHA-256 against the shares of `SPLITS`.

    The label depends on the photograph's content and on nothing else, so it never changes when others are added, and
    photographs of equal hash (most near-duplicates) share it.

    Example:
        >>> split_of([0, 1])
        ['train', 'train']
    """
    edges = np.cumsum(list(SPLITS.values()))[:-1]
    names = list(SPLITS)

    def label(value: int) -> str:
        digest = hashlib.sha256(int(value).to_bytes(8, "big")).digest()
        return names[int(np.searchsorted(edges, int.from_bytes(digest[:4], "big") / 2**32, side="right"))]

    return [label(value) for value in hashes]


_CHROMA_STEPS = 1024
"""Chroma is summed in whole 1024ths, so that every machine finds the same mean."""


def _chroma_table() -> np.ndarray:
    pairs = np.arange(65536, dtype=np.uint16).view(np.uint8).reshape(-1, 2).astype(np.float64) - AB8_OFFSET
    return np.round(_CHROMA_STEPS * np.hypot(pairs[:, 0], pairs[:, 1])).astype(np.int32)


_CHROMA = _chroma_table()


def describe(L8: np.ndarray, ab8: np.ndarray) -> pd.DataFrame:
    """Return what the manifest records of the content: sha256, mean_chroma (CIELAB units), dhash (16 hex digits).

    Args:
        L8: (n, H, W) uint8.
        ab8: (n, H, W, 2) uint8.
    """
    ab8 = np.ascontiguousarray(ab8)
    chroma = _CHROMA[ab8.view(np.uint16)[..., 0]].sum(axis=(1, 2), dtype=np.int64) / (_CHROMA_STEPS * L8[0].size)
    return pd.DataFrame(
        {
            "sha256": [hashlib.sha256(L.tobytes() + ab.tobytes()).hexdigest() for L, ab in zip(L8, ab8, strict=True)],
            "mean_chroma": chroma.round(3),
            "dhash": [f"{value:016x}" for value in dhash(L8)],
        }
    )


def has_near_duplicate(
    hashes: np.ndarray, small: np.ndarray, other_hashes: np.ndarray, other_small: np.ndarray
) -> np.ndarray:
    """Tell which photographs have a near-duplicate among others, (n,) bool.

    Near-duplicates differ in at most `NEAR_DUPLICATE_BITS` of their hashes and `NEAR_DUPLICATE_RMSE` in their
    thumbnails. Every pair of hashes is compared: 60,000 photographs, 600 million pairs, take a few seconds.

    Args:
        hashes: (n,) uint64, and other_hashes: (m,) uint64, difference hashes.
        small: (n, 256) uint8, and other_small: (m, 256) uint8, thumbnails of 8-bit L.
    """
    largest = (NEAR_DUPLICATE_RMSE * L8_MAX / 100) ** 2 * small.shape[1]
    found = np.zeros(len(hashes), bool)
    step = max(1, (1 << 22) // max(1, len(other_hashes)))
    for start in range(0, len(hashes), step):
        close = np.bitwise_count(hashes[start : start + step, None] ^ other_hashes) <= NEAR_DUPLICATE_BITS
        ones, others = np.nonzero(close)
        for piece in range(0, len(ones), 1 << 14):
            one, other = ones[piece : piece + (1 << 14)] + start, others[piece : piece + (1 << 14)]
            apart = small[one].astype(np.int32) - other_small[other]
            found[one[(apart**2).sum(axis=1) <= largest]] = True
    return found


def thumbnails(L8: MappedArray) -> np.ndarray:
    """Return the 16×16 area-averaged thumbnails of 8-bit L, (N, 256) uint8, keeping little in memory."""
    small = np.empty((len(L8.values), 256), np.uint8)
    for start in range(0, len(small), _CHUNK):
        sums, pixels = area_sums(L8.values[start : start + _CHUNK], 16, 16)
        small[start : start + _CHUNK] = ((2 * sums + pixels) // (2 * pixels)).reshape(-1, 256)
        L8.release()
    return small


def complete_manifest(rows: pd.DataFrame, L8: MappedArray) -> pd.DataFrame:
    """Give described photographs their id, their split and their flags.

    The label is `split_of` the content. A photograph equal to an earlier one is flagged ``duplicate``; one that is
    nearly equal to a photograph of a later split (train, val, test in this order) is flagged ``near_duplicate``: it
    gives way, and the test split is never altered.

    Args:
        rows: source, width, height, sha256, mean_chroma, dhash and flags (tuples) of each photograph.
        L8: (N, H, W) uint8, their lightness.

    Returns:
        The manifest, with `COLUMNS`.
    """
    rows = rows.reset_index(drop=True)
    hashes = np.array([int(value, 16) for value in rows["dhash"]], np.uint64)
    split = np.array(split_of(hashes), dtype=object)
    small = thumbnails(L8)
    gives_way = np.zeros(len(rows), bool)
    for early, late in (("train", ("val", "test")), ("val", ("test",))):
        one, other = split == early, np.isin(split, late)
        gives_way[one] = has_near_duplicate(hashes[one], small[one], hashes[other], small[other])
    chroma = rows["mean_chroma"]
    marks = {
        "grey": chroma < GREY_CHROMA,
        "near_grey": (chroma >= GREY_CHROMA) & (chroma < NEAR_GREY_CHROMA),
        "duplicate": rows["sha256"].duplicated(),
        "near_duplicate": gives_way,
    }
    flags = [
        ";".join([*own, *(name for name, marked in marks.items() if marked[i])]) for i, own in enumerate(rows["flags"])
    ]
    return rows.assign(id=photograph_ids(rows["source"], rows["sha256"]), flags=flags, split=split)[COLUMNS]


def left_out(flags: pd.Series) -> np.ndarray:
    """Tell which photographs a study leaves out, (N,) bool, from the ``flags`` column."""
    return np.array([not LEFT_OUT.isdisjoint(words.split(";")) for words in flags], bool)


def photograph_ids(sources: Iterable[str], digests: Iterable[str]) -> list[str]:
    """Return unique ids that are safe as file names: the source's stem and eight digits of the content's SHA-256.

    Example:
        >>> photograph_ids(["cats/My cat.jpg", "My cat.png"], ["ab" * 32, "ab" * 32])
        ['My-cat-abababab', 'My-cat-abababab-2']
    """
    seen: Counter[str] = Counter()
    ids = []
    for source, digest in zip(sources, digests, strict=True):
        stem = re.sub(r"[^A-Za-z0-9_]+", "-", Path(source).stem)[:40].strip("-") or "photo"
        name = f"{stem}-{digest[:8]}"
        seen[name.lower()] += 1
        repeat = seen[name.lower()]
        ids.append(name if repeat == 1 else f"{name}-{repeat}")
    return ids


def fingerprint_of(manifest: pd.DataFrame) -> str:
    """Return 16 hexadecimal digits of the SHA-256 over every photograph's id, sha256, flags and split."""
    text = manifest[["id", "sha256", "flags", "split"]].to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def summary_of(manifest: pd.DataFrame) -> dict[str, Any]:
    """Return the counts that ``dataset.json`` keeps: photographs, usable, by split (usable only) and by flag."""
    usable = ~left_out(manifest["flags"])
    flags = Counter(word for words in manifest["flags"] for word in words.split(";") if word)
    return {
        "photographs": len(manifest),
        "usable": int(usable.sum()),
        "splits": {name: int((usable & (manifest["split"] == name)).sum()) for name in SPLITS},
        "flags": dict(sorted(flags.items())),
    }


def write_manifest(folder: Path, manifest: pd.DataFrame, info: dict[str, Any]) -> dict[str, Any]:
    """Write ``manifest.csv`` and then, as the mark that all is there, ``dataset.json``; return the latter."""
    info = {
        "format": FORMAT,
        **info,
        "fingerprint": fingerprint_of(manifest),
        "counts": {**summary_of(manifest), **info.get("counts", {})},
    }
    with atomic_path(folder / "manifest.csv") as temporary:
        manifest.to_csv(temporary, index=False, lineterminator="\n")
    write_json(folder / "dataset.json", info)
    return info


# ---------------------------------------------------------------------------------------------------- writing


def write_store(
    folder: Path | str,
    name: str,
    records: Iterable[Record],
    count: int,
    size: tuple[int, int],
    info: dict[str, Any],
    kinds: bool = False,
) -> LabArrays:
    """Write records into a new store and open it; a killed call, made again, goes on where it was.

    Args:
        folder: appears, whole, at the end; until then the work lies in ``<folder>.partial``.
        name: of the data set.
        records: the photographs, the same in the same order at every call.
        count: how many there are, for the progress bar and as a check.
        size: (H, W) of every record.
        info: how the set was made; goes into ``dataset.json`` and decides whether a store that is already there is
            this one.
        kinds: whether the records carry kinds.

    Raises:
        ValueError: ``folder`` holds something else, or the records are not ``count``.
        OSError: the disk is full.
    """
    with StoreWriter(folder, name, size, info, kinds) as writer:
        if not writer.finished:
            with tqdm(total=count, initial=writer.done, desc=f"writing {name}", unit="image") as progress:
                remaining = itertools.islice(records, writer.done, None)
                while chunk := list(itertools.islice(remaining, _CHUNK)):
                    writer.append(chunk)
                    progress.update(len(chunk))
            if writer.done != count:
                raise ValueError(f"{folder} was to hold {count:,} images but {writer.done:,} were given.")
            writer.finish()
    return open_store(folder)


class StoreWriter:
    """Append photographs to a store that appears, whole, when it is finished.

    Rows go to the ends of the arrays in ``<folder>.partial`` and then, chunk by chunk, into its journal; a writer
    that finds a journal cuts the arrays back to what the journal vouches for and goes on, so a process killed at any
    moment loses at most one chunk and the final bytes are those of an undisturbed run.

    Attributes:
        finished: the folder already holds this very store; there is nothing to do.
        done: how many sources (kept and skipped) are already in.

    Raises:
        ValueError: the folder, or its partial, holds something else; nothing is ever overwritten.
        BlockingIOError: another process is writing the same store.
        OSError: the disk is full; the sentence says how to go on.
    """

    def __init__(self, folder: Path | str, name: str, size: tuple[int, int], info: dict[str, Any], kinds: bool = False):
        self.folder = Path(folder)
        self.partial = self.folder.with_name(self.folder.name + ".partial")
        if min(size) < MINIMUM_SIDE:
            raise ValueError(f"size {size} is too small: photographs need sides of {MINIMUM_SIDE} pixels or more.")
        self.settings = json.loads(json.dumps({"name": name, "size": size, **info}))
        self.size, self.kinds = tuple(size), kinds
        self.done, self._rows, self._skipped = 0, 0, 0

    def __enter__(self) -> "StoreWriter":
        self._stack = contextlib.ExitStack()
        self.finished = self._is_finished()
        if not self.finished:
            self._stack.enter_context(_disk_full_explained(self.partial))
            self._stack.enter_context(exclusive(self.partial, "store"))
            try:
                self.finished = self._is_finished()
                if not self.finished:
                    self._resume()
            except BaseException:
                self._stack.close()
                raise
        return self

    def __exit__(self, *error: object) -> bool | None:
        return self._stack.__exit__(*error)

    def append(self, records: Sequence[Record], skipped: Sequence[tuple[str, str]] = ()) -> None:
        """Add a chunk of photographs, and of sources left out with the reason, for good."""
        lines: list[dict[str, Any]] = []
        if records:
            L8, ab8 = np.stack([r.L8 for r in records]), np.stack([r.ab8 for r in records])
            if (
                L8.shape[1:] != self.size
                or ab8.shape[1:] != (*self.size, 2)
                or {L8.dtype, ab8.dtype} != {np.dtype("u1")}
            ):
                raise ValueError(f"records must be uint8 of size {self.size}, not {L8.dtype} of {L8.shape[1:]}.")
            self._write_rows(self._L_path(), self._rows, L8)
            if self.kinds:
                self._write_rows(self._kinds_path(), self._rows, np.stack([r.kinds for r in records]))
            row = 0
            while row < len(ab8):
                part, within = divmod(self._rows + row, AB_FILE_ROWS)
                piece = ab8[row : row + AB_FILE_ROWS - within]
                self._write_rows(self._ab_path(part + 1), within, piece)
                row += len(piece)
            facts = describe(L8, ab8).to_dict("records")
            lines = [
                {"source": r.source, "width": r.width, "height": r.height, **fact, "flags": list(r.flags)}
                for r, fact in zip(records, facts, strict=True)
            ]
        with open(self.partial / "journal.jsonl", "a", encoding="utf-8") as journal:
            journal.write(json.dumps({"rows": lines, "skipped": list(skipped)}) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._rows += len(lines)
        self._skipped += len(skipped)
        self.done += len(lines) + len(skipped)

    def finish(self) -> None:
        """Complete headers and manifest, and give the folder its name.

        Raises:
            ValueError: no photograph was kept; the sentence gives the first reason.
        """
        entries = list(self._journal())
        skipped = pd.DataFrame([s for entry in entries for s in entry["skipped"]], columns=["source", "reason"])
        if not self._rows:
            first = f"; the first, {skipped['source'][0]}: {skipped['reason'][0]}" if len(skipped) else ""
            shutil.rmtree(self.partial)
            raise ValueError(f"no photograph could be used, {len(skipped):,} were skipped{first}.")
        self._write_header(self._L_path(), (self._rows, *self.size))
        if self.kinds:
            self._write_header(self._kinds_path(), (self._rows, *self.size))
        for part, start in enumerate(range(0, self._rows, AB_FILE_ROWS), start=1):
            self._write_header(self._ab_path(part), (min(AB_FILE_ROWS, self._rows - start), *self.size, 2))
        rows = pd.DataFrame([row for entry in entries for row in entry["rows"]])
        manifest = complete_manifest(rows, map_npy(self._L_path()))
        with atomic_path(self.partial / "skipped.csv") as temporary:
            skipped.to_csv(temporary, index=False, lineterminator="\n")
        write_manifest(self.partial, manifest, {**self.settings, "counts": {"skipped": len(skipped)}})
        self._publish()

    def _publish(self) -> None:
        for leftover in ("journal.jsonl", "settings.json"):
            (self.partial / leftover).unlink(missing_ok=True)
        os.replace(self.partial, self.folder)
        (self.folder / ".lock").unlink()
        self.finished = True

    def _is_finished(self) -> bool:
        if not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir())):
            return False
        if not is_store(self.folder):
            raise ValueError(
                f"{self.folder} exists and is not a prepared data set; choose another folder for the result."
            )
        self._compare(read_info(self.folder), self.folder)
        return True

    def _compare(self, there: dict[str, Any], where: Path) -> None:
        if differing := [key for key in self.settings if there.get(key) != self.settings[key]]:
            key = differing[0]
            raise ValueError(
                f"{where} was made with other settings ({key} {there.get(key)!r} there, {self.settings[key]!r} now); "
                "choose another folder, or delete it to make it anew."
            )

    def _resume(self) -> None:
        if is_store(self.partial):  # killed between the last file and the new name
            self._compare(read_info(self.partial), self.partial)
            return self._publish()
        settings = self.partial / "settings.json"
        if settings.exists():
            self._compare(json.loads(settings.read_text(encoding="utf-8")), self.partial)
        elif any(not path.name.startswith(".") for path in self.partial.iterdir()):
            raise ValueError(f"{self.partial} holds something that is no unfinished store; move it away.")
        else:
            write_json(settings, self.settings)
        for entry in self._journal(repair=True):
            self._rows += len(entry["rows"])
            self._skipped += len(entry["skipped"])
        self.done = self._rows + self._skipped

    def _journal(self, repair: bool = False) -> Iterator[dict[str, Any]]:
        path = self.partial / "journal.jsonl"
        if not path.exists():
            return
        good = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                yield json.loads(line)
                good += len(line)
        if repair and good != path.stat().st_size:
            os.truncate(path, good)

    def _L_path(self) -> Path:
        return self.partial / "l" / "gray_scale.npy"

    def _ab_path(self, number: int) -> Path:
        return self.partial / "ab" / "ab" / f"ab{number}.npy"

    def _kinds_path(self) -> Path:
        return self.partial / "kinds" / "kinds.npy"

    @staticmethod
    def _write_rows(path: Path, row: int, values: np.ndarray) -> None:
        """Write rows from position ``row`` on, over anything that a killed writer left there."""
        header = _header((row, *values.shape[1:]))
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(header)
        with open(path, "rb+") as file:
            file.seek(len(header) + row * values[0].size)
            file.write(np.ascontiguousarray(values).data)
            file.flush()
            os.fsync(file.fileno())

    @staticmethod
    def _write_header(path: Path, shape: tuple[int, ...]) -> None:
        header = _header(shape)
        with open(path, "rb+") as file:
            file.write(header)
            file.truncate(len(header) + int(np.prod(shape)))
            file.flush()
            os.fsync(file.fileno())


def _header(shape: tuple[int, ...]) -> bytes:
    """Return an ``.npy`` header; numpy pads it so that its length does not depend on the number of rows."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": tuple(int(n) for n in shape)}
    )
    return buffer.getvalue()


@contextlib.contextmanager
def _disk_full_explained(partial: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OSError(
            errno.ENOSPC,
            f"the disk is full; what was prepared is kept in {partial}: free some space and run the same command again "
            "to go on",
        ) from None
