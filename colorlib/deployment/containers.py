"""Films as files: opened within bounds, their streams, their packets as far as they can be read."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}
"""Endings that are written, and how FFmpeg calls them."""
FILM_ENDINGS = {*CONTAINERS, ".mpg", ".mpeg", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv", ".3gp"}
FILM_ENDINGS |= {".mxf", ".dv", ".asf", ".divx"}

MAX_PIXELS = 1 << 26  # of a frame: 8K has half as many
PATIENCE = 15.0  # seconds in which a file must be opened, and each packet be found
_LISTS = {"hls", "dash", "concat", "imf", "tty", "lavfi"}  # texts that name other files, or are drawn


def pyav() -> Any:
    """Import PyAV.

    Raises:
        RuntimeError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise RuntimeError("films need PyAV, which is not installed: pip install 'colorlib[film]'.") from None
    return av


def open_film(path: Path) -> Any:
    """Open a film for reading; only this file is read, and no frame may be larger than ``MAX_PIXELS``.

    Raises:
        ValueError: it is no film, damaged at its beginning, a pipe or device; in one sentence.
    """
    av = pyav()
    if not path.is_file():
        raise ValueError(f"{path} is no film but a {'folder' if path.is_dir() else 'pipe, a socket or a device'}.")
    options = {"protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
    try:
        container = av.open(f"file:{path}", options=options, timeout=PATIENCE, metadata_errors="replace")
    except av.error.ExitError:
        raise ValueError(f"{path} cannot be read: it could not be opened within {PATIENCE:.0f} seconds.") from None
    except av.error.FFmpegError as error:
        damaged = isinstance(error, av.error.InvalidDataError)
        why = "it is damaged, cut short or no film" if damaged else error.strerror
        raise ValueError(f"{path} cannot be read: {why}.") from None
    if set(container.format.name.split(",")) & _LISTS:
        container.close()
        raise ValueError(f"{path} cannot be read: it is a list of files or a text, and no film.")
    return container


def moving(container: Any) -> Any:
    """Return the stream of moving pictures; the cover of a record is none.

    Raises:
        ValueError: there is no such stream.
    """
    for stream in container.streams.video:
        if not is_cover(stream) and stream.codec_context is not None:
            return stream
    path = container.name.removeprefix("file:")
    raise ValueError(f"{path} holds no moving pictures{', only sound' if container.streams.audio else ''}.")


def is_cover(stream: Any) -> bool:
    """Whether a stream of pictures is one still picture."""
    return bool(stream.disposition & pyav().stream.Disposition.attached_pic)


def packets(container: Any, streams: Iterable[Any]) -> Iterator[Any]:
    """Yield the packets of some streams as far as the file can be read, without empty ones, which mean nothing."""
    wanted = list(streams)
    found = container.demux(*wanted) if wanted else iter(())
    while True:
        try:
            packet = next(found)
        except (StopIteration, pyav().error.FFmpegError, IndexError):  # PyAV counts streams that begin later at its end
            return
        if packet.size:
            yield packet


def decode_through(source: Path) -> None:
    """Decode all moving pictures of a film as far as they can be read, and keep none.

    Raises:
        ValueError: see :func:`open_film` and :func:`moving`.
    """
    with open_film(source) as container:
        for packet in packets(container, [moving(container)]):
            with contextlib.suppress(pyav().error.FFmpegError):  # what is lost is said by who reads it in earnest
                packet.decode()


def timecode_of(container: Any) -> str:
    """Return the timecode of a film's first frame, whichever of its streams tells it; or ""."""
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        for key, value in metadata.items():
            if key.lower() == "timecode":
                return value
    return ""
