"""Pictures: every photograph is read and written here, whatever its format, bits, profile and metadata.

Reading rests on no torch, so that a process that only reads starts quickly; ``shrinking`` and ``tone`` do.
"""

from colorlib.pictures.listing import list_photographs
from colorlib.pictures.picture import Picture
from colorlib.pictures.reading import picture_of, read_centre, read_picture
from colorlib.pictures.writing import png_bytes, write_picture

__all__ = [
    "Picture",
    "list_photographs",
    "picture_of",
    "png_bytes",
    "read_centre",
    "read_picture",
    "write_picture",
]
