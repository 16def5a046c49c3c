"""The entry of a metric: what a reader must know of a number, beside the function that measures it.

An entry stands in its family's file, right below its function. Its key is the name of its column in ``per_image.csv``
and ``results.csv``, and carries unit or variant (``psnr_rgb_db``). What describes a picture rather than its error, as
colourfulness does, has a second metric beside it, ``<name>_error``, the prediction's minus the photograph's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from torch import Tensor

from colorlib.metrics.pair import Pair

# References of several families; a family's own stand in its file.
DEFINITION = "textbook definition"
ZHANG = "Zhang, Isola and Efros, ECCV 2016"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is known of every metric.

    Args:
        title: its short name, for the heads of tables and for sentences.
        unit: for the table's head; "" for a pure number.
        higher_is_better: None where neither end is better: signed errors and the descriptions of a picture, which
            are good when they are the photograph's.
        about: one sentence on what it measures.
        blind_to: one sentence on what it cannot see.
        reference: the paper or standard.
    """

    title: str
    unit: str
    higher_is_better: bool | None
    about: str
    blind_to: str
    reference: str

    @property
    def arrow(self) -> str:
        """↑ where higher is better, ↓ where lower is, "" where neither."""
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]


@dataclass(frozen=True)
class Metric(Entry):
    """A number that every image gets; ``fn``: Pair of N images -> (N,) floating point, NaN where there is no number."""

    fn: Callable[[Pair], Tensor]


@dataclass(frozen=True)
class PooledMetric(Entry):
    """A number that a set of images gets, which is no mean of theirs but follows from means.

    Args:
        terms: per-image table -> the columns whose means it follows from.
        of: those means, each a number or an array of one shape -> the number, or an array of that shape.
    """

    terms: Callable[[pd.DataFrame], pd.DataFrame]
    of: Callable[..., ArrayLike]

    def fn(self, per_image: pd.DataFrame) -> float:
        """Measure a per-image table."""
        return float(np.asarray(self.of(*self.terms(per_image).mean())))


@dataclass(frozen=True)
class SetMetric(Entry):
    """A distance between the set of pictures and the set of photographs; its value is in ``sets.json``.

    Args:
        fn: its name and the embeddings of pictures and photographs, (N, D) each, or None where there are none -> its
            keys and values of ``sets.json``; None stands for what was not measured.
        network: by which it is embedded, a key of ``NETWORKS`` in :mod:`colorlib.metrics.sets`.
        alike: the keys of ``sets.json`` that must agree before two of these distances are compared; the first is the
            number of pictures.
        needs: the key under which the least number of pictures for it is, or "".
    """

    fn: Callable[[str, tuple[Tensor, Tensor] | None], dict[str, float | int | None]]
    network: str
    alike: tuple[str, ...]
    needs: str = ""
