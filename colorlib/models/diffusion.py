"""Diffusion: colours out of noise, little by little, and other colours out of other noise.

A network that answers once must choose, or answer with the mean of all that may be true. This one is shown the colours
under noise and asked for the clean ones, at every strength of noise t from 0 (none) to 1 (nothing but noise):

    x_t = (1 − t) · ab + t · noise                                                            (the straight path)

Colouring walks back from t = 1. At each step the network says where the path may have begun, and only a part of the
way is walked before it is asked again. Of two plausible colours the first answer is the mean; the noise, by chance,
lies nearer to one of them, the next answers see it, and the walk ends there: at red or at green, not at brown.

References:
    C. Saharia et al., "Palette: Image-to-Image Diffusion Models", SIGGRAPH 2022, arXiv:2111.05826.
    Y. Lipman et al., "Flow Matching for Generative Modeling", ICLR 2023, arXiv:2210.02747.
    X. Liu, C. Gong and Q. Liu, "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified Flow",
    ICLR 2023, arXiv:2209.03003.
    P. Dhariwal and A. Nichol, "Diffusion Models Beat GANs on Image Synthesis", NeurIPS 2021, arXiv:2105.05233: the
    network that Palette starts from.
    P. Esser et al., "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", ICML 2024,
    arXiv:2403.03206: the shift of t.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.distributed import part, parts
from colorlib.models.base import Decode, Network
from colorlib.models.blocks import L_to_unit, Output, pad_to_multiple

AB_DEVIATION = 25.0  # of the noise at t = 1, in ab units: about the standard deviation of a photograph's a* and b*
NOISE_SHIFT = 8.0  # the odds t : 1 − t are so many times those of a uniform t
HEADS = 8  # of ``width`` channels each; 64 channels a head at the default width, which Dhariwal and Nichol have too
OCTAVES = 8  # in which the network sees t


def shift(u: Tensor) -> Tensor:
    """Turn u in [0, 1] into t in [0, 1], with more of it near 1; 0 stays 0 and 1 stays 1.

    Neighbouring pixels have nearly the same colour, so a network sees a thing's colour through noise by averaging:
    over 8×8 pixels the noise has an eighth of its strength. With t uniform, most of training would be spent where the
    colour can be read off, and a walk of ten steps would choose it in the first, where the more frequent colour wins:
    of a thing of 16×16 pixels that is red in 80 % of the photographs, 92 % of the walks make a red one, and with this
    shift 82 % (a walk of a hundred steps: 80 %). The price is paid by lone pixels, which end up paler.
    """
    return NOISE_SHIFT * u / (1 + (NOISE_SHIFT - 1) * u)


def with_time(x_t: Tensor, t: Tensor) -> Tensor:
    """Put the map of t, (N,), below the noised ab (N, 2, H, W): what the network is given beside L, (N, 3, H, W)."""
    return torch.cat([x_t, t.view(-1, 1, 1, 1).expand_as(x_t[:, :1])], 1)


class ResidualBlock(nn.Module):
    """x plus two convolutions of it; what lies between them is scaled and shifted as t wants it."""

    def __init__(self, in_channels: int, out_channels: int, time_channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.time = nn.Linear(time_channels, 2 * out_channels)
        self.norm2 = nn.BatchNorm2d(out_channels, affine=False)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        scale, offset = self.time(time)[..., None, None].chunk(2, 1)  # (N, C, 1, 1) each
        inner = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(torch.addcmul(offset, self.norm2(inner), 1 + scale)))


class Level(nn.ModuleList):
    """Residual blocks, one after the other."""

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        for block in self:
            x = block(x, time)
        return x


class SelfAttention(nn.Module):
    """x plus what each place asks of all others: far parts of one thing get one colour."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.query_key_value = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.query_key_value(self.norm(x)).reshape(len(x), 3, HEADS, -1, x[0, 0].numel())
        query, key, value = parts.transpose(-1, -2).unbind(1)  # (N, heads, H · W, channels of a head)
        answer = F.scaled_dot_product_attention(query, key, value)
        return x + self.out(answer.transpose(-1, -2).reshape(x.shape))


class Diffusion(Network):
    """A U-Net that removes noise, and the walk that makes colours with it.

    The network predicts the clean colours, and the objective says what its output means and how wrong it is, at every
    t alike: no weight depends on t. (The same error in the velocity of flow matching weighs 1 / t² of that.) What the
    walk then does depends on the objective:

    - L2: the best answer is the mean of the clean colours, given x_t and L. With it the walk is flow matching:
      with many steps, colours come out as often as they are true.
    - L1, Huber: the best answer is the median, which takes the side of the more frequent colour early. The walk leans
      to it, and samples differ less; Palette reports the same of L1 and L2.
    - Cross-entropy: the network gives odds of the colour of each pixel, given x_t. Decoded at temperature 1 their mean
      would be L2's answer; annealed, it leans to the likelier colour, at every step. Rebalanced, to the rarer.

    Difference from the papers: ab under noise, not RGB; the straight path of Lipman and of Liu in place of Palette's
    diffusion; t shifted (:func:`shift`), not uniform; ten steps, where Palette takes many more; the network is given
    t, not Palette's noise level. Palette's network is Dhariwal and Nichol's for 256×256: width 256, multipliers
    1, 1, 2, 2, 4, 4, attention on three levels. The default here has the widths of a public reconstruction
    (Janspiry/Palette-Image-to-Image-Diffusion-Models, config/colorization_mirflickr25k.json): width 64, multipliers
    1, 2, 4, 8, two blocks a level, attention on one. Batch normalisation in place of group normalisation, so that
    lightness is not hidden (see :func:`colorlib.models.blocks.double_conv`); pooling and repetition between levels, one
    skip connection a level; no dropout, no moving average of the weights.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: channels of the finest level; those below have 2, 4 and 8 times as many.
        blocks: residual blocks of each level, on the way down and again on the way up.
        steps: of the walk; 1 gives the network's first answer, the mean.
    """

    narrow = {"width": 8, "blocks": 1}
    walks = True
    gives_several = True
    helped = True

    def __init__(
        self, out_channels: int, out_stride: int = 1, width: int = 64, blocks: int = 2, steps: int = 10
    ) -> None:
        super().__init__()
        self.steps = steps
        widths, time_channels = [width, 2 * width, 4 * width, 8 * width], 4 * width

        def level(in_channels: int, out_channels: int) -> Level:
            channels = [in_channels] + blocks * [out_channels]
            return Level(ResidualBlock(i, o, time_channels) for i, o in pairwise(channels))

        self.time = nn.Sequential(
            nn.Linear(2 * OCTAVES, time_channels), nn.SiLU(), nn.Linear(time_channels, time_channels), nn.SiLU()
        )
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(level(i, o) for i, o in pairwise([width, *widths]))
        self.attention = SelfAttention(widths[-1])
        self.bottom = level(widths[-1], widths[-1])
        self.up = nn.ModuleList(level(3 * w, w) for w in widths[-2::-1])  # 2w from below and w from the skip
        self.norm = nn.BatchNorm2d(width)
        self.output = Output(width, out_channels, stride=1, out_stride=out_stride)

    def forward(self, L: Tensor, noised: Tensor | None = None) -> Tensor:
        """Answer what the clean colours are.

        Args:
            L: (N, 1, H, W) in [0, 100].
            noised: (N, 3, H, W), the noised ab in CIELAB units and the map of t, as :meth:`add_noise` gives it; None is
                pure noise, t = 1, the same for every photograph of that size.

        Returns:
            (N, out_channels, H / out_stride, W / out_stride), rounded up.

        Raises:
            ValueError: ``noised`` is not of L's size.
        """
        if noised is None:
            noised = with_time(self.noise(L, torch.Generator().manual_seed(0)), L.new_ones(len(L)))
        if noised.shape != (len(L), 3, *L.shape[-2:]):
            raise ValueError(
                f"noised must be ab and t, (N, 3, H, W) with the N, H and W of L {tuple(L.shape)}, "
                f"not {tuple(noised.shape)}; Diffusion.add_noise makes it."
            )
        angles = noised[:, 2, :1, 0] * (math.pi * 2 ** torch.arange(OCTAVES, device=L.device))  # (N, octaves)
        time = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        x = torch.cat([L_to_unit(L), noised[:, :2] / AB_DEVIATION], 1)
        x = self.stem(pad_to_multiple(x, 2 ** len(self.up)))
        skips = []
        for level in self.down[:-1]:
            skips.append(level(x, time))
            x = F.avg_pool2d(skips[-1], 2)
        x = self.bottom(self.attention(self.down[-1](x, time)), time)
        for level in self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = level(torch.cat([x, skips.pop()], 1), time)
        return self.output(F.silu(self.norm(x)), L.shape[-2:])

    def forward_in_training(self, L: Tensor, ab: Tensor) -> Tensor:
        return self(L, self.add_noise(ab))

    def add_noise(self, ab: Tensor) -> Tensor:
        """Hide the true colours ab (N, 2, H, W) under noise: (N, 3, H, W), x_t in CIELAB units and the map of t.

        One t for each photograph, from torch's global generator: uniform, then shifted towards noise. Of a batch that
        several processes share (:mod:`colorlib.distributed`) they are drawn for all of it.
        """
        N = parts() * len(ab)
        t = shift(part(torch.rand(N, dtype=ab.dtype, device=ab.device)))
        noise = part(torch.randn(N, *ab.shape[1:], dtype=ab.dtype, device=ab.device))
        x_t = torch.lerp(ab, AB_DEVIATION * noise, t.view(-1, 1, 1, 1))
        return with_time(x_t, t)

    def noise(self, L: Tensor, generator: torch.Generator) -> Tensor:
        """Draw x_1 (N, 2, H, W) in CIELAB units, the same for all N photographs, whatever their number."""
        noise = AB_DEVIATION * torch.randn(2, *L.shape[-2:], generator=generator)
        return noise.to(L).expand(len(L), -1, -1, -1)

    def colorize(self, L: Tensor, decode: Decode, hints: Tensor | None = None, seed: int = 0) -> Tensor:
        """Walk from noise to colours: those of the first sample, the same for a photograph alone or in a batch.

        Raises:
            TypeError: there are hints; it takes none.
        """
        if hints is not None:
            raise TypeError("diffusion takes no hints.")
        return self.samples(L, decode, 1, seed)[0]

    def samples(self, L: Tensor, decode: Decode, count: int, seed: int = 0) -> Tensor:
        """Colour each photograph ``count`` times: (count, N, 2, H, W) in CIELAB units.

        The k-th noise is the same for every photograph of one size, and whatever ``count`` is.

        Raises:
            ValueError: ``count`` is below 1.
        """
        if count < 1:
            raise ValueError(f"count, the number of colourings of each photograph, must be at least 1, not {count}.")
        generator = torch.Generator().manual_seed(seed)
        return torch.stack([self._walk(L, decode, self.noise(L, generator)) for _ in range(count)])

    def _walk(self, L: Tensor, decode: Decode, x_t: Tensor) -> Tensor:
        """Take Euler's steps along the velocity (x_t − ab) / t, ab being where the network thinks the path began."""
        for t, t_next in pairwise(shift(torch.linspace(1, 0, self.steps + 1)).to(L)):
            ab = decode(self(L, with_time(x_t, t.expand(len(L)))), L.shape[-2:])
            x_t = ab + (t_next / t) * (x_t - ab)
        return x_t
