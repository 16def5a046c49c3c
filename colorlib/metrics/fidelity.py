"""How far the values of prediction and photograph lie apart: squared error, PSNR, SSIM.

References:
    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Transactions on Image Processing 13(4), 2004, equations 13 to 16.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.metrics.base import DEFINITION, Metric, PooledMetric
from colorlib.metrics.pair import Pair

AB_PEAK = 255.0  # the width of 8-bit a* and b*, −128 … 127
ROUNDING_MSE = 1 / 12 / 255**2  # mean squared error of rounding to steps of 1/255
SSIM_WINDOW = 11
SSIM_SIGMA = 1.5

METRICS: dict[str, Metric] = {}
POOLED: dict[str, PooledMetric] = {}


def psnr_db(mse: Tensor) -> Tensor:
    """Turn mean squared errors of values with peak 1 into decibels, PSNR = −10 log10(MSE).

    The photographs were known to 8 bits only, so an error below that of rounding counts as that error: a PSNR
    ends at 58.9 dB, and an exact prediction (grey of a grey photograph, say) does not make a mean infinite.
    """
    return -10 * torch.log10(mse.clamp(min=ROUNDING_MSE))


def psnr_rgb_db(pair: Pair) -> Tensor:
    """(N,) PSNR in dB of sRGB, peak 1; clipped to [0, 1], not rounded to 8 bits; see :func:`psnr_db`."""
    return psnr_db(mse_rgb(pair))


METRICS["psnr_rgb_db"] = Metric(
    psnr_rgb_db,
    title="Mean PSNR",
    unit="dB",
    higher_is_better=True,
    about=(
        "Peak signal-to-noise ratio of sRGB in [0, 1], clipped but not rounded to 8 bits; ends at 58.9 dB, the error "
        "of 8-bit rounding."
    ),
    blind_to="Whether a colour is plausible: it rewards the cautious average, and grey alone scores above 20 dB.",
    reference=DEFINITION,
)


POOLED["psnr_pooled_db"] = PooledMetric(
    lambda per_image: per_image[["mse_rgb"]],
    lambda mse: psnr_db(torch.as_tensor(mse, dtype=torch.float64)).numpy(),
    title="Pooled PSNR",
    unit="dB",
    higher_is_better=True,
    about="PSNR of the mean squared error over all images, of one size, some 2 dB below the mean of their PSNRs.",
    blind_to="The many good images: the few worst decide it.",
    reference=DEFINITION,
)


def mse_rgb(pair: Pair) -> Tensor:
    """(N,) mean squared error over the pixels and channels of clipped sRGB in [0, 1]."""
    return (pair.rgb - pair.rgb_true).square().mean((1, 2, 3))


METRICS["mse_rgb"] = Metric(
    mse_rgb,
    title="MSE",
    unit="",
    higher_is_better=False,
    about="Mean squared error of clipped sRGB in [0, 1]; its mean over images gives the pooled PSNR.",
    blind_to="The same as PSNR; a few bad images decide its mean.",
    reference=DEFINITION,
)


def psnr_ab_db(pair: Pair) -> Tensor:
    """(N,) PSNR in dB of the two ab channels, peak 255 (some papers take 220 or the maximum of the picture)."""
    return psnr_db(pair.ab_error.square().mean((1, 2, 3)) / AB_PEAK**2)


METRICS["psnr_ab_db"] = Metric(
    psnr_ab_db,
    title="PSNR of ab",
    unit="dB",
    higher_is_better=True,
    about=(
        "Peak signal-to-noise ratio of the two ab channels with the peak 255, the width of 8-bit ab; ends at 58.9 dB."
    ),
    blind_to="Whether a colour is plausible; papers that take another peak are up to some dB away.",
    reference=DEFINITION,
)


def ssim_rgb_gauss11(pair: Pair) -> Tensor:
    """(N,) SSIM of sRGB, the mean over channels and over the pixels whose whole window lies inside the picture.

    Variant: Gaussian window of 11 × 11 with σ = 1.5, population covariance, K1 = 0.01, K2 = 0.03, data range 1.
    Pictures with a side below 11 have no such pixel: NaN.

    Difference from the paper (Wang et al. 2004, equation 13): colour, as the mean of three channels; no downsampling.
    """
    x, y = pair.rgb, pair.rgb_true
    N, C, H, W = x.shape
    if min(H, W) < SSIM_WINDOW:
        return x.new_full((N,), torch.nan)
    # All as the channels of one picture, a group each: torch is many times quicker at it than at so many pictures.
    x, y = (rgb.transpose(0, 1).reshape(1, C * N, H, W) for rgb in (x, y))
    offsets = torch.arange(SSIM_WINDOW, dtype=x.dtype, device=x.device) - SSIM_WINDOW // 2
    window = torch.exp(-offsets.square() / (2 * SSIM_SIGMA**2))
    kernel = (window / window.sum()).expand(C * N, 1, 1, -1)

    def blur(maps: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(maps, kernel.mT, groups=C * N), kernel, groups=C * N)

    mean_x, mean_y, squares, product = blur(x), blur(y), blur((x * x).addcmul_(y, y)), blur(x * y)
    means_squared, means_product = (mean_x * mean_x).addcmul_(mean_y, mean_y), mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    covariance, variances = product - means_product, squares - means_squared
    luminance = (means_product * 2).add_(c1).div_(means_squared.add_(c1))
    structure = covariance.mul_(2).add_(c2).div_(variances.add_(c2))
    return (luminance * structure).view(C, N, -1).mean((0, 2))


METRICS["ssim_rgb_gauss11"] = Metric(
    ssim_rgb_gauss11,
    title="SSIM",
    unit="",
    higher_is_better=True,
    about=(
        "Structural similarity of sRGB: Gaussian window 11 × 11, σ 1.5, population covariance, whole windows only, "
        "mean of the channels."
    ),
    blind_to="Most of the colour: lightness is given, so the structure is nearly right whatever the colours.",
    reference="Wang et al., IEEE TIP 13(4), 2004",
)
