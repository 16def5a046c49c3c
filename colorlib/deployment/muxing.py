"""Coloured pictures and all else of a film in one file: sound, subtitles, attachments, chapters, titles, the mark."""

import heapq
import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice
from math import floor
from pathlib import Path
from typing import Any, NamedTuple

from colorlib.deployment.containers import is_cover, moving, open_film, packets, pyav, timecode_of
from colorlib.deployment.timeline import Timeline
from colorlib.pictures.mark import SOURCE_TYPE, Mark, find_mark

TRIED_PACKETS, LOOKED_AT = 8, 2000  # of each stream, among so many at the beginning
OUT_OF_STEP = 0.2  # share by which sound that a container holds may seem longer or shorter than it is
SOUND = {"mp4": "aac", "mov": "aac", "matroska": "flac", "webm": "libopus", "avi": "pcm_s16le"}
"""How sound is encoded that a container does not hold as it is."""
_WEB = ("mp4", "mov")


def read_film_mark(path: Path) -> Mark | None:
    """Return the mark of a coloured film; None for any other file, whatever it is."""
    try:
        with open_film(path) as container:
            said = {key.lower(): value for key, value in container.metadata.items()}
    except (ValueError, OSError):
        return None
    return find_mark(said.get("comment", ""))


def _comment(metadata: dict[str, str], mark: Mark) -> str:
    """Return what a film said in its comment, without an earlier mark, and the mark behind it."""
    said = next((value for key, value in metadata.items() if key.lower() == "comment"), "")
    own = said if find_mark(said) is None else said[: said.rfind("colorlib ")].rstrip("; ")
    return "; ".join(filter(None, [own, f"{mark.software}, {SOURCE_TYPE}"]))


class Others(NamedTuple):
    """Which streams beside the pictures go into the result as they are, and which are encoded anew."""

    copied: list[int]
    recoded: list[int]


def fitting_streams(source: Path, format: str) -> Others:
    """Find out what a container can hold: the first packets of each stream are written and read again.

    Args:
        source: a film.
        format: FFmpeg's name of the container.
    """
    with open_film(source) as container:
        others = [stream for stream in container.streams if _is_copied(stream, container, format)]
        first: dict[int, list[Any]] = {stream.index: [] for stream in others}
        for packet in islice(packets(container, others), LOOKED_AT):
            tried = first[packet.stream.index]
            if packet.dts is not None and len(tried) < TRIED_PACKETS and (not tried or packet.dts > tried[-1].dts):
                tried.append(packet)
        copied = [stream.index for stream in others if _fits(stream, first[stream.index], format)]
        rest = [stream for stream in others if stream.type == "audio" and stream.index not in copied]
        return Others(copied, [stream.index for stream in rest if _can_be_recoded(stream, first[stream.index], format)])


def _fits(stream: Any, first: list[Any], format: str) -> bool:
    av = pyav()
    written = io.BytesIO()
    spans = [packet.dts * packet.time_base for packet in first]
    try:
        with av.open(written, "w", format=format) as out:
            copy = _copied(out, stream)
            for packet in first:
                packet.stream = copy
                out.mux_one(packet)
                packet.stream = stream
            out.start_encoding()
        if stream.type != "audio" or len(first) < 2:
            return True
        written.seek(0)
        with av.open(written) as again:
            found = [packet.dts * packet.time_base for packet in packets(again, again.streams.audio)]
    except (ValueError, OSError, av.error.FFmpegError):
        return False
    if len(found) != len(first):  # samples, which may be cut into packets anew
        return len(found) > 0
    return abs((found[-1] - found[0]) - (spans[-1] - spans[0])) < OUT_OF_STEP * max(spans[-1] - spans[0], OUT_OF_STEP)


def _can_be_recoded(stream: Any, first: list[Any], format: str) -> bool:
    if stream.codec_context is None or stream.format is None:
        return False  # of a kind that its damaged header does not tell
    try:
        with pyav().open(io.BytesIO(), "w", format=format) as out:
            recoder = _Recoder(out, stream, format)
            made = [packet for one in (*first, None) for packet in recoder.packets(one)]
            out.mux(made)
        return bool(made)
    except (ValueError, OSError, pyav().error.FFmpegError):
        return False


class _Recoder:
    """Sound that a container does not hold, encoded anew for it."""

    def __init__(self, out: Any, stream: Any, format: str) -> None:
        self.source = stream
        codec = pyav().Codec(SOUND[format], "w")
        rate = 48000 if SOUND[format] == "libopus" else stream.rate
        self.stream = out.add_stream(SOUND[format], rate=rate, layout=stream.layout.name)
        if stream.format.name in {kind.name for kind in codec.audio_formats or ()}:
            self.stream.format = stream.format.name  # nothing is lost where it can be kept
        self.stream.metadata.update(_titles(stream.metadata))
        self.stream.disposition = stream.disposition
        context = self.stream.codec_context
        context.open()
        self.resampler = pyav().AudioResampler(context.format, context.layout, rate, context.frame_size or None)

    def packets(self, packet: Any) -> Iterator[Any]:
        """Yield what becomes of a packet with its times, or at the end, for None, what is left."""
        try:
            frames = self.source.decode(packet)
        except pyav().error.FFmpegError:
            return
        for frame in (*frames, None) if packet is None else frames:
            for resampled in self.resampler.resample(frame):
                yield from self.stream.encode(resampled)
        if packet is None:
            yield from self.stream.encode(None)


def _is_copied(stream: Any, container: Any, format: str) -> bool:
    if stream.type == "video":
        return is_cover(stream) and format in _WEB
    if stream.type == "data":
        return "timecode" not in stream.metadata  # which is written anew from what the pictures say
    return stream.type in ("audio", "subtitle") and stream.codec_context is not None


def _copied(out: Any, stream: Any) -> Any:
    copy = out.add_stream_from_template(stream, opaque=True)
    copy.metadata.update(_titles(stream.metadata))
    copy.disposition = stream.disposition
    return copy


def _titles(metadata: dict[str, str]) -> dict[str, str]:
    """Return what is said of a film or a stream, without what FFmpeg says of the file itself."""
    own = ("encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration")
    return {
        key: value for key, value in metadata.items() if key.lower() not in own and "_statistics" not in key.lower()
    }


class Pictures(NamedTuple):
    """The coloured pictures of a film.

    Attributes:
        segments: files with their packets, in order.
        times, time_base: of all frames, in ticks, growing; and what a tick is in seconds.
    """

    segments: list[Path]
    times: list[int]
    time_base: Fraction


def join(
    pictures: Pictures, source: Path, timeline: Timeline, fitting: Others, path: Path, format: str, mark: Mark
) -> None:
    """Put segments end to end, with the frames' own times, and what else the film holds beside them.

    Args:
        pictures: what was made of it.
        source: the film that was coloured.
        timeline, fitting: of it, see :func:`survey` and :func:`fitting_streams`.
        path, format: of the result.
        mark: of who coloured it.
    """
    av = pyav()
    options = {}
    if format in _WEB:  # the film's own clock, and what it holds said first, for the web
        options = {"movie_timescale": str(pictures.time_base.denominator), "movflags": "faststart"}
    with (
        open_film(source) as film,
        av.open(f"file:{pictures.segments[0]}") as first,
        av.open(f"file:{path}", "w", format=format, container_options=options) as out,
    ):
        stream, original = out.add_stream_from_template(first.streams.video[0]), moving(film)
        stream.time_base = pictures.time_base
        stream.metadata.update(_titles(original.metadata))
        stream.disposition = original.disposition
        if timecode := timecode_of(film):
            stream.metadata["timecode"] = timecode
        copies = {index: _copied(out, film.streams[index]) for index in fitting.copied}
        recoders = {index: _Recoder(out, film.streams[index], format) for index in fitting.recoded}
        if format == "matroska":
            _attach(source, out)
        out.metadata.update(_titles(film.metadata))
        for key in [key for key in out.metadata if key.lower() == "comment"]:
            del out.metadata[key]
        out.metadata["comment"] = _comment(film.metadata, mark)
        out.set_chapters(film.chapters())
        ours = _packets_of(pictures, stream)
        others = _others(film, copies, recoders, timeline)
        for packet in heapq.merge(ours, others, key=lambda packet: packet.dts * packet.time_base):
            out.mux_one(packet)


def _attach(source: Path, out: Any) -> None:
    """Hand on fonts and other attached files, and covers, which Matroska keeps as such."""
    with open_film(source) as film:
        for stream in film.streams:
            if stream.type == "attachment" and stream.data:
                kind = stream.mimetype or "application/octet-stream"
                out.add_attachment(stream.name or "attachment", kind, bytes(stream.data))
        covers = [stream for stream in film.streams.video if is_cover(stream)]
        for packet in islice(packets(film, covers), len(covers)) if covers else ():
            kind = "png" if packet.stream.codec_context.name == "png" else "jpeg"
            out.add_attachment(f"cover.{kind.replace('jpeg', 'jpg')}", f"image/{kind}", bytes(packet))


def _packets_of(pictures: Pictures, stream: Any) -> Iterator[Any]:
    segments, times, time_base = pictures
    upcoming = iter(zip(times, [b - a for a, b in zip(times, times[1:], strict=False)] + [0], strict=True))
    for path in segments:
        with pyav().open(f"file:{path}") as segment:
            for packet in segment.demux(video=0):
                if packet.size:
                    packet.stream, packet.time_base = stream, time_base
                    packet.pts, packet.duration = next(upcoming)
                    packet.dts = packet.pts
                    yield packet


def _others(film: Any, copies: dict[int, Any], recoders: dict[int, _Recoder], timeline: Timeline) -> Iterator[Any]:
    """Yield the packets of all other streams, the times of each growing."""
    last: dict[int, Fraction] = {}
    wanted = [film.streams[index] for index in (*copies, *recoders)]
    ends = [(recoder, None) for recoder in recoders.values()]
    found = ((recoders.get(packet.stream.index), packet) for packet in timeline.corrected(packets(film, wanted)))
    for recoder, read in chain(found, ends):
        for packet in recoder.packets(read) if recoder else (read,):
            if packet.dts is None:
                packet.dts = packet.pts
            if packet.dts is None:
                continue
            packet.stream = recoder.stream if recoder else copies[packet.stream.index]
            index = packet.stream.index
            if index in last and packet.dts * packet.time_base <= last[index]:
                packet.dts = floor(last[index] / packet.time_base) + 1
                packet.pts = max(packet.pts or packet.dts, packet.dts)
            last[index] = packet.dts * packet.time_base
            yield packet
