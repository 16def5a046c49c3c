"""What a photograph's content says of it: its id, its split, and whether it is grey or there twice.

The manifest of a store has one row per photograph. A split follows from the photograph alone, so it never changes when
others are added.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from colorlib.color.lab import AB8_OFFSET, L8_MAX
from colorlib.files import atomic_path, check_name, write_json

if TYPE_CHECKING:
    from colorlib.data.arrays import MappedArray

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
_CHUNK = 256


def missing_columns(manifest: pd.DataFrame) -> list[str]:
    """Return the columns of a manifest that are not there."""
    return [column for column in COLUMNS if column not in manifest]


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
        ['train', 'val']
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


def thumbnails(L8: "MappedArray") -> np.ndarray:
    """Return the 16×16 area-averaged thumbnails of 8-bit L, (N, 256) uint8, keeping little in memory."""
    small = np.empty((len(L8.values), 256), np.uint8)
    for start in range(0, len(small), _CHUNK):
        sums, pixels = area_sums(L8.values[start : start + _CHUNK], 16, 16)
        small[start : start + _CHUNK] = ((2 * sums + pixels) // (2 * pixels)).reshape(-1, 256)
        L8.release()
    return small


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
