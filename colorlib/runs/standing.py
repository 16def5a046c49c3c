"""How a judged run stands: its score and, in the folder of a study, the verdict against the study's leading row."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from colorlib.metrics import METRICS
from colorlib.runs.run import Run, list_runs
from colorlib.statistics import Difference, mean_interval, paired_differences, verdict
from colorlib.statistics.differences import both_ways

PRIMARY = "delta_e_2000"
NOT_SETTINGS = ("name", "seed", "command")  # in these settings, runs of one row may differ


def standing(run: Run) -> str:
    """Say in one line how a finished run stands, with 95 % intervals.

    A run whose folder lies in a study's (one that holds ``study.json``) has its row, all the seeds of its settings,
    compared with the leading one of the study's other rows: that with the lowest mean ΔE2000 over its seeds, on the
    same photographs. Oracles are no rows to compare with. The verdict is of this one comparison; those of a report are
    corrected for their number. Where either row was trained once there is none.

    Returns:
        for example ``mine: ΔE2000 11.31 (11.10 to 11.52) on 5,633 photographs; over 3 trainings 0.24 above (0.10 to
        0.39) the study's leading row, siggraph17 · l1: worse.`` Where there can be no verdict, the line says why.
    """
    scores = _scores(run)
    mean, low, high = mean_interval(scores)
    line = f"{run.label}: ΔE2000 {mean:.2f} ({low:.2f} to {high:.2f}) on {len(scores):,} photographs"
    study = next((folder for folder in run.folder.resolve().parents if (folder / "study.json").is_file()), None)
    return f"{line}; {_against_the_leader(run, scores.index, study)}." if study else f"{line}."


def _against_the_leader(run: Run, ids: pd.Index, study: Path) -> str:
    margin = _margin(study / "study.json")
    if margin is None:
        return "no verdict, for the study.json above its folder cannot be read"
    own = row_settings(run)
    rows, others = _rows(ids, study)
    if not rows.keys() - {own}:
        return "no verdict, for its study has no other row that was judged" + " on these photographs" * (others > 0)
    leader = min(rows.keys() - {own}, key=lambda row: (np.mean(rows[row]), row))
    fixed = {row for row, seeds in rows.items() if len(seeds) == 1 and json.loads(row)["kind"] == "baseline"}
    scores = {row: seeds[0] if row in fixed else np.stack(seeds) for row, seeds in rows.items()}
    difference = both_ways(paired_differences(scores, margin))[own, leader]
    words = verdict(difference, margin, METRICS[PRIMARY].higher_is_better)
    trainings = f"over {len(rows[own])} trainings " if len(rows[own]) > 1 else ""
    among = " of those judged on these photographs" * (others > 0)
    return f"{trainings}{_size(difference)} the study's leading row{among}, {json.loads(leader)['label']}: {words}"


def _margin(path: Path) -> float | None:
    """Read the largest difference that does not matter; None where the file is not a study's."""
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["margin"].get(PRIMARY, 0))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _rows(ids: pd.Index, study: Path) -> tuple[dict[str, list[np.ndarray]], int]:
    """Return the study's rows, settings -> scores of each seed, and how many runs have other photographs."""
    others = 0
    rows: dict[str, list[np.ndarray]] = {}
    for found in list_runs(study):
        try:
            row, oracle, scores = row_settings(found), found.config["kind"] == "oracle", _scores(found)
        except (OSError, ValueError, KeyError):  # damaged, or of another version
            continue
        if oracle:
            continue
        if len(scores) == len(ids) and set(scores.index) == set(ids):
            rows.setdefault(row, []).append(scores[ids].to_numpy())
        else:
            others += 1
    return rows, others


def row_settings(run: Run) -> str:
    """Return what the seeds of one row have in common: all their other settings, as text."""
    return json.dumps({name: value for name, value in run.config.items() if name not in NOT_SETTINGS}, sort_keys=True)


def _scores(run: Run) -> pd.Series:
    return run.per_image.set_index("id")[PRIMARY]


def _size(difference: Difference) -> str:
    mean, low, high = difference[:3]
    size = f"{abs(mean):.2f} {'above' if mean > 0 else 'below'}"
    if low * high > 0:
        near, far = sorted((abs(low), abs(high)))
        return f"{size} ({near:.2f} to {far:.2f})"
    return f"{size} ({-low:.2f} below to {high:.2f} above)"
