"""What a row's stamp counts: each file of the library is edited in a copy, one at a time."""

import ast
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from colorlib import imports
from colorlib.runs.run import ExperimentConfig, notebook_folder
from colorlib.studies.file import Row, Study, load_study
from colorlib.studies.stamp import plan

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "colorlib"
DATA = SimpleNamespace(fingerprint="0123", source=Path("data/tiny"))
ROWS = {  # notebook, parameters
    "unet": ("network", {"MODEL": "unet", "OBJECTIVE": "pix2pix"}),
    "eccv16": ("network", {"MODEL": "eccv16", "OBJECTIVE": "rebalanced_ce"}),
    "vit": ("network", {"MODEL": "vit", "OBJECTIVE": {"perceptual": 1.0, "huber": 2.0}}),
    "baselines": ("baselines", {"MODEL": "", "OBJECTIVE": ""}),
}
NETWORK = """from colorlib import plots
from colorlib.data import open_dataset
from colorlib.models import create_model
from colorlib.reports import describe_run
from colorlib.runs import ExperimentConfig, train_and_judge
from colorlib.statistics import paired_difference
data = open_dataset(DATA)
colorizer, run = train_and_judge(ExperimentConfig(MODEL, OBJECTIVE), data, RUN)
plots.show_photos([])"""
BASELINES = """%matplotlib inline
from colorlib.data import open_dataset
from colorlib.runs import BASELINES, judge
for name, make in BASELINES.items():
    judge(make(open_dataset(DATA)), data, f"{RUN}/{name}", name)"""
# What makes a run's folder. Whatever else is in the library shows it, colours photographs, or starts the rows.
COUNTED = {"color", "data", "distributed", "files", "imagenet", "imports", "judges", "machine", "metrics", "models"}
COUNTED |= {"bars", "objectives", "pictures", "processes", "registry", "runs", "statistics"}
TRAINED = {"unet", "eccv16", "vit"}
OWN = {  # files that some of the rows rest on, and those rows
    "models/blocks.py": TRAINED,
    "objectives/adversarial.py": {"unet"},
    "objectives/critics.py": {"unet"},
    "objectives/classification.py": {"eccv16", "baselines"},  # an oracle knows its weights
    "objectives/perceptual.py": {"vit"},
    "objectives/regression.py": {"unet", "vit"},
    "color/spaces.py": {"unet", "vit"},
    "runs/baselines.py": {"baselines"},
    "runs/standing.py": set(),  # what judging prints
    "statistics/differences.py": TRAINED,  # by which NETWORK compares
}
EVERY = {"color/hints.py", "color/lab.py", "data/store.py", "metrics/fidelity.py", "metrics/sets.py", "registry.py"}
EVERY |= {"models/base.py", "models/weights.py", "objectives/base.py", "runs/evaluation.py", "runs/training.py"}
EVERY |= {"statistics/intervals.py"}
SEEDS = {"0", "1", "2", "3", "4"}
FILES = sorted(path.relative_to(LIBRARY).as_posix() for path in LIBRARY.rglob("*.py"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Iterator[Path]:
    """A copy of the library, which imports are followed in."""
    copy = tmp_path_factory.mktemp("copy") / "colorlib"
    shutil.copytree(LIBRARY, copy, ignore=lambda _, names: [name for name in names if name.endswith(".safetensors")])
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(imports, "LIBRARY", copy)
        yield copy


@pytest.fixture(scope="module")
def stamps(copy, tmp_path_factory) -> Callable[[], dict[str, str]]:
    """Gives the rows' stamps as the copy stands."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name, code in (("network", NETWORK), ("baselines", BASELINES)):
        parameters = new_code_cell('MODEL = ""\nOBJECTIVE = ""', metadata={"tags": ["parameters"]})
        nbformat.write(new_notebook(cells=[parameters, new_code_cell(code)]), folder / f"{name}.ipynb")
    rows = [Row(folder / f"{notebook}.ipynb", parameters) for notebook, parameters in ROWS.values()]
    study = Study(folder / "tiny.yml", "Tiny", "", {}, [], {}, rows)
    return lambda: dict(
        zip(ROWS, (row["id"].rpartition("-")[2] for row in plan(study, DATA, Path("runs"))), strict=True)
    )


@pytest.fixture(scope="module")
def before(stamps) -> dict[str, str]:
    return stamps()


@pytest.fixture
def changed_by(copy, stamps, before) -> Iterator[Callable[[str, Callable[[str], str]], set[str]]]:
    """Edits a file of the copy and gives the rows whose stamp is another then; the file is put back."""
    originals = {}

    def changed_by(file: str, edit: Callable[[str], str]) -> set[str]:
        text = originals.setdefault(copy / file, (copy / file).read_text(encoding="utf-8"))
        assert edit(text) != text
        (copy / file).write_text(edit(text), encoding="utf-8")
        after = stamps()
        (copy / file).write_text(text, encoding="utf-8")
        return {row for row in ROWS if after[row] != before[row]}

    yield changed_by
    for path, text in originals.items():
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_an_edit_changes_the_stamps_of_the_rows_that_rest_on_it(changed_by, file):
    changed = changed_by(file, lambda text: text + "\n\ndef edited():\n    return 1\n")
    network = file.removeprefix("models/").removesuffix(".py")
    if file.endswith("__init__.py") or file.split("/")[0].removesuffix(".py") not in COUNTED:
        assert not changed
    elif file in OWN:
        assert changed == OWN[file]
    elif file in EVERY:
        assert changed == set(ROWS)
    elif file.startswith("models/"):
        assert changed == {network} & TRAINED
    else:
        assert changed in (set(), set(ROWS))


@pytest.mark.parametrize("file", sorted({*EVERY, *OWN} & set(FILES)))
def test_comments_and_docstrings_do_not_count(changed_by, file):
    def say(text: str) -> str:
        return "# a comment\n" + re.sub(r'^(\s*""")(?=[A-Z])', r"\1Well: ", text, flags=re.MULTILINE)

    assert not changed_by(file, say)


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        *[(file, True) for file in ("models/unet.py", "objectives/critics.py", "statistics/intervals.py")],
        *[(file, True) for file in ("runs/training.py", "runs/evaluation.py", "color/hints.py")],
        *[(file, False) for file in ("models/vit.py", "objectives/classification.py", "app/main.py")],
        *[
            (file, False)
            for file in ("runs/baselines.py", "deployment/film.py", "studies/engine.py", "reports/report.py")
        ],
        *[(file, False) for file in ("runs/standing.py", "statistics/differences.py")],  # a printed line
    ],
)
def test_the_folder_of_a_notebook_without_a_study_counts_the_same(copy, file, counts):
    def names() -> tuple[str, str]:
        network = notebook_folder("unet", "0123", ExperimentConfig("unet", "pix2pix"))
        return network.name, notebook_folder("baselines", "0123").name

    before, text = names(), (copy / file).read_text(encoding="utf-8")
    (copy / file).write_text(text + "\n\nEDITED = 1\n", encoding="utf-8")
    after = names()
    (copy / file).write_text(text, encoding="utf-8")
    assert (after[0] != before[0]) == counts
    if file.startswith("runs/"):
        assert (after[1] != before[1]) == (file != "runs/standing.py")


TOY = {
    "__init__.py": "def __getattr__(name):\n    from colorlib.models import MODELS",
    "models/__init__.py": """from colorlib.models.unet import UNet
from colorlib.models.vit import ViT, attend
MODELS = {"unet": UNet, "vit": ViT}
WIDTH = 8
def create_model(name):
    return MODELS[name](WIDTH)
def other():
    return attend()""",
    "models/unet.py": "from colorlib.models.blocks import conv\nclass UNet: ...",
    "models/vit.py": "class ViT: ...",
    "models/blocks.py": "import colorlib.registry as registry",
    "objectives/__init__.py": """from colorlib.objectives import gan
from colorlib.objectives.l1 import L1
OBJECTIVES = {"l1": L1, "gan": gan.GAN}
SUMS = {"sum": {"l1": 100.0, "gan": 1.0}, "other": {"l1": 2.0}}
def create_objective(name):
    return SUMS.get(name, OBJECTIVES)""",
    "objectives/gan.py": "class GAN: ...",
    "objectives/l1.py": "class L1: ...",
    "plots.py": "",
    "registry.py": "",
    "reports/__init__.py": "from colorlib.reports.words import number",
    "reports/figures.py": "def f():\n    from colorlib import plots",
    "reports/words.py": "def number(): ...",
}
UNET = ["models.blocks", "models.unet", "registry"]
MODEL = ["models.MODELS", "models.WIDTH", "models.create_model"]
OBJECTIVE = ["objectives.OBJECTIVES", "objectives.SUMS", "objectives.create_objective"]


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A library of few lines, which imports are followed in."""
    library = tmp_path / "colorlib"
    for file, text in TOY.items():
        (library / file).parent.mkdir(parents=True, exist_ok=True)
        (library / file).write_text(text)
    monkeypatch.setattr(imports, "LIBRARY", library)
    return library


@pytest.mark.parametrize(
    ("source", "words", "found"),
    [
        ("import json", [], []),
        ("from colorlib import registry", [], ["registry"]),
        ("import colorlib.registry", [], ["registry"]),
        ("import colorlib.models.unet as unet\nunet.UNet", [], UNET),
        ("def f():\n    from colorlib.registry import look_up", [], ["registry"]),
        ("from colorlib.models import MODELS", [], ["models.MODELS"]),
        ("from colorlib.models import MODELS", ["unet"], ["models.MODELS", *UNET]),
        ("from colorlib.models import MODELS\nMODELS['unet']", [], ["models.MODELS", *UNET]),
        ("from colorlib import models\nmodels.MODELS['unet']", [], ["models.MODELS", *UNET]),
        ("from colorlib.models import UNet", [], UNET),
        ("from colorlib.models import create_model", ["vit"], [*MODEL, "models.vit"]),
        ("from colorlib.models import attend, nothing", [], ["models.vit"]),
        ("from colorlib.models import other", [], ["models.other", "models.vit"]),
        ("from colorlib.models import *", [], [*MODEL, "models.other", "models.vit", *UNET]),
        ("import colorlib\ncolorlib.load()", [], []),
        ("from colorlib import MODELS", ["vit"], ["models.MODELS", "models.vit"]),
        ("from colorlib.objectives import create_objective", ["l1"], [*OBJECTIVE, "objectives.l1"]),
        ("from colorlib.objectives import create_objective", ["sum"], [*OBJECTIVE, "objectives.gan", "objectives.l1"]),
        ("from colorlib import plots\nplots.show()", [], []),
        ("from colorlib.reports import number", [], []),  # its room draws
    ],
)
def test_imports_are_followed_however_they_are_written(toy, source, words, found):
    assert sorted(imports.reached(source, words)) == sorted(f"colorlib.{name}" for name in found)


@pytest.mark.parametrize(
    ("file", "old", "new", "counts"),
    [
        ("models/__init__.py", "MODELS[name](WIDTH)", "MODELS[name](2 * WIDTH)", True),
        ("models/__init__.py", "WIDTH = 8", "WIDTH = 16", True),
        ("models/__init__.py", "return attend()", "return None", False),
        ("models/__init__.py", '"vit": ViT', '"vit": ViT, "another": ViT', False),
        ("models/__init__.py", '"unet": UNet', '"unet": ViT', True),
        ("models/vit.py", "class", "class Another: ...\nclass", False),
        ("models/unet.py", "class", "class Another: ...\nclass", True),
        ("objectives/__init__.py", "100.0", "10.0", True),
        ("objectives/__init__.py", "2.0", "3.0", False),
        ("objectives/gan.py", "class", "class Another: ...\nclass", True),
    ],
)
def test_of_a_room_only_the_definitions_that_are_asked_for_count(toy, file, old, new, counts):
    source = "from colorlib.models import create_model\nfrom colorlib.objectives import create_objective"
    before = imports.digest(source, ["unet", "sum"])
    assert old in TOY[file]
    (toy / file).write_text(TOY[file].replace(old, new))
    assert (imports.digest(source, ["unet", "sum"]) != before) == counts


def test_a_colorizer_that_is_deployed_counts_where_a_row_judges_it():
    found = imports.reached("from colorlib import load_colorizer", [])
    assert {"colorlib.deployment.colorizer", "colorlib.deployment.loading"} <= set(found)
    assert not {"colorlib.deployment.film", "colorlib.deployment.contact_sheet"} & set(found)


def test_everything_of_a_room_is_asked_for_by_a_star():
    found = imports.reached("from colorlib.runs import *", [])
    assert {f"colorlib.runs.{name}" for name in ("baselines", "evaluation", "exchange", "training")} <= set(found)


@pytest.mark.parametrize("file", sorted((ROOT / "notebooks" / "studies").glob("*.yml")), ids=lambda file: file.stem)
def test_the_studies_rows_rest_on_what_makes_a_run_and_on_nothing_else(monkeypatch, file):
    monkeypatch.chdir(ROOT)
    seen = set()
    monkeypatch.setattr(imports, "digest", lambda source, words: seen.add((source, frozenset(words) - SEEDS)) or "")
    plan(load_study(file), DATA, Path("runs"))
    monkeypatch.undo()
    assert seen
    for source, words in seen:
        names = set(imports.reached(source, words))
        assert {name.split(".")[1] for name in names} <= COUNTED
        assert {"colorlib.runs.evaluation", "colorlib.statistics.intervals", "colorlib.color.hints"} <= names


def test_a_field_that_another_python_adds_does_not_count():
    old, new = (ast.parse("def f(x, y=None):\n    return [x, 'y', 0]") for _ in range(2))
    for node in ast.walk(new):
        node._fields, node.type_params = (*node._fields, "type_params"), []
    shorter = ast.parse("def f(x, y=None):\n    return [x, 'y']")
    assert imports._code(new) == imports._code(old) != imports._code(shorter)
