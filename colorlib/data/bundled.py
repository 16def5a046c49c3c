"""The colour photographs that come inside scikit-image: too few to train on, free to show in any report."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from colorlib.pictures.reading import read_picture

CREDITS = {
    "astronaut": "Eileen Collins, NASA; public domain",
    "chelsea": "Chelsea the cat, Stefan van der Walt; CC0",
    "coffee": "Pikolo Espresso Bar, Rachel Michetti; CC0",
    "rocket": "Falcon 9 with DSCOVR, SpaceX; public domain",
    "retina": "Fundus of a normal left eye, Mikael Häggström; CC0",
}
"""Photographs that are in scikit-image's installed package (nothing is downloaded), with author and licence as its
documentation states them. Left out: a stereo pair of a motorcycle, its licence not being stated, and a deep field of
Hubble's, nearly grey."""


@dataclass(frozen=True)
class Photograph:
    """A photograph at its own size.

    Attributes:
        id: a key of `CREDITS`.
        rgb: (H, W, 3) uint8, the numbers that scikit-image gives, taken for sRGB (the rocket's profile is not applied).
    """

    id: str
    rgb: np.ndarray

    @property
    def credit(self) -> str:
        """Subject, author and licence."""
        return CREDITS[self.id]


def bundled_photographs(max_side: int = 256) -> list[Photograph]:
    """Return the photographs, the longer side reduced to at most ``max_side`` pixels (Lanczos), in a fixed order.

    Raises:
        ValueError: ``max_side`` is under 16.
        FileNotFoundError: this scikit-image carries none of them.

    Example:
        >>> bundled_photographs(64)[0].rgb.shape
        (64, 64, 3)
    """
    import skimage  # it comes with the extra study

    if max_side < 16:
        raise ValueError(f"max_side must be 16 pixels or more, not {max_side}.")
    folder = Path(skimage.__file__).parent / "data"
    photographs = []
    for name in CREDITS:
        for path in sorted(folder.glob(f"{name}.*")):
            image = Image.fromarray(read_picture(path).pixels)
            image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=None)
            photographs.append(Photograph(name, np.array(image)))
    if not photographs:
        raise FileNotFoundError(f"there are no photographs in {folder}; install scikit-image anew.")
    return photographs
