"""Critics: networks that tell true colours from predicted ones."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorlib.color.lab import L_CENTRE

SMALLEST = 32  # pixels; smaller pictures are padded to it, or the critic's last layers would see nothing


def _what_it_sees(L: Tensor, ab_unit: Tensor) -> Tensor:
    x = torch.cat([L / L_CENTRE - 1, ab_unit], 1)
    H, W = x.shape[-2:]
    return F.pad(x, (0, max(0, SMALLEST - W), 0, max(0, SMALLEST - H)), mode="replicate")


class PatchCritic(nn.Module):
    """The 70×70 PatchGAN: C64-C128-C256-C512, then one logit per patch.

    All convolutions are 4×4, with strides 2, 2, 2, 1, 1; the first and last have no batch normalisation.

    Difference from the paper: none intended at ``width`` 64. Where photographs have 64 pixels a patch covers nearly all
    of one, so the patches overlap and are no longer local.

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
    """A U-Net with spectral normalisation: one logit per pixel, each with 48 pixels around it in view.

    Difference from the paper: the logits of the U's lowest point are not asked for, as in DDColor's use of it; three
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
