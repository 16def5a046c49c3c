"""sRGB and CIELAB on tensors, and OpenCV's 8-bit Lab.

Everything here is batched, differentiable and free of any dependency but torch. Images are NCHW float tensors:
``rgb`` in [0, 1], ``L`` in [0, 100], ``ab`` in CIELAB units (about ±110). The white point is D65, 2° observer.

References:
    IEC 61966-2-1:1999 for sRGB; CIE 15:2004, equations 8.3 to 8.8, for CIELAB; ITU-T T.871 (JFIF), section 7, for
    YCbCr; A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978, for HSV; G. H. Joblove and D. Greenberg, "Color
    spaces for computer graphics", SIGGRAPH 1978, for HSL; B. Ottosson, "A perceptual color space for image processing",
    2020, for OKLab.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

L_CENTRE = 50.0  # middle of [0, 100], the range of L*
AB_SCALE = 110.0  # no sRGB colour has |a*| or |b*| above 108
AB8_OFFSET = 128  # OpenCV stores a* and b* shifted into 0 … 255
L8_MAX = 255  # and stretches L* from [0, 100] to 0 … 255

WHITE = (0.95047, 1.0, 1.08883)
RGB_TO_XYZ = torch.tensor(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]],
    dtype=torch.float64,
)
XYZ_TO_RGB = torch.linalg.inv(RGB_TO_XYZ)
EPSILON = (6 / 29) ** 3  # where CIELAB's cube root gives way to a straight line
SLOPE = (29 / 6) ** 2 / 3


def _check(image: Tensor, channels: int, name: str) -> None:
    if not isinstance(image, Tensor) or not image.is_floating_point():
        raise TypeError(f"{name} must be a floating-point tensor, not {getattr(image, 'dtype', type(image).__name__)}.")
    if image.ndim != 4 or image.shape[1] != channels:
        raise ValueError(f"{name} must have shape (N, {channels}, H, W), not {tuple(image.shape)}.")


def _mix(matrix: Tensor, image: Tensor) -> Tensor:
    with torch.autocast(image.device.type, enabled=False):  # bfloat16 would round the colours
        return torch.einsum("ij,njhw->nihw", matrix.to(image), image)


def _white(image: Tensor) -> Tensor:
    return torch.tensor(WHITE, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Turn sRGB into CIELAB.

    Args:
        rgb: (N, 3, H, W) in [0, 1], gamma-encoded.

    Returns:
        (N, 3, H, W): L* in [0, 100], a* and b* in about ±110.

    Raises:
        TypeError, ValueError: not a floating-point tensor of that shape.

    Example:
        >>> rgb_to_lab(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)).flatten().round()
        tensor([53., 80., 67.])
    """
    return _linear_rgb_to_lab(to_linear(rgb))


def to_linear(rgb: Tensor) -> Tensor:
    _check(rgb, 3, "rgb")
    # The unused branch of `where` must stay finite, or its gradient poisons the used one: hence the clamps.
    return torch.where(rgb > 0.04045, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def to_gamma(linear: Tensor) -> Tensor:
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)


def _linear_rgb_to_lab(linear: Tensor) -> Tensor:
    xyz = _mix(RGB_TO_XYZ, linear) / _white(linear)
    f = torch.where(xyz > EPSILON, xyz.clamp(min=EPSILON) ** (1 / 3), SLOPE * xyz + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def _lab_to_linear_rgb(lab: Tensor) -> Tensor:
    _check(lab, 3, "lab")
    L, a, b = lab.unbind(1)
    y = (L + 16) / 116
    f = torch.stack([y + a / 500, y, y - b / 200], 1)
    xyz = torch.where(f > 6 / 29, f**3, (f - 4 / 29) / SLOPE) * _white(lab)
    return _mix(XYZ_TO_RGB, xyz)


def lab_to_rgb(lab: Tensor, clip: bool = True) -> Tensor:
    """Turn CIELAB into sRGB.

    Args:
        lab: (N, 3, H, W), L* in [0, 100], a* and b* in CIELAB units.
        clip: cut each channel to [0, 1]. Clipped colours have no gradient and hide that a prediction left the
            gamut; :func:`out_of_gamut` counts them.

    Returns:
        (N, 3, H, W), gamma-encoded.
    """
    linear = _lab_to_linear_rgb(lab)
    if clip:
        linear = linear.clamp(0, 1)
    return to_gamma(linear)


def out_of_gamut(lab: Tensor, tolerance: float = 1e-3) -> Tensor:
    """Mark the pixels whose colour sRGB cannot show.

    Args:
        lab: (N, 3, H, W) in CIELAB units.
        tolerance: how far a linear channel may lie outside [0, 1]; the default forgives rounding, not colour.

    Returns:
        (N, 1, H, W) bool.
    """
    linear = _lab_to_linear_rgb(lab)
    return ((linear < -tolerance) | (linear > 1 + tolerance)).any(1, keepdim=True)


def encode_lab8(lab: Tensor) -> tuple[Tensor, Tensor]:
    """Store CIELAB in OpenCV's 8 bits: L* · 255/100, a* + 128, b* + 128, rounded and cut to 0 … 255.

    Args:
        lab: (N, 3, H, W) in CIELAB units.

    Returns:
        L8 (N, H, W) and ab8 (N, H, W, 2), both uint8: the layout of Kaggle's "Image Colorization".
    """
    _check(lab, 3, "lab")
    L8 = (lab[:, 0] * (L8_MAX / 100)).round().clamp(0, 255)
    ab8 = (lab[:, 1:] + AB8_OFFSET).round().clamp(0, 255)
    return L8.to(torch.uint8), ab8.to(torch.uint8).permute(0, 2, 3, 1)  # (N, 2, H, W) -> (N, H, W, 2)


def decode_lab8(L8: Tensor, ab8: Tensor) -> tuple[Tensor, Tensor]:
    """Undo :func:`encode_lab8`.

    Args:
        L8: (N, H, W) uint8.
        ab8: (N, H, W, 2) uint8.

    Returns:
        L (N, 1, H, W) in [0, 100] and ab (N, 2, H, W) in CIELAB units, float32.

    Raises:
        TypeError, ValueError: wrong dtype or shape.
    """
    if L8.dtype != torch.uint8 or ab8.dtype != torch.uint8:
        raise TypeError(f"8-bit Lab must be uint8, not {L8.dtype} and {ab8.dtype}.")
    if L8.ndim != 3 or ab8.shape != (*L8.shape, 2):
        raise ValueError(
            f"8-bit Lab must have shapes (N, H, W) and (N, H, W, 2), not {tuple(L8.shape)} and {tuple(ab8.shape)}."
        )
    L = L8.unsqueeze(1).float() * (100 / L8_MAX)
    ab = ab8.permute(0, 3, 1, 2).float() - AB8_OFFSET  # (N, H, W, 2) -> (N, 2, H, W)
    return L, ab


def rgb8_to_lab8(rgb8: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn 8-bit sRGB photographs into 8-bit Lab, rounding once at the end.

    Args:
        rgb8: (N, H, W, 3) uint8.

    Returns:
        L8 (N, H, W) and ab8 (N, H, W, 2), uint8 arrays.

    Difference from OpenCV: its 8-bit path goes through tables of integers; it lies 1 away in some values and 2 in
    fewer than one in a thousand. Its float path is approximate as well (up to 0.2 in L*, 0.5 in ab); this is exact.
    """
    if rgb8.dtype != np.uint8 or rgb8.ndim != 4 or rgb8.shape[-1] != 3:
        raise ValueError(f"photographs must be (N, H, W, 3) uint8, not {rgb8.shape} {rgb8.dtype}.")
    rgb = torch.tensor(rgb8).permute(0, 3, 1, 2).float() / 255  # NHWC -> NCHW
    L8, ab8 = encode_lab8(rgb_to_lab(rgb))
    return L8.numpy(), ab8.contiguous().numpy()


# ----------------------------------------------------------------------------------------- the other colour spaces


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
    lms = _mix(LMS_FROM_RGB, _lab_to_linear_rgb(lab)).clamp(min=1e-9)
    return _mix(OKLAB_FROM_LMS, lms ** (1 / 3))


def _oklab_to_lab(oklab: Tensor) -> Tensor:
    return _linear_rgb_to_lab(_mix(RGB_FROM_LMS, _mix(LMS_FROM_OKLAB, oklab) ** 3))


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
