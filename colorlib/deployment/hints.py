"""A person's hints on a photograph: where, which colour, how large, and how far the colour may spread."""

import itertools
import math
import re
from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color.hints import place
from colorlib.color.lab import rgb_to_lab

RADIUS = 1.5 / 64  # what a click covers


class Hint(NamedTuple):
    """A colour that belongs to a place.

    Attributes:
        x, y: in pixels of the upright photograph, from the left and the top.
        color: "#RRGGBB"; only its a and b are taken. A place that is hinted grey stays grey, whatever the model thinks.
        radius: of the place, as a share of the photograph's shorter side.
        reach: how far from the place the hint may change colours, as a share of that side; as far as the model spreads
            them if infinite. Where hints overlap, the farther reach counts.
    """

    x: float
    y: float
    color: str
    radius: float = RADIUS
    reach: float = math.inf

    @property
    def ab(self) -> tuple[float, float]:
        """a and b in CIELAB units."""
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.color):
            raise ValueError(f"the colour of a hint is #RRGGBB, not {self.color!r}.")
        rgb = torch.tensor([int(self.color[i : i + 2], 16) / 255 for i in (1, 3, 5)]).view(1, 3, 1, 1)
        _, a, b = rgb_to_lab(rgb).flatten().tolist()
        return a, b

    @property
    def is_grey(self) -> bool:
        return self.color[1:3] == self.color[3:5] == self.color[5:7]


def parse_hint(text: str) -> Hint:
    """Read ``X,Y,#RRGGBB``: pixels from the left and the top of the upright photograph, and a colour.

    Raises:
        ValueError: anything else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*,\s*(#?[0-9a-fA-F]{6})\s*", text)
    if not found:
        raise ValueError(f"a hint is X,Y,#RRGGBB, for example 120,80,#a03020, not {text!r}.")
    return Hint(float(found[1]), float(found[2]), "#" + found[3].removeprefix("#"))


def place_hints(hints: Iterable[Hint], size: tuple[int, int], small: tuple[int, int]) -> Tensor | None:
    """Return the hints (1, 3, h, w) of a small copy, or None; only a and b of a hint's colour are taken.

    Args:
        hints: tuples of a hint's first three numbers or more will do.
        size: (H, W) of the photograph.
        small: (h, w) of the copy.

    Raises:
        ValueError: a hint outside the photograph, or a colour that is none.
    """
    placed, ours = None, [_whole(hint) for hint in hints]
    for radius, alike in itertools.groupby(ours, key=lambda hint: hint.radius):
        points = []
        for hint in alike:
            if not (0 <= hint.x < size[1] and 0 <= hint.y < size[0]):
                raise ValueError(
                    f"the hint at x = {hint.x:g}, y = {hint.y:g} is outside the photograph of {size[1]}×{size[0]}."
                )
            points.append((*_on(hint, size, small), *hint.ab))
        these = place(small, points, max(1, round(2 * radius * min(small))))
        placed = these if placed is None else torch.where(these[:, 2:] > 0, these, placed)
    return placed


def reach_of(hints: Iterable[Hint], size: tuple[int, int], small: tuple[int, int]) -> Tensor | None:
    """Return how much of the hints' change counts at each place of a small copy: (1, 1, h, w) in [0, 1].

    1 inside the hints; outside it falls as a Gaussian to 0.14 at a hint's reach. None where it is 1 everywhere.
    """
    hints = [_whole(hint) for hint in hints]
    if any(math.isinf(hint.reach) for hint in hints):
        return None
    return _around(hints, [hint.reach / 2 for hint in hints], size, small)


def grey_places(hints: Iterable[Hint], size: tuple[int, int], small: tuple[int, int]) -> Tensor | None:
    """Return where hints keep a small copy grey: (1, 1, h, w) in [0, 1], soft at the edge. None where nowhere."""
    hints = [hint for hint in map(_whole, hints) if hint.is_grey]
    return _around(hints, [hint.radius / 4 for hint in hints], size, small) if hints else None


def shrink_hints(hints: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring hints (N, 3, H, W) to ``size`` (h, w): where a cell holds any, the mean of their colours.

    See :mod:`colorlib.color.hints`.
    """
    mask = F.interpolate(hints[:, 2:], size, mode="area")
    ab = F.interpolate(hints[:, :2], size, mode="area") / mask.clamp(min=1e-6)
    return torch.cat([ab, (mask > 0).to(ab)], 1)


def _whole(hint: tuple) -> Hint:
    return hint if isinstance(hint, Hint) else Hint(*hint)


def _on(hint: Hint, size: tuple[int, int], small: tuple[int, int]) -> tuple[float, float]:
    """Return x and y of a hint in pixels of a small copy."""
    across, down = (hint.x + 0.5) * small[1] / size[1], (hint.y + 0.5) * small[0] / size[0]
    return min(across, small[1] - 1), min(down, small[0] - 1)


def _around(hints: list[Hint], deviations: list[float], size: tuple[int, int], small: tuple[int, int]) -> Tensor:
    """Return 1 inside the hints, and a Gaussian of the distance to the nearest beyond: (1, 1, h, w)."""
    weights = torch.zeros(1, 1, *small)
    rows, columns = torch.arange(small[0])[:, None], torch.arange(small[1])
    for hint, deviation in zip(hints, deviations, strict=True):
        x, y = _on(hint, size, small)
        distance = ((columns - int(x)) ** 2 + (rows - int(y)) ** 2).sqrt() / min(small)
        beyond = (distance - hint.radius).clamp(min=0) / max(deviation, 1e-6)
        weights = torch.maximum(weights, torch.exp(-(beyond**2) / 2))
    return weights
