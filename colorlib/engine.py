"""Running a study: one idempotent command for a row, Snakemake over the rows, a live display, then the report.

``python -m colorlib.engine row STUDY_FOLDER ROW`` is all that Snakemake knows of a row, on this machine or on a
cluster. Every process ends with the one that started it, so a study that is killed leaves nothing running.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import nbformat
import psutil

from colorlib.files import exclusive, write_json
from colorlib.processes import environment_for_children, follow_parent
from colorlib.study import LIBRARY, find_notebook, prepare_study, read_study

SNAKEFILE = LIBRARY.parent / "notebooks" / "Snakefile"
COMPARE = "80_compare"
LOOK_EVERY = 0.5  # seconds between looks at the rows
TRAINING_SHARE = 0.9  # of a row's time, roughly; the rest is judging
SAY_EVERY = 15.0  # seconds between lines where there is no terminal
_SNAKEMAKE = (
    "import os; from colorlib.processes import environment_for_children, follow_parent; follow_parent(); "
    "os.environ.update(environment_for_children()); from snakemake.cli import main; main()"
)


# --------------------------------------------------------------------------------------------------------- row


def run_row(folder: Path | str, identity: str) -> bool:
    """Execute a row's notebook and prove that it ran to its end; return whether it did.

    The executed notebook is ``notebook.ipynb`` in the row's folder. ``done.json`` (seconds) is the mark of a
    finished row, ``failed.json`` (error, cell) that of a failed one. A finished row is not run again.

    Raises:
        ValueError: the study has no such row.
        BlockingIOError: another process is running the row.
    """
    rows = {row["id"]: row for row in read_study(folder)["rows"]}
    if identity not in rows:
        raise ValueError(f"the study {folder} has no row {identity!r}; study.json in it names its {len(rows)} rows.")
    row = rows[identity]
    place = Path(row["folder"])
    with exclusive(place, "row"):
        if (place / "done.json").exists():
            return True
        (place / "failed.json").unlink(missing_ok=True)
        begun, before = time.time(), _seconds_before(place)
        write_json(place / "attempt.json", {"pid": os.getpid(), "begun": begun, "seconds_before": before})
        failure = execute(row["notebook"], place / "notebook.ipynb", row["parameters"])
        if failure is None and not any(place.rglob("per_image.csv")):
            failure = {"error": "the notebook ran to its end but left no per_image.csv in RUN.", "cell": None}
        seconds = before + time.time() - begun
        write_json(place / ("failed.json" if failure else "done.json"), {"seconds": seconds, **(failure or {})})
    return failure is None


def _seconds_before(place: Path) -> float:
    """Return the seconds that earlier, interrupted attempts at a row took, by the last file that each wrote."""
    try:
        attempt = json.loads((place / "attempt.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0.0
    last = max(path.stat().st_mtime for path in place.rglob("*"))
    return attempt["seconds_before"] + max(0.0, last - attempt["begun"])


def execute(notebook: Path | str, output: Path, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """Execute a notebook with papermill and return why it did not run to its end, or None if it did.

    Papermill takes ``sys.exit(0)`` for success and leaves out the cells after it, so every cell is looked at.

    Returns:
        None, or ``{"error": one line, "cell": number of the code cell}``.
    """
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError
    from traitlets.config import Config

    os.environ.update(environment_for_children())
    with tempfile.TemporaryDirectory(prefix="colorlib-") as private:
        # Local sockets need neither ports nor encryption. Their default place is one for all kernels, which then
        # answer one another's messages; and a path of more than 104 bytes is refused.
        local = {"transport": "ipc", "ip": f"{private}/kernel"} if len(private) < 90 else {}
        try:
            papermill.execute_notebook(
                str(notebook),
                str(output),
                parameters,
                kernel_name="python3",  # whatever name JupyterLab saved in the notebook
                language="python",
                progress_bar=False,
                start_timeout=300,
                config=Config({"KernelManager": local, "AsyncKernelManager": local}),
            )
        except papermill.PapermillExecutionError as error:
            return {"error": _one_line(f"{error.ename}: {error.evalue}"), "cell": error.exec_count}
        except DeadKernelError:
            return {"error": "the notebook's process died, as it does when the memory is used up.", "cell": None}
        except NoSuchKernel:
            return {"error": "Jupyter finds no kernel python3; install ipykernel in this environment.", "cell": None}
        except Exception as error:  # whatever else keeps a notebook from running concerns this row, not the others
            return {"error": _one_line(f"{type(error).__name__}: {error}"), "cell": None}
    return _hidden_failure(output)


def _hidden_failure(executed: Path) -> dict[str, Any] | None:
    cells = nbformat.read(executed, as_version=4).cells
    cells = [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]
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


# ------------------------------------------------------------------------------------------------------ report


def collect(folder: Path | str, wall_seconds: float | None = None) -> dict[str, Any]:
    """Bring ``study.json`` up to date with what the rows' folders say, and return it."""
    study = read_study(folder)
    for row in study["rows"]:
        place = Path(row["folder"])
        done, failed = _read(place / "done.json"), _read(place / "failed.json")
        row["status"] = "done" if done else "failed" if failed else "interrupted"
        row["error"] = failed["error"] if failed and not done else None
        row["log"] = str(place / "notebook.ipynb") if (place / "notebook.ipynb").exists() else None
        row["seconds"] = (done or failed or {}).get("seconds")
    if wall_seconds is not None:
        study["wall_seconds"] = wall_seconds
    write_json(Path(folder) / "study.json", study)
    return study


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def make_report(folder: Path | str, out: Path | str | None = None) -> Path:
    """Run the notebook that compares the study's runs, and return the page it wrote.

    Args:
        folder: of the study.
        out: folder of the report; by default ``reports/<study>``.

    Raises:
        RuntimeError: the notebook failed; the message says why and where it lies.
    """
    folder = Path(folder)
    out = Path("reports") / folder.name if out is None else Path(out)
    study = collect(folder)
    executed = folder / f"{COMPARE}.ipynb"
    failure = execute(find_notebook(Path(study["file"]), COMPARE), executed, {"STUDY": str(folder), "REPORT": str(out)})
    page = out / "index.html"
    if failure is None and not page.exists():
        failure = {"error": f"it wrote no {page}"}
    if failure:
        raise RuntimeError(f"the report could not be made: {failure['error']} See {executed}.")
    return page


# ----------------------------------------------------------------------------------------------------- display


def duration(seconds: float) -> str:
    """Return seconds in words: ``45 s``, ``2 min 10 s``, ``1 h 05 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def look(row: dict[str, Any]) -> dict[str, Any]:
    """Return how a row stands: ``state`` (done, failed, running, waiting), ``share`` of 1, ``what``, ``seconds``."""
    place = Path(row["folder"])
    for state in ("done", "failed"):
        if mark := _read(place / f"{state}.json"):
            return {"state": state, "share": 1.0, "what": state, "seconds": mark["seconds"]}
    attempt = _read(place / "attempt.json")
    if not attempt or not psutil.pid_exists(attempt["pid"]):
        return {"state": "waiting", "share": 0.0, "what": "", "seconds": 0.0}
    progress = [p for path in place.rglob("progress.json") if (p := _read(path)) and p["time"] >= attempt["begun"]]
    latest = max(progress, key=lambda p: p["time"], default={"done": 0, "total": 1, "what": "starting"})
    share, seconds = latest["done"] / max(latest["total"], 1), time.time() - attempt["begun"]
    if latest["what"].startswith("training"):
        share *= TRAINING_SHARE
    elif any(place.rglob("history.csv")):
        share = TRAINING_SHARE + (1 - TRAINING_SHARE) * share
    return {"state": "running", "share": share, "what": latest["what"], "seconds": seconds}


def remaining_seconds(rows: list[dict[str, Any]], looks: list[dict[str, Any]], jobs: int) -> float | None:
    """Estimate the seconds until every row is done, from the rows that are done or under way; None before that.

    A row that has not begun is taken to need what rows of the same notebook need, or else the mean of all.
    """
    wholes: dict[str, list[float]] = {}
    for row, seen in zip(rows, looks, strict=True):
        if seen["state"] == "done" or (seen["state"] == "running" and seen["share"] > 0.05):
            wholes.setdefault(row["notebook"], []).append(seen["seconds"] / seen["share"])
    if not wholes:
        return None
    means = {notebook: sum(values) / len(values) for notebook, values in wholes.items()}
    overall = sum(means.values()) / len(means)
    left = []
    for row, seen in zip(rows, looks, strict=True):
        if seen["state"] in ("running", "waiting"):
            whole = means.get(row["notebook"], overall)
            known = seen["state"] == "running" and seen["share"] > 0.05
            left.append(seen["seconds"] / seen["share"] - seen["seconds"] if known else max(whole - seen["seconds"], 5))
    return max(sum(left) / jobs, *left) if left else 0.0


def display(rows: list[dict[str, Any]], jobs: int, seconds: float) -> list[str]:
    """Return the lines that show how the study stands: one for each row under way, then one for all."""
    looks = [look(row) for row in rows]
    lines = []
    for row, seen in zip(rows, looks, strict=True):
        if seen["state"] == "running":
            share = seen["share"]
            left = f", {duration(seen['seconds'] / share - seen['seconds'])} left" if share > 0.05 else ""
            lines.append(f"  {_bar(share, 16)} {_title(row)}: {seen['what']} {share:.0%}{left}")
    ended = sum(seen["state"] in ("done", "failed") for seen in looks)
    failed = sum(seen["state"] == "failed" for seen in looks)
    left = remaining_seconds(rows, looks, jobs)
    lines.append(
        f"{_bar(sum(seen['share'] for seen in looks) / len(rows), 18)} {ended}/{len(rows)} rows"
        + (f", {failed} failed" if failed else "")
        + f" · {duration(seconds)}"
        + ("" if left is None else f" · about {duration(left)} left")
    )
    return lines


def _title(row: dict[str, Any]) -> str:
    return row["id"].rpartition("-")[0]


def _bar(share: float, width: int) -> str:
    full = int(share * width)
    return "█" * full + "░" * (width - full)


class Screen:
    """Shows lines in place on a terminal; elsewhere, such as in a log, says them now and then on one line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.height, self.said = stream, 0, 0.0

    def show(self, lines: list[str]) -> None:
        if self.stream.isatty():
            width = shutil.get_terminal_size().columns
            up = f"\x1b[{self.height}A" if self.height else ""
            self.stream.write(f"{up}\x1b[J" + "".join(f"{line[: width - 1]}\n" for line in lines))
            self.height = len(lines)
        elif time.monotonic() - self.said >= SAY_EVERY:
            self.said = time.monotonic()
            self.stream.write("; ".join([lines[-1], *(line.strip(" █░") for line in lines[:-1])]) + "\n")
        self.stream.flush()

    def clear(self) -> None:
        if self.height:
            self.stream.write(f"\x1b[{self.height}A\x1b[J")
            self.height = 0


# ------------------------------------------------------------------------------------------------------- study


def run_study(
    path: Path | str,
    data: str | None = None,
    name: str | None = None,
    jobs: int | None = None,
    pictures: list[str] | None = None,
    out: Path | str | None = None,
) -> bool:
    """Run a study from its data to its report, and return whether every row succeeded.

    Args:
        path, data, name, pictures: see :func:`colorlib.study.prepare_study`.
        jobs: rows at a time, one thread each; by default one for each processor, or one where there is a GPU.
        out: folder of the report; by default ``reports/<study>``.

    Raises:
        ValueError, TypeError, OSError: the study or its data is not usable; nothing was run.
        BlockingIOError: another process is running this study.
        RuntimeError: Snakemake or the report failed; the message says where to read on.
        KeyboardInterrupt: the rows under way were stopped; the same call goes on from there.
    """
    begun = time.monotonic()
    folder, study = prepare_study(path, data, name, pictures)
    with exclusive(folder, "study"):
        write_json(folder / "study.json", study)
        study = collect(folder)
        before = study["wall_seconds"]
        jobs = jobs or (1 if study["machine"]["gpu"] else study["machine"]["cores"])
        done, splits = sum(row["status"] == "done" for row in study["rows"]), study["data"]["splits"]
        print(
            f"{study['title']}: {len(study['rows'])} rows, {done} of them done already, {jobs} at a time. Photographs: "
            f"{study['data']['name']}, {splits['train']:,} to train on, {splits['test']:,} to judge by."
        )
        if done < len(study["rows"]):
            study = _run_rows(folder, study["rows"], jobs, lambda: before + time.monotonic() - begun)
        page = make_report(folder, out)
        collect(folder, before + time.monotonic() - begun)
    failed = [row for row in study["rows"] if row["status"] != "done"]
    for row in failed:
        why = row["error"] or "its process was ended from outside."
        where = f"its notebook: {row['log']}" if row["log"] else f"see {folder / 'snakemake.log'}"
        print(f"{_title(row)} failed: {why} ({where})", file=sys.stderr)
    print(f"The report: {page.resolve()}")
    return not failed


def _run_rows(folder: Path, rows: list[dict[str, Any]], jobs: int, wall: Callable[[], float]) -> dict[str, Any]:
    """Run the rows under Snakemake, showing how far they are, and return the study as it then stands."""
    log = folder / "snakemake.log"
    # greedy: the other scheduler wants a solver. mtime: a row's folder name says all that the other triggers would.
    # nolock: the lock of the study's folder, held by the caller, ends with its process; Snakemake's does not
    command = [sys.executable, "-c", _SNAKEMAKE, "-s", str(SNAKEFILE), "--cores", str(jobs), "--keep-going", "--nolock"]
    command += ["--rerun-incomplete", "--rerun-triggers", "mtime", "--scheduler", "greedy"]
    command += ["--config", f"folder={folder}", "--", "rows"]
    with open(log, "w", encoding="utf-8") as file:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment_for_children(),
            start_new_session=True,  # Ctrl-C is this process's to answer
        )
    screen, kept = Screen(sys.stdout), time.monotonic()
    try:
        while child.poll() is None:
            screen.show(display(rows, jobs, wall()))
            if time.monotonic() - kept > 10:
                kept = time.monotonic()
                collect(folder, wall())
            time.sleep(LOOK_EVERY)
    finally:
        screen.clear()
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)  # every file is written atomically, and kernels follow their row
            child.wait()
        study = collect(folder, wall())
    if child.returncode and all(row["status"] == "interrupted" for row in study["rows"]):
        raise RuntimeError(f"Snakemake stopped before any row ended; {log} says why.")
    return study


def main(arguments: list[str] | None = None) -> int:
    """Run one row, or the report, of a planned study: what the Snakefile calls."""
    follow_parent()
    parser = argparse.ArgumentParser(prog="python -m colorlib.engine", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    row = commands.add_parser("row", help="run one row, unless it is done")
    row.add_argument("folder", help="of the study, for example runs/quick")
    row.add_argument("id", help="of the row, as in study.json")
    report = commands.add_parser("report", help="make the report")
    report.add_argument("folder", help="of the study, for example runs/quick")
    options = parser.parse_args(arguments)
    try:
        if options.command == "report":
            print(f"The report: {make_report(options.folder).resolve()}")
            return 0
        return 0 if run_row(options.folder, options.id) else 1
    except (OSError, ValueError, RuntimeError) as error:
        print(f"colorlib: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
