"""A session: photographs drawn by lot, and the pairs that one person sees.

A photograph and a model's colouring of its lightness stand side by side for one second; then the person says which was
real. Among the trials are checks, whose colours are another photograph's.

Reference: R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 3.1.

Difference from the protocol: people name the real one, not the fake; one session holds all models, each photograph with
one of them, which compares the models within a person; checks come on top of the scored trials instead of being a tenth
of them, and their colours are those of the least fitting of several photographs, not of any; with few photographs a
session is shorter, so that no pair comes twice.
"""

import contextlib
import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from torch import Tensor

from colorlib.color.lab import rgb_at_lightness
from colorlib.data.bundled import bundled_photographs
from colorlib.data.photos import square_photograph
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.pictures.listing import list_photographs
from colorlib.pictures.picture import Picture, to_8_bits
from colorlib.pictures.tone import tone_of
from colorlib.pictures.writing import png_bytes

SIDE = 256  # pixels of the squares that are judged, as in the paper
CHECK = "random_photo"  # what a check has in the place of a model
DONORS = 8  # photographs among which the least fitting colours are looked for


# ------------------------------------------------------------------------------------------------------ the pictures


def list_candidates(folder: Path | str | None = None) -> list[str]:
    """Name the photographs that may be judged: those of a folder, or the bundled ones.

    Raises:
        FileNotFoundError, ValueError: there is no such folder, or no picture in it.
    """
    if folder is None:
        return [f"bundled/{photograph.id}" for photograph in bundled_photographs(16)]
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"there is no folder of photographs {folder}.")
    return [f"{Path(folder).name}/{name}" for name, _ in list_photographs(folder).members]


def read_square(identity: str, folder: Path | str | None = None) -> np.ndarray:
    """Read the centre square of a photograph, one of :func:`list_candidates`.

    Returns:
        (SIDE, SIDE, 3) uint8 sRGB.

    Raises:
        ValueError: no picture, a damaged one, or one without colours, such as a sepia print.
    """
    name = identity.partition("/")[2]
    if folder is None:
        rgb = next(photograph.rgb for photograph in bundled_photographs(2048) if photograph.id == name)
        file: BinaryIO | Path = io.BytesIO()
        Image.fromarray(rgb).save(file, "BMP")
    else:
        file = Path(folder) / name
    try:
        square, *_ = square_photograph(file, SIDE)
    except (OSError, ValueError) as error:
        raise ValueError(f"{identity} cannot be judged: {str(error).rstrip('.')}.") from None
    if tone_of(Picture(square).lab()) != "colour":
        raise ValueError(f"{identity} cannot be judged: it is no colour photograph.")
    return square


def choose_photographs(
    wanted: int, rng: np.random.Generator, folder: Path | str | None = None
) -> dict[str, np.ndarray]:
    """Draw photographs by lot, up to ``wanted``; those that cannot be judged are passed over.

    Returns:
        {identity: (SIDE, SIDE, 3) uint8}, in the order of the lot.

    Raises:
        FileNotFoundError, ValueError: no folder, or fewer than three colour photographs in it.
    """
    candidates = list_candidates(folder)
    chosen: dict[str, np.ndarray] = {}
    for number in rng.permutation(len(candidates)):
        if len(chosen) == wanted:
            break
        with contextlib.suppress(ValueError):
            chosen[candidates[number]] = read_square(candidates[number], folder)
    if len(chosen) < 3:
        raise ValueError(f"{folder} holds {len(chosen)} colour photographs; judging needs three, and wants fifty.")
    return chosen


def _png(L: Tensor, ab: Tensor) -> bytes:
    """Encode; the one way that every judged picture takes, so that colour alone tells two of them apart."""
    return png_bytes(to_8_bits(rgb_at_lightness(L, ab)))


def real_picture(square: np.ndarray) -> bytes:
    """Return a photograph (SIDE, SIDE, 3) uint8 as the PNG that is shown."""
    lab = Picture(square).lab()
    return _png(lab[:, :1], lab[:, 1:])


def colored_picture(square: np.ndarray, colorizer: PhotoColorizer) -> bytes:
    """Return the PNG of a model's colouring; the model sees the lightness of the photograph alone."""
    picture = Picture(square)
    L = picture.lightness()
    return _png(L, colorizer.colors(picture, colorizer.small_copy(picture)).at(L, slice(None)))


def miscolored_picture(square: np.ndarray, donor: np.ndarray) -> bytes:
    """Return the PNG of a check: the lightness of one photograph with the colours of another."""
    return _png(Picture(square).lightness(), Picture(donor).lab()[:, 1:])


# ---------------------------------------------------------------------------------------------------------- the plan


@dataclass(frozen=True)
class Design:
    """How a session goes; the defaults are the paper's.

    Attributes:
        practice: trials with feedback that come first and do not count.
        scored: trials that count.
        seconds: how long a pair is shown.
    """

    practice: int = 10
    scored: int = 40
    seconds: float = 1.0

    @property
    def checks(self) -> int:
        """A tenth as many as scored trials, and two at least."""
        return max(2, round(self.scored / 10))

    @property
    def photographs(self) -> int:
        """So many are needed for none to come twice."""
        return self.practice + self.scored + self.checks


@dataclass(frozen=True)
class Trial:
    """One pair.

    Attributes:
        kind: "practice", "check" or "scored".
        photograph: its identity.
        model: whose colours; ``CHECK`` in a check.
        real_side: "left" or "right".
        donor: the photograph whose colours a check has; else None.
    """

    kind: str
    photograph: str
    model: str
    real_side: str
    donor: str | None = None


def plan_session(
    photographs: Mapping[str, np.ndarray], models: Sequence[str], design: Design, rng: np.random.Generator
) -> list[Trial]:
    """Plan a session: practice, then scored trials with the checks strewn among them.

    Practice has photographs of its own, since feedback gives them away. No photograph comes twice where they suffice;
    elsewhere each comes with another model each time, never twice in a row, and the session ends with the pairs.

    Args:
        photographs: of :func:`choose_photographs`.
        models: names.

    Raises:
        ValueError: fewer than three photographs, or no model.
    """
    if len(photographs) < 3 or not models:
        raise ValueError("a session needs three photographs and a model.")
    identities = list(photographs)
    practised = min(design.practice, max(1, len(identities) * design.practice // design.photographs))
    practice, rest = identities[:practised], identities[practised:]
    scored = _pairs(rest[: design.scored], models, design.scored, rng)
    spare = rest[design.scored :] or rest
    trials: list[tuple[str, str, str, str | None]] = [("scored", *pair, None) for pair in scored]
    count = Design(scored=len(scored)).checks
    for photograph in itertools.islice(itertools.cycle(rng.permutation(spare)), count):
        others = [identity for identity in rng.permutation(identities) if identity != photograph][:DONORS]
        donor = max(others, key=lambda other: _distance(photographs[photograph], photographs[other]))
        places = [
            place
            for place in range(1, len(trials) + 1)
            if photograph not in [trial[1] for trial in trials[place - 1 : place + 1]]
        ] or [len(trials)]
        trials.insert(int(rng.choice(places)), ("check", str(photograph), CHECK, str(donor)))
    trials = [("practice", *pair, None) for pair in _pairs(practice, models, design.practice, rng)] + trials
    sides = rng.choice(["left", "right"], len(trials))
    return [
        Trial(kind, photograph, model, str(side), donor)
        for (kind, photograph, model, donor), side in zip(trials, sides, strict=True)
    ]


def _pairs(
    photographs: Sequence[str], models: Sequence[str], count: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Pair photographs with models, ``count`` times at most: all photographs once, then all with the next model."""
    first = dict(zip(rng.permutation(photographs), itertools.cycle(rng.permutation(len(models))), strict=False))
    pairs: list[tuple[str, str]] = []
    for turn in range(len(models)):
        order = [str(photograph) for photograph in rng.permutation(photographs)]
        if pairs and len(order) > 1 and order[0] == pairs[-1][0]:
            order.append(order.pop(0))
        pairs += [(photograph, models[(first[photograph] + turn) % len(models)]) for photograph in order]
    return pairs[:count]


def _distance(square: np.ndarray, other: np.ndarray) -> float:
    """Return the mean distance in (a, b) between two photographs, place by place, on every eighth pixel."""
    a, b = (Picture(picture[::8, ::8]).lab()[:, 1:] for picture in (square, other))
    return float((a - b).norm(dim=1).mean())
