"""What a photograph carries beside its pixels, and what of it still holds after colouring."""

import contextlib
import re
import struct
from typing import Any

from PIL import ExifTags, Image

_LAYOUT_TAGS = {262, 263, 266, 273, 284, 330, 347, 700, 34675, *range(254, 260), *range(277, 282), *range(317, 326)}
_LAYOUT_TAGS |= {*range(338, 342), *range(512, 522), *range(529, 533)}
"""What TIFF's tags say of how the pixels lay in the file, and XMP and the profile, which are carried by themselves."""


def read_metadata(image: Image.Image, size: tuple[int, int]) -> dict[str, Any]:
    """Return what a decoded image carries beside its pixels and its profile, as Pillow's ``save`` names it.

    Args:
        size: (H, W) of the upright picture, which is what it shall be true of.
    """
    carried: dict[str, Any] = {}
    info = image.info
    with contextlib.suppress(Exception):  # a broken EXIF block does not spoil the picture
        if exif := image.getexif().tobytes():
            carried["exif"] = _upright_exif(exif, size)
    if isinstance(info.get("comment"), bytes) and info["comment"]:
        carried["comment"] = info["comment"]
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if xmp:
        xmp = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
        carried["xmp"] = re.sub(rb'(tiff:Orientation(?:>|="))[2-8]', rb"\g<1>1", xmp)
    dpi = info.get("dpi")
    if dpi and all(0 < float(number) < 1e5 for number in dpi):
        carried["dpi"] = tuple(float(number) for number in dpi)
    if captions := [body for marker, body in getattr(image, "applist", ()) if marker == "APP13"]:
        carried["extra"] = b"".join(b"\xff\xed" + struct.pack(">H", len(body) + 2) + body for body in captions)
    if image.format == "PNG":
        carried["text"] = {k: v for k, v in info.items() if isinstance(v, str) and k != "XML:com.adobe.xmp"}
    if image.format == "TIFF":
        carried["compression"] = info.get("compression")
    if info.get("lossless"):
        carried["lossless"] = True
    return carried


def _upright_exif(data: bytes, size: tuple[int, int]) -> bytes:
    exif = Image.Exif()
    exif.load(data)
    for tag in _LAYOUT_TAGS & set(exif):
        del exif[tag]
    if ExifTags.Base.Orientation in exif:
        exif[ExifTags.Base.Orientation] = 1
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    for tag, side in zip((ExifTags.Base.ExifImageHeight, ExifTags.Base.ExifImageWidth), size, strict=True):
        if tag in inner:
            inner[tag] = side
    return exif.tobytes()
