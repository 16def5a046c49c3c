"""What scenes are painted with: chance, noise, shapes, and a canvas of lightness and kinds, without colour.

The painter (this module, :mod:`~colorlib.data.scenes.nature`, :mod:`~colorlib.data.scenes.things` and
:mod:`~colorlib.data.scenes.places`) says *what* is where and *how light* it is; which colour it has is drawn elsewhere
(:mod:`colorlib.data.scenes.render`), so that nothing in it can give a hue away. Lengths are shares of the picture's
side, x to the right and y down; lightness is L* (0 … 100); light falls from the upper left.

Only integers and single float64 operations that IEEE 754 rounds correctly everywhere (+ − × ÷ √ floor) are used, so
the same bits come out on every machine.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

Option = TypeVar("Option")
GLOWING = {"sky", "night_sky", "dusk_sky", "cloud", "sun", "moon", "lamp", "balloon"}
"""Kinds that keep their lightness at dusk and at night (a balloon has its burner)."""


def _directions() -> np.ndarray:
    """Turn by one degree again and again: good to 1e-13, and without the sine that differs between machines."""
    turn_cos, turn_sin = 0.9998476951563913, 0.01745240643728351
    points = [(1.0, 0.0)]
    for _ in range(359):
        x, y = points[-1]
        points.append((x * turn_cos - y * turn_sin, x * turn_sin + y * turn_cos))
    return np.array(points)


DIRECTIONS = _directions()
"""Cosine and sine of 0°, 1°, … 359°: (360, 2) float64."""


def _hash(key: int, count: int) -> np.ndarray:
    """``count`` 64-bit words of splitmix64 started at ``key``: (count,) uint64."""
    word = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


class Chance:
    """A stream of random numbers that depends on its keys alone, on every machine and with every numpy."""

    def __init__(self, *keys: int):
        self.key = 0
        for key in keys:
            self.key = int(_hash((self.key ^ key) & 0xFFFFFFFFFFFFFFFF, 1)[0])
        self.ready: list[float] = []

    def array(self, *shape: int) -> np.ndarray:
        """Uniform float64 in [0, 1) of this shape."""
        words = _hash(self.key, math.prod(shape) + 1)
        self.key = int(words[-1])
        return ((words[:-1] >> np.uint64(11)) * 2.0**-53).reshape(shape)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        self.ready = self.ready or self.array(256).tolist()
        return low + (high - low) * self.ready.pop()

    def integer(self, low: int, high: int) -> int:
        """One of low, …, high (both included)."""
        return low + int(self.uniform() * (high - low + 1))

    def choice(self, options: Sequence[Option]) -> Option:
        """One of several things, each as likely as the others."""
        return options[self.integer(0, len(options) - 1)]

    def often(self, odds: float) -> bool:
        return self.uniform() < odds


class Noise:
    """Smooth value noise over the unit square, 0 … 1: ``across`` × ``down`` cells, and octaves of half the strength."""

    def __init__(self, chance: Chance, across: int, down: int, octaves: int = 2):
        sizes = [(across << o, down << o) for o in range(octaves)]
        self.layers = [(nx, ny, chance.array(ny + 2, nx + 2)) for nx, ny in sizes]

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        total: np.ndarray = np.zeros(())
        strength, whole = 1.0, 0.0
        for across, down, grid in self.layers:
            (i, u), (j, v) = self._cell(x, across), self._cell(y, down)
            top = grid[j, i] + (grid[j, i + 1] - grid[j, i]) * u
            bottom = grid[j + 1, i] + (grid[j + 1, i + 1] - grid[j + 1, i]) * u
            total = total + strength * (top + (bottom - top) * v)
            whole, strength = whole + strength, strength / 2.0
        return total / whole

    @staticmethod
    def _cell(position: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
        scaled = np.clip(position, 0.0, 1.0) * cells
        cell = np.floor(scaled)
        t = scaled - cell
        return cell.astype(np.intp), t * t * (3.0 - 2.0 * t)


class Shape(NamedTuple):
    """A signed distance (negative inside, in sides of the picture) and a box (x0, y0, x1, y1) around the inside."""

    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)

    def __and__(self, other: "Shape") -> "Shape":
        (a, b, c, d), (e, f, g, h) = self.box, other.box
        box = (max(a, e), max(b, f), min(c, g), min(d, h))
        return Shape(lambda x, y: np.maximum(self.distance(x, y), other.distance(x, y)), box)

    def __sub__(self, other: "Shape") -> "Shape":
        return Shape(lambda x, y: np.maximum(self.distance(x, y), -other.distance(x, y)), self.box)


def disc(cx: float, cy: float, rx: float, ry: float | None = None) -> Shape:
    """A disc, or an upright ellipse (its distance is right near the rim, where it matters)."""
    ry = rx if ry is None else ry

    def distance(x, y):
        u, v = (x - cx) / rx, (y - cy) / ry
        k, slope = np.sqrt(u * u + v * v), np.sqrt(u / rx * (u / rx) + v / ry * (v / ry))
        return (k - 1.0) * k / (slope + 1e-9)

    return Shape(distance, (cx - rx, cy - ry, cx + rx, cy + ry))


def polygon(*points: tuple[float, float]) -> Shape:
    """A convex polygon; its corners clockwise as seen (y points down)."""
    edges = []
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        length = float(np.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)))
        edges.append((x0, y0, (y1 - y0) / length, (x0 - x1) / length))

    def distance(x, y):
        x0, y0, nx, ny = edges[0]
        far = (x - x0) * nx + (y - y0) * ny
        for x0, y0, nx, ny in edges[1:]:
            far = np.maximum(far, (x - x0) * nx + (y - y0) * ny)
        return far

    xs, ys = zip(*points, strict=True)
    return Shape(distance, (min(xs), min(ys), max(xs), max(ys)))


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Shape:
    return polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def trapezoid(x: float, y0: float, half0: float, y1: float, half1: float) -> Shape:
    """Centred on x, with half the width ``half0`` at its top y0 and ``half1`` at its foot y1."""
    return polygon((x - half0, y0), (x + half0, y0), (x + half1, y1), (x - half1, y1))


def stroke(x0: float, y0: float, x1: float, y1: float, width: float) -> Shape:
    """A straight stroke with round ends."""
    dx, dy, r = x1 - x0, y1 - y0, width / 2.0

    def distance(x, y):
        t = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        u, v = x - x0 - t * dx, y - y0 - t * dy
        return np.sqrt(u * u + v * v) - r

    return Shape(distance, (min(x0, x1) - r, min(y0, y1) - r, max(x0, x1) + r, max(y0, y1) + r))


def below(line: Callable[[np.ndarray], np.ndarray] | float) -> Shape:
    """All that lies under a horizon: a height, or a function of x."""
    if isinstance(line, float):
        return Shape(lambda x, y: line - y + 0.0 * x, (0.0, line, 1.0, 1.0))
    return Shape(lambda x, y: line(x) - y)


def above(line: float) -> Shape:
    """All that lies over a height."""
    return Shape(lambda x, y: y - line + 0.0 * x, (0.0, 0.0, 1.0, line))


def ridge(chance: Chance, height: float, swing: float, bends: int, octaves: int = 3) -> Callable:
    """A skyline: a function of x that swings around ``height``."""
    noise, level = Noise(chance, bends, 1, octaves), np.zeros((1, 1))
    return lambda x: height + swing * (noise(x, level) - 0.5) * 2.0


class Canvas:
    """A picture that is painted back to front: at every pixel the lightness and which thing is seen."""

    def __init__(self, size: int, daylight: float = 1.0):
        self.size, self.daylight = size, daylight
        self.x = ((np.arange(size) + 0.5) / size)[None, :]
        self.y = ((np.arange(size) + 0.5) / size)[:, None]
        self.L = np.zeros((size, size))
        self.thing_at = np.zeros((size, size), np.intp)
        self.things: list[str] = []  # the kind of each

    def _window(self, box: tuple[float, float, float, float], margin: float = 0.0) -> tuple[slice, slice]:
        x0, y0, x1, y1 = box
        edge = margin + 1.0 / self.size  # anti-aliasing reaches half a pixel past the shape
        columns, rows = (
            slice(max(int((low - edge) * self.size), 0), max(int((high + edge) * self.size) + 1, 0))
            for low, high in ((x0, x1), (y0, y1))
        )
        return rows, columns

    def thing(self, kind: str) -> int:
        """Add one thing of this kind to the world (it will have one hue); its number."""
        self.things.append(kind)
        return len(self.things) - 1

    def paint(self, thing: int | str, shape: Shape, light: float | Callable) -> int:
        """Paint a shape; the number of the thing it is part of.

        Args:
            thing: the number of one that is there, or a kind to make a new one of.
            shape: its edge is anti-aliased in lightness; a pixel is the thing's when its centre is inside.
            light: lightness, a number or a function of x (1, W) and y (H, 1).
        """
        thing = self.thing(thing) if isinstance(thing, str) else thing
        rows, columns = self._window(shape.box)
        x, y = self.x[:, columns], self.y[rows]
        if x.size and y.size:
            distance = shape.distance(x, y)
            L = light(x, y) if callable(light) else light
            L = L if self.things[thing] in GLOWING else L * self.daylight
            old = self.L[rows, columns]
            old += np.clip(0.5 - distance * self.size, 0.0, 1.0) * (L - old)
            self.thing_at[rows, columns][distance < 0.0] = thing
        return thing

    def shade(self, shape: Shape, depth: float, blur: float) -> None:
        """Darken what is there by the share ``depth``, with an edge that is ``blur`` wide."""
        rows, columns = self._window(shape.box, blur)
        distance = shape.distance(self.x[:, columns], self.y[rows])
        self.L[rows, columns] *= 1.0 - depth * np.clip(0.5 - distance / blur, 0.0, 1.0)


def ramp(top: float, y0: float, bottom: float, y1: float) -> Callable:
    """Light that goes from ``top`` at height y0 to ``bottom`` at y1."""
    return lambda x, y: top + (bottom - top) * np.clip((y - y0) / (y1 - y0), 0.0, 1.0) + 0.0 * x


def ball(light: float, cx: float, cy: float, r: float, depth: float = 22.0) -> Callable:
    """Light on a ball, lit from the upper left."""

    def shading(x, y):
        u, v = (x - cx) / r + 0.35, (y - cy) / r + 0.45
        return light + 10.0 - depth * np.minimum(u * u + v * v, 2.6) / 1.3

    return shading


def stripes(s: np.ndarray) -> np.ndarray:
    """+1 and −1 by turns, once each as s grows by one."""
    return np.where(s - np.floor(s) < 0.5, 1.0, -1.0)


def saw(s: np.ndarray) -> np.ndarray:
    """0 to 1, again and again as s grows by one: boards and tiles, each darker towards its foot."""
    return s - np.floor(s)
