"""Adversarial: a second network, the critic, learns to tell true colours from predicted ones, and its opinion counts.

Reference:
    P. Isola, J.-Y. Zhu, T. Zhou and A. A. Efros, "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017, arXiv:1611.07004, sections 3 and 6.1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color import AB_SCALE, L_CENTRE
from colorlib.objectives.base import Objective, enlarge, full_precision

SMALLEST = 32  # pixels; smaller pictures are padded to it, or the critic's last layers would see nothing


class PatchCritic(nn.Module):
    """The 70×70 PatchGAN: C64-C128-C256-C512, then one opinion per patch.

    All convolutions are 4×4, with strides 2, 2, 2, 1, 1; the first and last have no batch normalisation.

    Difference from the paper: none intended at ``width`` 64. Where photographs have 64 pixels a patch covers nearly all
    of one, so the opinions overlap and are no longer local.

    Args:
        width: channels of the first layer; 64 gives the paper's 2.77 M parameters.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for channels, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            conv = nn.Conv2d(channels, 2 * channels, 4, stride, 1, bias=False)
            layers += [conv, nn.BatchNorm2d(2 * channels), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, mean=1.0, std=0.02)

    def forward(self, L: Tensor, ab_unit: Tensor) -> Tensor:
        """Return (N, 1, h, w) logits, above zero where the colours of a patch look true.

        Args:
            L: (N, 1, H, W) in [0, 100].
            ab_unit: (N, 2, H, W), ab / 110.
        """
        x = torch.cat([L / L_CENTRE - 1, ab_unit], 1)
        H, W = x.shape[-2:]
        return self.layers(F.pad(x, (0, max(0, SMALLEST - W), 0, max(0, SMALLEST - H)), mode="replicate"))


def judgement(logits: Tensor, true: bool) -> Tensor:
    """Return the binary cross-entropy of the critic's opinions with "true" or "not true", a mean over patches."""
    logits = full_precision(logits)
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(true)))


class Pix2Pix(Objective):
    """L1 plus a critic's opinion (equation 4): ``loss`` = l1_weight · ``l1`` + ``gan``.

    The output is ab_unit = ab / 110. The best checkpoint is the one with the lowest ``l1``: the critic's own standard
    moves during training, so ``gan`` says nothing about progress.

    Difference from the paper: no noise by dropout and no tanh at the end, so that networks are the same under every
    objective; the generator is whichever network is trained.

    Args:
        l1_weight: the paper's λ.
        critic_width: channels of the critic's first layer; the paper has 64, less is cheaper.
    """

    validated_term = "l1"

    def __init__(self, l1_weight: float = 100.0, critic_width: int = 64) -> None:
        super().__init__(out_stride=1)
        self.l1_weight = l1_weight
        self.critic = PatchCritic(critic_width)

    def decode(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return enlarge(AB_SCALE * full_precision(output), self.out_stride, size)

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        l1 = F.l1_loss(full_precision(output), ab / AB_SCALE)
        self.critic.requires_grad_(False)  # this loss teaches the network only
        gan = judgement(self.critic(L, output), true=True)
        self.critic.requires_grad_(True)
        return {"loss": self.l1_weight * l1 + gan, "l1": l1, "gan": gan}

    def critic_loss(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return the critic's own ``"loss"``: half the sum of its errors on true and on predicted colours.

        Args:
            output, L, ab: as for :meth:`forward`; no gradient reaches ``output``.
        """
        on_true = judgement(self.critic(L, ab / AB_SCALE), true=True)
        on_predicted = judgement(self.critic(L, output.detach()), true=False)
        return {"loss": (on_true + on_predicted) / 2, "critic_true": on_true, "critic_predicted": on_predicted}
