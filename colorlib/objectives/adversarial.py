"""Adversarial: a second network, the critic, learns to tell true colours from predicted ones, and its opinion counts.

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

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorlib.color import AB_SCALE, L_CENTRE
from colorlib.objectives.base import OnColours, full_precision
from colorlib.registry import look_up

SMALLEST = 32  # pixels; smaller pictures are padded to it, or the critic's last layers would see nothing


def _what_it_sees(L: Tensor, ab_unit: Tensor) -> Tensor:
    x = torch.cat([L / L_CENTRE - 1, ab_unit], 1)
    H, W = x.shape[-2:]
    return F.pad(x, (0, max(0, SMALLEST - W), 0, max(0, SMALLEST - H)), mode="replicate")


class PatchCritic(nn.Module):
    """The 70×70 PatchGAN: C64-C128-C256-C512, then one opinion per patch.

    All convolutions are 4×4, with strides 2, 2, 2, 1, 1; the first and last have no batch normalisation.

    Difference from the paper: none intended at ``width`` 64. Where photographs have 64 pixels a patch covers nearly all
    of one, so the opinions overlap and are no longer local.

    Args:
        width: channels of the first layer; 64 gives the paper's 2.77 M parameters.
        norm: "batch", the paper's; "spectral", of the weights; or "none".
    """

    def __init__(self, width: int = 64, norm: str = "batch") -> None:
        super().__init__()
        layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for channels, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            layers += [nn.Conv2d(channels, 2 * channels, 4, stride, 1, bias=norm != "batch")]
            layers += [nn.BatchNorm2d(2 * channels)] if norm == "batch" else []
            layers += [nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)
                if norm == "spectral":
                    spectral_norm(layer)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, mean=1.0, std=0.02)

    def forward(self, L: Tensor, ab_unit: Tensor) -> Tensor:
        """Return (N, 1, h, w) logits, above zero where the colours of a patch look true.

        Args:
            L: (N, 1, H, W) in [0, 100].
            ab_unit: (N, 2, H, W), ab / 110.
        """
        return self.layers(_what_it_sees(L, ab_unit))


class UNetCritic(nn.Module):
    """A U-Net with spectral normalisation: one opinion per pixel, each with 48 pixels around it in view.

    Difference from the paper: the opinions of the U's lowest point are not asked for, as in DDColor's use of it; three
    halvings, which is what photographs of 64 pixels bear.

    Args:
        width: channels of the finest level; 64 is the usual one.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]

        def conv(i: int, o: int, size: int, stride: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(i, o, size, stride, 1))

        self.first = spectral_norm(nn.Conv2d(3, width, 3, padding=1))
        self.down = nn.ModuleList(conv(i, o, 4, 2) for i, o in zip(widths, widths[1:], strict=False))
        self.up = nn.ModuleList(conv(2 * w, w, 3, 1) for w in widths[-2::-1])
        self.last = spectral_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, L: Tensor, ab_unit: Tensor) -> Tensor:
        """Return (N, 1, H, W) logits; see :meth:`PatchCritic.forward`."""
        x = _what_it_sees(L, ab_unit)
        H, W = x.shape[-2:]
        x = F.leaky_relu(self.first(F.pad(x, (0, -W % 8, 0, -H % 8), mode="replicate")), 0.2)
        skips = []
        for layer in self.down:
            skips.append(x)
            x = F.leaky_relu(layer(x), 0.2)
        for layer, skip in zip(self.up, skips[::-1], strict=True):
            x = F.leaky_relu(layer(F.interpolate(x, scale_factor=2, mode="bilinear")), 0.2) + skip
        return self.last(x)[..., :H, :W]


CRITICS: dict[str, Callable[[int], nn.Module]] = {
    "patch": PatchCritic,
    "patch_spectral": lambda width: PatchCritic(width, "spectral"),
    "patch_plain": lambda width: PatchCritic(width, "none"),
    "unet": UNetCritic,
}


class Adversarial(OnColours):
    """What a critic thinks of the colours. The subclasses say how opinions are counted.

    The truth need not be what a critic likes best, and its standard moves during training, so ``loss`` says nothing
    about progress and never chooses the checkpoint (see :class:`~colorlib.objectives.base.WeightedSum`).

    ``critic_from`` and ``counts_from`` make Antic's NoGAN schedule: up to a share of the budget the network learns
    from the other terms alone, then a critic is trained on what it makes, and at last, for a short while, the critic's
    opinion counts. Its rule "stop just before the glitches", by eye in the original, is declared here: the
    last checkpoint is taken whose validated term is at most ``tolerance`` above the lowest.

    Difference from NoGAN: the network goes on learning from the other terms while the critic is trained.

    Args:
        critic: patch (70×70), patch_spectral, patch_plain (without normalisation) or unet.
        critic_width: channels of the critic's first layer; the papers have 64, less is cheaper.
        critic_from: share of the budget after which the critic begins to learn, 0 to 1.
        counts_from: share of the budget after which its opinion counts, 0 to 1.
        tolerance: a share, 0 or more.
    """

    truth_is_best = False

    def __init__(
        self,
        critic: str = "patch",
        critic_width: int = 64,
        critic_from: float = 0.0,
        counts_from: float = 0.0,
        tolerance: float = 0.0,
    ) -> None:
        super().__init__()
        if not (0 <= critic_from <= 1 and 0 <= counts_from <= 1 and tolerance >= 0):
            raise ValueError(
                "critic_from and counts_from must be from 0 to 1 and tolerance must be 0 or more, "
                f"not {critic_from}, {counts_from} and {tolerance}."
            )
        if critic_width < 1:
            raise ValueError(f"critic_width must be 1 or more, not {critic_width}.")
        self.critic = look_up(CRITICS, critic, "critic")(critic_width)
        self.critic_from, self.counts_from, self.tolerance = critic_from, counts_from, tolerance

    def opinion(self, ab: Tensor, L: Tensor) -> Tensor:
        """Return the critic's logits (N, 1, h, w), float32 at least, for colours (N, 2, H, W) in CIELAB units."""
        with self.autocast:
            return full_precision(self.critic(L, ab / AB_SCALE))

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        if self.share < self.counts_from:
            return {"loss": ab_predicted.new_zeros(())}
        self.critic.requires_grad_(False)  # this loss teaches the network only
        logits = self.opinion(ab_predicted, L)
        self.critic.requires_grad_(True)
        return {"loss": self.wish(logits)}

    def critic_loss(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return the critic's own ``"loss"``, and the shares of true and predicted patches that it tells apart.

        Args:
            ab_predicted: decoded colours without gradient, (N, 2, H, W) in CIELAB units, as ``ab``.
        """
        if self.share < self.critic_from:  # it is not asked, which saves its time, and knows as much as chance
            return {"loss": ab.new_zeros((), requires_grad=True), "critic_told_apart": ab.new_tensor(0.5)}
        on_true, on_predicted = self.opinion(ab, L), self.opinion(ab_predicted, L)
        # chance is 0.5; near 1 for long, the critic has won and teaches nothing any more
        told_apart = (on_true.mean((1, 2, 3)) > on_predicted.mean((1, 2, 3))).float().mean()
        return {"loss": self.lesson(on_true, on_predicted), "critic_told_apart": told_apart}

    def wish(self, logits: Tensor) -> Tensor:
        """Return what the network pays for the critic's opinion of its colours."""
        raise NotImplementedError

    def lesson(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        """Return what the critic pays for its opinions of true and of predicted colours."""
        raise NotImplementedError


def _cross_entropy(logits: Tensor, true: bool) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(true)))


class GANVanilla(Adversarial):
    """Binary cross-entropy with "true" and "not true" (Isola et al. 2017, equation 1, in its non-saturating form)."""

    def wish(self, logits: Tensor) -> Tensor:
        return _cross_entropy(logits, True)

    def lesson(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return (_cross_entropy(on_true, True) + _cross_entropy(on_predicted, False)) / 2


class GANLeastSquares(Adversarial):
    """Squared distance from 1 for true and from 0 for predicted colours (Mao et al. 2017, with labels 0 and 1)."""

    def wish(self, logits: Tensor) -> Tensor:
        return (logits - 1).square().mean()

    def lesson(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return ((on_true - 1).square().mean() + on_predicted.square().mean()) / 2


class GANHinge(Adversarial):
    """Opinions count only until they are sure, at ±1 (Lim and Ye 2017)."""

    def wish(self, logits: Tensor) -> Tensor:
        return -logits.mean()

    def lesson(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return F.relu(1 - on_true).mean() + F.relu(1 + on_predicted).mean()


class GANWasserstein(Adversarial):
    """The difference of mean opinions, the critic's slope held near 1 by a penalty (Gulrajani et al. 2017, equation 3).

    Difference from the paper: one critic step for each of the network's, as ChromaGAN has it; the interpolation is of
    ab only, since L is given; the critic has an opinion of each patch, and the slope is that of their mean.

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
        tolerance: float = 0.0,
        penalty: float = 10.0,
    ) -> None:
        super().__init__(critic, critic_width, critic_from, counts_from, tolerance)
        if not penalty > 0:
            raise ValueError(f"penalty must be above zero, not {penalty}.")
        self.penalty = penalty

    def wish(self, logits: Tensor) -> Tensor:
        return -logits.mean()

    def lesson(self, on_true: Tensor, on_predicted: Tensor) -> Tensor:
        return on_predicted.mean() - on_true.mean()

    def critic_loss(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        terms = super().critic_loss(ab_predicted, L, ab)
        if self.share < self.critic_from:
            return terms
        between = torch.rand(len(ab), 1, 1, 1, dtype=ab.dtype).to(ab.device)
        ab_unit = (torch.lerp(ab_predicted, ab, between) / AB_SCALE).requires_grad_()
        # the slope to hold is that of what the network is paid by
        opinions = full_precision(self.critic(L, ab_unit)).mean((1, 2, 3))
        (slope,) = torch.autograd.grad(opinions.sum(), ab_unit, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        return terms | {"loss": terms["loss"] + self.penalty * penalty, "critic_penalty": penalty}
