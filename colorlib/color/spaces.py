"""The other colour spaces that a network may answer in: RGB, YCbCr, HSV, HSL, OKLab.

References:
    ITU-T T.871 (JFIF), section 7, for YCbCr; A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978, for HSV;
    G. H. Joblove and D. Greenberg, "Color spaces for computer graphics", SIGGRAPH 1978, for HSL; B. Ottosson, "A
    perceptual color space for image processing", 2020, for OKLab.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from colorlib.color.lab import AB_SCALE, lab_to_linear_rgb, lab_to_rgb, linear_rgb_to_lab, mix_channels, rgb_to_lab


def _rgb_to_ycbcr(rgb: Tensor) -> Tensor:
    R, G, B = rgb.unbind(1)
    Y = 0.299 * R + 0.587 * G + 0.114 * B
    return torch.stack([Y, (B - Y) / 1.772, (R - Y) / 1.402], 1)


def _ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    Y, Cb, Cr = ycbcr.unbind(1)
    R, B = Y + 1.402 * Cr, Y + 1.772 * Cb
    return torch.stack([R, (Y - 0.299 * R - 0.114 * B) / 0.587, B], 1)


def _hue_and_range(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the hue in [0, 1) (0 for greys), the largest and the smallest channel, (N, H, W) each."""
    R, G, B = rgb.unbind(1)
    largest, smallest = rgb.amax(1), rgb.amin(1)
    width = (largest - smallest).clamp(min=1e-12)
    sixths = torch.where(
        largest == R, (G - B) / width, torch.where(largest == G, 2 + (B - R) / width, 4 + (R - G) / width)
    )
    return torch.remainder(sixths / 6, 1) * (largest > smallest), largest, smallest


def _rgb_to_hsv(rgb: Tensor) -> Tensor:
    hue, largest, smallest = _hue_and_range(rgb)
    return torch.stack([hue, (largest - smallest) / largest.clamp(min=1e-12), largest], 1)


def _hsv_to_rgb(hsv: Tensor) -> Tensor:
    H, S, V = hsv.unbind(1)
    k = torch.stack([torch.remainder(n + 6 * H, 6) for n in (5, 3, 1)])  # (3, N, H, W)
    return (V * (1 - S * torch.minimum(k, 4 - k).clamp(0, 1))).movedim(0, 1)


def _rgb_to_hsl(rgb: Tensor) -> Tensor:
    hue, largest, smallest = _hue_and_range(rgb)
    middle = (largest + smallest) / 2
    return torch.stack([hue, (largest - middle) / torch.minimum(middle, 1 - middle).clamp(min=1e-12), middle], 1)


def _hsl_to_rgb(hsl: Tensor) -> Tensor:
    H, S, middle = hsl.unbind(1)
    k = torch.stack([torch.remainder(n + 12 * H, 12) for n in (0, 8, 4)])  # (3, N, H, W)
    return (middle - S * torch.minimum(middle, 1 - middle) * torch.minimum(k - 3, 9 - k).clamp(-1, 1)).movedim(0, 1)


LMS_FROM_RGB = torch.tensor(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=torch.float64,
)
OKLAB_FROM_LMS = torch.tensor(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=torch.float64,
)
RGB_FROM_LMS, LMS_FROM_OKLAB = torch.linalg.inv(LMS_FROM_RGB), torch.linalg.inv(OKLAB_FROM_LMS)
OKLAB_AB_SCALE = 0.33  # no sRGB colour has |a| or |b| above 0.32


def _lab_to_oklab(lab: Tensor) -> Tensor:
    # Greys and sRGB's own colours have LMS ≥ 0; the clamp is for rounding, and keeps the root's slope finite.
    lms = mix_channels(LMS_FROM_RGB, lab_to_linear_rgb(lab)).clamp(min=1e-9)
    return mix_channels(OKLAB_FROM_LMS, lms ** (1 / 3))


def _oklab_to_lab(oklab: Tensor) -> Tensor:
    return linear_rgb_to_lab(mix_channels(RGB_FROM_LMS, mix_channels(LMS_FROM_OKLAB, oklab) ** 3))


@dataclass(frozen=True)
class Space:
    """A colour space as a network may answer in it.

    Attributes:
        channels: that the network gives.
        encode: lab (N, 3, H, W) in CIELAB units -> (N, channels, H, W), about [-1, 1] each.
        decode: the way back, to ab (N, 2, H, W) in CIELAB units. Defined beyond [-1, 1] too, and differentiable.
    """

    channels: int
    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]


def _affine(channels_of: Callable, lab_of: Callable, scale: tuple[float, ...], shift: tuple[float, ...]) -> Space:
    """Return a space of three channels, each brought to about [-1, 1]: (channel - shift) / scale."""

    def per_channel(values: tuple[float, ...], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(1, 3, 1, 1)

    def encode(lab: Tensor) -> Tensor:
        return (channels_of(lab) - per_channel(shift, lab)) / per_channel(scale, lab)

    def decode(unit: Tensor) -> Tensor:
        return lab_of(unit * per_channel(scale, unit) + per_channel(shift, unit))[:, 1:]

    return Space(3, encode, decode)


_HALF = (0.5, 0.5, 0.5)
SPACES: dict[str, Space] = {
    "lab": Space(2, lambda lab: lab[:, 1:] / AB_SCALE, lambda unit: AB_SCALE * unit),
    "rgb": _affine(lab_to_rgb, rgb_to_lab, _HALF, _HALF),
    "ycbcr": _affine(
        lambda lab: _rgb_to_ycbcr(lab_to_rgb(lab)), lambda x: rgb_to_lab(_ycbcr_to_rgb(x)), _HALF, (0.5, 0, 0)
    ),
    "hsv": _affine(lambda lab: _rgb_to_hsv(lab_to_rgb(lab)), lambda x: rgb_to_lab(_hsv_to_rgb(x)), _HALF, _HALF),
    "hsl": _affine(lambda lab: _rgb_to_hsl(lab_to_rgb(lab)), lambda x: rgb_to_lab(_hsl_to_rgb(x)), _HALF, _HALF),
    "oklab": _affine(_lab_to_oklab, _oklab_to_lab, (0.5, OKLAB_AB_SCALE, OKLAB_AB_SCALE), (0.5, 0, 0)),
}
"""What a regression may answer in. Only ``lab`` leaves the lightness out; in the others a network predicts it too, as
the field does, and it is thrown away: colours are decoded to ab and set under the photograph's own L. Hue in ``hsv``
and ``hsl`` is one number that jumps from 1 to 0 at red, as in the experiments that chose these spaces."""
