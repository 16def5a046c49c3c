"""The README's "Is mine better?" as it stands: its files written, its commands run, in a small copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from colorlib.data.scenes.render import write_scenes
from colorlib.runs import list_runs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## Is mine better?\n")[2].partition("\n## ")[0]
KINDS, BLOCKS = zip(*re.findall(r"^```(\w+)\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL), strict=True)


def execute(project: Path, *command: str) -> str:
    environment = os.environ | {"COLORLIB_PYTHON": sys.executable, "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project on 48 tiny scenes, in which the README's network was written and its study was run."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "colorlib", project / "colorlib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", project)
    (project / "notebooks" / "studies").mkdir(parents=True)
    for name in ("22_any_network.ipynb", "80_compare.ipynb", "Snakefile", "studies/photos.yml"):
        shutil.copy(ROOT / "notebooks" / name, project / "notebooks" / name)
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "colorlib").write_text(f'#!/bin/sh\nexec {sys.executable} -m colorlib "$@"\n')
    (project / ".venv" / "bin" / "colorlib").chmod(0o755)
    write_scenes(project / "data" / "holiday", count=48, size=32, seed=0)

    assert KINDS == ("python", "python", "diff", "yaml", "bash", "bash", "bash")
    _, network, lines, row, study, _, _ = BLOCKS
    (project / "colorlib" / "models" / "mine.py").write_text(network)
    registry = project / "colorlib" / "models" / "__init__.py"
    imported, entry = (line.removeprefix("+") for line in lines.splitlines())
    text = re.sub(r"^(MODELS\b.*\{)$", rf"\1\n{entry}", registry.read_text(), flags=re.MULTILINE)
    registry.write_text(text.replace("from colorlib.models.plain_cnn", f"{imported}\nfrom colorlib.models.plain_cnn"))
    file = project / "notebooks" / "studies" / "photos.yml"
    head, rows, _ = file.read_text().partition("\nrows:\n")
    file.write_text(re.sub(r"IMAGES_SEEN: \d+", "IMAGES_SEEN: 32", head) + rows + row)
    execute(project, "bash", "-c", study)
    return project


def test_a_network_is_a_file_a_line_and_a_row(project):
    results = pd.read_csv(project / "reports/photos-holiday/results.csv")
    assert "mine · l1" in set(results.iloc[:, 0])
    folders = sorted((project / "runs/photos-holiday").glob("22_any_network-s?-mine-l1-*"))  # one for each seed
    assert len(folders) == 2
    for folder in folders:
        assert "Two convolutions: the idea, and the paper." in (folder / "notebook.ipynb").read_text(encoding="utf-8")


def test_a_function_gets_its_score_and_the_verdict(project):
    said = execute(project, sys.executable, "-c", BLOCKS[0])
    number = r"\d+\.\d\d"
    score = rf"mine: ΔE2000 {number} \({number} to {number}\) on \d+ photographs; "
    size = rf"{number} (above|below) \({number}( below)? to {number}( above)?\) the study's leading row, .+: "
    assert re.fullmatch(
        score + size + r"(better|worse|undecided|no verdict: one training|no difference larger than 0\.1)\.\n", said
    )


def test_pictures_of_another_program_become_a_row(project):
    export, judge = BLOCKS[-2:]
    execute(project, "bash", "-c", export)
    shutil.copytree(project / "grey", project / "coloured")
    execute(project, "bash", "-c", judge)
    labels = {run.label: run.config["kind"] for run in list_runs(project / "runs/photos-holiday")}
    assert labels["theirs"] == "judged"
