"""A black-and-white photograph in, a colour photograph of the same size and lightness out.

A network colours a small copy of the photograph, at the size of those it learned from. Its colours are brought up to
full size in two parts: the smooth one by cubic interpolation, and the rest along the photograph's own lightness, in
the way of a guided filter: around each place a and b are nearly straight lines in L, so where L leaves its smooth part,
colour leaves with it. Colours that sRGB cannot show give up chroma and keep their lightness. All of this is done in
strips of rows, so the memory that a large scan needs is that of its pixels.

References:
    K. He, J. Sun and X. Tang, "Guided Image Filtering", IEEE TPAMI 2013: the local linear model. K. He and J. Sun,
    "Fast Guided Filter", 2015, arXiv:1505.00996: its coefficients found on a small copy.
    R. G. Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE TASSP 1981.

Difference from the fast guided filter: it replaces the small image by its local linear model, which blurs it; here the
model supplies only what interpolation lacks, so the network's colours are all kept. Windows are Gaussian.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorlib.color.hints import place
from colorlib.color.lab import rgb_at_lightness, rgb_to_lab
from colorlib.deployment.enlarging import ColourField
from colorlib.deployment.loading import load_model
from colorlib.deployment.model import DeployedModel
from colorlib.pictures.picture import Picture, picture_from
from colorlib.pictures.shrinking import shrink, strips, working_size
from colorlib.pictures.writing import assemble

HINT_SIDE = 3  # pixels of the working size; networks are trained with squares of 1 to 9

Hint = tuple[float, float, str]
Kind = TypeVar("Kind", Image.Image, np.ndarray)


def parse_hint(text: str) -> Hint:
    """Read ``X,Y,#RRGGBB``: pixels from the left and the top of the upright photograph, and a colour.

    Raises:
        ValueError: anything else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*,\s*(#?[0-9a-fA-F]{6})\s*", text)
    if not found:
        raise ValueError(f"a hint is X,Y,#RRGGBB, for example 120,80,#a03020, not {text!r}.")
    return float(found[1]), float(found[2]), "#" + found[3].removeprefix("#")


def _place_hints(hints: Iterable[Hint], size: tuple[int, int], small: tuple[int, int]) -> Tensor | None:
    """Return the hints (1, 3, h, w) of a small copy, or None; only a and b of a hint's colour are taken."""
    points = []
    for x, y, colour in hints:
        if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            raise ValueError(f"the colour of a hint is #RRGGBB, not {colour!r}.")
        if not (0 <= x < size[1] and 0 <= y < size[0]):
            raise ValueError(f"the hint at x = {x:g}, y = {y:g} is outside the photograph of {size[1]}×{size[0]}.")
        rgb = torch.tensor([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]).view(1, 3, 1, 1)
        _, a, b = rgb_to_lab(rgb).flatten().tolist()
        across, down = (x + 0.5) * small[1] / size[1], (y + 0.5) * small[0] / size[0]
        points.append((min(across, small[1] - 1), min(down, small[0] - 1), a, b))
    return place(small, points, HINT_SIDE) if points else None


class Colorizer:
    """A model that colours photographs of any size; see :meth:`colorize`.

    Args:
        model: of :func:`colorlib.deployment.loading.load_model`.
    """

    def __init__(self, model: DeployedModel) -> None:
        self.model = model

    def check(self, temperature: float | None = None, saturation: float = 1.0, hints: Iterable[Hint] = ()) -> None:
        """Raise ValueError, in one sentence, where the model cannot do what is asked."""
        self.model.check(temperature, bool(tuple(hints)))
        if not 0 <= saturation <= 10:
            raise ValueError(f"the saturation must be from 0 to 10, 1 being the model's own, not {saturation}.")

    def small_copy(self, picture: Picture) -> Tensor:
        """Return lab (1, 3, h, w) of a photograph at the size that the model works at."""
        return shrink(picture, working_size(picture.size, self.model.recipe.short_side))

    def colours(
        self, picture: Picture, small: Tensor, temperature: float | None = None, hints: Iterable[Hint] = ()
    ) -> ColourField:
        """Find the colours of a photograph whose :meth:`small_copy` is at hand."""
        placed = _place_hints(hints, picture.size, small.shape[-2:])
        ab = self.model(small[:, :1], placed, temperature)
        return ColourField(small[:, :1], ab, picture.size)

    def odds(self, picture: Picture, small: Tensor, hints: Iterable[Hint] = ()) -> Tensor | None:
        """Return the odds of each colour at each place of a :meth:`small_copy`: :meth:`DeployedModel.odds`."""
        return self.model.odds(small[:, :1], _place_hints(hints, picture.size, small.shape[-2:]))

    def paint(self, picture: Picture, colours: ColourField, saturation: float = 1.0) -> Iterator[np.ndarray]:
        """Yield the coloured photograph in strips (h, W, 3) from top to bottom, of the kind of ``picture.pixels``."""
        for strip in strips(picture.size):
            L = picture.lightness(strip)
            yield picture.encode(rgb_at_lightness(L, saturation * colours.at(L, strip)))

    def colorize(
        self,
        image: Kind | Path | str,
        temperature: float | None = None,
        saturation: float = 1.0,
        hints: Iterable[Hint] = (),
    ) -> Kind | Image.Image:
        """Colour a photograph. Its lightness is kept, whether it was grey, toned or coloured before.

        Args:
            image: a path; a Pillow image; or an array (H, W), (H, W, 3) or (H, W, 4), uint8, uint16 or floating-point
                in [0, 1], the fourth channel being transparency.
            temperature: for models that answer with odds: towards 0 more vivid and patchier, 1 duller.
            saturation: multiplies chroma; 0 is grey.
            hints: (x, y, "#RRGGBB") in pixels of the upright photograph, for models that take them.

        Returns:
            An array for an array, of its dtype, with three channels or four; else a Pillow image, RGB or RGBA (8 bits;
            :func:`colorize_files` keeps 16), with the metadata of the photograph in its ``info``.

        Raises:
            ValueError: no picture or a damaged one; an array of another kind, with NaN or values out of range; a
                temperature or hints that the model does not take; a hint outside the photograph.
            FileNotFoundError: there is no such file.

        Example:
            >>> load_colorizer("vivid").colorize(np.full((40, 60), 128, np.uint8)).shape
            (40, 60, 3)
        """
        hints = tuple(hints)
        self.check(temperature, saturation, hints)
        picture = picture_from(image)
        colours = self.colours(picture, self.small_copy(picture), temperature, hints)
        painted = self.paint(picture, colours, saturation)
        if isinstance(image, np.ndarray):
            pixels = np.concatenate(list(painted))
            alpha = [] if picture.alpha is None else [picture.alpha[..., None]]
            return np.concatenate([pixels, *alpha], 2).astype(image.dtype, copy=False)
        result = assemble(painted, picture)
        result.info.update({k: v for k, v in picture.carried.items() if k in ("exif", "icc_profile", "dpi", "xmp")})
        return result


def load_colorizer(name: Path | str = "vivid", device: str = "auto") -> Colorizer:
    """Load a colorizer: one that ships, one's own, or one whose weights its authors released.

    Args:
        name: ``faithful`` or ``vivid``; a run folder; a file of :func:`colorlib.deployment.export.export_run`; or
            ``eccv16=FILE``, ``siggraph17=FILE``, ``ddcolor=FILE``, with a web address in the place of FILE if need be.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Raises:
        What :func:`colorlib.deployment.loading.load_model` raises.

    Example:
        >>> load_colorizer("faithful").colorize("grandmother.jpg").save("grandmother-coloured.jpg")  # doctest: +SKIP
    """
    return Colorizer(load_model(name, device))
