"""A study: a readable YAML file of rows, checked word by word, and planned as one folder for each row.

A row is a notebook with parameters. Its folder is named after everything that decides its outcome (the notebook's
code, the parameters, the library, the photographs), so an unchanged row is found finished, a changed one gets a
new folder, and nothing is ever overwritten. :mod:`colorlib.studies.engine` carries the plan out.
"""

import contextlib
import os
import platform
import shlex
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorlib.files import LIBRARY, check_name, name_from, read_versioned
from colorlib.registry import look_up
from colorlib.studies.file import PICTURES, load_study
from colorlib.studies.stamp import FORMAT, plan

if TYPE_CHECKING:
    from colorlib.data.store import LabArrays

PREPARED_SIZE = 64  # pixels: plain photographs that a study is pointed at, so that a processor can train on them


def prepare_study(
    path: Path | str,
    data: str | None = None,
    name: str | None = None,
    pictures: list[str] | None = None,
    runs: Path | str = "runs",
) -> tuple[Path, dict[str, Any]]:
    """Check a study, make its data ready and return its folder and its plan, what ``study.json`` there is to hold.

    Args:
        path: the study file.
        data: in place of the study's own: a prepared folder, the name of a data set, the Kaggle set's folder or
            zip, or a folder or archive of photographs, which is prepared first.
        name: of the study's folder below ``runs``; by default the file's name, with that of ``data`` if given.
        pictures: in place of the study's own.

    Raises:
        ValueError, TypeError, OSError: see :func:`load_study` and :func:`open_study_data`; or the name may not be
            that of a folder, or the folder was written by another version.
    """
    from colorlib.machine import machine  # torch takes seconds, and a row's own process has no use for it

    study = load_study(path)
    for kind in pictures or []:
        look_up(PICTURES, kind, "kind of pictures")
    own = name_from(study.name if data is None else f"{study.name}-{_stem(data)}")
    folder = Path(runs) / (check_name(name, "study") if name else own)
    before = read_study(folder) if (folder / "study.json").exists() else {}
    arrays = open_study_data(study.data if data is None else data)
    return folder, {
        "format": FORMAT,
        "name": folder.name,
        "file": str(study.path),
        "command": shlex.join(
            ["colorlib", "study", str(study.path), *_options(data=data, name=name, pictures=pictures)]
        ),
        "title": study.title,
        "question": study.question,
        "data": describe_data(arrays),
        "pictures": pictures or study.pictures,
        "margin": study.margin,
        "versions": versions(),
        "machine": machine(),
        "started": before.get("started", time.time()),
        "wall_seconds": before.get("wall_seconds", 0.0),
        "rows": plan(study, arrays, folder),
    }


def _options(**given: Any) -> Iterator[str]:
    for name, value in given.items():
        if value:
            yield from (f"--{name}", ",".join(value) if isinstance(value, list) else str(value))


def _stem(source: str) -> str:
    return name_from(Path(source).resolve().name.split(".")[0])


def read_study(folder: Path | str) -> dict[str, Any]:
    """Read a study's ``study.json``.

    Raises:
        FileNotFoundError: not a study's folder.
        ValueError: written by another version, or damaged.
    """
    path = Path(folder) / "study.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} is not the folder of a study (it has no study.json); run `colorlib study` first."
        )
    return read_versioned(path, FORMAT)


def open_study_data(data: dict[str, Any] | str) -> "LabArrays":
    """Open the photographs of a study, rendering, fetching or preparing them where they are not there yet.

    Args:
        data: ``{"name": …, options}`` or ``{"folder": …}`` as in a study file, or one word as on the command line.

    Raises:
        ValueError, OSError: what :func:`colorlib.data.open_dataset` raises, and what preparing photographs raises.
    """
    from colorlib.data import open_dataset
    from colorlib.data.photos import prepare_photographs

    options = dict(data) if isinstance(data, dict) else {"name": data}
    if not ("folder" in options) ^ ("name" in options):
        raise ValueError("data must hold a name or a folder, for example {name: scenes, count: 2400, size: 64}.")
    source = options.pop("folder", None) or options.pop("name")
    source = os.path.expanduser(source)  # a shell leaves the ~ of DATA=~/Pictures as it is
    if not _holds_pictures(Path(source)):
        return open_dataset(source, **options)
    out = Path("data") / f"{_stem(source)}-{PREPARED_SIZE}"
    print(
        f"{source} holds plain photographs; they are prepared at {PREPARED_SIZE}×{PREPARED_SIZE} in {out}. For "
        f"another size: colorlib prepare {source} --size 224 --out data/NAME",
        file=sys.stderr,
    )
    return prepare_photographs(source, out, PREPARED_SIZE)


def _holds_pictures(source: Path) -> bool:
    """Tell whether a folder or archive is neither a store nor the Kaggle set, so photographs if anything."""
    if source.is_dir():
        marks = ("dataset.json", "gray_scale.npy", "l/gray_scale.npy", "*/gray_scale.npy", "*/l/gray_scale.npy")
        return not any(True for mark in marks for _ in source.glob(mark))
    if zipfile.is_zipfile(source):
        return not any(name.endswith("gray_scale.npy") for name in zipfile.ZipFile(source).namelist())
    return source.is_file()


def describe_data(data: "LabArrays") -> dict[str, Any]:
    """Return what a report says of the photographs: name, folder, fingerprint, size, counts by split and by flag."""
    return {
        "name": data.name,
        "folder": str(data.source),
        "fingerprint": data.fingerprint,
        "size": list(data.size),
        "photographs": len(data),
        "splits": {split: len(data.indices(split)) for split in ("train", "val", "test")},
        "flags": data.flags,
        "info": data.info,
    }


def versions() -> dict[str, str]:
    """Return the versions of what decides a result, and the commit of the checkout (``+`` where it has changes)."""
    found = {"python": platform.python_version()}
    for package in ("colorlib", "torch", "numpy", "pandas", "pillow", "scikit-image", "snakemake", "papermill"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    git = ["git", "-C", str(LIBRARY), "describe", "--always", "--dirty=+", "--exclude=*"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        found["commit"] = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    return found
