"""The mark of a photograph that was coloured by a machine: which model made its colours, from which version.

It stands in the tag ``Software`` of EXIF, behind what stood there before, and for people and programs that look for
what was made by a machine in XMP, in IPTC's words. A file that carries it is a result and may be written anew.

Reference:
    IPTC Photo Metadata Standard 2025.1, "Digital Source Type" and "AI System Used"; the value
    ``compositeWithTrainedAlgorithmicMedia`` is IPTC's for a photograph to which a trained model added something.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

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
        settings: 12 hexadecimal digits of all that decides the pixels beside the photograph; empty where unknown.
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


def find_mark(software: str) -> Mark | None:
    """Find the mark in the value of a tag ``Software``."""
    found = _SOFTWARE.search(software)
    return Mark(found["model"], found["version"], found["settings"] or "") if found else None


def read_mark(path: Path | str) -> Mark | None:
    """Return the mark of a coloured photograph; None for any other file, whatever it is, and for none."""
    try:
        with Image.open(path, formats=("JPEG", "PNG", "TIFF", "WEBP")) as image:
            return find_mark(str(image.getexif().get(ExifTags.Base.Software, "")))
    except Exception:  # whatever is broken is not ours
        return None
