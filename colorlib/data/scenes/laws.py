"""The laws of colour of the scenes: what is known of a thing's colour given its kind and lightness."""

import bisect
import functools
from typing import NamedTuple

import numpy as np

from colorlib.data.scenes.canvas import DIRECTIONS

HUES = 72  # directions of hue, five degrees apart: few enough for an exact sum, finer than the 313 bins
LAWS = ("determined", "two_way", "free")


class Law(NamedTuple):
    """Odds of the hues of one kind of thing: arcs (odds, centre in degrees, half-width in degrees), each uniform."""

    arcs: tuple[tuple[float, float, float], ...]

    def odds(self) -> np.ndarray:
        """Odds of the directions 0°, 5°, … 355°: (72,) float64, sum 1."""
        odds = np.zeros(HUES)
        for share, centre, half_width in self.arcs:
            distance = np.abs((np.arange(HUES) * 360 / HUES - centre + 180) % 360 - 180)
            inside = distance <= half_width
            odds += share * inside / np.count_nonzero(inside)
        return odds


class Kind(NamedTuple):
    """A kind of thing: its law of colour, its chroma where the gamut allows, and how light moves its hue.

    ``drift`` turns the hue by that many degrees between L = 0 and L = 100 (a sky pales towards cyan); it is part of
    the law, not of the draw.
    """

    name: str
    law_name: str
    law: Law
    chroma: float
    drift: int = 0


def _determined(name: str, hue: float, chroma: float, drift: int = 0) -> Kind:
    return Kind(name, "determined", Law(((1.0, hue, 5.0),)), chroma, drift)


def _two_way(name: str, odds: float, hue: float, other: float, chroma: float, drift: int = 0) -> Kind:
    return Kind(name, "two_way", Law(((odds, hue, 5.0), (1 - odds, other, 5.0))), chroma, drift)


def _free(name: str, chroma: float = 50.0) -> Kind:
    return Kind(name, "free", Law(((1.0, 0.0, 180.0),)), chroma)


KINDS: tuple[Kind, ...] = (
    _determined("sky", 270, 36, -30),
    _determined("night_sky", 280, 30),
    _two_way("dusk_sky", 0.6, 335, 245, 50, 120),
    _determined("cloud", 265, 5),
    _determined("sun", 90, 45),
    _determined("moon", 95, 14),
    _determined("mountain", 280, 16, -20),
    _determined("snow", 265, 7),
    _determined("hill", 150, 26, -30),
    _determined("grass", 135, 44, -20),
    _determined("conifer", 155, 24, -20),
    _two_way("foliage", 0.65, 135, 55, 46, -10),
    _two_way("crops", 0.6, 90, 310, 48),
    _determined("sea", 260, 32, -40),
    _determined("sand", 80, 26),
    _determined("palm", 140, 40, -20),
    _determined("wood", 60, 26),
    _determined("asphalt", 280, 4),
    _determined("stone", 80, 8),
    _determined("white", 90, 4),
    _determined("rubber", 280, 2),
    _determined("glass", 250, 14),
    _determined("lamp", 85, 48),
    _determined("skin", 55, 26),
    _determined("hair", 60, 16),
    _determined("denim", 275, 30),
    _determined("wallpaper", 90, 16),
    _determined("leaf", 135, 40, -10),
    _determined("pollen", 80, 62),
    _determined("orange", 60, 66),
    _determined("banana", 90, 62),
    _two_way("roof", 0.7, 45, 265, 40),
    _two_way("apple", 0.65, 30, 120, 58),
    _two_way("grapes", 0.6, 320, 120, 38),
    _free("wall"),
    _free("car"),
    _free("boat"),
    _free("balloon"),
    _free("parasol"),
    _free("cloth"),
    _free("shirt"),
    _free("petal", 60),
    _free("ceramic"),
)
INDEX = {kind.name: k for k, kind in enumerate(KINDS)}


def _in_gamut(L: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """True where CIELAB (D65) lies in the sRGB cube: linear RGB decides, so no power is needed."""
    fy = (L + 16.0) / 116.0
    X, Y, Z = (
        white * np.where(f > 6 / 29, f * f * f, (f - 4 / 29) * (108 / 841))
        for white, f in ((0.95047, fy + a / 500.0), (1.0, fy), (1.08883, fy - b / 200.0))
    )
    linear = [
        row[0] * X + row[1] * Y + row[2] * Z
        for row in (
            (3.2404542, -1.5371385, -0.4985314),
            (-0.969266, 1.8760108, 0.041556),
            (0.0556434, -0.2040259, 1.0572252),
        )
    ]
    return np.all([(channel >= 0.0) & (channel <= 1.0) for channel in linear], axis=0)


@functools.cache
def _largest_chroma() -> np.ndarray:
    """Largest chroma in the sRGB gamut at every L8 and whole degree of hue: (256, 360) float64, by bisection."""
    L = np.arange(256.0)[:, None] * 100.0 / 255.0
    cos, sin = DIRECTIONS[:, 0], DIRECTIONS[:, 1]
    low, high = np.zeros((256, 360)), np.full((256, 360), 140.0)
    for _ in range(16):
        middle = (low + high) / 2.0
        inside = _in_gamut(L, middle * cos, middle * sin)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


@functools.cache
def palette() -> np.ndarray:
    """The colour of every (kind, L8, hue): (K, 256, 72, 2) uint8, OpenCV's 8-bit ab."""
    levels, steps = np.arange(256), np.arange(HUES) * (360 // HUES)
    colors = np.empty((len(KINDS), 256, HUES, 2), np.uint8)
    for k, kind in enumerate(KINDS):
        degrees = (steps[None, :] + np.floor(kind.drift * levels / 255.0 + 0.5).astype(int)[:, None]) % 360
        chroma = np.minimum(kind.chroma, _largest_chroma()[levels[:, None], degrees])
        colors[k] = np.floor(chroma[..., None] * DIRECTIONS[degrees] + 128.5)
    return colors


def posterior_table() -> tuple[np.ndarray, np.ndarray]:
    """The exact p(ab | kind, L8): colours (K, 256, 72, 2) float32 in CIELAB units and their odds (K, 72) float64."""
    return palette().astype(np.float32) - 128.0, np.stack([kind.law.odds() for kind in KINDS])


def posterior(kind: int, L8: int) -> tuple[np.ndarray, np.ndarray]:
    """The exact p(ab | L) of one pixel: the colours that are possible (M, 2) float64 in CIELAB units, and odds (M,).

    Args:
        kind: index into ``KINDS``.
        L8: lightness in 0 … 255.

    Example:
        >>> ab, odds = posterior(INDEX["apple"], 128)
        >>> len(ab), round(float(odds.sum()), 6)
        (6, 1.0)
    """
    odds = KINDS[kind].law.odds()
    possible = odds > 0
    return palette()[kind, L8, possible] - 128.0, odds[possible]


@functools.cache
def bayes_mean() -> np.ndarray:
    """The ab of least expected squared error for each kind and L8: (K, 256, 2) float32, CIELAB units."""
    ab, odds = posterior_table()
    return np.einsum("klmc,km->klc", ab, odds).astype(np.float32)


@functools.cache
def bayes_median() -> np.ndarray:
    """The ab of least expected absolute error (each channel's median) for each kind and L8: (K, 256, 2) float32."""
    ab, odds = posterior_table()
    order = np.argsort(ab, axis=2, kind="stable")
    ab = np.take_along_axis(ab, order, axis=2)
    below = np.cumsum(np.take_along_axis(odds[:, None, :, None], order, axis=2), axis=2)
    low, high = (np.argmax(below >= half, axis=2)[:, :, None] for half in (0.5 - 1e-9, 0.5 + 1e-9))
    return (np.take_along_axis(ab, low, axis=2) + np.take_along_axis(ab, high, axis=2))[:, :, 0] / 2


@functools.cache
def _quantiles(kind: int) -> list[float]:
    return np.cumsum(KINDS[kind].law.odds()).tolist()


def draw_hue(kind: int, quantile: float) -> int:
    """The hue (0 … 71) at this quantile of the law of a kind."""
    return min(bisect.bisect_right(_quantiles(kind), quantile), HUES - 1)
