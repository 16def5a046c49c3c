"""Projected adversarial: the critic looks through a network that knows what things are, and that never learns.

A critic that begins from nothing learns first whatever tells the two kinds apart most easily, such as how strong the
colours are, and needs many photographs before it can ask whether grass is green. This one stands on features that know
grass. Left to themselves they would make it too strong: it would find the few that give an answer away, and win. So
they are mixed at random, and each of several small critics sees one resolution of the mixture.

References:
    A. Sauer, K. Chitta, J. Müller and A. Geiger, "Projected GANs Converge Faster", NeurIPS 2021, arXiv:2111.01007,
    sections 3.2 (projection, mixing) and 4 (which network, how many scales).
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorlib.color.lab import AB_SCALE, L_CENTRE
from colorlib.imagenet import Encoder, Standardized, enlarge, enlargement
from colorlib.objectives.adversarial import CRITIC_RATE, GANHinge
from colorlib.objectives.base import open_rgb

SHORT_SIDE = 128  # pixels that small photographs are enlarged to: the encoder knows things by their size
SPREAD = (12.0, 10.0, 6.5, 2.75)  # the deviation of its maps at strides 4 to 32, of photographs of 64 pixels enlarged

Part = TypeVar("Part", bound=nn.Module)


def frozen(network: Part) -> Part:
    """Return a network in eval mode whose weights no optimizer finds and no checkpoint holds: they are buffers now."""
    for layer in network.modules():
        weights = [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]
        for name, tensor in weights:
            delattr(layer, name)
            layer.register_buffer(name, tensor.detach(), persistent=False)
    return network.eval()


class Mixing(nn.Module):
    """Random convolutions that spread what single features say: across channels, then across scales.

    Args:
        channels: of the maps, from fine to coarse.
        width: channels of each mixed map.
    """

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.channels = nn.ModuleList(nn.Conv2d(count, width, 1, bias=False) for count in channels)
        self.scales = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in channels[1:])
        for layer in (*self.channels, *self.scales):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")  # as strong after it as before

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Turn maps (N, channels, h, w), from fine to coarse, into mixed ones (N, width, h, w)."""
        mixed = [mix(features) for mix, features in zip(self.channels, maps, strict=True)]
        for i in reversed(range(len(self.scales))):
            coarser = F.interpolate(self.scales[i](mixed[i + 1]), mixed[i].shape[-2:], mode="bilinear")
            mixed[i] = mixed[i] + coarser
        return mixed


def scale_critic(width: int, halvings: int) -> nn.Sequential:
    """Return a critic of a mixed map and L: (N, width + 1, h, w) -> logits (N, 1, h, w), both halved so often."""
    strides, layers = [2] * halvings or [1], []
    for channels, stride in zip([width + 1] + [width] * (len(strides) - 1), strides, strict=True):
        layers += [spectral_norm(nn.Conv2d(channels, width, 3, stride, 1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(width, 1, 3, padding=1)))


class ProjectedCritic(nn.Module):
    """Four critics of what a frozen EfficientNet-Lite0 sees in the coloured picture, at strides 4, 8, 16 and 32.

    L and ab become the sRGB picture, which is enlarged by a whole power of 2 to a short side near 128. Each critic has
    L beside its features, averaged to their resolution: it is asked whether the colours fit *this* picture. Encoder and
    mixing are fixed, are in no checkpoint, and come back when the critic is created again from the same seed.

    Difference from the paper: Lite0 for Lite1, and 128 pixels for 256; L beside the features, where there is no
    condition; mixed maps of equal width, made by one convolution a scale where the release has residual blocks, and
    brought to a deviation near 1; small critics of equal width that end with a logit for each 32×32 pixels, without
    batch normalisation, which would tie photographs to one another; no augmentation but the training loop's.

    Args:
        width: channels of the mixed maps and of the critics.

    Raises:
        ModuleNotFoundError: the package with the encoder's weights is missing.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        encoder = Encoder(0, pretrained=True)
        self.encoder, self.mixing = frozen(encoder), frozen(Mixing(encoder.channels[1:], width))
        self.critics = nn.ModuleList(scale_critic(width, halvings) for halvings in (3, 2, 1, 0))
        self.standardized = Standardized()

    def train(self, mode: bool = True) -> "ProjectedCritic":
        super().train(mode)
        self.encoder.eval()
        self.mixing.eval()
        return self

    def features(self, L: Tensor, ab_unit: Tensor) -> list[Tensor]:
        """Return the four mixed maps (N, width, h, w), from fine to coarse; see :meth:`forward`."""
        rgb = enlarge(open_rgb(L, AB_SCALE * ab_unit), enlargement(L.shape[-2:], SHORT_SIDE))
        maps = self.encoder.features(self.standardized(rgb))[1:]
        return self.mixing([features / spread for features, spread in zip(maps, SPREAD, strict=True)])

    def forward(self, L: Tensor, ab_unit: Tensor) -> Tensor:
        """Return (N, 4, h, w) logits, one channel a scale, h and w the enlarged sides over 32, rounded up.

        Args:
            L: (N, 1, H, W) in [0, 100].
            ab_unit: (N, 2, H, W), ab / 110.
        """
        logits = []
        for critic, mixed in zip(self.critics, self.features(L, ab_unit), strict=True):
            h, w = mixed.shape[-2:]
            lightness = F.adaptive_avg_pool2d(L / L_CENTRE - 1, (h, w))
            logits.append(critic(torch.cat([mixed, lightness.to(mixed)], 1)))
        return torch.cat(logits, 1)


class GANProjected(GANHinge):
    """The hinge loss of four small critics on mixed features of ImageNet (Sauer et al. 2021, equation 3).

    Needs the extra ``pretrained`` for training and for whatever else creates the whole objective; a trained network
    colours without it.

    Difference from the paper: that of :class:`ProjectedCritic`; the mean over all logits, as in the release, where the
    paper adds up the critics' losses; Adam's betas are the training loop's.

    Args:
        critic_width: channels of the mixed maps and of the critics.
        critic_from, counts_from, critic_rate, network_rests: see :class:`~colorlib.objectives.adversarial.Adversarial`.

    Raises:
        ModuleNotFoundError: the package with the encoder's weights is missing.
    """

    critics: ClassVar[dict[str, Callable[[int], nn.Module]]] = {"projected": ProjectedCritic}

    def __init__(
        self,
        critic_width: int = 64,
        critic_from: float = 0.0,
        counts_from: float = 0.0,
        critic_rate: float = CRITIC_RATE,
        network_rests: int = 0,
    ) -> None:
        super().__init__("projected", critic_width, critic_from, counts_from, critic_rate, network_rests)
