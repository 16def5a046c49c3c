"""The mark of a photograph that was coloured by a machine: which model made its colours, from which version.

It stands in the tag ``Software`` of EXIF, behind what stood there before, and for people and programs that look for
what was made by a machine in XMP, in IPTC's words. A file that carries it is a result and may be written anew.

Reference:
    IPTC Photo Metadata Standard 2025.1, "Digital Source Type" and "AI System Used"; the value
    ``compositeWithTrainedAlgorithmicMedia`` is IPTC's for a photograph to which a trained model added something.
"""

import mmap
import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from colorlib.pictures import tags
from colorlib.pictures.formats import format_of
from colorlib.pictures.metadata import SOFTWARE, Metadata, read_metadata
from colorlib.pictures.tags import Tag

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_SOFTWARE = re.compile(
    r"colorlib (?P<version>[^\s;]+) \(model (?P<model>[^;]+?)(, settings (?P<settings>[0-9a-f]{12}))?\)"
)


@dataclass(frozen=True)
class Mark:
    """Who coloured a photograph.

    Attributes:
        model: its name, or that of its run.
        version: of this library.
        settings: 12 hexadecimal digits of all that decides the pixels, from the photograph on; empty where unknown.
    """

    model: str
    version: str
    settings: str = ""

    @property
    def software(self) -> str:
        """The mark as the tag ``Software`` holds it.

        Example:
            >>> Mark("vivid", "0.2.0", "0123456789ab").software
            'colorlib 0.2.0 (model vivid, settings 0123456789ab)'
        """
        return f"colorlib {self.version} (model {self.model}{f', settings {self.settings}' * bool(self.settings)})"

    def on(self, metadata: Metadata) -> Metadata:
        """Return what a photograph carries with this mark added; an older one is replaced."""
        before = _software(metadata).strip()
        before = re.sub(rf"(; )?{_SOFTWARE.pattern}", "", before)
        software = (f"{before}; " if before else "") + self.software
        value = software.encode("utf-8") + b"\0"
        tag = Tag(tags.ASCII, len(value), value)
        return replace(metadata, tags=metadata.tags | {SOFTWARE: tag}, xmp=self._in_xmp(metadata.xmp))

    def _in_xmp(self, xmp: bytes) -> bytes:
        xmp = re.sub(rb"<rdf:Description [^>]*colorlib[^>]*DigitalSourceType[^>]*/>", b"", xmp)
        xmp = re.sub(rb"""\s[\w-]+:DigitalSourceType\s*=\s*(?:"[^"]*"|'[^']*')""", b"", xmp)
        xmp = re.sub(rb"(?s)<([\w-]+:DigitalSourceType)>.*?</\1>", b"", xmp)
        about = re.search(rb"""rdf:about\s*=\s*("[^"]*"|'[^']*')""", xmp)
        subject = about[1].decode("utf-8", "replace") if about else '""'
        own = (
            f"<rdf:Description rdf:about={subject}"
            ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
            f" Iptc4xmpExt:AISystemUsed={quoteattr(f'colorlib, model {self.model}')}"
            f" Iptc4xmpExt:AISystemVersionUsed={quoteattr(self.version)}"
            f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>'
        ).encode()
        if b"</rdf:RDF>" not in xmp:
            return xmp or _PACKET % own
        start, end = xmp.rsplit(b"</rdf:RDF>", 1)
        return start + own + b"</rdf:RDF>" + re.sub(rb"\s{100,}", b"\n", end)


_PACKET = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">%b</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def _software(metadata: Metadata) -> str:
    tag = metadata.tags.get(SOFTWARE)
    value = tag.value if tag and isinstance(tag.value, bytes) else b""
    return value.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")


def find_mark(software: str) -> Mark | None:
    """Find the mark in what a file says of the software that made it.

    Example:
        >>> find_mark("Scanner 3; colorlib 0.2.0 (model vivid)")
        Mark(model='vivid', version='0.2.0', settings='')
    """
    found = _SOFTWARE.search(software)
    return Mark(found["model"], found["version"], found["settings"] or "") if found else None


def read_mark(path: Path | str) -> Mark | None:
    """Return the mark of a coloured photograph; None for any other file, whatever it is, and for none."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return find_mark(_software(read_metadata(format_of(data[:4096]), data, [])))
    except Exception:  # whatever is broken is not ours
        return None
