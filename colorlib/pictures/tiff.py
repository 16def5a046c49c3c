"""TIFF files: which layouts are read, and what each of their channels is.

Whatever is not known to come out right is refused in a sentence that names it.

Reference:
    TIFF Revision 6.0, 1992.
"""

import io
import struct
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from colorlib.pictures import tags
from colorlib.pictures.vips import Decoded, array_of, check_size, from_cmyk, opened, pixels_of, reason_of

_PHOTOMETRIC = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "CIELAB"}
_COLOURS = {"grey": 1, "RGB": 3, "palette": 1, "CMYK": 4, "YCbCr": 3, "CIELAB": 3}
_OTHER_PHOTOMETRIC = {
    4: "a mask",
    9: "ICCLAB",
    10: "ITULAB",
    32803: "a sensor's mosaic",
    32844: "LogL",
    32845: "LogLuv",
}
_COMPRESSIONS = {
    1: "none",
    2: "CCITT RLE",
    3: "CCITT G3",
    4: "CCITT G4",
    5: "LZW",
    6: "old JPEG",
    7: "JPEG",
    8: "deflate",
}
_COMPRESSIONS |= {32773: "PackBits", 32946: "deflate", 34661: "JBIG", 34676: "SGI LogLuv", 34712: "JPEG 2000"}
_COMPRESSIONS |= {34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 34887: "LERC"}
_FORMATS_OF_SAMPLES = {2: "signed", 3: "floating-point", 4: "undefined", 5: "complex", 6: "complex floating-point"}


def decode_tiff(data: Any, icc: bytes, max_pixels: int) -> Decoded:
    """Decode the first picture of a TIFF file; see :func:`colorlib.pictures.decode.decode`."""
    structure = tags.open_structure(data)
    entries, following = tags.read_directory(structure, structure.first, {273, 279, 324, 325})

    def number(tag: int, default: int) -> int:
        return tags.number(entries, structure.order, tag, default)

    W, H, samples = number(256, 0), number(257, 0), number(277, 1)
    bits, kinds = (tags.integers(entries, structure.order, tag) or (1,) for tag in (258, 339))
    if not W * H:
        raise ValueError("there is no pixel in it")
    check_size(W, H, max_pixels)
    if 50706 in entries or number(254, 0) & 1 or bytes(data[8:10]) == b"CR":
        raise ValueError("a camera's raw file, or a TIFF that begins with a reduced copy")
    stated = number(262, -1)
    if stated not in _PHOTOMETRIC:
        raise ValueError(f"a TIFF whose pixels are {_OTHER_PHOTOMETRIC.get(stated, f'of the kind {stated}')}")
    space = _PHOTOMETRIC[stated]
    compression = _COMPRESSIONS.get(number(259, 1), f"number {number(259, 1)}")
    what = f"a TIFF of {samples} × {'/'.join(map(str, sorted(set(bits))))} bits, {space}, compression {compression}"
    wide = space == "grey" and stated == 1 and samples == 1 and set(bits) == {32} and set(kinds) <= {1, 2}
    if set(kinds) != {1} and not wide:
        names = "/".join(_FORMATS_OF_SAMPLES.get(sort, f"kind {sort}") for sort in sorted(set(kinds)))
        raise ValueError(f"{names} {max(bits)}-bit pixels, whose range is unknown")
    if len(set(bits)) > 1 or bits[0] not in (1, 2, 4, 8, 16) and not wide:
        raise ValueError(f"{what}: {bits[0]}-bit pixels are not read")
    extra = samples - _COLOURS[space]
    if extra < 0:
        raise ValueError(f"{what}: too few channels")
    if samples > 1 and bits[0] < 8:
        raise ValueError(f"{what}: several channels of less than 8 bits, which are not read")
    dots = tags.integers(entries, structure.order, 336)
    if space == "CMYK" and (number(332, 1) != 1 or number(334, 4) != 4 or dots[1:2] and dots[0] > dots[1]):
        raise ValueError(f"{what}: inks of another kind than CMYK, or turned round, which are not read")
    if space == "YCbCr" and number(259, 1) != 7 or number(259, 1) == 6:
        raise ValueError(f"{what}, which is not read")
    narrow = number(259, 1) in (1, 5, 8, 32773, 32946)
    if space == "CIELAB" and (extra or not (bits[0] == 16 or bits[0] == 8 and narrow)):
        raise ValueError(f"{what}, which is not read")
    unsaid = 2 if extra == 1 and 338 not in entries else 0  # programs that do not say so mean transparency
    roles = (tags.integers(entries, structure.order, 338) + (unsaid,) * extra)[:extra]
    if 1 in roles and (stated == 0 or space == "CMYK"):
        raise ValueError(f"{what}: multiplied by transparency, which is not read")
    pages = _count_pages(structure, following)
    if following:
        data = _only_first_page(data, structure)
    if not structure.big:
        data = _without_wide_tags(data, structure)
    try:
        if space == "CIELAB" and bits[0] == 8:
            return _from_bytes_of_lab(data)
        image = opened("TIFF", data)
        if (image.width, image.height) != (W, H):
            raise ValueError("libvips finds another size")
        found = _of_wide(image, icc) if wide else _of_tiff(image, space, extra, roles, icc)
    except (pyvips.Error, ValueError) as error:
        raise ValueError(f"{what}, damaged or of a kind that is not read: {reason_of(error)}") from None
    if pages > 1:
        found.notes.insert(0, f"The first of its {'more than 1,000' if pages > 1000 else pages} pages was coloured.")
    return found


def _count_pages(structure: tags.Structure, following: int) -> int:
    """Count pages up to 1001, without a look at what is on them."""
    data, order, big, _ = structure
    pages = 1
    while following and pages <= 1000:
        try:
            count = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, following)[0]
            at = following + (8 + 20 * count if big else 2 + 12 * count)
            following = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, at)[0]
        except struct.error:
            break
        pages += 1
    return pages


def _only_first_page(data: Any, structure: tags.Structure) -> Any:
    """Write into the file in memory that no page follows the first."""
    _, order, big, first = structure
    count = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, first)[0]
    at, width = (first + 8 + 20 * count, 8) if big else (first + 2 + 12 * count, 4)
    data = bytearray(data) if isinstance(data, bytes) else data
    data[at : at + width] = b"\0" * width
    return data


def _without_wide_tags(data: Any, structure: tags.Structure) -> Any:
    """Write into the file in memory that tags of 64 bits, which libtiff wants in BigTIFF alone, are of one byte."""
    _, order, _, first = structure
    (count,) = struct.unpack_from(f"{order}H", data, first)
    for at in range(first + 2, first + 2 + 12 * count, 12):
        if struct.unpack_from(f"{order}H", data, at + 2)[0] in (16, 17, 18):
            data = bytearray(data) if isinstance(data, bytes) else data
            data[at + 2 : at + 8] = struct.pack(f"{order}HI", tags.UNDEFINED, 1)
    return data


def _from_bytes_of_lab(data: Any) -> Decoded:
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        stored = np.array(image)  # L of 255; a and b with a sign
    lab = np.dstack([stored[..., :1] * (100 / 255), stored[..., 1:].view(np.int8)])
    H, W = lab.shape[:2]
    opened = pyvips.Image.new_from_memory(lab.astype(np.float32).tobytes(), W, H, 3, "float").copy(interpretation="lab")
    pixels = array_of(opened.colourspace("srgb"))
    return Decoded(pixels, turned=True, notes=["Its LAB pixels became sRGB."])


def _of_wide(image: pyvips.Image, icc: bytes) -> Decoded:
    """Take grey of 32 bits that holds numbers of 16, as some programs write it."""
    values = array_of(image)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels, whose range is unknown")
    return Decoded(values.astype(np.uint16), icc=icc)


def _of_tiff(image: pyvips.Image, space: str, extra: int, roles: tuple[int, ...], icc: bytes) -> Decoded:
    """Make pixels out of an opened TIFF: which of its channels are colours and which is transparency.

    Args:
        extra: how many channels there are beside the colours.
        roles: of each of them: 1 transparency that libvips has divided the colours by, 2 transparency, 0 unknown.
    """
    notes = []
    if space == "CIELAB":
        return Decoded(pixels_of(image.colourspace("rgb16")), notes=["Its LAB pixels became sRGB."])
    pixels = pixels_of(image)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    colours = pixels.shape[2] - extra
    alpha = None
    for place, role in enumerate(roles):
        if role in (1, 2) and alpha is None:
            alpha = np.ascontiguousarray(pixels[..., colours + place])
    left_out = extra - (alpha is not None)
    if left_out:
        notes.append(f"{left_out} channel{'s' * (left_out > 1)} beside its colours (no transparency) had no place.")
    color = pixels[..., :colours]
    if space == "CMYK":
        found = from_cmyk(np.ascontiguousarray(color), alpha, icc)
        found.notes += notes
        return found
    color = color[..., 0] if colours == 1 else color
    return Decoded(np.ascontiguousarray(color), alpha, icc=icc, notes=notes)
