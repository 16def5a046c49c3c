"""Running a study: one idempotent command for a row, Snakemake over the rows, a live display, then the report.

``python -m colorlib.studies row STUDY_FOLDER ROW`` is all that Snakemake knows of a row, on this machine or on a
cluster. Every process ends with the one that started it, so a study that is killed leaves nothing running.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from colorlib.files import NOTEBOOKS, exclusive, temporary_folder, write_json
from colorlib.processes import environment_for_children
from colorlib.studies.notebook import ROW_HOURS, execute, find_notebook
from colorlib.studies.progress import display, is_done, read_mark, row_title, screen
from colorlib.studies.study import prepare_study, read_study

COMPARE = "80_compare"
LOOK_EVERY = 0.5  # seconds between looks at the rows
_SNAKEMAKE = (
    "import os; from colorlib.processes import environment_for_children, follow_parent; follow_parent(); "
    "os.environ.update(environment_for_children()); from snakemake.cli import main; main()"
)


def run_row(folder: Path | str, identity: str) -> bool:
    """Execute a row's notebook and prove that it ran to its end; return whether it did.

    The executed notebook is ``notebook.ipynb`` in the row's folder. ``done.json`` (seconds) is the mark of a
    finished row, ``failed.json`` (error, cell) that of a failed one. A finished row is not run again.

    Raises:
        ValueError: the study has no such row.
        BlockingIOError: another process is running the row.
    """
    study = read_study(folder)
    rows = {row["id"]: row for row in study["rows"]}
    if identity not in rows:
        raise ValueError(f"the study {folder} has no row {identity!r}; study.json in it names its {len(rows)} rows.")
    row = rows[identity]
    place = Path(row["folder"])
    with exclusive(place, "row"):
        if is_done(place):
            return True
        for mark in ("done.json", "failed.json"):
            (place / mark).unlink(missing_ok=True)
        begun, before = time.time(), _seconds_before(place)
        write_json(place / "attempt.json", {"pid": os.getpid(), "begun": begun, "seconds_before": before})
        failure = execute(
            row["notebook"], place / "notebook.ipynb", row["parameters"], study.get("row_hours", ROW_HOURS)
        )
        if failure is None and not any(place.rglob("per_image.csv")):
            failure = {"error": "the notebook ran to its end but left no per_image.csv in RUN.", "cell": None}
        elif failure is None and (other := _other_photographs(place, study["data"]["fingerprint"])):
            failure = {"error": f"{other} is of other photographs than the study's: take those of DATA.", "cell": None}
        seconds = before + time.time() - begun
        write_json(place / ("failed.json" if failure else "done.json"), {"seconds": seconds, **(failure or {})})
    return failure is None


def _other_photographs(place: Path, fingerprint: str) -> Path | None:
    """Return a run below a row's folder that was trained or judged on photographs other than the study's."""
    configs = {path.parent: read_mark(path) or {} for path in sorted(place.rglob("config.json"))}
    return next((run for run, config in configs.items() if config.get("data_fingerprint") != fingerprint), None)


def _seconds_before(place: Path) -> float:
    """Return the seconds that earlier, interrupted attempts at a row took, by the last file that each wrote."""
    attempt = read_mark(place / "attempt.json")
    if attempt is None:
        return 0.0
    last = max(path.stat().st_mtime for path in place.rglob("*"))
    return attempt["seconds_before"] + max(0.0, last - attempt["begun"])


def collect(folder: Path | str, wall_seconds: float | None = None) -> dict[str, Any]:
    """Bring ``study.json`` up to date with what the rows' folders say, and return it."""
    study = read_study(folder)
    for row in study["rows"]:
        place = Path(row["folder"])
        done = read_mark(place / "done.json") if is_done(place) else None
        failed = read_mark(place / "failed.json")
        row["status"] = "done" if done else "failed" if failed else "interrupted"
        row["error"] = failed["error"] if failed and not done else None
        row["log"] = str(place / "notebook.ipynb") if (place / "notebook.ipynb").exists() else None
        row["seconds"] = (done or failed or {}).get("seconds")
    if wall_seconds is not None:
        study["wall_seconds"] = wall_seconds
    write_json(Path(folder) / "study.json", study)
    return study


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
    given = {"STUDY": str(folder), "REPORT": str(out)}
    failure = execute(find_notebook(Path(study["file"]), COMPARE), executed, given, study.get("row_hours", ROW_HOURS))
    page = out / "index.html"
    if failure is None and not page.exists():
        failure = {"error": f"it wrote no {page}"}
    if failure:
        raise RuntimeError(f"the report could not be made: {failure['error']} See {executed}.")
    return page


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
        path, data, name, pictures: see :func:`colorlib.studies.study.prepare_study`.
        jobs: rows at a time, one thread each; by default one for each processor, or one where there is a GPU.
        out: folder of the report; by default ``reports/<study>``.

    Raises:
        ModuleNotFoundError: a package that runs studies is not installed.
        ValueError, TypeError, OSError: the study or its data is not usable; nothing was run.
        BlockingIOError: another process is running this study.
        RuntimeError: Snakemake or the report failed; the message says where to read on.
        KeyboardInterrupt: the rows under way were stopped; the same call goes on from there.
    """
    for package in ("papermill", "snakemake"):  # they are imported late, by other processes
        if find_spec(package) is None:
            raise ModuleNotFoundError(f"there is no {package}", name=package)
    begun = time.monotonic()
    folder, study = prepare_study(path, data, name, pictures)
    with exclusive(folder, "study"):
        jobs = jobs or (1 if study["machine"]["gpu"] else study["machine"]["cores"])
        write_json(folder / "study.json", study | {"jobs": jobs})
        study = collect(folder)
        before = study["wall_seconds"]
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
        print(f"{row_title(row)} failed: {why} ({where})", file=sys.stderr)
    print(f"The report: {page.resolve()}")
    return not failed


def _run_rows(folder: Path, rows: list[dict[str, Any]], jobs: int, wall: Callable[[], float]) -> dict[str, Any]:
    """Run the rows under Snakemake, showing how far they are, and return the study as it then stands."""
    log = folder / "snakemake.log"
    for row in rows:  # Snakemake goes by there being a mark, not by what is in it
        if not is_done(place := Path(row["folder"])):
            (place / "done.json").unlink(missing_ok=True)
    # greedy: the other scheduler wants a solver. mtime: a row's folder name says all that the other triggers would.
    # nolock: the lock of the study's folder, held by the caller, ends with its process; Snakemake's does not
    command = [
        sys.executable,
        "-c",
        _SNAKEMAKE,
        "-s",
        str(NOTEBOOKS / "Snakefile"),
        "--cores",
        str(jobs),
        "--keep-going",
        "--nolock",
    ]
    command += ["--rerun-incomplete", "--rerun-triggers", "mtime", "--scheduler", "greedy"]
    command += ["--config", f"folder={folder}", "--", "rows"]
    with temporary_folder() as private:
        with open(log, "w", encoding="utf-8") as file:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment_for_children(TMPDIR=str(private), XDG_CACHE_HOME=_cache(private)),
                start_new_session=True,  # Ctrl-C is this process's to answer
            )
        kept = time.monotonic()
        try:
            with screen(sys.stdout) as show:
                while child.poll() is None:
                    show(display(rows, jobs, wall()))
                    if time.monotonic() - kept > 10:
                        kept = time.monotonic()
                        collect(folder, wall())
                    time.sleep(LOOK_EVERY)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)  # every file is written atomically, and kernels follow their row
                child.wait()
            study = collect(folder, wall())
    if child.returncode and all(row["status"] == "interrupted" for row in study["rows"]):
        raise RuntimeError(f"Snakemake stopped before any row ended; {log} says why.")
    return study


def _cache(private: Path) -> str:
    """Return where caches are kept, which Snakemake insists on; a private folder where that cannot be written to."""
    usual = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    with contextlib.suppress(OSError):
        os.makedirs(usual, exist_ok=True)
    return usual if os.access(usual, os.W_OK | os.X_OK) else str(private)
