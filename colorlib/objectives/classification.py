"""Classification: the network answers with odds for each of the 313 bins of the ab plane.

Odds can say "red or green", which a single colour cannot; the choice is made afterwards, when they are decoded.

Reference:
    R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization", ECCV 2016, arXiv:1603.08511, equations 2 to 5.
"""

import torch
from torch import Tensor

from colorlib.color import gamut
from colorlib.objectives.base import Objective, area_average, enlarge, full_precision


class CrossEntropy(Objective):
    """Cross-entropy between the network's odds and the softly encoded truth (equation 2), a mean over pixels in nats.

    Difference from the paper: out_stride 2 by default, where the paper has 4. The paper's photographs had 256 pixels;
    at 64 pixels a quarter leaves 16×16 colours, which blurs small things away before any learning begins.

    Args:
        out_stride: 1, 2 or 4; the truth is averaged over squares of so many pixels, then encoded.
        k: nearest bins in the encoding; the paper has 5, its released code 10.
        sigma: width of the encoding, in ab units.
        temperature: of the annealed mean that decodes; 0.38 is the paper's.
    """

    out_channels = 313
    temperature: float

    def __init__(
        self, out_stride: int = 2, k: int = 5, sigma: float = gamut.SIGMA, temperature: float = gamut.TEMPERATURE
    ) -> None:
        super().__init__(out_stride)
        if not 1 <= k <= self.out_channels:
            raise ValueError(f"k, the number of nearest bins, must be from 1 to {self.out_channels}, not {k}.")
        if not (sigma > 0 and temperature > 0):
            raise ValueError(f"sigma and temperature must be above zero, not {sigma} and {temperature}.")
        self.k, self.sigma, self.temperature = k, sigma, temperature

    def decode(self, output: Tensor, size: tuple[int, ...]) -> Tensor:
        return enlarge(gamut.annealed_mean(output, self.temperature), self.out_stride, size)

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        truth = area_average(ab, self.out_stride)
        return self.total(*gamut.soft_cross_entropy(full_precision(output), truth, self.k, self.sigma))

    def total(self, cross_entropy: Tensor, bins: Tensor) -> dict[str, Tensor]:
        """Reduce the (N, h, w) cross-entropies; ``bins`` (N, h, w) are those nearest to the truth."""
        return {"loss": cross_entropy.mean()}

    def pixel_weights(self, bins: Tensor) -> Tensor:
        """Return what a pixel weighs whose truth is nearest to a bin: ``bins``, of any shape -> that shape."""
        return torch.ones_like(bins, dtype=torch.float32)


class RebalancedCrossEntropy(CrossEntropy):
    """Cross-entropy where pixels of rare colours count more (equations 2 to 4).

    A pixel weighs what the nearest bin weighs. Since Σ p w = 1, the weight of an average pixel is about 1: the loss has
    the scale of plain cross-entropy, and learning rates mean the same.

    Difference from the paper: none intended beyond those of :class:`CrossEntropy`.

    Args:
        prior: (313,), the share of each bin in the training photographs; it is smoothed here.
        out_stride, k, sigma, temperature: as for :class:`CrossEntropy`; sigma also smooths the prior.
        mix: the paper's λ: 0 weighs by rarity alone, 1 weighs all bins alike.
    """

    needs_prior = True
    weights: Tensor

    def __init__(
        self,
        prior: Tensor,
        out_stride: int = 2,
        k: int = 5,
        sigma: float = gamut.SIGMA,
        temperature: float = gamut.TEMPERATURE,
        mix: float = 0.5,
    ) -> None:
        super().__init__(out_stride, k, sigma, temperature)
        weights = gamut.rebalancing_weights(gamut.smooth_prior(prior, sigma), mix)
        self.register_buffer("weights", weights.float(), persistent=False)  # follows from the data, not from training

    def total(self, cross_entropy: Tensor, bins: Tensor) -> dict[str, Tensor]:
        return {"loss": (self.pixel_weights(bins) * cross_entropy).mean(), "unweighted": cross_entropy.mean()}

    def pixel_weights(self, bins: Tensor) -> Tensor:
        return self.weights[bins]
