"""Notebooks as rows: found, their parameters read, executed, their hidden failures seen."""

import ast
import difflib
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from colorlib.files import NOTEBOOKS, check_name, temporary_folder
from colorlib.processes import environment_for_children
from colorlib.studies.resources import ROW_HOURS


def execute(
    notebook: Path | str, output: Path, parameters: dict[str, Any], hours: float = ROW_HOURS
) -> dict[str, Any] | None:
    """Execute a notebook with papermill and return why it did not run to its end, or None if it did.

    Papermill takes ``sys.exit(0)`` for success and leaves out the cells after it, so every cell is looked at.

    Args:
        hours: after which the notebook is ended.

    Returns:
        None, or ``{"error": one line, "cell": number of the code cell}``.
    """
    # jsonschema, which papermill brings, would first build a grammar of web addresses, which takes 3 seconds.
    sys.modules.setdefault("rfc3987_syntax", ModuleType("rfc3987_syntax"))
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    end = time.monotonic() + 3600 * hours
    with temporary_folder() as private:
        # A kernel has no terminal for progress bars, and needs neither the history nor the profile of a home folder.
        os.environ.update(environment_for_children(TQDM_DISABLE="1", IPYTHONDIR=f"{private}/ipython"))
        # Local sockets need neither ports nor encryption. Their default place is one for all kernels, which then
        # answer one another's messages; and a path of more than 104 bytes is refused.
        local = {"connection_file": f"{private}/kernel.json"}
        local |= {"transport": "ipc", "ip": f"{private}/kernel"} if len(str(private)) < 90 else {}
        try:
            executed = papermill.execute_notebook(
                str(notebook),
                str(output),
                parameters,
                kernel_name="python3",  # whatever name JupyterLab saved in the notebook
                language="python",
                progress_bar=False,
                start_timeout=300,
                timeout_func=lambda cell: max(1, int(end - time.monotonic())),
                config=Config({"KernelManager": local, "AsyncKernelManager": local}),
            )
        except papermill.PapermillExecutionError as error:
            return {"error": _one_line(f"{error.ename}: {error.evalue}"), "cell": error.exec_count}
        except CellTimeoutError:
            why = (
                f"it was ended after {hours:g} hours, the most that a row may take; row_hours in the study's file says."
            )
            return {"error": why, "cell": None}
        except DeadKernelError:
            return {"error": "the notebook's process died, as it does when the memory is used up.", "cell": None}
        except NoSuchKernel:
            return {"error": "Jupyter finds no kernel python3; install ipykernel in this environment.", "cell": None}
        except Exception as error:  # whatever else keeps a notebook from running concerns this row, not the others
            return {"error": _one_line(f"{type(error).__name__}: {error}"), "cell": None}
    return _hidden_failure([cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()])


def _hidden_failure(cells: list[Any]) -> dict[str, Any] | None:
    for number, cell in enumerate(cells, 1):
        for output in cell.outputs:
            if output.output_type == "error":
                error = (
                    f"{output.ename}: {output.evalue} ended the notebook early, in code cell {number} of {len(cells)}."
                )
                return {"error": _one_line(error), "cell": number}
        if cell.execution_count is None:
            return {"error": f"code cell {number} of {len(cells)} was never run.", "cell": number}
    return None


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def find_notebook(study: Path, name: str) -> Path:
    """Return the notebook of that name: in the folder above the study file's, beside the file, or colorlib's own.

    Raises:
        ValueError: it is a path and not a name: a study file that somebody else wrote runs no other notebook.
        FileNotFoundError: there is none; the message holds the nearest names.
    """
    check_name(name, "notebook")
    folders = list(dict.fromkeys((study.absolute().parent.parent, study.absolute().parent, NOTEBOOKS)))
    for folder in folders:
        if (path := folder / f"{name.removesuffix('.ipynb')}.ipynb").is_file():
            return Path(os.path.relpath(path)) if path.is_relative_to(Path.cwd()) else path
    known = {path.stem: path for folder in folders for path in folder.glob("*.ipynb")}
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or sorted(known)
    raise FileNotFoundError(f"{study} names a notebook {name!r} that is not there; did you mean {', '.join(near)}?")


def _code_cells(path: Path) -> list[tuple[str, list[str]]]:
    """Return (source, tags) of each code cell."""
    try:
        return _read_cells(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError):  # no JSON, or not that of a notebook
        raise ValueError(f"{path} is not a readable notebook.") from None


@cache
def _read_cells(text: str) -> list[tuple[str, list[str]]]:
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return [("".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]


def notebook_code(path: Path) -> list[str]:
    """Return the source of each code cell, the one tagged ``parameters`` apart."""
    return [source for source, tags in _code_cells(path) if "parameters" not in tags]


def notebook_python(path: Path) -> str:
    """Return that code as one piece of Python, without lines of magic and without cells in another language.

    Raises:
        ValueError: a cell is not Python.
    """
    kept = []
    for source in notebook_code(path):
        code = source if _parses(source) else re.sub(r"^(\s*)%.*", r"\1pass", source, flags=re.MULTILINE)
        if _parses(code):
            kept.append(code)
        elif not source.startswith("%%"):
            raise ValueError(f"{path} has a cell that is not Python; it begins with {source.partition(chr(10))[0]!r}.")
    return "\n".join(kept)


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def notebook_parameters(path: Path) -> dict[str, Any]:
    """Return name -> default of the cell tagged ``parameters``; defaults are literals.

    Raises:
        ValueError: no such cell, or it holds something other than ``NAME = literal``.
    """
    for source, tags in _code_cells(path):
        if "parameters" in tags:
            try:
                return {target.id: ast.literal_eval(value) for target, value in _assignments(source)}
            except (SyntaxError, ValueError):
                raise ValueError(f"the parameters cell of {path} may hold lines `NAME = literal` only.") from None
    raise ValueError(f"{path} has no cell tagged 'parameters'; a study could not tell it what to run.")


def _assignments(source: str) -> Iterator[tuple[ast.Name, ast.expr]]:
    for line in ast.parse(source).body:
        if not isinstance(line, ast.Assign | ast.AnnAssign):
            raise ValueError(f"line {line.lineno} assigns nothing")
        target = line.target if isinstance(line, ast.AnnAssign) else line.targets[0]
        if not isinstance(target, ast.Name) or line.value is None:
            raise ValueError(f"line {line.lineno} gives no name a value")
        yield target, line.value


def shell_line(path: Path) -> str | None:
    """Return the first line of a notebook that hands work to a shell: papermill does not notice when it fails."""
    for source, _ in _code_cells(path):
        if found := re.search(r"^\s*!.*|.*=\s*!(?!=).*|^\s*%%?(bash|sh|script|system|sx)\b.*", source, re.MULTILINE):
            return found[0].strip()
    return None
