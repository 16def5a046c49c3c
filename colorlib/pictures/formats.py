"""What a picture file is: the formats that are read and written, the endings of their names, and archives of them.

A file's format is told by how it begins, never by its name; no other decoder is ever asked. There is nothing among them
that is a program, like PostScript, or a description of a page, like SVG and PDF.
"""

import re
from pathlib import Path, PurePath

FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "PPM": (".ppm", ".pgm", ".pnm"),
    "JPEG2000": (".jp2", ".j2k", ".jpf", ".jpx"),
    "AVIF": (".avif",),
    "HEIC": (".heic", ".heif", ".hif"),
    "TGA": (".tga",),
}
"""What is read, each with the endings by which its files are found."""
SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}
WRITTEN = {name: FORMATS[name][0] for name in ("JPEG", "PNG", "TIFF", "WEBP")}
"""What is written, each with the ending of new files."""
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_BEGINNINGS = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "WEBP": rb"RIFF....WEBP",
    "GIF": rb"GIF8[79]a",
    "BMP": rb"BM",
    "PPM": rb"P[1-6]\s",
    "JPEG2000": rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
    "AVIF": rb"....ftyp(avif|avis|(mif1|miaf|MA1A|MA1B).{0,64}?avif)",
    "HEIC": rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1|miaf)",
    "TGA": rb".[\0\1][\1-\3\x09-\x0b].{13}[\x08\x0f\x10\x18\x20][\0-\x3f]",  # no sign of its own: it comes last
}
_OTHERS = {
    rb"%PDF": "a PDF",
    rb"%!PS|\xc5\xd0\xd3\xc6": "PostScript, not a picture",
    rb"PK\x03\x04": "a zip archive",
    rb".{0,400}<svg": "an SVG",
    rb"<|\xef\xbb\xbf<": "a page of the web",
    rb"\xff\x0a|\0\0\0\x0cJXL ": "a JPEG XL picture, which is not read",
    rb"8BPS": "a Photoshop document",
    rb"SDPX|XPDS|\x76\x2f\x31\x01": "a film scanner's DPX or an OpenEXR picture, which are not read",
    rb"FUJIFILMCCD|FOVb|....ftypcrx|II[RU]": "a camera's raw file",
    rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ": "a film",
}


def format_of(head: bytes) -> str:
    """Tell a picture's format by the first bytes of its file.

    Returns:
        A key of ``FORMATS``.

    Raises:
        ValueError: it is none of them; the message says what else it is, where that is known.

    Example:
        >>> format_of(b"GIF89a")
        'GIF'
    """
    if not head:
        raise ValueError("an empty file")
    for name, beginning in _BEGINNINGS.items():
        if name != "TGA" and re.match(beginning, head, re.DOTALL):
            return name
    for beginning, what in _OTHERS.items():
        if re.match(beginning, head, re.DOTALL):
            raise ValueError(f"{what}, whatever its name says")
    if re.match(_BEGINNINGS["TGA"], head, re.DOTALL):
        return "TGA"
    raise ValueError("not a picture of a kind that is read")


def is_picture(name: PurePath | str) -> bool:
    """Tell by its name, a path inside a folder or archive, whether a file is a picture and not hidden."""
    path = PurePath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower().rstrip() in SUFFIXES


def is_archive(path: Path | str) -> bool:
    """Tell by its name whether a file is an archive whose photographs can be listed."""
    return str(path).lower().endswith(ARCHIVES)
