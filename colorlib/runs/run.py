"""What a run is: its settings, and the folder that holds its results.

A run folder holds ``config.json`` (what was asked), ``history.csv`` (the learning curve), ``weights.safetensors``
(the chosen network), ``per_image.csv`` (one row for each judged photograph), ``cost.json`` and ``pictures/``.
Tables, figures and reports are computed from these files and from nothing else.
"""

import dataclasses
import hashlib
import io
import json
import math
import re
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from colorlib import imports
from colorlib.files import atomic_path, is_blank, project_folder, read_versioned, reading, write_json
from colorlib.models import MODELS
from colorlib.objectives import describe_objective, terms_of
from colorlib.registry import look_up

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1  # raised when a folder written before can no longer be read


@dataclass(frozen=True)
class ExperimentConfig:
    """All that decides the outcome of a training run, beside the photographs themselves.

    Raises:
        ValueError, TypeError: an unknown model or objective, or a setting of the wrong type or range.
    """

    model: str
    objective: str | dict[str, float]  # a name, or a sum {name: weight}
    model_options: dict = field(default_factory=dict)
    objective_options: dict = field(default_factory=dict)
    seed: int = 0
    images_seen: int = 10_000  # the budget: photographs shown, repeats included
    macs: float | None = None  # a budget of computing in its place: multiply-accumulates of all forward passes
    batch_size: int = 16
    learning_rate: float = 1e-3  # the peak
    schedule: str = "cosine"  # how the rate goes from there: "cosine", or "constant" with a cool-down at the end
    weight_decay: float = 1e-2
    validations: int = 10  # how often, evenly over budget or cool-down, it is validated and may become the best
    validation_images: int = 256  # drawn by lot from the val split, the same in every run
    checkpoint_seconds: float = 20.0  # at most this much work is lost when the process is killed
    precision: str = "auto"  # "bfloat16" (autocast), "float32", or "auto": bfloat16 where the processor computes in it
    degrade: float = 0.0  # the share of photographs whose lightness the network sees as old film leaves it
    crop: float = 1.0  # the smallest square cut out at random, as a share of the photograph's sides; 1 cuts nothing
    contrast: float = 0.0  # how far brightness and contrast of what the network sees may go from 1, either way
    ema: float = 0.0  # decay of a running mean of the weights, which then is validated, kept and judged; 0 for none
    photographs: int | None = None  # of the train split, drawn by lot, the same in every run; None for all

    def __post_init__(self) -> None:
        look_up(MODELS, self.model, "model")
        terms_of(self.objective)
        look_up({"auto": 0, "bfloat16": 0, "float32": 0}, self.precision, "precision")
        look_up({"cosine": 0, "constant": 0}, self.schedule, "schedule")
        for setting in dataclasses.fields(self):
            _check_setting(setting.name, setting.type, getattr(self, setting.name))
        if self.degrade > 1:
            raise ValueError(f"degrade is a share of the photographs, from 0 to 1, not {self.degrade}.")
        if self.crop > 1:
            raise ValueError(f"crop is a share of the photograph's sides, above 0 and up to 1, not {self.crop}.")
        if self.contrast >= 1 or self.ema >= 1:
            raise ValueError(f"contrast and ema must be below 1, not {self.contrast} and {self.ema}.")

    @property
    def label(self) -> str:
        """The name that runs share when they differ only in their seed: ``unet (width 16) · l2``."""
        told = {name: _TOLD[name].format(value) for name, value in self.settings.items() if name in _TOLD}
        training = f" ({', '.join(told.values())})" if told else ""
        return f"{_describe(self.model, self.model_options)} · {self.objective_label}{training}"

    @property
    def settings(self) -> dict:
        """All settings as plain values, for ``config.json``; those of :data:`_TOLD` only where they are in use."""
        standard = {setting.name: setting.default for setting in dataclasses.fields(self) if setting.name in _TOLD}
        return {n: value for n, value in dataclasses.asdict(self).items() if n not in standard or value != standard[n]}

    @property
    def objective_label(self) -> str:
        """The objective and its options: ``l2``, ``100 l1 + gan_lsgan (critic_width 32)``."""
        return _describe(describe_objective(self.objective), self.objective_options)


# Settings that few runs have, and how a label tells them.
_TOLD = {
    "degrade": "degraded {:g}",
    "crop": "crops from {:g}",
    "contrast": "contrast {:g}",
    "ema": "averaged {:g}",
    "photographs": "{:,} photographs",
}
# Settings where zero means something; all other numbers must be positive.
_MAY_BE_ZERO = ("seed", "weight_decay", "checkpoint_seconds", "degrade", "contrast", "ema")
_LARGEST = {"seed": 2**32 - 1, "batch_size": 2**16, "validations": 10_000}  # beyond, memory ends, or the libraries do


def _check_setting(name: str, kind: object, value: object) -> None:
    if kind is dict and not isinstance(value, dict):
        raise TypeError(f"{name} must be like {{'width': 8}}, not {value!r}; papermill takes such after -y, not -p.")
    whole = kind in (int, int | None)
    if not whole and kind not in (float, float | None) or value is None and kind in (int | None, float | None):
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and not isinstance(value, int)):
        hint = " (YAML reads 1e-4 as text: write 1.0e-4)" if isinstance(value, str) else ""
        raise TypeError(f"{name} must be {'a whole number' if whole else 'a number'}, not {value!r}{hint}.")
    if not math.isfinite(value) or value < 0 or (value == 0 and name not in _MAY_BE_ZERO):
        raise ValueError(f"{name} must be {'zero or more' if name in _MAY_BE_ZERO else 'above zero'}, not {value!r}.")
    if value > _LARGEST.get(name, math.inf):
        raise ValueError(f"{name} must be {_LARGEST[name]:,} at most, not {value!r}.")


def _describe(name: str, options: dict) -> str:
    return f"{name} ({', '.join(f'{key} {value}' for key, value in options.items())})" if options else name


@dataclass(frozen=True)
class Run:
    """A run folder, read on demand; a file of it that is damaged is a ValueError that says so."""

    folder: Path

    @cached_property
    def config(self) -> dict:
        return read_config(self.folder)

    @property
    def label(self) -> str:
        return self.config["label"]

    @property
    def finished(self) -> bool:
        return (self.folder / "per_image.csv").exists() and (self.folder / "cost.json").exists()

    @cached_property
    def cost(self) -> dict:
        return (self._json("cost.json") or {}) | (self._json("seconds.json") or {})  # those of a run by itself

    @cached_property
    def per_image(self) -> "pd.DataFrame":
        return self._table("per_image.csv", "id", dtype={"id": str})

    @cached_property
    def history(self) -> "pd.DataFrame | None":
        return self._table("history.csv", "images_seen") if (self.folder / "history.csv").exists() else None

    @cached_property
    def sets(self) -> dict | None:
        """Distances between the sets of pictures, the contents of ``sets.json``; None where there is no such file."""
        return self._json("sets.json")

    @cached_property
    def collapse(self) -> dict | None:
        """``why`` and ``images_seen`` of an adversarial training that was ended early, or None."""
        return self._json("collapse.json")

    def _table(self, name: str, column: str, **options: Any) -> "pd.DataFrame":
        import pandas as pd  # half a second, and who colours a photograph reads no table

        with reading(path := self.folder / name):
            table = pd.read_csv(path, **options)
            keys = table[column]  # a file that a disk left full of zeros is read as a table, too
            table.drop(columns="id", errors="ignore").astype(float)  # a word is no score
            if keys.empty or (column == "id" and not keys.is_unique) or not path.read_bytes().endswith(b"\n"):
                raise ValueError("cut off by a full disk, perhaps in the middle of a number")
            return table

    def _json(self, name: str) -> dict | None:
        path = self.folder / name
        with reading(path):
            return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def pictures(self, name: str) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Read coloured samples: id -> (L8 (H, W), ab8 (H, W, 2), true ab8 (H, W, 2)); empty where none were kept."""
        path = self.folder / "pictures" / f"{name}.npz"
        if not path.exists():
            return {}
        with reading(path), np.load(path) as arrays:
            ids = [key.removesuffix("/L8") for key in arrays.files if key.endswith("/L8")]
            return {i: (arrays[f"{i}/L8"], arrays[f"{i}/ab8"], arrays[f"{i}/ab8_true"]) for i in ids}


def read_config(folder: Path | str) -> dict:
    """Read a run's settings.

    Raises:
        FileNotFoundError: not a run folder.
        ValueError: written by another version of colorlib, or damaged.
    """
    path = Path(folder) / "config.json"
    if not path.exists():
        inside = f" Its run is {path.parent / 'run'}." if (path.parent / "run/config.json").exists() else ""
        raise FileNotFoundError(f"{folder} is not a run folder: it has no config.json.{inside}")
    return read_versioned(path, FORMAT)


def begin(folder: Path | str, config: dict) -> Path:
    """Write the settings of a run, or check that the folder already holds exactly these.

    Args:
        config: with ``name``, ``label`` and ``kind`` (network, baseline, oracle or judged); plain JSON values.

    Raises:
        ValueError: the folder belongs to a run with other settings; the message names those that differ.
    """
    folder = Path(folder)
    config = json.loads(json.dumps({"format": FORMAT, **config}))
    if not is_blank(folder / "config.json"):
        found = read_config(folder)
        differing = sorted(key for key in {*found, *config} if found.get(key) != config.get(key))
        if differing:
            shown = "; ".join(f"{key}: {found.get(key)!r} there, {config.get(key)!r} now" for key in differing[:3])
            raise ValueError(f"{folder} holds a run with other settings ({shown}); choose another folder.")
    else:
        write_json(folder / "config.json", config)
    return folder


def notebook_folder(name: str, data_fingerprint: str, config: ExperimentConfig | None = None) -> Path:
    """Name the run folder of a notebook that is given none: ``runs/notebooks/<name>-…`` of the project.

    It ends in a stamp of the settings, the photographs and the library code that training and judging rest on, of
    networks and objectives the named ones; without settings, of the code that this whole room rests on. So a changed
    parameter gets a folder of its own, and a notebook that is run again unchanged finds its trained network.
    """
    return _stamped_folder("notebooks", name, data_fingerprint, config, "train_and_judge" if config else "*")


def shared_folder(purpose: str, data_fingerprint: str, config: ExperimentConfig) -> Path:
    """Name a folder of what several runs rest on and one of them trains: ``runs/<purpose>/…`` of the project.

    It ends in a stamp of the settings, the photographs and the library code that training rests on.

    Args:
        purpose: "trunks" or "sweeps".
        data_fingerprint: of the photographs.
        config: what the runs share, the other settings at whatever the same values.
    """
    return _stamped_folder(purpose, config.model, data_fingerprint, config, "train")


def _stamped_folder(place: str, name: str, data_fingerprint: str, config: ExperimentConfig | None, by: str) -> Path:
    settings = repr((config, data_fingerprint))
    library = imports.digest(f"from colorlib.runs import {by}", re.findall(r"\w+", settings))
    stamp = hashlib.sha256(f"{settings} {library}".encode()).hexdigest()[:8]
    objective = [f"{describe_objective(config.objective).replace(' ', '')}-s{config.seed}"] if config else []
    return project_folder() / "runs" / place / "-".join([name, *objective, stamp])


def list_runs(folder: Path | str) -> list[Run]:
    """Return all finished runs below ``folder``, ordered by path."""
    runs = (Run(path.parent) for path in sorted(Path(folder).rglob("config.json")))
    return [run for run in runs if run.finished]


def write_table(path: Path | str, table: "pd.DataFrame") -> None:
    """Write a CSV atomically, numbers to 9 significant digits."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def write_pictures(folder: Path | str, name: str, pictures: dict) -> None:
    """Keep coloured samples for the figures; the inverse of :meth:`Run.pictures`."""
    parts = ("L8", "ab8", "ab8_true")
    arrays = {
        f"{id_}/{part}": pixels for id_, kept in pictures.items() for part, pixels in zip(parts, kept, strict=True)
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    with atomic_path(Path(folder) / "pictures" / f"{name}.npz") as temporary:
        temporary.write_bytes(buffer.getvalue())


class Progress:
    """How far a run is, in ``progress.json``, for whoever watches it from another process.

    Example:
        >>> progress = Progress("runs/example", "training")
        >>> progress(320, 10_000)
    """

    def __init__(self, folder: Path | str, what: str) -> None:
        self.path, self.what, self.written = Path(folder) / "progress.json", what, 0.0

    def __call__(self, done: float, total: float) -> None:
        now = time.time()
        if now - self.written >= 1 or done >= total:
            self.written = now
            write_json(self.path, {"what": self.what, "done": done, "total": total, "time": now})
