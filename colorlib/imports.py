"""What a piece of code rests on in this library, followed from import to import.

It is what the stamp of a run counts: an edit makes anew the runs that rest on it, and no others. An import reaches the
file that it names; of a room's ``__init__``, which hands on names of all its files, only the definitions asked for
count, with what they rest on in turn. Of a registry whose entries runs take by name only those mentioned count: a
run's own network, and no other. What shows a run's folder decides nothing in it and is not followed: rooms that draw
or comment, ``plots``, ``course`` and whichever imports them, and ``runs.standing``, the line that judging prints.
Comments and docstrings do not count.
"""

import ast
import hashlib
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from colorlib.files import LIBRARY

SHOWING = {"plots", "course"}  # rooms
PRINTED = "colorlib.runs.standing"
REGISTRIES = ("DATASETS", "MODELS", "OBJECTIVES", "SUMS")  # whose entries a run takes by name


def digest(source: str, words: Iterable[str]) -> str:
    """Return 64 hexadecimal digits that change when, and only when, something :func:`reached` does."""
    return _digest("\n".join(f"{name} {code}" for name, code in sorted(reached(source, words).items())))


def reached(source: str, words: Iterable[str]) -> dict[str, str]:
    """Find the code of this library that Python code rests on.

    Args:
        source: the Python code, for example that of a notebook; the texts in it are words too.
        words: names that go with it, such as that of the network which a row of a study asks for.

    Returns:
        Name -> digest of the code there: of a file, ``colorlib.runs.training``, or of one definition in a room's
        ``__init__``, ``colorlib.data.open_dataset``.

    Raises:
        SyntaxError: the source or a file of the library is not Python.

    Example:
        >>> list(reached("from colorlib.color import lab", []))
        ['colorlib.color.lab']
    """
    begin, files = _tree(source), _files()
    words, before = {*words, *_texts(begin)}, -1
    shows = cache(lambda room: _shows(room, files))
    while before < len(words):  # and again where an entry, a sum of objectives, mentions others
        before, found, waiting = len(words), {}, set(_imported(begin))
        while waiting:
            file, asked = _located(waiting.pop(), files)
            room = file.removesuffix(".__init__")
            name = f"{room}.{asked}" if asked else file
            if name in found or file == PRINTED or shows(name.split(".")[1]):
                continue
            code, further = _definition(files[file], room, asked, words) if asked else _file(files[file])
            found[name] = code
            waiting |= further
    return {name: code for name, code in found.items() if code}


def on_demand(room: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Let a room hand on names without importing the files that they come from before one of them is asked for.

    So who needs one file of the room does not wait for all that the others import. The room's ``__init__`` imports the
    names for type checkers and for :func:`reached` alone, under ``if TYPE_CHECKING:``; they are read from there.

    Args:
        room: the dotted name of the room.

    Returns:
        The ``__getattr__`` and the ``__dir__`` of its ``__init__``.
    """
    module = sys.modules[room]

    @cache
    def handed_on() -> dict[str, str]:
        return _contents(Path(str(module.__file__)).read_text(encoding="utf-8"))[0]

    def get(name: str) -> object:
        if name not in handed_on():
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        home, _, attribute = handed_on()[name].rpartition(".")
        value = getattr(import_module(home), attribute)
        setattr(module, name, value)
        return value

    return get, lambda: sorted({*vars(module), *handed_on()})


def _files() -> dict[str, str]:
    """Return the library's files: dotted name -> text."""
    paths = {path.relative_to(LIBRARY.parent).with_suffix(""): path for path in LIBRARY.rglob("*.py")}
    return {".".join(name.parts): path.read_text(encoding="utf-8") for name, path in paths.items()}


def _located(name: str, files: Container[str]) -> tuple[str, str]:
    """Return the file that a dotted name lies in and, where it is a room's ``__init__``, what is asked of that."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        module = ".".join(parts[:n])
        if module in files:
            return module, ""
        if f"{module}.__init__" in files:
            return f"{module}.__init__", parts[n] if n < len(parts) else "*"
    raise AssertionError(name)


def _shows(room: str, files: Mapping[str, str]) -> bool:
    own = [text for name, text in files.items() if name.split(".")[1] == room]
    return not SHOWING.isdisjoint({room, *(name.split(".")[1] for text in own for name in _file(text)[1])})


@cache
def _file(text: str) -> tuple[str, frozenset[str]]:
    """Return a digest of a file's code, and the dotted names that it imports."""
    tree = _tree(text)
    return _digest(_code(tree)), frozenset(_imported(tree))


def _definition(text: str, room: str, asked: str, words: set[str]) -> tuple[str, set[str]]:
    """Find what a room's ``__init__`` holds under a name, ``*`` for every name.

    Args:
        words: those of a registry's entries that it mentions count, and the words in them are added to it.

    Returns:
        A digest of the definition's code, empty where it is only handed on, and the dotted names that it rests on.
    """
    handed_on, defined = _contents(text)
    if asked == "*":
        return "", {f"{room}.{name}" for name in (*handed_on, *defined)}
    if asked in handed_on:
        return "", {handed_on[asked]}
    code: list[str] = []
    further: set[str] = set()
    for statement in defined.get(asked, []):
        counted: ast.AST = statement
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if asked in REGISTRIES and isinstance(value, ast.Dict):
            counted = _mentioned(value, words)
            words |= set(_texts(counted))
        dumped, imported, names = _parts(counted)
        code.append(dumped)
        further |= imported
        for root, _, attribute in (name.partition(".") for name in names):
            if root in handed_on:
                further.add(f"{handed_on[root]}.{attribute}".rstrip("."))
            elif root in defined:
                further.add(f"{room}.{root}")
    return _digest("\n".join(code)) if code else "", further


def _mentioned(registry: ast.Dict, words: set[str]) -> ast.Dict:
    entries = zip(registry.keys, registry.values, strict=True)
    kept = [(key, value) for key, value in entries if not isinstance(key, ast.Constant) or key.value in words]
    return ast.Dict([key for key, _ in kept], [value for _, value in kept])


@cache
def _parts(statement: ast.AST) -> tuple[str, frozenset[str], frozenset[str]]:
    """Return a statement's code, the dotted names that it imports, and the names that it uses."""
    return _code(statement), frozenset(_imported(statement)), frozenset(_names(statement))


@cache
def _contents(text: str) -> tuple[dict[str, str], dict[str, list[ast.stmt]]]:
    """Return what an ``__init__`` hands on, name -> dotted name, and what it defines, name -> statements."""
    tree = _tree(text)
    defined: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names = [statement.name]
        else:
            nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
            names = list(dict.fromkeys(node.id for node in nodes if isinstance(node.ctx, ast.Store)))
        for name in names:
            defined.setdefault(name, []).append(statement)
    return dict(_aliases(tree)), defined


@cache
def _tree(text: str) -> ast.Module:
    """Return the syntax tree without docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    return tree


def _aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name in this code, dotted name in the library) of each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{LIBRARY.name}."):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if f"{alias.name}.".startswith(f"{LIBRARY.name}."):
                    yield alias.asname or alias.name, alias.name


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that code imports: of a module that it imports, ``scenes``, what it takes from that."""
    names = set(_names(tree))
    for alias, imported in _aliases(tree):
        attributes = [name.removeprefix(alias) for name in names if name.startswith(f"{alias}.")]
        yield from (imported + attribute for attribute in attributes)
        if (alias in names or not attributes) and imported != LIBRARY.name:
            yield imported


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that code uses, ``scenes.KINDS`` and not ``scenes`` where it uses that of it."""
    roots = set()
    for node in ast.walk(tree):  # a node comes before its children
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            roots.add(node.value)
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name) and node not in roots:
            yield node.id


def _texts(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _code(node: object) -> str:
    """Write a syntax tree down alike under every Python: each version adds fields, which are empty in older code."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({', '.join(f'{name}={_code(value)}' for name, value in fields)})"
    return f"[{', '.join(map(_code, node))}]" if isinstance(node, list) else repr(node)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
