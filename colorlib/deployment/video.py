"""Films read and written: streams, times, titles and sound."""

import heapq
import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.frames import (
    BATCH,
    LOOKS,
    FilmOutcome,
    _check_tone,
    _digest,
    _Painter,
    _segment,
    _stamp,
    is_newer,
)
from colorlib.files import atomic_path
from colorlib.pictures.picture import Picture, merge_equal

SEGMENT_FRAMES, SEGMENT_PIXELS = 240, 1 << 27  # a segment has at most so many, in whole batches

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}
"""Endings that are written, and how FFmpeg calls them."""
ENCODERS = {
    "libx264": {"crf": "16", "bf": "0"},  # no frame waits for a later one, so segments can be put end to end
    "libvpx-vp9": {"crf": "20", "b:v": "0", "cpu-used": "4", "lag-in-frames": "0", "auto-alt-ref": "0"},
    "mpeg4": {"flags": "+qscale", "global_quality": str(2 * 118)},
}
_MATRICES = {1: "ITU709", 5: "ITU601", 6: "ITU601"}  # FFmpeg's numbers for the ways from RGB to YUV


def _pyav() -> Any:
    try:
        import av
    except ImportError:
        raise RuntimeError("films need PyAV, which is not installed: pip install 'colorlib[film]'.") from None
    return av


class _Video:
    """A video file; its segments are Matroska files without times, which are kept beside them to the last tick."""

    def __init__(self, source: Path, target: Path, outcome: FilmOutcome) -> None:
        self.av = _pyav()
        self.errors = (self.av.error.FFmpegError,)
        self.source, self.target, self.outcome = source, target, outcome
        if target.suffix.lower() not in CONTAINERS:
            raise ValueError(f"a film is written as {', '.join(CONTAINERS)}, not as {target.name}.")
        self.container = CONTAINERS[target.suffix.lower()]
        with self._open() as container:
            stream = self._moving(container)
            self.time_base = stream.time_base
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            self.rate = rate.limit_denominator(1001)  # for the encoder; the frames' own times are kept elsewhere
            self.duration = float(container.duration or 0) / self.av.time_base
            self.start = float(container.start_time or 0) / self.av.time_base
            self.promised = stream.frames
            self.count = stream.frames or round(self.duration * rate) or None
            self.pixel_shape = stream.sample_aspect_ratio or Fraction(1)
            self.deep = max((c.bits for c in stream.format.components), default=8) > 8 if stream.format else False

    def _open(self) -> Any:
        try:
            return self.av.open(f"file:{self.source}", options={"protocol_whitelist": "file"})
        except self.av.error.FFmpegError as error:
            damaged = isinstance(error, self.av.error.InvalidDataError)
            why = "it is damaged, cut short or no film" if damaged else error.strerror
            raise ValueError(f"{self.source} cannot be read: {why}.") from None

    def _moving(self, container: Any) -> Any:
        """Return the stream of moving pictures; the cover of a record is none."""
        still = self.av.stream.Disposition.attached_pic
        for stream in container.streams.video:
            if not stream.disposition & still and stream.codec_context is not None:
                return stream
        raise ValueError(f"{self.source} holds no moving pictures{', only sound' if container.streams.audio else ''}.")

    def is_there(self) -> bool:
        return self.target.exists() and is_newer(self.target, self.source)

    def identity(self) -> str:
        return _digest([self.source.name, *_stamp(self.source)])

    def look(self, colorizer: PhotoColorizer, force: bool) -> None:
        """Learn the shape of the frames and whether they are grey, from some that are spread over the film."""
        frames: list[Any] = []
        for part in range(LOOKS):
            with self._open() as container:
                try:
                    container.seek(int(self.duration * part / LOOKS * self.av.time_base))
                    frames += islice(self._decoded(container), 1)
                except self.av.error.FFmpegError:  # not every kind of file can be sought in
                    continue
        if not frames:
            with self._open() as container:
                frames = list(islice(self._decoded(container), LOOKS))
        if not frames:
            raise ValueError(f"{self.source} holds no frame that can be decoded.")
        first = frames[0]
        self.shape = first.width, first.height
        self.turns = round(first.rotation / 90) % 4  # counter-clockwise
        if self.turns % 2:
            self.pixel_shape = 1 / self.pixel_shape
        self.matrix = first.colorspace if first.colorspace in _MATRICES else (1 if first.height >= 720 else 6)
        self.primaries, self.transfer = first.color_primaries, first.color_trc
        self.grey = False
        self.grey = _check_tone(self.source, [self.picture(f) for f in frames], colorizer, force, self.outcome)
        W, H = self.shape
        self.segment = BATCH * max(1, min(SEGMENT_FRAMES, SEGMENT_PIXELS // (W * H)) // BATCH)
        wanted = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(self.container, "libx264")  # what players expect in it
        self.encoder = wanted if wanted in self.av.codecs_available else "mpeg4"
        if self.encoder == "mpeg4" != wanted:
            self.outcome.notes.append(f"This PyAV has no {wanted}; MPEG-4 took its place.")
        if self.deep and self.encoder != "libx264":
            self.deep = False
            self.outcome.notes.append("It has more than 8 bits; the coloured one has 8.")
        matroska = ("matroska", "webm")
        if self.container in matroska and CONTAINERS.get(self.source.suffix.lower()) not in matroska:
            self.outcome.notes.append(f"It was written as {self.target.name}; Matroska's clock ticks in milliseconds.")
        if self.encoder == "libvpx-vp9" and self.pixel_shape != 1:
            self.outcome.notes.append("Its pixels are not square, which a WebM written here does not tell.")

    def _decoded(self, container: Any) -> Iterator:
        """Yield the frames that can be decoded."""
        stream = self._moving(container)
        packets = container.demux(stream)
        while True:
            try:
                yield from next(packets).decode()
            except StopIteration:
                return
            except self.av.error.FFmpegError as error:
                if isinstance(error, self.av.error.EOFError):
                    return

    def frames(self, start: int) -> Iterator:
        """Yield (time in ticks, frame), the times growing, without the first ``start``; say what was lost at the end.

        All are decoded from the beginning: that takes a hundredth of the time of colouring, and seeking may miss.
        """
        index, last, gap = 0, None, max(1, round(1 / (self.rate * self.time_base)))
        with self._open() as container:
            for frame in self._decoded(container):
                time = frame.pts if frame.pts is not None else frame.dts
                if last is not None and (time is None or time <= last):
                    time = last + (gap if time is None else 1)
                last = time or 0
                if index >= start:
                    yield last, frame
                index += 1
        ended = float(last * self.time_base) - self.start if index else 0.0
        if index < self.promised:
            lost = f"{self.promised - index:,} of its {self.promised:,} frames could not be read"
            self.outcome.notes.append(f"It is damaged or cut short: {lost}.")
        elif ended < self.duration - 1:
            self.outcome.notes.append(f"Its pictures end {ended:.1f} s into the {self.duration:.1f} s that it names.")

    def picture(self, frame: Any) -> Picture:
        """Decode to pixels, upright; a grey film's chroma is noise and not looked at."""
        kind = ("gray16le" if self.deep else "gray") if self.grey else ("rgb48le" if self.deep else "rgb24")
        if frame.colorspace not in _MATRICES:
            frame.colorspace = self.matrix
        W, H = self.shape
        frame = frame.reformat(W, H, format=kind, interpolation=self._exactly())
        return Picture(np.ascontiguousarray(merge_equal(np.rot90(frame.to_ndarray(), self.turns))))

    def _exactly(self) -> int:
        """Ask for rounding to the nearest: without it colours come out darker by a level."""
        how = self.av.video.reformatter.Interpolation
        return how.BICUBIC | how.ACCURATE_RND | how.FULL_CHR_H_INT | how.FULL_CHR_H_INP

    def write(self, path: Path, frames: Iterable, painter: _Painter) -> list[int]:
        """Encode a segment."""
        times = []

        def pictures() -> Iterator[Picture]:
            for time, frame in frames:
                times.append(time)
                yield self.picture(frame)

        encoded = io.BytesIO()
        with self.av.open(encoded, "w", format="matroska") as out:
            stream = out.add_stream(self.encoder, rate=self.rate, options=ENCODERS[self.encoder])
            stream.width, stream.height = self.shape[::-1] if self.turns % 2 else self.shape
            halved = self.encoder != "libx264" or stream.width % 2 == stream.height % 2 == 0  # colours at half size
            stream.pix_fmt = ("yuv420p" if halved else "yuv444p") + ("10le" if self.deep else "")
            context = stream.codec_context
            context.sample_aspect_ratio = self.pixel_shape
            context.colorspace, context.color_range = self.matrix, 1
            context.color_primaries, context.color_trc = self.primaries, self.transfer
            for index, (picture, strips) in enumerate(painter.paint(pictures())):
                pixels = np.concatenate(list(strips))
                frame = self.av.VideoFrame.from_ndarray(pixels, "rgb48le" if picture.white > 255 else "rgb24")
                frame = frame.reformat(
                    format=stream.pix_fmt, dst_colorspace=_MATRICES[self.matrix], interpolation=self._exactly()
                )
                frame.pts, frame.time_base = index, 1 / self.rate
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        with atomic_path(path) as temporary:
            temporary.write_bytes(encoded.getbuffer())
        return times

    def finish(self, work: Path, state: dict[str, Tensor]) -> None:
        """Put the segments end to end, with the frames' own times, and the source's sound beside them."""
        segments = [_segment(work, number) for number in range(int(state["segments"]))]
        options = {}
        if self.container in ("mp4", "mov"):  # the film's own clock, and what it holds said first, for the web
            options = {"movie_timescale": str(self.time_base.denominator), "movflags": "faststart"}
        with (
            atomic_path(self.target) as temporary,
            self._open() as source,
            self.av.open(f"file:{segments[0]}") as first,
            self.av.open(f"file:{temporary}", "w", format=self.container, container_options=options) as out,
        ):
            moving = out.add_stream_from_template(first.streams.video[0])
            moving.time_base = self.time_base
            moving.metadata.update(_titles(self._moving(source).metadata))
            kept = {}
            for stream in (*source.streams.audio, *source.streams.subtitles):
                try:
                    kept[stream.index] = out.add_stream_from_template(stream)
                    kept[stream.index].metadata.update(_titles(stream.metadata))
                except (ValueError, self.av.error.FFmpegError):
                    kind = "sound" if stream.type == "audio" else "subtitles"
                    self.outcome.notes.append(f"Its {kind} ({stream.name}) do not fit into {self.target.suffix} files.")
            out.metadata.update(_titles(source.metadata))
            out.set_chapters(source.chapters())
            moving_packets = self._moving_packets(segments, state["times"].tolist(), moving)
            others = self._other_packets(source, kept) if kept else ()
            for packet in heapq.merge(moving_packets, others, key=lambda packet: packet.dts * packet.time_base):
                out.mux_one(packet)

    def _moving_packets(self, segments: list[Path], times: list[int], stream: Any) -> Iterator:
        upcoming = iter(zip(times, [b - a for a, b in zip(times, times[1:], strict=False)] + [0], strict=True))
        for path in segments:
            with self.av.open(f"file:{path}") as segment:
                for packet in segment.demux(video=0):
                    if packet.size:
                        packet.stream, packet.time_base = stream, self.time_base
                        packet.pts, packet.duration = next(upcoming)
                        packet.dts = packet.pts
                        yield packet

    def _other_packets(self, source: Any, kept: dict[int, Any]) -> Iterator:
        packets = source.demux([source.streams[index] for index in kept])
        while True:
            try:
                packet = next(packets)
            except (StopIteration, self.av.error.FFmpegError):  # a damaged file ends here
                return
            if packet.dts is not None:
                packet.stream = kept[packet.stream.index]
                yield packet


def _titles(metadata: dict[str, str]) -> dict[str, str]:
    """Return what is said of a film or a stream, without what FFmpeg says of the file itself."""
    own = ("encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration")
    return {
        key: value for key, value in metadata.items() if key.lower() not in own and "_statistics" not in key.lower()
    }
