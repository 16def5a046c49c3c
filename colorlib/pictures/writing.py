"""Coloured photographs written in their own format, whole or not at all, by libvips.

libvips writes the pixels; what the photograph carried is put in byte by byte (see
:mod:`colorlib.pictures.metadata`), since what libvips writes itself has traps: libexif drops of EXIF what it does not
know, none goes into TIFF, a resolution that nobody stated becomes one of 25.4 dpi.
"""

import errno
import io
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image

from colorlib.files import atomic_path
from colorlib.pictures import containers, tags
from colorlib.pictures.mark import Mark
from colorlib.pictures.metadata import (
    PROFILE,
    RESOLUTION,
    RESOURCES,
    UNIT,
    X_RESOLUTION,
    XMP,
    Y_RESOLUTION,
    Metadata,
    bytes_of,
)
from colorlib.pictures.picture import Picture, eight_bits
from colorlib.pictures.tags import Tag
from colorlib.pictures.vips import reason_of
from colorlib.pictures.xmp import PACKET, extended_xmp

_TIFF_COMPRESSIONS = {1: "none", 32773: "packbits", 5: "lzw"}
_PIECE = 65_000  # bytes of a part that a segment of a JPEG holds
_LONGEST = 65_533  # bytes that a segment can hold
_MOST = {"JPEG": 65_500, "WEBP": 16_383}  # pixels a side


def write_picture(path: Path | str, strips: Iterable[np.ndarray], like: Picture, mark: Mark | None = None) -> None:
    """Write a coloured picture, whole or not at all, with what the photograph carried.

    Args:
        path: its ending is not looked at.
        strips: (h, W, 3), from top to bottom, of the kind of ``like.pixels`` (uint8 or uint16).
        like: the photograph; its format decides, but 16 bits are written as TIFF or PNG only.
        mark: who coloured it, which the file then says.

    Raises:
        OSError: the disk is full, or may not be written to.
        ValueError: its format cannot hold this picture; one sentence.
    """
    metadata = mark.on(like.metadata) if mark else like.metadata
    wide = like.pixels.dtype == np.uint16
    kind = "PNG" if wide and like.format != "TIFF" else like.format
    if max(like.size) > _MOST.get(kind, max(like.size)):
        raise ValueError(f"{path} cannot be written: a {kind} holds at most {_MOST[kind]:,} pixels a side.")
    with atomic_path(path) as temporary:
        image = _image(strips, like)
        try:
            _WRITERS[kind](temporary, image, metadata)
        except pyvips.Error as error:
            if "system error" in str(error):  # the disk's, not the picture's
                reasons = {os.strerror(number): number for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}
                number = next((reasons[text] for text in reasons if text in str(error)), errno.EIO)
                raise OSError(number, os.strerror(number), str(path)) from None
            raise ValueError(f"{path} cannot be written: {reason_of(error)}.") from None


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


def parts_before_pixels(metadata: Metadata) -> dict[str, bytes]:
    """Return what a JPEG and a PNG file hold of metadata, for programs that write the rest themselves.

    Returns:
        "JPEG": what stands behind its first two bytes; "PNG": what stands behind its header, its first 33 bytes.
    """
    return {
        "JPEG": containers.jpeg_bytes(_jpeg_segments(metadata)),
        "PNG": containers.png_bytes(_png_chunks(metadata)),
    }


def _with_alpha(strips: Iterable[np.ndarray], like: Picture) -> Iterator[np.ndarray]:
    top = 0
    for strip in strips:
        alpha = like.alpha if like.alpha is None else like.alpha[top : top + len(strip), :, None]
        yield strip if alpha is None else np.concatenate([strip, alpha], 2)
        top += len(strip)


def _image(strips: Iterable[np.ndarray], like: Picture) -> pyvips.Image:
    H, W = like.size
    channels = 3 if like.alpha is None else 4
    pixels, top = np.empty((H, W, channels), like.pixels.dtype), 0
    for strip in _with_alpha(strips, like):
        pixels[top : top + len(strip)] = strip
        top += len(strip)
    wide = pixels.dtype == np.uint16
    image = pyvips.Image.new_from_memory(pixels.data, W, H, channels, "ushort" if wide else "uchar")
    return image.copy(interpretation="rgb16" if wide else "srgb")


def _write_jpeg(path: Path, image: pyvips.Image, metadata: Metadata) -> None:
    if image.hasalpha():
        image = image.flatten(background=255)
    options = {"Q": 95, "subsample_mode": "off", "keep": "none"}
    _save_with(path, image.jpegsave_target, options, containers.jpeg_bytes(_jpeg_segments(metadata)), 2, 2)


def _write_png(path: Path, image: pyvips.Image, metadata: Metadata) -> None:
    parts = containers.png_bytes(_png_chunks(metadata))
    options = {"compression": 4, "keep": "none", "filter": "up"}
    _save_with(path, image.pngsave_target, options, parts, 33, 54)  # its header, and the resolution of libvips


def _save_with(path: Path, save: Any, options: dict[str, Any], parts: bytes, start: int, end: int) -> None:
    """Let libvips write a file, and put ``parts`` in the place of its bytes from ``start`` to ``end``."""
    head, failed = bytearray(), []
    with open(path, "wb") as file:

        def write(data: Any) -> int:
            try:
                if len(head) < end:
                    head.extend(data)
                    if len(head) >= end:
                        file.write(head[:start] + parts + head[end:])
                else:
                    file.write(data)
            except OSError as error:  # an exception does not come through libvips
                failed.append(error)
                return -1
            return len(data)

        target = pyvips.TargetCustom()
        target.on_write(write)
        try:
            save(target, **options)
        except pyvips.Error:
            if not failed:
                raise
        if failed:
            raise failed[0]


def _write_webp(path: Path, image: pyvips.Image, metadata: Metadata) -> None:
    lossless = {"lossless": True, "exact": True} if metadata.lossless else {"Q": 95}
    data = image.webpsave_buffer(keep="none", **lossless)
    parts = {b"ICCP": metadata.icc, b"EXIF": metadata.exif, b"XMP ": metadata.xmp}
    path.write_bytes(
        containers.with_webp_chunks(data, (image.height, image.width), [part for part in parts.items() if part[1]])
    )


def _write_tiff(path: Path, image: pyvips.Image, metadata: Metadata) -> None:
    compression = _TIFF_COMPRESSIONS.get(metadata.compression or 8, "deflate")
    large = image.width * image.height * image.bands * 2 > 3e9
    image.tiffsave(os.fsencode(path), compression=compression, bigtiff=large, keep="none")
    more = _tiff_tags(metadata)
    tags.add_to_file(path, more, metadata.order, without=RESOLUTION - set(more))


def _jpeg_segments(metadata: Metadata) -> Iterator[containers.Part]:
    """Yield what a JPEG file holds before its picture; what is longer than a segment goes on in the next."""
    x, y = (min(65535, round(number)) for number in metadata.dpi or (1, 1))
    yield b"\xe0", b"JFIF\0" + struct.pack(">HBHHBB", 0x0101, 1 if metadata.dpi else 0, x, y, 0, 0)
    resources = metadata.tags.get(RESOURCES)
    exif = {name: tag for name, tag in metadata.tags.items() if name != RESOURCES}
    for piece in _pieces(tags.block(exif, metadata.order) if exif else b""):
        yield b"\xe1", b"Exif\0\0" + piece
    xmp, extended = metadata.xmp, metadata.extended
    if len(xmp) > _PIECE and not extended:
        xmp, extended = extended_xmp(xmp, _PIECE)
    if xmp and len(PACKET + xmp) <= _LONGEST:
        yield b"\xe1", PACKET + xmp
    for body in extended:
        yield b"\xe1", body
    profile = _pieces(metadata.icc)
    for number, piece in enumerate(profile, 1):
        yield b"\xe2", b"ICC_PROFILE\0" + bytes([number, len(profile)]) + piece
    for piece in _pieces(bytes_of(resources) if resources else b""):
        yield b"\xed", b"Photoshop 3.0\0" + piece
    if metadata.comment:
        yield b"\xfe", metadata.comment[:_PIECE]


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]


def _png_chunks(metadata: Metadata) -> Iterator[containers.Part]:
    """Yield what a PNG file holds before its picture."""
    if metadata.icc:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)
    if metadata.dpi:
        yield b"pHYs", struct.pack(">IIB", *(round(number / 0.0254) for number in metadata.dpi), 1)
    if metadata.tags:
        yield b"eXIf", metadata.exif
    if metadata.xmp:
        yield b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp
    if metadata.comment:
        yield b"tEXt", b"Comment\0" + metadata.comment.replace(b"\0", b"")
    yield from metadata.chunks


def _tiff_tags(metadata: Metadata) -> tags.Directory:
    """Return what a TIFF file holds beside its pixels, in the byte order of the metadata."""
    held = dict(metadata.tags)
    if metadata.dpi and not RESOLUTION & set(held):
        sides = [struct.pack(f"{metadata.order}II", round(1000 * number), 1000) for number in metadata.dpi]
        held |= {X_RESOLUTION: Tag(5, 1, sides[0]), Y_RESOLUTION: Tag(5, 1, sides[1])}
        held[UNIT] = tags.integer(metadata.order, 2)
    for tag, value in ((XMP, metadata.xmp), (PROFILE, metadata.icc)):
        if value:
            held[tag] = Tag(tags.UNDEFINED if tag == PROFILE else 1, len(value), value)
    return held


_WRITERS = {"JPEG": _write_jpeg, "PNG": _write_png, "WEBP": _write_webp, "TIFF": _write_tiff}
