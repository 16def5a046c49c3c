"""Which photographs are to be coloured, and where each result may be written.

Every path that a result gets is chosen by :func:`free_place`: never over a source, never over the result of another
photograph, and never over a file that is not ours, which its mark tells (:mod:`colorlib.pictures.mark`).
"""

import errno
import itertools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from colorlib.pictures.archives import Member, is_compressed
from colorlib.pictures.formats import FORMATS, SUFFIXES, WRITTEN, is_archive
from colorlib.pictures.kinds import in_words
from colorlib.pictures.listing import list_photographs
from colorlib.pictures.mark import read_mark

T = TypeVar("T")

DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # after which no other result can be written either
NAME_BYTES = 255  # the longest name of a file, nearly everywhere
EARLIER = "earlier result"
_COLOURED = "-coloured"


class Job(NamedTuple):
    """One photograph or film to colour.

    Attributes:
        source: the file; for a member of an archive its name below that of the archive, ``album.zip/attic/a.jpg``.
        target: where the result is wanted; its ending may be another, and its name if that is taken.
        member: what is to be opened in an archive.
    """

    source: Path
    target: Path
    member: Member | None = None


@dataclass
class Plan:
    """What there is to do.

    Attributes:
        jobs: photographs, each once.
        ignored: what else lies in the folders and archives: kind, in words that take an s -> how many.
        problems: (file or folder that cannot be looked at, reason in one sentence).
        out: the one folder of the results, if there is one.
    """

    jobs: list[Job] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    out: Path | None = None


def plan(sources: Iterable[Path | str], out: Path | str | None = None, force: bool = False) -> Plan:
    """List the photographs of files, folders and archives, and where their results are wanted.

    Args:
        sources: files; folders with any subfolders; zips and tars that are not compressed.
        out: a folder, in which the shape of folders and archives is kept. Without one a result goes beside its file as
            ``NAME-coloured.jpg``, and those of a folder or archive into ``NAME-coloured`` beside it.
        force: take results of an earlier run for photographs, too; otherwise they are passed over.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: ``out`` is a file, or itself a folder of photographs to colour; or there are no photographs.
    """
    out = None if out is None else Path(out)
    if out and out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; name a folder for the coloured ones.")
    found = Plan(out=out)
    for source in _once(map(Path, sources), os.path.abspath):
        if out and source.is_dir() and source.resolve() == out.resolve():
            raise ValueError(f"{out} is the folder of the photographs; name another one for the coloured ones.")
        if source.is_dir() or (source.is_file() and is_archive(source)):
            _add_members(found, source, out or beside(source))
        elif source.is_file():
            found.jobs.append(Job(source, out / source.name if out else beside(source)))
        elif source.exists():
            found.problems.append((source, f"{source} is no file but a pipe, a socket or a device."))
        else:
            raise FileNotFoundError(f"there is no photograph or folder {source}.")
    all_jobs = _once(found.jobs, lambda job: id(job.member) if job.member else os.path.abspath(job.source))
    found.jobs = [job for job in all_jobs if force or job.member or not is_ours(job.source)]
    if earlier := len(all_jobs) - len(found.jobs):
        found.ignored[EARLIER] += earlier
    if not found.jobs:
        reasons = [reason for _, reason in found.problems]
        besides = f" ({in_words(found.ignored)})" if found.ignored else ""
        raise ValueError(reasons[0] if reasons else f"there are no photographs to colour{besides}.")
    return found


def beside(source: Path) -> Path:
    """Return where the result of a file, folder or archive is wanted when no folder is named for it."""
    source = source if source.name not in ("", "..") else source.resolve()
    if source.is_dir():
        return source.with_name(source.name + _COLOURED)
    if is_archive(source):
        return source.with_name(source.name.partition(".")[0] + _COLOURED)
    return source.with_name(f"{source.stem}{_COLOURED}{source.suffix}")


def with_ending(wanted: Path, format: str) -> Path:
    """Return a path whose ending says what is in the file; what only looks like an ending stays in the name.

    Args:
        format: a key of :data:`colorlib.pictures.formats.WRITTEN`.

    Example:
        >>> [with_ending(Path(name), "JPEG").name for name in ("a.JPEG", "a.png", "Photo 12.5")]
        ['a.JPEG', 'a.jpg', 'Photo 12.5.jpg']
    """
    ending = wanted.suffix.lower()
    if ending in FORMATS[format]:
        return wanted
    known = ending.rstrip() in SUFFIXES or ending == ".mpo"
    return wanted.with_name((wanted.stem if known else wanted.name) + WRITTEN[format])


def free_place(wanted: Path, taken: set[str], is_ours: Callable[[Path], bool]) -> Path:
    """Return ``wanted``, or a path with a name near it, at which a result may be written, and take it.

    Args:
        taken: the :func:`key` of every source and of every place that was given away; this one is added.
        is_ours: tells whether what is there already may be replaced.

    Example:
        >>> taken = {key(Path("a.jpg"))}
        >>> [free_place(Path("a.jpg"), taken, is_ours).name for _ in range(3)]
        ['a-coloured.jpg', 'a-coloured-2.jpg', 'a-coloured-3.jpg']
    """
    for place in _names(wanted):
        if key(place) not in taken and (not os.path.lexists(place) or is_ours(place)):
            taken.add(key(place))
            return place
    raise AssertionError("names do not run out")


def results_at(wanted: Path, taken: set[str]) -> Iterator[Path]:
    """Yield the files at which :func:`free_place` may have put a result, whatever its ending became."""
    for first in dict.fromkeys(with_ending(wanted, format) for format in WRITTEN):
        for place in itertools.takewhile(os.path.lexists, _names(first)):
            if key(place) not in taken:
                yield place


def is_ours(path: Path) -> bool:
    """Tell by its mark whether a picture is a result of ours; a link to one is not."""
    return path.is_file() and not path.is_symlink() and read_mark(path) is not None


def sentence(error: Exception, source: Path) -> str:
    """Return in one sentence why a photograph cannot be coloured."""
    if isinstance(error, MemoryError):
        reason = "the memory does not suffice for it"
    elif isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    else:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    reason = reason.removeprefix("the file cannot be coloured: ")  # of an archive's member
    return f"{reason}." if str(source) in reason else f"{source} cannot be coloured: {reason}."


def key(path: Path) -> str:
    """Return what is equal for two paths that may be one file, on file systems that ignore case as well."""
    return unicodedata.normalize("NFC", str(path.resolve())).casefold()


def _once(things: Iterable[T], identity: Callable[[T], object]) -> list[T]:
    found: dict[object, T] = {}
    for thing in things:
        found.setdefault(identity(thing), thing)
    return list(found.values())


def _add_members(found: Plan, source: Path, base: Path) -> None:
    """Add the photographs of a folder or archive, but not those that lie in the folder of the results."""
    try:
        listing = list_photographs(source)
        if not source.is_dir() and source.suffix.lower() != ".zip" and is_compressed(source):
            raise ValueError(f"{source} is compressed and can only be read from front to back; unpack it first.")
    except (ValueError, OSError) as error:
        found.problems.append((source, sentence(error, source)))
        return
    found.ignored.update(listing.ignored)
    found.problems += [(source / name, f"{source / name} {reason}.") for name, reason in listing.problems]
    if source.is_dir():
        results, paths = base.resolve(), [Path(name) for name, _ in listing.members]
        found.jobs += [Job(source / p, base / p) for p in paths if results not in (source / p).resolve().parents]
    else:
        found.jobs += [Job(source / member.name, base / member.name, member) for member in listing.read(0)]


def _names(wanted: Path) -> Iterator[Path]:
    """Yield ``a.jpg``, ``a-coloured.jpg``, ``a-coloured-2.jpg`` and so on, none longer than a name may be."""
    stem, word = re.findall(r"(?s)\A(.*?)(-coloured|-compare|)\Z", wanted.stem)[0]
    more = (f"{word or _COLOURED}-{number}" for number in itertools.count(2))
    for tail in itertools.chain([word] if word else ["", _COLOURED], more):
        short = stem
        while short and len(os.fsencode(f"{short}{tail}{wanted.suffix}")) > NAME_BYTES:
            short = short[:-1]
        yield wanted.with_name(f"{short}{tail}{wanted.suffix}")
