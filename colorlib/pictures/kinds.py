"""What lies beside photographs: files of other kinds, told by their endings, without one by how they begin."""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath

_ENDINGS = {
    "JPEG XL photograph": "jxl",
    "raw photograph": "dng cr2 cr3 crw nef nrw arw srf sr2 raf orf rw2 pef srw x3f 3fr iiq kdc dcr mrw erf rwl raw",
    "layered or drawn picture": "psd psb xcf kra ai eps ps svg cdr",
    "film": "mp4 m4v mov avi mkv webm mts m2ts mpg mpeg m2v wmv vob ts 3gp flv mxf dv ogv",
    "sound": "mp3 m4a wav flac ogg aac wma aif aiff",
    "document": "pdf txt md rtf doc docx odt xls xlsx ods csv ppt pptx odp html htm tex",
    "archive": "zip tar gz tgz bz2 xz 7z rar",
    "file about a photograph": "xmp aae thm xml json yml yaml pp3 dop lrcat",
}
_KIND = {f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_STARTS = {
    rb"\xff\xd8\xff|\x89PNG\r\n|II\*\0|MM\0\*|II\+\0|MM\0\+|GIF8|RIFF....WEBP|....jP  ": "photograph",
    rb"....ftyp(avi|hei|hev|mif|msf|mia)": "photograph",
    rb"....ftyp|\x1aE\xdf\xa3": "film",
    rb"%PDF": "document",
    rb"PK\x03\x04|\x1f\x8b": "archive",
}
HEAD = 16  # bytes that tell


def has_ending(name: str) -> bool:
    """Tell whether a file's name says what it is: it has an ending, or is hidden."""
    path = PurePath(name)
    return bool(path.suffix) or any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def kind_of(name: str, head: Callable[[], bytes]) -> str:
    """Return what kind of file it is that is no photograph by its name, in words that take an s.

    Args:
        name: its path inside a folder or archive, with ``/``.
        head: gives its first bytes; asked only where the ending is unknown.

    Returns:
        "photograph" for one under another ending, "other file" where nothing tells.

    Example:
        >>> kind_of("2019/film.MOV", lambda: b"")
        'film'
    """
    path = PurePath(name)
    if path.name.startswith(".") or path.name.casefold() in ("thumbs.db", "desktop.ini") or "__MACOSX" in path.parts:
        return "hidden file"
    if kind := _KIND.get(path.suffix.lower()):
        return kind
    start = head()
    return next((kind for begin, kind in _STARTS.items() if re.match(begin, start, re.DOTALL)), "other file")


def in_words(counts: Mapping[str, int]) -> str:
    """Say how many files of each kind there are.

    Example:
        >>> in_words({"film": 2, "raw photograph": 1})
        '2 films, 1 raw photograph'
    """
    return ", ".join(f"{number:,} {kind}{'' if number == 1 else 's'}" for kind, number in sorted(counts.items()))
