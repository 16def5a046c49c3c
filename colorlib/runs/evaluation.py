"""Judging a colorizer: one row of scores for each photograph, and what it costs.

Whatever is judged is called in the same way and scored by the same code, be it a network, a table or a folder of
pictures that somebody else coloured. A prediction meets its truth inside one batch of one data set, never by the order
of two listings.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from colorlib import processes
from colorlib.bars import progress_bar
from colorlib.data.scenes.laws import LAWS
from colorlib.data.store import LabArrays
from colorlib.files import exclusive, write_json
from colorlib.judges import JUDGE, judge_for_metrics
from colorlib.machine import use_threads
from colorlib.metrics import Pair, SetDistances, score
from colorlib.runs.colorizer import Colorizer, NetworkColorizer, Oracle
from colorlib.runs.costs import coloring_cost, training_cost
from colorlib.runs.curves import write_curves
from colorlib.runs.run import (
    ExperimentConfig,
    Progress,
    Run,
    begin,
    notebook_folder,
    read_config,
    write_pictures,
    write_table,
)
from colorlib.runs.samples import color_bundled, color_sample
from colorlib.runs.standing import standing
from colorlib.runs.training import train

BATCH, GPU_BATCH = 32, 256  # photographs; the first fit a processor's caches
LOOKED = 2_000  # photographs, drawn by lot, that Lite2 looks at: in colour, left grey and as predicted


def evaluate(
    predict: Oracle,
    data: LabArrays,
    indices: np.ndarray,
    progress: Callable | None = None,
    sets: SetDistances | None = None,
    look: bool = True,
    device: torch.device | str = "cpu",
) -> pd.DataFrame:
    """Score a colorizer on photographs.

    Args:
        predict: gives ab (N, 2, H, W) in CIELAB units for a batch.
        data: the data set; its class prior weighs the rebalanced AuC, its labels say what there is to recognise.
        indices: which photographs.
        progress: called with (done, total).
        sets: takes in all pictures, for the distances between the sets.
        look: whether Lite2 looks at ``LOOKED`` of the photographs, always the same ones; it must not judge itself.
        device: where the batches are, and what measures them.

    Returns:
        A row for each photograph: its id, every metric, and on ``scenes`` the scores per law of colour. What Lite2 did
        not look at has NaN for what it sees; so have rendered scenes, of which it knows nothing.

    Raises:
        ValueError: a prediction has the wrong shape or holds NaN.
    """
    looked = np.isin(indices, data.drawn(indices, LOOKED if look and data.kinds is None else 0))
    order, rows, done = [np.flatnonzero(looked), np.flatnonzero(~looked)], [], 0
    size = BATCH if torch.device(device).type == "cpu" else GPU_BATCH
    batches = [group[start : start + size] for group in order for start in range(0, len(group), size)]
    for places in progress_bar(batches, desc="judging", unit="batch", leave=False):
        batch = data.batch(indices[places], device)
        seen = bool(looked[places[0]])
        pair = Pair(batch.L, predict(batch), batch.ab, data.class_prior, batch.labels, data.classes, seen)
        if sets:
            sets.add(pair)
        scores = {name: value.tolist() for name, value in score(pair).items()}
        if batch.kinds is not None:
            scores |= _scores_per_law(pair, batch.kinds, data.info["kinds"])
        rows.append(pd.DataFrame({"id": batch.ids} | scores, index=places))
        done += len(places)
        if progress:
            progress(done, len(indices))
    return pd.concat(rows).sort_index()


def _scores_per_law(pair: Pair, kinds: Tensor, kind_info: list[dict]) -> dict[str, list[float]]:
    """Score the pixels of each law of colour apart; NaN where a photograph has none of them."""
    law_of_kind = torch.tensor([LAWS.index(kind["law"]) for kind in kind_info], device=kinds.device)
    law = law_of_kind[kinds.long()]  # (N, H, W)
    maps = {
        "delta_e_76": pair.ab_distance,
        "mean_chroma": pair.chroma,
        "mean_chroma_true": pair.chroma_true,
    }
    scores = {}
    for number, name in enumerate(LAWS):
        inside = (law == number).float()
        pixels = inside.sum((1, 2))
        scores[f"share_{name}"] = (pixels / inside[0].numel()).tolist()
        for metric, values in maps.items():  # 0 / 0 is NaN: this photograph has no such thing
            scores[f"{metric}_{name}"] = ((values * inside).sum((1, 2)) / pixels).tolist()
    return scores


def judge(
    colorizer: Callable[[Tensor], Tensor],
    data: LabArrays,
    folder: Path | str,
    name: str | None = None,
    *,
    kind: str = "judged",
    split: str = "test",
    train_seconds: float | None = None,
) -> Run:
    """Judge a colorizer on a split and write its results into a run folder.

    They are ``per_image.csv``, ``sets.json`` (distances between the sets of pictures), ``cost.json``, ``pictures/``,
    and for a trained network whichever curves it has (`colorlib.runs.curves`). The score is printed and, where the
    folder lies in a study's, the verdict against its leading row (:func:`~colorlib.runs.standing.standing`).

    Args:
        colorizer: any callable L (N, 1, H, W) in [0, 100] -> ab (N, 2, H, W) in CIELAB units.
        data: the data set.
        folder: the run folder. After :func:`~colorlib.runs.train` it is the same one, and ``name`` is not given.
        name: what to call a colorizer that was not trained here.
        kind: "judged" or "baseline", for one that was not trained here.
        split: "test", or "val" while still choosing.
        train_seconds: what it took to make a colorizer that was not trained here.

    Returns:
        The run, read from the folder. A finished folder is judged again; the scores are the same.

    Raises:
        ValueError: a prediction has the wrong shape or holds NaN, or the folder holds something else.

    Example:
        >>> run = judge(lambda L: torch.zeros(len(L), 2, *L.shape[-2:]), data, "runs/mine", "all grey")
        all grey: ΔE2000 18.58 (...) on 10 photographs.
    """
    identity = _identity(folder, name, kind, data) if name else None
    if not isinstance(colorizer, Colorizer):
        colorizer = Colorizer(colorizer)
    run = _judge(lambda batch: colorizer(batch.L), data, folder, identity, split, colorizer, train_seconds)
    print(standing(run))
    return run


def train_and_judge(
    config: ExperimentConfig, data: LabArrays, folder: Path | str | None = None, device: str = "auto"
) -> tuple[NetworkColorizer, Run]:
    """Train a network and judge it on the test split, in one run folder: what every notebook of a network does.

    How it stands is printed, as by :func:`judge`.

    Args:
        config: the settings.
        data: the data set.
        folder: the run folder; None takes one below ``runs/notebooks``, named after the settings.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Returns:
        The colorizer, and the run as read from its folder.

    Raises:
        What :func:`~colorlib.runs.training.train` and :func:`judge` raise.
    """
    folder = folder or notebook_folder(config.model, data.fingerprint, config)
    colorizer = train(config, data, folder, device)
    return colorizer, judge(colorizer, data, folder)


def compare_objectives(
    objectives: Mapping[str, tuple[str | dict[str, float], dict]],
    data: LabArrays,
    model: str,
    model_options: dict,
    seed: int = 0,
    budget: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> dict[str, tuple[NetworkColorizer, Run]]:
    """Train one network with each of several objectives on equal terms; each in a folder of :func:`train_and_judge`.

    Args:
        objectives: what to call it -> the objective, a name or a sum, and its options.
        data: the data set.
        model, model_options: the network, fresh for each objective.
        seed: of weights, order and mirroring.
        budget: further settings of :class:`~colorlib.runs.run.ExperimentConfig`: images_seen, learning_rate, ….
        device: "auto", "cpu", "cuda" or "cuda:1".

    Returns:
        Name -> the colorizer and its run, in the order given.

    Raises:
        What :func:`train_and_judge` raises.

    Example:
        >>> objectives = {"sharp": ("l1", {}), "blunt": ("huber", {"delta": 20.0})}
        >>> budget = {"images_seen": 64, "validations": 1}
        >>> found = compare_objectives(objectives, data, "plain_cnn", {"filters": 8}, budget=budget)
        plain_cnn (filters 8) · l1: ΔE2000 ...
        plain_cnn (filters 8) · huber (delta 20.0): ΔE2000 ...
        >>> list(found)
        ['sharp', 'blunt']
    """
    return {
        name: train_and_judge(
            ExperimentConfig(model, objective, model_options, options, seed, **(budget or {})), data, None, device
        )
        for name, (objective, options) in objectives.items()
    }


def judge_oracle(oracle: Oracle, data: LabArrays, folder: Path | str, name: str, *, kind: str = "oracle") -> Run:
    """Judge an oracle, a callable of the whole batch with its truth, on the test split; see :func:`judge`.

    A function that takes the batch for another reason than to see the truth is of the kind "judged".
    """
    return _judge(oracle, data, folder, _identity(folder, name, kind, data), "test")


def _identity(folder: Path | str, name: str, kind: str, data: LabArrays) -> dict:
    identity = {"name": Path(folder).name, "label": name, "kind": kind, "model": name, "objective": None, "seed": 0}
    return identity | {"data": data.name, "data_fingerprint": data.fingerprint}


def _judge(
    predict: Oracle,
    data: LabArrays,
    folder: Path | str,
    identity: dict | None,
    split: str,
    colorizer: Colorizer | None = None,
    train_seconds: float | None = None,
) -> Run:
    processes.follow_parent()
    use_threads()
    folder = Path(folder)
    with exclusive(folder, "run"):
        if identity:
            begin(folder, identity)
        progress, sets = Progress(folder, f"judging {read_config(folder)['label']}"), SetDistances()
        itself = colorizer is not None and JUDGE in colorizer.looks_through
        if itself:
            print(f"It looks through EfficientNet-Lite{JUDGE} itself, which therefore says nothing of its pictures.")
        device = colorizer.device if colorizer else torch.device("cpu")
        if data.kinds is None and judge_for_metrics(device) is None:
            print(f"Nothing that Lite{JUDGE} sees is measured: pip install 'colorlib[pretrained]' and judge again.")
        per_image = evaluate(predict, data, data.indices(split), progress, sets, not itself, device)
        cost = coloring_cost(colorizer, data, split) | training_cost(folder, colorizer, data)
        write_pictures(folder, "test", color_sample(predict, data, split))
        if colorizer:
            write_curves(folder, colorizer, data, split)
            write_pictures(folder, "bundled", color_bundled(colorizer, min(data.size)))
        write_json(folder / "sets.json", sets.results())
        write_json(folder / "cost.json", {"train_seconds": train_seconds} | cost)
        write_table(folder / "per_image.csv", per_image)
    return Run(folder)
