"""What a picture file is: the formats that are read and written, the endings of their names, and archives of them."""

from pathlib import Path, PurePath

FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "PPM": (".ppm", ".pgm", ".pnm"),
    "JPEG2000": (".jp2",),
    "AVIF": (".avif",),
    "TGA": (".tga",),
}
"""What is read, told by its content, never by its name; each with the endings by which its files are found. There is
nothing among them that is a program, like PostScript."""
SUFFIXES = {suffix for suffixes in FORMATS.values() for suffix in suffixes}
WRITTEN = {name: FORMATS[name][0] for name in ("JPEG", "PNG", "TIFF", "WEBP")}
"""What is written, each with the ending of new files."""
WRITTEN_SUFFIXES = {suffix for name in WRITTEN for suffix in FORMATS[name]}
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def is_picture(name: PurePath | str) -> bool:
    """Tell by its name, a path inside a folder or archive, whether a file is a picture and not hidden."""
    path = PurePath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in SUFFIXES


def is_archive(path: Path | str) -> bool:
    """Tell by its name whether a file is an archive whose photographs can be listed."""
    return str(path).lower().endswith(ARCHIVES)
