"""The study file: YAML, read and checked word by word."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from colorlib.files import NOTEBOOKS
from colorlib.registry import look_up
from colorlib.studies.notebook import find_notebook, notebook_parameters, shell_line
from colorlib.studies.resources import RESOURCES, ROW_HOURS, read_resources

PICTURES = {"bundled": "the photographs that ship inside scikit-image", "test": "photographs of the study's test split"}
LONGEST_ALIAS = 24  # characters
GIVEN = ("DATA", "RUN")  # parameters that the study itself sets in every row
_KEYS = {
    "title": str,
    "question": str,
    "data": dict,
    "pictures": list,
    "margin": dict,
    "resources": dict,
    "row_hours": float,
    "defaults": dict,
    "rows": list,
}
_OF_A_ROW = ("notebook", "alias", "resources", "row_hours")  # what it says beside its notebook's parameters


@dataclass(frozen=True)
class Row:
    """One notebook with its parameters.

    Attributes:
        notebook: path of the notebook.
        parameters: what the study file says, DATA and RUN apart.
        own: the names among them that the row, not the study's defaults, gives.
        alias: what reports call it; "" leaves that to them. It decides nothing of what is run.
        resources: ``memory_gb``, ``threads``, ``gpus`` and ``hours``, the most that it may take at a time. They decide
            nothing of what is run either: a row that is run again goes on from its checkpoint.
    """

    notebook: Path
    parameters: dict[str, Any]
    own: tuple[str, ...] = ()
    alias: str = ""
    resources: dict[str, float] = field(default_factory=lambda: RESOURCES | {"hours": ROW_HOURS})

    @property
    def effective(self) -> dict[str, Any]:
        """What decides the row: its parameters, and the notebook's own values of those that it does not say."""
        values = notebook_parameters(self.notebook) | self.parameters
        return {name: value for name, value in values.items() if name not in GIVEN}


@dataclass(frozen=True)
class Study:
    """A study file, read and checked.

    Attributes:
        data: ``{"name": …, options}`` or ``{"folder": …}``.
        pictures: what the report may show, of ``PICTURES``.
        margin: metric name -> the largest difference that does not matter.
        rows: lists spread out, one row for each value; those of a seed before those of the next, small budgets first.
    """

    path: Path
    title: str
    question: str
    data: dict[str, Any]
    pictures: list[str]
    margin: dict[str, float]
    rows: list[Row]

    @property
    def name(self) -> str:
        return self.path.stem


def find_study(name: str) -> Path:
    """Return the file of a study: of a path the path, of a name that in ``notebooks/studies``, here or of colorlib.

    Raises:
        FileNotFoundError: no study has that name; the message names those there are.
    """
    if Path(name).suffix in (".yml", ".yaml"):
        return Path(name)
    folders = (Path("notebooks/studies"), NOTEBOOKS / "studies")
    known = {path.stem: path for folder in reversed(folders) for path in sorted(folder.glob("*.yml"))}
    if name not in known:
        raise FileNotFoundError(f"there is no study file {folders[0] / name}.yml; studies by name: {', '.join(known)}.")
    return known[name]


def load_study(path: Path | str) -> Study:
    """Read a study file and check every word of it against the notebooks and the registries.

    Raises:
        FileNotFoundError: no such file, or a row's notebook does not exist.
        ValueError, TypeError: anything misspelt, of the wrong type or missing; the message says where.
    """
    path = Path(path)
    content = _read_yaml(path)
    for key, value in content.items():
        kind = look_up(_KEYS, key, f"key in {path}")
        if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
            raise TypeError(f"{path}: {key} must be {_KIND_NAMES[kind]}, not {value!r}.")
    for key in ("title", "data", "rows"):
        if not content.get(key):
            raise ValueError(f"{path} has no {key}.")
    usual = read_resources(content, RESOURCES | {"hours": ROW_HOURS}, str(path))
    pictures = content.get("pictures", ["bundled", "test"])
    for name in pictures:
        look_up(PICTURES, name, "kind of pictures")
    defaults = content.get("defaults", {})
    rows = [row for n, entry in enumerate(content["rows"], 1) for row in _read_row(path, n, entry, defaults, usual)]
    known = set().union(*(notebook_parameters(row.notebook) for row in rows))
    _refuse_given(defaults, f"defaults of {path}")
    for name in defaults:
        look_up(dict.fromkeys(known), name, f"parameter under defaults in {path}")
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if (same := seen.setdefault(f"{row.notebook} {sorted(row.effective.items())}", number)) != number:
            raise ValueError(
                f"{path}: runs {same} and {number} are the same ({row.notebook.stem}, {row.parameters or 'as it is'}; "
                "what a row does not say is the notebook's own value); leave one out."
            )
    margin = {name: _margin(path, name, value) for name, value in content.get("margin", {}).items()}
    # One that is stopped early has seen each row once; of a seed's rows each budget's go on from the smaller one's.
    rows.sort(key=lambda row: (row.parameters.get("SEED", 0), row.parameters.get("IMAGES_SEEN", math.inf)))
    about = path, content["title"], content.get("question", ""), content["data"]
    return Study(*about, pictures, margin, rows)


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        near = [file.name for file in sorted(path.parent.glob("*.yml"))]
        raise FileNotFoundError(f"there is no study file {path}; beside it: {', '.join(near) or 'nothing'}.")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not readable YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a study: it must hold title, data and rows.")
    return content


class _Loader(yaml.SafeLoader):
    """YAML in which no key may stand twice in one table: the later would count and a reader may see the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key!r} stands twice in one table, leave one out", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


def _refuse_given(names: Iterable[str], where: str) -> None:
    for name in names:
        if name in GIVEN:
            raise ValueError(
                f"{where}: {name} is the study's own to give; write the photographs under data, and leave it out here."
            )


def _margin(path: Path, name: str, value: object) -> float:
    from colorlib.metrics import METRICS

    look_up(METRICS, name, "metric")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise TypeError(f"{path}: margin.{name} must be a number of 0 or more, not {value!r}.")
    return float(value)


def _read_row(
    path: Path, number: int, entry: object, defaults: dict[str, Any], usual: dict[str, float]
) -> Iterator[Row]:
    where = f"row {number} of {path}"
    if not isinstance(entry, dict) or not isinstance(entry.get("notebook"), str):
        raise ValueError(f"{where} names no notebook; write for example {{notebook: 12_unet, OBJECTIVE: l1}}.")
    notebook = find_notebook(path, entry["notebook"])
    known = notebook_parameters(notebook)
    if shell := shell_line(notebook):
        raise ValueError(
            f"{notebook} runs the shell line {shell!r}, whose failure would go unseen; write it in Python."
        )
    if "RUN" not in known:
        raise ValueError(f"{notebook} has no parameter RUN, the folder to write its results to; it cannot be a row.")
    own = {name: value for name, value in entry.items() if name not in _OF_A_ROW}
    _refuse_given(own, where)
    for name in own:
        look_up({key: None for key in known if key not in GIVEN}, name, f"parameter in {where} ({notebook.name})")
    given = {name: value for name, value in defaults.items() if name in known} | own
    choices = {}
    for name, value in given.items():
        spread = isinstance(value, list) and not isinstance(known[name], list)
        if spread and not value:
            raise ValueError(f"{where}: {name} is an empty list.")
        values = value if spread else [value]
        choices[name] = [check_parameter(name, one, known[name], where) for one in values]
    named = tuple(name for name, values in choices.items() if name in own or len(values) > 1)
    alias = _alias(where, entry.get("alias", ""))
    resources = read_resources(entry, usual, where)
    different = math.prod(len(values) for name, values in choices.items() if name != "SEED")
    if alias and different > 1:
        raise ValueError(f"{where} is {different} rows, which cannot all be called {alias!r}; write them apart.")
    for combination in itertools.product(*choices.values()):
        yield Row(notebook, dict(zip(choices, combination, strict=True)), named, alias, resources)


def _alias(where: str, value: object) -> str:
    if not isinstance(value, str) or value.strip() != value or len(value) > LONGEST_ALIAS or not value.isprintable():
        raise ValueError(f"{where}: alias must be a name of at most {LONGEST_ALIAS} characters, not {value!r}.")
    return value


_KIND_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table of names and values",
}


def check_parameter(name: str, value: Any, default: object, where: str) -> Any:
    """Return ``value`` as the notebook's parameter takes it.

    Args:
        name: of the parameter; MODEL, OBJECTIVE and BASELINE (plural too) are looked up in their registries.
        default: the notebook's own; its type is what ``value`` must have. None accepts any.
        where: begins the message.

    Raises:
        TypeError: of another type, such as YAML's ``1e-4``, which is text.
        ValueError: an unknown model, objective or baseline.
    """
    if isinstance(default, list):
        if not isinstance(value, list):
            raise TypeError(f"{where}: {name} must be a list like {default!r}, not {value!r}.")
        return [check_parameter(name, one, default[0] if default else None, where) for one in value]
    if isinstance(value, str) and not isinstance(default, str) and (number := _number_in(value)) is not None:
        # YAML 1.1 takes a number with an exponent for text unless it has both a point and a sign
        number = int(number) if isinstance(default, int) and number.is_integer() else number
        raise TypeError(f"{where}: {name}: {value} is text to YAML, not a number; write {yaml.safe_dump(number)[:-5]}.")
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    objective = name == "OBJECTIVE" and isinstance(value, dict | str)  # a sum or a name, whatever the default is
    if default is not None and type(value) is not type(default) and not objective:
        raise TypeError(f"{where}: {name} must be {_KIND_NAMES[type(default)]} like {default!r}, not {value!r}.")
    if objective or (name == "OBJECTIVES" and isinstance(value, str)):
        from colorlib.objectives import terms_of

        terms_of(value)
    elif isinstance(value, str) and name.removesuffix("S") in ("MODEL", "BASELINE"):
        look_up(_registry(name.removesuffix("S")), value, name.removesuffix("S").lower())
    return value


def _number_in(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _registry(name: str) -> Mapping[str, Any]:
    if name == "MODEL":
        from colorlib.models import MODELS

        return MODELS
    from colorlib.runs.baselines import BASELINES

    return BASELINES
