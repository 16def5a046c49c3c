"""What strangers need beside the code: licence, citation, changelog, hooks and workflow say the same, and the truth."""

import hashlib
import importlib
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import colorlib

ROOT = Path(__file__).parents[1]
LARGEST = 1_000_000  # bytes of a committed file: whoever clones takes all that was ever committed
LARGER = {
    "colorlib/weights/faithful.safetensors": "a model that ships: colouring needs no network connection",
    "colorlib/weights/vivid.safetensors": "the other model that ships",
}


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_licence_is_the_standard_text():
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"  # as Debian distributes it


def test_version_date_and_licence_are_the_same_everywhere():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    citation = yaml.safe_load(text("CITATION.cff"))
    version, date = re.search(r"^## (\S+) - (\S+)$", text("CHANGELOG.md"), re.MULTILINE).groups()
    assert project["version"] == citation["version"] == colorlib.__version__ == version
    assert str(citation["date-released"]) == date
    assert project["license"] == citation["license"] == "Apache-2.0"


def test_every_weight_file_has_a_card_with_its_licence():
    weights = sorted((ROOT / "colorlib" / "weights").glob("*.safetensors"))
    assert weights
    for path in weights:
        card = " ".join(path.with_suffix(".md").read_text(encoding="utf-8").split())
        assert "**Licence** of these weights: Apache-2.0" in card and "which are not known to us" in card, path.name


def test_hooks_run_what_make_runs():
    makefile = text("Makefile").replace("$(NOTEBOOKS)", '"$@"')
    (local,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    commands = [re.search(r"-m ([^']*)'", hook["entry"])[1] for hook in local["hooks"]]
    assert len(commands) == 3
    assert [command for command in commands if f"$(PYTHON) -m {command}" not in makefile] == []


def test_the_workflow_names_tests_that_exist():
    jobs = yaml.safe_load(text(".github/workflows/test.yml"))["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert ".ci/run" in commands
    patterns = [word for command in commands for word in command.split() if word.startswith("tests/")]
    assert patterns and [pattern for pattern in patterns if not list(ROOT.glob(pattern))] == []


def test_names_that_moved_are_where_the_changelog_says():
    table = text("CHANGELOG.md").partition("### Moved names")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(colorlib[\w.]*)` \| `(colorlib[\w.]*)`(.*) \|$", table, re.MULTILINE)
    assert len(rows) > 20
    for _, room, names in rows:
        module = importlib.import_module(room)
        assert [name for name in re.findall(r"`(\w+)`", names) if not hasattr(module, name)] == [], room


def test_no_committed_file_is_large_but_for_a_reason():
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("what is committed is known in a checkout only")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    committed = [path for path in listed.split("\0") if (ROOT / path).is_file()]
    assert {path for path in committed if (ROOT / path).stat().st_size > LARGEST} == set(LARGER)
