"""The one store for all photographs: memory-mapped 8-bit Lab arrays, a manifest and a split by content.

A store is a folder in the layout of the Kaggle set, with two files that the Kaggle set lacks::

    l/gray_scale.npy                (N, H, W) uint8       OpenCV's 8-bit L
    ab/ab/ab1.npy, ab2.npy, …       (n, H, W, 2) uint8    OpenCV's 8-bit a and b, 10,000 photographs a file
    kinds/kinds.npy                 (N, H, W) uint8       kind of thing at each pixel (procedural scenes only)
    manifest.csv                    one row per photograph, in the order of the arrays
    dataset.json                    name, size, counts, fingerprint and how the store was made

Nothing is ever loaded whole: opening reads headers, a batch is one gather.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from colorlib.color.gamut import empirical_prior
from colorlib.color.lab import decode_lab8
from colorlib.data.arrays import MappedArray, ab_file_number, check_arrays, map_npy
from colorlib.data.manifest import FORMAT, SPLITS, check_ids, left_out, missing_columns
from colorlib.registry import look_up

_RELEASE_BYTES = 64 << 20
_FAULT_AROUND = 1 << 16  # the kernel maps neighbouring pages along with each page touched
_PRIOR_PHOTOGRAPHS = 2_000
_PRIOR_SIDE = 64
_WORDNET_ID = re.compile(r"(n\d{8})_")  # of a noun


@dataclass(frozen=True)
class Batch:
    """Photographs as a network takes them.

    Attributes:
        ids: N names from the manifest.
        L: (N, 1, H, W) float32 in [0, 100].
        ab: (N, 2, H, W) float32, CIELAB units.
        kinds: (N, H, W) uint8, the kind of thing at each pixel, or None where the set does not know it.
        labels: (N,) int64, positions in the set's ``classes``, or None where it has none.
    """

    ids: list[str]
    L: Tensor
    ab: Tensor
    kinds: Tensor | None = None
    labels: Tensor | None = None


class LabArrays:
    """Photographs in 8-bit Lab, mapped from disk, with their manifest and split.

    Made by `open_store` or, for the Kaggle set opened in place, by `colorlib.data.kaggle.open_kaggle`.

    Attributes:
        name: of the data set.
        folder: where the store, or for a set opened in place its manifest, lies.
        source: what `open_dataset` opens it by: the store, or for a set opened in place its folder or zip.
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
        source: Path | None = None,
    ):
        check_arrays(folder, L8, ab8, kinds)
        self.folder, self.info, self.name = Path(folder), info, str(info["name"])
        self.source = Path(source or folder)
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
            FileNotFoundError, ValueError: the file is missing, its rows are not as many as the photographs, or their
                ids are refused by :func:`~colorlib.data.manifest.check_ids`.
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
        check_ids(manifest["id"], path)
        return manifest

    @cached_property
    def classes(self) -> list[str]:
        """The sorted names of the folders right above the photographs, or none where they all lie in one.

        Photographs of one folder whose names begin with WordNet ids, as ImageNet's do, are classed by those instead.
        """
        names = sorted(set(self._folders))
        return names if len(names) > 1 else []

    @cached_property
    def labels(self) -> np.ndarray | None:
        """(N,) int64: the position in `classes` of each photograph's class, or None where there are no classes."""
        return np.searchsorted(self.classes, self._folders).astype(np.int64) if self.classes else None

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

    def sample(self, split: str, count: int) -> np.ndarray:
        """Return at most ``count`` sorted positions of a split, drawn by lot once and for all: the lowest SHA-256s.

        The first photographs of a folder are often of one kind; these are of all kinds.
        """
        return self.drawn(self.indices(split), count)

    def drawn(self, indices: np.ndarray, count: int) -> np.ndarray:
        """Return at most ``count`` of some positions, sorted, drawn as by :meth:`sample`."""
        digests = self.manifest["sha256"].to_numpy()[indices]
        return np.sort(indices[np.argsort(digests, kind="stable")[:count]])

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
        labels = None if self.labels is None else torch.from_numpy(self.labels[wanted]).to(device)
        self._release(len(wanted))
        return Batch(self._ids[wanted].tolist(), L, ab, kinds, labels)

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

    @cached_property
    def _folders(self) -> list[str]:
        """The name of the folder right above each photograph, "" where its source names none; or see `classes`."""
        paths = [PurePosixPath(source) for source in self.manifest["source"]]
        folders, ids = [path.parent.name for path in paths], [_WORDNET_ID.match(path.name) for path in paths]
        return [found[1] for found in ids if found] if len(set(folders)) == 1 and all(ids) else folders

    def _release(self, photographs: int) -> None:
        self._touched += photographs * (3 * self.size[0] * self.size[1] + 2 * _FAULT_AROUND)
        if self._touched > _RELEASE_BYTES:
            self._touched = 0
            for mapped in self._maps:
                mapped.release()


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
