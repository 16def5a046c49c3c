"""What is asked of each photograph in every training, as arrays of a few bytes and not as objects of Python.

A store's index is made from its manifest, at first use. That of a store in shards lies beside them, one file a column,
and is mapped as the photographs are: opening a million reads none of it, and a batch touches its own rows alone::

    index/ids.npy       (N, width) uint8   UTF-8, filled up with zeros
    index/draw.npy      (N, 8) uint8       the first bytes of the SHA-256
    index/split.npy     (N,) uint8         position in SPLITS
    index/marks.npy     (N,) uint8         flags, as colorlib.data.manifest.marks_of them
    index/labels.npy    (N, 4) uint8       int32, little-endian: position in classes.json; where there are classes
    index/classes.json  their names
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from colorlib.data.arrays import MappedArray, map_npy
from colorlib.data.manifest import (
    LEFT_OUT,
    SPLITS,
    check_ids,
    flags_of,
    left_out,
    marks_of,
    read_manifest,
    split_numbers,
)
from colorlib.files import atomic_path, check_name, write_json

_WORDNET_ID = re.compile(r"^(n\d{8})_")  # of a noun

Named = tuple[tuple[list[str], np.ndarray], tuple[list[str], np.ndarray] | None]


@dataclass(frozen=True)
class Index:
    """Columns of N photographs; see the module.

    Attributes:
        ids: (N, width) uint8.
        draw: (N,) big-endian uint64: whoever draws photographs by lot takes the lowest.
        split: (N,) uint8.
        marks: (N,) uint8.
        labels: (N,) int32, or None where there are no classes.
        classes: their names, sorted.
    """

    ids: np.ndarray
    draw: np.ndarray
    split: np.ndarray
    marks: np.ndarray
    labels: np.ndarray | None
    classes: list[str]

    @property
    def left_out(self) -> np.ndarray:
        """(N,) bool: whether a study leaves the photograph out."""
        return left_out(self.marks)

    def names(self, indices: np.ndarray) -> list[str]:
        """Return the ids at some positions.

        Raises:
            ValueError: one may not name a file.
        """
        ids = np.ascontiguousarray(self.ids[indices])
        texts = [text.decode(errors="replace") for text in ids.view(f"S{ids.shape[1]}")[:, 0].tolist()]
        return [check_name(text, "photograph, the id in its data set,") for text in texts]

    def counts(self) -> dict[str, Any]:
        """Return the counts of ``dataset.json``, of the flags those that leave a photograph out."""
        usable = np.bincount(self.split[~self.left_out], minlength=len(SPLITS))
        flagged = {flag: int(np.count_nonzero(self.marks >> bit & 1)) for bit, flag in enumerate(LEFT_OUT)}
        return {
            "photographs": len(self.split),
            "usable": int(usable.sum()),
            "splits": dict(zip(SPLITS, usable.tolist(), strict=True)),
            "flags": {flag: count for flag, count in sorted(flagged.items()) if count},
        }

    def only(self, kept: np.ndarray) -> "Index":
        """Return the index of some photographs, (N,) bool, in memory."""
        labels = None if self.labels is None else self.labels[kept]
        return Index(self.ids[kept], self.draw[kept], self.split[kept], self.marks[kept], labels, self.classes)


def index_of(manifest: Iterable[pd.DataFrame], path: Path) -> Index:
    """Make the index of a manifest, which comes in pieces, in memory.

    Raises:
        ValueError: an id is refused by :func:`~colorlib.data.manifest.check_ids`, or a sha256 is none; the message says
            so of ``path``.
    """
    ids, draw, split, marks, named = [], [], [], [], []
    for rows in manifest:
        check_ids(rows["id"], path)
        ids.append(np.array([identity.encode() for identity in rows["id"]]))
        try:
            draw.append(np.array([int(digest[:16], 16) for digest in rows["sha256"]], ">u8"))
        except ValueError as error:
            raise ValueError(f"{path} has a damaged sha256 ({error}); prepare the photographs again.") from None
        split.append(split_numbers(rows["split"]))
        marks.append(marks_of(rows["flags"]))
        named.append(name_folders(rows["source"]))
    names = np.concatenate(ids)
    in_order = np.sort(names)
    if (twice := np.flatnonzero(in_order[1:] == in_order[:-1])).size:
        raise ValueError(
            f"{path} has two photographs of the id {in_order[twice[0]].decode()!r}; prepare the photographs again."
        )
    classes, labels = label(named)
    rows_of_ids = names.view(np.uint8).reshape(len(names), -1)
    return Index(rows_of_ids, np.concatenate(draw), np.concatenate(split), np.concatenate(marks), labels, classes)


def manifest_of(folder: Path, shards: Sequence[dict[str, Any]], index: Index) -> pd.DataFrame:
    """Read the manifests of shards as one, in which ids and flags are those of the index."""
    read = [read_manifest(folder / shard["folder"], shard["photographs"]) for shard in shards]
    rows = pd.concat(read, ignore_index=True)
    return rows.assign(id=index.names(np.arange(len(rows))), flags=flags_of(rows["flags"], index.marks))


def name_folders(sources: Iterable[str]) -> Named:
    """Return the folder right above each photograph, "" where none is named: sorted names, and (N,) positions in them.

    And in the same form the WordNet ids that the photographs' names begin with, as ImageNet's do; None if one has none.
    """
    folders, ids = [], []
    for path in map(PurePosixPath, sources):
        folders.append(path.parent.name)
        ids.extend(_WORDNET_ID.findall(path.name)[:1])
    return _factorized(folders), _factorized(ids) if len(ids) == len(folders) else None


def _factorized(names: list[str]) -> tuple[list[str], np.ndarray]:
    known = sorted(set(names))
    positions = {name: position for position, name in enumerate(known)}
    return known, np.array([positions[name] for name in names], np.int32)


def label(parts: Sequence[Named]) -> tuple[list[str], np.ndarray | None]:
    """Return the classes of photographs named in parts, and each one's (N,) int32 position in them.

    The classes are the folders. Photographs of one folder whose names begin with WordNet ids are classed by those
    instead; those of one folder without have no classes.
    """
    in_one_folder = len({name for folders, _ in parts for name in folders[0]}) == 1
    wordnet = [ids for _, ids in parts if ids is not None]
    chosen = wordnet if in_one_folder and len(wordnet) == len(parts) else [folders for folders, _ in parts]
    classes = sorted({name for names, _ in chosen for name in names})
    if len(classes) < 2:
        return [], None
    return classes, np.concatenate([np.searchsorted(classes, names).astype(np.int32)[at] for names, at in chosen])


def write_index(folder: Path, index: Index) -> None:
    """Write the columns into a store in shards; see the module."""
    columns = {"ids": index.ids, "draw": _as_rows(index.draw, ">u8"), "split": index.split, "marks": index.marks}
    if index.labels is not None:
        columns["labels"] = _as_rows(index.labels, "<i4")
    for column, values in columns.items():
        with atomic_path(folder / "index" / f"{column}.npy") as temporary, open(temporary, "wb") as file:
            np.save(file, values)
    write_json(folder / "index" / "classes.json", index.classes)


def _as_rows(numbers: np.ndarray, kind: str) -> np.ndarray:
    """Return the bytes of (N,) numbers, (N, bytes of each) uint8."""
    return numbers.astype(kind).view(np.uint8).reshape(len(numbers), -1)


def write_rest(folder: Path, info: dict[str, Any], missing: list[str], index: Index) -> Path:
    """Write beside a set in shards the set of those that are left: their index, and where their pixels lie.

    Args:
        folder: of the set.
        info: its ``dataset.json``.
        missing: folders of the shards that cannot be used.
        index: of the photographs that are left.

    Returns:
        The folder of the new set, which needs no further words to be opened.
    """
    folder = Path(os.path.abspath(folder))
    fingerprint = hashlib.sha256(" ".join([info["fingerprint"], *missing]).encode()).hexdigest()[:16]
    rest = folder.with_name(f"{folder.name}-rest-{fingerprint[:8]}")
    if not (rest / "dataset.json").is_file():
        left = [shard for shard in info["shards"] if shard["folder"] not in missing]
        shards = [{**shard, "folder": os.path.join("..", folder.name, shard["folder"])} for shard in left]
        missing = info.get("missing", []) + missing
        about = {"shards": shards, "missing": missing, "fingerprint": fingerprint, "counts": index.counts()}
        write_index(rest, index)
        write_json(rest / "dataset.json", {**info, **about})
    return rest


def open_index(folder: Path, count: int) -> tuple[Index, list[MappedArray]]:
    """Map the index of a store in shards; also return what is mapped.

    Raises:
        FileNotFoundError: a column is missing.
        ValueError: one is damaged, or is not of ``count`` photographs.
    """
    place = folder / "index"
    try:
        classes = json.loads((place / "classes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{place / 'classes.json'} is damaged or missing ({error}); prepare it again.") from None
    columns = ["ids", "draw", "split", "marks", *(["labels"] if classes else [])]
    mapped = {column: map_npy(place / f"{column}.npy") for column in columns}
    for column, array in mapped.items():
        if len(array.values) != count:
            raise ValueError(
                f"{place / column}.npy has {len(array.values):,} rows for {count:,} photographs; prepare them again."
            )
    values = {column: array.values for column, array in mapped.items()}
    draw = values["draw"].view(">u8")[:, 0]
    labels = values["labels"].view("<i4")[:, 0] if classes else None
    return Index(values["ids"], draw, values["split"], values["marks"], labels, classes), list(mapped.values())
