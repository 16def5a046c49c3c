"""Pictures: every photograph is read and written here, whatever its format, bits, profile and metadata."""

from colorlib.pictures.listing import list_photographs
from colorlib.pictures.picture import Picture
from colorlib.pictures.reading import picture_of, read_centre, read_picture
from colorlib.pictures.shrinking import shrink, working_size
from colorlib.pictures.tone import tone_of
from colorlib.pictures.writing import png_bytes, write_picture

__all__ = [
    "Picture",
    "list_photographs",
    "picture_of",
    "png_bytes",
    "read_centre",
    "read_picture",
    "shrink",
    "tone_of",
    "working_size",
    "write_picture",
]
