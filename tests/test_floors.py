"""The laws of the house that a machine can check, read from the drawing in ARCHITECTURE.md and from the imports."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "colorlib"
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
LONGEST = 300  # lines of a module, unless ARCHITECTURE.md says why


def read_floors(text: str) -> dict[str, tuple[int, bool]]:
    """Return room -> (floor, whether its floor's rooms are sisters), from lines ``floor 2 ‖ models/ metrics/ …``."""
    floors = {}
    for number, sisters, rooms in re.findall(r"^floor (\d+) ([‖ ]) +([^·\n]+)", text, re.MULTILINE):
        floors |= {room.rstrip("/"): (int(number), sisters == "‖") for room in rooms.split()}
    return floors


FLOORS = read_floors(ARCHITECTURE)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(LIBRARY.rglob("*.py"))
}


def imported_modules(source: str, known: set[str], for_types: bool = True) -> set[str]:
    """Return the modules of colorlib that a module imports, inside functions too.

    Args:
        for_types: whether those count that are imported under TYPE_CHECKING, which are never run.
    """
    names = []
    tree = ast.parse(source)
    if not for_types:
        tree.body = [
            node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                names.append(submodule if submodule in known else node.module)
    return {name for name in names if name in known}


IMPORTS = {name: imported_modules(path.read_text(encoding="utf-8"), set(MODULES)) for name, path in MODULES.items()}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def looks_up(room: str, other: str) -> bool:
    """Say whether ``room`` may not see ``other``: it lies above, or beside it where the floor's rooms are sisters."""
    (floor, sisters), (others, _) = FLOORS[room], FLOORS[other]
    return room != other and (others > floor or (others == floor and sisters))


def test_the_drawing_has_every_room_and_no_other():
    assert set(FLOORS) == {room_of(module) for module in MODULES} - {"", "__main__"}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"colorlib", "colorlib.__main__"}))
def test_no_module_looks_up(module):
    seen = {room_of(other) for other in IMPORTS[module]} - {""}
    assert {other for other in seen if looks_up(room_of(module), other)} == set()


def test_importing_colorlib_imports_no_room():
    code = "import sys, colorlib; print([name for name in sys.modules if name.startswith('colorlib.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("room", ["runs", "deployment"])
def test_a_room_imports_what_it_hands_on_when_that_is_asked_for(room):
    code = f"import sys, colorlib.{room}; print([name for name in sys.modules if name.startswith('colorlib.{room}.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    module = import_module(f"colorlib.{room}")
    assert all(getattr(module, name) is not None for name in module.__all__) and {*module.__all__} <= {*dir(module)}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_colouring_photographs_imports_no_tables_and_no_films():
    code = "import sys, colorlib.deployment.batch, colorlib.deployment.loading; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"pandas", "scipy", "colorlib.data", "colorlib.deployment.film"} & {*done.stdout.split()}


def test_no_import_goes_in_a_circle():
    texts = {module: path.read_text(encoding="utf-8") for module, path in MODULES.items()}
    graph = {module: imported_modules(text, set(MODULES), False) - {module} for module, text in texts.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import one another: {' -> '.join(error.args[1])}")


def test_long_modules_say_why():
    """A module of more than 300 lines stands in ARCHITECTURE.md's list of them, and no other does."""
    section = ARCHITECTURE.partition("## Long modules")[2].partition("\n## ")[0]
    excused = set(re.findall(r"`(colorlib/[\w/]+\.py)`", section))
    long = {
        str(path.relative_to(ROOT)) for path in MODULES.values() if len(path.read_text("utf-8").splitlines()) > LONGEST
    }
    assert long == excused


def test_no_module_has_a_name_of_the_standard_library_where_it_could_be_taken_for_it():
    """Imports are absolute, so only a module at the top of a path could shadow one; none is run as a script there."""
    assert all("sys.path" not in path.read_text("utf-8") for path in MODULES.values())


def test_networks_are_not_probed():
    """What a network can do is declared in models/base.py; nobody asks it by a string."""
    probing = re.compile(r"(has|get)attr\(\w*(network|model|objective|colorizer)\b")
    assert [name for name, path in MODULES.items() if probing.search(path.read_text("utf-8"))] == []


def test_the_checks_see_what_they_should():
    floors = read_floors("floor 2 ‖  models/  metrics/  · sisters\nfloor 1    color/  files\n")
    assert floors == {"models": (2, True), "metrics": (2, True), "color": (1, False), "files": (1, False)}
    known = {"colorlib.data", "colorlib.data.store", "colorlib.runs"}
    assert imported_modules("def f():\n    from colorlib import runs\nimport colorlib.data.store", known) == {
        "colorlib.data.store",
        "colorlib.runs",
    }
    assert imported_modules("from colorlib.data import store, open_dataset", known) == {
        "colorlib.data.store",
        "colorlib.data",
    }
    source = "if TYPE_CHECKING:\n    from colorlib.data import store\nfrom colorlib import runs"
    assert imported_modules(source, known) - imported_modules(source, known, False) == {"colorlib.data.store"}
    assert looks_up("data", "runs") and looks_up("models", "objectives") and looks_up("studies", "reports")
    assert not looks_up("cli", "studies") and not looks_up("data", "color") and not looks_up("color", "files")
