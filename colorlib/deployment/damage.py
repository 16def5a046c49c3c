"""What of a film could not be read, from what lies in the file and not from what its header promises.

Headers lie: they count frames that an edit list leaves out, or none. A frame is lost where the file ends before the
container does, where a packet of pictures has no frame shown near its time, or where the decoder says so.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_HEADER, _SEGMENT, _CLUSTER = b"\x1aE\xdf\xa3", b"\x18S\x80g", b"\x1fC\xb6u"
_PARTS = {
    bytes.fromhex(kind) for kind in "114d9b74 1549a966 1654ae6b 1c53bb6b 1254c367 1941a469 1043a770 ec bf".split()
}
_PARTS |= {_CLUSTER}
_OF_CLUSTERS = {bytes.fromhex(kind) for kind in "e7 a3 a0 a7 ab 5854 af".split()}
NEAR = 0.6  # of the time between two frames; the second field of a frame has a packet of its own, half as far away


class Damage:
    """What is noticed while a film is read.

    Attributes:
        asked: times of the packets of pictures that ought to be shown, in ticks.
        shown: times of the frames that were.
        broken: how many frames, or places in the file, were found to be damaged.
    """

    def __init__(self, source: Path, container: Any, stream: Any) -> None:
        self.promised = stream.frames
        self.is_cut = is_cut(source)
        self.restarts = "mpeg" in container.format.name
        self.asked: list[int | None] = []
        self.shown: list[int] = []
        self.hidden, self.broken, self.is_torn = 0, int(has_strange_parts(source)), False

    def noting(self, packets: Iterable[Any]) -> Iterator[Any]:
        """Yield the packets, and remember what they ask for."""
        waiting = 0
        for packet in packets:
            if packet.is_discard:
                self.hidden += 1
            else:
                self.asked.append(packet.pts)
            if waiting:  # where recordings were put end to end a key frame follows, and none is missing
                waiting = 0 if packet.is_keyframe else waiting - 1
                self.broken += waiting == 0 and not packet.is_keyframe
            if packet.is_corrupt:
                self.is_torn, waiting = True, 2
            yield packet
        self.broken += waiting > 0

    def lost(self, gap: float) -> int:
        """Count the frames that could not be read, ``gap`` being the usual ticks from one to the next."""
        shown = np.array(self.shown)
        asked = np.array([time for time in self.asked if time is not None])
        lost = 0
        if len(shown) and len(asked):
            at = np.searchsorted(shown, asked).clip(1, max(1, len(shown) - 1))
            nearest = np.minimum(abs(asked - shown[at - 1]), abs(asked - shown[np.minimum(at, len(shown) - 1)]))
            lost += int((nearest > NEAR * gap).sum())
        if self.is_torn and self.restarts:  # a stream that is sent has no list of its frames, but a steady pace
            lost = max(lost, int((np.rint(np.diff(shown) / gap) - 1).clip(0).sum()))
        if self.is_cut:
            lost += max(0, self.promised - len(self.asked) - self.hidden)
        return lost

    def sentences(self, time_base: Any, rate: Any) -> list[str]:
        lost = self.lost(float(1 / (rate * time_base)))
        if lost:
            total = len(self.shown) + lost
            return [f"It is damaged or cut short: {lost:,} of its {total:,} frames could not be read."]
        if self.is_cut:
            return [f"It is cut short, after {len(self.shown):,} frames."]
        if self.broken:
            places = f"{self.broken:,} places" if self.broken > 1 else "one place"
            return [f"It is damaged in {places}; frames may look so, or be missing, there."]
        return []


def is_cut(path: Path) -> bool:
    """Whether a file ends before its outermost parts do: boxes of MP4, chunks of AVI, Matroska's segment, packets."""
    end = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(200)
        if head[:4] == b"RIFF":
            return _beyond(file, end, _riff)
        if head[:4] == b"\x1aE\xdf\xa3":
            return _beyond(file, end, _ebml)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _beyond(file, end, _box)
    for first, length in ((0, 188), (4, 192)):
        if len(head) > first + length and head[first] == head[first + length] == 0x47:
            return end % length > 0
    return False


def _beyond(file: BinaryIO, end: int, part: Callable[[BinaryIO], int | None]) -> bool:
    """Go from part to part of a file; a size that is not known, or of something else, ends the walk."""
    place = 0
    while place < end:
        file.seek(place)
        size = part(file)
        if not size:
            return False
        place += size
    return place > end


def _riff(file: BinaryIO) -> int | None:
    head = file.read(8)
    size = int.from_bytes(head[4:], "little")
    return 8 + size + size % 2 if head[:4] == b"RIFF" and 0 < size < 0xFFFFFFF0 else None


def _box(file: BinaryIO) -> int | None:
    head = file.read(16)
    size = int.from_bytes(head[:4], "big")
    size = int.from_bytes(head[8:], "big") if size == 1 else size
    return size if size >= 8 and head[4:8].isalnum() else None


def _ebml(file: BinaryIO) -> int | None:
    kind, size, length = _element(file)
    return length + size if kind in (_HEADER, _SEGMENT) and size is not None else None


def _element(file: BinaryIO) -> tuple[bytes, int | None, int]:
    """Read the head of an EBML element: its kind, its size if that is known, and the length of the head."""
    kind = file.read(1)
    kind += file.read(max(0, 8 - kind[0].bit_length())) if kind and kind[0] else b""
    first = file.read(1)
    if not first or not first[0]:
        return b"", None, 0
    length = 9 - first[0].bit_length()
    size = int.from_bytes(bytes([first[0] & (0xFF >> length)]) + file.read(length - 1), "big")
    return kind, None if size == (1 << 7 * length) - 1 else size, len(kind) + length


def has_strange_parts(path: Path) -> bool:
    """Whether a Matroska file has something between its parts, where bytes were lost, put in or overwritten."""
    end = path.stat().st_size
    with open(path, "rb") as file:
        kind, size, length = _element(file)
        if kind != _HEADER or size is None:
            return False
        file.seek(length + size)
        place = file.tell()
        kind, size, length = _element(file)
        place += length
        end = min(end, place + size) if size is not None else end
        while kind == _SEGMENT and place < end:
            file.seek(place)
            part, size, length = _element(file)
            if part not in _PARTS and part not in _OF_CLUSTERS:
                return True
            place += length + (0 if part == _CLUSTER or size is None else size)  # a cluster's parts are looked at, too
    return False
