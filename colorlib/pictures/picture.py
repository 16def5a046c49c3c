"""A photograph in memory with all that it carries: 8 and 16 bits, transparency, colour profile, metadata.

It is upright, and what its numbers mean is known; it is written again with the same metadata and in the same format, or
as PNG where the format cannot hold it.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from colorlib.pictures.metadata import Metadata
from colorlib.pictures.profiles import Profile

if TYPE_CHECKING:
    from torch import Tensor  # which takes a second to import, and a reader does without it


@dataclass(eq=False)
class Picture:
    """A photograph as it was read.

    Attributes:
        pixels: (H, W) where all channels are equal, else (H, W, 3); uint8, uint16, or float32 in [0, 1].
        alpha: (H, W) of the same type, or None.
        profile: what the numbers mean, where it is not sRGB.
        format: a key of :data:`colorlib.pictures.formats.WRITTEN`.
        metadata: what is written with it again: EXIF, captions, profile, resolution, ….
        notes: sentences about what could not be kept or was done to it.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    profile: Profile | None = None
    format: str = "PNG"
    metadata: Metadata = field(default_factory=Metadata)
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.pixels.shape[:2]

    @property
    def is_grey(self) -> bool:
        return self.pixels.ndim == 2

    @property
    def white(self) -> float:
        """The value of white: 255, 65535 or 1."""
        return 1.0 if self.pixels.dtype.kind == "f" else float(np.iinfo(self.pixels.dtype).max)

    def lightness(self, rows: slice = slice(None)) -> "Tensor":
        """Return L (1, 1, h, W) in [0, 100] of some rows."""
        if not self.is_grey or self.pixels.dtype.kind == "f":
            return self.lab(rows)[:, :1]
        import torch

        return self._lightness_of_levels[torch.from_numpy(self.pixels[rows].astype(np.int64))][None, None]

    def lab(self, rows: slice = slice(None)) -> "Tensor":
        """Return lab (1, 3, h, W) of some rows; a grey picture's a and b are zero."""
        if self.is_grey and self.pixels.dtype.kind != "f":
            from torch.nn.functional import pad

            return pad(self.lightness(rows), (0, 0, 0, 0, 0, 2))
        return self._to_lab(self._values(rows))

    def rgb8(self) -> np.ndarray:
        """Return sRGB (H, W, 3), uint8, rounded to the nearest."""
        if self.profile or self.pixels.dtype.kind == "f":
            return to_8_bits(self._to_srgb(self._values(slice(None))))
        pixels = eight_bits(self.pixels)
        return np.stack([pixels] * 3, 2) if self.is_grey else pixels

    @cached_property
    def _lightness_of_levels(self) -> "Tensor":
        import torch

        levels = torch.linspace(0, 1, int(self.white) + 1).view(1, 1, 1, -1)
        return self._to_lab(levels)[0, 0, 0]

    def _values(self, rows: slice) -> "Tensor":
        import torch

        values = torch.from_numpy(self.pixels[rows].astype(np.float32) / np.float32(self.white))
        return values[None, None] if self.is_grey else values.permute(2, 0, 1)[None]

    def _to_srgb(self, values: "Tensor") -> "Tensor":
        if not (self.profile and self.profile.is_grey):
            values = values.expand(-1, 3, -1, -1)
        return self.profile.to_srgb(values) if self.profile else values

    def _to_lab(self, values: "Tensor") -> "Tensor":
        from colorlib.color.lab import rgb_to_lab

        lab = rgb_to_lab(self._to_srgb(values))
        if self.is_grey:
            lab[:, 1:] = 0
        return lab

    def encode(self, rgb: "Tensor") -> np.ndarray:
        """Turn sRGB (1, 3, h, W) in [0, 1] into pixels (h, W, 3) of this picture's kind."""
        if self.profile and self.profile.returns:
            rgb = self.profile.from_srgb(rgb)
        values = rgb[0].permute(1, 2, 0)  # (3, h, W) -> (h, W, 3)
        if self.pixels.dtype.kind == "f":
            return values.numpy()
        return (values * self.white + 0.5).numpy().astype(self.pixels.dtype)  # cut, not rounded: hence the half


def to_8_bits(rgb: "Tensor") -> np.ndarray:
    """Turn sRGB (1, 3, h, w) in [0, 1] into pixels (h, w, 3), uint8, rounded to the nearest."""
    return (rgb[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy()


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Round pixels of 16 bits to 8; those of 8 stay."""
    return pixels if pixels.dtype == np.uint8 else ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def merge_equal(pixels: np.ndarray) -> np.ndarray:
    """Return one channel (H, W) where all of (H, W, C) are equal, else the pixels as they are."""
    if pixels.ndim == 2:
        return pixels
    step = max(1, (1 << 13) // pixels.shape[1])  # few rows tell of most photographs
    strips = (pixels[top : top + step] for top in range(0, len(pixels), step))
    return pixels[..., 0] if all((strip == strip[..., :1]).all() for strip in strips) else pixels
