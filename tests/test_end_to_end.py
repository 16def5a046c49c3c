"""A tiny study from end to end, with the real notebooks: from nothing to a report, and again with nothing to do."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from colorlib.studies.study import read_study

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def run(folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "colorlib", "study", "tiny", "--jobs", "2"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_tiny_study_from_nothing_to_its_report(tmp_path):
    studies = tmp_path / "notebooks" / "studies"
    studies.mkdir(parents=True)
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        (tmp_path / "notebooks" / notebook.name).write_bytes(notebook.read_bytes())
    study = {
        "title": "Tiny study",
        "data": {"name": "scenes", "count": 96, "size": 32, "seed": 0},
        "defaults": {"IMAGES_SEEN": 128, "BATCH_SIZE": 8},
        "rows": [{"notebook": "12_unet", "OBJECTIVE": ["l1", "rebalanced_ce"]}, {"notebook": "10_baselines"}],
    }
    (studies / "tiny.yml").write_text(yaml.safe_dump(study))

    run(tmp_path)
    results = (tmp_path / "reports/tiny/results.csv").read_text()
    page = (tmp_path / "reports/tiny/index.html").read_text(encoding="utf-8")
    assert "Tiny study" in page and len(pd.read_csv(tmp_path / "reports/tiny/results.csv")) >= 7
    assert [row["status"] for row in read_study(tmp_path / "runs/tiny")["rows"]] == ["done"] * 3

    assert "3 rows, 3 of them done already" in run(tmp_path)
    assert (tmp_path / "reports/tiny/results.csv").read_text() == results
