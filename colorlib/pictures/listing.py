"""The photographs of a folder, a zip or a tar, by name, and their bytes one by one."""

import contextlib
import hashlib
import io
import itertools
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from colorlib.pictures.formats import ARCHIVES, SUFFIXES, is_archive, is_picture

MAX_FILE_BYTES = 1 << 30


@dataclass(frozen=True)
class Member:
    """One picture file: a path, a stretch of an uncompressed tar, a member of a zip, or its bytes.

    Attributes:
        name: its path inside the folder or archive, with ``/``.
        size: bytes.
        path: the file, or the archive.
        offset: where it begins in ``path``, for a tar.
        data: the bytes, where they can be read only in sequence (a compressed tar).
    """

    name: str
    size: int
    path: Path
    offset: int | None = None
    data: bytes | None = field(default=None, repr=False)

    def open(self) -> BinaryIO:
        """Open it to be read; more than ``MAX_FILE_BYTES`` are a ValueError, a damaged zip raises what it will."""
        if self.size > MAX_FILE_BYTES:
            raise ValueError(f"file of {self.size / 2**30:.1f} GiB, more than {MAX_FILE_BYTES / 2**30:.0f}")
        if self.data is not None:
            return io.BytesIO(self.data)
        if self.offset is not None:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                return io.BytesIO(file.read(self.size))
        if self.path.suffix.lower() == ".zip":
            return io.BytesIO(_zip(self.path).read(self.name))
        return open(self.path, "rb")


@dataclass(frozen=True)
class Listing:
    """What a folder or archive holds.

    Attributes:
        members: (name, bytes) of every picture file, in the order of preparation.
        ignored: how many files are no pictures by their suffix.
        read: gives the members from a position on; a damaged archive is a ValueError.
    """

    members: list[tuple[str, int]]
    ignored: int
    read: Callable[[int], Iterator[Member]]

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change when a file is added, removed or of another length."""
        return hashlib.sha256(repr(self.members).encode()).hexdigest()[:16]


def list_photographs(source: Path | str) -> Listing:
    """List the picture files of a folder (with its subfolders), a zip or a tar, sorted by name.

    A compressed tar keeps its own order, since it can only be read from front to back.

    Raises:
        FileNotFoundError: there is no such folder or archive.
        ValueError: the archive is damaged or of no known kind, or there is no picture in it.
    """
    source = Path(source)
    if not source.exists():
        raise FileNotFoundError(f"there is no folder or archive {source}.")
    if not source.is_dir() and not is_archive(source):
        raise ValueError(f"{source} is neither a folder nor an archive ({', '.join(ARCHIVES)}).")
    with _archive_errors(source):
        if source.is_dir():
            found, in_order = _list_folder(source), True
        elif source.suffix.lower() == ".zip":
            found, in_order = _list_zip(source), True
        else:
            found, in_order = _list_tar(source)
    pictures = [member for member in found if is_picture(member.name)]
    if not pictures:
        raise ValueError(
            f"{source} holds no pictures ({len(found):,} other files; pictures end in {', '.join(sorted(SUFFIXES))})."
        )
    if in_order:
        pictures.sort(key=lambda member: member.name)

    def read(start: int) -> Iterator[Member]:
        with _archive_errors(source):
            yield from pictures[start:] if in_order else _stream_tar(source, start)

    return Listing([(m.name, m.size) for m in pictures], len(found) - len(pictures), read)


def _list_folder(source: Path) -> list[Member]:
    files = (path for path in source.rglob("*") if path.is_file())
    return [Member(path.relative_to(source).as_posix(), path.stat().st_size, path) for path in files]


def _list_zip(source: Path) -> list[Member]:
    with zipfile.ZipFile(source) as archive:
        return [Member(m.filename, m.file_size, source) for m in archive.infolist() if not m.is_dir()]


def _list_tar(source: Path) -> tuple[list[Member], bool]:
    """List a tar's files, and tell whether they can be read in any order (it is not compressed)."""
    try:
        archive, in_order = tarfile.open(source, "r:"), True
    except tarfile.ReadError:
        archive, in_order = tarfile.open(source, "r:*"), False
    with archive:
        return [Member(m.name, m.size, source, m.offset_data) for m in archive if m.isreg()], in_order


def _stream_tar(source: Path, start: int) -> Iterator[Member]:
    with tarfile.open(source, "r|*") as archive:
        pictures = (m for m in archive if m.isreg() and is_picture(m.name))
        for m in itertools.islice(pictures, start, None):
            file = archive.extractfile(m) if m.size <= MAX_FILE_BYTES else None
            yield Member(m.name, m.size, source, data=file.read() if file else b"")


@lru_cache(maxsize=1)
def _zip(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


@contextlib.contextmanager
def _archive_errors(source: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{source} is damaged or no archive ({error}); download or pack it again.") from None
