"""What scenes have of nature: sky, mountains, hills, fields, the sea, trees and flowers."""

from collections.abc import Callable

import numpy as np

from colorlib.data.scenes.canvas import (
    DIRECTIONS,
    Canvas,
    Chance,
    Noise,
    Shape,
    above,
    ball,
    below,
    disc,
    polygon,
    ramp,
    rectangle,
    ridge,
    saw,
    stroke,
)


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
