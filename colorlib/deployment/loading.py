"""Models by name: those that ship, run folders, exported files, and weights that authors released."""

import contextlib
import dataclasses
import json
import os
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.recipe import Recipe, rebuild
from colorlib.files import fetch, published_digest
from colorlib.models import (
    AtMost,
    Network,
    load_released_ddcolor,
    load_released_eccv16,
    load_released_siggraph17,
    put_weights,
    read_weights,
)
from colorlib.objectives import OBJECTIVES, Objective, objective_options, terms_of
from colorlib.objectives.base import OnColours
from colorlib.registry import look_up
from colorlib.runs.run import Run

WEIGHTS = Path(__file__).parents[1] / "weights"  # of the models that ship
RELEASED_SHORT_SIDE = 256  # what all three were trained at


DEFAULT_MODEL = "faithful"  # what colours where nobody names a model


@dataclass(frozen=True)
class Released:
    """A network as its authors released it.

    Attributes:
        load: reads the weight file.
        url: where they publish it.
        digest: how its SHA-256 begins, where they say so in the file's name; of the others the server is asked.
        megabytes: how large it is.
        licence: that they gave it.
    """

    load: Callable[[Path], Network]
    url: str
    digest: str | None
    megabytes: int
    licence: str

    @property
    def file(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]

    @property
    def kept_at(self) -> Path:
        """Where the file lies once it was fetched."""
        return _cache() / self.file

    def __str__(self) -> str:
        return f"{self.megabytes} MB from {urllib.parse.urlparse(self.url).netloc}, {self.licence}"


_ZHANG = "https://colorizers.s3.us-east-2.amazonaws.com"
_KANG = "https://huggingface.co/piddnad/DDColor-models/resolve/main"
RELEASED = {
    "eccv16": Released(
        load_released_eccv16, f"{_ZHANG}/colorization_release_v2-9b330a0b.pth", "9b330a0b", 129, "BSD-2-Clause"
    ),
    "siggraph17": Released(
        load_released_siggraph17, f"{_ZHANG}/siggraph17-df00044c.pth", "df00044c", 137, "BSD-2-Clause"
    ),
    "ddcolor": Released(load_released_ddcolor, f"{_KANG}/ddcolor_paper_tiny.pth", None, 220, "Apache-2.0"),
}


def shipped_models() -> dict[str, Recipe]:
    """Return the models that come with the package: name -> recipe."""
    return {path.stem: _read_recipe(path) for path in sorted(WEIGHTS.glob("*.safetensors"))}


def load_colorizer(name: Path | str = DEFAULT_MODEL, device: str = "auto") -> PhotoColorizer:
    """Load a colorizer: one that ships, one's own, or one whose weights its authors released.

    Args:
        name: one of :func:`shipped_models`; a run folder; a file of :func:`~colorlib.deployment.export.export_run`;
            ``eccv16``, ``siggraph17`` or ``ddcolor``, whose authors' weights are fetched once, from where they publish
            them; or ``eccv16=FILE`` and so on, with a web address in the place of FILE if need be.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Raises:
        ValueError: an unknown name (the message holds the nearest ones), or a damaged file.
        FileNotFoundError: no such file, or a run without weights.
        OSError: a download that failed.

    Example:
        >>> load_colorizer("faithful").colorize("grandmother.jpg").save("grandmother-coloured.jpg")  # doctest: +SKIP
    """
    text = str(name)
    released, _, where = text.partition("=")
    if released in RELEASED:
        return _load_released(released, where, device)
    path = Path(name)
    if path.is_dir():
        recipe, state = read_run(path)
    else:
        if path.suffix != ".safetensors":
            shipped = {file.stem: file for file in WEIGHTS.glob("*.safetensors")}
            path = look_up({**shipped, **dict.fromkeys(RELEASED, path)}, text, "model")
        recipe = _read_recipe(path)
        with _fit(path):
            state = read_weights(path)
    with _fit(path):
        network, objective = _rebuilt(recipe, state)
        put_weights(network, state)
    return PhotoColorizer(recipe, network, objective, device)


def to_be_fetched(name: str) -> Released | None:
    """Return the authors' weights that :func:`load_colorizer` would fetch for a name, or None where it fetches none."""
    released = RELEASED.get(name)
    return released if released and not released.kept_at.is_file() else None


def fetch_weights(url: str, file: str, digest: str | None = None, folder: Path | str | None = None) -> Path:
    """Fetch a weight file once; see :func:`colorlib.files.fetch`.

    Args:
        url: http or https; ``#sha256=HEX`` at its end says what its SHA-256 must begin with.
        file: what to call it.
        digest: what its SHA-256 must begin with, where that is known already. Otherwise the server is asked for it, as
            hubs of models tell it, and a file that was fetched before is taken as it is.
        folder: where it is kept; by default ``colorlib`` below ``$XDG_CACHE_HOME`` or ``~/.cache``.

    Raises:
        ValueError: no checksum is known, or the file has another.
        OSError: no network, no such file on the server, no room.
    """
    address, _, fragment = url.partition("#")
    path = Path(folder or _cache()) / file
    if urllib.parse.urlparse(address).scheme not in ("http", "https"):
        raise ValueError(f"{address} is no web address; name a file instead.")
    digest = fragment.removeprefix("sha256=").lower() or digest
    if digest is None:
        if path.is_file():
            return path
        digest = published_digest(address, f"get it elsewhere and put it at {path}")
    if not digest or len(digest) < 8 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"no checksum is known for {file}: write its SHA-256 behind the address, …#sha256=HEX.")
    return fetch(address, path, digest)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorlib"


def _load_released(key: str, where: str, device: str) -> PhotoColorizer:
    released = RELEASED[key]
    where = where or released.url
    if where == released.url and to_be_fetched(key):
        print(f"The weights of {key} are fetched, once: {released}.", file=sys.stderr)
    path = fetch_weights(where, released.file, released.digest) if "://" in where else Path(where)
    network = released.load(path)
    about = f"{key} as its authors released it"
    recipe = Recipe(key, about, RELEASED_SHORT_SIDE, key, takes_hints=network.takes_hints)
    return PhotoColorizer(recipe, network, None, device)


def _read_recipe(path: Path) -> Recipe:
    if not path.is_file():
        raise FileNotFoundError(f"there is no model at {path}.")
    try:
        with safe_open(path, "pt") as file:
            told = json.loads((file.metadata() or {})["recipe"], object_pairs_hook=_once)
        newer = sorted(told.keys() - {entry.name for entry in dataclasses.fields(Recipe)})
        if not newer:
            return Recipe(**told)
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        what = f"{path} is no model that colorlib exported, or it is damaged ({why})"
        raise ValueError(f"{what}; delete it, and export or fetch it anew.") from None
    raise ValueError(f"{path} was exported by a newer colorlib ({', '.join(newer)}); install that one.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("the recipe says a thing twice")
    return found


def _rebuilt(recipe: Recipe, state: dict[str, Tensor]) -> tuple[Network, Objective]:
    with AtMost(sum(tensor.numel() for tensor in state.values())):
        return rebuild(recipe)


@contextlib.contextmanager
def _fit(path: Path) -> Iterator[None]:
    """Say in one sentence why what a file or run folder holds is no model."""
    try:
        yield
    except (ValueError, TypeError, LookupError, RuntimeError, OverflowError, MemoryError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ValueError(
            f"{path} holds no model that can colour ({why}); delete it, and make or fetch it anew."
        ) from None


def read_run(folder: Path) -> tuple[Recipe, dict[str, Tensor]]:
    """Read a finished run; the size of its photographs is that of the coloured samples it kept."""
    run = Run(folder)
    config = run.config
    if config["kind"] != "network":
        raise ValueError(f"{folder} holds no trained network but {config['label']}.")
    path = folder / "weights.safetensors"
    if not path.exists() or not run.finished:
        raise FileNotFoundError(f"{folder} is not finished: train it and judge it first.")
    pictures = run.pictures("test")
    if not pictures:
        raise FileNotFoundError(f"{folder} kept no coloured samples, which say how large its photographs are.")
    short_side = min(next(iter(pictures.values()))[0].shape)
    with _fit(folder):
        state = read_weights(path)
        meaning, options = _meaning(config["objective"], config["objective_options"])
        head = max((key for key in state if key.startswith("classifier.")), default=None)  # the last layer's
        recipe = Recipe(
            name=config["name"],
            about=config["label"],
            short_side=short_side,
            model=config["model"],
            model_options=config["model_options"],
            objective=meaning,
            objective_options=options,
            classes=len(state[head]) if head else 0,
        )
        network, objective = _rebuilt(recipe, state)
    return dataclasses.replace(recipe, temperature=objective.temperature, takes_hints=network.takes_hints), state


def _meaning(objective: str | dict[str, float], options: dict) -> tuple[str, dict]:
    """Return the one objective, and its options, that decodes a network's output; critics and the like fall away."""
    for name in terms_of(objective):
        if not issubclass(OBJECTIVES[name], OnColours):
            return name, {key: value for key, value in options.items() if key in objective_options(name)}
    return "l1", {"out_stride": 1}  # all terms look at the colours alone: the output is ab / 110
