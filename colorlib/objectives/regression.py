"""Regression: the network answers with the colour itself, in a colour space of one's choice.

Where several colours are plausible, the answer that costs least is their mean (L2) or their median (L1): dull, even
when none of the plausible colours is. A mean in RGB is not a mean in Lab, so the space has a say in which dull colour.

References:
    R. Zhang, P. Isola and A. A. Efros, ECCV 2016, arXiv:1603.08511, equation 1 (L2).
    P. Isola et al., CVPR 2017, arXiv:1611.07004, equation 3 (L1).
    R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017,
    arXiv:1705.02999, section 3 (Huber).
    P. Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for computed imaging", ICIP 1994.
    C. Ballester et al., "Influence of Color Spaces for Deep Learning Image Colorization", 2022, arXiv:2204.02850.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color.appearance import ciede2000
from colorlib.color.lab import AB_SCALE
from colorlib.color.spaces import SPACES
from colorlib.objectives.base import Objective, OnColours, area_average, enlarge, full_precision
from colorlib.registry import look_up


class _Regression(Objective):
    """Output: the space's channels, each about [-1, 1] but without bounds (``lab``: ab / 110; see ``color.SPACES``).

    The loss is a mean over pixels and channels. Whatever the space, the answer is decoded to ab and the photograph
    keeps its own L, so that spaces are compared on equal terms.

    Args:
        out_stride: 1 compares at full resolution; 2 or 4 compare with the photograph's average over squares.
        space: lab, rgb, ycbcr, hsv, hsl or oklab.
    """

    def __init__(self, out_stride: int = 1, space: str = "lab") -> None:
        super().__init__(out_stride)
        self.space = space
        self.out_channels = look_up(SPACES, space, "colour space").channels

    def decode(self, output: Tensor, size: tuple[int, ...]) -> Tensor:
        return enlarge(SPACES[self.space].decode(full_precision(output)), self.out_stride, size)

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            target = SPACES[self.space].encode(area_average(torch.cat([L, ab], 1), self.out_stride))
        return {"loss": self.distance(full_precision(output), target)}

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        raise NotImplementedError


class L1(_Regression):
    """The mean absolute error."""

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(output, target)


class L2(_Regression):
    """The mean squared error.

    Difference from the paper: the mean over pixels and channels, where equation 1 has half the sum.
    """

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target)


class Huber(_Regression):
    """Huber's loss: squared for errors below ``delta``, absolute above.

    Difference from the paper: divided by delta, so that its slope is L1's and learning rates mean the same.

    Args:
        out_stride, space: as for L1.
        delta: in ab units (110ths of the output's unit); the paper has 1.
    """

    def __init__(self, out_stride: int = 1, space: str = "lab", delta: float = 1.0) -> None:
        super().__init__(out_stride, space)
        if not delta > 0:
            raise ValueError(f"delta, in ab units, must be above zero, not {delta}.")
        self.delta = delta

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(output, target, beta=self.delta / AB_SCALE)


class Charbonnier(_Regression):
    """Charbonnier's loss, √(e² + ε²) - ε: L1 with a tip that is round at every scale; image restoration's favourite.

    Args:
        out_stride, space: as for L1.
        epsilon: in ab units (110ths of the output's unit).
    """

    def __init__(self, out_stride: int = 1, space: str = "lab", epsilon: float = 1.0) -> None:
        super().__init__(out_stride, space)
        if not epsilon > 0:
            raise ValueError(f"epsilon, in ab units, must be above zero, not {epsilon}.")
        self.epsilon = epsilon / AB_SCALE

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        return ((output - target).square() + self.epsilon**2).sqrt().mean() - self.epsilon


class CIE76(OnColours):
    """The mean CIE 1976 difference, the distance in ab, in hundreds of units; round at its tip, within a unit.

    L1 looks at a and b by themselves and so draws colours towards the axes; this one has no axes.
    """

    metric = "delta_e_76"

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        squared = (ab_predicted - ab).square().sum(1)
        return {"loss": ((squared + 1).sqrt() - 1).mean() / 100}


class CIEDE2000(OnColours):
    """The mean CIEDE2000 difference, in hundreds of units: what the table's main metric measures, made a loss.

    A network trained with it is judged by what it was trained on: look at the other metrics too.
    """

    metric = "delta_e_2000"

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        return {"loss": ciede2000(torch.cat([L, ab_predicted], 1), torch.cat([L, ab], 1)).mean() / 100}
