"""Kaggle's "Image Colorization": 25,000 photographs of 224×224, opened where they lie.

The download is ``l/gray_scale.npy`` and ``ab/ab/ab1.npy`` to ``ab3.npy`` in OpenCV's 8-bit Lab, 3.8 GB. Nothing is
written into it: the manifest (hashes, flags, split), which takes a few minutes once, lies in
``data/kaggle-<key>/manifest.csv``.
"""

import hashlib
import re
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from colorlib.bars import progress_bar
from colorlib.data.arrays import Arrays, MappedArray, ab_file_number, check_arrays, map_npy
from colorlib.data.manifest import complete_manifest, describe, read_info, write_manifest
from colorlib.data.store import LabArrays, is_store
from colorlib.files import atomic_path, exclusive, project_folder

HANDLE = "shravankumar9892/image-colorization"
PAGE = f"https://www.kaggle.com/datasets/{HANDLE}"
_L_NAME = "l/gray_scale.npy"
_AB_NAME = re.compile(r"ab/ab/ab\d+\.npy$")
_CHUNK = 256


def open_kaggle(path: Path | str | None = None, fetch: bool = False, cache: Path | str | None = None) -> LabArrays:
    """Open the Kaggle set, or any folder or zip of its layout, in place.

    The first opening describes every photograph, with a progress bar; later ones are instant. Arrays that a zip
    holds uncompressed are mapped where they lie. Kaggle's own zip is compressed, and compressed bytes cannot be mapped:
    its arrays are unpacked once into ``cache``.

    Args:
        path: the folder that holds ``l`` and ``ab``, the one above it, or the zip; by default ``<cache>/kaggle``.
        fetch: where there is nothing at ``path``, or no path is given, download with kagglehub (3.8 GB).
        cache: folder for the manifest and for unpacked arrays; by default the project's ``data``.

    Raises:
        FileNotFoundError: not there, or it could not be fetched; the sentence says how to get it by hand.
        ValueError: arrays of the wrong shape, type or length, a truncated file, a damaged zip.
        OSError: the disk is full.
    """
    cache = Path(cache or project_folder() / "data")
    wanted = Path(path) if path is not None else cache / "kaggle"
    if not wanted.exists():
        if not fetch:
            raise FileNotFoundError(
                f"the Kaggle set is not at {wanted}; download it from {PAGE} and give its folder or zip "
                "(--data, DATA), or write `data: {{name: kaggle, fetch: true}}` in the study to have kagglehub do it."
            )
        wanted = _fetch()
    root = find_kaggle(wanted)
    if root is None:
        raise FileNotFoundError(
            f"{wanted} holds no {_L_NAME} with ab/ab/ab1.npy beside; give the folder or zip as downloaded from {PAGE}."
        )
    L8, ab8, key = _map_zip(root, cache) if root.is_file() else _map_folder(root)
    check_arrays(root, L8, ab8)
    folder = cache / f"kaggle-{key}"
    if not is_store(folder):
        with exclusive(folder, "data set", patience=1800):  # rows of a study open it at the same moment
            if not is_store(folder):
                survey(folder, root, L8, ab8)
    return LabArrays(folder, read_info(folder), [Arrays(L8, ab8)], source=root)


def find_kaggle(path: Path | str) -> Path | None:
    """Return the folder, or zip, of the Kaggle layout at ``path`` or one level below it; None where there is none."""
    path = Path(path)
    if path.is_file():
        return path if path.suffix.lower() == ".zip" and _members(path) else None
    folders = [path, *sorted(p for p in path.glob("*") if p.is_dir())] if path.is_dir() else []
    found = [folder for folder in folders if (folder / _L_NAME).is_file()]
    zips = [z for z in sorted(path.glob("*.zip")) if _members(z)] if not found and path.is_dir() else []
    return next(iter(found + zips), None)


def survey(folder: Path, root: Path, L8: MappedArray, ab8: Sequence[MappedArray]) -> None:
    """Describe every photograph once, and write the manifest into ``folder``."""
    height, width = L8.values.shape[1:]
    described, start = [], 0
    with progress_bar(total=len(L8.values), desc=f"describing {root.name}", unit="photo") as progress:
        for part in ab8:
            for row in range(0, len(part.values), _CHUNK):
                ab = part.values[row : row + _CHUNK]
                described.append(describe(L8.values[start : start + len(ab)], ab))
                start += len(ab)
                progress.update(len(ab))
                part.release()
                L8.release()
    rows = pd.concat(described, ignore_index=True)
    rows["source"] = [f"{i:05d}" for i in range(len(rows))]
    rows["width"], rows["height"], rows["flags"] = width, height, [()] * len(rows)
    info = {"name": "kaggle", "size": [height, width], "source": root.resolve().name}
    write_manifest(folder, complete_manifest(rows, L8), info)


def _map_folder(root: Path) -> tuple[MappedArray, list[MappedArray], str]:
    parts = sorted((root / "ab" / "ab").glob("ab*.npy"), key=ab_file_number)
    if not parts:
        raise FileNotFoundError(f"{root} has no ab/ab/ab1.npy; download the whole set from {PAGE}.")
    files = [root / _L_NAME, *parts]
    arrays = [map_npy(file) for file in files]
    stamps = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return arrays[0], arrays[1:], _key(arrays, stamps)


def _map_zip(path: Path, cache: Path) -> tuple[MappedArray, list[MappedArray], str]:
    members = _members(path)
    if len(members) < 2:
        raise FileNotFoundError(f"{path} has no ab/ab/ab1.npy; download the whole set from {PAGE}.")
    if all(member.compress_type == zipfile.ZIP_STORED for member in members):
        arrays = [map_npy(path, _data_offset(path, member), member.file_size) for member in members]
    else:
        key = hashlib.sha256(repr([(m.CRC, m.file_size) for m in members]).encode()).hexdigest()[:12]
        arrays = [map_npy(file) for file in _unpack(path, members, cache / f"kaggle-unpacked-{key}")]
    return arrays[0], arrays[1:], _key(arrays, [(m.file_size, m.CRC) for m in members])


def _members(path: Path) -> list[zipfile.ZipInfo]:
    """Return the zip's L member and then its ab members in order; empty where it is not of this layout."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.filename.startswith("__MACOSX")]
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no readable zip ({error}); download it again.") from None
    lightness = [m for m in members if f"/{m.filename}".endswith(f"/{_L_NAME}")]
    color = sorted((m for m in members if _AB_NAME.search(m.filename)), key=lambda m: ab_file_number(m.filename))
    return [lightness[0], *color] if lightness else []


def _data_offset(path: Path, member: zipfile.ZipInfo) -> int:
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        header = file.read(30)  # the local header's name and extra field may differ in length from the directory's
    return member.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")


def _unpack(path: Path, members: Sequence[zipfile.ZipInfo], folder: Path) -> list[Path]:
    """Unpack the arrays beside one another, each file whole or not at all; those already there are left."""
    files = [folder / _L_NAME, *(folder / "ab" / "ab" / Path(m.filename).name for m in members[1:])]
    with exclusive(folder, "data set", patience=1800):
        missing = [(m, f) for m, f in zip(members, files, strict=True) if not f.exists()]
        wanted, free = sum(m.file_size for m, _ in missing), shutil.disk_usage(folder).free
        if wanted > free:
            raise OSError(
                f"unpacking {path} needs {wanted / 1e6:,.0f} MB in {folder} and {free / 1e6:,.0f} MB are free."
            )
        progress = progress_bar(
            total=wanted,
            desc=f"unpacking {path.name} once (compressed arrays cannot be mapped)",
            unit="B",
            unit_scale=True,
            disable=not missing,
        )
        with progress, zipfile.ZipFile(path) as archive:
            for member, file in missing:
                try:
                    with atomic_path(file) as temporary, archive.open(member) as packed, open(temporary, "wb") as out:
                        while block := packed.read(1 << 22):
                            out.write(block)
                            progress.update(len(block))
                except (zipfile.BadZipFile, EOFError, zlib.error) as error:
                    raise ValueError(f"{path} is damaged ({error}); download it again.") from None
    return files


def _key(arrays: Sequence[MappedArray], stamps: Sequence[tuple[int, int]]) -> str:
    """Return 12 digits by which an opened set is known again, without reading it whole."""
    first_and_last = [np.ascontiguousarray(a.values[[0, -1]]).tobytes() for a in arrays if len(a.values)]
    return hashlib.sha256(repr(stamps).encode() + b"".join(first_and_last)).hexdigest()[:12]


def _fetch() -> Path:
    by_hand = f"download it by hand from {PAGE} and give its folder or zip as path"
    try:
        import kagglehub
    except ImportError:
        raise FileNotFoundError(
            f"fetching the Kaggle set needs kagglehub (pip install kagglehub); or {by_hand}."
        ) from None
    try:
        return Path(kagglehub.dataset_download(HANDLE))
    except Exception as error:  # kagglehub passes on whatever its network layers raise
        reason = " ".join(str(error).split())[:200]
        raise FileNotFoundError(f"the Kaggle set could not be fetched ({reason}); {by_hand}.") from None
