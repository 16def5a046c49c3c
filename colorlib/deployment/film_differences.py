"""What a coloured film no longer has: the file that was read and the one that was written, looked at and compared.

Nothing is promised from knowing what a container can hold; what is missing in the result is seen there.
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from colorlib.deployment.containers import is_cover, moving, open_film, packets, pyav, timecode_of

_OWN = {"encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration"}
_OWN |= {"filename", "mimetype", "language", "timecode", "creation_time", "comment", "encoded_by"}
_KINDS = {"video": "pictures", "audio": "sound", "subtitle": "subtitles", "data": "data"}
_CAPTIONS = "A53_CC"


class Track(NamedTuple):
    """A stream beside the pictures that are coloured.

    Attributes:
        kind: video, audio, subtitle or data.
        codec: FFmpeg's name, "" where it has none.
        language: as the file names it, or "".
        roles: its dispositions, for example default, forced, comment.
    """

    kind: str
    codec: str
    language: str
    roles: frozenset[str]


@dataclass
class FilmFacts:
    """What can be seen of a film from outside and by its first frame; what only a whole reading tells is added then.

    Attributes:
        ending: of its file, ``.mkv``.
        size: width and height of its first frame as it is shown upright, in pixels.
        pixel_shape: width of a pixel by its height, upright.
        bits: of each channel.
        is_transparent: whether it has an alpha channel.
        tracks, attachments, chapters, titles, timecode: what goes with it.
        coarse: whether times are whole milliseconds.
        sizes: of all frames, where they change.
        interlaced, captioned: how many frames are made of two fields, or carry closed captions.
    """

    ending: str
    size: tuple[int, int] = (0, 0)
    pixel_shape: Fraction = Fraction(1)
    bits: int = 8
    is_transparent: bool = False
    tracks: list[Track] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    chapters: int = 0
    titles: dict[str, str] = field(default_factory=dict)
    timecode: str = ""
    coarse: bool = False
    sizes: set[tuple[int, int, Fraction]] = field(default_factory=set)
    interlaced: int = 0
    captioned: int = 0


def describe(path: Path, ending: str | None = None) -> FilmFacts:
    """Look at a film, whose file may have another ending than it will.

    Raises:
        ValueError: see :func:`open_film`; it holds no moving pictures, or none can be decoded.
    """
    with open_film(path) as container:
        facts = FilmFacts(ending or path.suffix.lower())
        pictures = moving(container)
        for stream in container.streams:
            if stream.type == "attachment":
                facts.attachments.append(stream.metadata.get("filename", "without a name"))
            elif stream.type == "video" and is_cover(stream):
                facts.attachments.append("its cover")
            elif stream != pictures and "timecode" not in stream.metadata:
                codec = stream.codec_context.name if stream.codec_context else ""
                facts.tracks.append(Track(stream.type, codec, stream.metadata.get("language", ""), _roles(stream)))
        facts.chapters = len(container.chapters())
        facts.titles = {key.lower(): value for key, value in container.metadata.items() if key.lower() not in _OWN}
        facts.timecode = timecode_of(container)
        facts.coarse = bool({"matroska", "webm"} & set(container.format.name.split(",")))
        facts.pixel_shape = pictures.sample_aspect_ratio or Fraction(1)
        if pictures.format:
            facts.bits = max(component.bits for component in pictures.format.components)
            facts.is_transparent = len(pictures.format.components) in (2, 4)
        frame = _first_frame(container, pictures)
        if frame is not None:
            facts.size = frame.width, frame.height
            if frame.rotation % 180:
                facts.size, facts.pixel_shape = facts.size[::-1], 1 / facts.pixel_shape
    return facts


def _first_frame(container: Any, stream: Any) -> Any:
    for packet in packets(container, [stream]):
        try:
            for frame in packet.decode():
                return frame
        except pyav().error.FFmpegError:
            continue
    try:
        return next(iter(stream.decode(None)), None)
    except pyav().error.FFmpegError:
        return None


def _roles(stream: Any) -> frozenset[str]:
    return frozenset(role.name for role in pyav().stream.Disposition if role.value and stream.disposition & role)


def has_captions(frame: Any) -> bool:
    """Whether a frame carries closed captions."""
    return any(data.type.name == _CAPTIONS for data in frame.side_data)


def differences(before: FilmFacts, after: FilmFacts) -> list[str]:
    """Say what a result no longer has, a sentence each."""
    said = []
    shapes = len(before.sizes)
    if before.interlaced:
        said.append(f"It was interlaced ({before.interlaced:,} frames); their fields were made whole frames (bwdif).")
    if shapes > 1:
        W, H = before.size
        said.append(f"Its frames have {shapes} sizes or shapes; all were fitted whole into the {W}×{H} of the first.")
    if before.size != after.size:
        (w, h), (W, H) = before.size, after.size
        said.append(
            f"Its {w}×{h} pixels became {W}×{H}: the edge was repeated, since colours are stored for two by two."
        )
    if before.pixel_shape != after.pixel_shape:
        said.append(f"Its pixels are not square ({before.pixel_shape}), which the coloured one does not tell.")
    if before.bits > after.bits:
        said.append(f"It has {before.bits} bits; the coloured one has {after.bits} (--archive keeps them).")
    if before.is_transparent and not after.is_transparent:
        said.append("Its transparency is lost.")
    if before.captioned:
        said.append(f"Its closed captions ({before.captioned:,} frames) are lost.")
    if after.coarse and not before.coarse:
        said.append(f"It was written as {after.ending[1:]}; Matroska's clock ticks in milliseconds.")
    said += _tracks(before, after)
    lost = Counter(before.attachments) - Counter(after.attachments)
    if "its cover" in lost and len(after.attachments) >= len(before.attachments):
        del lost["its cover"]  # a picture in a stream of its own became an attachment
    if lost:
        said.append(f"Files of {after.ending} do not hold what was attached: {', '.join(sorted(lost))}.")
    if after.chapters < before.chapters:
        said.append(f"{before.chapters - after.chapters} of its {before.chapters} chapters are lost.")
    if before.timecode and not after.timecode:
        said.append(f"Its timecode ({before.timecode}) is lost.")
    titles = sorted(before.titles.keys() - after.titles.keys())
    if titles:
        said.append(f"Files of {after.ending} do not hold all that it says of itself: {', '.join(titles)}.")
    return said


def _tracks(before: FilmFacts, after: FilmFacts) -> list[str]:
    kept, missing, changed = list(after.tracks), [], []
    for track in before.tracks:
        same = next((other for other in kept if other[:2] == track[:2]), None)
        if same is None:
            missing.append(track)
            continue
        kept.remove(same)
        if same.language != track.language and track.language not in ("", "und"):
            changed.append(f"the language of its {_KINDS[track.kind]} ({track.language})")
        roles = track.roles - same.roles - {"default"}
        if roles:
            changed.append(f"the mark of its {_KINDS[track.kind]} as {', '.join(sorted(roles))}")
    said, lost = [], []
    for track in missing:
        what = f"{_KINDS.get(track.kind, track.kind)} ({track.codec or 'of an unknown kind'})"
        anew = next((other for other in kept if other.kind == track.kind), None)
        if anew is None:
            lost.append(what)
        else:
            kept.remove(anew)
            said.append(f"Its {what} does not fit into {after.ending} files and was encoded anew ({anew.codec}).")
    if lost:
        said.append(f"Tracks that do not fit into {after.ending} files were left out: {', '.join(lost)}.")
    if changed:
        said.append(f"Files of {after.ending} do not tell {', '.join(changed)}.")
    return said
