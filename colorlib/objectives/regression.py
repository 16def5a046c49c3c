"""Regression: the network answers with the colour itself.

Where several colours are plausible, the answer that costs least is their mean (L2) or their median (L1): dull, even
when none of the plausible colours is.

References:
    R. Zhang, P. Isola and A. A. Efros, ECCV 2016, arXiv:1603.08511, equation 1 (L2).
    P. Isola et al., CVPR 2017, arXiv:1611.07004, equation 3 (L1).
    R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017,
    arXiv:1705.02999, section 3 (Huber).
"""

import torch.nn.functional as F
from torch import Tensor

from colorlib.color import AB_SCALE
from colorlib.objectives.base import Objective, area_average, enlarge, full_precision


class _Regression(Objective):
    """Output: ab_unit = ab / 110, without bounds; the loss is a mean over pixels and both channels, in that unit.

    Args:
        out_stride: 1 compares at full resolution; 2 or 4 compare with the photograph's average over squares.
    """

    def __init__(self, out_stride: int = 1) -> None:
        super().__init__(out_stride)

    def decode(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return enlarge(AB_SCALE * full_precision(output), self.out_stride, size)

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        return {"loss": self.distance(full_precision(output), area_average(ab, self.out_stride) / AB_SCALE)}

    def distance(self, output: Tensor, ab_unit: Tensor) -> Tensor:
        raise NotImplementedError


class L1(_Regression):
    """The mean absolute error."""

    def distance(self, output: Tensor, ab_unit: Tensor) -> Tensor:
        return F.l1_loss(output, ab_unit)


class L2(_Regression):
    """The mean squared error.

    Difference from the paper: the mean over pixels and channels, where equation 1 has half the sum.
    """

    def distance(self, output: Tensor, ab_unit: Tensor) -> Tensor:
        return F.mse_loss(output, ab_unit)


class Huber(_Regression):
    """Huber's loss: squared for errors below ``delta``, absolute above.

    Difference from the paper: divided by delta, so that its slope is L1's and learning rates mean the same.

    Args:
        out_stride: as for L1.
        delta: in ab units; the paper has 1.
    """

    def __init__(self, out_stride: int = 1, delta: float = 1.0) -> None:
        super().__init__(out_stride)
        if not delta > 0:
            raise ValueError(f"delta, in ab units, must be above zero, not {delta}.")
        self.delta = delta

    def distance(self, output: Tensor, ab_unit: Tensor) -> Tensor:
        return F.smooth_l1_loss(output, ab_unit, beta=self.delta / AB_SCALE)
