"""The README names what there is: every model, objective, baseline and data set, and only commands that exist."""

import re
from pathlib import Path

import pytest

from colorlib.cli import build_parser
from colorlib.data import DATASETS
from colorlib.models import MODELS
from colorlib.objectives import OBJECTIVES
from colorlib.runs.baselines import BASELINES, ORACLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("registry", [MODELS, OBJECTIVES, BASELINES, ORACLES, DATASETS])
def test_every_name_is_there(registry):
    assert [name for name in registry if f"`{name}`" not in README] == []


def test_every_notebook_and_page_is_linked():
    there = [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/rendered/*.md")]
    paths = [path.relative_to(ROOT).as_posix() for path in there]
    assert [path for path in paths if f"]({path})" not in README] == [], "name it, and run `colorlib overview`"


def test_every_committed_report_is_linked():
    overview = (ROOT / "reports" / "README.md").read_text(encoding="utf-8")
    reports = re.findall(r"\]\((\w+/comparison\.md)\)", overview)
    assert reports and [report for report in reports if f"](reports/{report})" not in README] == []


def test_commands_and_targets_exist():
    commands = set(re.findall(r"colorlib ([\w-]+)", README)) - {"holds"}
    targets = set(re.findall(r"make (\w[\w-]*)", README))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets <= set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    there = set(re.findall(r"^    ([a-z][a-z-]*)", build_parser().format_help(), re.MULTILINE))
    assert commands - there == set()


def test_linked_files_exist():
    assert [link for link in re.findall(r"\]\((?!http)([^)#]+)\)", README) if not (ROOT / link).exists()] == []
