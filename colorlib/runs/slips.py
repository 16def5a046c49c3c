"""The slips of the course project that this study grew from, made on purpose: what each of them does to a table.

``lightness``: the network is fed lightness from 0 to 255 where it was taught 0 to 1, and what it answers is shown at
100 times that lightness. ``pairs``: pictures and photographs are paired by two listings of folders of which neither is
sorted. ``channels``: ΔE is measured of L / 100 and (ab − 128) / 127, as if those were CIELAB.

Reference:
    D. Jefferson, "B-W-Colorising-Models", github.com/Daru1914/B-W-Colorising-Models: notebooks/image_colorization.ipynb
    (the lightness) and notebooks/metrics.ipynb (the pairs, the channels; mean squared error and "CIE76").
"""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from colorlib.color.lab import lab_to_linear_rgb, lab_to_rgb, shown_lab
from colorlib.data.store import Batch, LabArrays
from colorlib.runs.colorizer import Colorizer
from colorlib.runs.evaluation import BATCH, judge_oracle
from colorlib.runs.run import Run, write_table

SLIPS = {  # name -> what a row with it is called
    "lightness": "L fed as 0 to 255",
    "pairs": "unsorted pairs",
    "channels": "ΔE of rescaled channels",
}


def judge_with_slips(
    colorizer: Colorizer, data: LabArrays, folder: Path | str, name: str, slips: Collection[str], seed: int = 0
) -> Run:
    """Judge a colorizer's test photographs as the course project would have, in a run folder.

    ``per_image.csv`` has this study's metrics of the colours that come of the slips, under each photograph's own
    lightness; they know no slip in measuring. ``slips.csv`` has the course project's two measures, of what a screen
    would have shown: ``mse`` of sRGB in [0, 1] and ``delta_e``, with the slips, and the same as ``…_right`` without.

    Args:
        colorizer: whose colours are judged.
        data: the data set.
        folder: the run folder.
        name: what to call it.
        slips: names of :data:`SLIPS`.
        seed: of the order of the unsorted listings.

    Raises:
        ValueError: a slip of another name.
    """
    if unknown := set(slips) - set(SLIPS):
        raise ValueError(f"the slips are {', '.join(SLIPS)}, not {', '.join(sorted(unknown))}.")
    indices = data.indices("test")
    ids = data.ids(indices)
    shuffled = np.random.default_rng(seed).permutation(indices) if "pairs" in slips else indices
    found = dict(zip(ids, shuffled, strict=True))  # what a listing hands over in place of each photograph

    def answer(batch: Batch) -> Tensor:  # Lab (N, 3, H, W)
        L = data.batch([found[identity] for identity in batch.ids]).L
        L = 255 * L if "lightness" in slips else L
        return torch.cat([L, colorizer(L)], 1)

    run = judge_oracle(lambda batch: answer(batch)[:, 1:], data, folder, name, kind="judged")
    tables = []
    for start in range(0, len(indices), BATCH):
        batch = data.batch(indices[start : start + BATCH])
        truth = torch.cat([batch.L, batch.ab], 1)
        right = torch.cat([batch.L, colorizer(batch.L)], 1)
        table = {"id": batch.ids} | _measured(answer(batch), truth, slips)
        table |= {f"{key}_right": values for key, values in _measured(right, truth, ()).items()}
        tables.append(pd.DataFrame(table))
    write_table(Path(folder) / "slips.csv", pd.concat(tables))
    return run


def _measured(lab: Tensor, lab_true: Tensor, slips: Collection[str]) -> dict[str, np.ndarray]:
    """Give the course project's two measures of pictures (N, 3, H, W) in Lab, as a screen shows them: (N,) each."""
    shown, shown_true = (shown_lab(either, lab_to_linear_rgb(either)) for either in (lab, lab_true))
    mse = (lab_to_rgb(lab) - lab_to_rgb(lab_true)).square().mean((1, 2, 3))
    scale = torch.tensor([100.0, 127.0, 127.0] if "channels" in slips else [1.0] * 3).view(1, 3, 1, 1)
    delta_e = ((shown - shown_true) / scale).norm(dim=1).mean((1, 2))  # the 128 of both cancels
    return {"mse": mse.numpy(), "delta_e": delta_e.numpy()}
