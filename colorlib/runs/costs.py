"""What a run costs: memory, computing, and seconds, which are worth comparing where nothing else ran beside.

Rows of a study run side by side, and what one computes slows the others. So the seconds that a run notes in
``cost.json`` are no measure to compare rows by; those that :func:`time_runs` takes one after another are.
"""

import dataclasses
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from colorlib.bars import progress_bar
from colorlib.data.store import LabArrays
from colorlib.files import temporary_folder, write_json
from colorlib.machine import machine, peak_memory_mb, use_threads
from colorlib.runs.colorizer import Colorizer, NetworkColorizer, read_settings
from colorlib.runs.run import ExperimentConfig, Run
from colorlib.runs.training import macs_in_training, train

COLOURED = 10  # photographs that are coloured one at a time for the clock
WARM = 2  # steps of training in which torch chooses its kernels, which are not counted
TIMED = 16  # steps of training that are


def coloring_cost(colorizer: Colorizer | None, data: LabArrays, split: str) -> dict:
    """Measure what it costs to colour: milliseconds for one photograph at a time (median), memory, size."""
    cost = {"threads": torch.get_num_threads(), "device": "cpu"}
    if colorizer:
        known = {"parameters": colorizer.parameters, "macs_per_image": colorizer.macs(data.size)}
        cost |= {name: value for name, value in known.items() if value is not None}
        cost["device"] = str(colorizer.device)
        cost["ms_per_image"] = _ms_per_image(colorizer, data, split)
        cost["peak_memory_mb"] = peak_memory_mb(colorizer.device)
    return cost


def _ms_per_image(colorizer: Colorizer, data: LabArrays, split: str) -> float:
    seconds = []
    for index in data.indices(split)[:COLOURED]:
        L = data.batch([index]).L
        started = time.perf_counter()
        colorizer(L)
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


def training_cost(folder: Path, colorizer: Colorizer | None, data: LabArrays) -> dict:
    """Read what a run's training took: seconds, photographs, and the multiply-accumulates of its forward passes."""
    history = Run(folder).history
    if history is None:
        return {}
    seconds, images = float(history["seconds"].iloc[-1]), int(history["images_seen"].iloc[-1])
    cost = {
        "train_seconds": seconds,
        "images_seen": images,
        "seconds_per_1000_training_images": 1000 * seconds / images,
    }
    if isinstance(colorizer, NetworkColorizer):
        cost["training_macs"] = images * macs_in_training(colorizer.network, data.size)
    return cost


def time_runs(runs: Sequence[Run], data: LabArrays, device: str = "auto") -> None:
    """Time the networks of trained runs one after another, and write ``seconds.json`` into their folders.

    Each design is trained anew for a few steps, in a folder that is then gone, and colours a few photographs; what was
    trained and judged stays as it is, its weights need not be there. Runs that differ in their seed or budget are timed
    once, and one that has been timed on this processor is not timed again. Let nothing else run meanwhile.

    Raises:
        What :func:`~colorlib.runs.training.train` raises.
    """
    use_threads()
    here = {"processor": machine()["processor"], "threads": torch.get_num_threads()}
    found: dict[str, dict] = {}
    for run in progress_bar(runs, desc="timing", unit="run"):
        if here.items() <= run.cost.items():
            continue
        config = dataclasses.replace(read_settings(run.folder), seed=0, images_seen=1, macs=None, schedule="cosine")
        if repr(config) not in found:
            found[repr(config)] = here | _seconds(config, data, device)
        measured = found[repr(config)]
        whole = measured["seconds_per_1000_training_images"] * run.cost["images_seen"] / 1000
        other = run.cost.get("device") != measured["device"]  # whose memory is none of this one's
        unknown = {"peak_memory_mb": None} if other else {}
        write_json(run.folder / "seconds.json", measured | {"train_seconds": whole} | unknown)


def _seconds(config: ExperimentConfig, data: LabArrays, device: str) -> dict:
    """Train for some steps, of which the first are not counted, and colour some photographs."""
    size = config.batch_size
    short = dataclasses.replace(config, validations=1, validation_images=size, checkpoint_seconds=3600.0)
    with temporary_folder() as folder:
        for name, steps in (("warm", WARM), ("timed", TIMED)):
            colorizer = train(dataclasses.replace(short, images_seen=steps * size), data, folder / name, device)
        taken = float(pd.read_csv(folder / "timed" / "history.csv")["seconds"].iloc[-1])
    return {
        "device": str(colorizer.device),
        "seconds_per_1000_training_images": 1000 * taken / (TIMED * size),
        "ms_per_image": _ms_per_image(colorizer, data, "test"),
    }
