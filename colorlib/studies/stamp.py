"""The plan of a study: a folder for each row, named after everything that decides its outcome."""

import ast
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorlib.files import LIBRARY
from colorlib.studies.file import GIVEN, Row, Study
from colorlib.studies.notebook import _code_cells, notebook_parameters

if TYPE_CHECKING:
    from colorlib.data.store import LabArrays


FORMAT = 1
NOT_IN_STAMP = (  # changes no row's outcome; what these do to the photographs is in the data's fingerprint
    *("plots", "statistics", "reports", "studies", "cli", "__main__", "processes"),
    *("data/photos", "data/fashion_mnist", "models/__init__", "objectives/__init__"),
)


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
        "command": f"python -m colorlib.studies.engine row {folder} {identity}",
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
    left_out = {file for name in NOT_IN_STAMP for file in LIBRARY.rglob("*.py") if file.is_relative_to(LIBRARY / name)}
    left_out, used = left_out | {LIBRARY / f"{name}.py" for name in NOT_IN_STAMP}, set()
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
