"""Picture files with all that they carry: 8 and 16 bits, transparency, colour profile, EXIF, captions.

A photograph is read upright (its EXIF orientation is carried out, then said to be 1), and written again with the same
metadata and in the same format, or as PNG where the format cannot hold it. Pillow reads only 8 bits of 16-bit colour;
here it decodes such a picture twice, once for each half.
"""

import contextlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
import torch
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from colorlib.color import rgb_to_lab
from colorlib.data.photos import reason_of, to_srgb, wide_grey
from colorlib.files import atomic_path
from colorlib.profiles import Profile, read_profile

MAX_PIXELS = 178_956_970  # Pillow's own limit for an error
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF", "TGA")  # to be opened
WRITTEN = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp"}
ENDINGS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp"}  # that fit what is written
_OTHER_SPACES = ("CMYK", "LAB", "YCbCr", "HSV")
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_OTHER_FILES = {b"%PDF": "a PDF", b"PK\x03\x04": "a zip archive", b"\x00\x00\x00\x1cftyp": "a film", b"<svg": "an SVG"}
_LAYOUT_TAGS = {254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 277, 278, 279, 280, 281, 284, 317, 318, 319, 320}
_LAYOUT_TAGS |= {*range(321, 326), 330, 338, 339, 340, 341, 347, *range(512, 522), 529, 530, 531, 532, 700, 34675}
_TIFF_COMPRESSIONS = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate")


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


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(Exception):  # a broken EXIF block does not spoil the picture
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


# --------------------------------------------------------------------------------------------------------- metadata


def _metadata(image: Image.Image) -> dict[str, Any]:
    carried: dict[str, Any] = {}
    info = image.info
    with contextlib.suppress(Exception):
        if exif := image.getexif().tobytes():
            carried["exif"] = exif
    for name in ("icc_profile", "comment"):
        if isinstance(info.get(name), bytes) and info[name]:
            carried[name] = info[name]
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if xmp:
        xmp = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
        carried["xmp"] = re.sub(rb'(tiff:Orientation(?:>|="))[2-8]', rb"\g<1>1", xmp)
    dpi = info.get("dpi")
    if dpi and all(0 < float(number) < 1e5 for number in dpi):
        carried["dpi"] = tuple(float(number) for number in dpi)
    if captions := [body for marker, body in getattr(image, "applist", ()) if marker == "APP13"]:
        carried["extra"] = b"".join(b"\xff\xed" + struct.pack(">H", len(body) + 2) + body for body in captions)
    if image.format == "PNG":
        carried["text"] = {k: v for k, v in info.items() if isinstance(v, str) and k != "XML:com.adobe.xmp"}
    if image.format == "TIFF":
        carried["compression"] = info.get("compression")
    return carried


def _upright_exif(data: bytes, width: int, height: int) -> bytes:
    exif = Image.Exif()
    try:
        exif.load(data)
        for tag in _LAYOUT_TAGS & set(exif):
            del exif[tag]
        if ExifTags.Base.Orientation in exif:
            exif[ExifTags.Base.Orientation] = 1
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        for tag, side in ((ExifTags.Base.ExifImageWidth, width), (ExifTags.Base.ExifImageHeight, height)):
            if tag in inner:
                inner[tag] = side
        return exif.tobytes()
    except Exception:  # a broken EXIF block does not spoil the picture
        return b""


# ---------------------------------------------------------------------------------------------------------- writing


def write_picture(path: Path | str, strips: Iterable[np.ndarray], like: Picture) -> None:
    """Write a coloured picture, whole or not at all, with what the photograph carried.

    Args:
        path: its ending is not looked at.
        strips: (h, W, 3), from top to bottom, of the kind of ``like.pixels`` (uint8 or uint16).
        like: the photograph; its format decides, but 16 bits are written as TIFF or PNG only.

    Raises:
        OSError: the disk is full, or may not be written to.
    """
    with atomic_path(path) as temporary:
        if like.pixels.dtype == np.uint16:
            save = _write_tiff16 if like.format == "TIFF" else _write_png16
            save(temporary, _with_alpha(strips, like), like)
        else:
            image = assemble(strips, like)
            with open(temporary, "wb") as file:
                image.save(file, like.format, **_save_options(like))


def assemble(strips: Iterable[np.ndarray], like: Picture) -> Image.Image:
    """Put strips of 8 or 16 bits together to a Pillow image of 8 bits, RGB or RGBA."""
    H, W = like.size
    image = Image.new("RGB" if like.alpha is None else "RGBA", (W, H))
    top = 0
    for strip in _with_alpha(strips, like):
        if strip.dtype == np.uint16:
            strip = ((strip.astype(np.uint32) + 128) // 257).astype(np.uint8)
        image.paste(Image.fromarray(strip), (0, top))
        top += len(strip)
    return image


def _with_alpha(strips: Iterable[np.ndarray], like: Picture) -> Iterator[np.ndarray]:
    top = 0
    for strip in strips:
        alpha = like.alpha if like.alpha is None else like.alpha[top : top + len(strip), :, None]
        yield strip if alpha is None else np.concatenate([strip, alpha], 2)
        top += len(strip)


def _save_options(like: Picture) -> dict[str, Any]:
    carried = {k: v for k, v in like.carried.items() if v and k not in ("text", "compression", "lossless", "extra")}
    text = like.carried.get("text", {})
    if like.format == "JPEG":
        return carried | {"quality": 95, "subsampling": 0, "extra": like.carried.get("extra", b"")}
    carried.pop("comment", None)
    xmp = carried.pop("xmp", None)
    if like.format == "WEBP":
        lossless = {"lossless": True, "exact": True} if like.carried.get("lossless") else {"quality": 95}
        return carried | lossless | ({"xmp": xmp} if xmp else {})
    if like.format == "PNG":
        return carried | {"pnginfo": _png_text(text, xmp)}
    compression = like.carried.get("compression")
    options = {"compression": compression if compression in _TIFF_COMPRESSIONS else "tiff_adobe_deflate"}
    if xmp or "exif" in carried:
        exif = Image.Exif()
        exif.load(carried.get("exif", b""))
        if xmp:
            exif[700] = xmp
        carried["exif"] = exif
    return carried | options


def _png_text(text: dict[str, str], xmp: bytes | None) -> PngInfo:
    info = PngInfo()
    for key, value in text.items():
        with contextlib.suppress(UnicodeError, ValueError):
            info.add_text(key, value)
    if xmp:
        info.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    return info


def _write_png16(path: Path, strips: Iterator[np.ndarray], like: Picture) -> None:
    """Write a 16-bit PNG strip by strip, each row as its difference from the one above (Pillow writes 8 bits only)."""
    H, W = like.size
    channels = 3 if like.alpha is None else 4
    with open(path, "wb") as file:

        def chunk(kind: bytes, body: bytes) -> None:
            file.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))

        file.write(b"\x89PNG\r\n\x1a\n")
        chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 16, 2 if channels == 3 else 6, 0, 0, 0))
        if icc := like.carried.get("icc_profile"):
            chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
        if dpi := like.carried.get("dpi"):
            chunk(b"pHYs", struct.pack(">IIB", *(round(number / 0.0254) for number in dpi), 1))
        if exif := like.carried.get("exif"):
            chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
        for kind, body, *_ in _png_text(like.carried.get("text", {}), like.carried.get("xmp")).chunks:
            chunk(kind, body)
        packer, above = zlib.compressobj(4), np.zeros((1, W * channels * 2), np.uint8)
        for strip in strips:
            rows = np.ascontiguousarray(strip.astype(">u2")).reshape(len(strip), -1).view(np.uint8)
            filtered = np.full((len(rows), 1 + rows.shape[1]), 2, np.uint8)  # 2 names the filter "Up"
            filtered[:, 1:] = rows - np.concatenate([above, rows[:-1]])
            above = rows[-1:]
            if body := packer.compress(filtered.tobytes()):
                chunk(b"IDAT", body)
        chunk(b"IDAT", packer.flush())
        chunk(b"IEND", b"")


def _write_tiff16(path: Path, strips: Iterator[np.ndarray], like: Picture) -> None:
    """Write a 16-bit TIFF with tifffile (Pillow writes 8 bits only), with the plain tags of its EXIF."""
    extra = []
    exif = Image.Exif()
    exif.load(like.carried.get("exif", b""))
    for tag, value in exif.items():
        if isinstance(value, str) and tag not in (ExifTags.Base.ImageDescription, ExifTags.Base.Software):
            extra.append((tag, "s", 0, value, True))
    if xmp := like.carried.get("xmp"):
        extra.append((700, "B", len(xmp), xmp, True))
    pixels, top = np.empty((*like.size, 3 if like.alpha is None else 4), np.uint16), 0
    for strip in strips:
        pixels[top : top + len(strip)] = strip
        top += len(strip)
    description, software = (exif.get(tag) for tag in (ExifTags.Base.ImageDescription, ExifTags.Base.Software))
    tifffile.imwrite(
        path,
        pixels,
        photometric="rgb",
        compression=None if like.carried.get("compression") == "raw" else "zlib",
        extrasamples=None if like.alpha is None else ["unassalpha"],
        iccprofile=like.carried.get("icc_profile"),
        resolution=like.carried.get("dpi"),
        resolutionunit=2 if like.carried.get("dpi") else None,
        description=description.encode("utf-8") if description else None,
        software=software or False,
        extratags=extra,
        metadata=None,
    )
