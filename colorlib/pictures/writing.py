"""Coloured photographs written in their own format, whole or not at all."""

import contextlib
import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from colorlib.files import atomic_path
from colorlib.pictures.mark import Mark
from colorlib.pictures.picture import Picture, eight_bits

_TIFF_COMPRESSIONS = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate")


def write_picture(path: Path | str, strips: Iterable[np.ndarray], like: Picture, mark: Mark | None = None) -> None:
    """Write a coloured picture, whole or not at all, with what the photograph carried.

    Args:
        path: its ending is not looked at.
        strips: (h, W, 3), from top to bottom, of the kind of ``like.pixels`` (uint8 or uint16).
        like: the photograph; its format decides, but 16 bits are written as TIFF or PNG only.
        mark: who coloured it, which the file then says.

    Raises:
        OSError: the disk is full, or may not be written to.
    """
    if mark:
        exif = Image.Exif()
        exif.load(like.carried.get("exif", b""))
        exif[ExifTags.Base.Software] = mark.software
        like = replace(like, carried=like.carried | {"exif": exif.tobytes()})
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
        image.paste(Image.fromarray(eight_bits(strip)), (0, top))
        top += len(strip)
    return image


def png_bytes(pixels: np.ndarray) -> bytes:
    """Return the PNG file of (H, W) or (H, W, 3) uint8."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


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
