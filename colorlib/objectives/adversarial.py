"""Adversarial: a second network, the critic, learns to tell true colours from predicted ones, and its logits count.

References:
    P. Isola, J.-Y. Zhu, T. Zhou and A. A. Efros, "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017, arXiv:1611.07004, sections 3 and 6.1 (vanilla, PatchGAN).
    X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, arXiv:1611.04076.
    J. H. Lim and J. C. Ye, "Geometric GAN", 2017, arXiv:1705.02894 (hinge).
    I. Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, arXiv:1704.00028 (WGAN-GP).
    T. Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, arXiv:1802.05957.
    E. Schönfeld, B. Schiele and A. Khoreva, "A U-Net Based Discriminator for Generative Adversarial Networks",
    CVPR 2020, arXiv:2002.12655.
    J. Antic, DeOldify, 2018, its notes on "NoGAN" training.
"""

import math
from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.lab import AB_SCALE
from colorlib.distributed import part, parts
from colorlib.objectives.base import OnColours, full_precision
from colorlib.objectives.critics import CRITICS
from colorlib.registry import look_up

CRITIC_RATE = 2e-4  # Isola et al. 2017, section 3.3


class Adversarial(OnColours):
    """What a critic thinks of the colours. The subclasses say how its logits are counted.

    The truth need not be what a critic likes best, and its standard moves during training, so ``loss`` says nothing
    about progress and never chooses the checkpoint: judged are the last weights, not those of the lowest validated
    term, which would be the least adversarial ones (see :mod:`colorlib.runs.training`).

    ``critic_from``, ``counts_from`` and ``network_rests`` make Antic's NoGAN schedule: up to a share of the budget the
    network learns from the other terms alone, then a critic is trained on what it makes, and at last, for a short
    while, the critic's logits count.

    Difference from NoGAN: once, where it goes round several times; and where it stops "just before the glitches", by
    eye, the end of the budget is declared here.

    Args:
        critic: patch (70×70), patch_spectral, patch_plain (without normalisation) or unet.
        critic_width: channels of the critic's first layer; the papers have 64, less is cheaper.
        critic_from: share of the budget after which the critic begins to learn, 0 to 1.
        counts_from: share of the budget after which its logits count, 0 to 1.
        critic_rate: the critic's learning rate, constant; pix2pix has 2e-4, DDColor 1e-4.
        network_rests: 1 to leave the network as it is from ``critic_from`` to ``counts_from``, while the critic learns.
    """

    critic: nn.Module
    critics: ClassVar[dict[str, Callable[[int], nn.Module]]] = CRITICS
    truth_is_best = False

    def __init__(
        self,
        critic: str = "patch",
        critic_width: int = 64,
        critic_from: float = 0.0,
        counts_from: float = 0.0,
        critic_rate: float = CRITIC_RATE,
        network_rests: int = 0,
    ) -> None:
        super().__init__()
        if not (0 <= critic_from <= 1 and 0 <= counts_from <= 1):
            raise ValueError(f"critic_from and counts_from must be from 0 to 1, not {critic_from} and {counts_from}.")
        if not 0 < critic_rate < math.inf:
            raise ValueError(f"critic_rate must be above zero, not {critic_rate}.")
        if network_rests not in (0, 1):
            raise ValueError(f"network_rests must be 0 (it goes on learning) or 1, not {network_rests!r}.")
        if critic_width < 1:
            raise ValueError(f"critic_width must be 1 or more, not {critic_width}.")
        self.critic = look_up(self.critics, critic, "critic")(critic_width)
        self.critic_from, self.counts_from, self.critic_rate = critic_from, counts_from, critic_rate
        self.may_rest = bool(network_rests)

    def network_rests(self) -> bool:
        return self.may_rest and self.critic_from <= self.share < self.counts_from

    def logits(self, ab: Tensor, L: Tensor) -> Tensor:
        """Return the critic's logits (N, C, h, w), float32 at least, for colours (N, 2, H, W) in CIELAB units."""
        with self.autocast:
            return full_precision(self.critic(L, ab / AB_SCALE))

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        if self.share < self.counts_from:
            return {"loss": ab_predicted.new_zeros(())}
        self.critic.requires_grad_(False)  # this loss teaches the network only
        logits = self.logits(ab_predicted, L)
        self.critic.requires_grad_(True)
        return {"loss": self.generator_loss(logits)}

    def critic_terms(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return the critic's own ``"loss"``, and the shares of true and predicted patches that it tells apart.

        Args:
            ab_predicted: decoded colours without gradient, (N, 2, H, W) in CIELAB units, as ``ab``.
        """
        if self.share < self.critic_from:  # it is not asked, which saves its time, and knows as much as chance
            return {"loss": ab.new_zeros((), requires_grad=True), "critic_told_apart": ab.new_tensor(0.5)}
        on_true, on_predicted = self.logits(ab, L), self.logits(ab_predicted, L)
        # chance is 0.5; near 1 for long, the critic has won and teaches nothing any more
        told_apart = (on_true.mean((1, 2, 3)) > on_predicted.mean((1, 2, 3))).float().mean()
        return {"loss": self.critic_loss(on_true, on_predicted), "critic_told_apart": told_apart}

    def generator_loss(self, logits: Tensor) -> Tensor:
        """Return what the network pays for the critic's logits of its colours."""
        raise NotImplementedError

    def critic_loss(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        """Return what the critic pays for its logits of true and of predicted colours."""
        raise NotImplementedError


def _cross_entropy(logits: Tensor, true: bool) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(true)))


class GANVanilla(Adversarial):
    """Binary cross-entropy with "true" and "not true" (Isola et al. 2017, equation 1, in its non-saturating form)."""

    def generator_loss(self, logits: Tensor) -> Tensor:
        return _cross_entropy(logits, True)

    def critic_loss(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return (_cross_entropy(on_true, True) + _cross_entropy(on_predicted, False)) / 2


class GANLeastSquares(Adversarial):
    """Squared distance from 1 for true and from 0 for predicted colours (Mao et al. 2017, with labels 0 and 1)."""

    def generator_loss(self, logits: Tensor) -> Tensor:
        return (logits - 1).square().mean()

    def critic_loss(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return ((on_true - 1).square().mean() + on_predicted.square().mean()) / 2


class GANHinge(Adversarial):
    """Logits count only until they are sure, at ±1 (Lim and Ye 2017)."""

    def generator_loss(self, logits: Tensor) -> Tensor:
        return -logits.mean()

    def critic_loss(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return F.relu(1 - on_true).mean() + F.relu(1 + on_predicted).mean()


class GANWasserstein(Adversarial):
    """The difference of mean logits, the critic's slope held near 1 by a penalty (Gulrajani et al. 2017, equation 3).

    Difference from the paper: one critic step for each of the network's, as ChromaGAN has it; the interpolation is of
    ab only, since L is given; the critic has a logit for each patch, and the slope is that of their mean.

    Args:
        critic: see :class:`Adversarial`; without batch normalisation, which would tie photographs to one another.
        penalty: weight of the squared distance of the slope from 1; the paper has 10.
    """

    def __init__(
        self,
        critic: str = "patch_plain",
        critic_width: int = 64,
        critic_from: float = 0.0,
        counts_from: float = 0.0,
        critic_rate: float = CRITIC_RATE,
        network_rests: int = 0,
        penalty: float = 10.0,
    ) -> None:
        super().__init__(critic, critic_width, critic_from, counts_from, critic_rate, network_rests)
        if not penalty > 0:
            raise ValueError(f"penalty must be above zero, not {penalty}.")
        self.penalty = penalty

    def generator_loss(self, logits: Tensor) -> Tensor:
        return -logits.mean()

    def critic_loss(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return on_predicted.mean() - on_true.mean()

    def critic_terms(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        terms = super().critic_terms(ab_predicted, L, ab)
        if self.share < self.critic_from:
            return terms
        between = part(torch.rand(parts() * len(ab), 1, 1, 1, dtype=ab.dtype)).to(ab.device)
        ab_unit = (torch.lerp(ab_predicted, ab, between) / AB_SCALE).requires_grad_()
        # the slope to hold is that of what the network is paid by
        logits = full_precision(self.critic(L, ab_unit)).mean((1, 2, 3))
        (slope,) = torch.autograd.grad(logits.sum(), ab_unit, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        return terms | {"loss": terms["loss"] + self.penalty * penalty, "critic_penalty": penalty}
