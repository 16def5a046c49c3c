"""What every objective is: the meaning of a network's output."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Objective(nn.Module):
    """Says how many channels a network must give, how wrong they are, and which colours they stand for.

    Attributes:
        out_channels: that the network must have.
        out_stride: the output has 1/out_stride of the photograph's height and width, rounded up; 1, 2 or 4.
        needs_prior: whether the bins' prior must be given.
        critic: a second network with a loss of its own, ``critic_loss``, or None.
        validated_term: the term of the loss that decides which checkpoint is best.
    """

    out_channels = 2
    needs_prior = False
    critic: nn.Module | None
    validated_term = "loss"

    def __init__(self, out_stride: int) -> None:
        super().__init__()
        self.critic = None
        if out_stride not in (1, 2, 4):
            raise ValueError(f"out_stride must be 1, 2 or 4, not {out_stride!r}.")
        self.out_stride = out_stride

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return the scalar to minimise, ``"loss"``, and its named terms, all of float32 at least.

        Args:
            output: (N, out_channels, ⌈H / out_stride⌉, ⌈W / out_stride⌉), the network's.
            L: (N, 1, H, W) in [0, 100].
            ab: (N, 2, H, W), the true colours in CIELAB units.
        """
        raise NotImplementedError

    def decode(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the colours that an output stands for: (N, 2, H, W) in CIELAB units, for ``size`` (H, W)."""
        raise NotImplementedError


def full_precision(x: Tensor) -> Tensor:
    """Return ``x`` in float32 at least; autocast hands over bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def area_average(ab: Tensor, stride: int) -> Tensor:
    """Average (N, C, H, W) over squares of ``stride``, over what is left of them at the edges."""
    return F.avg_pool2d(ab, stride, ceil_mode=True) if stride > 1 else ab


def enlarge(ab: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
    """Bring (N, C, h, w) to ``size`` (H, W) bilinearly.

    Where h and w are H and W over ``stride``, rounded up, the surplus of the last square is cut off, so that colours
    stay where they belong; any other size is reached by stretching.
    """
    H, W = size
    if tuple(ab.shape[-2:]) != (math.ceil(H / stride), math.ceil(W / stride)):
        return F.interpolate(ab, size=(H, W), mode="bilinear", align_corners=False)
    if stride > 1:
        ab = F.interpolate(ab, scale_factor=stride, mode="bilinear", align_corners=False)
    return ab[..., :H, :W]
