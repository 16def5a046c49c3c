"""The house's law: a module imports from lower floors, or from its own room, and never looks up."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "colorlib"
FLOORS = (
    {
        "appearance",
        "color",
        "features",
        "gamut",
        "hints",
        "oldfilm",
        "profiles",
        "registry",
        "files",
        "processes",
        "steadiness",
    },
    {"data", "models", "objectives", "metrics"},
    {"training", "evaluation", "experiment", "baselines", "curves", "recognition", "statistics"},
    {
        "plots",
        "human_study",
        "comparison",
        "contact_sheet",
        "film",
        "findings",
        "report",
        "study",
        "colorize",
        "deployment",
        "engine",
        "pictures",
    },
    {"app", "cli", "__main__"},
)
MODULES = sorted(LIBRARY.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def imported_rooms(source: str) -> set[str]:
    """Return the rooms of colorlib that a module imports, inside functions too."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    parts = [name.split(".") for name in names]
    rooms = {part[1] for part in parts if part[0] == "colorlib" and len(part) > 1}
    return rooms & set().union(*FLOORS)


def looks_up(room: str, imported: set[str]) -> set[str]:
    """Return the imported rooms that ``room`` may not see: those above, and on floor 1 the sisters."""
    floor = floor_of(room)
    return {other for other in imported - {room} if floor_of(other) > floor or (floor == 1 and floor_of(other) == 1)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_no_module_looks_up(path):
    if path == LIBRARY / "__init__.py":
        assert not imported_rooms(path.read_text(encoding="utf-8"))
    else:
        assert not looks_up(room_of(path), imported_rooms(path.read_text(encoding="utf-8")))


def test_the_check_sees_what_it_should():
    assert imported_rooms("def f():\n    from colorlib import training\nimport colorlib.data.store") == {
        "training",
        "data",
    }
    assert looks_up("data", {"training", "color"}) == {"training"}
    assert looks_up("models", {"objectives"}) == {"objectives"}
    assert looks_up("cli", {"study", "data"}) == set()
