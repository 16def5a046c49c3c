"""One clock for a film whose own starts again or jumps, as where recordings or a DVD's cells were put end to end.

Each place where that happens gets one offset, which all streams share, so that picture and sound stay together. Places
are found and told apart by where packets lie in the file, not by the order in which a demuxer gives them: around such a
place it gives new packets of one stream before old ones of another.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from colorlib.deployment.containers import is_cover, open_film, packets, pyav

BACKWARDS = 0.1  # seconds; a clock that goes back further has started again
FORWARDS = 10.0  # seconds; further than this, broadcast and DVD streams have changed their clock, if all jump at once


class _Jump(NamedTuple):
    """A clock's jump in one stream, somewhere in the file behind ``low`` and up to ``high``."""

    high: int
    low: int
    stream: int
    is_back: bool


@dataclass(frozen=True)
class Timeline:
    """Where the clock of a film jumps, and what puts that right.

    Attributes:
        seams: positions in the file in bytes, growing; from each on another clock counts.
        offsets: seconds to be added before the first seam, and from each one on.
        strays: (stream, how many packets it has before) of single packets whose time is wrong.
    """

    seams: tuple[int, ...] = ()
    offsets: tuple[float, ...] = (0.0,)
    strays: frozenset[tuple[int, int]] = frozenset()

    def corrected(self, packets: Iterable[Any]) -> Iterator[Any]:
        """Yield the packets of a whole film, or of some of its streams, with their times on one clock."""
        places: dict[int, int] = {}
        counts: dict[int, int] = {}
        ends: dict[int, int] = {}
        for packet in packets:
            stream = packet.stream.index
            number = counts[stream] = counts.get(stream, -1) + 1
            place = places[stream] = _place(packet, places.get(stream, -1))
            ticks = round(self.offsets[bisect_right(self.seams, place)] / packet.time_base)
            if (stream, number) in self.strays:
                packet.pts = packet.dts = ends.get(stream)
            elif ticks:
                packet.pts = None if packet.pts is None else packet.pts + ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
            if packet.dts is not None:
                ends[stream] = packet.dts + (packet.duration or 1)
            yield packet


@dataclass
class _Stream:
    """What is remembered of a stream: when its last good packet ends, where it lies, and a packet that jumped."""

    count: int = 0
    first: int = -1
    place: int = -1
    end: float | None = None
    suspect: tuple[_Jump, float] | None = None  # and the time that it names


def survey(path: Path) -> Timeline:
    """Find where the clock of a film jumps; nothing is decoded, but the file is read, twice where its clock jumps.

    Raises:
        ValueError: see :func:`open_film`.
    """
    with open_film(path) as container:
        jumps, strays, streams = _jumps(container)
    seams = _seams(jumps, streams)
    if not seams:
        return Timeline(strays=frozenset(strays))
    with open_film(path) as container:
        return Timeline(tuple(seams), tuple(_offsets(container, seams, strays)), frozenset(strays))


def _heard_and_seen(container: Any) -> Iterator[Any]:
    pictures = [stream for stream in container.streams.video if not is_cover(stream)]
    return packets(container, (*pictures, *container.streams.audio))


def _place(packet: Any, last: int) -> int:
    return last if packet.pos is None else packet.pos


def _jumps(container: Any) -> tuple[list[_Jump], set[tuple[int, int]], dict[int, _Stream]]:
    """Return all jumps, the packets whose time alone is wrong, and what there is of each stream."""
    restarts = bool(container.format.flags & pyav().format.Flags.ts_discont.value)
    jumps: list[_Jump] = []
    strays: set[tuple[int, int]] = set()
    streams: dict[int, _Stream] = {}
    for packet in _heard_and_seen(container):
        index = packet.stream.index
        stream = streams.setdefault(index, _Stream(first=_place(packet, -1)))
        place = _place(packet, stream.place)
        if packet.dts is not None:
            start = float(packet.dts * packet.time_base)
            back, forward = -BACKWARDS, FORWARDS if restarts else float("inf")
            if stream.suspect:
                jump, named = stream.suspect
                if stream.end is not None and back <= start - stream.end <= min(forward, 1.0):
                    strays.add((index, stream.count - 1))  # all goes on as if that packet had not been
                else:
                    jumps.append(jump)
                    stream.end = named
                stream.suspect = None
            if stream.end is None or back <= start - stream.end <= forward:
                stream.end = start + float((packet.duration or 0) * packet.time_base)
            else:
                jump = _Jump(max(place, stream.place + 1), stream.place, index, start < stream.end)
                stream.suspect = jump, start + float((packet.duration or 0) * packet.time_base)
        stream.place = place
        stream.count += 1
    strays |= {(index, stream.count - 1) for index, stream in streams.items() if stream.suspect}
    return jumps, strays, streams


def _seams(jumps: list[_Jump], streams: dict[int, _Stream]) -> list[int]:
    """Merge the jumps that streams make at the same place; a jump forwards counts if no stream goes on as before."""
    groups: list[list[_Jump]] = []
    for jump in sorted(jumps):
        if groups and jump.low < groups[-1][0].high and all(jump.stream != other.stream for other in groups[-1]):
            groups[-1].append(jump)
        else:
            groups.append([jump])
    seams = []
    for group in groups:
        place = group[0].high
        going_on = {index for index, stream in streams.items() if stream.first < place <= stream.place}
        if any(jump.is_back for jump in group) or going_on <= {jump.stream for jump in group}:
            seams.append(place)
    return seams


def _offsets(container: Any, seams: list[int], strays: set[tuple[int, int]]) -> list[float]:
    """Let each part begin where the one before ends, in all streams together."""
    begins, ends = [float("inf")] * (len(seams) + 1), [float("-inf")] * (len(seams) + 1)
    places: dict[int, int] = {}
    counts: dict[int, int] = {}
    for packet in _heard_and_seen(container):
        index = packet.stream.index
        counts[index] = counts.get(index, -1) + 1
        places[index] = _place(packet, places.get(index, -1))
        time = packet.dts if packet.pts is None else packet.pts
        if time is not None and (index, counts[index]) not in strays:
            part = bisect_right(seams, places[index])
            begins[part] = min(begins[part], float(time * packet.time_base))
            ends[part] = max(ends[part], float((time + (packet.duration or 0)) * packet.time_base))
    offsets, end = [0.0], ends[0]
    for part in range(1, len(begins)):
        empty = begins[part] > ends[part]
        offsets.append(offsets[-1] if empty or end == float("-inf") else end - begins[part])
        end = end if empty else ends[part] + offsets[-1]
    return offsets
