"""A batch of predictions beside the photographs they were made from: what every metric is measured on."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from colorlib import gamut
from colorlib.color import lab_to_rgb


@dataclass(frozen=True, eq=False)
class Pair:
    """Predicted and true ab of the same photographs; what several metrics need is computed once.

    Args:
        L: (N, 1, H, W) lightness of the photographs, [0, 100].
        ab: (N, 2, H, W) predicted, CIELAB units; kept as predicted, in or out of sRGB's gamut.
        ab_true: (N, 2, H, W) of the photographs, CIELAB units.
        prior: (313,) share of each colour bin in the training photographs, sum 1; None if it is not known.

    Raises:
        TypeError: one of them is not a floating-point tensor.
        ValueError: the shapes do not belong together, or values are NaN or infinite.

    Example:
        >>> grey = Pair(torch.full((1, 1, 8, 8), 50.0), torch.zeros(1, 2, 8, 8), torch.full((1, 2, 8, 8), 30.0))
        >>> grey.ab_distance.mean().round()
        tensor(42.)
    """

    L: Tensor
    ab: Tensor
    ab_true: Tensor
    prior: Tensor | None = None

    def __post_init__(self) -> None:
        for name, channels in {"L": 1, "ab": 2, "ab_true": 2}.items():
            image = getattr(self, name)
            if not isinstance(image, Tensor) or not image.is_floating_point():
                kind = getattr(image, "dtype", type(image).__name__)
                raise TypeError(f"{name} must be a floating-point tensor, not {kind}.")
            if image.ndim != 4 or image.shape[1] != channels or image.numel() == 0:
                raise ValueError(
                    f"{name} must have shape (N, {channels}, H, W), none of them 0, not {tuple(image.shape)}."
                )
            if image.shape[0] != self.L.shape[0] or image.shape[2:] != self.L.shape[2:]:
                raise ValueError(
                    f"{name} {tuple(image.shape)} and L {tuple(self.L.shape)} are not the same photographs: "
                    "N, H and W must agree."
                )
            if bad := int((~image.isfinite()).sum()):
                raise ValueError(f"{bad} of the {image.numel()} values of {name} are NaN or infinite.")
        if self.prior is not None and self.prior.shape != (len(gamut.bin_centres()),):
            raise ValueError(
                f"prior must have shape ({len(gamut.bin_centres())},), one share per colour bin, "
                f"not {tuple(self.prior.shape)}."
            )

    @cached_property
    def lab(self) -> Tensor:
        """(N, 3, H, W) prediction, in CIELAB units."""
        return torch.cat([self.L, self.ab], 1)

    @cached_property
    def lab_true(self) -> Tensor:
        """(N, 3, H, W) photograph, in CIELAB units."""
        return torch.cat([self.L, self.ab_true], 1)

    @cached_property
    def rgb(self) -> Tensor:
        """(N, 3, H, W) prediction as sRGB shows it: clipped to [0, 1], not rounded to 8 bits."""
        return lab_to_rgb(self.lab)

    @cached_property
    def rgb_true(self) -> Tensor:
        """(N, 3, H, W) photograph by the same path, so both have lost the same."""
        return lab_to_rgb(self.lab_true)

    @cached_property
    def ab_distance(self) -> Tensor:
        """(N, H, W) Euclidean distance between predicted and true ab; it is ΔE76, since L is the same."""
        return torch.hypot(*(self.ab - self.ab_true).unbind(1))

    @cached_property
    def bins(self) -> Tensor:
        """(N, H, W) int64 colour bin of each predicted pixel."""
        return gamut.nearest_bin(self.ab)

    @cached_property
    def bins_true(self) -> Tensor:
        """(N, H, W) int64 colour bin of each pixel of the photograph."""
        return gamut.nearest_bin(self.ab_true)
