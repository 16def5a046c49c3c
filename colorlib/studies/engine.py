"""Running a study: one idempotent command for a row, Snakemake over the rows, a live display, then the report.

``python -m colorlib.studies row STUDY_FOLDER ROW`` is all that Snakemake knows of a row, on this machine or on a
cluster. On this machine every process ends with the one that started it, so a study that is killed leaves nothing
running; on a cluster the rows of a killed one run on, and the same call finds what they did.
"""

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from colorlib.files import exclusive, reading, write_json
from colorlib.studies.executor import LOCAL, check_executor, snakemake, why_not
from colorlib.studies.notebook import execute, find_notebook
from colorlib.studies.progress import display, is_done, look, read_mark, row_title, screen
from colorlib.studies.resources import ROW_HOURS, free_gpu
from colorlib.studies.study import prepare_study, read_study

COMPARE = "80_compare"
LOOK_EVERY = 0.5  # seconds between looks at the rows
ENDED = ("done", "failed")


def run_row(folder: Path | str, identity: str) -> bool:
    """Execute a row's notebook and prove that it ran to its end; return whether it did.

    The executed notebook is ``notebook.ipynb`` in the row's folder. ``done.json`` (seconds) is the mark of a
    finished row, ``failed.json`` (error, cell) that of a failed one. A finished row is not run again; one that another
    process is running, here or on another node, is waited for.

    Raises:
        ValueError: the study has no such row.
    """
    study = read_study(folder)
    rows = {row["id"]: row for row in study["rows"]}
    if identity not in rows:
        raise ValueError(f"the study {folder} has no row {identity!r}; study.json in it names its {len(rows)} rows.")
    row = rows[identity]
    place = Path(row["folder"])
    with exclusive(place, "row", patience=math.inf):
        if is_done(place):
            return True
        for mark in ("done.json", "failed.json"):
            (place / mark).unlink(missing_ok=True)
        begun, before = time.time(), _seconds_before(place)
        write_json(place / "attempt.json", {"pid": os.getpid(), "begun": begun, "seconds_before": before})
        hours = row.get("resources", {}).get("hours", ROW_HOURS)
        with _on_its_gpu(Path(folder), study, list(rows).index(identity)):
            failure = execute(row["notebook"], place / "notebook.ipynb", row["parameters"], hours)
        if failure is None and not any(place.rglob("per_image.csv")):
            failure = {"error": "the notebook ran to its end but left no per_image.csv in RUN.", "cell": None}
        elif failure is None and (other := _other_photographs(place, study["data"]["fingerprint"])):
            failure = {"error": f"{other} is of other photographs than the study's: take those of DATA.", "cell": None}
        seconds = before + time.time() - begun
        write_json(place / ("failed.json" if failure else "done.json"), {"seconds": seconds, **(failure or {})})
    return failure is None


@contextlib.contextmanager
def _on_its_gpu(folder: Path, study: dict[str, Any], number: int) -> Iterator[None]:
    """Let what a row starts see one GPU, where this machine has several and no scheduler deals them out."""
    count, visible = study["machine"].get("gpus", 0), os.environ.get("CUDA_VISIBLE_DEVICES")
    if count < 2 or study.get("executor", LOCAL) != LOCAL:
        yield
        return
    names = visible.split(",") if visible else [str(gpu) for gpu in range(count)]
    with free_gpu(folder, names[:count], number) as gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        yield


def _other_photographs(place: Path, fingerprint: str) -> Path | None:
    """Return a run below a row's folder that was trained or judged on photographs other than the study's."""
    configs = {path.parent: read_mark(path) or {} for path in sorted(place.rglob("config.json"))}
    return next((run for run, config in configs.items() if config.get("data_fingerprint") != fingerprint), None)


def _seconds_before(place: Path) -> float:
    """Return the seconds that earlier, interrupted attempts at a row took, by the last file that each wrote."""
    attempt = read_mark(place / "attempt.json")
    if attempt is None:
        return 0.0
    last = max(path.stat().st_mtime for path in place.rglob("*") if path.is_file() and path.name != ".lock")
    return attempt["seconds_before"] + max(0.0, last - attempt["begun"])


def collect(folder: Path | str, wall_seconds: float | None = None) -> dict[str, Any]:
    """Bring ``study.json`` up to date with what the rows' folders say, and return it."""
    study = read_study(folder)
    with reading(Path(folder) / "study.json"):
        rows = study["rows"]
    for row in rows:
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
    failure = execute(find_notebook(Path(study["file"]), COMPARE), executed, given)
    page = out / "index.html"
    if failure is None and not page.exists():
        failure = {"error": f"it wrote no {page}"}
    if failure:
        raise RuntimeError(f"the report could not be made: {failure['error']} See {executed}.")
    return page


def time_study(folder: Path | str) -> int:
    """Time the trained networks of a study one after another, and return how many runs have such seconds then.

    See :func:`colorlib.runs.costs.time_runs`; the report shows these seconds once it is made again.

    Raises:
        FileNotFoundError: the folder holds no study.
        ValueError: its ``study.json`` is damaged, so that it has no rows.
        BlockingIOError: another process is running this study.
        What ``time_runs`` and opening the photographs raise.
    """
    from colorlib.data import open_dataset
    from colorlib.runs import list_runs
    from colorlib.runs.costs import time_runs

    study = read_study(folder)
    with reading(Path(folder) / "study.json"):
        source = study["rows"][0]["parameters"]["DATA"]
    with exclusive(folder, "study"):
        trained = [run for run in list_runs(folder) if run.history is not None]
        time_runs(trained, open_dataset(source))
    return len(trained)


def run_study(
    path: Path | str,
    data: str | None = None,
    name: str | None = None,
    jobs: int | None = None,
    pictures: list[str] | None = None,
    out: Path | str | None = None,
    executor: str = LOCAL,
) -> bool:
    """Run a study from its data to its report, and return whether every row succeeded.

    Args:
        path, data, name, pictures: see :func:`colorlib.studies.study.prepare_study`.
        jobs: rows at a time; by default as many as this machine has processors for, one for each GPU where it has
            any, and all of them on a cluster, whose scheduler lets them wait.
        out: folder of the report; by default ``reports/<study>``.
        executor: what executes the rows: ``"local"``, this machine, or a cluster's scheduler, such as ``"slurm"``.

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
    check_executor(executor)
    begun = time.monotonic()
    folder, study = prepare_study(path, data, name, pictures)
    with exclusive(folder, "study"):
        jobs = jobs or _usual_jobs(study, executor)
        write_json(folder / "study.json", study | {"executor": executor, "jobs": jobs})
        study = collect(folder)
        before = study["wall_seconds"]
        done, splits = sum(row["status"] == "done" for row in study["rows"]), study["data"]["splits"]
        print(
            f"{study['title']}: {len(study['rows'])} rows, {done} of them done already, {jobs} at a time. Photographs: "
            f"{study['data']['name']}, {splits['train']:,} to train on, {splits['test']:,} to judge by."
        )
        if done < len(study["rows"]):
            study = _run_rows(folder, study, executor, jobs, lambda: before + time.monotonic() - begun)
        page = make_report(folder, out)
        collect(folder, before + time.monotonic() - begun)
    failed = [(number, row) for number, row in enumerate(study["rows"]) if row["status"] != "done"]
    for number, row in failed:
        told = None if row["error"] else why_not(folder, number)
        why = row["error"] or told or "its process was ended from outside."
        where = f"its notebook: {row['log']}" if row["log"] and not told else f"see {folder / 'snakemake.log'}"
        print(f"{row_title(row)} failed: {why} ({where})", file=sys.stderr)
    print(f"The report: {page.resolve()}")
    return not failed


def _usual_jobs(study: dict[str, Any], executor: str) -> int:
    if executor != LOCAL:
        return len(study["rows"])
    threads = max(row["resources"]["threads"] for row in study["rows"])
    return study["machine"]["gpus"] or max(1, study["machine"]["cores"] // threads)


def _run_rows(
    folder: Path, study: dict[str, Any], executor: str, jobs: int, wall: Callable[[], float]
) -> dict[str, Any]:
    """Run the rows under Snakemake, showing how far they are, and return the study as it then stands."""
    rows = study["rows"]
    for row in rows:  # Snakemake goes by there being a mark, not by what is in it
        if not is_done(place := Path(row["folder"])):
            for mark in ("done.json", "failed.json"):
                (place / mark).unlink(missing_ok=True)
    try:
        with snakemake(folder, executor, jobs, study["machine"]["cores"]) as child, screen(sys.stdout) as show:
            kept = time.monotonic()
            # Snakemake asks a scheduler every few minutes only; what the rows leave tells it at once
            while child.poll() is None and not (executor != LOCAL and all(look(row)["state"] in ENDED for row in rows)):
                show(display(rows, jobs, wall()))
                if time.monotonic() - kept > 10:
                    kept = time.monotonic()
                    collect(folder, wall())
                time.sleep(LOOK_EVERY)
    finally:
        study = collect(folder, wall())
    if child.returncode and all(row["status"] == "interrupted" for row in study["rows"]):
        told = next(filter(None, (why_not(folder, number) for number in range(len(rows)))), None)
        raise RuntimeError(f"no row ended; {told or f'{folder}/snakemake.log says why.'}")
    return study
