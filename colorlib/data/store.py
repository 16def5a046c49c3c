"""The one store for all photographs: memory-mapped 8-bit Lab arrays, a manifest and a split by content.

A store is a folder in the layout of the Kaggle set, with two files that the Kaggle set lacks::

    l/gray_scale.npy                (N, H, W) uint8       OpenCV's 8-bit L
    ab/ab/ab1.npy, ab2.npy, …       (n, H, W, 2) uint8    OpenCV's 8-bit a and b, 10,000 photographs a file
    kinds/kinds.npy                 (N, H, W) uint8       kind of thing at each pixel (procedural scenes only)
    manifest.csv                    one row per photograph, in the order of the arrays
    dataset.json                    name, size, counts, fingerprint and how the store was made

One of more than 100,000 photographs is in shards (`colorlib.data.shards`), each of them a store like that.
Nothing is ever loaded whole: opening reads headers, a batch is one gather.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from colorlib.color.gamut import empirical_prior
from colorlib.color.lab import decode_lab8
from colorlib.data.arrays import Arrays, MappedArray, MappedRows, map_store
from colorlib.data.index import Index, index_of, manifest_of, open_index, write_rest
from colorlib.data.manifest import SPLITS, check_ids, manifest_pieces, read_info, read_manifest
from colorlib.registry import look_up

_RELEASE_BYTES = 16 << 20
_FAULT_AROUND = 1 << 16  # the kernel maps neighbouring pages along with each page touched
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
        L8: (N, H, W) uint8, mapped; asked by position.
        kinds: (N, H, W) uint8, mapped, or None.

    Raises:
        ValueError: the shapes or lengths of the arrays do not fit one another.
    """

    def __init__(
        self,
        folder: Path,
        info: dict[str, Any],
        parts: Sequence[Arrays],
        index: tuple[Index, Sequence[MappedArray]] | None = None,
        source: Path | None = None,
    ):
        self.folder, self.info, self.name = Path(folder), info, str(info["name"])
        self.source = Path(source or folder)
        L8, ab8 = [part.L8 for part in parts], [array for part in parts for array in part.ab8]
        kinds = [part.kinds for part in parts if part.kinds is not None]
        self.L8, self._ab8 = MappedRows(L8), MappedRows(ab8)
        self.kinds = MappedRows(kinds) if len(kinds) == len(parts) else None
        self._maps = [*L8, *ab8, *kinds]
        if index:
            self.index, self._maps = index[0], [*self._maps, *index[1]]
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

        ``flags`` is words joined by ``;``; ``mean_chroma`` is in CIELAB units. Read at first use.

        Raises:
            FileNotFoundError, ValueError: the file is missing, its rows are not as many as the photographs, or their
                ids are refused by :func:`~colorlib.data.manifest.check_ids`.
        """
        if "shards" in self.info:
            return manifest_of(self.folder, self.info["shards"], self.index)
        manifest = read_manifest(self.folder, len(self))
        check_ids(manifest["id"], self.folder / "manifest.csv")
        return manifest

    @cached_property
    def index(self) -> Index:
        """What a training asks of the manifest, without an object for each photograph."""
        return index_of(manifest_pieces(self.folder, len(self)), self.folder / "manifest.csv")

    @property
    def flags(self) -> dict[str, int]:
        """How many photographs have each flag, by name."""
        if "shards" in self.info:
            return self.info["counts"]["flags"]
        words = Counter(word for flags in self.manifest["flags"] for word in flags.split(";") if word)
        return dict(sorted(words.items()))

    @property
    def classes(self) -> list[str]:
        """The sorted names of the folders right above the photographs, or none where they all lie in one.

        Photographs of one folder whose names begin with WordNet ids, as ImageNet's do, are classed by those instead.
        """
        return self.index.classes

    @property
    def labels(self) -> np.ndarray | None:
        """(N,) int64: the position in `classes` of each photograph's class, or None where there are no classes."""
        return None if self.index.labels is None else self.index.labels.astype(np.int64)

    def ids(self, indices: np.ndarray) -> list[str]:
        """Return the names of photographs from the manifest, by position."""
        return self.index.names(indices)

    def indices(self, split: str, include_flagged: bool = False) -> np.ndarray:
        """Return the sorted positions (int64) of a split's usable photographs.

        Args:
            split: ``"train"``, ``"val"`` or ``"test"``.
            include_flagged: also those flagged grey, near_grey, duplicate or near_duplicate.

        Raises:
            ValueError: unknown split, or nothing is left in it.
        """
        look_up(SPLITS, split, "split")
        splits, flagged = self.index.split, self.index.left_out
        chosen = splits == list(SPLITS).index(split)
        if not include_flagged:
            chosen = chosen & ~flagged
        if not chosen.any():
            counts = ", ".join(f"{(splits == number).sum():,} {name}" for number, name in enumerate(SPLITS))
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
        return np.sort(indices[np.argsort(self.index.draw[indices], kind="stable")[:count]])

    def ab8(self, indices: int | np.ndarray) -> np.ndarray:
        """Return 8-bit ab, (H, W, 2) for one position or (n, H, W, 2) for several, as a copy."""
        return self._ab8[indices]

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
        known, ids = self.index.labels, self.ids(wanted)
        labels = None if known is None else torch.from_numpy(known[wanted].astype(np.int64)).to(device)
        self._release(len(wanted))
        return Batch(ids, L, ab, kinds, labels)

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

    def _release(self, photographs: int) -> None:
        self._touched += photographs * (3 * self.size[0] * self.size[1] + 4 * _FAULT_AROUND)
        if self._touched > _RELEASE_BYTES:
            self._touched = 0
            for mapped in self._maps:
                mapped.release()


def is_store(folder: Path | str) -> bool:
    """Tell whether a folder is a finished store."""
    return (Path(folder) / "dataset.json").is_file()


def open_store(folder: Path | str, allow_missing: bool = False) -> LabArrays:
    """Open a prepared folder; instant at any size, since only headers are read.

    Args:
        folder: of the store.
        allow_missing: where shards are missing or damaged, open the rest; it becomes a set of its own beside
            ``folder``, of a few bytes a photograph and with a fingerprint of its own, that opens like any other.

    Raises:
        FileNotFoundError: the folder, or a file of it, is missing.
        ValueError: a file is damaged, the arrays do not fit one another, or a shard cannot be used.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no folder {folder}; make one with `colorlib prepare PHOTOGRAPHS --out {folder}`."
        )
    info = read_info(folder)
    if "shards" in info:
        return _open_shards(folder, info, allow_missing)
    return LabArrays(folder, info, [map_store(folder)])


def _open_shards(folder: Path, info: dict[str, Any], allow_missing: bool) -> LabArrays:
    parts, missing, reason = [], [], ""
    for shard in info["shards"]:
        try:
            arrays = map_store(folder / shard["folder"])
            if read_info(folder / shard["folder"])["fingerprint"] != shard["fingerprint"]:
                raise ValueError(f"{folder / shard['folder']} is the shard of another data set; put its own back.")
            parts.append(arrays)
        except (FileNotFoundError, ValueError) as error:
            missing.append(shard["folder"])
            reason = reason or str(error).partition(";")[0]
    counts = [shard["photographs"] for shard in info["shards"]]
    index, mapped = open_index(folder, sum(counts))
    if not missing:
        return LabArrays(folder, info, parts, (index, mapped))
    there = np.repeat([shard["folder"] not in missing for shard in info["shards"]], counts)
    if not (allow_missing and parts):
        raise ValueError(
            f"{', '.join(missing[:3])}{' …' * (len(missing) > 3)} of the {len(counts)} shards of {folder} cannot be "
            f"used ({reason}); put {'it' if len(missing) == 1 else 'them'} back, or remove what is left and run the "
            f"same `colorlib prepare` again, or go on with the {there.sum():,} other photographs: in a study's file "
            f"data: {{folder: {folder}, allow_missing: true}}, in Python "
            f"open_dataset({str(folder)!r}, allow_missing=True)."
        )
    return open_store(write_rest(folder, info, missing, index.only(there)))
