"""Places that scenes show: hills, a valley, a fiesta, a beach, a street, a table, a garden."""

from collections.abc import Callable, Sequence

import numpy as np

from colorlib.data.scenes.canvas import Canvas, Chance, Noise, below, disc, polygon, ramp, rectangle, ridge, stripes
from colorlib.data.scenes.nature import conifer, field, flower, hill, mountains, palm, sea, sky, tree
from colorlib.data.scenes.things import (
    air_balloon,
    boat,
    car,
    fence,
    fruit,
    house,
    jug,
    parasol,
    person,
    street_lamp,
    terrace,
    towel,
    vase,
    washing_line,
    window,
)

Spot = tuple[float, float, Callable[[Canvas, Chance, float, float, float], None], float]  # foot y, x, thing, size


def stand(c: Canvas, chance: Chance, spots: Sequence[Spot]) -> None:
    """Paint things that stand on the ground, the farthest first."""
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
    spots: list[Spot] = [
        (horizon + chance.uniform(0.16, 0.28), chance.uniform(0.15, 0.85), house, chance.uniform(0.26, 0.4))
    ]
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
    spots: list[Spot] = []
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
    spots: list[Spot] = [(foot + 0.05, chance.uniform(0.1, 0.9), street_lamp, 0.34)]
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
