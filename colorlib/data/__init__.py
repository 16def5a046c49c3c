"""Where photographs come from: `DATASETS` by name, or any folder or zip by path."""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorlib.data.bundled import bundled_photographs
from colorlib.data.clothing import open_clothing
from colorlib.data.fashion_mnist import open_fashion_mnist
from colorlib.data.kaggle import find_kaggle, open_kaggle
from colorlib.data.scenes.render import open_scenes
from colorlib.data.store import LabArrays, is_store, open_store
from colorlib.files import project_folder
from colorlib.pictures.formats import is_archive
from colorlib.pictures.listing import list_photographs
from colorlib.registry import look_up


@dataclass(frozen=True)
class Dataset:
    """What can be said of a data set before it is opened.

    Attributes:
        open: makes it; its parameters are the data set's options.
        about: one sentence.
        licence: one sentence.
        trainable: whether a study can run on it: `open` then gives `LabArrays`.
    """

    open: Callable[..., Any]
    about: str
    licence: str
    trainable: bool


DATASETS: dict[str, Dataset] = {
    "scenes": Dataset(
        open_scenes,
        about="Procedural scenes rendered from a seed, any number at any size; the law of every colour is known.",
        licence="Ours, like the code.",
        trainable=True,
    ),
    "kaggle": Dataset(
        open_kaggle,
        about=(
            "Kaggle's Image Colorization: 25,000 photographs of 224×224, opened from its folder or zip (option path)."
        ),
        licence="Not stated for each photograph; reported to come from MIRFlickr-25k. Use it, do not republish it.",
        trainable=True,
    ),
    "clothing": Dataset(
        open_clothing,
        about=(
            "3,781 colour photographs of garments, worn and laid out, ten kinds; opened from its folder (option path)."
        ),
        licence="CC0.",
        trainable=True,
    ),
    "bundled": Dataset(
        bundled_photographs,
        about="5 colour photographs inside scikit-image, for showing; never trained on.",
        licence="Public domain or CC0, each credited.",
        trainable=False,
    ),
    "fashion_mnist": Dataset(
        open_fashion_mnist,
        about=(
            "70,000 grey pictures of clothes, 28×28; for exploration and for colouring, as it has no colour "
            "to learn from."
        ),
        licence="MIT.",
        trainable=False,
    ),
}


def open_dataset(name_or_folder: str | os.PathLike, **options: Any) -> LabArrays:
    """Open photographs to study, by a name in `DATASETS` or by path.

    Args:
        name_or_folder: a trainable data set's name; a prepared folder; or a folder or zip of the Kaggle layout.
            A name wins over a folder of the same name; write ``./scenes`` for the folder. A path is relative to the
            working folder or, where that has no such thing, to the project's.
        options: of the data set, for example ``count=500`` for scenes; a path takes none, but that of a prepared folder
            ``allow_missing=True``, by which what is left of a set in shards is opened.

    Raises:
        ValueError: unknown name (the nearest are given), a set that cannot be trained on, photographs that are not
            prepared yet, or damaged files.
        TypeError: an option that the data set does not have.
        FileNotFoundError: nothing at that path.

    Example:
        >>> open_dataset("fashion_mnist")
        Traceback (most recent call last):
        ValueError: fashion_mnist cannot be studied: 70,000 grey pictures of clothes, 28×28; ...
    """
    if not isinstance(name_or_folder, str | os.PathLike):
        raise TypeError(f"a data set is a name or a path, not {name_or_folder!r}.")
    path = Path(name_or_folder).expanduser()
    is_name = isinstance(name_or_folder, str) and name_or_folder in DATASETS
    if not is_name and not path.exists() and (project_folder() / path).exists():
        path = project_folder() / path  # JupyterLab works in notebooks/
    if is_name or not (path.exists() or len(path.parts) > 1 or path.is_absolute()):
        return _open_name(str(name_or_folder), options)
    if is_store(path) and not set(options) - {"allow_missing"}:
        return open_store(path, **options)
    if options:
        raise TypeError(f"{path} is opened as it is; it takes no options ({', '.join(options)}).")
    if path.with_name(path.name + ".partial").is_dir():
        raise FileNotFoundError(f"{path} is not finished; run the `colorlib prepare` that was interrupted again.")
    if not path.exists():
        raise FileNotFoundError(f"there is no data set at {path}; known names are {', '.join(sorted(DATASETS))}.")
    if find_kaggle(path):
        return open_kaggle(path)
    raise ValueError(_not_prepared(path))


def _open_name(name: str, options: dict[str, Any]) -> LabArrays:
    dataset = look_up(DATASETS, name, "data set")
    if not dataset.trainable:
        raise ValueError(f"{name} cannot be studied: {dataset.about}")
    known = list(inspect.signature(dataset.open).parameters)
    for option in options:
        if option not in known:
            raise TypeError(f"data set {name!r} has no option {option!r}; it has {', '.join(known)}.")
    return dataset.open(**options)


def _not_prepared(path: Path) -> str:
    command = f"run `colorlib prepare {path} --out data/{path.name.split('.')[0]}` and use the folder that it makes"
    if not path.is_dir() and not is_archive(path):
        return f"{path} is neither a prepared folder nor an archive of photographs."
    found = len(list_photographs(path).members)
    return f"{path} holds {found:,} photographs that are not prepared yet; {command}."
