"""Judging a colorizer: one row of scores for each photograph, and what it costs.

Whatever is judged is called in the same way and scored by the same code, be it a network, a table or a folder of
pictures that somebody else coloured. A prediction meets its truth inside one batch of one data set, never by the order
of two listings.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from colorlib import experiment, processes
from colorlib.color import decode_lab8, encode_lab8, rgb8_to_lab8
from colorlib.curves import write_curves
from colorlib.data.bundled import bundled_photographs
from colorlib.data.scenes import LAWS
from colorlib.data.store import Batch, LabArrays
from colorlib.experiment import ExperimentConfig, Run
from colorlib.files import exclusive, write_json
from colorlib.metrics import Pair, SetDistances, score
from colorlib.training import TrainedColorizer, count_macs, peak_memory_mb, train, use_threads

Predict = Callable[[Batch], Tensor]

BATCH = 32
KEPT = 96  # photographs of the split, drawn by lot, whose colouring is kept for the figures
TIMED = 10  # photographs that are coloured one at a time for the clock


def evaluate(
    predict: Predict,
    data: LabArrays,
    indices: np.ndarray,
    progress: Callable | None = None,
    sets: SetDistances | None = None,
) -> pd.DataFrame:
    """Score a colorizer on photographs.

    Args:
        predict: gives ab (N, 2, H, W) in CIELAB units for a batch.
        data: the data set; its class prior weighs the rebalanced AuC, its labels say what there is to recognise.
        indices: which photographs.
        progress: called with (done, total).
        sets: takes in all pictures, for the distances between the sets.

    Returns:
        A row for each photograph: its id, every metric, and on ``scenes`` the scores per law of colour.

    Raises:
        ValueError: a prediction has the wrong shape or holds NaN.
    """
    rows = []
    for start in tqdm(range(0, len(indices), BATCH), desc="judging", unit="batch", leave=False):
        batch = data.batch(indices[start : start + BATCH])
        pair = Pair(batch.L, predict(batch), batch.ab, data.class_prior, batch.labels, data.classes)
        if sets:
            sets.add(pair)
        scores = {name: value.tolist() for name, value in score(pair).items()}
        if batch.kinds is not None:
            scores |= _scores_per_law(pair, batch.kinds, data.info["kinds"])
        rows.append(pd.DataFrame({"id": batch.ids} | scores))
        if progress:
            progress(start + len(batch.L), len(indices))
    return pd.concat(rows, ignore_index=True)


def _scores_per_law(pair: Pair, kinds: Tensor, kind_info: list[dict]) -> dict[str, list[float]]:
    """Score the pixels of each law of colour apart; NaN where a photograph has none of them."""
    law_of_kind = torch.tensor([LAWS.index(kind["law"]) for kind in kind_info])
    law = law_of_kind[kinds.long()]  # (N, H, W)
    maps = {
        "delta_e_76": (pair.ab - pair.ab_true).norm(dim=1),
        "mean_chroma": pair.ab.norm(dim=1),
        "mean_chroma_true": pair.ab_true.norm(dim=1),
    }
    scores = {}
    for number, name in enumerate(LAWS):
        inside = (law == number).float()
        pixels = inside.sum((1, 2))
        scores[f"share_{name}"] = (pixels / inside[0].numel()).tolist()
        for metric, values in maps.items():
            mean = (values * inside).sum((1, 2)) / pixels  # 0 / 0 is NaN: this photograph has no such thing
            scores[f"{metric}_{name}"] = mean.tolist()
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
    and for a trained network whichever curves it has (`colorlib.curves`).

    Args:
        colorizer: any callable L (N, 1, H, W) in [0, 100] -> ab (N, 2, H, W) in CIELAB units.
        data: the data set.
        folder: the run folder. After :func:`~colorlib.training.train` it is the same one, and ``name`` is not given.
        name: what to call a colorizer that was not trained here.
        kind: "judged" or "baseline", for one that was not trained here.
        split: "test", or "val" while still choosing.
        train_seconds: what it took to make a colorizer that was not trained here.

    Returns:
        The run, read from the folder. A finished folder is judged again; the scores are the same.

    Raises:
        ValueError: a prediction has the wrong shape or holds NaN, or the folder holds something else.

    Example:
        >>> judge(lambda L: torch.zeros(len(L), 2, *L.shape[-2:]), open_dataset("scenes"), "runs/mine", "all grey")
    """
    identity = _identity(folder, name, kind, data) if name else None
    return _judge(lambda batch: colorizer(batch.L), data, folder, identity, split, colorizer, train_seconds)


def train_and_judge(
    config: ExperimentConfig, data: LabArrays, folder: Path | str | None = None, device: str = "auto"
) -> tuple[TrainedColorizer, Run]:
    """Train a network and judge it on the test split, in one run folder: what every notebook of a network does.

    Args:
        config: the settings.
        data: the data set.
        folder: the run folder; None takes one below ``runs/notebooks``, named after the settings.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Returns:
        The colorizer, and the run as read from its folder.

    Raises:
        What :func:`~colorlib.training.train` and :func:`judge` raise.
    """
    folder = folder or experiment.notebook_folder(config.model, data.fingerprint, config)
    colorizer = train(config, data, folder, device)
    return colorizer, judge(colorizer, data, folder)


def compare_objectives(
    objectives: Mapping[str, tuple[str | dict[str, float], dict]],
    data: LabArrays,
    model: str,
    model_options: dict,
    seed: int = 0,
    budget: Mapping[str, float | None] | None = None,
    device: str = "auto",
) -> dict[str, tuple[TrainedColorizer, Run]]:
    """Train one network with each of several objectives on equal terms; each in a folder of :func:`train_and_judge`.

    Args:
        objectives: what to call it -> the objective, a name or a sum, and its options.
        data: the data set.
        model, model_options: the network, fresh for each objective.
        seed: of weights, order and mirroring.
        budget: further settings of :class:`~colorlib.experiment.ExperimentConfig`: images_seen, learning_rate, ….
        device: "auto", "cpu", "cuda" or "cuda:1".

    Returns:
        Name -> the colorizer and its run, in the order given.

    Raises:
        What :func:`train_and_judge` raises.

    Example:
        >>> compare_objectives({"l1": ("l1", {}), "vivid": ("ce", {"temperature": 0.1})}, data, "unet", {"width": 8})
    """
    budget = budget or {}
    return {
        name: train_and_judge(
            ExperimentConfig(model, objective, model_options, options, seed, **budget), data, None, device
        )
        for name, (objective, options) in objectives.items()
    }


def judge_oracle(oracle: Predict, data: LabArrays, folder: Path | str, name: str) -> Run:
    """Judge an oracle, a callable of the whole batch with its truth, on the test split; see :func:`judge`."""
    return _judge(oracle, data, folder, _identity(folder, name, "oracle", data), "test")


def judge_pictures(folder: Path | str, data: LabArrays, run_folder: Path | str, name: str, split: str = "test") -> Run:
    """Judge pictures that somebody else coloured, matched by id; see :func:`read_pictures` and :func:`judge`."""
    predict = read_pictures(folder, data, split)
    return _judge(predict, data, run_folder, _identity(run_folder, name, "judged", data), split)


def _identity(folder: Path | str, name: str, kind: str, data: LabArrays) -> dict:
    identity = {"name": Path(folder).name, "label": name, "kind": kind, "model": name, "objective": None, "seed": 0}
    return identity | {"data": data.name, "data_fingerprint": data.fingerprint}


def _judge(
    predict: Predict,
    data: LabArrays,
    folder: Path | str,
    identity: dict | None,
    split: str,
    colorizer: Callable[[Tensor], Tensor] | None = None,
    train_seconds: float | None = None,
) -> Run:
    processes.follow_parent()
    use_threads()
    folder = Path(folder)
    with exclusive(folder, "run"):
        if identity:
            experiment.begin(folder, identity)
        progress = experiment.Progress(folder, f"judging {experiment.read_config(folder)['label']}")
        sets = SetDistances()
        per_image = evaluate(predict, data, data.indices(split), progress, sets)
        cost = {"train_seconds": train_seconds} | _cost(colorizer, data, split) | _training_cost(folder)
        experiment.write_pictures(folder, "test", _colour_sample(predict, data, split))
        if isinstance(colorizer, TrainedColorizer):
            write_curves(folder, colorizer, data, split)
        if colorizer:
            experiment.write_pictures(folder, "bundled", _colour_bundled(colorizer, min(data.size)))
        write_json(folder / "sets.json", sets.results())
        write_json(folder / "cost.json", cost)
        experiment.write_table(folder / "per_image.csv", per_image)
    return Run(folder)


def _cost(colorizer: Callable[[Tensor], Tensor] | None, data: LabArrays, split: str) -> dict:
    """Measure what it costs to colour: milliseconds for one photograph at a time (median), memory, size."""
    cost = {"threads": torch.get_num_threads(), "device": "cpu"}
    if isinstance(colorizer, TrainedColorizer):
        cost["parameters"] = sum(parameter.numel() for parameter in colorizer.network.parameters())
        cost["macs_per_image"] = count_macs(colorizer.network, data.size)
        cost["device"] = str(colorizer.device)
    if colorizer:
        seconds = []
        for index in data.indices(split)[:TIMED]:
            L = data.batch([index]).L
            started = time.perf_counter()
            colorizer(L)
            seconds.append(time.perf_counter() - started)
        cost["ms_per_image"] = 1000 * statistics.median(seconds)
        cost["peak_memory_mb"] = peak_memory_mb(torch.device(cost["device"]))
    return cost


def _training_cost(folder: Path) -> dict:
    history = Run(folder).history
    if history is None:
        return {}
    seconds, images = float(history["seconds"].iloc[-1]), int(history["images_seen"].iloc[-1])
    return {
        "train_seconds": seconds,
        "images_seen": images,
        "seconds_per_1000_training_images": 1000 * seconds / images,
    }


def colour_at(colorizer: Callable[[Tensor], Tensor], L: Tensor, short_side: int) -> Tensor:
    """Colour photographs of any size as if they were of the size a colorizer was trained on.

    A network that learned on pictures of 64 pixels knows a tree of 20; shown a tree of 200 it sees a wall. So the
    photograph is shrunk to ``short_side``, coloured, and its colours (smooth where lightness is sharp) are brought up.

    Args:
        L: (N, 1, H, W) in [0, 100].
        short_side: pixels; a photograph that is smaller is taken as it is.

    Returns:
        ab (N, 2, H, W) in CIELAB units.
    """
    H, W = L.shape[-2:]
    scale = min(1.0, short_side / min(H, W))
    small = F.interpolate(L, size=(round(H * scale), round(W * scale)), mode="bilinear", antialias=True)
    return F.interpolate(colorizer(small), size=(H, W), mode="bilinear")


def _colour_sample(predict: Predict, data: LabArrays, split: str) -> dict:
    pictures = {}
    for index in data.sample(split, KEPT):
        batch = data.batch([index])
        L8, ab8 = encode_lab8(torch.cat([batch.L, predict(batch)], 1))
        _, ab8_true = encode_lab8(torch.cat([batch.L, batch.ab], 1))
        pictures[batch.ids[0]] = (L8[0].numpy(), ab8[0].numpy(), ab8_true[0].numpy())
    return pictures


def _colour_bundled(colorizer: Callable[[Tensor], Tensor], short_side: int) -> dict:
    pictures = {}
    for photograph in bundled_photographs(max_side=256):
        L8, ab8_true = (torch.from_numpy(array) for array in rgb8_to_lab8(photograph.rgb[None]))
        L, _ = decode_lab8(L8, ab8_true)
        _, ab8 = encode_lab8(torch.cat([L, colour_at(colorizer, L, short_side)], 1))
        pictures[photograph.id] = (L8[0].numpy(), ab8[0].numpy(), ab8_true[0].numpy())
    return pictures


def read_pictures(folder: Path | str, data: LabArrays, split: str = "test") -> Callable[[Batch], Tensor]:
    """Take the colours from a folder of pictures named ``<id>.png`` (or any other image format).

    Only the pictures' a and b are taken; lightness is the photograph's own.

    Raises:
        FileNotFoundError: the folder does not exist, or pictures of the split are missing; the message names them.
        ValueError: two pictures of one id, an unreadable one, or one of another size.

    Warns:
        UserWarning: there are pictures of other names; the message names them.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder of coloured pictures.")
    extensions = set(Image.registered_extensions())
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in extensions)
    paths = {path.stem: path for path in files}
    if len(paths) < len(files):
        twice = next(path.stem for path, after in zip(files, files[1:], strict=False) if path.stem == after.stem)
        raise ValueError(f"{folder} holds two pictures of {twice}; keep one.")
    wanted = data.manifest["id"].iloc[data.indices(split)].tolist()
    missing = [identity for identity in wanted if identity not in paths]
    surplus = sorted(set(paths) - set(wanted))
    if missing:
        also = f"; {_some(surplus)} not of this split" if surplus else ""
        raise FileNotFoundError(
            f"{folder} lacks {len(missing)} of {len(wanted)} pictures of the {split} split: {_some(missing)}{also}. "
            "`colorlib export` writes the grey photographs under the names that are expected."
        )
    if surplus:
        warnings.warn(
            f"{folder} holds {len(surplus)} pictures that are not of the {split} split: {_some(surplus)}.", stacklevel=2
        )

    def predict(batch: Batch) -> Tensor:
        return torch.cat([_read_ab(paths[identity], batch.L.shape[-2:]) for identity in batch.ids])

    return predict


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _read_ab(path: Path, size: tuple[int, int]) -> Tensor:
    try:
        with Image.open(path) as image:
            rgb8 = np.asarray(image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read as a picture ({error}).") from None
    if rgb8.shape[:2] != tuple(size):
        H, W = size
        raise ValueError(f"{path} has {rgb8.shape[1]}×{rgb8.shape[0]} pixels, its photograph {W}×{H}.")
    return decode_lab8(*(torch.from_numpy(array) for array in rgb8_to_lab8(rgb8[None])))[1]
