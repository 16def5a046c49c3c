"""What a photograph carries beside its pixels, and what of it still holds after colouring."""

import contextlib
import re
import struct
from typing import Any

from PIL import ExifTags, Image

_LAYOUT_TAGS = {254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 277, 278, 279, 280, 281, 284, 317, 318, 319, 320}


def _metadata(image: Image.Image) -> dict[str, Any]:
    carried: dict[str, Any] = {}
    info = image.info
    with contextlib.suppress(Exception):
        if exif := image.getexif().tobytes():
            carried["exif"] = exif
    for name in ("icc_profile", "comment"):
        if isinstance(info.get(name), bytes) and info[name]:
            carried[name] = info[name]
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
    return carried


def _upright_exif(data: bytes, width: int, height: int) -> bytes:
    exif = Image.Exif()
    try:
        exif.load(data)
        for tag in _LAYOUT_TAGS & set(exif):
            del exif[tag]
        if ExifTags.Base.Orientation in exif:
            exif[ExifTags.Base.Orientation] = 1
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        for tag, side in ((ExifTags.Base.ExifImageWidth, width), (ExifTags.Base.ExifImageHeight, height)):
            if tag in inner:
                inner[tag] = side
        return exif.tobytes()
    except Exception:  # a broken EXIF block does not spoil the picture
        return b""
