"""Pixels out of a file that Pillow has opened: all of them with all their bits, or the centre, reduced, in 8 bits.

Pillow reads only 8 bits of 16-bit colour; here it decodes such a picture twice, once for each half.
"""

import contextlib

import numpy as np
from PIL import ExifTags, Image, ImageFile

from colorlib.pictures.picture import eight_bits
from colorlib.pictures.profiles import tables_to_srgb

OTHER_SPACES = ("CMYK", "LAB", "YCbCr", "HSV")  # modes that become sRGB as soon as they are decoded


def all_pixels(image: Image.Image) -> tuple[np.ndarray, Image.Image]:
    """Decode a picture as it lies in the file.

    Returns:
        (H, W), or (H, W, 2, 3 or 4) with transparency last, uint8 or uint16; and the image as it is after decoding.

    Raises:
        ValueError: grey whose range is unknown.
    """
    if isinstance(image, ImageFile.ImageFile) and (mode := _mode_of_16_bits(image)):
        return _decode_16_bits(image, mode)
    image.load()
    wide = _wide_grey(image)
    return (_channels(image) if wide is None else wide), image


def centre_pixels(image: Image.Image, size: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode the largest part of a picture that lies in its middle and, set upright, has the shape of ``size``.

    One resampling with Pillow's Lanczos filter, of that part alone; 16-bit colour keeps its upper 8 bits.

    Returns:
        The part as it lies in the file, uint8 and else as of :func:`all_pixels`, as large as ``size`` (H, W) once it is
        upright; and (H, W) of the whole, upright.
    """
    W, H = image.size
    if not image.draft(image.mode, (2 * max(size), 2 * max(size))):  # JPEG decodes at 1/2, 1/4, 1/8 if that is plenty
        image.load()
        W, H = image.size  # Pillow sets TIFFs upright while it decodes them
    image.load()
    sideways = orientation(image) >= 5
    h, w = size[::-1] if sideways else size
    stored = _resampleable(image)
    width, height = min(stored.width, stored.height * w / h), min(stored.height, stored.width * h / w)
    left, top = (stored.width - width) / 2, (stored.height - height) / 2
    box = (left, top, left + width, top + height)
    centre = stored.resize((w, h), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return _channels(centre), (W, H) if sideways else (H, W)


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, of a decoded image."""
    with contextlib.suppress(Exception):  # a broken EXIF block does not spoil the picture
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W) or (H, W, C) the way that an EXIF orientation from 1 to 8 says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _channels(image: Image.Image) -> np.ndarray:
    """Return a decoded image of 8 bits as (H, W), or (H, W, 2, 3 or 4) with transparency last."""
    if image.mode in OTHER_SPACES:
        icc = image.info.get("icc_profile") if image.mode == "CMYK" else None
        image = (tables_to_srgb(image, icc) if icc else None) or image.convert("RGB")
    elif image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("L", "LA", "1") else "RGBA")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(image)


def _resampleable(image: Image.Image) -> Image.Image:
    """Return a decoded image in a mode that can be resampled: L, RGB, RGBA or CMYK, 8 bits a channel."""
    if (wide := _wide_grey(image)) is not None:
        return Image.fromarray(eight_bits(wide))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _wide_grey(image: Image.Image) -> np.ndarray | None:
    """Return a decoded grey image of more than 8 bits as (H, W) uint16; None for one of 8."""
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is unknown")
    if not image.mode.startswith("I"):
        return None
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels, whose range is unknown")
    return values.astype(np.uint16)


def _mode_of_16_bits(image: ImageFile.ImageFile) -> str | None:
    """Return "RGB;16", "RGBA;16" or "LA;16" with a byte order where Pillow would drop half of what is to be decoded."""
    args = [tile.args for tile in image.tile if tile.args]
    modes = {arg if isinstance(arg, str) else arg[0] for arg in args}
    mode = modes.pop() if len(modes) == 1 else None
    return mode if isinstance(mode, str) and mode[:-1] in ("RGB;16", "RGBA;16", "LA;16") else None


def _decode_16_bits(image: ImageFile.ImageFile, mode: str) -> tuple[np.ndarray, Image.Image]:
    """Let Pillow decode every first byte, then every second one: its two byte orders name one half each."""
    file, kind = image.fp, image.format
    assert file and kind  # it has just been opened
    start = file.tell()

    def decode(mode: str) -> tuple[np.ndarray, Image.Image]:
        file.seek(0)
        half = Image.open(file, formats=(kind,))
        half.tile = [t._replace(args=(mode, *t.args[1:]) if isinstance(t.args, tuple) else mode) for t in half.tile]
        half.load()
        return np.asarray(half).astype(np.uint16), half

    if mode == "LA;16B":  # grey and transparency of 16 bits lie like four channels of 8
        bytes_of_both, half = decode("RGBA")
        pixels = bytes_of_both[..., ::2] << 8 | bytes_of_both[..., 1::2]
    else:
        little = mode.endswith("L") or (mode.endswith("N") and np.little_endian)
        high, _ = decode(mode[:-1] + ("L" if little else "B"))
        low, half = decode(mode[:-1] + ("B" if little else "L"))
        pixels = high << 8 | low
    file.seek(start)
    return pixels, half
