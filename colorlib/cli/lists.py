"""``colorlib list``: what can be named in a study, and the colorizers that ship.

What is said of an entry stands beside its code, as a docstring or as ``about``. It is read from the source there and
not from the registries: whoever imports those waits seconds for torch.
"""

import argparse
import ast
import json
import textwrap
from collections.abc import Iterator
from typing import Any

from colorlib.cli.command import Commands, add_command
from colorlib.files import LIBRARY
from colorlib.registry import describe_sum, look_up

KINDS = ("data", "models", "objectives", "metrics", "baselines", "colorizers")
COLUMNS = 100


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "list",
        "List what can be named in a study, and the colorizers that ship.",
        "  colorlib list\n  colorlib list metrics",
    )
    parser.add_argument("kind", nargs="?", metavar="KIND", help=f"only these: {', '.join(KINDS)}")


def run(options: argparse.Namespace) -> int:
    if options.kind:
        look_up(dict.fromkeys(KINDS), options.kind, "kind")
    for kind in [options.kind] if options.kind else KINDS:
        print(f"{kind}:")
        entries = descriptions(kind)
        width = max(map(len, entries), default=0)
        for name, about in entries.items():
            print(
                textwrap.fill(about, COLUMNS, initial_indent=f"  {name:{width}}  ", subsequent_indent=" " * (width + 4))
            )
    return 0


def descriptions(kind: str) -> dict[str, str]:
    """Return what is said of each entry of a kind, in the order of its registry."""
    if kind == "data":
        sets = {name: _keywords(entry) for name, entry in _entries("data", "DATASETS")}
        return {name: f"{dataset['about']} Licence: {dataset['licence']}" for name, dataset in sets.items()}
    if kind == "models":
        return _first_lines("models", "MODELS")
    if kind == "objectives":
        sums = {name: describe_sum(ast.literal_eval(terms)) for name, terms in _entries("objectives", "SUMS")}
        return _first_lines("objectives", "OBJECTIVES") | sums
    if kind == "metrics":
        metrics = {name: _keywords(entry) for name, entry in _entries("metrics", "METRICS")}
        better = {True: "higher is better", False: "lower is better", None: "neither is better"}
        return {
            name: f"{metric['about']} [{metric['unit'] or 'no unit'}, {better[metric['higher_is_better']]}]"
            for name, metric in metrics.items()
        }
    if kind == "baselines":
        return _first_lines("runs.baselines", "BASELINES") | _first_lines("runs.baselines", "ORACLES")
    from safetensors import safe_open

    shipped = {path.stem: safe_open(path, "np").metadata() for path in sorted(LIBRARY.glob("weights/*.safetensors"))}
    return {name: json.loads(metadata["recipe"])["about"] for name, metadata in shipped.items()}


# ---- registries, read where they are written ---------------------------------------------------------------------


def _entries(module: str, registry: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield key and value of each entry of a registry, in its order."""
    tree = _tree(module)
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Subscript) and ast.unparse(target.value) == registry:  # METRICS["mse_rgb"] = …
            yield ast.literal_eval(target.slice), node.value
        elif ast.unparse(target) == registry:
            match node.value:
                case ast.Dict(keys, values):
                    for key, value in zip(keys, values, strict=True):
                        if key is None:  # **fidelity.METRICS
                            family, _, name = ast.unparse(value).partition(".")
                            yield from _entries(_import_of(tree, family), name)
                        else:
                            yield ast.literal_eval(key), value
                case ast.DictComp(generators=[ast.comprehension(iter=ast.Tuple(functions))]):
                    yield from ((ast.unparse(function), function) for function in functions)  # by their __name__


def _first_lines(module: str, registry: str) -> dict[str, str]:
    """Return the first line of the docstring of each class or function in a registry."""
    return {name: _first_line(module, ast.unparse(entry)) for name, entry in _entries(module, registry)}


def _first_line(module: str, name: str) -> str:
    tree = _tree(module)
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return _first_line(*_import_of(tree, name).rsplit(".", 1))


def _keywords(entry: ast.expr) -> dict[str, Any]:
    """Return those arguments of a call that are written out and named."""
    assert isinstance(entry, ast.Call)
    return {word.arg: word.value.value for word in entry.keywords if word.arg and isinstance(word.value, ast.Constant)}


def _import_of(tree: ast.Module, name: str) -> str:
    """Return the dotted name, within the library, that a module's name was imported from."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in {alias.asname or alias.name for alias in node.names}:
            return f"{node.module}.{name}".removeprefix(f"{LIBRARY.name}.")
    raise LookupError(name)


def _tree(module: str) -> ast.Module:
    path = LIBRARY.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))
