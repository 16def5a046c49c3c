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

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorlib.color.lab import rgb_at_lightness
from colorlib.deployment.enlarging import ColorField
from colorlib.deployment.hints import Hint, grey_places, place_hints, reach_of, shrink_hints
from colorlib.deployment.recipe import Recipe
from colorlib.machine import choose_device, computes_in_bfloat16
from colorlib.models import Network
from colorlib.objectives import Objective
from colorlib.pictures.picture import Picture
from colorlib.pictures.reading import picture_of
from colorlib.pictures.shrinking import Resampling, lanczos, shrink, strips, working_size
from colorlib.pictures.writing import assemble
from colorlib.runs.colorizer import NetworkColorizer

BFLOAT16_PARAMETERS = 5_000_000  # below it the network is not what takes the time

Kind = TypeVar("Kind", Image.Image, np.ndarray)


def check_saturation(saturation: float) -> None:
    """Raise ValueError, in one sentence, for a saturation that nobody can want."""
    if not 0 <= saturation <= 10:
        raise ValueError(f"the saturation must be from 0 to 10, 1 being the model's own, not {saturation}.")


class PhotoColorizer(NetworkColorizer):
    """A network with its recipe, for photographs of any size; see :meth:`colorize`.

    As a :class:`~colorlib.runs.colorizer.Colorizer` it takes L (N, 1, H, W) of any size, too, and works at its own.

    Args:
        recipe: what it is.
        network, objective: a released network has no objective, it answers with ab.
        device: "auto", "cpu", "cuda" or "cuda:1".
    """

    def __init__(self, recipe: Recipe, network: Network, objective: Objective | None, device: str = "auto") -> None:
        chosen = choose_device(device)
        network = network.requires_grad_(False)
        network = network.to(chosen, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        super().__init__(network, objective.to(chosen) if objective else None)
        self.recipe, self.name = recipe, recipe.name
        self.temperature, self.takes_hints = recipe.temperature, recipe.takes_hints
        self.bfloat16 = self.parameters >= BFLOAT16_PARAMETERS and computes_in_bfloat16(self.device)

    @torch.inference_mode()
    def __call__(self, L: Tensor, hints: Tensor | None = None, temperature: float | None = None) -> Tensor:
        """Colour photographs; those that are larger than its working size as :meth:`colorize` does it.

        Args:
            L: (N, 1, H, W) in [0, 100].
            hints: (N, 3, H, W), see :mod:`colorlib.color.hints`.
            temperature: of the decoding; the model's own without one.

        Returns:
            ab (N, 2, H, W) in CIELAB units, float32, on the device of ``L``.

        Raises:
            ValueError: see :meth:`~colorlib.runs.colorizer.Colorizer.check`.
        """
        size = L.shape[-2], L.shape[-1]
        small = working_size(size, self.recipe.short_side)
        if small == size:
            return super().__call__(L, hints, temperature)
        rows, columns = (Resampling(*sides, lanczos) for sides in zip(size, small, strict=True))
        shrunk = rows(columns(L).mT).mT.clamp(0, 100)
        ab = super().__call__(shrunk, None if hints is None else shrink_hints(hints, small), temperature)
        fields = (ColorField(one[None], colors[None], size) for one, colors in zip(shrunk, ab, strict=True))
        return torch.cat([field.at(own[None], slice(None)) for field, own in zip(fields, L, strict=True)])

    def macs(self, size: tuple[int, int]) -> int | None:
        return super().macs(working_size(size, self.recipe.short_side))

    @cached_property
    def digest(self) -> str:
        """64 hexadecimal digits that change with the recipe or with any weight."""
        digest = hashlib.sha256(repr(self.recipe).encode())
        for tensor in self.network.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def small_copy(self, picture: Picture) -> Tensor:
        """Return lab (1, 3, h, w) of a photograph at the size that the network works at."""
        return shrink(picture, working_size(picture.size, self.recipe.short_side))

    def colors(
        self, picture: Picture, small: Tensor, temperature: float | None = None, hints: Iterable[Hint] = ()
    ) -> ColorField:
        """Find the colours of a photograph whose :meth:`small_copy` is at hand."""
        hints, L, sizes = tuple(hints), small[:, :1], (picture.size, (small.shape[-2], small.shape[-1]))
        ab = self(L, place_hints(hints, *sizes), temperature)
        if hints and (reached := reach_of(hints, *sizes)) is not None:
            ab = self(L, None, temperature).lerp(ab, reached)
        if (grey := grey_places(hints, *sizes)) is not None:
            ab = ab * (1 - grey)
        return ColorField(L, ab, picture.size)

    @torch.inference_mode()
    def odds(self, picture: Picture, small: Tensor, hints: Iterable[Hint] = ()) -> Tensor | None:
        """Return the odds of each colour, before a temperature sharpens them.

        Args:
            picture, small, hints: as for :meth:`colours`.

        Returns:
            (1, 313, h / s, w / s), sum 1 over the bins of :func:`colorlib.color.bin_centres`, float32, s being the
            ``out_stride`` of the objective; None where it answers with one colour.
        """
        if self.temperature is None:
            return None
        placed = place_hints(hints, picture.size, (small.shape[-2], small.shape[-1]))
        self.check(None, placed is not None)
        L = self.placed(small[:, :1])
        with self.autocast():
            logits = self.network(L) if placed is None else self.network(L, placed.to(self.device))
        return logits.float().softmax(1).to(small.device)

    def paint(self, picture: Picture, colors: ColorField, saturation: float = 1.0) -> Iterator[np.ndarray]:
        """Yield the coloured photograph in strips (h, W, 3) from top to bottom, of the kind of ``picture.pixels``."""
        for strip in strips(picture.size):
            L = picture.lightness(strip)
            yield picture.encode(rgb_at_lightness(L, saturation * colors.at(L, strip)))

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
            hints: (x, y, "#RRGGBB") in pixels of the upright photograph, or more: see
                :class:`~colorlib.deployment.hints.Hint`. For models that take them.

        Returns:
            An array for an array, of its dtype, with three channels or four; else a Pillow image, RGB or RGBA (8 bits;
            :func:`colorize_files` keeps 16), with the metadata of the photograph in its ``info``.

        Raises:
            ValueError: no picture or a damaged one; an array of another kind, with NaN or values out of range; a
                temperature or hints that the model does not take; a hint outside the photograph.
            FileNotFoundError: there is no such file.

        Example:
            >>> from colorlib.deployment import load_colorizer
            >>> load_colorizer("vivid").colorize(np.full((40, 60), 128, np.uint8)).shape
            (40, 60, 3)
        """
        hints = tuple(hints)
        self.check(temperature, bool(hints))
        check_saturation(saturation)
        picture = picture_of(image)
        colors = self.colors(picture, self.small_copy(picture), temperature, hints)
        painted = self.paint(picture, colors, saturation)
        if isinstance(image, np.ndarray):
            channels = [np.concatenate(list(painted))]
            if picture.alpha is not None:
                channels.append(picture.alpha[..., None])
            return np.concatenate(channels, 2).astype(image.dtype, copy=False)
        result = assemble(painted, picture)
        carried = picture.metadata
        named = {"exif": carried.exif, "icc_profile": carried.icc, "dpi": carried.dpi, "xmp": carried.xmp}
        result.info.update({name: value for name, value in named.items() if value})
        return result
