"""How a report writes numbers and what it calls metrics."""

import re
from collections.abc import Iterable

import pandas as pd

from colorlib.metrics import SETS, known_metric, perceptual, recognition

HEADS = {  # of the main table
    name: known_metric(name).title
    for name in (
        "delta_e_2000",
        "delta_e_76",
        "psnr_rgb_db",
        "psnr_pooled_db",
        "ssim_rgb_gauss11",
        "auc_raw",
        "auc_rebalanced",
        "auc_rebalanced_pooled",
        "colorfulness_hs03",
        "mean_chroma",
        "out_of_gamut_share",
    )
}
SEEN = [  # by networks rather than by pixels
    name
    for name, metric in (recognition.METRICS | recognition.POOLED | perceptual.METRICS | SETS).items()
    if metric.higher_is_better is not None
]


def number(value: float | None, decimals: int = 2) -> str:
    """Write a number with a real minus sign and a comma between thousands; – where there is none."""
    if value is None or pd.isna(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("-")
    return text.replace("-", "−")


def signed(value: float, decimals: int = 2) -> str:
    return ("+" if value > 0 else "") + number(value, decimals)


def short(value: float | None) -> str:
    """Write a large number shortly: 1.2 M."""
    if value is None or pd.isna(value):
        return "–"
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}" if value >= 0.01 or not value else "< 0.01"


def percent(value: float) -> str:
    return f"{number(100 * value, 0)} %"


def tidy(text: str) -> str:
    """Keep numbers on one line with their sign."""
    return re.sub(r"(?<=\d) (?=%|ΔE)|(?<=p) (?=[<=])|(?<=[<=]) (?=\d)|(?<=95 %) |(?<=ΔE) ", "\u00a0", text)


def listed(names: Iterable[str]) -> str:
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def are(count: int) -> str:
    return "is" if count == 1 else "are"


def head(metric: str) -> str:
    return known_metric(metric).title
