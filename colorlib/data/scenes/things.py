"""What people made, and people: houses, cars, boats, clothes, fruit and vessels on a table."""

import numpy as np

from colorlib.data.scenes.canvas import (
    Canvas,
    Chance,
    Noise,
    above,
    ball,
    below,
    disc,
    polygon,
    ramp,
    rectangle,
    saw,
    stripes,
    stroke,
    trapezoid,
)
from colorlib.data.scenes.nature import flower


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


def shirt(c: Canvas, chance: Chance, x: float, y: float, w: float) -> None:
    """A shirt that hangs from a line at height y."""
    thing, lit = c.thing("shirt"), chance.uniform(54, 72)
    for u in (-1, 1):
        c.paint(thing, stroke(x + u * w * 0.3, y + w * 0.12, x + u * w * 0.55, y + w * 0.42, w * 0.26), lit - 6)
    body = rectangle(x - w * 0.33, y, x + w * 0.33, y + w * 0.95)
    c.paint(thing, body, lambda u, v: lit + 4 * stripes((u - x) * 9 / w) - 14 * (v - y))
    c.shade(disc(x, y, w * 0.14, w * 0.1) & below(y), 0.5, 0.012)


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
