"""The decoder of pictures: upright, 8 or 16 bits, sRGB, whatever the file holds."""

import contextlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError


def square_photograph(file: BinaryIO | Path, size: int) -> tuple[np.ndarray, int, int]:
    """Decode a picture file to the centre square of itself, upright, in sRGB.

    Args:
        file: any format that Pillow reads.
        size: side of the result in pixels.

    Returns:
        (size, size, 3) uint8, and the width and height in pixels of the whole upright picture before.

    Raises:
        ValueError: too small, or of a kind whose range of values is unknown.
        PIL.Image.DecompressionBombError: more than 179 million pixels.
        Exception: whatever Pillow raises for a damaged file.
    """
    with Image.open(file) as image:
        width, height = image.size
        if min(width, height) < MINIMUM_SIDE:
            raise ValueError(f"{width}×{height} pixels is too small for a photograph")
        orientation = _orientation(image)
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "CMYK") else None
        image.draft(image.mode, (2 * size, 2 * size))  # lets JPEG decode at 1/2, 1/4 or 1/8 where that is plenty
        image = _resampleable(image)
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        square = image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    if orientation in _TURNS:
        square = square.transpose(_TURNS[orientation])
    if orientation in _SIDEWAYS:
        width, height = height, width
    return np.array(to_srgb(square, profile)), width, height


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to set a picture upright, by EXIF orientation."""
_SIDEWAYS = {5, 6, 7, 8}


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(Exception):  # a broken EXIF block does not spoil the picture
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def wide_grey(image: Image.Image) -> np.ndarray | None:
    """Return a grey picture of more than 8 bits as (H, W) uint16; None for one of 8.

    Raises:
        ValueError: the range of its numbers is unknown.
    """
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is unknown")
    if not image.mode.startswith("I"):
        return None
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels, whose range is unknown")
    return values.astype(np.uint16)


def _resampleable(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be resampled: L, RGB, RGBA or CMYK, 8 bits a channel."""
    if (values := wide_grey(image)) is not None:
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    transform = _profile_transform(profile, image.mode) if profile else None
    return ImageCms.applyTransform(image, transform) if transform else image.convert("RGB")


@lru_cache(maxsize=32)
def _profile_transform(profile: bytes, mode: str) -> Any:
    """Return the transform from an embedded profile to sRGB, or None where the profile is unusable."""
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), mode, "RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def reason_of(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a picture that Pillow can read"
    return " ".join(f"{error}".split()) or type(error).__name__


MINIMUM_SIDE = 16
_OTHER_SPACES = ("CMYK", "LAB", "YCbCr", "HSV")


def merge_equal(pixels: np.ndarray) -> np.ndarray:
    """Return one channel (H, W) where all of (H, W, C) are equal, else the pixels as they are."""
    if pixels.ndim == 2:
        return pixels
    step = max(1, (1 << 20) // pixels.shape[1])
    strips = (pixels[top : top + step] for top in range(0, len(pixels), step))
    return pixels[..., 0] if all((strip == strip[..., :1]).all() for strip in strips) else pixels


def _pixels(image: Image.Image, notes: list[str]) -> np.ndarray:
    """Decode to (H, W), or (H, W, 2, 3 or 4) with transparency last; uint8, or uint16 for grey of 16 bits."""
    image.load()
    if (values := wide_grey(image)) is not None:
        return values
    if image.mode in _OTHER_SPACES:
        notes.append(f"Its {image.mode} pixels became sRGB.")
        return np.asarray(to_srgb(image, image.info.get("icc_profile") if image.mode == "CMYK" else None))
    if image.has_transparency_data:
        return np.asarray(image.convert("LA" if image.mode in ("L", "LA", "1") else "RGBA"))
    return np.asarray(image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB"))


def _raw_mode(image: Image.Image) -> str:
    """Return "RGB;16", "RGBA;16" or "LA;16" where Pillow would drop half of what is still to be decoded, else ""."""
    args = [tile.args for tile in getattr(image, "tile", ()) if tile.args]
    modes = {arg if isinstance(arg, str) else arg[0] for arg in args}
    mode = modes.pop() if len(modes) == 1 else None
    found = isinstance(mode, str) and mode[:-1] in ("RGB;16", "RGBA;16", "LA;16")
    return mode if found else ""


def _decode_16_bits(image: Image.Image, raw: str) -> tuple[np.ndarray, Image.Image]:
    """Let Pillow decode every first byte, then every second one: its two byte orders name one half each.

    Returns:
        (H, W, channels) uint16, and the image as it is after decoding.
    """
    file, start = image.fp, image.fp.tell()

    def decode(mode: str) -> tuple[np.ndarray, Image.Image]:
        file.seek(0)
        half = Image.open(file, formats=(image.format,))
        half.tile = [t._replace(args=mode if isinstance(t.args, str) else (mode, *t.args[1:])) for t in half.tile]
        half.load()
        return np.asarray(half).astype(np.uint16), half

    if raw == "LA;16B":  # grey and transparency of 16 bits lie like four channels of 8
        bytes_of_both, half = decode("RGBA")
        pixels = bytes_of_both[..., ::2] << 8 | bytes_of_both[..., 1::2]
    else:
        little = raw.endswith("L") or (raw.endswith("N") and np.little_endian)
        high, _ = decode(raw[:-1] + ("L" if little else "B"))
        low, half = decode(raw[:-1] + ("B" if little else "L"))
        pixels = high << 8 | low
    file.seek(start)
    return pixels, half


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W) or (H, W, C) the way that an EXIF orientation from 1 to 8 says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
