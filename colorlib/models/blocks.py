"""What the architectures share: the way in, the way out, and the files that their authors released."""

import math
import pickle
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color import L_CENTRE


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
        nn.init.normal_(self.conv.weight, std=1e-3)
        nn.init.zeros_(self.conv.bias)

    def forward(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        """Return (N, out_channels, ceil(H / out_stride), ceil(W / out_stride)) for a photograph of ``size`` (H, W)."""
        if self.factor < 1:
            features = F.avg_pool2d(features, round(1 / self.factor), ceil_mode=True)
        output = self.conv(features)
        if self.factor > 1:
            output = F.interpolate(output, scale_factor=self.factor, mode="bilinear", align_corners=False)
        H, W = (math.ceil(side / self.out_stride) for side in size)
        return output[..., :H, :W]


def load_released(network: nn.Module, path: Path | str, what: str) -> nn.Module:
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
        network.load_state_dict(state.get("params", state))  # some authors wrap the weights, others do not
    except (pickle.UnpicklingError, RuntimeError, TypeError, EOFError, ValueError, KeyError, AttributeError):
        raise ValueError(f"{path} is not the {what} weight file that its authors released, or it is damaged.") from None
    return network.eval()
