"""Photographs chosen by rule, as the rows of a comparison coloured them."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from PIL import Image

from colorlib import plots
from colorlib.color.lab import decode_lab8
from colorlib.metrics import METRICS, Pair
from colorlib.reports.rows import PRIMARY
from colorlib.reports.words import head, number

if TYPE_CHECKING:
    from colorlib.reports.comparison import Comparison


@dataclass(frozen=True)
class Sample:
    """One chosen photograph: why it was chosen, and rgb (H, W, 3) uint8 by column."""

    identity: str
    reason: str
    photos: dict[str, np.ndarray | None]


def choose_samples(comparison: "Comparison", name: str) -> list[Sample]:
    """Choose the best, median, worst and most disputed photographs of a set over the trained rows, and colour them.

    Args:
        comparison: its rows' first seeds are shown.
        name: of the set of pictures, "bundled" or "test".

    Returns:
        At most four; none where no trained row kept pictures of the set.
    """
    kept = {row.label: row.runs[0].pictures(name) for row in comparison.rows}
    kept = {label: pictures for label, pictures in kept.items() if pictures}
    judges = {label: kept[label] for label in comparison.trained if label in kept} or {
        label: kept[label] for label in comparison.contestants if label in kept
    }
    if not judges:
        return []
    ids = sorted(set.intersection(*(set(pictures) for pictures in judges.values())))
    if not ids:
        return []
    errors = _picture_errors(comparison, judges, ids)
    mean, spread = errors.mean(axis=1).sort_values(kind="stable"), errors.var(axis=1, ddof=0)
    chosen = {mean.index[0]: "best"}
    chosen.setdefault(mean.index[-1], "worst")
    chosen.setdefault(mean.index[len(mean) // 2], "median")
    rest = spread.drop(list(chosen)).sort_values(ascending=False, kind="stable")
    if len(rest) and len(judges) > 1:
        chosen[rest.index[0]] = "most disputed"
    order = ["best", "median", "worst", "most disputed"]
    samples = []
    for identity in sorted(chosen, key=lambda identity: order.index(chosen[identity])):
        L8, _, ab8_true = next(iter(judges.values()))[identity]
        photos: dict[str, np.ndarray | None] = {
            "truth": _rgb8(L8, ab8_true),
            "grey": _rgb8(L8, np.full_like(ab8_true, 128)),
        }
        for label in (*comparison.trained, *comparison.trivial, *kept):  # oracles come last
            if label in kept and label != comparison.grey and label not in photos:
                picture = kept[label].get(identity)
                photos[label] = _rgb8(picture[0], picture[1]) if picture else None
        reason = f"{chosen[identity]}, mean {head(PRIMARY)} {number(mean[identity], 1)}"
        samples.append(Sample(identity, reason, photos))
    return samples


def _rgb8(L8: np.ndarray, ab8: np.ndarray) -> np.ndarray:
    return (plots.lab8_to_photo(L8, ab8) * 255).round().astype(np.uint8)


def _picture_errors(comparison: "Comparison", pictures: Mapping[str, dict], ids: Sequence[str]) -> pd.DataFrame:
    """Primary metric by photograph and row: from ``per_image.csv`` where it was judged, else measured here."""
    columns = {}
    for label, kept in pictures.items():
        judged = comparison.by_label[label].runs[0].per_image.set_index("id")[PRIMARY]
        if set(ids) <= set(judged.index):
            columns[label] = judged.loc[ids].to_numpy(float)
            continue
        errors = []
        for identity in ids:
            L8, ab8, ab8_true = (torch.from_numpy(array.copy())[None] for array in kept[identity])
            (L, ab), (_, ab_true) = decode_lab8(L8, ab8), decode_lab8(L8, ab8_true)
            errors.append(float(METRICS[PRIMARY].fn(Pair(L, ab, ab_true))))
        columns[label] = errors
    return pd.DataFrame(columns, index=list(ids))


def show_samples(samples: Sequence[Sample]) -> Figure:
    """Show chosen photographs in one figure beside one another, and below as every row coloured them.

    Args:
        samples: from :func:`choose_samples`, one at least.
    """
    columns = list(samples[0].photos)
    grid = [[sample.photos.get(column) for column in columns] for sample in samples]
    titles = [f"{sample.identity}\n{sample.reason}" for sample in samples]
    return plots.show_photos(list(zip(*grid, strict=True)), columns, titles, 1.0)


def jpeg(photo: np.ndarray, pixels: float) -> bytes:
    """Write rgb (H, W, 3) uint8 as a JPEG of at most so many pixels, of about half a byte each."""
    image = Image.fromarray(photo)
    scale = min(1.0, math.sqrt(pixels / (image.width * image.height)))
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88, optimize=True)
    return buffer.getvalue()
