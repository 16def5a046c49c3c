"""The report of a study, from its folder to the files that are written; the same runs give the same bytes."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from colorlib.files import atomic_path
from colorlib.reports.comparison import Comparison
from colorlib.reports.markdown import to_markdown
from colorlib.reports.page import to_html
from colorlib.reports.rows import gather_rows, runs_left_out

OPTIONAL: dict[str, object] = {
    "status": "not run",
    "error": None,
    "log": None,
    "seconds": None,
    "parameters": {},
    "command": "",
}


def compare(study_folder: Path | str) -> Comparison:
    """Compare the runs in a study's folder: those of its rows, and others that were judged into it.

    Args:
        study_folder: holds ``study.json`` and the run folders.

    Raises:
        FileNotFoundError: there is no study in that folder.
        ValueError: the runs were judged on different photographs, so that none is common to all.
    """
    folder = Path(study_folder)
    if not (folder / "study.json").exists():
        raise FileNotFoundError(f"{folder} holds no study.json: run a study into it first.")
    study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    study["rows"] = [OPTIONAL | row for row in study["rows"]]
    return Comparison(study, gather_rows(study, folder), runs_left_out(study, folder))


def draw_figures(comparison: Comparison) -> dict[str, Figure]:
    """Draw what the sections of the report have to draw: name → figure."""
    return {name: chart.figure for section in comparison.sections for name, chart in section.charts.items()}


def write_report(study_folder: Path | str, report_folder: Path | str) -> Path:
    """Write a study's report: ``index.html``, ``comparison.md``, tables as CSV and ``figures/``.

    ``results.csv`` has a line for each row, ``pairs.csv`` for each two rows and ``seeds.csv`` for each run; what
    sections show beyond these is in files of their own.

    Args:
        study_folder: holds ``study.json`` and the run folders.
        report_folder: made if it does not exist.

    Returns:
        The path of ``index.html``, which opens offline, with the pictures in the folder ``figures`` beside it.

    Raises:
        FileExistsError: that folder holds something else, in which files of an earlier report cannot be told.
        What :func:`compare` raises.
    """
    folder, comparison = Path(report_folder), compare(study_folder)
    begun = folder / "comparison.md"  # the first file, so that a report which was cut off is known for one
    if folder.exists() and any(folder.iterdir()) and not begun.exists():
        raise FileExistsError(f"{folder} holds files and no report: choose a new folder, or that of an earlier report.")
    with atomic_path(begun) as temporary:
        temporary.write_text(to_markdown(comparison), encoding="utf-8")
    figures = {path: content for section in comparison.sections for path, content in section.files().items()}
    for name, content in figures.items():
        with atomic_path(folder / "figures" / name) as temporary:
            temporary.write_bytes(content)
    for path in [path for kind in ("png", "jpg") for path in (folder / "figures").rglob(f"*.{kind}")]:
        if path.relative_to(folder / "figures").as_posix() not in figures:
            path.unlink()  # of an earlier report; it may show what this one must not
    tables = {"results.csv": comparison.results, "pairs.csv": comparison.pairs, "seeds.csv": comparison.seeds}
    for section in comparison.sections:
        tables |= {name: table.set_index(table.columns[0]) for name, table in section.data.items() if len(table)}
    for path in folder.glob("*.csv"):
        if path.name not in tables:
            path.unlink()  # of an earlier report
    texts = {name: table.to_csv(float_format="%.9g", lineterminator="\n") for name, table in tables.items()}
    texts["index.html"] = to_html(comparison)
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / "index.html"
