"""What a photograph carries beside its pixels, and what of it still holds after colouring.

It is taken out of the file byte by byte and put back so, one part as independent of the next as they are in the file.
What speaks of pixels that have changed, orientation, thumbnail, gain map, layers, is set right or taken out.

References:
    Exif 2.32 (CIPA DC-008-2019); XMP Specification Part 3 (2020), for where it lies in each format; Adobe Photoshop
    File Formats Specification, "Image Resources"; Android, "Ultra HDR Image Format" 1.1, for gain maps.
"""

import contextlib
import re
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from colorlib.pictures import containers, tags
from colorlib.pictures.tags import Directory, Tag
from colorlib.pictures.xmp import EXTENDED, GAIN_MAP, PACKET, true_xmp

RESOURCES, CAPTIONS, SOFTWARE, XMP, PROFILE = 34377, 33723, 305, 700, 34675
_DESCRIPTION, _OF_PIXELS = 270, re.compile(rb"\{\"shape\": |ImageJ=|<\?xml.*<OME\b", re.DOTALL)
_ORIENTATION, X_RESOLUTION, Y_RESOLUTION, UNIT, _LAYERS = 274, 282, 283, 296, 37724
RESOLUTION = {X_RESOLUTION, Y_RESOLUTION, UNIT}
_XMP_OF_JP2 = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
LAYOUT = {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, *range(277, 282), 284, *range(288, 294), 301}
LAYOUT |= {*range(317, 329), *range(330, 335), *range(336, 348), 351, *range(512, 522), *range(529, 533), 559}
LAYOUT |= {XMP, PROFILE}
"""TIFF's tags of how the pixels lie in the file and what they mean, and XMP and the profile, which are kept apart."""


@dataclass
class Metadata:
    """What a photograph carries.

    Attributes:
        tags: of EXIF and TIFF, with the directories below: GPS, maker's note, captions (IPTC), Photoshop's resources.
        order: byte order of their values, "<" or ">".
        xmp: the packet.
        extended: what a JPEG has of it in further segments.
        icc: the profile; empty where it no longer holds.
        chunks: a PNG's captions and what else may be copied to a changed picture.
        comment: of a JPEG or GIF.
        dpi: horizontal and vertical resolution, where the container and not a tag has it.
        compression: of a TIFF, by its number there.
        lossless: of a WebP.
    """

    tags: Directory = field(default_factory=dict)
    order: str = "<"
    xmp: bytes = b""
    extended: list[bytes] = field(default_factory=list)
    icc: bytes = b""
    chunks: list[containers.Part] = field(default_factory=list)
    comment: bytes = b""
    dpi: tuple[float, float] | None = None
    compression: int | None = None
    lossless: bool = False

    @property
    def orientation(self) -> int:
        """From 1 to 8, as EXIF says; where it says nothing, as XMP says."""
        stated = tags.number(self.tags, self.order, _ORIENTATION)
        if not stated and (found := re.search(rb"""tiff:Orientation(?:\s*=\s*["']|\s*>\s*)([1-8])\b""", self.xmp)):
            stated = int(found[1])
        return stated if 1 <= stated <= 8 else 1

    @property
    def exif(self) -> bytes:
        """The tags as one block, without a name before it; empty where there are none."""
        return tags.block(self.tags, self.order) if self.tags else b""

    def take_exif(self, data: bytes, notes: list[str]) -> None:
        """Take the tags of an EXIF block, or of a TIFF file; a broken one is said and costs nothing else."""
        try:
            structure = tags.open_structure(data)
            found, _ = tags.read_directory(structure, structure.first, LAYOUT)
        except ValueError:
            notes.append("Its EXIF is damaged and was left out.")
            return
        self.tags, self.order = found, structure.order

    def set_right(self, size: tuple[int, int], sideways: bool) -> list[str]:
        """Make it true of the upright, coloured picture.

        Args:
            size: (H, W) of the upright picture.
            sideways: whether it was turned by a quarter.

        Returns:
            A sentence on each thing that was taken out.
        """
        notes = []
        H, W = size
        if _ORIENTATION in self.tags:
            self.tags[_ORIENTATION] = tags.integer(self.order, 1)
        exif = self.tags[tags.EXIF].value if tags.EXIF in self.tags else {}
        if isinstance(exif, dict):
            for tag, side in ((0xA002, W), (0xA003, H)):
                if tag in exif:
                    exif[tag] = tags.integer(self.order, side, tags.LONG)
        if sideways:
            self.dpi = self.dpi and self.dpi[::-1]
            swapped = {X_RESOLUTION: self.tags.get(Y_RESOLUTION), Y_RESOLUTION: self.tags.get(X_RESOLUTION)}
            self.tags |= {name: tag for name, tag in swapped.items() if tag and None not in swapped.values()}
        if (layers := self.tags.get(_LAYERS)) and re.search(rb"Layr|ryaL|Lr16|61rL|Lr32|23rL", bytes_of(layers)):
            del self.tags[_LAYERS]
            notes.append("Its layers were left out; what they showed together was coloured.")
        if (said := self.tags.get(_DESCRIPTION)) and _OF_PIXELS.match(bytes_of(said)):
            del self.tags[_DESCRIPTION]
            notes.append("What a program had written of the shape of its pixels was left out.")
        if resources := self.tags.get(RESOURCES):
            kept = _without_thumbnails(bytes_of(resources))
            self.tags[RESOURCES] = Tag(1, len(kept), kept)
        if self.xmp:
            self.xmp = true_xmp(self.xmp, size)
        return notes


def bytes_of(tag: Tag) -> bytes:
    return tag.value if isinstance(tag.value, bytes) else b""


def read_metadata(kind: str, data: Any, notes: list[str]) -> Metadata:
    """Take out of a file of one of :data:`colorlib.pictures.formats.FORMATS` what it carries beside its pixels.

    Nothing in it makes it fail; what cannot be kept is added to ``notes`` in a sentence.
    """
    found = Metadata()
    readers = {"JPEG": _of_jpeg, "PNG": _of_png, "WEBP": _of_webp, "TIFF": _of_tiff, "JPEG2000": _of_jp2}
    if kind in readers:
        readers[kind](found, data, notes)
    return found


def _of_jpeg(found: Metadata, data: bytes, notes: list[str]) -> None:
    exif, resources, profile, second = b"", b"", {}, False
    for marker, body in containers.jpeg_segments(data):
        if marker == b"\xe1" and body[:4] == b"Exif":
            if not (exif and body[6:8] in (b"II", b"MM")):  # one of more than 64 KiB goes on in the next segment
                exif += body[6:]
        elif marker == b"\xe1" and body.startswith(PACKET):
            found.xmp = found.xmp or body[len(PACKET) :]
        elif marker == b"\xe1" and body.startswith(EXTENDED):
            found.extended.append(body)
        elif marker == b"\xe2" and body.startswith(b"ICC_PROFILE\0"):
            profile[body[12]] = body[14:]
        elif marker == b"\xe2" and body.startswith((b"MPF\0", b"urn:iso:std:iso:ts:21496")):
            second = True
        elif marker == b"\xed" and body.startswith(b"Photoshop 3.0\0"):
            resources += body[14:]
        elif marker == b"\xfe":
            found.comment = found.comment or body
        elif marker == b"\xe0" and body.startswith(b"JFIF\0") and len(body) >= 12 and body[7] in (1, 2):
            x, y = struct.unpack_from(">HH", body, 8)
            scale = 1.0 if body[7] == 1 else 2.54
            found.dpi = (x * scale, y * scale) if x and y else None
    if exif:
        found.take_exif(exif, notes)
    if resources:
        found.tags[RESOURCES] = Tag(1, len(resources), resources)
    found.icc = b"".join(profile[part] for part in sorted(profile))
    if GAIN_MAP.search(found.xmp):
        notes.append("Its gain map, for bright screens, was left out.")
    elif second:
        notes.append("The second picture in its file, another view or a gain map, was left out.")


def _of_png(found: Metadata, data: bytes, notes: list[str]) -> None:
    exif = raw = b""
    for name, body in containers.png_chunks(data):
        if name == b"eXIf":
            exif = body.removeprefix(b"Exif\0\0")
        elif name == b"iCCP":
            with contextlib.suppress(zlib.error, ValueError):
                found.icc = _inflate(body[body.index(b"\0") + 2 :])
        elif name == b"pHYs" and len(body) == 9 and body[8] == 1:
            x, y = struct.unpack_from(">II", body)
            found.dpi = (x * 0.0254, y * 0.0254) if x and y else None
        elif name == b"iTXt" and body.startswith(b"XML:com.adobe.xmp\0"):
            with contextlib.suppress(zlib.error, ValueError):
                found.xmp = _international_text(body)
        elif name in (b"tEXt", b"zTXt") and (profile := _raw_profile(name, body)):
            what, value = profile
            if what == b"xmp":
                found.xmp = found.xmp or value
            elif value.removeprefix(b"Exif\0\0")[:2] in (b"II", b"MM"):
                raw = value.removeprefix(b"Exif\0\0")
            elif what in (b"iptc", b"8bim"):
                found.tags[RESOURCES] = Tag(1, len(value), value)
        elif name in (b"tEXt", b"zTXt", b"iTXt", b"tIME") or name[3:].islower() and name not in (b"pHYs", b"sPLT"):
            found.chunks.append((name, body))  # a small letter at the end says that it may be copied
    if exif or raw:
        resources = found.tags.get(RESOURCES)
        found.take_exif(exif or raw, notes)
        found.tags |= {RESOURCES: resources} if resources else {}


def _inflate(data: bytes, most: int = 1 << 26) -> bytes:
    """Unpack, but never more than 64 MiB."""
    unpacker = zlib.decompressobj()
    unpacked = unpacker.decompress(data, most)
    if unpacker.unconsumed_tail:
        raise ValueError("too large")
    return unpacked


def _international_text(body: bytes) -> bytes:
    keyword, rest = body.split(b"\0", 1)
    packed, rest = rest[0], rest[2:]
    text = rest.split(b"\0", 2)[2]
    return _inflate(text) if packed else text


def _raw_profile(name: bytes, body: bytes) -> tuple[bytes, bytes] | None:
    """Return what ImageMagick hides in a caption: the kind of profile and its bytes, written in hexadecimal."""
    if not body.startswith(b"Raw profile type "):
        return None
    with contextlib.suppress(zlib.error, ValueError, IndexError):
        keyword, text = body.split(b"\0", 1)
        text = _inflate(text[1:]) if name == b"zTXt" else text
        lines = text.decode("ascii").strip().split("\n")  # its name, its length, its bytes
        return keyword[17:].lower(), bytes.fromhex("".join(lines[2:]))
    return None


def _of_webp(found: Metadata, data: bytes, notes: list[str]) -> None:
    for name, body in containers.webp_chunks(data):
        if name == b"EXIF":
            found.take_exif(body.removeprefix(b"Exif\0\0"), notes)
        elif name == b"XMP ":
            found.xmp = body
        elif name == b"ICCP":
            found.icc = body
        elif name == b"VP8L":
            found.lossless = True


def _of_jp2(found: Metadata, data: bytes, notes: list[str]) -> None:
    for name, body in containers.jp2_boxes(data):
        if name == b"colr" and body[:1] in (b"\2", b"\3"):
            found.icc = found.icc or body[3:]
        elif name == b"uuid" and body.startswith(b"JpgTiffExif->JP2"):
            found.take_exif(body[16:].removeprefix(b"Exif\0\0"), notes)
        elif name == b"uuid" and body.startswith(_XMP_OF_JP2):
            found.xmp = body[16:]
        elif name in (b"uuid", b"xml ", b"uinf"):
            notes.append("What a further box of its JPEG 2000 says had no place.")


def _of_tiff(found: Metadata, data: bytes, notes: list[str]) -> None:
    found.take_exif(data, notes)
    with contextlib.suppress(ValueError):
        structure = tags.open_structure(data)
        inside, _ = tags.read_directory(structure, structure.first, LAYOUT - {XMP, PROFILE, 259})
        found.xmp = bytes_of(inside[XMP]) if XMP in inside else b""
        found.icc = bytes_of(inside[PROFILE]) if PROFILE in inside else b""
        found.compression = tags.number(inside, structure.order, 259, 1)


def _without_thumbnails(resources: bytes) -> bytes:
    """Return Photoshop's resources without small copies of the picture; what cannot be understood stays as it is."""
    kept, at = b"", 0
    with contextlib.suppress(struct.error, IndexError):
        while resources[at : at + 4] == b"8BIM":
            name = 1 + resources[at + 6]
            start = at + 6 + name + name % 2
            size = struct.unpack_from(">I", resources, start)[0]
            end = start + 4 + size + size % 2
            if end > len(resources) + 1:
                break
            if struct.unpack_from(">H", resources, at + 4)[0] not in (1033, 1036):
                kept += resources[at:end]
            at = end
    return kept + resources[at:]
