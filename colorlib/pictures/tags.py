"""Directories of tags, as TIFF files and EXIF blocks have them, read and written byte by byte.

Nothing is understood that need not be: a value is bytes with a type and a count, so that a private tag, one of an odd
type or a maker's note comes through as it was. (libvips hands EXIF to libexif, which drops and rewrites what it does
not know, and its TIFF writer leaves it all out.)

References:
    TIFF Revision 6.0, 1992, section 2; Exif 2.32 (CIPA DC-008-2019), section 4.6. A BigTIFF's offsets have 64 bits.
"""

import contextlib
import struct
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, Union

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each type."""
SHORT, LONG, ASCII, UNDEFINED = 3, 4, 2, 7
EXIF, GPS, INTEROPERABILITY, MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C
_POINTERS = (EXIF, GPS, INTEROPERABILITY)
_WORDS = {3: 2, 8: 2, 4: 4, 9: 4, 5: 4, 10: 4, 11: 4, 13: 4, 12: 8, 16: 8, 17: 8, 18: 8}  # what byte order turns round


class Tag(NamedTuple):
    """One entry of a directory.

    Attributes:
        kind: the type's number, a key of ``SIZES`` or any other.
        length: how many values.
        value: their bytes in the byte order of the structure, or the directory that the tag points to.
        place: where the value stood.
    """

    kind: int
    length: int
    value: Union[bytes, "Directory"]
    place: int = 0


Directory = dict[int, Tag]


class Structure(NamedTuple):
    """A TIFF file or EXIF block whose header was read.

    Attributes:
        data: all of it.
        order: "<" or ">".
        big: whether it is a BigTIFF.
        first: where its first directory stands.
    """

    data: bytes
    order: str
    big: bool
    first: int


def open_structure(data: bytes) -> Structure:
    """Read the header of a TIFF file or EXIF block.

    Raises:
        ValueError: it is neither.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    try:
        version = struct.unpack_from(f"{order}H", data, 2)[0] if order else 0
        if order and version in (42, 43):
            big = version == 43
            return Structure(
                data, order, big, struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)[0]
            )
    except struct.error:
        pass
    raise ValueError("no directory of tags")


def read_directory(
    structure: Structure, place: int, without: Collection[int] = (), depth: int = 0
) -> tuple[Directory, int]:
    """Read the directory that stands at a place, with those that its EXIF, GPS and interoperability tags point to.

    A tag whose value lies outside of the file is left out, and so is what would make the whole larger than the file.

    Args:
        without: tags whose values are not read.

    Returns:
        The directory, and where the next one stands, 0 for none.

    Raises:
        ValueError: it lies outside of the file.
    """
    data, order, big, _ = structure
    word, width = ("Q", 8) if big else ("I", 4)
    found: Directory = {}
    room = len(data)
    try:
        count = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, place)[0]
        start, step = place + (8 if big else 2), 4 + 2 * width
        if count > 65535:
            raise ValueError("a directory of too many tags")
        for at in range(start, start + count * step, step):
            tag, kind, number = struct.unpack_from(f"{order}HH{word}", data, at)
            size, value_at = SIZES.get(kind, 0) * number or width, at + 4 + width
            if size > width:
                value_at = struct.unpack_from(f"{order}{word}", data, value_at)[0]
            if tag in without or tag in found or value_at + size > len(data) or size > room:
                continue
            room -= size
            value = bytes(data[value_at : value_at + size])
            if tag not in _POINTERS:
                found[tag] = Tag(kind, number, value, value_at)
            elif depth < 3:
                letter = {2: "H", 4: "I", 8: "Q"}.get(size, "I")
                with contextlib.suppress(ValueError, struct.error):
                    pointed = struct.unpack(f"{order}{letter}", value)[0]
                    found[tag] = Tag(LONG, 1, read_directory(structure, pointed, (), depth + 1)[0])
        at = start + count * step
        following = struct.unpack_from(f"{order}{word}", data, at)[0] if at + width <= len(data) else 0
    except struct.error:
        raise ValueError("a directory that is cut off") from None
    return found, following


def write_directory(directory: Directory, order: str, at: int, big: bool = False, fixed: int | None = None) -> bytes:
    """Return a directory, its values and the directories below it as the bytes that stand from ``at`` on.

    Args:
        fixed: where the maker's note stands, if it stands there already.
    """
    word, width = ("Q", 8) if big else ("I", 4)
    head = struct.pack(f"{order}{'Q' if big else 'H'}", len(directory))
    behind = b""
    start = at + len(head) + len(directory) * (4 + 2 * width) + width
    for tag, (kind, count, value, _) in sorted(directory.items()):
        place = start + len(behind)
        if isinstance(value, dict):
            field = struct.pack(f"{order}{word}", place).ljust(width, b"\0")
            kind, count = (16 if big else LONG), 1
            behind += write_directory(value, order, place, big, fixed)
        elif tag == MAKER_NOTE and fixed is not None and len(value) > width:
            field = struct.pack(f"{order}{word}", fixed)
        elif len(value) > width:
            field = struct.pack(f"{order}{word}", place)
            behind += value + b"\0" * (len(value) % 2)
        else:
            field = value.ljust(width, b"\0")
        head += struct.pack(f"{order}HH{word}", tag, kind, count) + field
    return head + struct.pack(f"{order}{word}", 0) + behind


def block(directory: Directory, order: str) -> bytes:
    """Return an EXIF block of a directory and all below it.

    A maker's note stays where it stood: what it says of places counts from the block's beginning.
    """
    exif = directory[EXIF].value if EXIF in directory else {}
    note = exif.get(MAKER_NOTE) if isinstance(exif, dict) else None
    start = b"II*\0" if order == "<" else b"MM\0*"
    room, fixed = b"", None
    if note and 8 <= note.place < 1 << 16 and isinstance(note.value, bytes) and len(note.value) > 4:
        fixed = note.place
        room = b"\0" * (fixed - 8) + note.value
        room += b"\0" * (len(room) % 2)
    first = 8 + len(room)
    return start + struct.pack(f"{order}I", first) + room + write_directory(directory, order, first, fixed=fixed)


def reordered(directory: Directory, order: str, other: str) -> Directory:
    """Return a directory with its values in another byte order."""

    def value(tag: Tag) -> bytes | Directory:
        if isinstance(tag.value, dict):
            return reordered(tag.value, order, other)
        width = _WORDS.get(tag.kind, 1)
        return b"".join(tag.value[at : at + width][::-1] for at in range(0, len(tag.value), width))

    return directory if order == other else {name: tag._replace(value=value(tag)) for name, tag in directory.items()}


def number(directory: Directory, order: str, tag: int, default: int = 0) -> int:
    """Return the first whole number of a tag; the default where it has none."""
    numbers = integers(directory, order, tag)
    return numbers[0] if numbers else default


def integers(directory: Directory, order: str, tag: int) -> tuple[int, ...]:
    """Return the whole numbers of a tag; none where it has none."""
    letters = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q"}
    entry = directory.get(tag)
    if not entry or entry.kind not in letters or isinstance(entry.value, dict):
        return ()
    return struct.unpack(f"{order}{entry.length}{letters[entry.kind]}", entry.value[: entry.length * SIZES[entry.kind]])


def integer(order: str, value: int, kind: int = SHORT) -> Tag:
    """Return a tag of one number."""
    return Tag(kind, 1, struct.pack(order + {SHORT: "H", LONG: "I"}[kind], value))


def add_to_file(path: Path | str, more: Directory, order: str, without: Collection[int] = ()) -> None:
    """Add tags to the first directory of a TIFF file: it is written anew at the file's end, with theirs before its own.

    Args:
        more: values in the byte order ``order``.
        without: tags that are taken out.
    """
    with open(path, "r+b") as file:
        head = file.read(16)
        structure = open_structure(head)
        big, own = structure.big, structure.order
        word, width = ("Q", 8) if big else ("I", 4)
        file.seek(structure.first)
        count = struct.unpack(f"{own}{'Q' if big else 'H'}", file.read(8 if big else 2))[0]
        step = 4 + 2 * width
        entries = file.read(count * step)
        there: Directory = {}
        for at in range(0, len(entries), step):
            tag, kind, number = struct.unpack_from(f"{own}HH{word}", entries, at)
            there[tag] = Tag(kind, number, entries[at + 4 + width : at + step])  # the value, or where it stands
        merged = {tag: entry for tag, entry in there.items() if tag not in without} | reordered(more, order, own)
        file.seek(0, 2)
        start = file.tell() + file.tell() % 2
        file.seek(start)
        file.write(write_directory(merged, own, start, big))
        file.seek(8 if big else 4)
        file.write(struct.pack(f"{own}{word}", start))
