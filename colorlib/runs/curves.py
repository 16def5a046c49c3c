"""What some networks can tell beyond one answer: curves over the temperature, over hints, and over several tries.

Each is a table of means over photographs of a split, drawn by lot, and is written into the run folder when the network
is judged: ``temperature.csv`` where the objective is decoded with a temperature, ``hints.csv`` where the network takes
hints, ``several.csv`` where it samples.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from colorlib.bars import progress_bar
from colorlib.color import hints
from colorlib.data.store import Batch, LabArrays
from colorlib.metrics import METRICS, Pair
from colorlib.metrics.several import best_of, diversity
from colorlib.runs.colorizer import Colorizer
from colorlib.runs.run import write_table
from colorlib.statistics import mean_interval

PHOTOGRAPHS = 64  # for each curve
BATCH = 32
TEMPERATURES = (1.0, 0.7, 0.38, 0.2, 0.1, 0.05, 0.01)
MEASURES = ("delta_e_76", "delta_e_2000", "psnr_rgb_db", "colorfulness_hs03")
HINTS = (0, 1, 2, 5, 10, 20, 50)
HINT_SIDE = 6 / 256  # of a hint, as a share of the photograph's side: the authors' 6 pixels of 256
TRIES = (1, 2, 4, 8)

Value = TypeVar("Value", int, float)  # what a curve runs over


def _batches(data: LabArrays, indices: np.ndarray, what: str) -> Iterator[Batch]:
    for start in progress_bar(range(0, len(indices), BATCH), desc=what, unit="batch", leave=False):
        yield data.batch(indices[start : start + BATCH])


def _means(
    prepare: Callable[[Batch], Callable[[Value], Tensor]],
    values: Sequence[Value],
    data: LabArrays,
    indices: np.ndarray,
    what: str,
) -> pd.DataFrame:
    """Measure ``prepare(batch)(value)`` for each value: a row of means over the photographs, with PSNR's interval."""
    scores: dict[Value, dict[str, list[Tensor]]] = {value: {name: [] for name in MEASURES} for value in values}
    for batch in _batches(data, indices, what):
        answer = prepare(batch)
        for value in values:
            pair = Pair(batch.L, answer(value), batch.ab)
            for name in MEASURES:
                scores[value][name].append(METRICS[name].fn(pair))
    rows = []
    for value, measured in scores.items():
        row: dict[str, float] = {what: value, "images": len(indices)}
        row |= {name: float(torch.cat(parts).mean()) for name, parts in measured.items()}
        _, row["psnr_rgb_db_low"], row["psnr_rgb_db_high"] = mean_interval(torch.cat(measured["psnr_rgb_db"]))
        rows.append(row)
    return pd.DataFrame(rows)


@torch.inference_mode()
def temperature_curve(colorizer: Colorizer, data: LabArrays, indices: np.ndarray) -> pd.DataFrame:
    """Decode a network's odds at ``TEMPERATURES``, from the mean (1) to nearly the likeliest bin (0.01).

    Args:
        colorizer: one with a temperature.
        data, indices: the photographs.

    Returns:
        Columns temperature, images, ``MEASURES``, psnr_rgb_db_low and psnr_rgb_db_high; a row for each temperature.
    """

    def prepare(batch: Batch) -> Callable[[float], Tensor]:
        return lambda temperature: colorizer(batch.L, temperature=temperature)

    return _means(prepare, TEMPERATURES, data, indices, "temperature")


@torch.inference_mode()
def hints_curve(colorizer: Colorizer, data: LabArrays, indices: np.ndarray) -> pd.DataFrame:
    """Reveal ``HINTS`` squares of the truth to a network that takes hints (Zhang et al. 2017, figure of PSNR by hints).

    The squares lie where chance has put them and are as large a share of the photograph as the authors'; the same
    chance for every network.

    Returns:
        Columns hints, images, ``MEASURES``, psnr_rgb_db_low and psnr_rgb_db_high; a row for each number of hints.
    """
    side = max(1, round(HINT_SIDE * min(data.size)))

    def prepare(batch: Batch) -> Callable[[int], Tensor]:
        def answer(count: int) -> Tensor:
            chance = torch.Generator().manual_seed(zlib.crc32(batch.ids[0].encode()) + count)
            return colorizer(batch.L, hints=hints.reveal(batch.ab, count, side, chance))

        return answer

    return _means(prepare, HINTS, data, indices, "hints")


@torch.inference_mode()
def several_curve(colorizer: Colorizer, data: LabArrays, indices: np.ndarray) -> pd.DataFrame:
    """Let a network that samples colour each photograph up to eight times.

    Returns:
        Columns k, images, diversity (mean ΔE76 between two answers), mean_of_k_delta_e_76 and mean_of_k_chroma (of the
        average of k answers), best_of_k_delta_e_76 (of the answer nearest to the truth, which is chosen by the truth).
    """
    scores: dict[int, dict[str, list[Tensor]]] = {k: {} for k in TRIES}
    for batch in _batches(data, indices, "samples"):
        samples = colorizer.samples(batch.L, max(TRIES))
        for k in TRIES:
            mean = samples[:k].mean(0)
            measured = {
                "diversity": diversity(samples[:k]) if k > 1 else torch.full((len(batch.L),), torch.nan),
                "mean_of_k_delta_e_76": (mean - batch.ab).norm(dim=1).mean((1, 2)),
                "mean_of_k_chroma": mean.norm(dim=1).mean((1, 2)),
                "best_of_k_delta_e_76": best_of(samples[:k], batch.ab),
            }
            for name, values in measured.items():
                scores[k].setdefault(name, []).append(values)
    rows = [
        {"k": k, "images": len(indices)} | {name: float(torch.cat(parts).mean()) for name, parts in measured.items()}
        for k, measured in scores.items()
    ]
    return pd.DataFrame(rows)


def write_curves(folder: Path, colorizer: Colorizer, data: LabArrays, split: str) -> None:
    """Write into a run folder whichever curves its colorizer has."""
    indices = data.sample(split, PHOTOGRAPHS)
    if colorizer.temperature is not None:
        write_table(folder / "temperature.csv", temperature_curve(colorizer, data, indices))
    if colorizer.takes_hints:
        write_table(folder / "hints.csv", hints_curve(colorizer, data, indices))
    if colorizer.gives_several:
        write_table(folder / "several.csv", several_curve(colorizer, data, indices))
