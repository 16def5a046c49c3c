"""Colour: CIELAB and the other spaces, the gamut's bins, how colours look, and the hints that give them."""

from colorlib.color.appearance import ciede2000, hs03, hs03_absolute
from colorlib.color.blur import blur
from colorlib.color.gamut import (
    annealed_mean,
    bin_centres,
    empirical_prior,
    nearest_bin,
    rebalancing_weights,
    smooth_prior,
    soft_cross_entropy,
    soft_encode,
)
from colorlib.color.hints import draw_hints
from colorlib.color.lab import (
    AB_SCALE,
    L8_MAX,
    decode_lab8,
    encode_lab8,
    lab_to_rgb,
    out_of_gamut,
    rgb8_to_lab8,
    rgb_at_lightness,
    rgb_to_lab,
    to_gamma,
    to_linear,
)
from colorlib.color.spaces import SPACES, Space

__all__ = [
    "AB_SCALE",
    "L8_MAX",
    "SPACES",
    "Space",
    "annealed_mean",
    "bin_centres",
    "blur",
    "ciede2000",
    "decode_lab8",
    "draw_hints",
    "empirical_prior",
    "encode_lab8",
    "hs03",
    "hs03_absolute",
    "lab_to_rgb",
    "nearest_bin",
    "out_of_gamut",
    "rebalancing_weights",
    "rgb8_to_lab8",
    "rgb_at_lightness",
    "rgb_to_lab",
    "smooth_prior",
    "soft_cross_entropy",
    "soft_encode",
    "to_gamma",
    "to_linear",
]
