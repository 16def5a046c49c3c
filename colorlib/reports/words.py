"""How a report writes numbers and what it calls metrics."""

import re
from collections.abc import Iterable

import pandas as pd

from colorlib.metrics import METRICS, POOLED, SETS, Metric, PooledMetric, SetMetric

HEADS = {
    "delta_e_2000": "ΔE 2000",
    "delta_e_76": "ΔE 76",
    "psnr_rgb_db": "Mean PSNR",
    "psnr_pooled_db": "Pooled PSNR",
    "ssim_rgb_gauss11": "SSIM",
    "auc_raw": "AuC",
    "auc_rebalanced": "Rebalanced AuC",
    "colorfulness_hs03": "Colourfulness",
    "mean_chroma": "Mean chroma",
    "out_of_gamut_share": "Out of gamut",
}
SEEN = {  # by networks rather than by pixels
    "recognised_b": "Recognised (b)",
    "class_agreement_b": "Same class (b)",
    "perceptual_b": "Perceptual (b)",
    "lpips_alex": "LPIPS",
    "frechet_b": "Fréchet (b)",
    "kernel_b": "Kernel (b)",
    "fid": "FID",
    "kid": "KID",
}
NAMES = (
    HEADS
    | SEEN
    | {
        "recognised_b_error": "Recognised (b), signed error",
        "psnr_ab_db": "PSNR of ab",
        "mse_rgb": "MSE",
        "ab_mae": "MAE of ab",
        "ab_rmse": "RMSE of ab",
        "auc_rebalanced_pooled": "Pooled rebalanced AuC",
        "ab_histogram_distance": "ab histogram distance",
        "colorfulness_hs03_error": "Colourfulness, signed error",
        "colorfulness_hs03_gap": "Colourfulness gap",
        "colorfulness_hs03_mae": "Colourfulness error",
        "colorfulness_abs": "Colourfulness (abs.)",
        "colorfulness_abs_error": "Colourfulness (abs.), signed error",
        "colorfulness_abs_gap": "Colourfulness gap (abs.)",
        "colorfulness_abs_mae": "Colourfulness error (abs.)",
        "mean_chroma_error": "Mean chroma, signed error",
    }
)


def number(value: float | None, decimals: int = 2) -> str:
    """Write a number with a real minus sign and a comma between thousands; – where there is none."""
    if value is None or pd.isna(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("-")
    return text.replace("-", "−")


def signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def short(value: float | None) -> str:
    """Write a large number shortly: 1.2 M."""
    if value is None or pd.isna(value):
        return "–"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
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


def head(metric: str) -> str:
    return NAMES.get(metric, metric)


def known_metric(name: str) -> Metric | PooledMetric | SetMetric:
    """Return what is known of a metric, be it of images, pooled or of sets."""
    return METRICS.get(name) or POOLED.get(name) or SETS[name]
