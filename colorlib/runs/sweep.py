"""Which learning rate suits a network with its objective: each of a few is tried on a small budget, on val."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from colorlib.data.store import LabArrays
from colorlib.files import exclusive
from colorlib.runs.colorizer import build
from colorlib.runs.run import ExperimentConfig, shared_folder, write_table
from colorlib.runs.training import train


def choose_learning_rate(
    config: ExperimentConfig, data: LabArrays, rates: Sequence[float], images: int, device: str = "auto"
) -> tuple[ExperimentConfig, pd.DataFrame]:
    """Train at each rate for a few photographs, with the seed 0, and choose the rate with the lowest loss on val.

    Runs that differ in their seed, budget or rate alone share one sweep, in ``runs/sweeps`` of the project: the first
    trains it, the others wait for it. Each trial is a run folder of its own, so a sweep that was killed goes on.

    Args:
        config: the settings of the run; its own rate is of no account. Its objective has no critic, since the loss on
            val leaves the critic out: the rate at which the network heeds it least would win.
        data: photographs with a train and a val split.
        rates: the peaks to try.
        images: the budget of each trial, in photographs.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Returns:
        The settings with the chosen rate, and the sweep: columns learning_rate, images_seen, val_loss (that of the
        weights which the trial chose; empty where its loss became no number) and chosen (0 or 1).

    Raises:
        ValueError: no rate, an objective with a critic, or what :func:`~colorlib.runs.training.train` raises.
        FloatingPointError: the loss became no number at every rate.
    """
    if not rates:
        raise ValueError("a sweep needs learning rates to choose from, for example [5.0e-4, 2.0e-3, 8.0e-3].")
    if build(config, data)[1].critic is not None:
        raise ValueError(f"{config.objective_label} has a critic, which the loss on val leaves out: choose its rate.")
    trial = dataclasses.replace(config, seed=0, images_seen=images, macs=None, learning_rate=1.0)
    trials = [dataclasses.replace(trial, learning_rate=rate) for rate in rates]
    folder = shared_folder("sweeps", data.fingerprint, trial)
    with exclusive(folder, "sweep", patience=math.inf):
        losses = [_loss(one, data, folder / f"{one.learning_rate:g}", device) for one in trials]
    table = pd.DataFrame({"learning_rate": list(rates), "images_seen": images, "val_loss": losses})
    if table["val_loss"].isna().all():
        raise FloatingPointError(f"the loss of {config.label} became no number at each of the rates {list(rates)}.")
    best = table["val_loss"].idxmin()
    table["chosen"] = (table.index == best).astype(int)
    write_table(folder / "sweep.csv", table)
    return dataclasses.replace(config, learning_rate=rates[int(best)]), table


def _loss(trial: ExperimentConfig, data: LabArrays, folder: Path, device: str) -> float:
    try:
        train(trial, data, folder, device)
    except FloatingPointError:
        return math.nan
    history = pd.read_csv(folder / "history.csv")
    return float(history.loc[history["best"] == 1, "val_loss"].iloc[-1])
