"""A visitor's photograph: taken in with suspicion, coloured small for the screen and in full for the download.

It lives in the visitor's own session, with all that was made of it, and is forgotten with it.
"""

import base64
import io
import math
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib import colormaps
from PIL import Image
from torch import Tensor

import colorlib
from colorlib.app.turns import GoOn
from colorlib.color.gamut import bin_centres
from colorlib.color.lab import lab_to_rgb, rgb_at_lightness
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.hints import RADIUS, Hint
from colorlib.metrics import METRICS, Pair
from colorlib.objectives.base import enlarge
from colorlib.pictures.bounded import read_bounded
from colorlib.pictures.formats import WRITTEN
from colorlib.pictures.mark import Mark
from colorlib.pictures.picture import Picture, eight_bits, merge_equal, to_8_bits
from colorlib.pictures.shrinking import shrink, working_size
from colorlib.pictures.tone import tone_of
from colorlib.pictures.writing import write_picture

MAX_PIXELS = 50_000_000
SHOWN_SIDE = 1200  # pixels, the longer side on the screen
TONE_SIDE = 64  # pixels, the shorter side at which grey, toned and colour are told apart
LOSSLESS = 200 * 200 * 3  # bytes; smaller pictures are shown enlarged, and JPEG's blocks with them
KEPT = 12  # results of a photograph that are remembered
ENDS = (0.02, 0.98)  # quantiles of a photograph's spreads at which the map of how sure a model is ends
SCORES = ("delta_e_2000", "colorfulness_hs03")


@dataclass(frozen=True)
class Stroke:
    """A hint as a visitor draws it: one place that was clicked, or those along a brush's way.

    Attributes:
        points: (x, y), shares of the photograph's width and height in [0, 1).
        color, radius, reach: see :class:`colorlib.deployment.hints.Hint`.
    """

    points: tuple[tuple[float, float], ...]
    color: str
    radius: float = RADIUS
    reach: float = math.inf


@dataclass(frozen=True)
class Wish:
    """How a photograph is to be coloured."""

    temperature: float | None = None
    saturation: float = 1.0
    hints: tuple[Stroke, ...] = ()

    def hints_on(self, size: tuple[int, int]) -> list[Hint]:
        """Return the hints in pixels of a photograph of (H, W)."""
        H, W = size
        return [Hint(x * W, y * H, one.color, one.radius, one.reach) for one in self.hints for x, y in one.points]


@dataclass(eq=False)
class Photo:
    """A photograph that a visitor chose.

    Attributes:
        name: of its file, without any folder.
        data: the file.
        size: (H, W) in pixels, upright.
        shown: a copy for the screen, sRGB of 8 bits.
        tone: "grey", "toned" or "colour".
        format: a key of ``WRITTEN``, that of the download.
        notes: sentences on what of the file could not be kept.
    """

    name: str
    data: bytes
    size: tuple[int, int]
    shown: Picture
    tone: str
    format: str
    notes: list[str]
    _results: dict[Any, Any] = field(default_factory=dict)

    def remember(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returned for this key; the oldest results are dropped."""
        if key not in self._results:
            self._results[key] = make()
            while len(self._results) > KEPT:
                del self._results[next(iter(self._results))]
        return self._results[key]

    @property
    def download_name(self) -> str:
        return f"{Path(self.name).stem}-coloured{WRITTEN[self.format]}"


def plain_name(name: str) -> str:
    """Return a file's name without folders, control characters, and what means something to a shell or to Markdown.

    Example:
        >>> plain_name("../../etc/pass*wd.jpg")
        'passwd.jpg'
    """
    stem, dot, ending = re.split(r"[/\\]", name)[-1].rpartition(".")
    stem, ending = (re.sub(r"[^\w .()-]", "", part).strip(". -")[:80] for part in (stem if dot else ending, ending))
    return f"{stem or 'photograph'}.{ending}" if dot and ending else stem or "photograph"


def escape_markdown(text: str) -> str:
    """Return a text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$:<>-])", r"\\\1", text)


def take_in(name: str, data: bytes, tone: str | None = None) -> Photo:
    """Read a file that may be anything; its tone is looked for where it is not known.

    Raises:
        ValueError: no picture, a damaged one, an animation, or one of more than ``MAX_PIXELS``; one sentence.
    """
    picture = _read(data)
    shown = _screen_copy(picture)
    tone = tone or tone_of(shrink(shown, working_size(shown.size, TONE_SIDE)))
    return Photo(plain_name(name), data, picture.size, shown, tone, picture.format, picture.notes)


def _read(data: bytes) -> Picture:
    return read_bounded(data, MAX_PIXELS)


def _screen_copy(picture: Picture) -> Picture:
    """Return sRGB of 8 bits, its longer side at most ``SHOWN_SIDE``."""
    image = Image.fromarray(eight_bits(picture.pixels))
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS, reducing_gap=3)
    reduced = Picture(np.asarray(image), profile=picture.profile)
    return Picture(merge_equal(to_8_bits(lab_to_rgb(reduced.lab()))))


def colored(photo: Photo, colorizer: PhotoColorizer, wish: Wish) -> np.ndarray:
    """Colour the copy for the screen: (h, w, 3) uint8."""
    shown = photo.shown
    colors = colorizer.colors(shown, colorizer.small_copy(shown), wish.temperature, wish.hints_on(shown.size))
    return np.concatenate(list(colorizer.paint(shown, colors, wish.saturation)))


class Result(NamedTuple):
    """A photograph that was coloured.

    Attributes:
        path: of the file.
        notes: sentences on what could not be kept or was done to it.
        thumbnail: (h, w, 3) uint8.
        tone: of the photograph before: "grey", "toned" or "colour".
    """

    path: Path
    notes: list[str]
    thumbnail: np.ndarray
    tone: str


def color_file(
    data: bytes, path: Path, colorizer: PhotoColorizer, wish: Wish | None = None, go_on: GoOn = lambda: None
) -> Result:
    """Colour a photograph itself and write it: its format, size, bits, profile and metadata are kept.

    Args:
        path: without an ending; the result has that of its format.
        go_on: is called now and then, and may raise.

    Raises:
        ValueError, OSError: see :func:`take_in` and :func:`colorlib.pictures.writing.write_picture`.
    """
    wish, picture = wish or Wish(), _read(data)
    go_on()
    small = colorizer.small_copy(picture)
    tone = tone_of(small)
    colors = colorizer.colors(picture, small, wish.temperature, wish.hints_on(picture.size))

    def strips() -> Iterator[np.ndarray]:
        for strip in colorizer.paint(picture, colors, wish.saturation):
            go_on()
            yield strip

    path = path.with_name(path.name + WRITTEN[picture.format])
    write_picture(path, strips(), picture, Mark(colorizer.name, colorlib.__version__))
    thumbnail = to_8_bits(rgb_at_lightness(small[:, :1], wish.saturation * colors.ab))
    had = ["It was in colour already; its colours were put aside."] * (tone == "colour")
    return Result(path, [*picture.notes, *had], thumbnail, tone)


def full_size(photo: Photo, colorizer: PhotoColorizer, wish: Wish, go_on: GoOn = lambda: None) -> bytes:
    """Colour the photograph itself and return the file; see :func:`color_file`."""
    with tempfile.TemporaryDirectory(prefix="colorlib-") as folder:
        return color_file(photo.data, Path(folder) / "coloured", colorizer, wish, go_on).path.read_bytes()


def grey(photo: Photo) -> np.ndarray:
    """Return the lightness of the copy for the screen: (h, w, 3) uint8."""
    if photo.shown.is_grey:
        return np.repeat(photo.shown.pixels[..., None], 3, 2)
    L = photo.shown.lightness()
    return to_8_bits(lab_to_rgb(torch.nn.functional.pad(L, (0, 0, 0, 0, 0, 2))))


def scores(photo: Photo, rgb8: np.ndarray) -> dict[str, float]:
    """Measure a coloured copy (h, w, 3) against the colours that the photograph had, by ``SCORES``."""
    truth, lab = photo.shown.lab(), Picture(rgb8).lab()
    pair = Pair(truth[:, :1], lab[:, 1:], truth[:, 1:])
    return {name: float(METRICS[name].fn(pair)) for name in SCORES}


def spread(odds: Tensor) -> Tensor:
    """Return how far the colours that a model thinks possible lie from their mean: (N, h, w) in ab units.

    It is the square root of the variance of the odds (N, 313, h, w) over the plane of a and b: 0 where one colour has
    all of them.
    """
    centres = bin_centres()  # (313, 2)
    mean = torch.einsum("nqhw,qc->nchw", odds, centres)
    square = torch.einsum("nqhw,q->nhw", odds, centres.square().sum(1))
    return (square - mean.square().sum(1)).clamp(min=0).sqrt()


@dataclass(frozen=True, eq=False)
class Doubt:
    """Where a model is unsure.

    Attributes:
        rgb8: (h, w, 3), the map laid over the photograph: dark where the model is sure, bright where it is not.
        mean, low, high: of the spread in ab units: over the photograph, and at the two ends of the scale.
    """

    rgb8: np.ndarray
    mean: float
    low: float
    high: float


def doubt(photo: Photo, colorizer: PhotoColorizer, wish: Wish) -> Doubt | None:
    """Map the :func:`spread` of a model's odds, given the hints. None where it answers with one colour."""
    shown = photo.shown
    small = colorizer.small_copy(shown)
    odds = colorizer.odds(shown, small, wish.hints_on(shown.size))
    if odds is None or colorizer.objective is None:
        return None
    values = enlarge(spread(odds)[:, None], colorizer.objective.out_stride, small.shape[-2:])
    low, high = values.quantile(torch.tensor(ENDS)).tolist()
    share = torch.nn.functional.interpolate((values - low) / max(high - low, 1e-6), shown.size, mode="bilinear")
    tint = colormaps["inferno"](share[0, 0].clamp(0, 1).numpy())[..., :3]
    rgb8 = (255 * 0.75 * tint + 0.25 * grey(photo)).round().astype(np.uint8)
    return Doubt(rgb8, float(values.mean()), low, high)


def data_url(rgb8: np.ndarray) -> str:
    """Return a picture (h, w, 3) as an address that holds it; no other visitor can ask for it."""
    file = io.BytesIO()
    kind = "PNG" if rgb8.size < LOSSLESS else "JPEG"
    Image.fromarray(rgb8).save(file, kind, quality=90, subsampling=0)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
