"""libvips as photographs are decoded with it: what is asked of it, what is looked for elsewhere, and LittleCMS's part.

What it is known to pass over in silence is looked for in the file before it is asked:

* It counts a TIFF's pages before it reads the first (200,000 of them take minutes): it is shown the first alone.
* It takes any fourth channel for transparency, the infrared of a scanner as well.
* It passes over the gamma of a PNG and the curve of an HDR AVIF, and takes a broken colour profile for sRGB.
* It gives black pixels for a compression that it was built without, unless it is told to fail on errors.
* It takes YCbCr without JPEG for RGB, and has bytes of CIELAB wrong.
* It remembers files by name, and errors: its cache is off, and older errors are cleared away.
"""

import io
import logging
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyvips
from PIL import ImageCms

pyvips.cache_set_max(0)
logging.getLogger("pyvips").setLevel(logging.ERROR)  # what matters of its warnings is looked for here
_LOADERS = {"JPEG": "Jpeg", "PNG": "Png", "TIFF": "Tiff", "WEBP": "Webp", "GIF": "Nsgif", "AVIF": "Heif"}
pyvips.operation_block_set("VipsForeignLoad", True)  # no other decoder of libvips is ever asked
for _name in _LOADERS.values():
    pyvips.operation_block_set(f"VipsForeignLoad{_name}", False)
_CLASSES = ("scnr", "mntr", "prtr", "spac")  # input, display, output, colour space: those that say what pixels mean


@dataclass
class Decoded:
    """What came out of a file.

    Attributes:
        pixels: (H, W), or (H, W, 3), uint8 or uint16.
        alpha: (H, W) of the same type, or None.
        turned: whether the decoder set it upright.
        icc: the profile that still holds for these pixels.
        gamma, primaries: of a PNG without a profile, where they are not sRGB's: the exponent that the file was made
            with, and the chromaticities x, y of white, red, green and blue.
        exif, xmp, comment, dpi: what only the decoder knows of these.
        size: (H, W) of the whole, before a reduction.
        frames: of an animation, of which this is the first.
        notes: sentences on what was done to it, or left out.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    turned: bool = False
    icc: bytes = b""
    gamma: float | None = None
    primaries: tuple[float, ...] | None = None
    exif: bytes = b""
    xmp: bytes = b""
    comment: bytes = b""
    dpi: tuple[float, float] | None = None
    size: tuple[int, int] = (0, 0)
    frames: int = 1
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.size = self.pixels.shape[:2]


def opened(kind: str, data: Any, **options: Any) -> pyvips.Image:
    """Open a file of one of libvips's formats, whose pixels can be taken once; damage is an error."""
    load = {"GIF": "gif", "AVIF": "heif"}.get(kind, kind.lower())
    source = pyvips.Source.new_from_memory(data)
    return getattr(pyvips.Image, f"{load}load_source")(source, access="sequential", fail_on="error", **options)


def field_of(image: pyvips.Image, name: str, default: Any) -> Any:
    """Return what libvips knows of an image by a name; the default where it does not."""
    return image.get(name) if name in image.get_fields() else default


def pixels_of(image: pyvips.Image) -> np.ndarray:
    """Return (H, W) or (H, W, C) as libvips has it, uint8 or uint16."""
    if image.format not in ("uchar", "ushort"):
        raise ValueError(f"pixels of the type {image.format}, which are not read")
    return array_of(image)


def array_of(image: pyvips.Image) -> np.ndarray:
    """Return (H, W), or (H, W, C) of more than one channel; pyvips gives a single pixel no sides."""
    pixels = image.numpy().reshape(image.height, image.width, image.bands)
    return pixels[..., 0] if image.bands == 1 else pixels


def split(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Part transparency, the last of 2 or 4 channels, from the rest."""
    if pixels.ndim == 2 or pixels.shape[2] in (1, 3):
        return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels, None
    color = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return np.ascontiguousarray(color), np.ascontiguousarray(pixels[..., -1])


def check_size(W: int, H: int, max_pixels: int) -> None:
    """Refuse a picture that is too large.

    Raises:
        ValueError: it has more than ``max_pixels``; the message says how many.
    """
    if W * H > max_pixels:
        raise ValueError(
            f"{W:,}×{H:,} = {W * H / 1e6:,.0f} megapixels, more than the {max_pixels / 1e6:,.0f} megapixels allowed "
            "(perhaps a decompression bomb: a small file, any size)"
        )


def from_cmyk(inks: np.ndarray, alpha: np.ndarray | None, icc: bytes) -> Decoded:
    """Turn inks (H, W, 4), white = 0, into sRGB: by their profile, else as browsers do, each ink taking its share."""
    white = np.iinfo(inks.dtype).max
    if icc and fits(icc, "CMYK"):
        rgb = to_srgb(inks, icc, "cmyk")
    else:
        black = white - inks[..., 3:].astype(np.uint32)
        rgb = (((white - inks[..., :3]) * black + white // 2) // white).astype(inks.dtype)
    return Decoded(rgb, alpha, notes=["Its CMYK pixels became sRGB."])


def fits(icc: bytes, space: str) -> bool:
    """Tell whether LittleCMS takes a profile, and for pixels of "GRAY", "RGB" or "CMYK".

    libvips itself takes a profile that is broken or does not fit for sRGB, and says so in its log alone.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
        readable = profile.is_intent_supported(ImageCms.Intent.PERCEPTUAL, ImageCms.Direction.INPUT)
        return bool(readable and profile.xcolor_space.strip() == space and profile.device_class in _CLASSES)
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return False


def to_srgb(pixels: np.ndarray, icc: bytes, interpretation: str) -> np.ndarray:
    """Let LittleCMS, through libvips, turn (H, W[, C]) of a profile that :func:`fits` into sRGB of as many bits.

    Raises:
        ValueError: it cannot.
    """
    pixels = np.ascontiguousarray(pixels)
    H, W = pixels.shape[:2]
    wide = pixels.dtype == np.uint16
    image = pyvips.Image.new_from_memory(
        pixels.data, W, H, pixels.shape[2] if pixels.ndim == 3 else 1, "ushort" if wide else "uchar"
    ).copy(interpretation=interpretation)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    try:
        return array_of(image.icc_transform("srgb", embedded=True, intent="perceptual", depth=16 if wide else 8))
    except pyvips.Error as error:
        raise ValueError(f"its colour profile cannot be applied: {reason_of(error)}") from None


def reason_of(error: Exception) -> str:
    """Return what went wrong with a file in one line, without the file's name."""
    lines = f"{error}".splitlines()
    if isinstance(error, pyvips.Error) and len(lines) > 1:  # the first names a function of libvips
        said = (re.sub(r"^\w+: ", "", line.strip()) for line in lines[1:] if "bad seek" not in line)
        lines = list(dict.fromkeys(filter(None, said)))[:3]
    return " ".join("; ".join(lines).split()) or type(error).__name__
