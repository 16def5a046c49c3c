"""Notebooks: each runs from top to bottom, with a smaller budget than its own; what they import is there; and the one
for any network, where its defaults do not lead it."""

import ast
import importlib
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import nbformat
import pandas as pd
import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

from colorlib import plots
from colorlib.data import DATASETS
from colorlib.models import MODELS
from colorlib.models.base import Network
from colorlib.runs.run import Run
from colorlib.studies.file import load_study
from colorlib.studies.notebook import execute, notebook_parameters

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
ANY = next(path for path in NOTEBOOKS if path.stem == "22_any_network")


def code(path):
    """Return the syntax trees of a notebook's code cells."""
    cells = nbformat.read(path, as_version=4).cells
    return [ast.parse(cell.source) for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_notebook_imports_from_colorlib_is_there(path):
    imports = [node for tree in code(path) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imports = [node for node in imports if node.module.split(".")[0] == "colorlib"]
    assert imports
    for node in imports:
        room = importlib.import_module(node.module)
        for name in node.names:
            if not hasattr(room, name.name):
                importlib.import_module(f"{node.module}.{name.name}")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_figures_are_begun_in_the_studys_look_and_their_letters_are_large_enough_for_a_telephone(path):
    nodes = [node for tree in code(path) for node in ast.walk(tree)]
    imported = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    assert not [name for name in imported if name.startswith(("matplotlib", "seaborn"))]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    sizes = [word.value for call in calls for word in call.keywords if word.arg in ("fontsize", "labelsize")]
    drawn = [call for call in calls if "new_figure" in ast.unparse(call.func)]
    widths = [word.value for call in drawn for word in call.keywords if word.arg == "width"]
    assert all(size.value >= plots.SMALL for size in sizes if isinstance(size, ast.Constant))
    assert all(isinstance(width, ast.Constant) and width.value <= plots.WIDTH for width in widths)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_expected_is_put_to_the_test(path):
    waiting, unchecked = None, []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown" and re.search(r"\bwe\s+expect", cell.source, re.IGNORECASE):
            unchecked += [waiting] if waiting else []
            waiting = cell.id
        elif cell.cell_type == "code" and "expected(" in cell.source:
            waiting = None
    assert unchecked + ([waiting] if waiting else []) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_exercise_waits_for_its_answer_and_checks_it(path):
    cells = nbformat.read(path, as_version=4).cells
    answers = [cell.source for cell in cells if cell.cell_type == "code" and cell.source.startswith("answer = ")]
    assert len(answers) == 3
    assert all(re.match(r"answer = None  # \S+", source) and "check(" in source for source in answers)


SMALL = {
    "IMAGES_SEEN": 32,
    "BATCH_SIZE": 8,
    "PHOTOS": 40,
    "SCENES": 40,
    "REDRAWN": 2,
    "PASSES": 3,
    "CRITIC_STEPS": 4,
    "FEW": 2,
    "STEPS": 10,
    "COLOR_SPACES": ["lab", "rgb", "hsl"],
    "GARMENTS": 5,
    "SIDE": 128,
}
SMALLER = {
    "30_objectives": {"OBJECTIVES": {"l1": {}, "rebalanced_ce": {}, "pix2pix": {"critic_width": 4}}},
    "35_pretraining": {"PHOTOGRAPHS": [10, 20]},  # the scenes of the tests are fewer than it asks for
    "81_budgets": {"SEEDS": [0]},
}


@pytest.fixture
def shell():
    """IPython in this process, where a kernel for each notebook would import everything anew."""
    shell = InteractiveShell.instance(
        config=Config({"HistoryManager": {"enabled": False}}), user_module=ModuleType("notebook")
    )
    yield shell
    shell.reset()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, shell, scenes_of_64, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(DATASETS, "scenes", replace(DATASETS["scenes"], open=lambda size=64: scenes_of_64))
    asked = notebook_parameters(path)
    given = {name: value for name, value in (SMALL | SMALLER.get(path.stem, {})).items() if name in asked}
    notebook = parameterize_notebook(load_notebook_node(str(path)), given, kernel_name="python3", language="python")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shell.run_cell(cell.source).raise_error()


def write_study(folder, **row):
    content = {"title": "Tiny", "data": {"name": "scenes"}, "rows": [{"notebook": ANY.stem, "OBJECTIVE": "l1"} | row]}
    (folder / "studies").mkdir(exist_ok=True)
    (folder / ANY.name).write_bytes(ANY.read_bytes())
    (folder / "studies" / "tiny.yml").write_text(yaml.safe_dump(content))
    return folder / "studies" / "tiny.yml"


def test_a_study_takes_whatever_stands_in_models(tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, "mine", Network)
    rows = load_study(write_study(tmp_path, MODEL=list(MODELS))).rows
    assert [row.parameters["MODEL"] for row in rows] == list(MODELS) and "mine" in MODELS
    assert all(row.parameters["OBJECTIVE"] == "l1" for row in rows)
    with pytest.raises(ValueError, match="unknown model 'mien'; did you mean 'mine'"):
        load_study(write_study(tmp_path, MODEL="mien"))


def test_any_network_is_trained_explained_and_judged_under_its_own_name(tiny_scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, label = tmp_path / "run", "diffusion (width 8, blocks 1) · l1"
    given = {"DATA": str(tiny_scenes.folder), "RUN": str(run), "MODEL": "diffusion", "IMAGES_SEEN": 16, "BATCH_SIZE": 8}
    given["SWEEP"] = {"rates": [1.0e-3, 4.0e-3], "images": 8}
    assert execute(ANY, tmp_path / "out.ipynb", given) is None
    assert Run(run).label == label and Run(run).finished
    sweep = pd.read_csv(run / "sweep.csv")
    assert sweep["learning_rate"][sweep["val_loss"].idxmin()] == Run(run).config["learning_rate"]
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    streams = [output for cell in cells for output in cell.get("outputs", []) if output.output_type == "stream"]
    said = "".join(stream.text for stream in streams if stream.name == "stdout")
    assert f"Here: {label}" in said and f"{label}: ΔE2000 " in said
    assert "diffusion takes no hints." in said and "gives one answer" not in said
