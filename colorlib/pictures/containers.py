"""What lies beside the pixels in JPEG, PNG, WebP and JPEG 2000 files, as it lies there: segments, chunks and boxes.

References:
    ITU-T T.81 (JPEG), annex B.1; W3C, "Portable Network Graphics, third edition", section 5; RFC 9649 (WebP), 2.7;
    ITU-T T.800 (JPEG 2000), annex I.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

Part = tuple[bytes, bytes]
"""(marker or name, body) of a segment or chunk."""

_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers of JPEG without a body


def jpeg_segments(data: bytes) -> Iterator[Part]:
    """Yield the segments of a JPEG file before its first scan, each with the second byte of its marker."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        size = struct.unpack_from(">H", data, at + 2)[0]
        if marker == 0xDA or size < 2 or at + 2 + size > len(data):
            return
        yield bytes([marker]), bytes(data[at + 4 : at + 2 + size])
        at += 2 + size


def png_chunks(data: bytes) -> Iterator[Part]:
    """Yield the chunks of a PNG file but its pixels, as far as they are whole."""
    at = 8
    while at + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if at + 12 + size > len(data):
            return
        if name != b"IDAT":
            yield name, bytes(data[at + 8 : at + 8 + size])
        at += 12 + size


def webp_chunks(data: bytes) -> Iterator[Part]:
    """Yield the chunks of a WebP file, as far as they are whole."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > len(data):
            return
        yield name, bytes(data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2


def jp2_boxes(data: bytes) -> Iterator[Part]:
    """Yield the boxes of a JPEG 2000 file but its pixels, those inside its header too, as far as they are whole."""
    at, end = 0, len(data)
    while at + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1 and at + 16 <= end:
            size, start = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        size = size or end - at  # 0: to the end of the file
        if size < start - at or at + size > end:
            return
        if name == b"jp2h":
            size = start - at  # a box of boxes
        elif name != b"jp2c":
            yield name, bytes(data[start : at + size])
        at += size


def jpeg_bytes(parts: Iterable[Part]) -> bytes:
    """Return segments as they stand in a file."""
    return b"".join(b"\xff" + marker + struct.pack(">H", len(body) + 2) + body for marker, body in parts)


def png_bytes(parts: Iterable[Part]) -> bytes:
    """Return chunks as they stand in a file."""
    return b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def with_webp_chunks(data: bytes, size: tuple[int, int], parts: Iterable[Part]) -> bytes:
    """Return a WebP file of one picture with further chunks: ICCP before the pixels, EXIF and XMP behind them.

    Args:
        size: (H, W) in pixels.
    """
    flags = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04, b"ALPH": 0x10}
    pixels = [part for part in webp_chunks(data) if part[0] in (b"ALPH", b"VP8 ", b"VP8L")]
    more = list(parts)
    clear = any(name == b"VP8L" and len(body) > 4 and body[4] & 0x10 for name, body in pixels)  # its bit for alpha
    held = sum({flags[name] for name, _ in pixels + more if name in flags} | ({0x10} if clear else set()))
    head = bytes([held, 0, 0, 0]) + b"".join((side - 1).to_bytes(3, "little") for side in size[::-1])
    profile = [part for part in more if part[0] == b"ICCP"]
    ordered = [(b"VP8X", head), *profile, *pixels, *(part for part in more if part[0] != b"ICCP")]
    body = b"".join(n + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for n, b in ordered)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
