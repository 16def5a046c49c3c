"""What two architectures or more share: the way in, the way out, some layers, and how released weight files are read.

References:
    T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, "Spectral Normalization for Generative Adversarial Networks",
    ICLR 2018, arXiv:1802.05957, algorithm 1.
    A. Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017, arXiv:1707.02937, for the repetition
    (ICNR) of :class:`Shuffle`; Y. Sugawara, S. Shiota and H. Kiya, "Super-Resolution using Convolutional Neural
    Networks without Any Checkerboard Artifacts", ICIP 2018, arXiv:1806.02658, for its blur.
"""

import math
import pickle
from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.lab import L_CENTRE
from colorlib.models.weights import put_weights

Released = TypeVar("Released", bound=nn.Module)


def L_to_unit(L: Tensor) -> Tensor:
    """Bring L from [0, 100] to [-1, 1]."""
    return L / L_CENTRE - 1


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column of (N, C, H, W) until both sides are multiples of ``multiple``."""
    H, W = x.shape[-2:]
    return F.pad(x, (0, -W % multiple, 0, -H % multiple), mode="replicate")


class Output(nn.Module):
    """Features in, the objective's channels out, at the objective's resolution: a convolution and a change of size.

    The change comes first where it shrinks and last where it enlarges, which is the cheaper order; a 1×1 convolution
    commutes with both. Weights start small and biases at zero, so every network begins by answering grey (regression)
    or all bins alike (classification).

    Args:
        in_channels: of the features.
        out_channels: of the result.
        stride: the features have 1/stride of the photograph's height and width.
        out_stride: the result has 1/out_stride of them.
        kernel_size: of the convolution, odd.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, out_stride: int, kernel_size: int = 1) -> None:
        super().__init__()
        if out_stride not in (1, 2, 4):
            raise ValueError(f"out_stride must be 1, 2 or 4, not {out_stride!r}.")
        self.factor, self.out_stride = stride / out_stride, out_stride
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        weight, bias = self.conv.parameters()
        nn.init.normal_(weight, std=1e-3)
        nn.init.zeros_(bias)

    def forward(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        """Return (N, out_channels, ceil(H / out_stride), ceil(W / out_stride)) for a photograph of ``size`` (H, W)."""
        if self.factor < 1:
            features = F.avg_pool2d(features, round(1 / self.factor), ceil_mode=True)
        output = self.conv(features)
        if self.factor > 1:
            output = F.interpolate(output, scale_factor=self.factor, mode="bilinear", align_corners=False)
        H, W = (math.ceil(side / self.out_stride) for side in size)
        return output[..., :H, :W]


def double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return two 3×3 convolutions, each with normalisation and ReLU.

    Batch and not group normalisation: the latter rescales each photograph by its own statistics and so hides how
    light it is, which is most of what a colorizer has to go by.
    """
    layers = []
    for channels in (in_channels, out_channels):
        conv = nn.Conv2d(channels, out_channels, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        layers += [conv, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def conv_group(channels: list[int], stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Return 3×3 convolutions with ReLU through ``channels``, the last with the stride, then batch normalisation."""
    layers = []
    for i, (in_channels, out_channels) in enumerate(zip(channels, channels[1:], strict=False), start=2):
        step = stride if i == len(channels) else 1
        conv = nn.Conv2d(in_channels, out_channels, 3, step, padding=dilation, dilation=dilation)
        layers += [conv, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.BatchNorm2d(channels[-1]))


def blur(x: Tensor) -> Tensor:
    """Replace each pixel of (N, C, H, W) by the mean of itself and the three above and to the left of it."""
    channels = x.shape[1]
    mean = x.new_full((channels, 1, 2, 2), 1 / 4)  # as a convolution: half the time of torch's average pooling
    return F.conv2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), mean, groups=channels)


def spectral_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return a 3×3 convolution with spectral normalisation, ReLU and batch normalisation, in this order."""
    conv = SpectralConv(in_channels, out_channels, 3, bias=False)
    return nn.Sequential(conv, nn.ReLU(inplace=True), nn.BatchNorm2d(out_channels))


class SpectralConv(nn.Conv2d):
    """A convolution whose weights, as a matrix W (out, in · k · k), are divided by W's largest singular value.

    The vectors u and v that W maps on each other most strongly are kept from step to step, and each training step
    improves them by one power iteration. They are saved with the weights, so that eval mode depends on nothing else.

    Difference from the paper: none intended. Beside torch's own versions: float32 under autocast as well, a good
    estimate from the first step on, and the names of the older one, which released weights use.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        weight = self.weight
        del self.weight
        self.weight_orig = weight
        self.register_buffer("weight_u", torch.randn(out_channels))
        self.register_buffer("weight_v", torch.randn(weight[0].numel()))
        self.iterate(15)

    @torch.no_grad()
    def iterate(self, steps: int) -> None:
        """Bring ``weight_u`` and ``weight_v`` nearer to the vectors that belong to the largest singular value."""
        matrix = self.weight_orig.flatten(1)
        for _ in range(steps):
            self.weight_v.copy_(F.normalize(self.weight_u @ matrix, dim=0))
            self.weight_u.copy_(F.normalize(matrix @ self.weight_v, dim=0))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            if self.training:
                self.iterate(1)
            u, v = self.weight_u.clone(), self.weight_v.clone()  # a critic looks again before it goes back
            largest = u @ self.weight_orig.flatten(1) @ v
            weight = self.weight_orig / largest
        return self._conv_forward(x, weight, self.bias)


class Shuffle(nn.Module):
    """Enlarge ``factor`` times: a pixel's channels become a square of pixels; means of 2×2 then blur the seams.

    Fresh weights give all pixels of a square the same value.
    """

    def __init__(self, in_channels: int, out_channels: int, factor: int, norm: bool) -> None:
        super().__init__()
        square = factor**2
        conv = SpectralConv(in_channels, out_channels * square, 1, bias=not norm)
        with torch.no_grad():
            conv.weight_orig.copy_(conv.weight_orig[::square].repeat_interleave(square, 0))
        conv.iterate(15)
        self.conv = nn.Sequential(conv, *([nn.BatchNorm2d(out_channels * square)] if norm else []))
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return blur(F.pixel_shuffle(F.relu(self.conv(x)), self.factor))


def load_released(network: Released, path: Path | str, what: str) -> Released:
    """Load a weight file that the authors of a network released and that a user has to bring.

    Args:
        network: with the released names.
        path: of the file.
        what: the network's name for the message, for example ``"ECCV16"``.

    Returns:
        the network in eval mode.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no weight file at {path}; download the one that {what}'s authors released.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        put_weights(network, state.get("params", state))  # some authors wrap the weights, others do not
    except (pickle.UnpicklingError, RuntimeError, TypeError, EOFError, ValueError, LookupError, AttributeError):
        raise ValueError(
            f"{path} is not the {what} weight file that its authors released, or it is damaged; delete it and fetch it "
            "anew."
        ) from None
    return network.eval()
