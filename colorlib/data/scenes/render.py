"""A procedural world whose colours obey a known law: the data set ``scenes``.

A photograph has one true colouring, and nobody can say how likely the others were. Here it is known, because the world
is made in two steps that never look at each other:

1. **Shape and light.** A painter's algorithm composes a place (a valley, a beach, a street, a table …) back to front.
   Every stroke says *which kind of thing* it is and *how light* it is; no stroke has a colour.
2. **Hue.** Every single thing then draws one hue from the *law of colour* of its kind:

   - *determined*: one narrow arc of hues (grass is green, a banana yellow);
   - *two_way*: two narrow arcs with known odds (a roof is terracotta or slate, an apple red or green);
   - *free*: any hue, all alike (a car, a balloon, a shirt).

   Chroma follows from kind, lightness and hue alone: the kind's own, or as much of it as the sRGB gamut holds there.

Lightness does not depend on the hue that was drawn, so for a pixel of a known kind p(ab | L) *is* the law: a finite
mixture over ``HUES`` directions, exact to the last bit (`posterior`). Its mean is the best that any network can answer
under the L2 loss (`bayes_mean`), its median the best under L1 (`bayes_median`), and the mixture (`posterior_table`),
encoded as the loss encodes its truth, the best under cross-entropy (`colorlib.runs.baselines.bayes_odds`). The mean of
a two-way thing lies between its hues, where no such thing is, and the median takes the likelier one; for a free thing
both are nearly grey. A network that is trained to be right on average must leave cars and balloons dull, and no amount
of training helps.

The same bits come out on every machine: all arithmetic is integers and single IEEE float64 operations that are
rounded correctly everywhere (+ − × ÷ √ floor), random numbers come from a hash of (seed, index), and there is no sine,
power, sum or matrix product (`scenery` holds the painter). Shapes are anti-aliased in lightness only; kind and colour
change from pixel to pixel.
"""

import contextlib
from pathlib import Path

import numpy as np

from colorlib.data.scenes.canvas import Canvas, Chance
from colorlib.data.scenes.laws import INDEX, KINDS, draw_hue, palette
from colorlib.data.scenes.places import PLACES, table
from colorlib.data.shards import write_store
from colorlib.data.store import LabArrays
from colorlib.data.writing import Record
from colorlib.files import project_folder

VERSION = 1  # part of a data set's identity: raise it whenever a rendered bit changes


def open_scenes(count: int = 2000, size: int = 64, seed: int = 0, cache: Path | str | None = None) -> LabArrays:
    """Render the procedural scenes on first use, into ``data/scenes-<count>x<size>-seed<seed>``, and open them.

    Where another process, such as a second notebook, is rendering the same ones, they are waited for.
    """
    for name, value in (("count", count), ("size", size), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} of the scenes must be a whole number, not {value!r}.")
    folder = Path(cache or project_folder() / "data") / f"scenes-{count}x{size}-seed{seed}"
    while True:
        with contextlib.suppress(BlockingIOError):  # raised every ten seconds while the other process lives
            return write_scenes(folder, count=count, size=size, seed=seed)


def render(index: int, size: int = 64, seed: int = 0, hue_seed: int | None = None) -> Record:
    """Render picture ``index`` of the world ``seed``; it depends on nothing else.

    Args:
        index: 0, 1, 2 …
        size: side in pixels; the same place at any size.
        seed: of the world, any integer.
        hue_seed: draws the hues anew and leaves lightness and kinds as they are; by default ``seed`` draws them.

    Returns:
        L8 (size, size), ab8 (size, size, 2) and kinds (size, size; indices into ``KINDS``), all uint8.

    Example:
        >>> render(0).ab8.shape
        (64, 64, 2)
    """
    chance = Chance(seed, index, 0)
    place = chance.choice(PLACES)
    # Five pictures by day to two at dusk and one at night; indoors the lamp is on.
    daylight = 1.0 if place is table else chance.choice((1.0, 1.0, 1.0, 1.0, 1.0, 0.8, 0.8, 0.5))
    canvas = Canvas(size, daylight)
    place(canvas, chance)
    sensor = chance.array(4, size, size)
    L = canvas.L + 1.3 * (sensor[0] + sensor[1] + sensor[2] + sensor[3] - 2.0)
    L8 = np.clip(np.floor(L * 2.55 + 0.5), 0.0, 255.0).astype(np.uint8)

    hues = Chance(seed if hue_seed is None else hue_seed, index, 1)
    kind_of_thing = np.array([INDEX[name] for name in canvas.things], np.uint8)
    hue_of_thing = np.array([draw_hue(kind, hues.uniform()) for kind in kind_of_thing.tolist()])
    kinds = kind_of_thing[canvas.thing_at]
    ab8 = palette()[kinds, L8, hue_of_thing[canvas.thing_at]]
    return Record(f"scene-{seed}-{index}", size, size, L8, ab8, kinds)


def write_scenes(folder: Path | str, count: int = 2000, size: int = 64, seed: int = 0) -> LabArrays:
    """Render ``count`` pictures of the world ``seed`` into a store and open it; a killed call goes on where it was.

    Args:
        folder: of the new store.
        count: pictures; the first ones are the same whatever the count.
        size: side in pixels; the world is at its best from 48 to 256.
        seed: of the world.

    Raises:
        ValueError: ``count`` is not positive, or ``folder`` holds something else.
        OSError: the disk is full.
    """
    if count < 1:
        raise ValueError(f"count is {count}, but a data set needs at least one picture.")
    info = {
        "generator": "scenes",
        "generator_version": VERSION,
        "seed": seed,
        "count": count,
        "kinds": [{"name": kind.name, "law": kind.law_name} for kind in KINDS],
    }
    records = (render(index, size, seed) for index in range(count))
    return write_store(folder, "scenes", records, count, (size, size), info, kinds=True)
