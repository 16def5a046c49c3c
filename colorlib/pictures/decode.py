"""Pixels out of the bytes of a picture file, all of them with all their bits, or one sentence that names what is odd.

libvips decodes (:mod:`colorlib.pictures.vips` says what it must not be trusted with); what its packages cannot, Pillow
(bitmaps, PNM, TGA, JPEG 2000) and libheif (HEIC) do.
"""

import io
import re
import struct
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from colorlib.pictures.containers import jpeg_segments, png_chunks
from colorlib.pictures.tiff import decode_tiff
from colorlib.pictures.vips import Decoded, check_size, field_of, from_cmyk, opened, pixels_of, reason_of, split

_PILLOW = ("BMP", "PPM", "TGA", "JPEG2000")


def decode(kind: str, data: Any, icc: bytes, max_pixels: int, smallest: int | None = None) -> Decoded:
    """Decode a picture file.

    Args:
        kind: a key of :data:`colorlib.pictures.formats.FORMATS`.
        data: the file, bytes or a private map of it, which may be written to.
        icc: the profile in it.
        max_pixels: more are refused before any is decoded.
        smallest: for a JPEG, the smaller side that suffices: it may come reduced by 2, 4 or 8.

    Raises:
        ValueError: it is damaged, too large, an animation, or of a kind that is not read; the reason alone.
    """
    pyvips.vips_lib.vips_error_clear()
    try:
        return _decode(kind, data, icc, max_pixels, smallest)
    except pyvips.Error as error:
        raise ValueError(f"damaged or truncated ({reason_of(error)})") from None


def _decode(kind: str, data: Any, icc: bytes, max_pixels: int, smallest: int | None) -> Decoded:
    if kind == "TIFF":
        return decode_tiff(data, icc, max_pixels)
    if kind in _PILLOW:
        return _decode_with_pillow(kind, data, icc, max_pixels)
    _check_header(kind, data)
    if kind == "HEIC":
        return _decode_heic(data, icc, max_pixels)
    image = opened(kind, data)
    check_size(image.width, image.height, max_pixels)
    size = image.height, image.width
    if kind == "JPEG" and smallest:
        shrink = next((n for n in (8, 4, 2) if min(image.width, image.height) // n >= smallest), 1)
        image = opened(kind, data, shrink=shrink)
    icc = icc or field_of(image, "icc-profile-data", b"")
    pixels = pixels_of(image)
    if image.interpretation == "cmyk":
        found = from_cmyk(pixels, None, icc)
    else:
        pixels = _full_range(pixels, field_of(image, "bits-per-sample", 16)) if kind == "AVIF" else pixels
        found = Decoded(*split(pixels), icc=icc)
    found.size, found.turned, found.frames = size, kind == "AVIF", _frames(kind, data, image)
    if kind == "AVIF":
        found.exif, found.xmp = (bytes(field_of(image, f"{what}-data", b"")) for what in ("exif", "xmp"))
    if kind == "GIF":
        found.comment = str(field_of(image, "gif-comment", "")).encode()
    if kind == "PNG" and not icc:
        found.gamma, found.primaries = _meaning_of_png(data)
    return found


def _frames(kind: str, data: Any, image: pyvips.Image) -> int:
    if kind == "PNG":  # of which libvips sees the first alone
        counts = [body[:4] for name, body in png_chunks(data) if name == b"acTL"]
        return int.from_bytes(counts[0], "big") if counts else 1
    still = kind == "AVIF" and bytes(data[8:12]) != b"avis"  # which may hold several photographs
    return 1 if still else field_of(image, "n-pages", 1)


def _check_header(kind: str, data: Any) -> None:
    """Refuse what a decoder would read otherwise than it is meant.

    Raises:
        ValueError: more than 8 bits in a JPEG; a curve for HDR.
    """
    if kind == "JPEG":
        for marker, body in jpeg_segments(data):
            if 0xC0 <= marker[0] <= 0xCF and marker[0] not in (0xC4, 0xC8, 0xCC) and body and body[0] != 8:
                raise ValueError(f"a JPEG of {body[0]} bits, which is not read")
    if kind == "PNG":
        for name, body in png_chunks(data):
            if name == b"cICP" and len(body) == 4 and (body[1] in (5, 8, 16, 18) or not body[3]):
                curve = _curve_of(body[1]) if body[1] in (5, 8, 16, 18) else "that of video, from 16 to 235"
                raise ValueError(f"a PNG whose brightness is {curve}, which is not read")
    if kind in ("AVIF", "HEIC"):
        if found := re.search(rb"(?s)colrnclx..(..)", bytes(data[: 1 << 16])):
            transfer = int.from_bytes(found[1], "big")
            if transfer in (8, 16, 18):
                raise ValueError(f"a picture whose brightness is {_curve_of(transfer)}, which is not read")


def _curve_of(transfer: int) -> str:
    return {5: "of gamma 2.8", 8: "linear", 16: "HDR (PQ)", 18: "HDR (HLG)"}[transfer]


def _meaning_of_png(data: Any) -> tuple[float | None, tuple[float, ...] | None]:
    """Return gamma and chromaticities of a PNG without a profile; None for each that it lacks or that is sRGB's."""
    gamma = primaries = None
    for name, body in png_chunks(data):
        if name in (b"sRGB", b"cICP", b"iCCP"):
            return None, None
        if name == b"gAMA" and len(body) == 4:
            gamma = struct.unpack(">I", body)[0] / 1e5
        if name == b"cHRM" and len(body) == 32:
            primaries = tuple(number / 1e5 for number in struct.unpack(">8I", body))
    usual = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
    if primaries and (max(abs(a - b) for a, b in zip(primaries, usual, strict=True)) < 0.002 or 0 in primaries[1::2]):
        primaries = None
    if gamma is not None and (abs(gamma - 0.45455) < 0.02 or not 0.1 <= gamma <= 5):
        gamma = None
    return gamma, primaries


def _decode_heic(data: Any, icc: bytes, max_pixels: int) -> Decoded:
    import pi_heif  # only here, and it takes its time

    try:
        file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        image = file[file.primary_index]
        W, H = image.size
        check_size(W, H, max_pixels)
        image.load()
    except (OSError, RuntimeError, SyntaxError, ValueError) as error:
        raise ValueError(f"a HEIC photograph that cannot be read: {reason_of(error)}") from None
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[image.mode.split(";")[0]]
    wide = ";" in image.mode
    step = image.stride // (2 if wide else 1)
    pixels = np.frombuffer(image.data, np.uint16 if wide else np.uint8).reshape(H, step)[:, : W * channels]
    pixels = _full_range(pixels.reshape(H, W, channels).copy(), image.info.get("bit_depth", 8))
    color, alpha = split(pixels)
    found = Decoded(color, alpha, True, image.info.get("icc_profile") or b"")
    found.exif, found.xmp = image.info.get("exif") or b"", image.info.get("xmp") or b""
    if image.info.get("depth_images") or image.info.get("aux"):
        found.notes.append("The further pictures in its file, such as a gain map or depths, were left out.")
    return found


def _full_range(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Give white, of 10 or 12 bits that were moved up, all of 16 bits."""
    return pixels | pixels >> bits if pixels.dtype == np.uint16 and bits < 16 else pixels


def _decode_with_pillow(kind: str, data: Any, icc: bytes, max_pixels: int) -> Decoded:
    Image.MAX_IMAGE_PIXELS = None  # one limit is enough
    with Image.open(io.BytesIO(data), formats=(kind,)) as file:
        image: Image.Image = file
        check_size(image.width, image.height, max_pixels)
        image.load()
        dpi = image.info.get("dpi")
        icc = icc or image.info.get("icc_profile") or b""
        bits = _bits(kind, data)
        notes = [f"Of its {bits} bits a channel 8 were read."] if bits > 8 and not image.mode.startswith("I") else []
        if image.mode == "F":
            raise ValueError("floating-point pixels, whose range is unknown")
        if image.mode.startswith("I"):
            values = np.asarray(image)
            if values.min() < 0 or values.max() > 65535:
                raise ValueError("32-bit pixels, whose range is unknown")
            return Decoded(values.astype(np.uint16), icc=icc, dpi=dpi)
        if image.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
            notes.append(f"Its {image.mode} pixels became sRGB.")
            image, icc = image.convert("RGB"), b""
        elif image.has_transparency_data:
            image = image.convert("LA" if image.mode in ("L", "LA", "1") else "RGBA")
        elif image.mode not in ("L", "RGB"):
            image = image.convert("L" if image.mode == "1" else "RGB")
        color, alpha = split(np.asarray(image))
        return Decoded(color, alpha, icc=icc, dpi=dpi, notes=notes)


def _bits(kind: str, data: Any) -> int:
    """Return the bits of a channel in a JPEG 2000 or PNM; 8 where they are not found."""
    if kind == "JPEG2000" and (size := re.search(rb"(?s)\xff\x4f\xff\x51.{38}(.)", data)):
        return (size[1][0] & 127) + 1
    header = rb"P[2356](?:\s+|#[^\n]*\n)+(?:\d+(?:\s+|#[^\n]*\n)+){2}(\d+)"
    if kind == "PPM" and (found := re.match(header, data[:4096])):
        return int(found[1]).bit_length()
    return 8


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W) or (H, W, C) the way that an EXIF orientation from 1 to 8 says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
