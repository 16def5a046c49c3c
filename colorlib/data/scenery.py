"""The painter of the scenes: a canvas without colour, shapes, things and places.

Everything here says *what* is where and *how light* it is; which colour it has is drawn elsewhere
(`colorlib.data.scenes`), so that nothing in this file can give a hue away. Lengths are shares of the picture's side,
x to the right and y down; lightness is L* (0 … 100); light falls from the upper left.

Only integers and single float64 operations that IEEE 754 rounds correctly everywhere (+ − × ÷ √ floor) are used, so
the same bits come out on every machine.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

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


# ---- chance, noise, shapes -------------------------------------------------------------------------------------------


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

    def choice(self, options):
        return options[self.integer(0, len(options) - 1)]

    def often(self, odds: float) -> bool:
        return self.uniform() < odds


class Noise:
    """Smooth value noise over the unit square, 0 … 1: ``across`` × ``down`` cells, and octaves of half the strength."""

    def __init__(self, chance: Chance, across: int, down: int, octaves: int = 2):
        sizes = [(across << o, down << o) for o in range(octaves)]
        self.layers = [(nx, ny, chance.array(ny + 2, nx + 2)) for nx, ny in sizes]

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        total, strength, whole = 0.0, 1.0, 0.0
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


# ---- things ----------------------------------------------------------------------------------------------------------


def sky(c: Canvas, chance: Chance, horizon: float, clouds: int) -> None:
    if c.daylight < 0.6:
        c.paint("night_sky", rectangle(-1, -1, 2, 2), ramp(12, 0, 34, horizon))
        moon = c.paint("moon", disc(x := chance.uniform(0.1, 0.9), y := chance.uniform(0.1, 0.25), 0.055), 93)
        c.paint(moon, disc(x + 0.015, y + 0.01, 0.014), 84)
        for _ in range(24):
            c.paint("moon", disc(chance.uniform(), chance.uniform(0, horizon), 0.006), chance.uniform(60, 95))
        return
    if c.daylight < 0.9:
        c.paint("dusk_sky", rectangle(-1, -1, 2, 2), ramp(38, 0, 84, horizon))
        c.paint("sun", disc(chance.uniform(0.15, 0.85), horizon - chance.uniform(0, 0.08), 0.09), 93)
    else:
        c.paint("sky", rectangle(-1, -1, 2, 2), ramp(chance.uniform(58, 66), 0, 86, horizon))
        if chance.often(0.35):
            c.paint("sun", disc(chance.uniform(0.1, 0.9), chance.uniform(0.08, 0.18), chance.uniform(0.05, 0.075)), 93)
    for _ in range(clouds):
        cloud(c, chance, chance.uniform(0, 1), chance.uniform(0.06, horizon - 0.12), chance.uniform(0.6, 1.2))


def cloud(c: Canvas, chance: Chance, x: float, y: float, scale: float) -> None:
    bright = 97 if c.daylight > 0.9 else 86 if c.daylight > 0.6 else 44
    flat = above(y + 0.03 * scale)
    thing = c.thing("cloud")
    for offset, r in ((-0.12, 0.035), (0.12, 0.04), (-0.06, 0.055), (0.065, 0.06), (0.0, 0.075)):
        r = r * scale * chance.uniform(0.8, 1.15)
        cx, cy = x + offset * scale, y + 0.03 * scale - r * 0.5
        c.paint(thing, disc(cx, cy, r * 1.2, r) & flat, ramp(bright, cy - r, bright - 14, y + 0.04 * scale))


def mountains(c: Canvas, chance: Chance, horizon: float) -> None:
    line = ridge(chance, horizon - chance.uniform(0.12, 0.2), 0.2, chance.integer(2, 4), 4)
    rock, snowline = Noise(chance, 12, 8, 3), horizon - chance.uniform(0.12, 0.2)
    faces = Noise(chance, 7, 2, 2)

    def light(x, y):
        return 50 + 34 * (faces(x + (y - line(x)) * 0.7, y) - 0.5) + 8 * rock(x, y) + 14 * (y - horizon + 0.3)

    c.paint("mountain", below(line), light)
    if chance.often(0.75):
        snow = below(line) & Shape(lambda x, y: y - snowline - 0.12 * (rock(x, y) - 0.5))
        c.paint("snow", snow, lambda x, y: light(x, y) + 36)


def hill(c: Canvas, chance: Chance, kind: str, y: float, swing: float, light: float, bends: int = 2) -> Callable:
    """A rounded hill or a meadow; its skyline."""
    line, tufts = ridge(chance, y, swing, bends, 1), Noise(chance, 16, 22, 2)
    broad = Noise(chance, 3, 3, 1)

    def shading(x, y):
        depth = y - line(x)
        return light + 7 - 16 * np.minimum(depth, 0.4) + 10 * (tufts(x, y) - 0.5) + 10 * (broad(x, y) - 0.5)

    c.paint(kind, below(line), shading)
    return line


def field(c: Canvas, chance: Chance, y0: float, y1: float) -> None:
    """Crops in rows that run towards the horizon."""
    vanish, rows = chance.uniform(0.1, 0.9), chance.uniform(1.6, 2.6)
    line, rough = ridge(chance, y0, 0.02, 2, 1), Noise(chance, 20, 40, 1)
    left, right = chance.uniform(-0.6, 0.2), chance.uniform(0.8, 1.6)

    def shading(x, y):
        s = (x - vanish) / (y - y0 + 0.09) * rows
        return 52 + 24 * np.abs(saw(s) - 0.5) * 2 + 8 * (rough(x, y) - 0.5)

    near, far = (left, right), (vanish + (left - vanish) * 0.3, vanish + (right - vanish) * 0.3)
    strip = polygon((far[0], y0 - 0.1), (far[1], y0 - 0.1), (near[1], y1), (near[0], y1))
    c.paint("crops", strip & below(line), shading)


def sea(c: Canvas, chance: Chance, y0: float) -> None:
    waves = Noise(chance, 4, 26, 2)

    def shading(x, y):
        depth = np.sqrt(np.clip((y - y0) / (1.02 - y0), 0.0, 1.0))
        wave = waves(x, depth)
        return 58 - 14 * depth + 26 * (wave - 0.5) + np.where(wave > 0.72, 10.0, 0.0)

    c.paint("sea", below(y0), shading)


def trunk(c: Canvas, x: float, y: float, width: float, height: float) -> None:
    c.shade(disc(x + width, y, width * 3, width), 0.3, width * 1.5)
    c.paint("wood", rectangle(x - width / 2, y - height, x + width / 2, y), ramp(36, y - height, 42, y))


def tree(c: Canvas, chance: Chance, x: float, y: float, height: float) -> None:
    """A broad-leaved tree: leaves in clumps, each lit from above."""
    trunk(c, x, y, height * 0.11, height * 0.5)
    crown, r = c.thing("foliage"), height * 0.2
    leaves = Noise(chance, 40, 40, 1)
    for u, v in ((-0.23, 0.42), (0.23, 0.42), (0.0, 0.38), (-0.19, 0.62), (0.2, 0.64), (0.0, 0.56), (0.0, 0.78)):
        cx, cy = x + (u + chance.uniform(-0.04, 0.04)) * height, y - v * height
        round_light = ball(50 + 12 * v, cx, cy, r, 26)
        c.paint(crown, disc(cx, cy, r), lambda x, y, lit=round_light: lit(x, y) + 18 * (leaves(x, y) - 0.5))


def conifer(c: Canvas, chance: Chance, x: float, y: float, height: float) -> None:
    trunk(c, x, y, height * 0.08, height * 0.2)
    thing = c.thing("conifer")
    for k in (0, 1, 2):
        base, w = y - height * (0.1 + 0.24 * k), height * (0.26 - 0.06 * k)
        lit = ramp(50, base - height * 0.4, 30, base)
        c.paint(thing, polygon((x, base - height * 0.42), (x + w, base), (x - w, base)), lit)


def palm(c: Canvas, chance: Chance, x: float, y: float, height: float) -> None:
    lean = chance.uniform(-0.3, 0.3) * height
    top = (x + lean, y - height)
    c.paint("wood", stroke(x, y, *top, height * 0.07), 46)
    thing = c.thing("palm")
    for u, v in ((-0.42, 0.12), (0.42, 0.12), (-0.32, 0.3), (0.32, 0.3), (-0.3, -0.12), (0.3, -0.12), (0.02, -0.22)):
        tip = (top[0] + u * height, top[1] + v * height)
        knee = (top[0] + u * height * 0.6, top[1] + (v * 0.3 - 0.09) * height)
        c.paint(thing, stroke(*top, *knee, height * 0.1), 50 - 40 * v)
        c.paint(thing, stroke(*knee, *tip, height * 0.075), 44 - 40 * v)


def window(c: Canvas, x: float, y: float, w: float, h: float, frame: float = 0.012) -> None:
    c.paint("white", rectangle(x - frame, y - frame, x + w + frame, y + h + frame), 92)
    if c.daylight < 0.6:
        c.paint("lamp", rectangle(x, y, x + w, y + h), ramp(84, y, 74, y + h))
    else:
        c.paint("glass", rectangle(x, y, x + w, y + h), lambda u, v: np.where((u - x) * h > (v - y) * w, 34.0, 46.0))


def facade(c: Canvas, chance: Chance, x: float, y: float, w: float, h: float) -> None:
    """A painted wall with boards, windows and a door, its foot at y."""
    boards, lit = chance.uniform(22, 34), chance.uniform(62, 74)
    c.paint("wall", rectangle(x, y - h, x + w, y), lambda u, v: lit - 8 * saw(v * boards) - 6 * (u - x) / w)
    columns, rows = max(1, int(w / 0.12)), max(1, int(h / 0.15))
    door = chance.integer(0, columns - 1)
    for i in range(columns):
        cx = x + w * (i + 0.5) / columns
        for j in range(rows):
            top = y - h + h * (j + 0.25) / rows
            if j == rows - 1 and i == door:
                c.paint("wood", rectangle(cx - w * 0.14 / columns - 0.012, top, cx + w * 0.14 / columns + 0.012, y), 36)
            else:
                window(c, cx - w * 0.18 / columns, top, w * 0.36 / columns, h * 0.42 / rows, w * 0.045 / columns)


def house(c: Canvas, chance: Chance, x: float, y: float, w: float) -> None:
    """A house seen from the front; its foot at y, its middle at x."""
    h, tiles = w * chance.uniform(0.5, 0.75), chance.uniform(26, 40)
    eaves, rise, left = y - h, w * chance.uniform(0.35, 0.5), x - w / 2
    c.shade(polygon((left, y - 0.02), (x + w * 0.8, y), (x + w * 0.7, y + w * 0.1), (left, y + 0.03)), 0.4, 0.03)
    facade(c, chance, left, y, w, h)
    c.shade(rectangle(left, eaves, left + w, eaves + w * 0.08), 0.3, w * 0.08)
    roof = c.paint("roof", rectangle(x + w * 0.18, eaves - rise, x + w * 0.3, eaves), 46)

    def shading(u, v):
        s = v * tiles
        return 50 - 13 * saw(s) + 5 * stripes(u * tiles + 0.5 * np.floor(s)) - 8 * (u - left) / w

    top = w * chance.choice((0.46, 0.28, 0.08))
    c.paint(roof, trapezoid(x, eaves - rise, top, eaves, w * 0.6), shading)


def car(c: Canvas, chance: Chance, x: float, y: float, w: float) -> None:
    """A car from the side, its wheels at y."""
    way, h, lit = chance.choice((-1.0, 1.0)), w * 0.22, chance.uniform(48, 66)
    top, cabin = y - h * 2.0, x - way * w * 0.08
    c.shade(disc(x, y, w * 0.55, w * 0.07), 0.6, w * 0.06)
    thing = c.paint("car", trapezoid(cabin, top, w * 0.21, y - h, w * 0.34), lit + 16)
    body = stroke(x - w * 0.4, y - h * 0.75, x + w * 0.4, y - h * 0.75, w * 0.2)
    c.paint(thing, body, ramp(lit + 14, y - h * 1.2, lit - 16, y - h * 0.3))
    for u in (-0.21, 0.02):
        glass = rectangle(cabin + u * w, top + h * 0.2, cabin + (u + 0.19) * w, y - h * 1.08)
        c.paint("glass", glass, ramp(54, top, 30, y - h))
    for u in (-0.28, 0.28):
        c.paint("rubber", disc(x + u * w, y - h * 0.35, w * 0.105), 18)
        c.paint("stone", disc(x + u * w, y - h * 0.35, w * 0.05), 72)
    c.paint("lamp", disc(x + way * w * 0.45, y - h * 0.85, w * 0.035), 90)


def air_balloon(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    """A hot-air balloon, with gores that are lighter and darker by turns."""
    round_light = ball(chance.uniform(54, 66), x, y, r, 24)
    gores, contrast = chance.choice((2.0, 2.5, 3.0)), chance.choice((0.0, 7.0, 10.0))

    def shading(u, v):
        s = (u - x) / np.sqrt(np.maximum(r * r - 0.7 * (v - y) * (v - y), r * r * 0.1))
        return round_light(u, v) + contrast * stripes(s * gores)

    thing = c.paint("balloon", trapezoid(x, y + r * 0.5, r * 0.84, y + r * 1.4, r * 0.2), shading)
    c.paint(thing, disc(x, y, r), shading)
    for u in (-0.15, 0.15):
        c.paint("wood", stroke(x + u * r, y + r * 1.35, x + u * r, y + r * 1.7, 0.006), 40)
    c.paint("wood", rectangle(x - r * 0.2, y + r * 1.62, x + r * 0.2, y + r * 1.9), 42)


def boat(c: Canvas, chance: Chance, x: float, y: float, w: float) -> None:
    """A sailing boat, its keel at y."""
    c.shade(disc(x, y + w * 0.05, w * 0.55, w * 0.09), 0.35, w * 0.12)
    h, way, lit = w * 0.2, chance.choice((-1.0, 1.0)), chance.uniform(46, 62)
    c.paint("wood", rectangle(x - w * 0.02, y - w * 1.25, x + w * 0.02, y - h), 40)
    points = [(x + way * 0.05 * w, y - w * 1.2), (x + way * 0.55 * w, y - h * 1.4), (x + way * 0.05 * w, y - h * 1.4)]
    c.paint("white", polygon(*points[:: int(way)]), ramp(96, y - w * 1.2, 84, y))
    hull = trapezoid(x, y - h, w * 0.55, y + w * 0.04, w * 0.36)
    c.paint("boat", hull, ramp(lit + 10, y - h, lit - 10, y))


def parasol(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    c.shade(disc(x + r * 0.5, y, r * 0.9, r * 0.2), 0.4, r * 0.15)
    c.paint("white", stroke(x, y - r * 1.5, x, y, 0.014), 86)
    panels = chance.choice((1.5, 2.0, 2.5))

    def shading(u, v):
        s = (u - x) / np.sqrt(np.maximum(1.4 * r * r - (v - y + r * 1.3) * (v - y + r * 1.3), r * r * 0.05))
        return 62 + 9 * stripes(s * panels) - 10 * (u - x) / r

    c.paint("parasol", disc(x, y - r * 1.2, r, r * 0.75) & above(y - r * 1.2), shading)


def person(c: Canvas, chance: Chance, x: float, y: float, h: float) -> None:
    c.shade(disc(x + h * 0.15, y, h * 0.25, h * 0.05), 0.4, h * 0.06)
    for u in (-0.06, 0.06):
        c.paint("denim", stroke(x + u * h, y - h * 0.42, x + u * h * 1.4, y - h * 0.04, h * 0.1), 34)
    shirt, skin, lit = c.thing("shirt"), c.thing("skin"), chance.uniform(52, 66)
    for u in (-1, 1):
        hand = (x + u * h * 0.2, y - h * chance.uniform(0.4, 0.5))
        c.paint(skin, stroke(x + u * h * 0.12, y - h * 0.72, *hand, h * 0.07), 66)
        c.paint(shirt, stroke(x + u * h * 0.1, y - h * 0.74, x + u * h * 0.17, y - h * 0.6, h * 0.1), lit - 4)
    torso = trapezoid(x, y - h * 0.79, h * 0.13, y - h * 0.4, h * 0.11)
    c.paint(shirt, torso, ramp(lit + 6, y - h * 0.8, lit - 8, y - h * 0.4))
    c.paint("hair", disc(x, y - h * 0.91, h * 0.095), 28)
    c.paint(skin, disc(x, y - h * 0.88, h * 0.075, h * 0.085), 72)


def flower(c: Canvas, chance: Chance, x: float, y: float, r: float, stem: float) -> None:
    """A daisy or a tulip of any colour on a stem; its head at (x, y)."""
    c.paint("leaf", stroke(x, y, x + chance.uniform(-0.1, 0.1) * stem, y + stem, max(r * 0.22, 0.008)), 42)
    leaf = (x + chance.choice((-1.0, 1.0)) * r, y + stem * 0.5)
    c.paint("leaf", stroke(x, y + stem * 0.85, *leaf, r * 0.4), 50)
    lit, thing = chance.uniform(56, 70), c.thing("petal")
    if chance.often(0.5):
        for u in (-0.5, 0.5, 0.0):
            c.paint(thing, disc(x + u * r, y, r * 0.55, r), ramp(lit + 10 - 12 * (u == 0), y - r, lit - 14, y + r))
    else:
        turn = chance.integer(0, 59)
        for k in range(6):
            cos, sin = DIRECTIONS[turn + 60 * k]
            c.paint(thing, disc(x + cos * r * 0.62, y + sin * r * 0.62, r * 0.42), lit + 6 - 8 * sin)
        c.paint("pollen", disc(x, y, r * 0.38), 78)


def shirt(c: Canvas, chance: Chance, x: float, y: float, w: float) -> None:
    """A shirt that hangs from a line at height y."""
    thing, lit = c.thing("shirt"), chance.uniform(54, 72)
    for u in (-1, 1):
        c.paint(thing, stroke(x + u * w * 0.3, y + w * 0.12, x + u * w * 0.55, y + w * 0.42, w * 0.26), lit - 6)
    body = rectangle(x - w * 0.33, y, x + w * 0.33, y + w * 0.95)
    c.paint(thing, body, lambda u, v: lit + 4 * stripes((u - x) * 9 / w) - 14 * (v - y))
    c.shade(disc(x, y, w * 0.14, w * 0.1) & below(y), 0.5, 0.012)


# ---- fruit and the table ---------------------------------------------------------------------------------------------


def apple(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    lit = ball(54, x, y, r, 30)
    thing = c.paint("apple", disc(x, y, r, r * 0.93), lit)
    c.paint(thing, disc(x - r * 0.35, y - r * 0.4, r * 0.16), 88)
    c.shade(disc(x, y - r * 0.75, r * 0.3, r * 0.14), 0.4, r * 0.2)
    c.paint("wood", stroke(x, y - r * 0.75, x + r * 0.15, y - r * 1.2, r * 0.12), 28)
    c.paint("leaf", disc(x + r * 0.42, y - r * 1.12, r * 0.3, r * 0.14), 50)


def orange(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    lit, peel = ball(66, x, y, r, 24), Noise(chance, 50, 50, 1)
    c.paint("orange", disc(x, y, r), lambda u, v: lit(u, v) + 8 * (peel(u, v) - 0.5))


def banana(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    crescent = disc(x, y - r * 0.6, r * 1.6, r * 1.5) - disc(x, y - r * 1.15, r * 1.75, r * 1.55)
    c.paint("banana", crescent, ramp(88, y - r * 0.4, 66, y + r * 0.9))
    c.paint("wood", disc(x + r * 1.45, y - r * 0.15, r * 0.14), 34)


def grapes(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    thing, s = c.thing("grapes"), r * 0.36
    c.paint("wood", stroke(x, y - r * 0.5, x + r * 0.2, y - r * 1.3, r * 0.12), 34)
    for row, count in ((0, 4), (1, 3), (2, 2), (3, 1)):
        for k in range(count):
            cx, cy = x + (k - (count - 1) / 2) * s * 1.7, y - r * 0.6 + row * s * 1.45
            c.paint(thing, disc(cx, cy, s), ball(38, cx, cy, s, 22))


def vase(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    """A round vase with a bunch of flowers."""
    lit = ball(chance.uniform(50, 64), x, y - r, r, 26)
    for _ in range(chance.integer(4, 6)):
        reach = chance.uniform(1.1, 2.2) * r
        flower(c, chance, x + chance.uniform(-1.1, 1.1) * r, y - r * 1.9 - reach, r * chance.uniform(0.32, 0.45), reach)
    thing = c.paint("ceramic", rectangle(x - r * 0.42, y - r * 2.3, x + r * 0.42, y - r * 1.5), lit)
    c.paint(thing, disc(x, y - r, r, r * 0.98), lit)
    c.paint(thing, disc(x, y - r * 2.3, r * 0.5, r * 0.12), 40)
    c.paint(thing, disc(x - r * 0.4, y - r * 1.35, r * 0.12, r * 0.2), 90)


def jug(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    lit = ball(chance.uniform(48, 62), x, y - r, r * 1.1, 26)
    handle = (x + r * 0.85, y - r * 1.1)
    thing = c.paint("ceramic", disc(*handle, r * 0.55) - disc(*handle, r * 0.34), lit)
    c.paint(thing, trapezoid(x, y - r * 2, r * 0.6, y, r * 0.9), lit)
    c.paint(thing, disc(x, y - r * 2, r * 0.6, r * 0.14), 36)


def fruit(c: Canvas, chance: Chance, x: float, y: float, r: float) -> None:
    """Some fruit that lies with its foot at y."""
    chance.choice((apple, apple, orange, banana, grapes, grapes))(c, chance, x, y - r * 0.9, r)


def towel(c: Canvas, chance: Chance, x: float, y: float, w: float) -> None:
    """A striped towel on the sand."""
    bands, lit, lean = chance.uniform(5, 9) / w, chance.uniform(56, 72), chance.uniform(-0.3, 0.3) * w
    cloth = polygon(
        (x - w * 0.4 + lean, y - w * 0.28), (x + w * 0.4 + lean, y - w * 0.28), (x + w / 2, y), (x - w / 2, y)
    )
    c.paint("cloth", cloth, lambda u, v: lit + 8 * stripes((u + (v - y) * lean * 4) * bands))


def terrace(c: Canvas, chance: Chance, x: float, y: float, w: float) -> None:
    """One house of a row, between x and x + w."""
    h, rise, tiles = chance.uniform(0.28, 0.48), chance.uniform(0.07, 0.16), chance.uniform(28, 40)
    ridge_half = w * chance.choice((0.02, 0.4))
    roof = trapezoid(x + w / 2, y - h - rise, ridge_half, y - h, w / 2 + 0.01)
    c.paint("roof", roof, lambda u, v: 52 - 14 * saw(v * tiles))
    facade(c, chance, x, y, w, h)
    c.shade(rectangle(x, y - h, x + w, y - h + 0.02), 0.3, 0.03)


def street_lamp(c: Canvas, chance: Chance, x: float, y: float, h: float) -> None:
    c.paint("rubber", stroke(x, y, x, y - h, 0.014), 26)
    c.paint("lamp", disc(x, y - h, h * 0.09), 92)


def fence(c: Canvas, y: float) -> None:
    for bar in (0.045, 0.1):
        c.paint("white", rectangle(0, y - bar - 0.008, 1, y - bar + 0.008), 84)
    for k in range(15):
        x = 0.02 + k * 0.07
        c.paint("white", trapezoid(x, y - 0.15, 0.004, y - 0.13, 0.0175), 92)
        c.paint("white", rectangle(x - 0.0175, y - 0.13, x + 0.0175, y), 92)


def washing_line(c: Canvas, chance: Chance, y: float) -> None:
    for x in (0.02, 0.98):
        c.paint("wood", rectangle(x - 0.01, y - 0.02, x + 0.01, y + 0.34), 38)
    c.paint("wood", stroke(0.02, y, 0.98, y, 0.008), 30)
    x = chance.uniform(0.05, 0.1)
    while x < 0.8:
        w = chance.uniform(0.17, 0.25)
        shirt(c, chance, x + w / 2, y, w)
        x += w * 1.25


# ---- places ----------------------------------------------------------------------------------------------------------


def stand(c: Canvas, chance: Chance, spots: list[tuple[float, float, Callable, float]]) -> None:
    """Paint things (foot y, x, thing, size) that stand on the ground, the farthest first."""
    for y, x, thing, size in sorted(spots, key=lambda spot: spot[0]):
        thing(c, chance, x, y, size)


def hills(c: Canvas, chance: Chance, horizon: float) -> None:
    """The far end of a country: perhaps mountains, two ranges of hills, firs on the nearer one, meadows."""
    if chance.often(0.7):
        mountains(c, chance, horizon)
    hill(c, chance, "hill", horizon, 0.05, 58)
    line = hill(c, chance, "hill", horizon + 0.05, 0.04, 50, 3)
    for _ in range(chance.integer(0, 7)):
        x = chance.uniform()
        conifer(c, chance, x, float(line(np.array([[x]]))[0, 0]) + 0.02, chance.uniform(0.08, 0.13))
    hill(c, chance, "grass", horizon + 0.1, 0.02, 60)


def valley(c: Canvas, chance: Chance) -> None:
    """Mountains and hills, crops, a farm and trees; a balloon or two on a fine day."""
    horizon = chance.uniform(0.4, 0.52)
    sky(c, chance, horizon, chance.integer(0, 3))
    hills(c, chance, horizon)
    field(c, chance, horizon + 0.13, 1.05)
    hill(c, chance, "grass", chance.uniform(0.82, 0.92), 0.05, 54)
    for _ in range(chance.integer(0, 2) if c.daylight > 0.6 else 0):
        air_balloon(
            c, chance, chance.uniform(0.1, 0.9), chance.uniform(0.14, horizon - 0.1), chance.uniform(0.07, 0.14)
        )
    spots = [(horizon + chance.uniform(0.16, 0.28), chance.uniform(0.15, 0.85), house, chance.uniform(0.26, 0.4))]
    for _ in range(chance.integer(1, 3)):
        y = chance.uniform(horizon + 0.12, 0.92)
        spots.append((y, chance.uniform(), tree, 0.1 + (y - horizon) * 0.75))
    stand(c, chance, spots)
    for _ in range(chance.choice((0, 0, 4, 7))):
        flower(c, chance, chance.uniform(), chance.uniform(0.86, 0.94), chance.uniform(0.022, 0.04), 0.1)


def fiesta(c: Canvas, chance: Chance) -> None:
    """A sky full of balloons over the hills."""
    horizon = chance.uniform(0.68, 0.76)
    sky(c, chance, horizon, chance.integer(1, 4))
    hills(c, chance, horizon)
    trees = [
        (chance.uniform(horizon + 0.12, 0.99), chance.uniform(), tree, chance.uniform(0.14, 0.24)) for _ in range(3)
    ]
    stand(c, chance, trees[: chance.integer(0, 3)])
    count = chance.integer(4, 6)
    for k in range(count):  # the far and small ones first; each in its own strip of the sky
        r = 0.05 + 0.1 * k / count + chance.uniform(0, 0.03)
        x = (k * 7 % count + chance.uniform(0.2, 0.8)) / count
        air_balloon(c, chance, x, chance.uniform(0.14, 0.52), r)


def beach(c: Canvas, chance: Chance) -> None:
    """The sea with boats, and the life on the sand."""
    horizon, shore = chance.uniform(0.36, 0.48), chance.uniform(0.6, 0.7)
    sky(c, chance, horizon, chance.integer(1, 3))
    if chance.often(0.4):
        line = ridge(chance, horizon - 0.02, 0.08, 2, 3)
        c.paint("hill", below(line), lambda x, y: 56 + 60 * (y - horizon))
    sea(c, chance, horizon)
    boats = chance.integer(1, 3)
    for k in range(boats):
        boat(c, chance, (k + chance.uniform(0.25, 0.75)) / boats, y := horizon + 0.04 + 0.06 * k, 0.12 + (y - horizon))
    edge, dunes, grain = ridge(chance, shore, 0.03, 3, 2), Noise(chance, 5, 12, 2), Noise(chance, 90, 90, 1)
    c.paint("snow", below(lambda x: edge(x) - 0.02), 94)

    def sand(x, y):
        wet = np.clip((y - edge(x)) / 0.06, 0.0, 1.0)
        return 66 + 14 * wet + 10 * (dunes(x, y) - 0.5) + 5 * (grain(x, y) - 0.5)

    c.paint("sand", below(edge), sand)
    spots = []
    for thing, least, most, scale in ((parasol, 1, 2, 0.45), (person, 0, 2, 0.75)):
        for _ in range(chance.integer(least, most)):
            y = chance.uniform(shore + 0.08, 0.98)
            spots.append((y, chance.uniform(0.08, 0.92), thing, (y - horizon) * scale))
    for _ in range(chance.integer(1, 3)):
        spots.append((chance.uniform(shore + 0.1, 0.98), chance.uniform(0.1, 0.9), towel, chance.uniform(0.26, 0.4)))
    if chance.often(0.5):
        spots.append((chance.uniform(shore + 0.05, 0.9), chance.choice((0.12, 0.88)), palm, chance.uniform(0.45, 0.6)))
    stand(c, chance, spots)


def street(c: Canvas, chance: Chance) -> None:
    """A row of painted houses, the pavement, the road and its cars."""
    foot = chance.uniform(0.62, 0.7)
    sky(c, chance, 0.5, chance.integer(0, 3))
    hill(c, chance, "grass", foot - 0.05, 0.0, 56)
    x = chance.uniform(-0.15, 0.0)
    while x < 1.0:
        w = chance.uniform(0.2, 0.34)
        if chance.often(0.2):
            tree(c, chance, x + w * 0.5, foot, chance.uniform(0.3, 0.42))
        else:
            terrace(c, chance, x, foot, w)
        x += w
    kerb, rough = foot + chance.uniform(0.06, 0.09), Noise(chance, 90, 90, 1)
    c.paint("stone", below(foot), ramp(74, foot, 80, foot + 0.08))
    c.paint("asphalt", below(kerb), lambda x, y: 46 - 8 * (y - kerb) + 8 * (rough(x, y) - 0.5))
    c.paint("stone", rectangle(0, kerb - 0.012, 1, kerb + 0.008), 88)
    for k in range(5):
        c.paint("white", rectangle(k * 0.24 - 0.05, 0.885, k * 0.24 + 0.07, 0.905), 88)
    spots = [(foot + 0.05, chance.uniform(0.1, 0.9), street_lamp, 0.34)]
    if chance.often(0.4):
        spots.append((foot + 0.04, chance.uniform(), tree, chance.uniform(0.26, 0.36)))
    for _ in range(chance.integer(0, 3)):
        spots.append((foot + chance.uniform(0.03, 0.06), chance.uniform(), person, 0.2))
    lane = chance.uniform(0.1, 0.9)
    if chance.often(0.75):
        spots.append((kerb + 0.1, lane, car, chance.uniform(0.32, 0.42)))
    if chance.often(0.75):
        spots.append((0.97, (lane + chance.uniform(0.4, 0.6)) % 1.0, car, chance.uniform(0.42, 0.52)))
    stand(c, chance, spots)


def table(c: Canvas, chance: Chance) -> None:
    """A still life: fruit, a vase or a jug, a cloth."""
    edge, broad, bands = chance.uniform(0.46, 0.58), Noise(chance, 3, 3, 2), chance.choice((0.0, 0.0, 12.0, 18.0))

    def paper(x, y):
        return 80 - 24 * x * y + 8 * (broad(x, y) - 0.5) + 2.5 * stripes(x * bands)

    c.paint("wallpaper", rectangle(-1, -1, 2, 2), paper)
    if chance.often(0.5):
        window(c, chance.uniform(0.08, 0.6), chance.uniform(0.04, 0.12), 0.3, 0.28, 0.025)
    grain = Noise(chance, 3, 60, 2)
    c.paint("wood", below(edge), lambda x, y: 54 + 14 * (grain(x, y) - 0.5) - 10 * (y - edge))
    if chance.often(0.75):
        n, lit, weave = chance.uniform(3, 6), chance.uniform(58, 70), chance.choice((0.0, 1.0))

        def check(x, y):
            depth = (y - edge) / (y - edge + 0.55)
            bars = stripes((x - 0.5) * (1.25 - depth) * n * 1.2) + weave * stripes(depth * n * 2.2)
            return lit + 6 * bars - 10 * (y - edge)

        inset = chance.uniform(0.0, 0.3)
        cloth = polygon((inset, edge + 0.02), (1 - inset * 0.6, edge + 0.02), (1.2 - inset, 1.05), (inset - 0.2, 1.05))
        c.paint("cloth", cloth, check)
    spots = [(edge + chance.uniform(0.12, 0.2), chance.uniform(0.2, 0.8), chance.choice((vase, vase, jug)), 0.14)]
    start = chance.uniform(0.06, 0.16)
    for k in range(chance.integer(3, 5)):
        spots.append((chance.uniform(edge + 0.18, 0.93), start + 0.2 * k, fruit, chance.uniform(0.08, 0.12)))
    for y, x, _, size in spots:
        c.shade(disc(x + size * 0.4, y - size * 0.1, size * 1.3, size * 0.4), 0.45, 0.04)
    stand(c, chance, spots)


def garden(c: Canvas, chance: Chance) -> None:
    """A lawn with a fence or a washing line, and flowers."""
    horizon = chance.uniform(0.4, 0.5)
    sky(c, chance, horizon, chance.integer(0, 2))
    hill(c, chance, "hill", horizon - 0.02, 0.05, 56)
    hill(c, chance, "grass", horizon + 0.06, 0.0, 64)
    what, x = chance.choice((tree, tree, house)), chance.choice((0.14, 0.86, 0.5))
    far = (horizon + 0.09, chance.uniform(), tree, chance.uniform(0.24, 0.34))
    stand(c, chance, [far, (horizon + 0.1, x, what, chance.uniform(0.32, 0.44))])
    washing = chance.often(0.6)
    if not washing or chance.often(0.3):
        fence(c, horizon + 0.13)
    if washing:
        washing_line(c, chance, horizon + chance.uniform(-0.06, 0.02))
    for y in sorted(chance.uniform(0.68, 0.92) for _ in range(chance.integer(6, 13))):
        r = 0.024 + (y - horizon) * 0.09 * chance.uniform(0.8, 1.2)
        flower(c, chance, chance.uniform(0.03, 0.97), y, r, r * 3.2)


PLACES = (valley, fiesta, beach, street, table, garden)
