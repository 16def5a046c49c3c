"""Interlaced frames, whose two fields show two moments, made whole ones that show one.

Combs between fields would be taken for texture and coloured, and a result without the flag of interlacing would keep
them in every player. FFmpeg's bwdif rebuilds the rows of the later field from the frame's surroundings in space and
time; frames that are marked as progressive pass as they are, and there are as many as before, at the same times.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any

from colorlib.deployment.containers import pyav


def deinterlaced(frames: Iterable[Any]) -> Iterator[Any]:
    """Yield the frames of a film in their order, none of them interlaced."""

    def alike(frame: Any) -> tuple[bool, int, int, str]:
        return frame.interlaced_frame, frame.width, frame.height, frame.format.name

    for (is_interlaced, *_), run in groupby(frames, alike):
        if is_interlaced:
            yield from _bwdif(run)
        else:
            yield from run


def _bwdif(frames: Iterator[Any]) -> Iterator[Any]:
    av = pyav()
    first = next(frames)
    graph = av.filter.Graph()
    source = graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=first.time_base)
    filter, sink = graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
    source.link_to(filter)
    filter.link_to(sink)
    try:
        graph.configure()
    except av.error.FFmpegError:  # too few rows for fields, or pixels of a kind that the filter does not know
        yield from chain([first], frames)
        return
    times: deque[tuple[int | None, Any]] = deque()
    for frame in chain([first], frames, [None]):
        if frame:
            times.append((frame.pts, frame.time_base))
        graph.push(frame)
        while True:
            try:
                whole = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            whole.pts, whole.time_base = times.popleft()
            yield whole
