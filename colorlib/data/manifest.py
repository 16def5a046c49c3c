"""What a photograph's content says of it: its id, its split, and whether it is grey or there twice.

The manifest of a store has one row per photograph. A split follows from the photograph alone, so it never changes when
others are added.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from colorlib.color.lab import AB8_OFFSET
from colorlib.data.duplicates import dhash, has_near_duplicate, thumbnails
from colorlib.files import atomic_path, check_name, write_json

if TYPE_CHECKING:
    from colorlib.data.arrays import MappedArray

FORMATS = (1, 2)  # of one folder, and of shards
SPLITS = {"train": 0.8, "val": 0.1, "test": 0.1}
COLUMNS = ["id", "source", "sha256", "width", "height", "mean_chroma", "flags", "split", "dhash"]
LEFT_OUT = ("grey", "near_grey", "duplicate", "near_duplicate")
"""Flags whose photographs are in no split's indices; any other flag only informs."""

GREY_CHROMA = 2.0
"""Mean CIELAB chroma under which a photograph is grey: rounding to 8-bit Lab and JPEG's chroma noise reach 1 to 2."""
NEAR_GREY_CHROMA = 4.0
"""Mean chroma under which a photograph is nearly grey: below the 5 units that Zhang et al. (2016, released code) ask of
some pixel of a photograph before they train on it, and too little for a viewer to call the picture coloured."""

_PIECE = 1 << 13  # rows


def read_manifest(folder: Path, count: int) -> pd.DataFrame:
    """Read ``manifest.csv``, one row per photograph, with `COLUMNS`; see :func:`manifest_pieces`."""
    return pd.concat(list(manifest_pieces(folder, count)), ignore_index=True)


def manifest_pieces(folder: Path, count: int) -> Iterator[pd.DataFrame]:
    """Read ``manifest.csv`` piece by piece, so that never all rows are in memory.

    Raises:
        FileNotFoundError, ValueError: the file is missing, or its rows are not as many as the photographs.
    """
    path = folder / "manifest.csv"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; prepare the photographs again.")
    words = {column: str for column in ("id", "source", "sha256", "flags", "split", "dhash")}
    rows, missing = 0, []
    with pd.read_csv(path, dtype=words, keep_default_na=False, chunksize=_PIECE) as pieces:
        for piece in pieces:
            rows += len(piece)
            missing = [column for column in COLUMNS if column not in piece]
            if not missing:
                yield piece
    if rows != count or missing:
        raise ValueError(
            f"{path} does not fit its arrays ({rows:,} rows for {count:,} photographs, "
            f"columns missing: {missing or 'none'}); prepare the photographs again."
        )


def check_ids(ids: pd.Series, path: Path) -> None:
    """See that ids, which name files of results, may do so and are each one photograph's.

    Raises:
        ValueError: one may not, or stands twice; the message says so of ``path``.
    """
    for identity in ids:
        check_name(identity, f"photograph, the id in {path},")
    if not ids.is_unique:
        twice = ids[ids.duplicated()].iloc[0]
        raise ValueError(f"{path} has two photographs of the id {twice!r}; prepare the photographs again.")


def split_of(hashes: Iterable[int]) -> list[str]:
    """Return the split of each difference hash: the first 32 bits of its SHA-256 against the shares of `SPLITS`.

    The label depends on the photograph's content and on nothing else, so it never changes when others are added, and
    photographs of equal hash (most near-duplicates) share it.

    Example:
        >>> split_of([0, 1])
        ['train', 'val']
    """
    edges = np.cumsum(list(SPLITS.values()))[:-1]
    names = list(SPLITS)
    digests = (hashlib.sha256(int(value).to_bytes(8, "big")).digest() for value in hashes)
    shares = np.array([int.from_bytes(digest[:4], "big") for digest in digests]) / 2**32
    return [names[number] for number in np.searchsorted(edges, shares, side="right").tolist()]


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


def complete_manifest(rows: pd.DataFrame, L8: "MappedArray") -> pd.DataFrame:
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
    split = split_of(hashes)
    chroma = rows["mean_chroma"]
    marks = {
        "grey": chroma < GREY_CHROMA,
        "near_grey": (chroma >= GREY_CHROMA) & (chroma < NEAR_GREY_CHROMA),
        "duplicate": rows["sha256"].duplicated(),
        "near_duplicate": giving_way(hashes, thumbnails(L8), split_numbers(split)),
    }
    marked = zip(*(np.asarray(mark).tolist() for mark in marks.values()), strict=True)
    flags = [
        ";".join([*own, *(name for name, is_so in zip(marks, these, strict=True) if is_so)])
        for own, these in zip(rows["flags"], marked, strict=True)
    ]
    return rows.assign(id=photograph_ids(rows["source"], rows["sha256"]), flags=flags, split=split)[COLUMNS]


def giving_way(hashes: np.ndarray, small: np.ndarray, split: np.ndarray) -> np.ndarray:
    """Tell which photographs have a near-duplicate in a later split, (N,) bool; see `complete_manifest`.

    Args:
        hashes: (N,) uint64, difference hashes.
        small: (N, 256) uint8, thumbnails of 8-bit L.
        split: (N,) positions in ``SPLITS``.
    """
    gives_way = np.zeros(len(hashes), bool)
    for early in range(len(SPLITS) - 1):
        ones, others = np.flatnonzero(split == early), np.flatnonzero(split > early)
        gives_way[ones] = has_near_duplicate(hashes, small, ones, others)
    return gives_way


def split_numbers(splits: Iterable[str]) -> np.ndarray:
    """Return the positions of splits in `SPLITS`, (N,) uint8; 255 for what is none."""
    numbers = {name: number for number, name in enumerate(SPLITS)}
    return np.array([numbers.get(split, 255) for split in splits], np.uint8)


def marks_of(flags: Iterable[str]) -> np.ndarray:
    """Return flags as (N,) uint8: bit k is set where the k-th of `LEFT_OUT` is among them, the next if others are."""
    bits = {word: 1 << bit for bit, word in enumerate(LEFT_OUT)}

    def mark(words: str) -> int:
        return sum({bits.get(word, 1 << len(LEFT_OUT)) for word in words.split(";")}) if words else 0

    return np.array([mark(words) for words in flags], np.uint8)


def flags_of(flags: Iterable[str], marks: np.ndarray) -> list[str]:
    """Return flags of which those of `LEFT_OUT` are what the marks, as of :func:`marks_of`, say instead."""
    return [
        ";".join(
            [word for word in words.split(";") if word and word not in LEFT_OUT]
            + [word for bit, word in enumerate(LEFT_OUT) if mark >> bit & 1]
        )
        for words, mark in zip(flags, marks.tolist(), strict=True)
    ]


def left_out(marks: np.ndarray) -> np.ndarray:
    """Tell of which photographs, by :func:`marks_of` their flags, a study leaves out, (N,) bool."""
    return (marks & ((1 << len(LEFT_OUT)) - 1)) != 0


def photograph_ids(sources: Iterable[str], digests: Iterable[str]) -> list[str]:
    """Return unique ids that are safe as file names: the source's stem and eight digits of the content's SHA-256.

    Example:
        >>> photograph_ids(["cats/My cat.jpg", "My cat.png"], ["ab" * 32, "ab" * 32])
        ['My-cat-abababab', 'My-cat-abababab-2']
    """
    return [name.decode() for name in numbered(photograph_names(sources, digests)).tolist()]


def photograph_names(sources: Iterable[str], digests: Iterable[str]) -> np.ndarray:
    """Return the ids of :func:`photograph_ids` before they are made unique, (N,) ASCII."""
    stems = (re.sub(r"[^A-Za-z0-9_]+", "-", Path(source).stem)[:40].strip("-") or "photo" for source in sources)
    return np.array([f"{stem}-{digest[:8]}".encode() for stem, digest in zip(stems, digests, strict=True)])


def numbered(names: np.ndarray) -> np.ndarray:
    """Return (N,) ASCII names with ``-2``, ``-3`` … behind each that stands further up, in whatever case."""
    lower = np.char.lower(names)
    order = np.argsort(lower, kind="stable")
    place = np.arange(len(names))
    first = np.maximum.accumulate(np.where(np.r_[True, lower[order][1:] != lower[order][:-1]], place, 0))
    again = np.flatnonzero(place != first)
    endings = np.array([f"-{count + 1}".encode() for count in (place - first)[again]], "S")
    longer = names.astype(f"S{names.dtype.itemsize + endings.dtype.itemsize}") if len(again) else names.copy()
    longer[order[again]] = np.char.add(names[order[again]], endings)
    return longer


def summary_of(manifests: Iterable[pd.DataFrame]) -> dict[str, Any]:
    """Return what ``dataset.json`` says of a manifest, which may come in pieces.

    That is the ``fingerprint``, 16 hexadecimal digits of the SHA-256 over every photograph's id, sha256, flags and
    split, and ``counts``: photographs, usable, by split (usable only) and by flag.
    """
    digest, usable, flags = hashlib.sha256(), np.zeros(len(SPLITS), int), Counter[str]()
    photographs = 0
    for manifest in manifests:
        text = manifest[["id", "sha256", "flags", "split"]].to_csv(
            index=False, lineterminator="\n", header=not photographs
        )
        digest.update(text.encode())
        photographs += len(manifest)
        used = ~left_out(marks_of(manifest["flags"]))
        usable += [(used & (manifest["split"] == name)).sum() for name in SPLITS]
        flags.update(word for words in manifest["flags"] for word in words.split(";") if word)
    counts = {
        "photographs": photographs,
        "usable": int(usable.sum()),
        "splits": dict(zip(SPLITS, usable.tolist(), strict=True)),
        "flags": dict(sorted(flags.items())),
    }
    return {"fingerprint": digest.hexdigest()[:16], "counts": counts}


def write_manifest(folder: Path, manifest: pd.DataFrame, info: dict[str, Any]) -> dict[str, Any]:
    """Write ``manifest.csv`` and then, as the mark that all is there, ``dataset.json``; return the latter."""
    found = summary_of([manifest])
    info = {"format": FORMATS[0], **info, **found, "counts": {**found["counts"], **info.get("counts", {})}}
    with atomic_path(folder / "manifest.csv") as temporary:
        manifest.to_csv(temporary, index=False, lineterminator="\n")
    write_json(folder / "dataset.json", info)
    return info


def read_info(folder: Path) -> dict[str, Any]:
    """Read the ``dataset.json`` of a store.

    Raises:
        FileNotFoundError, ValueError: there is none, or it is damaged or of an unknown format.
    """
    path = folder / "dataset.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} is not a prepared data set (no dataset.json); run `colorlib prepare {folder} --out data/NAME` "
            "if it holds photographs."
        )
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        if info["format"] not in FORMATS:
            formats = " and ".join(map(str, FORMATS))
            raise ValueError(f"{path} is of format {info['format']}, this version reads {formats}; prepare it again.")
        info["name"], info["fingerprint"]
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged ({error!r}); prepare the photographs again.") from None
    return info
