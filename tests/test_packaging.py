"""pyproject.toml, environment.yml and the Makefile hold together."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "opencv-python-headless": "opencv"}
IMPORT_NAMES = {"pyyaml": "yaml", "pillow": "PIL", "scikit-image": "skimage", "opencv-python-headless": "cv2"}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def ranges(requirements: list[str]) -> dict[str, str]:
    """Return name -> range, such as ``>=2.4``."""
    return {m[1]: m[2] for line in requirements if (m := re.fullmatch(r"(\w[\w-]*)\s*(.*)", line))}


def test_conda_users_get_the_same(project, environment):
    ours = ranges(project["dependencies"] + project["optional-dependencies"]["test"])
    ours["python"] = project["requires-python"]
    from_pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    theirs = ranges([entry for entry in environment["dependencies"] if isinstance(entry, str)] + from_pip)
    assert {CONDA_NAMES.get(name, name): allowed for name, allowed in ours.items()} == {
        name: allowed for name, allowed in theirs.items() if name not in ("pip", "make")
    }
    assert "--editable ." in from_pip and environment["channels"] == ["conda-forge"]


def test_ranges_not_pins(project):
    for name, allowed in ranges(project["dependencies"]).items():
        assert re.fullmatch(r">=[\d.]+", allowed), name


def test_everything_imported_is_asked_for(project):
    asked = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in ranges(project["dependencies"])}
    asked |= {"colorlib", "kagglehub", "av", "streamlit"} | set(sys.stdlib_module_names)  # extras among them
    # each comes with a package that is asked for
    asked |= {"IPython", "jupyter_client", "nbclient", "requests", "traitlets", "scipy"}
    for path in (ROOT / "colorlib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in asked, f"{path.relative_to(ROOT)} imports {name}"


def test_make_help_and_the_study_command():
    assert "make study" in subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    command = ["make", "-n", "study", "STUDY=photos", "DATA=my photos", "JOBS=3", "COLORLIB_PYTHON=python"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 'python -m colorlib study "photos"' in said and '--data "my photos" --jobs "3"' in said.replace("\\\n", "")


def test_set_up_scripts_are_posix_shell():
    for script in ("install.sh", ".ci/run"):
        subprocess.run(["sh", "-n", ROOT / script], check=True)
        assert (ROOT / script).stat().st_mode & 0o111, script
