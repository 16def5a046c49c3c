"""The photographs of a folder, a zip or a tar, by name; and what else lies there.

Nothing is passed over in silence: what is no photograph is counted by kind, and what should be one and cannot be read
at all (a pipe, a link to nothing, a subfolder that may not be entered) is named.
"""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from colorlib.pictures.archives import (
    Found,
    Member,
    Refused,
    archive_errors,
    is_compressed,
    list_tar,
    list_zip,
    stream_tar,
)
from colorlib.pictures.formats import ARCHIVES, SUFFIXES, is_archive, is_picture
from colorlib.pictures.kinds import HEAD, has_ending, kind_of


@dataclass(frozen=True)
class Listing:
    """What a folder or archive holds.

    Attributes:
        members: (name, bytes) of every picture file, in the order of preparation.
        ignored: how many files there are of each other kind, in words that take an s: ``{"film": 2}``.
        problems: (name, reason) of what should be a photograph, or hold some, and cannot be read at all.
        digest: 16 hexadecimal digits that change when a photograph is added, removed or replaced.
        read: gives the members from a position on; a damaged archive is a ValueError.
    """

    members: list[tuple[str, int]]
    ignored: dict[str, int]
    problems: list[tuple[str, str]]
    digest: str
    read: Callable[[int], Iterator[Member]]


def list_photographs(source: Path | str) -> Listing:
    """List the picture files of a folder (with its subfolders), a zip or a tar, sorted by name.

    A file without any ending is one if it begins like one. A compressed tar keeps its own order, since it can only be
    read from front to back. Links to files are followed, links to folders are named as problems.

    Raises:
        FileNotFoundError: there is no such folder or archive.
        PermissionError: it may not be read.
        ValueError: the archive is damaged, of no known kind or a bomb, or there is no picture in it.
    """
    source = Path(source)
    if not source.exists():
        raise FileNotFoundError(f"there is no folder or archive {source}.")
    if not source.is_dir() and not (is_archive(source) and source.is_file()):
        raise ValueError(f"{source} is neither a folder nor an archive ({', '.join(ARCHIVES)}).")
    is_zip = source.suffix.lower() == ".zip"
    pictures: list[Member] = []
    problems: list[tuple[str, str]] = []
    ignored: Counter[str] = Counter()
    with archive_errors(source):
        in_order = source.is_dir() or is_zip or not is_compressed(source)
        for found in _list_folder(source) if source.is_dir() else list_zip(source) if is_zip else list_tar(source):
            if isinstance(found, Refused):
                if is_picture(found.name) or found.kind == "folder":
                    problems.append((found.name, found.reason))
                else:
                    ignored[found.kind] += 1
            elif (kind := _kind(*found)) == "photograph":
                pictures.append(found[0])
            else:
                ignored[kind] += 1
    if not pictures:
        others = "".join(f"; {name} {reason}" for name, reason in problems[:1])
        raise ValueError(
            f"{source} holds no pictures ({ignored.total():,} other files{others}; pictures end in "
            f"{', '.join(sorted(SUFFIXES))})."
        )
    if in_order:
        pictures.sort(key=lambda member: member.name)
    stamps = repr([(m.name, m.size, m.stamp) for m in pictures])

    def read(start: int) -> Iterator[Member]:
        with archive_errors(source):
            yield from pictures[start:] if in_order else stream_tar(source, pictures[start:])

    digest = hashlib.sha256(stamps.encode()).hexdigest()[:16]
    return Listing([(m.name, m.size) for m in pictures], dict(ignored), sorted(problems), digest, read)


def printable(name: str) -> str:
    r"""Return a file's name as text that can be written anywhere: bytes that are not UTF-8 become ``\xe9``.

    Example:
        >>> printable("caf\udce9.jpg")
        'caf\\xe9.jpg'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _kind(member: Member, head: Callable[[], bytes]) -> str:
    if is_picture(member.name):
        return "photograph"
    kind = kind_of(member.name, head)
    return "oddly named photograph" if kind == "photograph" and has_ending(member.name) else kind


def _list_folder(source: Path) -> Iterator[Found]:
    folders = [source]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            if folder == source:
                raise
            name = folder.relative_to(source).as_posix()
            yield Refused(name, f"may not be entered ({error.strerror})", "folder")
            continue
        for entry in entries:
            path = folder / entry.name
            name = path.relative_to(source).as_posix()
            try:
                about = path.stat()
            except OSError as error:
                what = "is a broken link" if entry.is_symlink() else "cannot be read"
                yield Refused(name, f"{what} ({error.strerror})", "broken link")
                continue
            if stat.S_ISREG(about.st_mode):
                yield Member(name, about.st_size, path, about.st_mtime_ns), lambda path=path: _head(path)
            elif not stat.S_ISDIR(about.st_mode):
                yield Refused(name, "is a pipe, socket or device and no file", "pipe, socket or device")
            elif entry.is_symlink():
                yield Refused(name, "is a link to a folder, which is not followed; name that folder itself", "folder")
            else:
                folders.append(path)


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""
