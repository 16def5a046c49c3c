"""Zips and tars: what lies in them, and the bytes of one picture after another.

Sizes that an archive declares are believed only as far as its own length makes them likely, and names lead nowhere
outside of it.
"""

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple, cast

from colorlib.pictures.kinds import HEAD

MAX_FILE_BYTES = 1 << 30
MAX_RATIO = 100  # an archive's content to its length; photographs hardly shrink, scans of blank paper do
MIN_BOUND = 256 << 20  # bytes that any archive may unpack to
MAX_HEADER_BYTES = 1 << 20  # of one name in a tar


@dataclass(frozen=True)
class Member:
    """One file: a path, a stretch of an uncompressed tar, a member of a zip, or its bytes.

    Attributes:
        name: its path inside the folder or archive, with ``/``, that leads nowhere else (no ``..``, no drive).
        size: bytes, as declared.
        path: the file, or the archive.
        stamp: what changes with the content at equal length: the time of its last change, or a zip's checksum.
        offset: where it begins in ``path``, for a tar, unpacked if it is compressed.
        entry: the zip's own, for a zip, in which a name may occur twice.
        data: the bytes, where they can be read only in sequence (a compressed tar).
    """

    name: str
    size: int
    path: Path
    stamp: int = 0
    offset: int | None = None
    entry: zipfile.ZipInfo | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)

    @property
    def is_file(self) -> bool:
        """Whether ``path`` is the file itself, which anybody can open."""
        return self.data is None and self.offset is None and self.entry is None

    def open(self) -> BinaryIO:
        """Open it to be read; too many bytes are a ValueError, a damaged zip raises what it will."""
        if self.size > MAX_FILE_BYTES:
            raise ValueError(f"file of {self.size / 2**30:.1f} GiB, more than {MAX_FILE_BYTES / 2**30:.0f}")
        if self.data is not None:
            return io.BytesIO(self.data)
        if self.offset is not None:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                return io.BytesIO(file.read(self.size))
        if self.entry is not None:
            if self.size > _bound(self.entry.compress_size):
                raise ValueError(f"{self.entry.compress_size:,} bytes that unpack to {self.size:,}, a bomb")
            with _zip(self.path).open(self.entry) as member:
                return io.BytesIO(member.read())
        return open(self.path, "rb")

    def source(self) -> Path | bytes:
        """Return what another process can read it from; errors as of :meth:`open`."""
        with self.open() as file:
            return self.path if self.is_file else file.read()


class Refused(NamedTuple):
    """What is there and cannot be read as a file: its name, why, and its kind in words that take an s."""

    name: str
    reason: str
    kind: str


Found = tuple[Member, Callable[[], bytes]] | Refused  # a file and what gives its first bytes, or what cannot be read


def list_zip(source: Path) -> Iterator[Found]:
    """Give the files of a zip; a name that occurs twice is two files."""
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():

            def head(entry: zipfile.ZipInfo = entry) -> bytes:
                with contextlib.suppress(Exception), archive.open(entry) as file:  # damaged or encrypted
                    return file.read(HEAD)
                return b""

            if not entry.is_dir():
                yield Member(_inside(entry.filename), entry.file_size, source, entry.CRC, entry=entry), head


def list_tar(source: Path) -> Iterator[Found]:
    """Give the files of a tar, compressed or not."""
    with _content(source) as content, tarfile.TarFile(fileobj=cast(IO[bytes], content)) as archive:
        for m in archive:
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            name = _inside(m.name)
            if m.isreg():

                def head(m: tarfile.TarInfo = m) -> bytes:
                    return content.at(m.offset_data, min(m.size, HEAD))

                yield Member(name, m.size, source, int(m.mtime), m.offset_data), head
            elif m.issym() or m.islnk():
                yield Refused(name, f"is a link to {m.linkname} inside an archive", "link")
            elif not m.isdir():
                yield Refused(name, "is a pipe or device and no file", "pipe, socket or device")
        if content.last.strip(b"\0"):
            raise tarfile.ReadError("a header in its middle is none")  # which tarfile takes for the end


def is_compressed(source: Path) -> bool:
    """Tell whether a tar can only be read from front to back."""
    with _content(source) as content:
        return content.compressed


def stream_tar(source: Path, wanted: list[Member]) -> Iterator[Member]:
    """Give members of a compressed tar with their bytes, in the order in which they lie there."""
    with _content(source) as content:
        for m in wanted:
            data = content.at(cast(int, m.offset), m.size) if m.size <= MAX_FILE_BYTES else b""
            yield Member(m.name, m.size, source, m.stamp, data=data)


@contextlib.contextmanager
def archive_errors(source: Path) -> Iterator[None]:
    """Turn whatever damaged archives raise into a ValueError that names this one."""
    try:
        yield
    except (*_DAMAGE, EOFError, UnicodeDecodeError) as error:
        raise ValueError(f"{source} is damaged or no archive ({error}); download or pack it again.") from None


_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error)


def _inside(name: str) -> str:
    """Return the name of an archive's member as a path that leads nowhere outside, with ``/``."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in ("/", "//", "..") and not part.endswith(":")) or "unnamed"


class _Content:
    """The bytes of a tar, unpacked, to be read forwards; what it declares and what it unpacks to is bounded."""

    def __init__(self, file: BinaryIO, source: Path) -> None:
        start = file.read(6)
        file.seek(0)
        openers: dict[bytes, Callable[[BinaryIO], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
            b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
            b"BZh": bz2.BZ2File,
            b"\xfd7zXZ\0": lzma.LZMAFile,
        }
        opener = next((opener for magic, opener in openers.items() if start.startswith(magic)), None)
        self.compressed = opener is not None
        self._file = opener(file) if opener else file
        self._source = source
        self._most = _bound(source.stat().st_size)
        self.tell = self._file.tell
        self.last = b""

    def seek(self, position: int) -> int:
        self._check(position)
        return self._file.seek(position)

    def read(self, size: int) -> bytes:
        """Read part of a header; a name that fills the memory is refused."""
        if size > MAX_HEADER_BYTES:
            raise ValueError(f"{self._source} holds a name of {size:,} bytes: it is damaged or a bomb.")
        self._check(self.tell())
        self.last = self._file.read(size)
        return self.last

    def at(self, position: int, size: int) -> bytes:
        """Return the bytes of a member; where it is compressed, positions must grow."""
        self._check(position)
        self._file.seek(position)
        return self._file.read(size)

    def _check(self, position: int) -> None:
        if self.compressed and position > self._most:
            raise ValueError(f"{self._source} unpacks to more than {self._most:,} bytes: it is a bomb.")


@contextlib.contextmanager
def _content(source: Path) -> Iterator[_Content]:
    with open(source, "rb") as file:
        yield _Content(file, source)


def _bound(length: int) -> int:
    """Return how many bytes so many packed ones may unpack to."""
    return max(MIN_BOUND, MAX_RATIO * length)


@lru_cache(maxsize=1)
def _zip(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)
