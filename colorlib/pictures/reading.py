"""The one way in for photographs: any file, upright, its colours understood, whole or its centre, or one sentence.

Which files are pictures :mod:`colorlib.pictures.formats` says; what is no picture is told by its content and opened by
nothing. Photographs that carry a profile mean by it what :func:`_apply_profile` says, whoever asks.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from colorlib.pictures.decode import OTHER_SPACES, all_pixels, centre_pixels, orientation, upright
from colorlib.pictures.formats import FORMATS, WRITTEN
from colorlib.pictures.metadata import read_metadata
from colorlib.pictures.picture import Picture, eight_bits, merge_equal
from colorlib.pictures.profiles import read_profile, tables_to_srgb

MAX_PIXELS = 178_956_970  # Pillow's own limit for an error
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_OTHER_FILES = {
    rb"%PDF": "a PDF",
    rb"PK\x03\x04": "a zip archive",
    rb"<svg": "an SVG",
    rb"(?s)....ftyp(hei|hev|mif|msf)": "a HEIC photograph",
    rb"(?s)....ftyp(?!avi)": "a film",
}


def read_picture(source: Path | str | BinaryIO, max_pixels: int = MAX_PIXELS, purpose: str = "coloured") -> Picture:
    """Read a picture file with all that it carries.

    Args:
        source: a path, or an open file.
        max_pixels: more are refused before anything is decoded.
        purpose: what it cannot be, in the sentence of a ValueError.

    Raises:
        FileNotFoundError, PermissionError: there is no such file, or it may not be read.
        ValueError: no picture, a damaged one, an animation, or too large; the message is one sentence that names it.
    """
    name = str(source) if isinstance(source, Path | str) else "the file"
    try:
        with _opened(source, max_pixels) as image:
            frames = getattr(image, "n_frames", 1)
            if frames > 1 and image.format in _ANIMATED:
                raise ValueError(f"an animation of {frames} frames; save one of them as a picture of its own")
            return _picture_of_image(image)
    except ValueError as error:
        raise ValueError(f"{name} cannot be {purpose}: {str(error).rstrip('.')}.") from None


def read_centre(source: Path | str | BinaryIO, size: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Read the centre of a picture file, as much of it as has the shape of ``size``, resampled once to that size.

    Transparency is laid on white; the first frame stands for an animation.

    Args:
        source: a path, or an open file.
        size: (h, w) of the result in pixels.

    Returns:
        (h, w, 3) uint8 sRGB, and (H, W) in pixels of the whole upright picture before.

    Raises:
        FileNotFoundError, PermissionError: there is no such file, or it may not be read.
        ValueError: no picture, a damaged one, or one of more than ``MAX_PIXELS``; the message is the reason alone.
    """
    with _opened(source, MAX_PIXELS) as image:
        pixels, whole = centre_pixels(image, size)
        picture = _picture(pixels, image)
    rgb = picture.rgb8()
    if picture.alpha is not None:
        seen = Image.fromarray(np.dstack([rgb, picture.alpha]))
        rgb = np.array(Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB"))
    return rgb, whole


def picture_of(image: Image.Image | np.ndarray | Path | str) -> Picture:
    """Turn what a caller may have, a path, a Pillow image or an array, into a picture.

    Raises:
        TypeError: something else.
        ValueError: an array of another shape or type, with NaN or values out of range; else see :func:`read_picture`.
    """
    if isinstance(image, Path | str):
        return read_picture(image)
    if isinstance(image, Image.Image):
        return _picture_of_image(image)
    if not isinstance(image, np.ndarray):
        raise TypeError(f"a photograph is a path, a Pillow image or a numpy array, not {type(image).__name__}.")
    return _picture_of_array(image)


def reason_of(error: Exception) -> str:
    """Return what went wrong with a file in one line, without the file's name."""
    return " ".join(f"{error}".split()) or type(error).__name__


@contextlib.contextmanager
def _opened(source: Path | str | BinaryIO, max_pixels: int) -> Iterator[Image.Image]:
    """Open a picture file; whatever is wrong with it, then or while it is decoded, is a ValueError with the reason."""
    limit = f"the {max_pixels / 1e6:,.0f} megapixels allowed (perhaps a decompression bomb: a small file, any size)"
    if max_pixels > MAX_PIXELS:
        Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit, one for the whole process, gives way to ours
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(open(source, "rb")) if isinstance(source, Path | str) else source
            file.seek(0)
            head = file.read(4096)
            file.seek(0)
            if not head:
                raise ValueError("an empty file")
            image = stack.enter_context(Image.open(file, formats=tuple(FORMATS)))
            W, H = image.size
            if W * H > max_pixels:
                raise ValueError(f"{W:,}×{H:,} = {W * H / 1e6:,.0f} megapixels, more than {limit}")
            image.info["lossless"] = b"VP8L" in head  # which Pillow does not say of a WebP
            yield image
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except UnidentifiedImageError:
        others = [f"{what}, whatever its name says" for start, what in _OTHER_FILES.items() if re.match(start, head)]
        raise ValueError(*others or ["not a picture that Pillow can read"]) from None
    except Image.DecompressionBombError:
        raise ValueError(f"more than {limit}") from None
    except MemoryError:
        raise ValueError("the memory does not suffice for it") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ValueError(reason_of(error)) from None


def _picture_of_image(image: Image.Image) -> Picture:
    pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    pixels, image = all_pixels(image)
    picture = _picture(pixels, image)
    picture.carried |= read_metadata(image, picture.size)
    if pages > 1:
        picture.notes.insert(0, f"The first of its {pages} pages was coloured.")
    kind = "JPEG" if image.format == "MPO" else image.format  # a JPEG with a second view behind it
    picture.format = kind if kind in WRITTEN else "PNG"
    return picture


def _picture(pixels: np.ndarray, image: Image.Image) -> Picture:
    """Set decoded pixels upright and find out what they mean, from what the decoded image says of itself."""
    pixels = upright(pixels, orientation(image))
    if not pixels.size:
        raise ValueError("there is no pixel in it")
    alpha = None
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        alpha, pixels = np.ascontiguousarray(pixels[..., -1]), pixels[..., :-1]
    picture = Picture(np.ascontiguousarray(merge_equal(pixels)), alpha)
    icc = image.info.get("icc_profile")
    if image.mode in OTHER_SPACES:
        picture.notes.append(f"Its {image.mode} pixels became sRGB.")
    elif isinstance(icc, bytes) and icc:
        _apply_profile(picture, icc)
    return picture


def _apply_profile(picture: Picture, icc: bytes) -> None:
    """Apply a colour profile: curves and a matrix to full precision and kept, grey ones and tables once and for all."""
    profile = read_profile(icc)
    if profile and profile.is_grey and picture.is_grey:
        picture.profile = profile
        picture.notes.append("Its profile for grey was applied; the coloured picture is sRGB.")
    elif profile and not profile.is_grey:
        picture.profile = None if profile.is_srgb else profile
        picture.carried["icc_profile"] = icc
    elif rgb := tables_to_srgb(Image.fromarray(eight_bits(picture.pixels)), icc):
        picture.pixels = np.ascontiguousarray(merge_equal(np.asarray(rgb)))
        picture.alpha = None if picture.alpha is None else eight_bits(picture.alpha)
        picture.notes.append("Its colour profile was applied in 8 bits; the coloured picture is sRGB.")
    else:
        picture.notes.append("Its colour profile is of an unknown kind and was taken for sRGB.")


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
