"""The plan of a study: a folder for each row, named after everything that decides its outcome."""

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorlib import imports
from colorlib.studies.file import Row, Study
from colorlib.studies.notebook import notebook_code, notebook_parameters, notebook_python

if TYPE_CHECKING:
    from colorlib.data.store import LabArrays


FORMAT = 1


def plan(study: Study, data: "LabArrays", folder: Path) -> list[dict[str, Any]]:
    """Return what is to be run, one dictionary for each row, in the order of the study file.

    Each holds ``id``, ``notebook``, ``parameters`` (DATA and RUN included), ``resources``, ``folder``, ``command`` and,
    where the file gives one, ``alias``. The id ends in a stamp of 8 hexadecimal digits over the notebook's code, the
    parameters, the photographs, and what of the library the code rests on by its imports (:mod:`colorlib.imports`).

    Args:
        folder: of the study; a row's folder lies in it.
    """
    return [_planned(row, data, folder) for row in study.rows]


def _planned(row: Row, data: "LabArrays", folder: Path) -> dict[str, Any]:
    known, effective = notebook_parameters(row.notebook), row.effective
    library = imports.digest(notebook_python(row.notebook), re.findall(r"\w+", json.dumps(effective)))
    decisive = [FORMAT, notebook_code(row.notebook), sorted(effective.items()), data.fingerprint, library]
    stamp = hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode()).hexdigest()[:8]
    name = "-".join([row.notebook.stem, *(_readable(key, row.parameters[key]) for key in row.own)])[:80]
    identity = f"{name}-{stamp}"
    given = {"DATA": str(data.source), "RUN": str(folder / identity / "run")}  # its own lock, beside the row's
    return {
        "id": identity,
        "notebook": str(row.notebook),
        "parameters": {name: value for name, value in given.items() if name in known} | row.parameters,
        "resources": row.resources,
        "folder": str(folder / identity),
        "command": f"python -m colorlib.studies row {folder} {identity}",
    } | ({"alias": row.alias} if row.alias else {})


def _readable(name: str, value: object) -> str:
    text = f"s{value}" if name == "SEED" else f"{value}" if isinstance(value, str) else f"{name.lower()}{value}"
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("_")
