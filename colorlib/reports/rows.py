"""From run folders to the rows of a report: one for all seeds of one setting, each with a label that tells it apart."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from colorlib.models import MODELS, model_options
from colorlib.objectives import OBJECTIVES, SUMS, terms_of
from colorlib.runs.run import Run
from colorlib.runs.standing import NOT_SETTINGS, row_settings

PRIMARY = "delta_e_2000"  # rows are ranked by it and verdicts rest on it, whatever the results say
COSTS = ("parameters", "macs_per_image", "images_seen", "training_macs")
TIMES = ("train_seconds", "seconds_per_1000_training_images", "ms_per_image", "peak_memory_mb")
MANY = 12  # rows; where there are more, each is a line of pictures, the later ones folded, and curves stand in panels
GROUP_OF_KIND = {"network": "trained", "baseline": "trivial", "oracle": "oracle", "judged": "judged"}
MARKS = ("attempt.json", "done.json", "failed.json")  # of a folder that once was a row's: the engine writes them


class Budget(NamedTuple):
    """What ended a training: so many photographs shown, or so much computing in billions of multiply-accumulates."""

    unit: str
    amount: float

    def __str__(self) -> str:
        return f"{self.amount:,}".removesuffix(".0") + f" {self.unit}"


@dataclass(frozen=True)
class Row:
    """One row of the table: the runs that differ in nothing but their seed.

    Attributes:
        device: "cpu" or "cuda": on what most runs of the study ran, whose times alone can be compared.
    """

    label: str
    group: str
    runs: list[Run]
    device: str | None = None

    @property
    def config(self) -> dict:
        return self.runs[0].config

    @property
    def full(self) -> str:
        """What was run, with all options and what ended its training."""
        return self.runs[0].label + (f", trained for {self.budget}" if self.budget else "")

    @property
    def short(self) -> str:
        """The label without the budget."""
        return self.label.replace(f" ({self.budget})", "")

    @cached_property
    def by_id(self) -> list[pd.DataFrame]:
        return [run.per_image.set_index("id") for run in self.runs]

    def scores(self, metric: str, ids: Sequence[str]) -> np.ndarray:
        """(seeds, N) of one column of ``per_image.csv``, NaN where a run lacks it."""
        return np.stack([table.reindex(index=ids, columns=[metric])[metric].to_numpy(float) for table in self.by_id])

    def costs(self, name: str) -> list[float | None]:
        """Return a cost of each run; a time is None where the run had another device than most of the study."""
        alike = self.device is None or name not in TIMES
        counts = [alike or _device(run) in (None, self.device) for run in self.runs]
        return [run.cost.get(name) if own else None for run, own in zip(self.runs, counts, strict=True)]

    def cost(self, name: str) -> float:
        return float(np.mean([value for value in self.costs(name) if value is not None] or [math.nan]))

    @property
    def budget(self) -> Budget | None:
        """What ended the training; None for what was not trained here."""
        images, macs = self.config.get("images_seen"), self.config.get("macs")
        if not images:
            return None
        return Budget("GMACs", macs / 1e9) if macs else Budget("images", images)

    @property
    def encoder(self) -> dict[str, str]:
        """``encoder`` and ``pretraining`` of a trained network; both "none" of one that takes no pretrained encoder."""
        standard = model_options(self.config["model"]) if self.config["model"] in MODELS else {}
        options = standard | (self.config.get("model_options") or {})
        return {name: str(options.get(name, "none")) for name in ("encoder", "pretraining")}

    @property
    def terms(self) -> dict[str, float]:
        """Name → weight of what its objective adds up; empty where it has none, or one that this version lacks."""
        objective = self.config.get("objective") or {}
        known = OBJECTIVES if isinstance(objective, dict) else {**OBJECTIVES, **SUMS}
        names = [objective] if isinstance(objective, str) else list(objective)
        return terms_of(objective) if names and all(name in known for name in names) else {}

    @property
    def collapsed(self) -> list[Run]:
        return [run for run in self.runs if run.collapse]

    @property
    def has_critic(self) -> bool:
        return any(run.history is not None and "critic_loss" in run.history for run in self.runs)

    def tables(self, name: str) -> list[pd.DataFrame]:
        """Read a CSV that only some run folders hold, with the seed as a column."""
        paths = [(run, run.folder / name) for run in self.runs]
        return [pd.read_csv(path).assign(seed=run.config.get("seed")) for run, path in paths if path.exists()]


def _device(run: Run) -> str | None:
    device = run.cost.get("device")
    return device and device.partition(":")[0]


def gather_rows(study: dict, folder: Path) -> list[Row]:
    """Group the finished runs in a study's folder into rows, one for all seeds of one setting.

    Runs that the study did not plan are rows too, but for those that :func:`runs_left_out` names. A network's row is
    called by the alias that one of its seeds has in the study's file, or else as :func:`short_names` says. Where there
    are several budgets, rows without the commonest one have theirs in the label, "unet · l1 (300 GMACs)"; settings that
    still share a label get what sets them apart.
    """
    runs = _sort_runs(study, folder)[0]
    names = short_names(run.label for run in runs if run.config["kind"] == "network")
    by_row = {Path(row["folder"]).name: row["alias"] for row in study["rows"] if row.get("alias")}
    aliases = {
        row_settings(run): alias
        for run in runs
        if run.config["kind"] == "network" and (alias := by_row.get(run.folder.relative_to(folder).parts[0]))
    }
    settings: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        label = aliases.get(row_settings(run)) or names.get(run.label, run.label)
        settings.setdefault((label, row_settings(run)), []).append(run)
    devices = Counter(device for run in runs if run.config["kind"] == "network" and (device := _device(run)))
    device = max(devices, key=devices.__getitem__, default=None)
    rows = []
    for (label, _), group in settings.items():
        group = sorted(group, key=lambda run: (run.config.get("seed") or 0, str(run.folder)))
        slips = (group[0].folder / "slips.csv").exists()  # wrong on purpose, and no competitor
        rows.append(Row(label, "slip" if slips else GROUP_OF_KIND[group[0].config["kind"]], group, device))
    usual = usual_budget(rows)
    rows = [_with_suffix(row, [str(row.budget)] if row.budget != usual and row.budget else []) for row in rows]
    budget = ("images_seen", "macs")
    for keys in ([key for row in rows for key in row.config if key not in budget], budget):
        alike = {label: [row for row in rows if row.label == label] for label in {row.label for row in rows}}
        rows = [_with_suffix(row, _differing(row, alike[row.label], dict.fromkeys(keys))) for row in rows]
    return rows


def runs_left_out(study: dict, folder: Path) -> dict[str, str]:
    """Name what lies in a study's folder and is no row of its report: path below the folder → why.

    They are rows that the study once had, a training that is there already with the same seed, and, of the runs that it
    never planned, those that are not finished or have no photograph in common with all others.
    """
    return _sort_runs(study, folder)[1]


def _sort_runs(study: dict, folder: Path) -> tuple[list[Run], dict[str, str]]:
    planned = {Path(row["folder"]).name for row in study["rows"]}
    shown, unplanned, left_out = [], [], {}
    for run in (Run(path.parent) for path in sorted(folder.rglob("config.json"))):
        path = run.folder.relative_to(folder)
        place = folder.joinpath(*path.parts[:1])
        if place.name in planned:
            shown += [run] if run.finished else []  # an unfinished row is among the failures
        elif any((place / mark).exists() for mark in MARKS):
            left_out[place.name] = "the study no longer has this row"
        elif not run.finished:
            left_out[str(path)] = "it is not finished"
        else:
            unplanned.append(run)
    shown = _once_each(shown, folder, left_out)
    common = set.intersection(*(set(run.per_image["id"]) for run in shown)) if shown and unplanned else None
    for run in _once_each(unplanned, folder, left_out, shown):
        own = set(run.per_image["id"])
        if common is None or common & own:
            common = own if common is None else common & own
            shown.append(run)
        else:
            left_out[str(run.folder.relative_to(folder))] = "it was judged on other photographs"
    return sorted(shown, key=lambda run: run.folder / "config.json"), left_out


def _once_each(runs: list[Run], folder: Path, left_out: dict[str, str], before: Sequence[Run] = ()) -> list[Run]:
    """Drop trainings that are among the runs, or those before them, already: one seed's luck is not that of two."""
    known = {(row_settings(run), run.config.get("seed")): run for run in reversed(before)}
    kept = []
    for run in runs:
        twin = known.setdefault((row_settings(run), run.config.get("seed")), run)
        if twin is run or run.config["kind"] != "network":
            kept.append(run)
        else:
            where = twin.folder.relative_to(folder)
            left_out[str(run.folder.relative_to(folder))] = (
                f"it is the training of {where} once more, with the same seed"
            )
    return kept


def short_names(labels: Iterable[str]) -> dict[str, str]:
    """Return label → a short one: without a part that all share, and with no weight or option that tells nothing apart.

    Three labels at most stay as they are.

    Args:
        labels: of networks, as runs have them.

    Example:
        >>> names = ["l1", "l2", "l2 (space rgb)", "100 l1 + gan_hinge (critic_width 16)"]
        >>> list(short_names(f"unet (width 8) · {name}" for name in names).values())
        ['l1', 'l2', 'l2 (space rgb)', 'l1 + gan_hinge']
    """
    split = {label: _split(label) for label in dict.fromkeys(labels)}
    if len(split) <= 3:
        return {label: label for label in split}
    heads = [tuple(head for head, _ in parts) for parts in split.values()]
    shared = {place for place in (0, 1) if len({(len(h), h[place] if place < len(h) else "") for h in heads}) == 1}
    dropped = min(shared, default=None) if len(heads[0]) > 1 else None
    alike: dict[tuple[str, ...], list[str]] = {}
    for label, parts in split.items():
        alike.setdefault(tuple(_WEIGHT.sub("", head) for head, _ in parts), []).append(label)
    names = {}
    for bare, group in alike.items():
        weighted = len({tuple(head for head, _ in split[label]) for label in group}) > 1
        for label in group:
            name, told = "", []
            for place, (head, options) in enumerate(split[label]):
                told += [o for o in options if not all(o in split[other][place][1] for other in group)]
                if place != dropped:
                    name += " · " * bool(name) + (head if weighted else bare[place])
                if told and name:
                    name, told = f"{name} ({', '.join(told)})".replace(") (", ", "), []
            names[label] = name
    counts = Counter(names.values())
    return {label: name if counts[name] == 1 else label for label, name in names.items()}


_WEIGHT = re.compile(r"\b[\d.]+ (?=[a-z])")  # of a term of an objective


def _split(label: str) -> list[tuple[str, list[str]]]:
    """Split a run's label into its parts, network and objective: each is a name and what stands in brackets."""
    parts = [(part.partition(" (")[0], re.findall(r"\(([^()]*)\)", part)) for part in label.split(" · ")]
    return [(head, [option for group in groups for option in group.split(", ")]) for head, groups in parts]


def usual_budget(rows: Sequence[Row]) -> Budget | None:
    """Return the commonest budget among trained rows, the first in the order of computing, then images."""
    counts = Counter(row.budget for row in rows if row.budget)
    return max(sorted(counts), key=lambda budget: counts[budget], default=None)


def by_budget(rows: Sequence[Row]) -> dict[Budget, list[Row]]:
    """Return budget → its trained rows, of images and of computing; empty unless there are two rows of both kinds."""
    found: dict[Budget, list[Row]] = {}
    for row in rows:
        if row.group == "trained" and row.budget:
            found.setdefault(row.budget, []).append(row)
    found = {budget: rows for budget, rows in sorted(found.items(), reverse=True) if len(rows) > 1}
    return found if len({budget.unit for budget in found}) == 2 else {}


def _differing(row: Row, alike: list[Row], keys: Iterable[str]) -> list[str]:
    keys = [key for key in keys if key not in (*NOT_SETTINGS, "label")]
    keys = [key for key in keys if any(other.config.get(key) != row.config.get(key) for other in alike)]
    return [f"{key.replace('_', ' ')} {row.config.get(key)}" for key in keys]


def _with_suffix(row: Row, words: Sequence[str]) -> Row:
    return replace(row, label=f"{row.label} ({', '.join(words)})") if words else row
