"""What old film does to a photograph, simulated: the lightness that is left for a network to colour.

Each degradation takes a colour photograph and a strength from 0 (none: the photograph's own lightness) to 1 (as bad as
old photographs commonly are) and gives the lightness that would be found today. They befall a photograph in the order
of :data:`DEGRADATIONS`: the emulsion sees, it grains, the print fades, the scan is compressed. What is drawn by lot
comes from a generator, or without one from torch's own.

References:
    H. W. Vogel, "On the sensitiveness of bromide of silver to the so-called chemically inactive colours", Chemical News
    28, 1873: dyes make an emulsion that saw only blue see green (and not red) too. T. H. James (ed.), "The Theory of
    the Photographic Process", 4th edition, 1977: sensitivity over the spectrum, granularity, fading of silver.
    A. Newson, J. Delon and B. Galerne, "A Stochastic Film Grain Model for Resolution-Independent Rendering", Computer
    Graphics Forum 36(8), 2017: grains that cover a share u of the paper scatter by √(u (1 − u)).
    ITU-T T.81, 1992: JPEG.
"""

import io
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorlib.color.lab import RGB_TO_XYZ, lab_to_rgb, rgb_to_lab, to_gamma, to_linear
from colorlib.distributed import part, parts

ORTHOCHROMATIC = (0.0, 0.5, 0.5)  # of linear red, green and blue: two humps alike in height, and nothing beyond yellow
GRAIN = 20.0  # deviation in L at strength 1 is 20 √(u (1 − u)), so 10 in the middle greys
GRAIN_SIZE = 0.7  # pixels, the deviation of the Gaussian that a grain looks like
FADED_BLACK, FADED_WHITE = 35.0, 85.0  # L at strength 1
STAIN, STAINS = 6.0, 4  # deviation in L at strength 1; stains along each side
BEST_QUALITY, WORST_QUALITY = 95, 15  # JPEG's, just above strength 0 and at strength 1


def orthochromatic(lab: Tensor, strength: float, generator: torch.Generator | None = None) -> Tensor:
    """Give the lightness that an emulsion records that sees blue and green and is blind to red.

    Red things come out dark, blue ones light; greys keep their lightness. In between, the weights of linear red, green
    and blue go in a straight line from those of luminance to those of the emulsion. The latter are round numbers, for
    every emulsion differs; nothing is said of ultraviolet, which it saw too and no photograph of today has kept.

    Args:
        lab: (N, 3, H, W) in CIELAB units.
        strength: 0 is panchromatic, 1 orthochromatic.
        generator: not needed.

    Returns:
        L (N, 1, H, W) in [0, 100].
    """
    weights = torch.lerp(RGB_TO_XYZ[1], torch.tensor(ORTHOCHROMATIC, dtype=RGB_TO_XYZ.dtype), _checked(strength))
    linear = to_linear(lab_to_rgb(lab, clip=False))
    exposure = (linear * weights.to(linear).view(1, 3, 1, 1)).sum(1, keepdim=True).clamp(0, 1)
    return _lightness(to_gamma(exposure))


def grain(lab: Tensor, strength: float, generator: torch.Generator | None = None, size: float = GRAIN_SIZE) -> Tensor:
    """Add grain: noise that is strongest in the middle greys and leaves black and white clean.

    It belongs to the pixels that are given: whoever shrinks the photograph averages it away.

    Args:
        lab: (N, 3, H, W) in CIELAB units.
        strength: of the deviation, which at 1 is 10 in the middle greys.
        generator: draws the grain, on the processor.
        size: of a grain, the deviation of its Gaussian in pixels; 0 is a grain for each pixel.

    Returns:
        L (N, 1, H, W) in [0, 100].

    Difference from Newson et al. (2017): their mean and deviation, Gaussian instead of counted grain by grain.
    """
    L = lab[:, :1]
    reach = math.ceil(3 * size)
    taps = torch.arange(-reach, reach + 1) / max(size, 1e-6)
    kernel = torch.exp(-(taps**2) / 2)
    kernel = (kernel / kernel.norm()).view(1, 1, 1, -1)  # of norm 1, so the noise keeps the variance 1
    H, W = L.shape[-2:]
    noise = torch.randn(len(L), 1, H + 2 * reach, W + 2 * reach, generator=generator)
    noise = F.conv2d(F.conv2d(noise, kernel), kernel.transpose(2, 3)).to(L)
    cover = (L / 100).clamp(0, 1)
    return (L + _checked(strength) * GRAIN * (cover * (1 - cover)).sqrt() * noise).clamp(0, 100)


def fading(lab: Tensor, strength: float, generator: torch.Generator | None = None) -> Tensor:
    """Fade the print: black is lifted, white yellows and darkens, and large soft stains lie over it.

    Args:
        lab: (N, 3, H, W) in CIELAB units.
        strength: at 1, black is at L = 35 and white at 85, and stains have a deviation of 6.
        generator: draws the stains, on the processor.

    Returns:
        L (N, 1, H, W) in [0, 100].
    """
    L, strength = lab[:, :1], _checked(strength)
    black, white = strength * FADED_BLACK, 100 - strength * (100 - FADED_WHITE)
    stains = torch.randn(len(L), 1, STAINS, STAINS, generator=generator).to(L)
    stains = F.interpolate(stains, size=L.shape[-2:], mode="bicubic", align_corners=True)
    return (black + (white - black) * L / 100 + strength * STAIN * stains).clamp(0, 100)


def jpeg(lab: Tensor, strength: float, generator: torch.Generator | None = None) -> Tensor:
    """Compress the grey picture as JPEG by Pillow, and read it again.

    Args:
        lab: (N, 3, H, W) in CIELAB units.
        strength: the quality is 95 − 80 · strength, rounded; 0 leaves the picture alone, without rounding to 8 bits.
        generator: not needed.

    Returns:
        L (N, 1, H, W) in [0, 100].
    """
    L = lab[:, :1]
    if not _checked(strength):
        return L
    quality = round(BEST_QUALITY - (BEST_QUALITY - WORST_QUALITY) * strength)
    grey = lab_to_rgb(F.pad(L, (0, 0, 0, 0, 0, 2)))[:, 0]  # (N, H, W)
    compressed = []
    for picture in (grey * 255).round().to(torch.uint8).cpu().numpy():
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
        compressed.append(np.asarray(Image.open(buffer)))
    return _lightness(torch.from_numpy(np.stack(compressed))[:, None].to(L) / 255)


DEGRADATIONS: dict[str, Callable[..., Tensor]] = {
    "orthochromatic": orthochromatic,
    "grain": grain,
    "fading": fading,
    "jpeg": jpeg,
}
"""(lab (N, 3, H, W), strength in [0, 1], generator) -> L (N, 1, H, W) in [0, 100], in the order in which they fall."""


def age(lab: Tensor, strength: float, generator: torch.Generator | None = None) -> Tensor:
    """Let all of :data:`DEGRADATIONS` befall photographs, one after the other, each at the same strength.

    Args, returns: as each of them.
    """
    for degrade in DEGRADATIONS.values():
        lab = torch.cat([degrade(lab, strength, generator), lab[:, 1:]], 1)
    return lab[:, :1]


def age_some(lab: Tensor, share: float, generator: torch.Generator | None = None) -> Tensor:
    """Age some photographs of a batch by lot, to train a network with: no two in the same way.

    Each photograph is chosen with probability ``share``. On a chosen one each of :data:`DEGRADATIONS` falls with
    probability one half, at a strength drawn evenly from 0 to 1.

    Args:
        lab: (N, 3, H, W) in CIELAB units.
        share: of the photographs, from 0 to 1.
        generator: draws the lots, on the processor; of a batch that several processes share
            (:mod:`colorlib.distributed`), for all of it.

    Returns:
        L (N, 1, H, W) in [0, 100].
    """
    N = parts() * len(lab)
    chosen = torch.rand(N, generator=generator) < share
    falls = torch.rand(N, len(DEGRADATIONS), generator=generator) < 0.5
    strengths = torch.rand(N, len(DEGRADATIONS), generator=generator)
    own = part(np.arange(N)).tolist()
    aged = lab.clone()
    for n in chosen.nonzero().flatten().tolist():
        # Another process's photograph: what befalls it is drawn all the same, for the lots that come after it.
        photograph = aged[own.index(n)][None] if n in own else lab[:1].clone()
        for d, degrade in enumerate(DEGRADATIONS.values()):
            if falls[n, d]:
                photograph[:, :1] = degrade(photograph, float(strengths[n, d]), generator)
    return aged[:, :1]


def _checked(strength: float) -> float:
    if not 0 <= strength <= 1:
        raise ValueError(f"the strength of a degradation must be from 0 to 1, not {strength}.")
    return strength


def _lightness(grey: Tensor) -> Tensor:
    """Return L (N, 1, H, W) of a grey picture (N, 1, H, W) in [0, 1], gamma-encoded."""
    return rgb_to_lab(grey.expand(-1, 3, -1, -1))[:, :1].clamp(0, 100)
