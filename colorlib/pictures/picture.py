"""Picture files with all that they carry: 8 and 16 bits, transparency, colour profile, EXIF, captions.

A photograph is read upright (its EXIF orientation is carried out, then said to be 1), and written again with the same
metadata and in the same format, or as PNG where the format cannot hold it. Pillow reads only 8 bits of 16-bit colour;
here it decodes such a picture twice, once for each half.
"""

import contextlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image
from torch import Tensor

from colorlib.color.lab import rgb_to_lab
from colorlib.pictures.decode import _OTHER_SPACES, _decode_16_bits, _pixels, _raw_mode, merge_equal, reason_of, upright
from colorlib.pictures.metadata import _LAYOUT_TAGS, _metadata, _upright_exif
from colorlib.pictures.profiles import Profile, read_profile

MAX_PIXELS = 178_956_970  # Pillow's own limit for an error
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF", "TGA")  # to be opened
WRITTEN = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp"}
ENDINGS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp"}  # that fit what is written
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_OTHER_FILES = {b"%PDF": "a PDF", b"PK\x03\x04": "a zip archive", b"\x00\x00\x00\x1cftyp": "a film", b"<svg": "an SVG"}


@dataclass(eq=False)
class Picture:
    """A photograph as it was read.

    Attributes:
        pixels: (H, W) where all channels are equal, else (H, W, 3); uint8, uint16, or float32 in [0, 1].
        alpha: (H, W) of the same type, or None.
        profile: what the numbers mean, where it is not sRGB.
        format: a key of ``WRITTEN``.
        carried: what is saved with it again, as Pillow's ``save`` names it: exif, icc_profile, dpi, xmp, ….
        notes: sentences about what could not be kept or was done to it.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    profile: Profile | None = None
    format: str = "PNG"
    carried: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.pixels.shape[:2]

    @property
    def is_grey(self) -> bool:
        return self.pixels.ndim == 2

    @property
    def white(self) -> float:
        """The value of white: 255, 65535 or 1."""
        return 1.0 if self.pixels.dtype.kind == "f" else float(np.iinfo(self.pixels.dtype).max)

    def lightness(self, rows: slice = slice(None)) -> Tensor:
        """Return L (1, 1, h, W) in [0, 100] of some rows."""
        if not self.is_grey or self.pixels.dtype.kind == "f":
            return self.lab(rows)[:, :1]
        return self._lightness_of_levels[torch.from_numpy(self.pixels[rows].astype(np.int64))][None, None]

    def lab(self, rows: slice = slice(None)) -> Tensor:
        """Return lab (1, 3, h, W) of some rows; a grey picture's a and b are zero."""
        if self.is_grey and self.pixels.dtype.kind != "f":
            return torch.nn.functional.pad(self.lightness(rows), (0, 0, 0, 0, 0, 2))
        values = torch.from_numpy(self.pixels[rows].astype(np.float32) / np.float32(self.white))
        return self._to_lab(values[None, None] if self.is_grey else values.permute(2, 0, 1)[None])

    @cached_property
    def _lightness_of_levels(self) -> Tensor:
        levels = torch.linspace(0, 1, int(self.white) + 1).view(1, 1, 1, -1)
        return self._to_lab(levels)[0, 0, 0]

    def _to_lab(self, values: Tensor) -> Tensor:
        grey_profile = self.profile is not None and self.profile.is_grey
        if not grey_profile:
            values = values.expand(-1, 3, -1, -1)
        lab = rgb_to_lab(self.profile.to_srgb(values) if self.profile else values)
        if self.is_grey:
            lab[:, 1:] = 0
        return lab

    def encode(self, rgb: Tensor) -> np.ndarray:
        """Turn sRGB (1, 3, h, W) in [0, 1] into pixels (h, W, 3) of this picture's kind."""
        if self.profile and not self.profile.is_grey:
            rgb = self.profile.from_srgb(rgb)
        values = rgb[0].permute(1, 2, 0)  # (3, h, W) -> (h, W, 3)
        if self.pixels.dtype.kind == "f":
            return values.numpy()
        return (values * self.white + 0.5).numpy().astype(self.pixels.dtype)  # cut, not rounded: hence the half


def to_8_bits(rgb: Tensor) -> np.ndarray:
    """Turn sRGB (1, 3, h, w) in [0, 1] into pixels (h, w, 3), uint8, rounded to the nearest."""
    return (rgb[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def read_picture(source: Path | str | BinaryIO, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture file.

    Args:
        source: a path, or an open file.
        max_pixels: more are refused before anything is decoded.

    Raises:
        FileNotFoundError, PermissionError: there is no such file, or it may not be read.
        ValueError: no picture, a damaged one, an animation, or too large; the message is one sentence that names it.
    """
    name = str(source) if isinstance(source, Path | str) else "the file"
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(open(source, "rb")) if isinstance(source, Path | str) else source
            head = file.read(4096)
            file.seek(0)
            if not head:
                raise ValueError("an empty file")
            for start, what in _OTHER_FILES.items():
                if head.startswith(start):
                    raise ValueError(f"{what}, whatever its name says")
            with Image.open(file, formats=FORMATS) as image:
                _check_kind(image, max_pixels)
                picture = picture_of(image)
            if b"VP8L" in head:
                picture.carried["lossless"] = True
            return picture
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Image.DecompressionBombError:
        raise ValueError(f"{name} cannot be coloured: {_too_large('more', max_pixels)}.") from None
    except MemoryError:
        raise ValueError(f"{name} cannot be coloured: the memory does not suffice for it.") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ValueError(f"{name} cannot be coloured: {reason_of(error).rstrip('.')}.") from None


def _check_kind(image: Image.Image, max_pixels: int) -> None:
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise ValueError(_too_large(f"{image.width:,}×{image.height:,} =", max_pixels, pixels))
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format in _ANIMATED:
        raise ValueError(f"an animation of {frames} frames; save one of them as a picture of its own")


def _too_large(how: str, limit: int, pixels: int | None = None) -> str:
    count = f"{how} {pixels / 1e6:,.0f} megapixels, more" if pixels else how
    return f"{count} than the {limit / 1e6:,.0f} megapixels allowed (a small file can pretend to any size)"


def picture_of(image: Image.Image) -> Picture:
    """Turn a Pillow image, just opened or in memory, into a picture; what Pillow raises for a damaged file it raises.

    Raises:
        ValueError: pixels whose range is unknown.
    """
    picture = Picture(np.empty((0, 0), np.uint8), format=image.format if image.format in WRITTEN else "PNG")
    if image.format == "MPO":  # a JPEG with a second view behind it
        picture.format = "JPEG"
    elif image.format == "TIFF" and image.n_frames > 1:
        picture.notes.append(f"The first of its {image.n_frames} pages was coloured.")
    if raw := _raw_mode(image):
        pixels, image = _decode_16_bits(image, raw)
    else:
        pixels = _pixels(image, picture.notes)
    carried = _metadata(image)  # asked now, since some of it may lie behind the pixels
    if image.mode in _OTHER_SPACES:
        carried.pop("icc_profile", None)  # it was used up
    pixels = upright(pixels, _orientation(image))  # and Pillow turns some TIFFs while it decodes them
    H, W = pixels.shape[:2]
    if not H * W:
        raise ValueError("there is no pixel in it")
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        picture.alpha, pixels = np.ascontiguousarray(pixels[..., -1]), pixels[..., :-1]
    picture.pixels = np.ascontiguousarray(merge_equal(pixels))
    picture.carried = carried
    if "exif" in carried:
        carried["exif"] = _upright_exif(carried["exif"], W, H)
    if "icc_profile" in carried:
        _keep_profile(picture)
    return picture


def _keep_profile(picture: Picture) -> None:
    profile = read_profile(picture.carried["icc_profile"])
    if profile is None:
        picture.carried.pop("icc_profile")
        picture.notes.append("Its colour profile is of an unknown kind and was taken for sRGB.")
    elif profile.is_grey:
        picture.carried.pop("icc_profile")
        picture.notes.append("Its profile for grey was applied; the coloured picture is sRGB.")
        picture.profile = profile if picture.is_grey else None
    elif not profile.is_srgb:
        picture.profile = profile


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(Exception):  # a broken EXIF block does not spoil the picture
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def picture_from(image: Image.Image | np.ndarray | Path | str) -> Picture:
    if isinstance(image, Path | str):
        return read_picture(image)
    if isinstance(image, Image.Image):
        return picture_of(image)
    if not isinstance(image, np.ndarray):
        raise TypeError(f"a photograph is a path, a Pillow image or a numpy array, not {type(image).__name__}.")
    return _picture_of_array(image)


def _picture_of_array(array: np.ndarray) -> Picture:
    if array.ndim not in (2, 3) or array.ndim == 3 and array.shape[2] not in (3, 4) or 0 in array.shape:
        raise ValueError(f"a photograph must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}.")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("the photograph holds NaN or infinity.")
        if array.min() < 0 or array.max() > 1:
            raise ValueError(
                f"a floating-point photograph must lie in [0, 1], not in [{array.min():g}, {array.max():g}]; "
                "divide it by its white."
            )
        array = array.astype(np.float32)
    elif array.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"a photograph must be uint8, uint16 or floating-point, not {array.dtype}.")
    if array.ndim == 2:
        return Picture(array)
    return Picture(merge_equal(array[..., :3]), array[..., 3] if array.shape[2] == 4 else None)


_LAYOUT_TAGS |= {*range(321, 326), 330, 338, 339, 340, 341, 347, *range(512, 522), 529, 530, 531, 532, 700, 34675}
