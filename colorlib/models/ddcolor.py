"""DDColor: one decoder restores the resolution, a second one asks the picture which colours it holds.

A ConvNeXt reads lightness. The pixel decoder enlarges what it found, step by step, to one embedding per pixel. The
colour decoder starts from a fixed list of learnt queries; each looks at the picture at three scales, again and again,
and ends as one embedding. Pixel times query gives one map per query; a 1×1 convolution mixes the maps into colours.

References:
    X. Kang, T. Yang, W. Ouyang, P. Ren, L. Li and X. Xie, "DDColor: Towards Photo-Realistic Image Colorization via Dual
    Decoders", ICCV 2023, arXiv:2212.11613, section 3.
    Z. Liu et al., "A ConvNet for the 2020s", CVPR 2022, arXiv:2201.03545, for the encoder.
    B. Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022, arXiv:2112.01527,
    for the layers of the colour decoder; there they find objects.
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.lab import lab_to_rgb
from colorlib.models.blocks import Output, Shuffle, SpectralConv, load_released, pad_to_multiple, spectral_conv
from colorlib.models.efficientnet_lite import EncodedNetwork

STRIDE = 32  # of the coarsest features
HEAD = 32  # channels of one attention head
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's photographs, r g b


def position_code(H: int, W: int, channels: int, device: torch.device) -> Tensor:
    """Return where each pixel lies, (H·W, channels) in [-1, 1]: one half are sines of its row, the other of its column.

    The paper of the colour decoder takes them from Carion et al. 2020 ("DETR"): both axes run from 0 to 2π whatever
    their length, and wavelengths grow geometrically up to 10,000 times the first.
    """
    half = channels // 2
    wavelengths = 10_000 ** (torch.arange(0, half, 2, device=device) / half)

    def axis(length: int) -> Tensor:
        angles = torch.arange(1, length + 1, device=device)[:, None] * (2 * math.pi / length) / wavelengths
        return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)  # (length, half), sines and cosines in turn

    rows, columns = axis(H)[:, None].expand(H, W, half), axis(W)[None].expand(H, W, half)
    return torch.cat([rows, columns], -1).flatten(0, 1)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of (N, C, H, W), at each pixel by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # NCHW -> NHWC -> NCHW


class ConvNeXtBlock(nn.Module):
    """A 7×7 convolution in each channel, then a perceptron at each pixel, added to the input (Liu et al., figure 4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))  # NCHW -> NHWC
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)  # NHWC -> NCHW


class ConvNeXt(nn.Module):
    """Four stages at 1/4, 1/8, 1/16 and 1/32 of the resolution, with 1, 2, 4 and 8 times ``width`` channels."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        few = min(3, max(1, depth // 3))
        depths = [few, few, depth, few]
        self.downsample_layers = nn.ModuleList([nn.Sequential(nn.Conv2d(1, width, 4, 4), ChannelNorm(width, eps=1e-6))])
        for i, o in zip(widths, widths[1:], strict=False):
            self.downsample_layers.append(nn.Sequential(ChannelNorm(i, eps=1e-6), nn.Conv2d(i, o, 2, 2)))
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNeXtBlock(w) for _ in range(d))) for w, d in zip(widths, depths, strict=True)
        )
        # no bias: the batch normalisation of the pixel decoder would take it out again
        norms = (ChannelNorm(w, eps=1e-6, bias=False) for w in widths)
        self.norm0, self.norm1, self.norm2, self.norm3 = norms
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features of each stage, normalised, the finest first."""
        features = []
        norms = (self.norm0, self.norm1, self.norm2, self.norm3)
        for downsample, stage, norm in zip(self.downsample_layers, self.stages, norms, strict=True):
            x = stage(downsample(x))
            features.append(norm(x))
        return features


class PixelStage(nn.Module):
    """Enlarge twice, join what the encoder saw at that resolution, and convolve."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.shuf = Shuffle(in_channels, out_channels, 2, norm=True)
        self.bn = nn.BatchNorm2d(skip_channels)
        self.conv = spectral_conv(out_channels + skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(F.relu(torch.cat([self.shuf(x), self.bn(skip)], 1)))


class CrossAttention(nn.Module):
    """Each query gathers what it needs from the pixels of one scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.multihead_attn = nn.MultiheadAttention(channels, channels // HEAD, batch_first=True)
        self.norm = nn.LayerNorm(channels)

    def forward(self, queries: Tensor, names: Tensor, pixels: Tensor, places: Tensor) -> Tensor:
        found = self.multihead_attn(queries + names, pixels + places, pixels, need_weights=False)[0]
        return self.norm(queries + found)


class SelfAttention(nn.Module):
    """The queries look at one another, so that two need not stand for the same colour."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(channels, channels // HEAD, batch_first=True)
        self.norm = nn.LayerNorm(channels)

    def forward(self, queries: Tensor, names: Tensor) -> Tensor:
        named = queries + names
        return self.norm(queries + self.self_attn(named, named, queries, need_weights=False)[0])


class FeedForward(nn.Module):
    """A perceptron on each query by itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, 8 * channels)
        self.linear2 = nn.Linear(8 * channels, channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, queries: Tensor) -> Tensor:
        return self.norm(queries + self.linear2(F.relu(self.linear1(queries))))


class Perceptron(nn.Module):
    """Three linear layers with ReLU between them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(channels, channels) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        first, second, third = self.layers
        return third(F.relu(second(F.relu(first(x)))))


class ColorDecoder(nn.Module):
    """Queries that begin the same for every picture and end as its colours' embeddings (section 3 of DDColor).

    Block i reads scale i modulo 3, the coarsest first. A query is two vectors: what it has gathered, and a learnt name
    that is added wherever it attends.

    Difference from the paper: there, what a query has gathered is zero at first. Names only steer where queries look,
    so all of them then gather the same and draw one and the same map (``19_ddcolor`` measures it). Here, as in the
    released code, a query begins with something random of its own, which is learnt.
    """

    def __init__(self, scales: list[int], channels: int, queries: int, blocks: int) -> None:
        super().__init__()
        self.query_feat = nn.Embedding(queries, channels)
        self.query_embed = nn.Embedding(queries, channels)
        self.level_embed = nn.Embedding(len(scales), channels)
        self.input_proj = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in scales)
        self.transformer_self_attention_layers = nn.ModuleList(SelfAttention(channels) for _ in range(blocks))
        self.transformer_cross_attention_layers = nn.ModuleList(CrossAttention(channels) for _ in range(blocks))
        self.transformer_ffn_layers = nn.ModuleList(FeedForward(channels) for _ in range(blocks))
        self.decoder_norm = nn.LayerNorm(channels)
        self.color_embed = Perceptron(channels)

    def forward(self, scales: list[Tensor]) -> Tensor:
        """Turn features (N, C, h, w) of each scale into the queries' embeddings (N, queries, channels)."""
        pixels, places = [], []
        for scale, project, level in zip(scales, self.input_proj, self.level_embed.weight, strict=True):
            pixels.append(project(scale).flatten(2).transpose(1, 2) + level)  # (N, C, h, w) -> (N, h·w, C)
            h, w = scale.shape[-2:]
            places.append(position_code(h, w, len(level), scale.device))
        names = self.query_embed.weight.repeat(len(scales[0]), 1, 1)  # (N, queries, channels)
        queries = self.query_feat.weight.repeat(len(scales[0]), 1, 1)
        layers = (
            self.transformer_cross_attention_layers,
            self.transformer_self_attention_layers,
            self.transformer_ffn_layers,
        )
        for i, (cross, among, feed) in enumerate(zip(*layers, strict=True)):
            at = i % len(scales)
            queries = feed(among(cross(queries, names, pixels[at], places[at]), names))
        return self.color_embed(self.decoder_norm(queries))


class DualDecoder(nn.Module):
    """The two decoders side by side, and the product of their embeddings (section 3 of DDColor)."""

    def __init__(self, skips: list[int], width: int, queries: int, blocks: int) -> None:
        super().__init__()
        outs = [width, width, width // 2]
        self.layers = nn.ModuleList(
            PixelStage(i, s, o) for i, s, o in zip([skips[-1], *outs], skips[-2::-1], outs, strict=False)
        )
        self.last_shuf = Shuffle(outs[-1], outs[-1], 4, norm=False)
        self.color_decoder = ColorDecoder(outs, outs[-1], queries, blocks)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Turn the encoder's features, the finest first, into the query maps (N, queries, H, W)."""
        x, scales = features[-1], []
        for layer, skip in zip(self.layers, features[-2::-1], strict=True):
            x = layer(x, skip)
            scales.append(x)
        return torch.einsum("nqc,nchw->nqhw", self.color_decoder(scales), self.last_shuf(x))


class DDColor(EncodedNetwork):
    """DDColor-T; with ``width`` 192 and ``depth`` 27, DDColor-L.

    Difference from the paper: the encoder reads L once and not three times as grey RGB, and begins with fresh weights,
    not ImageNet's; where it shall know ImageNet, an EfficientNet-Lite stands in its place, whose maps at 1/4 to 1/32
    the pixel decoder takes as it takes the ConvNeXt's; the last convolution is the objective's, without the release's
    spectral normalisation, which would not let it begin near grey.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: channels of the encoder's first stage; 96 in ConvNeXt-T, 192 in ConvNeXt-L.
        depth: blocks of the encoder's third stage, 9 in ConvNeXt-T and 27 in ConvNeXt-L; the others have 3, or a third
            of ``depth`` where that is less.
        decoder_width: channels of the pixel decoder at 1/16, a multiple of 64; queries have half as many.
        queries: of the colour decoder.
        blocks: of the colour decoder, at least 3, so that each scale is read.
        encoder, pretraining, encoder_rate, statistics, enlarge_to: of an encoder in the ConvNeXt's place, see
            :class:`colorlib.models.efficientnet_lite.EncodedNetwork`; ``width`` and ``depth`` then decide nothing.

    Raises:
        ValueError: ``decoder_width`` is not a multiple of 64, there are fewer than 3 blocks, or the encoder's settings
            do not fit.
    """

    replays = True
    narrow = {"width": 24, "depth": 3, "decoder_width": 64, "queries": 20, "blocks": 3}

    def __init__(
        self,
        out_channels: int,
        out_stride: int = 1,
        width: int = 96,
        depth: int = 9,
        decoder_width: int = 512,
        queries: int = 100,
        blocks: int = 9,
        encoder: str = "none",
        pretraining: str = "none",
        encoder_rate: float = 0.1,
        statistics: str = "held",
        enlarge_to: int = 128,
    ) -> None:
        super().__init__(encoder, pretraining, encoder_rate, statistics, enlarge_to)
        if decoder_width % (2 * HEAD):
            raise ValueError(f"decoder_width must be a multiple of {2 * HEAD}, not {decoder_width}.")
        if blocks < 3:
            raise ValueError(f"blocks must be 3 or more, or one of the three scales is never read, not {blocks}.")
        if self.lite is None:
            self.encoder = nn.ModuleDict({"arch": ConvNeXt(width, depth)})
            skips = [width, 2 * width, 4 * width, 8 * width]
        else:
            skips = list(self.lite.channels[1:])
        self.decoder = DualDecoder(skips, decoder_width, queries, blocks)
        self.output = Output(queries + 1, out_channels, stride=1, out_stride=out_stride)

    def picture(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into what the encoder reads, padded to multiples of 32."""
        return self.prepared(L, STRIDE)

    def maps(self, picture: Tensor) -> Tensor:
        """Turn what :meth:`picture` gives into one map per query, of the same height and width."""
        return self.decoder(self.encoder["arch"](picture) if self.lite is None else self.maps_of_lite(picture)[1:])

    def query_maps(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into the maps (N, queries, H, W): where, and how much, each query answers.

        They have no unit; the last convolution gives them colours.
        """
        return self.reduced(self.maps(self.picture(L)), L.shape[-2:])[..., : L.shape[-2], : L.shape[-1]]

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up."""
        picture, size = self.picture(L), L.shape[-2:]
        return self.output(self.reduced(torch.cat([self.maps(picture), picture], 1), size), size)


class ReleasedDDColor(DDColor):
    """DDColor-T as its authors released it: 55.0 M parameters under their names, L in, ab out.

    Difference from the release: none intended. A photograph is read at its own size, padded to multiples of 32; the
    authors trained at 256×256 and squash to a square before, so shrink large photographs first and enlarge ab.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__(2)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        encoder, queries = self.encoder["arch"], self.output.conv.in_channels - 1
        assert isinstance(encoder, ConvNeXt)
        encoder.downsample_layers[0] = nn.Sequential(nn.Conv2d(3, 96, 4, 4), ChannelNorm(96, eps=1e-6))
        for i, channels in enumerate((96, 192, 384, 768)):
            setattr(encoder, f"norm{i}", ChannelNorm(channels, eps=1e-6))
        encoder.norm = nn.LayerNorm(768, eps=1e-6)  # ConvNeXt's classifier had it; the release holds it, unused
        del self.output
        self.refine_net = nn.Sequential(nn.Sequential(SpectralConv(queries + 3, 2, 1)))

    def picture(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into grey RGB with ImageNet's mean and deviation taken out, padded."""
        grey_rgb = lab_to_rgb(F.pad(L, (0, 0, 0, 0, 0, 2)))
        return pad_to_multiple((grey_rgb - self.mean) / self.std, STRIDE)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into ab (N, 2, H, W) in CIELAB units."""
        picture = self.picture(L)
        ab = self.refine_net(torch.cat([self.maps(picture), picture], 1))
        return ab[..., : L.shape[-2], : L.shape[-1]]


def load_released_ddcolor(path: Path | str) -> ReleasedDDColor:
    """Load the authors' weight file of DDColor-T, ``ddcolor_paper_tiny.pth``, which a user has to bring.

    Returns:
        the network in eval mode.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else.
    """
    return load_released(ReleasedDDColor(), path, "DDColor-T")
