"""The one way in for photographs: any file, upright, its colours understood, whole or its centre, or one sentence.

Which files are pictures :mod:`colorlib.pictures.formats` says; what is no picture is told by its content and opened by
nothing. Photographs that carry a profile mean by it what :func:`_apply_profile` says, whoever asks.
"""

import contextlib
import io
import mmap
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from colorlib.pictures.decode import decode, upright
from colorlib.pictures.formats import WRITTEN, format_of
from colorlib.pictures.metadata import Metadata, read_metadata
from colorlib.pictures.picture import Picture, eight_bits, merge_equal
from colorlib.pictures.profiles import profile_of_chromaticities, read_profile
from colorlib.pictures.vips import Decoded, fits, reason_of, to_srgb

MAX_PIXELS = 178_956_970  # some 13,400 × 13,400

__all__ = ["MAX_PIXELS", "picture_of", "read_centre", "read_picture", "reason_of"]


def read_picture(source: Path | str | BinaryIO, max_pixels: int = MAX_PIXELS, purpose: str = "coloured") -> Picture:
    """Read a picture file with all that it carries.

    Args:
        source: a path, or an open file.
        max_pixels: more are refused before anything is decoded.
        purpose: what it cannot be, in the sentence of a ValueError.

    Raises:
        FileNotFoundError, PermissionError: there is no such file, or it may not be read.
        ValueError: no picture, a damaged one, an animation, too large, or pixels of a kind that is not read; the
            message is one sentence that names it.
    """
    name = str(source) if isinstance(source, Path | str) else "the file"
    try:
        with _opened(source) as (kind, data):
            metadata, found = _decoded(kind, data, max_pixels)
            if found.frames > 1:
                raise ValueError(f"an animation of {found.frames:,} frames; save one of them as a picture of its own")
            orientation = 1 if found.turned else metadata.orientation
            picture = _picture(found, metadata, orientation)
            picture.notes += metadata.set_right(picture.size, orientation >= 5)
    except ValueError as error:
        raise ValueError(f"{name} cannot be {purpose}: {str(error).rstrip('.')}.") from None
    picture.format = kind if kind in WRITTEN else "PNG"
    return picture


def read_centre(source: Path | str | BinaryIO, size: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Read the centre of a picture file, as much of it as has the shape of ``size``, resampled once to that size.

    One resampling with Pillow's Lanczos filter, of that part alone; a JPEG is decoded at 1/2, 1/4 or 1/8
    where that is plenty. Transparency is laid on white; the first frame stands for an animation.

    Args:
        source: a path, or an open file.
        size: (h, w) of the result in pixels.

    Returns:
        (h, w, 3) uint8 sRGB, and (H, W) in pixels of the whole upright picture before.

    Raises:
        FileNotFoundError, PermissionError: there is no such file, or it may not be read.
        ValueError: see :func:`read_picture`, or more than ``MAX_PIXELS``; the message is the reason alone.
    """
    with _opened(source) as (kind, data):
        metadata, found = _decoded(kind, data, MAX_PIXELS, 2 * max(size))
        orientation = 1 if found.turned else metadata.orientation
        h, w = size[::-1] if orientation >= 5 else size
        found.pixels, found.alpha = _resampled_centre(found, (h, w))
        picture = _picture(found, metadata, orientation)
    rgb = picture.rgb8()
    if picture.alpha is not None:
        seen = Image.fromarray(np.dstack([rgb, eight_bits(picture.alpha)]))
        rgb = np.array(Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB"))
    return rgb, found.size[::-1] if orientation >= 5 else found.size


def _resampled_centre(found: Decoded, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return pixels and transparency of the largest part in the middle that has the shape of ``size``, in that size."""
    H, W = found.pixels.shape[:2]
    h, w = size
    width, height = min(W, H * w / h), min(H, W * h / w)
    left, top = (W - width) / 2, (H - height) / 2

    def resampled(pixels: np.ndarray) -> np.ndarray:
        box = (left, top, left + width, top + height)
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(image.resize((w, h), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))

    pixels, alpha = found.pixels, found.alpha
    if pixels.dtype == np.uint16:  # which Pillow resamples one channel at a time
        channels = [*(pixels.transpose(2, 0, 1) if pixels.ndim == 3 else [pixels]), *([] if alpha is None else [alpha])]
        wide = [resampled(channel.astype(np.float32)).round().clip(0, 65535).astype(np.uint16) for channel in channels]
        colors = wide if alpha is None else wide[:-1]
        return np.dstack(colors) if len(colors) > 1 else colors[0], None if alpha is None else wide[-1]
    if alpha is None:
        return resampled(pixels), None
    rgba = resampled(np.dstack([*([pixels] * 3 if pixels.ndim == 2 else [pixels]), alpha]))
    return rgba[..., :3], rgba[..., 3]


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


@contextlib.contextmanager
def _opened(source: Path | str | BinaryIO) -> Iterator[tuple[str, Any]]:
    """Yield a picture file's format and bytes; what is wrong with it, then or later, is a ValueError.

    A file on disk is mapped into memory, for this process alone, and not read before it is decoded.
    """
    try:
        if isinstance(source, Path | str):
            if not stat.S_ISREG(os.stat(source).st_mode) and not os.path.isdir(source):
                raise ValueError("no file but a pipe, a device or the like")
            with open(source, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if size else b""
        else:
            source.seek(0)
            data = source.read()
        yield format_of(bytes(data[:4096])), data
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except MemoryError:
        raise ValueError("the memory does not suffice for it") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ValueError(reason_of(error)) from None


def _decoded(kind: str, data: Any, max_pixels: int, smallest: int | None = None) -> tuple[Metadata, Decoded]:
    notes: list[str] = []
    metadata = read_metadata(kind, data, notes)
    found = decode(kind, data, metadata.icc, max_pixels, smallest)
    if not found.pixels.size:
        raise ValueError("there is no pixel in it")
    if found.exif:
        metadata.take_exif(found.exif.removeprefix(b"Exif\0\0"), notes)
    metadata.xmp, metadata.comment = metadata.xmp or found.xmp, metadata.comment or found.comment
    metadata.dpi = metadata.dpi or found.dpi
    found.notes += notes
    return metadata, found


def _picture(found: Decoded, metadata: Metadata, orientation: int) -> Picture:
    """Set decoded pixels upright and find out what they mean; the metadata keep a profile only if it still holds."""
    alpha = None if found.alpha is None else np.ascontiguousarray(upright(found.alpha, orientation))
    picture = Picture(np.ascontiguousarray(merge_equal(upright(found.pixels, orientation))), alpha, notes=found.notes)
    picture.metadata = metadata
    metadata.icc = b""
    if found.icc:
        _apply_profile(picture, found.icc)
    elif found.gamma or found.primaries:
        picture.profile = profile_of_chromaticities(found.gamma, found.primaries)
        picture.notes.append("The gamma or primaries that it states were applied; the coloured picture is sRGB.")
    return picture


def _apply_profile(picture: Picture, icc: bytes) -> None:
    """Apply a colour profile: curves and a matrix to full precision and kept, grey ones and tables once and for all."""
    profile = read_profile(icc)
    if profile and profile.is_grey and picture.is_grey:
        picture.profile = profile
        picture.notes.append("Its profile for grey was applied; the coloured picture is sRGB.")
    elif profile and not profile.is_grey:
        picture.profile = None if profile.is_srgb else profile
        picture.metadata.icc = icc
    elif (picture.is_grey and fits(icc, "GRAY")) or (not profile and fits(icc, "RGB")):
        grey = picture.is_grey and fits(icc, "GRAY")
        pixels = picture.pixels if grey or not picture.is_grey else np.stack([picture.pixels] * 3, 2)
        wide = picture.pixels.dtype == np.uint16
        kind = ("grey16" if wide else "b-w") if grey else ("rgb16" if wide else "srgb")
        picture.pixels = np.ascontiguousarray(merge_equal(to_srgb(pixels, icc, kind)))
        picture.notes.append("Its colour profile was applied; the coloured picture is sRGB.")
    else:
        picture.notes.append("Its colour profile is of an unknown kind and was taken for sRGB.")


def _picture_of_image(image: Image.Image) -> Picture:
    """Take a Pillow image in memory as the file that it would be written to without loss."""
    if image.mode == "F" or image.mode == "I":
        raise ValueError("the photograph has pixels of 32 bits, whose range is unknown.")
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    exif = image.getexif().tobytes()
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif, icc_profile=image.info.get("icc_profile"), compress_level=0)
    picture = read_picture(file)
    picture.metadata.dpi = image.info.get("dpi")
    return picture


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
