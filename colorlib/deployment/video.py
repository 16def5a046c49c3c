"""Films as video files: frames read upright and on one clock, coloured, encoded in segments."""

import io
import os
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.containers import CONTAINERS, moving, open_film, packets, pyav
from colorlib.deployment.damage import Damage
from colorlib.deployment.fields import deinterlaced
from colorlib.deployment.film_differences import describe, differences, has_captions
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
from colorlib.deployment.muxing import Pictures, fitting_streams, join, read_film_mark
from colorlib.deployment.timeline import survey
from colorlib.files import atomic_path
from colorlib.pictures.mark import Mark
from colorlib.pictures.picture import Picture, merge_equal

SEGMENT_FRAMES, SEGMENT_PIXELS = 240, 1 << 27  # a segment has at most so many, in whole batches
PATIENCE = 60.0  # seconds without a frame, after which a film is taken to be at its end

ENCODERS = {
    "libx264": {"crf": "16", "bf": "0"},  # no frame waits for a later one, so segments can be put end to end
    "libvpx-vp9": {"crf": "20", "b:v": "0", "cpu-used": "4", "lag-in-frames": "0", "auto-alt-ref": "0"},
    "mpeg4": {"flags": "+qscale", "global_quality": str(2 * 118)},
    "ffv1": {"level": "3", "g": "1", "slicecrc": "1"},  # as archives keep it: every frame by itself
}
_MATRICES = {1: "ITU709", 5: "ITU601", 6: "ITU601"}  # FFmpeg's numbers for the ways from RGB to YUV
_LIMITED, _FULL = 1, 2  # FFmpeg's numbers for levels from 16 to 235, and from 0 to 255


class _Video:
    """A video file; its segments are Matroska files without times, which are kept beside them to the last tick."""

    def __init__(self, source: Path, target: Path, outcome: FilmOutcome, mark: Mark, archive: bool) -> None:
        self.av = pyav()
        self.errors = (self.av.error.FFmpegError,)
        self.source, self.target, self.outcome, self.mark, self.archive = source, target, outcome, mark, archive
        ending = target.suffix.lower()
        if ending not in CONTAINERS:
            raise ValueError(f"a film is written as {', '.join(CONTAINERS)}, not as {target.name}.")
        if archive and ending != ".mkv":
            raise ValueError(f"a film for an archive is written as .mkv, not as {target.name}.")
        self.container = CONTAINERS[ending]

    def is_there(self) -> bool:
        """Whether the result is there, by the same settings, and not older than the film."""
        return self.target.is_file() and is_newer(self.target, self.source) and read_film_mark(self.target) == self.mark

    def identity(self) -> str:
        return _digest([self.source.name, *_stamp(self.source)])

    def look(self, colorizer: PhotoColorizer, force: bool) -> None:
        """Learn what the film is, and by some frames that are spread over it their shape and whether they are grey."""
        self.before = describe(self.source)
        with open_film(self.source) as container:
            stream = moving(container)
            self.time_base = stream.time_base
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            self.rate = rate.limit_denominator(1001)  # for the encoder; the frames' own times are kept elsewhere
            duration = float(container.duration or 0) / self.av.time_base
            self.damage = Damage(self.source, container, stream)
            self.count = stream.frames or round(duration * rate) or None
            depth = max((c.bits for c in stream.format.components), default=8) if stream.format else 8
        self.deep = self.archive and depth > 8
        frames: list[Any] = []
        for part in range(LOOKS):
            with open_film(self.source) as container:
                try:
                    if part:  # the first frame is that from which the decoder begins
                        container.seek(int(duration * part / LOOKS * self.av.time_base))
                except self.av.error.FFmpegError:  # not every kind of file can be sought in
                    continue
                frames += islice(self._decoded(packets(container, [moving(container)])), 1)
        if not frames:
            raise ValueError(f"{self.source} holds no frame that can be decoded.")
        first = frames[0]
        self.turns = round(first.rotation / 90) % 4  # counter-clockwise
        self.size = (first.height, first.width) if self.turns % 2 else (first.width, first.height)  # upright
        self.shape = first.opaque  # of its pixels, as it lies
        self.matrix = first.colorspace if first.colorspace in _MATRICES else (1 if first.height >= 720 else 6)
        self.primaries, self.transfer = first.color_primaries, first.color_trc
        self.grey = False
        self.grey = _check_tone(self.source, [self.picture(f) for f in frames], colorizer, force, self.outcome)
        W, H = self.size
        self.segment = BATCH * max(1, min(SEGMENT_FRAMES, SEGMENT_PIXELS // (W * H)) // BATCH)
        self._choose_encoder(depth)
        self.timeline = survey(self.source)
        self.fitting = fitting_streams(self.source, self.container)

    def _choose_encoder(self, depth: int) -> None:
        """Take what players expect in the container: 8 bits, colours for two by two pixels; or what loses nothing."""
        wanted = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(self.container, "libx264")
        self.encoder = "ffv1" if self.archive else wanted if wanted in self.av.codecs_available else "mpeg4"
        if self.encoder == "mpeg4" != wanted:
            self.outcome.notes.append(f"This PyAV has no {wanted}; MPEG-4 took its place.")
        W, H = self.size
        self.canvas = (W + W % 2, H + H % 2) if self.encoder == "libx264" else (W, H)
        self.format = "yuv420p"
        if self.archive:
            self.format = "bgr0" if depth <= 8 else "gbrp12le" if depth <= 12 else "gbrp16le"

    def _decoded(self, found: Iterable[Any]) -> Iterator[Any]:
        """Yield the frames that can be decoded, each with its pixels' shape as ``opaque``, until none come any more."""
        stream: Any = None
        heard = time.monotonic()
        for packet in chain(found, [None]):  # nothing: the decoder gives what it still holds
            stream = packet.stream if packet else stream
            try:
                frames = stream.decode(packet) if stream else ()
            except self.av.error.FFmpegError:
                continue
            for frame in frames:
                frame.time_base, frame.opaque = self.time_base, stream.codec_context.sample_aspect_ratio or None
                yield frame
            if frames:
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE:
                self.outcome.notes.append(f"No frame was found in it for {PATIENCE:.0f} seconds; it was ended there.")
                return

    def frames(self, start: int) -> Iterator[Any]:
        """Yield (time in ticks, frame), the times growing, without the first ``start``; notice what is lost.

        All are decoded from the beginning: that takes a hundredth of the time of colouring, and seeking may miss.
        """
        last, gap = None, max(1, round(1 / (self.rate * self.time_base)))
        with open_film(self.source) as container:
            found = self.damage.noting(self.timeline.corrected(packets(container, [moving(container)])))
            for index, frame in enumerate(deinterlaced(self._noted(self._decoded(found)))):
                now = frame.pts if frame.pts is not None else frame.dts
                if last is not None and (now is None or now <= last):
                    now = last + (gap if now is None else 1)
                last = now or 0
                self.damage.shown.append(last)
                if index >= start:
                    yield last, frame

    def _noted(self, frames: Iterable[Any]) -> Iterator[Any]:
        """Look at what only some frames tell."""
        for frame in frames:
            self.before.interlaced += bool(frame.interlaced_frame)
            self.before.captioned += has_captions(frame)
            self.before.sizes.add((frame.width, frame.height, self._stretch(frame)))
            self.damage.broken += bool(frame.is_corrupt)
            yield frame

    def _stretch(self, frame: Any) -> Fraction:
        """Return the width of a frame's pixels in that of the first's, as they lie."""
        return frame.opaque / self.shape if frame.opaque and self.shape else Fraction(1)

    def picture(self, frame: Any) -> Picture:
        """Decode to pixels, upright; a grey film's chroma is noise and not looked at."""
        is_grey = frame.format.name.startswith("gray")
        kind = "gray" if self.grey or is_grey else "rgb"
        kind = {"gray": ("gray", "gray16le"), "rgb": ("rgb24", "rgb48le")}[kind][self.deep]
        if frame.colorspace not in _MATRICES:
            frame.colorspace = self.matrix
        pixels = frame.reformat(format=kind, interpolation=self._exactly()).to_ndarray()
        if is_grey and frame.color_range == _LIMITED:  # which libswscale takes for full
            pixels = _full_range(pixels, frame.format.components[0].bits)
        return Picture(np.ascontiguousarray(merge_equal(np.rot90(pixels, self.turns))))

    def _exactly(self) -> int:
        """Ask for rounding to the nearest: without it colours come out darker by a level."""
        how = self.av.video.reformatter.Interpolation
        return how.BICUBIC | how.ACCURATE_RND | how.FULL_CHR_H_INT | how.FULL_CHR_H_INP

    def write(self, path: Path, frames: Iterable[Any], painter: _Painter) -> list[int]:
        """Encode a segment."""
        times, stretches = [], []

        def pictures() -> Iterator[Picture]:
            for now, frame in frames:
                times.append(now)
                stretches.append(self._stretch(frame))
                yield self.picture(frame)

        encoded = io.BytesIO()
        with self.av.open(encoded, "w", format="matroska") as out:
            stream = out.add_stream(self.encoder, rate=self.rate, options=ENCODERS[self.encoder])
            stream.width, stream.height = self.canvas
            stream.pix_fmt = self.format
            context = stream.codec_context
            context.sample_aspect_ratio = self.before.pixel_shape
            context.color_primaries, context.color_trc = self.primaries, self.transfer
            if not self.archive:
                context.colorspace, context.color_range = self.matrix, _LIMITED
            for index, (_, strips) in enumerate(painter.paint(pictures())):
                frame = self._fitted(np.concatenate(list(strips)), stretches[index])
                matrix = None if self.archive else _MATRICES[self.matrix]
                frame = frame.reformat(format=self.format, dst_colorspace=matrix, interpolation=self._exactly())
                frame.pts, frame.time_base = index, 1 / self.rate
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        with atomic_path(path) as temporary:
            temporary.write_bytes(encoded.getbuffer())
        return times

    def _fitted(self, pixels: np.ndarray, stretch: Fraction) -> Any:
        """Make a frame (h, w, 3) one of the film's: another size or shape is fitted into it whole, odd sides grow."""
        kind = "rgb48le" if pixels.dtype == np.uint16 else "rgb24"
        (h, w), (W, H) = pixels.shape[:2], self.size
        stretch = 1 / stretch if self.turns % 2 else stretch
        if (w, h) != (W, H) or stretch != 1:
            scale = min(W / (w * stretch), H / Fraction(h))
            w, h = max(1, round(w * stretch * scale)), max(1, round(h * scale))
            frame = self.av.VideoFrame.from_ndarray(pixels, kind)
            fitted = frame.reformat(w, h, interpolation=self._exactly()).to_ndarray()
            top, left = (H - h) // 2, (W - w) // 2
            pixels = np.pad(fitted, ((top, H - h - top), (left, W - w - left), (0, 0)))
        more = [(0, wide - side) for side, wide in zip((H, W), self.canvas[::-1], strict=True)]
        if any(after for _, after in more):
            pixels = np.pad(pixels, (*more, (0, 0)), "edge")
        return self.av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), kind)

    def segments(self, work: Path, state: dict[str, Tensor]) -> list[Path]:
        """Return the files that hold what is done."""
        return [_segment(work, number) for number in range(int(state["segments"]))]

    def finish(self, work: Path, state: dict[str, Tensor]) -> None:
        """Write the result, and say what it lacks that the film has."""
        whole = work / "film"
        pictures = Pictures(self.segments(work, state), state["times"].tolist(), self.time_base)
        join(pictures, self.source, self.timeline, self.fitting, whole, self.container, self.mark)
        self.outcome.notes += differences(self.before, describe(whole, self.target.suffix.lower()))
        self.outcome.notes += self.damage.sentences(self.time_base, self.rate)
        with open(whole, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(whole, self.target)


def _full_range(grey: np.ndarray, bits: int) -> np.ndarray:
    """Stretch levels from 16 to 235 (of 8 bits, or so many times as many) to all that there are."""
    white = np.iinfo(grey.dtype).max
    unit = (1 << (bits - 8)) / ((1 << bits) - 1) * white
    return np.clip((grey - 16 * unit) * (white / (219 * unit)) + 0.5, 0, white).astype(grey.dtype)
