"""Pixels out of the bytes of a picture file, all of them with all their bits, or one sentence that names what is odd.

libvips decodes; what its packages cannot, Pillow (bitmaps, PNM, TGA, JPEG 2000) and libheif (HEIC) do. What each
decoder is known to pass over in silence is looked for in the file before it is asked:

* libvips counts a TIFF's pages before it reads the first (200,000 of them take minutes): it is shown the first alone.
* It takes any fourth channel for transparency, the infrared of a scanner as well.
* It passes over the gamma of a PNG and the curve of an HDR AVIF, and takes a broken colour profile for sRGB.
* It gives black pixels for a compression that it was built without, unless it is told to fail on errors.
* It takes YCbCr without JPEG for RGB, and has bytes of CIELAB wrong.
* It remembers files by name, and errors: its cache is off, and older errors are cleared away.
"""

import io
import logging
import re
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyvips
from PIL import Image, ImageCms

from colorlib.pictures import tags
from colorlib.pictures.containers import jpeg_segments, png_chunks

pyvips.cache_set_max(0)
logging.getLogger("pyvips").setLevel(logging.ERROR)  # what matters of its warnings is looked for here
_LOADERS = {"JPEG": "Jpeg", "PNG": "Png", "TIFF": "Tiff", "WEBP": "Webp", "GIF": "Nsgif", "AVIF": "Heif"}
pyvips.operation_block_set("VipsForeignLoad", True)  # no other decoder of libvips is ever asked
for _name in _LOADERS.values():
    pyvips.operation_block_set(f"VipsForeignLoad{_name}", False)

_PILLOW = ("BMP", "PPM", "TGA", "JPEG2000")
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
        return _decode_tiff(data, icc, max_pixels)
    if kind in _PILLOW:
        return _decode_with_pillow(kind, data, max_pixels)
    _check_header(kind, data)
    if kind == "HEIC":
        return _decode_heic(data, icc, max_pixels)
    image = _opened(kind, data)
    _check_size(image.width, image.height, max_pixels)
    size = image.height, image.width
    if kind == "JPEG" and smallest:
        shrink = next((n for n in (8, 4, 2) if min(image.width, image.height) // n >= smallest), 1)
        image = _opened(kind, data, shrink=shrink)
    icc = icc or _field(image, "icc-profile-data", b"")
    pixels = _pixels(image)
    if image.interpretation == "cmyk":
        found = _from_cmyk(pixels, None, icc)
    else:
        pixels = _full_range(pixels, _field(image, "bits-per-sample", 16)) if kind == "AVIF" else pixels
        found = Decoded(*_split(pixels), icc=icc)
    found.size, found.turned, found.frames = size, kind == "AVIF", _frames(kind, data, image)
    if kind == "AVIF":
        found.exif, found.xmp = (bytes(_field(image, f"{what}-data", b"")) for what in ("exif", "xmp"))
    if kind == "GIF":
        found.comment = str(_field(image, "gif-comment", "")).encode()
    if kind == "PNG" and not icc:
        found.gamma, found.primaries = _meaning_of_png(data)
    return found


def _frames(kind: str, data: Any, image: pyvips.Image) -> int:
    if kind == "PNG":  # of which libvips sees the first alone
        counts = [body[:4] for name, body in png_chunks(data) if name == b"acTL"]
        return int.from_bytes(counts[0], "big") if counts else 1
    still = kind == "AVIF" and bytes(data[8:12]) != b"avis"  # which may hold several photographs
    return 1 if still else _field(image, "n-pages", 1)


def _opened(kind: str, data: Any, **options: Any) -> pyvips.Image:
    load = {"GIF": "gif", "AVIF": "heif"}.get(kind, kind.lower())
    source = pyvips.Source.new_from_memory(data)
    return getattr(pyvips.Image, f"{load}load_source")(source, access="sequential", fail_on="error", **options)


def _field(image: pyvips.Image, name: str, default: Any) -> Any:
    return image.get(name) if name in image.get_fields() else default


def _pixels(image: pyvips.Image) -> np.ndarray:
    """Return (H, W) or (H, W, C) as libvips has it, uint8 or uint16."""
    if image.format not in ("uchar", "ushort"):
        raise ValueError(f"pixels of the type {image.format}, which are not read")
    return image.numpy()


def _split(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Part transparency, the last of 2 or 4 channels, from the rest."""
    if pixels.ndim == 2 or pixels.shape[2] in (1, 3):
        return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels, None
    color = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    return np.ascontiguousarray(color), np.ascontiguousarray(pixels[..., -1])


def _check_size(W: int, H: int, max_pixels: int) -> None:
    if W * H > max_pixels:
        raise ValueError(
            f"{W:,}×{H:,} = {W * H / 1e6:,.0f} megapixels, more than the {max_pixels / 1e6:,.0f} megapixels allowed "
            "(perhaps a decompression bomb: a small file, any size)"
        )


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
            if name == b"cICP" and len(body) == 4 and body[1] in (8, 16, 18):
                raise ValueError(f"a PNG whose brightness is {_curve_of(body[1])}, which is not read")
    if kind in ("AVIF", "HEIC"):
        if found := re.search(rb"(?s)colrnclx..(..)", bytes(data[: 1 << 16])):
            transfer = int.from_bytes(found[1], "big")
            if transfer in (8, 16, 18):
                raise ValueError(f"a picture whose brightness is {_curve_of(transfer)}, which is not read")


def _curve_of(transfer: int) -> str:
    return {8: "linear", 16: "HDR (PQ)", 18: "HDR (HLG)"}[transfer]


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


def _decode_tiff(data: Any, icc: bytes, max_pixels: int) -> Decoded:
    structure = tags.open_structure(data)
    entries, following = tags.read_directory(structure, structure.first, {273, 279, 324, 325})

    def number(tag: int, default: int) -> int:
        return tags.number(entries, structure.order, tag, default)

    W, H, samples = number(256, 0), number(257, 0), number(277, 1)
    bits, kinds = (tags.integers(entries, structure.order, tag) or (1,) for tag in (258, 339))
    if not W * H:
        raise ValueError("there is no pixel in it")
    _check_size(W, H, max_pixels)
    if 50706 in entries or number(254, 0) & 1 or bytes(data[8:10]) == b"CR":
        raise ValueError("a camera's raw file, or a TIFF that begins with a reduced copy")
    stated = number(262, -1)
    if stated not in _PHOTOMETRIC:
        raise ValueError(f"a TIFF whose pixels are {_OTHER_PHOTOMETRIC.get(stated, f'of the kind {stated}')}")
    space = _PHOTOMETRIC[stated]
    compression = _COMPRESSIONS.get(number(259, 1), f"number {number(259, 1)}")
    what = f"a TIFF of {samples} × {'/'.join(map(str, sorted(set(bits))))} bits, {space}, compression {compression}"
    if set(kinds) != {1}:
        names = "/".join(_FORMATS_OF_SAMPLES.get(sort, f"kind {sort}") for sort in sorted(set(kinds)))
        raise ValueError(f"{names} {max(bits)}-bit pixels, whose range is unknown")
    if len(set(bits)) > 1 or bits[0] not in (1, 2, 4, 8, 16):
        raise ValueError(f"{what}: {bits[0]}-bit pixels are not read")
    extra = samples - _COLOURS[space]
    if extra < 0:
        raise ValueError(f"{what}: too few channels")
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
    try:
        if space == "CIELAB" and bits[0] == 8:
            return _from_bytes_of_lab(data)
        image = _opened("TIFF", data)
        if (image.width, image.height) != (W, H):
            raise ValueError("libvips finds another size")
        found = _of_tiff(image, space, extra, roles, icc)
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


def _from_bytes_of_lab(data: Any) -> Decoded:
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        stored = np.array(image)  # L of 255; a and b with a sign
    lab = np.dstack([stored[..., :1] * (100 / 255), stored[..., 1:].view(np.int8)])
    H, W = lab.shape[:2]
    opened = pyvips.Image.new_from_memory(lab.astype(np.float32).tobytes(), W, H, 3, "float").copy(interpretation="lab")
    pixels = opened.colourspace("srgb").numpy()
    return Decoded(pixels, turned=True, notes=["Its LAB pixels became sRGB."])


def _of_tiff(image: pyvips.Image, space: str, extra: int, roles: tuple[int, ...], icc: bytes) -> Decoded:
    """Make pixels out of an opened TIFF: which of its channels are colours and which is transparency.

    Args:
        extra: how many channels there are beside the colours.
        roles: of each of them: 1 transparency that libvips has divided the colours by, 2 transparency, 0 unknown.
    """
    notes = []
    if space == "CIELAB":
        return Decoded(_pixels(image.colourspace("rgb16")), notes=["Its LAB pixels became sRGB."])
    pixels = _pixels(image)
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
        found = _from_cmyk(np.ascontiguousarray(color), alpha, icc)
        found.notes += notes
        return found
    color = color[..., 0] if colours == 1 else color
    return Decoded(np.ascontiguousarray(color), alpha, icc=icc, notes=notes)


def _from_cmyk(inks: np.ndarray, alpha: np.ndarray | None, icc: bytes) -> Decoded:
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


_CLASSES = ("scnr", "mntr", "prtr", "spac")  # input, display, output, colour space: those that say what pixels mean


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
        return image.icc_transform("srgb", embedded=True, intent="perceptual", depth=16 if wide else 8).numpy()
    except pyvips.Error as error:
        raise ValueError(f"its colour profile cannot be applied: {reason_of(error)}") from None


def _decode_heic(data: Any, icc: bytes, max_pixels: int) -> Decoded:
    import pi_heif  # only here, and it takes its time

    try:
        file = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        image = file[file.primary_index]
        W, H = image.size
        _check_size(W, H, max_pixels)
        image.load()
    except (OSError, RuntimeError, SyntaxError, ValueError) as error:
        raise ValueError(f"a HEIC photograph that cannot be read: {reason_of(error)}") from None
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[image.mode.split(";")[0]]
    wide = ";" in image.mode
    step = image.stride // (2 if wide else 1)
    pixels = np.frombuffer(image.data, np.uint16 if wide else np.uint8).reshape(H, step)[:, : W * channels]
    pixels = _full_range(pixels.reshape(H, W, channels).copy(), image.info.get("bit_depth", 8))
    color, alpha = _split(pixels)
    found = Decoded(color, alpha, True, image.info.get("icc_profile") or b"")
    found.exif, found.xmp = image.info.get("exif") or b"", image.info.get("xmp") or b""
    if image.info.get("depth_images") or image.info.get("aux"):
        found.notes.append("The further pictures in its file, such as a gain map or depths, were left out.")
    return found


def _full_range(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Give white, of 10 or 12 bits that were moved up, all of 16 bits."""
    return pixels | pixels >> bits if pixels.dtype == np.uint16 and bits < 16 else pixels


def _decode_with_pillow(kind: str, data: Any, max_pixels: int) -> Decoded:
    Image.MAX_IMAGE_PIXELS = None  # one limit is enough
    with Image.open(io.BytesIO(data), formats=(kind,)) as file:
        image: Image.Image = file
        _check_size(image.width, image.height, max_pixels)
        image.load()
        dpi = image.info.get("dpi")
        icc = image.info.get("icc_profile") or b""
        notes = []
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
        color, alpha = _split(np.asarray(image))
        return Decoded(color, alpha, icc=icc, dpi=dpi, notes=notes)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W) or (H, W, C) the way that an EXIF orientation from 1 to 8 says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def reason_of(error: Exception) -> str:
    """Return what went wrong with a file in one line, without the file's name."""
    lines = f"{error}".splitlines()
    if isinstance(error, pyvips.Error) and len(lines) > 1:  # the first names a function of libvips
        said = (re.sub(r"^\w+: ", "", line.strip()) for line in lines[1:] if "bad seek" not in line)
        lines = list(dict.fromkeys(filter(None, said)))[:3]
    return " ".join("; ".join(lines).split()) or type(error).__name__
