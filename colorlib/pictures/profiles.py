"""Colour profiles that photographs carry: a curve for each channel and a matrix, to full precision, or tables.

Most cameras, scanners and programs use curves and a matrix (sRGB, Adobe RGB, Display P3, ProPhoto, a gamma or dot gain
for grey). Tables, which go before a matrix in the same profile, and CMYK are LittleCMS's: Pillow has it work in 8 bits,
which is too coarse to keep a photograph's lightness where there is another way.

References:
    ICC.1:2022, "Image technology colour management", for the file and its types of curve; K. M. Lam, "Metamerism and
    colour constancy", 1985, for the Bradford adaptation between white points.
"""

import io
import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageCms
from torch import Tensor

from colorlib.color.lab import RGB_TO_XYZ, WHITE, to_gamma, to_linear

D50 = (0.9642, 1.0, 0.8249)  # the white of the profiles' common ground
LEVELS = 65536
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True, eq=False)
class Profile:
    """What the numbers of a picture mean.

    Attributes:
        curves: (1 or 3, 65536) float64: the linear value of each level, not falling; one curve for grey.
        matrix: (3, 3) float64, from the profile's linear channels to linear sRGB; the identity for grey.
    """

    curves: Tensor
    matrix: Tensor

    @property
    def is_grey(self) -> bool:
        return len(self.curves) == 1

    @cached_property
    def is_srgb(self) -> bool:
        """Whether it says what is taken for granted anyway, to half an 8-bit level."""
        levels = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
        same_curves = (to_gamma(self.curves) - levels).abs().max() < 0.5 / 255
        return bool(same_curves and (self.matrix - torch.eye(3, dtype=torch.float64)).abs().max() < 2e-3)

    def to_srgb(self, values: Tensor) -> Tensor:
        """Turn the profile's channels into sRGB.

        Args:
            values: (N, 3, H, W) in [0, 1], or (N, 1, H, W) for grey.

        Returns:
            (N, 3, H, W), gamma-encoded; beyond [0, 1] where sRGB does not reach.
        """
        levels = (values * (LEVELS - 1)).round().long()
        channels = [curve[levels[:, c]] for c, curve in enumerate(self.curves)]
        linear = torch.stack(channels * (3 if self.is_grey else 1), 1)  # (N, 3, H, W) float64
        return to_gamma(torch.einsum("ij,njhw->nihw", self.matrix, linear)).float()

    def from_srgb(self, rgb: Tensor) -> Tensor:
        """Turn sRGB (N, 3, H, W) into the channels of a profile for colour, cut to [0, 1]."""
        linear = torch.einsum("ij,njhw->nihw", torch.linalg.inv(self.matrix), to_linear(rgb.double()))
        return torch.stack([_invert(curve, linear[:, c]) for c, curve in enumerate(self.curves)], 1).float()


def _invert(curve: Tensor, linear: Tensor) -> Tensor:
    above = torch.searchsorted(curve, linear.contiguous()).clamp(1, LEVELS - 1)
    low, high = curve[above - 1], curve[above]
    share = ((linear - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
    return (above - 1 + share) / (LEVELS - 1)


@lru_cache(maxsize=8)
def read_profile(data: bytes) -> Profile | None:
    """Read an ICC profile of curves and a matrix; None where it is broken, for CMYK or has tables, which go first."""
    try:
        tags = {}
        for number in range(struct.unpack_from(">I", data, 128)[0]):
            name, offset, size = struct.unpack_from(">4sII", data, 132 + 12 * number)
            tags[name] = data[offset : offset + size]
        if b"A2B0" in tags:
            return None
        if data[16:20] == b"GRAY":
            return Profile(_curves(tags, (b"kTRC",)), torch.eye(3, dtype=torch.float64))
        curves = _curves(tags, (b"rTRC", b"gTRC", b"bTRC"))
        xyz = np.array([struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T / 65536
        cones = (_BRADFORD @ WHITE) / (_BRADFORD @ D50)
        adapt = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
        matrix = np.linalg.inv(RGB_TO_XYZ.numpy()) @ adapt @ xyz
        matrix /= matrix.sum(1, keepdims=True)  # equal channels are grey, which rounding in the profile misses a little
        return Profile(curves, torch.from_numpy(matrix))
    except (struct.error, KeyError, ValueError, IndexError, np.linalg.LinAlgError):
        return None


def _curves(tags: dict[bytes, bytes], names: tuple[bytes, ...]) -> Tensor:
    curves = np.stack([_curve(tags[name]) for name in names])
    if not np.isfinite(curves).all() or (np.diff(curves) < 0).any() or (np.ptp(curves, axis=1) < 0.5).any():
        raise ValueError("a curve that cannot be inverted")
    return torch.from_numpy(curves.clip(0, 1))


def _curve(tag: bytes) -> np.ndarray:
    x = np.linspace(0, 1, LEVELS)
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        if count == 0:
            return x
        if count == 1:
            return x ** (struct.unpack_from(">H", tag, 12)[0] / 256)
        return np.interp(x, np.linspace(0, 1, count), np.frombuffer(tag, ">u2", count, 12) / 65535)
    if tag[:4] != b"para":
        raise ValueError("an unknown kind of curve")
    kind = struct.unpack_from(">H", tag, 8)[0]
    values = struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)
    g, a, b, c, d, e, f = [value / 65536 for value in values] + [0.0] * (7 - len(values))
    if kind == 0:
        return x**g
    if kind in (1, 2):  # 2 adds c to both branches
        return np.where(x >= -b / a, (a * x + b).clip(0) ** g, 0) + c
    return np.where(x >= d, (a * x + b).clip(0) ** g + e, c * x + f)


def tables_to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Let LittleCMS apply any profile that fits an image of L, RGB or CMYK; None where it cannot."""
    if image.mode == "L" and profile[16:20] == b"RGB ":
        image = image.convert("RGB")
    transform = _transform(profile, image.mode)
    return ImageCms.applyTransform(image, transform) if transform else None


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> Any:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
