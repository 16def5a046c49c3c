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
from functools import cache, partial

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
RGB_TO_RELATIVE = RGB_TO_XYZ / torch.tensor(WHITE, dtype=torch.float64)[:, None]  # XYZ over that of white
RELATIVE_TO_RGB = torch.linalg.inv(RGB_TO_RELATIVE)
EPSILON = (6 / 29) ** 3  # where CIELAB's cube root gives way to a straight line
SLOPE = (29 / 6) ** 2 / 3
JOIN = 0.0404482362771082  # where sRGB's power gives way to a line; the standard rounds it, which leaves a step of 2e-9
LINEAR_TOLERANCE = 4e-6  # of a linear channel in [0, 1] beyond the gamut: cutting it costs less than 0.004 in L
GAMUT_TOLERANCE = 12.92 * LINEAR_TOLERANCE  # the same, gamma-encoded, where it is largest
BISECTIONS = 10
CACHED = 1 << 18  # values of float32 that a processor's cache holds several times


def rgb_at_lightness(L: Tensor, ab: Tensor) -> Tensor:
    """Turn L (N, 1, H, W) and ab (N, 2, H, W) into sRGB (N, 3, H, W); what is out of gamut gives up chroma alone.

    The hue angle stays, too. The largest chroma inside the gamut is found by bisection, to 1/1024 of the one asked for.
    """
    lab = torch.cat([L, ab], 1)
    rgb = lab_to_rgb(lab, clip=False)
    outside = ((rgb < -GAMUT_TOLERANCE) | (rgb > 1 + GAMUT_TOLERANCE)).any(1)  # (N, H, W)
    if outside.any():
        wanted = lab.movedim(1, -1)[outside].T[None, :, None]  # (M, 3) -> (1, 3, 1, M)
        share, step = torch.zeros_like(wanted[:, :1]), 1.0
        for _ in range(BISECTIONS):
            step /= 2
            tried = torch.cat([wanted[:, :1], wanted[:, 1:] * (share + step)], 1)
            share = share + step * ~out_of_gamut(tried, LINEAR_TOLERANCE)
        fitted = lab_to_rgb(torch.cat([wanted[:, :1], wanted[:, 1:] * share], 1))
        rgb.movedim(1, -1)[outside] = fitted[0, :, 0].T
    return rgb.clamp(0, 1)


def _check(image: Tensor, channels: int, name: str) -> None:
    if not isinstance(image, Tensor) or not image.is_floating_point():
        raise TypeError(f"{name} must be a floating-point tensor, not {getattr(image, 'dtype', type(image).__name__)}.")
    if image.ndim != 4 or image.shape[1] != channels:
        raise ValueError(f"{name} must have shape (N, {channels}, H, W), not {tuple(image.shape)}.")


def check_L(L: Tensor, name: str) -> None:
    """Raise ValueError, in one sentence, where lightness lies beyond [0, 100] by more than rounding."""
    low, high = (float(end) for end in L.detach().aminmax())
    if low < -1e-3 or high > 100 + 1e-3:
        raise ValueError(
            f"{name} holds L* from {low:.4g} to {high:.4g}, which goes from 0 to 100; 8-bit lightness is L* · 255/100, "
            "see colorlib.color.decode_lab8."
        )


def check_precision(image: Tensor, name: str) -> None:
    """Raise TypeError, in one sentence, where colours are held in less than 32 bits, which rounds them visibly."""
    if not isinstance(image, Tensor) or image.dtype not in (torch.float32, torch.float64):
        found = getattr(image, "dtype", type(image).__name__)
        raise TypeError(f"{name} must be a tensor of float32 or float64, not {found}; .float() makes it one.")


def check_lab(lab: Tensor, name: str) -> None:
    """Raise TypeError or ValueError, in one sentence, where ``lab`` is not (N, 3, H, W) with L* in [0, 100]."""
    check_precision(lab, name)
    _check(lab, 3, name)
    if lab.numel():
        check_L(lab[:, 0], name)


@cache
@torch.inference_mode(False)
def _on_gpu(matrix: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    return matrix.to(device, dtype)


def mix_channels(matrix: Tensor, image: Tensor) -> Tensor:
    """Multiply the channels of (N, C, H, W) by a matrix that is a constant of this module or another."""
    on_cpu = image.device.type == "cpu"  # a GPU would wait for every copy to arrive
    matrix = matrix.to(image) if on_cpu else _on_gpu(matrix, image.dtype, image.device)
    with torch.autocast(image.device.type, enabled=False):  # bfloat16 would round the colours
        return torch.einsum("ij,njhw->nihw", matrix, image)


def _power(base: Tensor, exponent: float) -> Tensor:
    """Raise what is above zero to a power, in place, as exactly as PyTorch's own power and in a third of its time."""
    return base.log2_().mul_(exponent).exp2_()


def in_parts(function: Callable[..., Tensor], *images: Tensor) -> Tensor:
    """Apply to batches (N, C, H, W) a function of single pixels; on a processor part by part, which its cache holds."""
    first = images[0]
    if first.numel() <= CACHED or first.device.type != "cpu":
        return function(*images)
    if len(first) > 1:
        count, dim, function = CACHED // first[0].numel(), 0, partial(in_parts, function)  # photographs
    else:
        count, dim = CACHED // first[:, :, 0].numel(), -2  # rows of one
    parts = zip(*(image.split(max(1, count), dim) for image in images), strict=True)
    return _join([function(*part) for part in parts], dim)


def _join(parts: list[Tensor], dim: int) -> Tensor:
    """Concatenate; without gradients into numpy's memory, whose pages are large: the system gives these sooner."""
    if any(part.requires_grad for part in parts):
        return torch.cat(parts, dim)
    shape = list(parts[0].shape)
    shape[dim] = sum(part.shape[dim] for part in parts)
    memory = np.empty(sum(part.nbytes for part in parts), np.uint8)
    return torch.cat(parts, dim, out=torch.from_numpy(memory).view(parts[0].dtype).view(shape))


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
    _check(rgb, 3, "rgb")
    return in_parts(lambda part: linear_rgb_to_lab(to_linear(part)), rgb)


# Each of these curves is a power above a point and a straight line below. As both meet there, a value is the power of
# what is not cut off below that point, plus the line of what is; a quarter of the time of choosing by `where`.


def to_linear(rgb: Tensor) -> Tensor:
    _check(rgb, 3, "rgb")
    above = rgb.clamp(min=JOIN)
    below = rgb - above
    return torch.add(_power(above.add_(0.055).div_(1.055), 2.4), below, alpha=1 / 12.92)


def to_gamma(linear: Tensor) -> Tensor:
    above = linear.clamp(min=JOIN / 12.92)
    below = linear - above
    return (_power(above, 1 / 2.4) * 1.055).sub_(0.055).add_(below, alpha=12.92)


def linear_rgb_to_lab(linear: Tensor) -> Tensor:
    relative = mix_channels(RGB_TO_RELATIVE, linear)
    above = relative.clamp(min=EPSILON)
    below = relative - above
    x, y, z = torch.add(_power(above, 1 / 3), below, alpha=SLOPE).unbind(1)
    return torch.stack([(y * 116).sub_(16), (x - y).mul_(500), (y - z).mul_(200)], 1)


def lab_to_linear_rgb(lab: Tensor) -> Tensor:
    _check(lab, 3, "lab")
    L, a, b = lab.unbind(1)
    y = (L + 16).div_(116)
    # Plane by plane in memory, in which channels are mixed without a copy.
    f = torch.stack([torch.add(y, a, alpha=1 / 500), y, torch.sub(y, b, alpha=1 / 200)]).transpose(0, 1)
    above = f.clamp(min=6 / 29)
    return mix_channels(RELATIVE_TO_RGB, torch.add(above**3, f - above, alpha=1 / SLOPE))


def lab_to_rgb(lab: Tensor, clip: bool = True) -> Tensor:
    """Turn CIELAB into sRGB.

    Args:
        lab: (N, 3, H, W), L* in [0, 100], a* and b* in CIELAB units.
        clip: cut each channel to [0, 1]. Clipped colours have no gradient and hide that a prediction left the
            gamut; :func:`out_of_gamut` counts them.

    Returns:
        (N, 3, H, W), gamma-encoded.
    """
    _check(lab, 3, "lab")

    def convert(part: Tensor) -> Tensor:
        rgb = to_gamma(lab_to_linear_rgb(part))
        return rgb.clamp(0, 1) if clip else rgb

    return in_parts(convert, lab)


def out_of_gamut(lab: Tensor, tolerance: float = 1e-3) -> Tensor:
    """Mark the pixels whose colour sRGB cannot show.

    Args:
        lab: (N, 3, H, W) in CIELAB units.
        tolerance: how far a linear channel may lie outside [0, 1]; the default forgives rounding, not colour.

    Returns:
        (N, 1, H, W) bool.
    """
    return beyond_gamut(lab_to_linear_rgb(lab), tolerance)


def beyond_gamut(linear: Tensor, tolerance: float) -> Tensor:
    return (linear - 0.5).abs().amax(1, keepdim=True) > 0.5 + tolerance


def shown_lab(lab: Tensor, linear: Tensor) -> Tensor:
    """Return the colours that sRGB shows of ``lab`` (N, 3, H, W), of which ``linear`` is the linear RGB, unclipped.

    What lies in the gamut stays as it is, to the bit; elsewhere each linear channel is cut to [0, 1], as
    :func:`lab_to_rgb` does, which changes lightness, too.
    """
    outside = beyond_gamut(linear, 0).flatten().nonzero()[:, 0]  # (P,), few in photographs
    cut = linear.transpose(0, 1).flatten(1).index_select(1, outside).clamp(0, 1)  # (3, P)
    shown = torch.stack(lab.unbind(1))  # (3, N, H, W)
    shown.flatten(1).index_copy_(1, outside, linear_rgb_to_lab(cut[None, :, None])[0, :, 0])
    return shown.transpose(0, 1)


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
