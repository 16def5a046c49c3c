"""A Gaussian blur of maps of any number of channels."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def blur(x: Tensor, deviation: float) -> Tensor:
    """Average (N, C, h, w) in a Gaussian window of a deviation in pixels; past its ends the last pixel goes on."""
    reach = math.ceil(2.5 * deviation)
    taps = torch.arange(-reach, reach + 1, dtype=x.dtype)
    kernel = torch.exp(-(taps**2) / (2 * deviation**2))
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    x = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(x, kernel, groups=x.shape[1]), kernel.transpose(2, 3), groups=x.shape[1])
