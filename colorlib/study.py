"""A study: a readable YAML file of rows, checked word by word, and planned as one folder for each row.

A row is a notebook with parameters. Its folder is named after everything that decides its outcome (the notebook's
code, the parameters, the library, the photographs), so an unchanged row is found finished, a changed one gets a
new folder, and nothing is ever overwritten. :mod:`colorlib.engine` carries the plan out.
"""

import ast
import contextlib
import difflib
import hashlib
import itertools
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import yaml

from colorlib.files import read_versioned
from colorlib.registry import look_up

if TYPE_CHECKING:
    from colorlib.data.store import LabArrays

FORMAT = 1
LIBRARY = Path(__file__).parent
PICTURES = {"bundled": "the photographs that ship inside scikit-image", "test": "photographs of the study's test split"}
PREPARED_SIZE = 64  # pixels: plain photographs that a study is pointed at, so that a processor can train on them
GIVEN = ("DATA", "RUN")  # parameters that the study itself sets in every row
NOT_IN_STAMP = (  # changes no row's outcome; what these do to the photographs is in the data's fingerprint
    *("plots", "statistics", "comparison", "findings", "report", "study", "engine", "cli", "__main__", "processes"),
    *("data/photos", "data/fashion_mnist", "models/__init__", "objectives/__init__"),
)
_KEYS = {
    "title": str,
    "question": str,
    "data": dict,
    "pictures": list,
    "margin": dict,
    "defaults": dict,
    "rows": list,
}


@dataclass(frozen=True)
class Row:
    """One notebook with its parameters.

    Attributes:
        notebook: path of the notebook.
        parameters: what the study file says, DATA and RUN apart.
        own: the names among them that the row, not the study's defaults, gives.
    """

    notebook: Path
    parameters: dict[str, Any]
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """A study file, read and checked.

    Attributes:
        data: ``{"name": …, options}`` or ``{"folder": …}``.
        pictures: what the report may show, of ``PICTURES``.
        margin: metric name -> the largest difference that does not matter.
        rows: lists spread out, one row for each value.
    """

    path: Path
    title: str
    question: str
    data: dict[str, Any]
    pictures: list[str]
    margin: dict[str, float]
    rows: list[Row]

    @property
    def name(self) -> str:
        return self.path.stem


# ------------------------------------------------------------------------------------------------ the study file


def load_study(path: Path | str) -> Study:
    """Read a study file and check every word of it against the notebooks and the registries.

    Raises:
        FileNotFoundError: no such file, or a row's notebook does not exist.
        ValueError, TypeError: anything misspelt, of the wrong type or missing; the message says where.
    """
    path = Path(path)
    content = _read_yaml(path)
    for key, value in content.items():
        kind = look_up(_KEYS, key, f"key in {path}")
        if not isinstance(value, kind):
            raise TypeError(f"{path}: {key} must be {_KIND_NAMES[kind]}, not {value!r}.")
    for key in ("title", "data", "rows"):
        if not content.get(key):
            raise ValueError(f"{path} has no {key}.")
    pictures = content.get("pictures", ["bundled", "test"])
    for name in pictures:
        look_up(PICTURES, name, "kind of pictures")
    defaults = content.get("defaults", {})
    rows = [row for number, entry in enumerate(content["rows"], 1) for row in _read_row(path, number, entry, defaults)]
    known = set().union(*(notebook_parameters(row.notebook) for row in rows))
    for name in defaults:
        look_up(dict.fromkeys(known), name, f"parameter under defaults in {path}")
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if (same := seen.setdefault(f"{row.notebook} {row.parameters}", number)) != number:
            raise ValueError(f"{path}: runs {same} and {number} are the same ({row.notebook.stem}, {row.parameters}).")
    margin = {name: _margin(path, name, value) for name, value in content.get("margin", {}).items()}
    return Study(path, content["title"], content.get("question", ""), content["data"], pictures, margin, rows)


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        near = [file.name for file in sorted(path.parent.glob("*.yml"))]
        raise FileNotFoundError(f"there is no study file {path}; beside it: {', '.join(near) or 'nothing'}.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a study: it must hold title, data and rows.")
    return content


def _margin(path: Path, name: str, value: object) -> float:
    from colorlib.metrics import METRICS

    look_up(METRICS, name, "metric")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise TypeError(f"{path}: margin.{name} must be a number of 0 or more, not {value!r}.")
    return float(value)


def _read_row(path: Path, number: int, entry: object, defaults: dict[str, Any]) -> Iterator[Row]:
    where = f"row {number} of {path}"
    if not isinstance(entry, dict) or not isinstance(entry.get("notebook"), str):
        raise ValueError(f"{where} names no notebook; write for example {{notebook: 12_unet, OBJECTIVE: l1}}.")
    notebook = find_notebook(path, entry["notebook"])
    known = notebook_parameters(notebook)
    if shell := shell_line(notebook):
        raise ValueError(
            f"{notebook} runs the shell line {shell!r}, whose failure would go unseen; write it in Python."
        )
    if "RUN" not in known:
        raise ValueError(f"{notebook} has no parameter RUN, the folder to write its results to; it cannot be a row.")
    own = {name: value for name, value in entry.items() if name != "notebook"}
    for name in own:
        look_up({key: None for key in known if key not in GIVEN}, name, f"parameter in {where} ({notebook.name})")
    given = {name: value for name, value in defaults.items() if name in known} | own
    choices = {}
    for name, value in given.items():
        spread = isinstance(value, list) and not isinstance(known[name], list)
        if spread and not value:
            raise ValueError(f"{where}: {name} is an empty list.")
        values = value if spread else [value]
        choices[name] = [check_parameter(name, one, known[name], where) for one in values]
    named = tuple(name for name, values in choices.items() if name in own or len(values) > 1)
    for combination in itertools.product(*choices.values()):
        yield Row(notebook, dict(zip(choices, combination, strict=True)), named)


def find_notebook(study: Path, name: str) -> Path:
    """Return the notebook of that name in the folder above the study file's, or beside the file."""
    folders = list(dict.fromkeys((study.absolute().parent.parent, study.absolute().parent)))
    for folder in folders:
        if (path := folder / f"{name.removesuffix('.ipynb')}.ipynb").is_file():
            return Path(os.path.relpath(path)) if path.is_relative_to(Path.cwd()) else path
    known = {path.stem: path for folder in folders for path in folder.glob("*.ipynb")}
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or sorted(known)
    raise FileNotFoundError(f"{study} names a notebook {name!r} that is not there; did you mean {', '.join(near)}?")


# ---------------------------------------------------------------------------------------------------- notebooks


@cache
def _code_cells(path: Path) -> list[tuple[str, list[str]]]:
    """Return (source, tags) of each code cell."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # nbformat raises errors of several kinds of its own
        raise ValueError(f"{path} is not a readable notebook.") from None
    return [(cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells if cell.cell_type == "code"]


def notebook_parameters(path: Path) -> dict[str, Any]:
    """Return name -> default of the cell tagged ``parameters``; defaults are literals.

    Raises:
        ValueError: no such cell, or it holds something other than ``NAME = literal``.
    """
    for source, tags in _code_cells(path):
        if "parameters" in tags:
            try:
                return {target.id: ast.literal_eval(value) for target, value in _assignments(source)}
            except (SyntaxError, ValueError, AttributeError):
                raise ValueError(f"the parameters cell of {path} may hold lines `NAME = literal` only.") from None
    raise ValueError(f"{path} has no cell tagged 'parameters'; a study could not tell it what to run.")


def _assignments(source: str) -> Iterator[tuple[ast.Name, ast.expr]]:
    for line in ast.parse(source).body:
        yield (line.target if isinstance(line, ast.AnnAssign) else line.targets[0]), line.value


def shell_line(path: Path) -> str | None:
    """Return the first line of a notebook that hands work to a shell: papermill does not notice when it fails."""
    for source, _ in _code_cells(path):
        if found := re.search(r"^\s*!.*|.*=\s*!(?!=).*|^\s*%%?(bash|sh|script|system|sx)\b.*", source, re.MULTILINE):
            return found[0].strip()
    return None


_KIND_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table of names and values",
}


def check_parameter(name: str, value: object, default: object, where: str) -> Any:
    """Return ``value`` as the notebook's parameter takes it.

    Args:
        name: of the parameter; MODEL, OBJECTIVE and BASELINE (plural too) are looked up in their registries.
        default: the notebook's own; its type is what ``value`` must have. None accepts any.
        where: begins the message.

    Raises:
        TypeError: of another type, such as YAML's ``1e-4``, which is text.
        ValueError: an unknown model, objective or baseline.
    """
    if isinstance(default, list):
        if not isinstance(value, list):
            raise TypeError(f"{where}: {name} must be a list like {default!r}, not {value!r}.")
        return [check_parameter(name, one, default[0] if default else None, where) for one in value]
    if isinstance(value, str) and not isinstance(default, str) and (number := _number_in(value)) is not None:
        # YAML 1.1 takes a number with an exponent for text unless it has both a point and a sign
        raise TypeError(f"{where}: {name}: {value} is text to YAML, not a number; write {yaml.safe_dump(number)[:-5]}.")
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    objective = name == "OBJECTIVE" and isinstance(value, dict | str)  # a sum or a name, whatever the default is
    if default is not None and type(value) is not type(default) and not objective:
        raise TypeError(f"{where}: {name} must be {_KIND_NAMES[type(default)]} like {default!r}, not {value!r}.")
    if objective or (name == "OBJECTIVES" and isinstance(value, str)):
        from colorlib.objectives import terms_of

        terms_of(value)
    elif isinstance(value, str) and name.removesuffix("S") in ("MODEL", "BASELINE"):
        look_up(_registry(name.removesuffix("S")), value, name.removesuffix("S").lower())
    return value


def _number_in(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _registry(name: str) -> Mapping[str, Any]:
    if name == "MODEL":
        from colorlib.models import MODELS

        return MODELS
    from colorlib.baselines import BASELINES

    return BASELINES


# -------------------------------------------------------------------------------------------------------- plan


def plan(study: Study, data: "LabArrays", folder: Path) -> list[dict[str, Any]]:
    """Return what is to be run, one dictionary for each row, in the order of the study file.

    Each holds ``id``, ``notebook``, ``parameters`` (DATA and RUN included), ``folder`` and ``command``. The id ends
    in a stamp of 8 hexadecimal digits over the notebook's code, the parameters, the library and the photographs.

    Args:
        folder: of the study; a row's folder lies in it.
    """
    return [_planned(row, data, folder) for row in study.rows]


def _planned(row: Row, data: "LabArrays", folder: Path) -> dict[str, Any]:
    cells = _code_cells(row.notebook)
    known = notebook_parameters(row.notebook)
    effective = {name: value for name, value in (known | row.parameters).items() if name not in GIVEN}
    words = set(re.findall(r"[\"'](\w+)[\"']", "\n".join(s for s, tags in cells if "parameters" not in tags)))
    words |= set(re.findall(r"\w+", json.dumps(effective)))
    code = [source for source, tags in cells if "parameters" not in tags]
    stamp = _digest([FORMAT, code, sorted(effective.items()), data.fingerprint, library_digest(frozenset(words))])[:8]
    name = "-".join([row.notebook.stem, *(_readable(key, row.parameters[key]) for key in row.own)])[:80]
    identity = f"{name}-{stamp}"
    given = {"DATA": str(data.source), "RUN": str(folder / identity / "run")}  # its own lock, beside the row's
    return {
        "id": identity,
        "notebook": str(row.notebook),
        "parameters": {name: value for name, value in given.items() if name in known} | row.parameters,
        "folder": str(folder / identity),
        "command": f"python -m colorlib.engine row {folder} {identity}",
    }


def _readable(name: str, value: object) -> str:
    text = f"s{value}" if name == "SEED" else f"{value}" if isinstance(value, str) else f"{name.lower()}{value}"
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("_")


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


@cache
def library_digest(words: frozenset[str]) -> str:
    """Return a digest of the library code that decides a row's outcome; comments and docstrings do not count.

    Args:
        words: names that the row mentions. The modules of models and objectives that are not among them, and the
            dictionaries that list all of them, are left out, so adding a model never re-runs the other rows.
    """
    from colorlib.models import MODELS
    from colorlib.objectives import OBJECTIVES, SUMS

    sums = {word: SUMS[word] for word in sorted(words) if word in SUMS}
    words = words.union(*sums.values())
    left_out, used = {LIBRARY / f"{name}.py" for name in NOT_IN_STAMP}, set()
    for room, registry in (("models", MODELS), ("objectives", OBJECTIVES)):
        for name, value in registry.items():
            home = LIBRARY / room / f"{_home(value).rpartition('.')[2]}.py"
            (used if name in words else left_out).add(home)
    files = [file for file in sorted(LIBRARY.rglob("*.py")) if file in used or file not in left_out]
    return _digest([sums, [[str(file.relative_to(LIBRARY)), _meaning(file)] for file in files]])


def _home(value: Any) -> str:
    return getattr(value, "func", value).__module__  # a partial's own module is functools


@cache
def _meaning(path: Path) -> str:
    """Return a module's syntax tree as text, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if hasattr(node, "body") and isinstance(node.body, list):
            strings = [n for n in node.body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
            node.body = [n for n in node.body if n not in strings]
    return ast.dump(tree)


# ------------------------------------------------------------------------------------------------------ prepare


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
        ValueError, TypeError, OSError: see :func:`load_study` and :func:`open_study_data`; or the folder was
            written by another version.
    """
    study = load_study(path)
    for kind in pictures or []:
        look_up(PICTURES, kind, "kind of pictures")
    folder = Path(runs) / (name or (study.name if data is None else f"{study.name}-{_stem(data)}"))
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
    return Path(source).resolve().name.split(".")[0]


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
    manifest = data.manifest
    flags = Counter(word for words in manifest["flags"] for word in words.split(";") if word)
    return {
        "name": data.name,
        "folder": str(data.source),
        "fingerprint": data.fingerprint,
        "size": list(data.size),
        "photographs": len(data),
        "splits": {split: len(data.indices(split)) for split in ("train", "val", "test")},
        "flags": dict(sorted(flags.items())),
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


def machine() -> dict[str, Any]:
    """Return what the study runs on: system, processor, cores, memory in GiB and GPU, or None."""
    import psutil
    import torch

    return {
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "processor": _processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _processor_name() -> str:
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        return found[1] if found else platform.machine()
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor()
