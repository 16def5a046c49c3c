"""Colour profiles that photographs carry: a curve for each channel and a matrix, to full precision.

Most cameras, scanners and programs use these (sRGB, Adobe RGB, Display P3, ProPhoto, a gamma or dot gain for grey), and
the gamma of a PNG is one. They are computed here, since LittleCMS turns 16 bits of them into a table first, which is
wrong by 0.16 L* in the darks of Adobe RGB. Tables, which go before a matrix in the same profile, and CMYK are its own
(:func:`colorlib.pictures.vips.to_srgb`).

References:
    ICC.1:2022, "Image technology colour management", for the file and its types of curve; K. M. Lam, "Metamerism and
    colour constancy", 1985, for the Bradford adaptation between white points.
"""

import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor  # which takes a second to import, and a reader of plain files does without it

D50 = (0.9642, 1.0, 0.8249)  # the white of the profiles' common ground
LEVELS = 65536
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)


@dataclass(frozen=True, eq=False)
class Profile:
    """What the numbers of a picture mean.

    Attributes:
        curves: (1 or 3, 65536) float64: the linear value of each level, not falling; one curve for grey.
        xyz: (3, 3) float64, X, Y, Z under D50 of each linear channel in a column; None for grey.
        returns: whether coloured pixels can be written in it; else they become sRGB.
    """

    curves: np.ndarray
    xyz: np.ndarray | None
    returns: bool

    @property
    def is_grey(self) -> bool:
        return self.xyz is None

    @cached_property
    def matrix(self) -> np.ndarray:
        """(3, 3) float64, from the profile's linear channels to linear sRGB; the identity for grey."""
        if self.xyz is None:
            return np.eye(3)
        matrix = np.linalg.inv(_xyz_of(_SRGB)) @ self.xyz
        return matrix / matrix.sum(1, keepdims=True)  # equal channels are grey, which rounding in it misses a little

    @cached_property
    def is_srgb(self) -> bool:
        """Whether it says what is taken for granted anyway, to half an 8-bit level."""
        encoded = np.where(self.curves <= 0.0031308, 12.92 * self.curves, 1.055 * self.curves ** (1 / 2.4) - 0.055)
        same_curves = np.abs(encoded - np.linspace(0, 1, LEVELS)).max() < 0.5 / 255
        return bool(same_curves and np.abs(self.matrix - np.eye(3)).max() < 2e-3)

    def to_srgb(self, values: "Tensor") -> "Tensor":
        """Turn the profile's channels into sRGB.

        Args:
            values: (N, 3, H, W) in [0, 1], or (N, 1, H, W) for grey.

        Returns:
            (N, 3, H, W), gamma-encoded; beyond [0, 1] where sRGB does not reach.
        """
        import torch

        from colorlib.color.lab import to_gamma

        levels = (values * (LEVELS - 1)).round().long()
        channels = [torch.from_numpy(curve)[levels[:, c]] for c, curve in enumerate(self.curves)]
        linear = torch.stack(channels * (3 if self.is_grey else 1), 1)  # (N, 3, H, W) float64
        return to_gamma(torch.einsum("ij,njhw->nihw", torch.from_numpy(self.matrix), linear)).float()

    def from_srgb(self, rgb: "Tensor") -> "Tensor":
        """Turn sRGB (N, 3, H, W) into the channels of a profile for colour, cut to [0, 1]."""
        import torch

        from colorlib.color.lab import to_linear

        inverse = torch.from_numpy(np.linalg.inv(self.matrix))
        linear = torch.einsum("ij,njhw->nihw", inverse, to_linear(rgb.double())).clamp(0, 1)
        return torch.stack([_invert(torch.from_numpy(c), linear[:, i]) for i, c in enumerate(self.curves)], 1).float()


def profile_of_chromaticities(gamma: float | None, primaries: tuple[float, ...] | None) -> Profile:
    """Return what a PNG's gAMA and cHRM say; what it does not say is sRGB's.

    Args:
        gamma: the exponent that its values were encoded with: 0.45455 is usual, 1 linear.
        primaries: x, y of white, red, green and blue.
    """
    x = np.linspace(0, 1, LEVELS)
    srgb = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return Profile(
        np.stack([srgb if gamma is None else x ** (1 / gamma)] * 3), _xyz_of(primaries or _SRGB), returns=False
    )


def _xyz_of(chromaticities: tuple[float, ...]) -> np.ndarray:
    """Return X, Y, Z under D50 of red, green and blue in columns (3, 3), from x, y of white, red, green and blue."""
    white, *channels = [np.array([x / y, 1, (1 - x - y) / y]) for x, y in np.reshape(chromaticities, (4, 2))]
    columns = np.array(channels).T
    cones = (_BRADFORD @ D50) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    return adapted @ (columns * np.linalg.solve(columns, white))


def _invert(curve: "Tensor", linear: "Tensor") -> "Tensor":
    import torch

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
        known = data[36:40] == b"acsp" and data[12:16] in (b"scnr", b"mntr", b"prtr", b"spac")
        if not known or b"A2B0" in tags or b"D2B0" in tags:
            return None
        if data[16:20] == b"GRAY":
            curves = _curves(tags, (b"kTRC",))
            if data[20:24] == b"Lab ":  # then the curve is of L*
                L = 100 * curves
                curves = np.where(L > 8, ((L + 16) / 116) ** 3, L * 27 / 24389)
            return Profile(curves, None, returns=False)
        if data[16:24] != b"RGB XYZ ":
            return None
        curves = _curves(tags, (b"rTRC", b"gTRC", b"bTRC"))
        xyz = np.array([struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T / 65536
        if abs(np.linalg.det(xyz)) < 1e-3:
            return None
        return Profile(curves, xyz, returns=True)
    except (struct.error, KeyError, ValueError, IndexError):
        return None


def _curves(tags: dict[bytes, bytes], names: tuple[bytes, ...]) -> np.ndarray:
    curves = np.stack([_curve(tags[name]) for name in names])
    if not np.isfinite(curves).all() or (np.diff(curves) < 0).any() or (np.ptp(curves, axis=1) < 0.5).any():
        raise ValueError("a curve that cannot be inverted")
    return curves.clip(0, 1)


def _curve(tag: bytes) -> np.ndarray:
    x = np.linspace(0, 1, LEVELS)
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        if count == 0:
            return x
        if count == 1:
            return x ** (struct.unpack_from(">H", tag, 12)[0] / 256)
        table = np.frombuffer(tag, ">u2", count, 12) / 65535  # a count that is more than there are is an error
        return np.interp(x, np.linspace(0, 1, count), table)
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
