"""XMP: where it lies in a JPEG, and what of it speaks of pixels that have changed.

References:
    XMP Specification Part 3 (2020), for where it lies; Android, "Ultra HDR Image Format" 1.1, for gain maps.
"""

import hashlib
import re
import struct

PACKET = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
GAIN_MAP = re.compile(rb"hdrgm:|HDRGainMap:|urn:iso:std:iso:ts:21496")


def true_xmp(xmp: bytes, size: tuple[int, int]) -> bytes:
    """Return a packet that is true of an upright, coloured picture of ``size`` (H, W); all else stays as it is.

    Without the small copies in it, and without what it says of a gain map.
    """
    if xmp[:2] in (b"\xff\xfe", b"\xfe\xff"):
        xmp = xmp.decode("utf-16", "replace").encode()
    for name, value in ((b"tiff:Orientation", 1), (b"photoshop:ColorMode", 3)):
        xmp = _with_value(xmp, name, b"%d" % value)
    for names, side in zip(
        ((b"tiff:ImageLength", b"exif:PixelYDimension"), (b"tiff:ImageWidth", b"exif:PixelXDimension")),
        size,
        strict=True,
    ):
        for name in names:
            xmp = _with_value(xmp, name, b"%d" % side)
    xmp = re.sub(rb"(?s)<xmp:Thumbnails\b.*?</xmp:Thumbnails>", b"", xmp)
    if GAIN_MAP.search(xmp):
        for prefix in (b"hdrgm", b"HDRGainMap"):
            xmp = re.sub(
                rb"(?s)<%b:(\w+)\b[^>]*(?<!/)>.*?</%b:\1>|<%b:\w+\b[^>]*/>" % (prefix, prefix, prefix), b"", xmp
            )
            xmp = re.sub(rb"""\s(?:%b:\w+|xmlns:%b)\s*=\s*(?:"[^"]*"|'[^']*')""" % (prefix, prefix), b"", xmp)
        xmp = re.sub(rb"(?s)<(G?Container):Directory\b[^>]*>.*?</\1:Directory>", b"", xmp)
    return xmp


def extended_xmp(xmp: bytes, most: int) -> tuple[bytes, list[bytes]]:
    """Part a packet that is too long for a segment of a JPEG into a short one, and segments of its continuation.

    The short one holds what says that a machine coloured it, which not every program looks for any further.

    Args:
        most: bytes of the packet in one segment.
    """
    own = re.search(rb"<rdf:Description [^>]*DigitalSourceType[^>]*/>", xmp)
    mark = own[0] if own else b""
    rest = re.sub(rb"(?s)<\?xpacket.*?\?>", b"", xmp.replace(mark, b"") if mark else xmp).strip()
    name = hashlib.md5(rest, usedforsecurity=False).hexdigest().upper().encode()  # what the standard asks for
    head = EXTENDED + name + struct.pack(">I", len(rest))
    parts = [head + struct.pack(">I", at) + rest[at : at + most] for at in range(0, len(rest), most)]
    note = b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%b"/>'
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b"%b</rdf:RDF></x:xmpmeta>" % (note % name + mark)
    ), parts


def _with_value(xmp: bytes, name: bytes, value: bytes) -> bytes:
    """Give a property of XMP another value, wherever it stands, as an attribute or as an element."""
    xmp = re.sub(rb"(\b%b\s*=\s*)(?:\"[^\"]*\"|'[^']*')" % name, rb'\g<1>"%b"' % value, xmp)
    return re.sub(rb"(<%b>)[^<]*(</%b>)" % (name, name), rb"\g<1>%b\g<2>" % value, xmp)
