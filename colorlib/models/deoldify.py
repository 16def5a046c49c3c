"""DeOldify's "artistic" generator: a U-Net on a ResNet-34 whose decoder is built to leave no pattern of its own.

Every enlargement is a pixel shuffle that begins as plain repetition and is blurred over its seams; spectral
normalisation keeps the decoder's convolutions from growing, which steadies adversarial training; one layer of
self-attention lets far parts of a photograph agree on a colour.

References:
    J. Antic, "DeOldify", 2018, github.com/jantic/DeOldify: no paper; the generator called "artistic".
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385.
    H. Zhang, I. Goodfellow, D. Metaxas and A. Odena, "Self-Attention Generative Adversarial Networks", ICML 2019,
    arXiv:1805.08318, section 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.models.blocks import Output, Shuffle, SpectralConv, spectral_conv
from colorlib.models.efficientnet_lite import EncodedNetwork

STRIDE = 32  # of the coarsest features
DEPTHS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}  # residual blocks of each stage of a ResNet


class SelfAttention(nn.Module):
    """Add to each pixel what it finds at the pixels like it, anywhere in the picture.

    Difference from the paper: values keep all channels, as in DeOldify; ``gamma``, by which they are multiplied, begins
    at 0.1 and not at 0, so that the layer learns from the first step of a short training.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(1, channels // 8)
        self.query = SpectralConv(channels, few, 1, bias=False)
        self.key = SpectralConv(channels, few, 1, bias=False)
        self.value = SpectralConv(channels, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.tensor(0.1))

    def forward(self, x: Tensor) -> Tensor:
        # (N, C, H, W) -> (N, H·W, C)
        query, key, value = (part(x).flatten(2).transpose(1, 2) for part in (self.query, self.key, self.value))
        found = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.gamma * found.transpose(1, 2).unflatten(2, x.shape[-2:])


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions that are added to the input (He et al., figure 2)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.shortcut(x) + self.residual(x))


class ResNet(nn.Module):
    """A ResNet without its classifier; reads one channel."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        conv = nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False)
        self.stem = nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList()
        for stage, blocks in enumerate(DEPTHS[depth]):
            out, stride = width * 2**stage, min(2, stage + 1)
            layers = [
                ResidualBlock(out // stride, out, stride),
                *(ResidualBlock(out, out, 1) for _ in range(blocks - 1)),
            ]
            self.stages.append(nn.Sequential(*layers))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the resolution."""
        features = [self.stem(x)]
        x = F.max_pool2d(features[0], 3, stride=2, padding=1)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class UpStage(nn.Module):
    """Enlarge twice to half the channels, join what the encoder saw at that resolution, and convolve twice."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, attention: bool) -> None:
        super().__init__()
        self.shuffle = Shuffle(in_channels, in_channels // 2, 2, norm=True)
        self.norm = nn.BatchNorm2d(skip_channels)
        joined = in_channels // 2 + skip_channels
        self.convs = nn.Sequential(spectral_conv(joined, out_channels), spectral_conv(out_channels, out_channels))
        if attention:
            self.convs.append(SelfAttention(out_channels))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.convs(F.relu(torch.cat([self.shuffle(x), self.norm(skip)], 1)))


class DeOldify(EncodedNetwork):
    """The generator of 63.6 M parameters; its training by turns ("NoGAN") is the objective's affair.

    Difference from the release: it reads L once and not three times as grey RGB; its ResNet begins with fresh weights,
    not ImageNet's, and where the encoder shall know ImageNet, an EfficientNet-Lite stands in its place, whose five maps
    the decoder joins as it joins the ResNet's; spectral normalisation and the blur also where it enlarges last, where
    the release has weight normalisation and no blur; the last convolution is the objective's, without a sigmoid to ±3.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: channels of the encoder's first stage; a ResNet has 64.
        depth: of the encoder: ResNet-10, -18 or -34.
        growth: channels that a stage of the decoder makes of each it reads; the release has 1.5.
        encoder, pretraining, encoder_rate, statistics, enlarge_to: of an encoder in the ResNet's place, see
            :class:`colorlib.models.efficientnet_lite.EncodedNetwork`; ``width`` and ``depth`` then decide nothing.

    Raises:
        ValueError: ``depth`` is none of the three, ``width`` or ``growth`` leave a stage without channels, or the
            encoder's settings do not fit.
    """

    replays = True
    narrow = {"width": 16, "depth": 10, "growth": 0.75}

    def __init__(
        self,
        out_channels: int,
        out_stride: int = 1,
        width: int = 64,
        depth: int = 34,
        growth: float = 1.5,
        encoder: str = "none",
        pretraining: str = "none",
        encoder_rate: float = 0.1,
        statistics: str = "held",
        enlarge_to: int = 128,
    ) -> None:
        super().__init__(encoder, pretraining, encoder_rate, statistics, enlarge_to)
        if depth not in DEPTHS:
            raise ValueError(f"depth must be that of ResNet-{', -'.join(map(str, DEPTHS))}, not {depth}.")
        if self.lite is None:
            self.encoder = ResNet(width, depth)
            *skips, channels = (width, width, 2 * width, 4 * width, 8 * width)
        else:
            *skips, channels = self.lite.channels
        self.middle = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            spectral_conv(channels, 2 * channels),
            spectral_conv(2 * channels, channels),
        )
        self.up = nn.ModuleList()
        for skip in reversed(skips):
            joined = channels // 2 + skip
            last = len(self.up) == 3
            out = int((joined // 2 if last else joined) * growth)
            if out < 2:
                raise ValueError(
                    f"width {width} and growth {growth} leave a stage with {out} channels; take more of either."
                )
            self.up.append(UpStage(channels, skip, out, attention=len(self.up) == 1))
            channels = out
        for part in (self.middle, self.up[0], self.up[2]):
            *_, norm = (layer for layer in part.modules() if isinstance(layer, nn.BatchNorm2d))
            norm.register_parameter("bias", None)  # the normalisation of the next enlargement would take it out again
        self.shuffle = Shuffle(channels, channels, 2, norm=False)
        channels += 1
        self.refine = nn.Sequential(
            SpectralConv(channels, channels, 3), nn.ReLU(inplace=True), SpectralConv(channels, channels, 3), nn.ReLU()
        )
        self.output = Output(channels, out_channels, stride=1, out_stride=out_stride)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up."""
        picture = self.prepared(L, STRIDE)
        *skips, coarsest = self.encoder(picture) if self.lite is None else self.maps_of_lite(picture)
        x = self.middle(coarsest)
        for stage, skip in zip(self.up, reversed(skips), strict=True):
            x = stage(x, skip)
        x = torch.cat([self.shuffle(x), picture], 1)
        return self.output(self.reduced(x + self.refine(x), L.shape[-2:]), L.shape[-2:])
