"""How colourful a picture is, whatever the photograph was: Hasler and Süsstrunk's measure, and mean chroma.

Reference:
    Hasler and Süsstrunk, SPIE 5007, 2003.
"""

import numpy as np
from torch import Tensor

from colorlib.color.appearance import colorfulness
from colorlib.metrics.base import Metric, PooledMetric
from colorlib.metrics.pair import Pair

HASLER = "Hasler and Süsstrunk, SPIE 5007, 2003"
HASLER_ABSOLUTE = f"{HASLER}, with absolute values"

METRICS: dict[str, Metric] = {}
POOLED: dict[str, PooledMetric] = {}


def colorfulness_hs03(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction, signed variant; see :func:`colorlib.color.hs03`."""
    return colorfulness(pair.opponents)


METRICS["colorfulness_hs03"] = Metric(
    colorfulness_hs03,
    title="Colourfulness",
    unit="",
    higher_is_better=None,
    about="Colourfulness as published, from signed opponent channels on 0 … 255: 0 is grey, 33 moderate, 82 high.",
    blind_to="Whether the colours are right or in the right place; clipping to the gamut comes before.",
    reference=HASLER,
)


def colorfulness_hs03_error(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction minus that of the photograph, signed variant."""
    return colorfulness(pair.opponents) - colorfulness(pair.opponents_true)


METRICS["colorfulness_hs03_error"] = Metric(
    colorfulness_hs03_error,
    title="Colourfulness, signed error",
    unit="",
    higher_is_better=None,
    about="Colourfulness (signed variant) of the prediction minus the photograph's; best at 0, below it is too dull.",
    blind_to="Whether the colours are right or in the right place.",
    reference=HASLER,
)

POOLED["colorfulness_hs03_gap"] = PooledMetric(
    lambda per_image: per_image[["colorfulness_hs03_error"]],
    np.abs,
    title="Colourfulness gap",
    unit="",
    higher_is_better=False,
    about="|mean colourfulness of the predictions − of the photographs|, signed variant.",
    blind_to="Errors that cancel: half the images too dull and half too gaudy is a gap of 0.",
    reference=HASLER,
)

POOLED["colorfulness_hs03_mae"] = PooledMetric(
    lambda per_image: per_image[["colorfulness_hs03_error"]].abs(),
    np.asarray,
    title="Colourfulness error",
    unit="",
    higher_is_better=False,
    about="Mean over images of |colourfulness of the prediction − of the photograph|, signed variant.",
    blind_to="Whether the colours are right or in the right place.",
    reference=HASLER,
)


def colorfulness_abs(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction, absolute variant; see :func:`colorlib.color.hs03_absolute`."""
    return colorfulness(pair.opponents.abs())


METRICS["colorfulness_abs"] = Metric(
    colorfulness_abs,
    title="Colourfulness (abs.)",
    unit="",
    higher_is_better=None,
    about="Colourfulness from absolute opponent channels, as DDColor, CT2 and ColorFormer report it.",
    blind_to="Whether the colours are right or in the right place; a red and a green half look alike to it.",
    reference=HASLER_ABSOLUTE,
)


def colorfulness_abs_error(pair: Pair) -> Tensor:
    """(N,) colourfulness of the prediction minus that of the photograph, absolute variant."""
    return colorfulness(pair.opponents.abs()) - colorfulness(pair.opponents_true.abs())


METRICS["colorfulness_abs_error"] = Metric(
    colorfulness_abs_error,
    title="Colourfulness (abs.), signed error",
    unit="",
    higher_is_better=None,
    about="Colourfulness (absolute variant) of the prediction minus the photograph's; best at 0, below it is too dull.",
    blind_to="Whether the colours are right or in the right place.",
    reference=HASLER_ABSOLUTE,
)

POOLED["colorfulness_abs_gap"] = PooledMetric(
    lambda per_image: per_image[["colorfulness_abs_error"]],
    np.abs,
    title="Colourfulness gap (abs.)",
    unit="",
    higher_is_better=False,
    about="|mean colourfulness of the predictions − of the photographs|, absolute variant: ΔCF in most papers.",
    blind_to="Errors that cancel: half the images too dull and half too gaudy is a gap of 0.",
    reference=HASLER_ABSOLUTE,
)

POOLED["colorfulness_abs_mae"] = PooledMetric(
    lambda per_image: per_image[["colorfulness_abs_error"]].abs(),
    np.asarray,
    title="Colourfulness error (abs.)",
    unit="",
    higher_is_better=False,
    about="Mean over images of |colourfulness of the prediction − of the photograph|, absolute variant.",
    blind_to="Whether the colours are right or in the right place.",
    reference=HASLER_ABSOLUTE,
)


def mean_chroma(pair: Pair) -> Tensor:
    """(N,) mean over the pixels of the predicted chroma √(a*² + b*²), CIELAB units."""
    return pair.chroma.mean((1, 2))


METRICS["mean_chroma"] = Metric(
    mean_chroma,
    title="Mean chroma",
    unit="ab",
    higher_is_better=None,
    about="Mean predicted chroma √(a*² + b*²), before clipping.",
    blind_to="Hue altogether, and where the chroma is.",
    reference="CIE 15:2004",
)


def mean_chroma_error(pair: Pair) -> Tensor:
    """(N,) mean chroma of the prediction minus that of the photograph, CIELAB units."""
    return (pair.chroma - pair.chroma_true).mean((1, 2))


METRICS["mean_chroma_error"] = Metric(
    mean_chroma_error,
    title="Mean chroma, signed error",
    unit="ab",
    higher_is_better=None,
    about="Mean chroma of the prediction minus the photograph's; best at 0, below it has faded.",
    blind_to="Hue altogether, and where the chroma is.",
    reference="CIE 15:2004",
)
