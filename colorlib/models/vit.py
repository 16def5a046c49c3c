"""A vision transformer that takes hints: each patch of the photograph looks at every other.

Convolutions carry a hint from pixel to pixel; here one layer carries it to wherever the photograph looks alike.

References:
    J. Yun, S. Lee, M. Park and J. Choo, "iColoriT: Towards Propagating Local Hint to the Right Region in Interactive
    Colorization by Leveraging Vision Transformer", WACV 2023, arXiv:2207.06831, section 3.
    A. Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", ICLR 2021,
    arXiv:2010.11929, for the blocks and the size ViT-B/16.
    B. Heo, S. Park, D. Han and S. Yun, "Rotary Position Embedding for Vision Transformer", ECCV 2024, arXiv:2403.13298,
    for the axial rotation and its base of 100.
    S. Abnar and W. Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020, arXiv:2005.00928, for the rollout.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.hints import to_unit
from colorlib.models.base import HintedNetwork
from colorlib.models.blocks import L_to_unit, Output, pad_to_multiple

ROTARY_BASE = 100.0
MLP_RATIO = 4


def rotary(height: int, width: int, channels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the cosines and sines of the rotary embedding: how a patch's place rotates pairs of channels.

    The first half of the pairs rotates with the row, the second with the column, from 1 radian a patch down to almost
    1/100. Since query and key are both rotated, only the distance between them tells: any size of photograph will do.

    Args:
        height, width: of the photograph, in patches.
        channels: of a head, a multiple of 4.

    Returns:
        two tensors (height · width, channels / 2).
    """
    rates = ROTARY_BASE ** -(torch.arange(channels // 4, device=device) / (channels // 4))
    y, x = (torch.arange(side, device=device)[:, None] * rates for side in (height, width))
    angles = torch.cat([y[:, None].expand(-1, width, -1), x[None].expand(height, -1, -1)], -1).flatten(0, 1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, place: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate the pairs (first half, second half) of x (N, heads, T, channels) by :func:`rotary`."""
    cos, sin = place
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1).to(x.dtype)


class Block(nn.Module):
    """Self-attention, then two linear layers at each patch; both are added to what came in, and normalise it first."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.project = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, MLP_RATIO * dim), nn.GELU(), nn.Linear(MLP_RATIO * dim, dim))

    def rotated_qkv(self, x: Tensor, place: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys, both rotated, and values (N, heads, T, dim / heads) of x (N, T, dim)."""
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return rotate(q, place), rotate(k, place), v

    def forward(self, x: Tensor, place: tuple[Tensor, Tensor]) -> Tensor:
        """Turn x (N, T, dim) into the same shape."""
        mixed = F.scaled_dot_product_attention(*self.rotated_qkv(x, place))  # (N, heads, T, dim / heads)
        x = x + self.project(mixed.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))

    def attention(self, x: Tensor, place: tuple[Tensor, Tensor]) -> Tensor:
        """Return (N, T, T): how patch i shares its attention among patches j, a mean over heads; rows sum to 1."""
        q, k, _ = self.rotated_qkv(x, place)
        return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1).mean(1)


class ViT(HintedNetwork):
    """Patches of lightness and hints as tokens, transformer blocks, and a head that gives each patch its pixels back.

    The head is iColoriT's: a 3×3 convolution over the patches, which keeps neighbours from disagreeing where they meet
    (their "local stabilizing layer"), whose channels are then laid out as pixels.

    Difference from the paper: places are told by rotation, which has no fixed size, where iColoriT adds sinusoids and a
    learned table for 224 pixels; the head gives ``features`` channels per pixel, of which a 1×1 convolution makes what
    the objective asks for, where iColoriT gives the two colours at once; no tanh.

    Args:
        out_channels, out_stride: what the objective asks for.
        patch: side of a patch in pixels; the paper has 16.
        dim: channels of a token; ``heads`` times a multiple of 4.
        depth: number of blocks.
        heads: of the attention.
        features: channels per pixel before the output; 2, as in the paper, is too narrow for 313 bins.
        hinted: the share of photographs that are shown with hints in training; 1 is the paper's.
    """

    replays = True
    narrow = {"patch": 8, "dim": 96, "depth": 5, "heads": 4, "features": 4}

    def __init__(
        self,
        out_channels: int,
        out_stride: int = 1,
        patch: int = 16,
        dim: int = 768,
        depth: int = 12,
        heads: int = 12,
        features: int = 8,
        hinted: float = 1.0,
    ) -> None:
        super().__init__(hinted)
        for name, value in (("patch", patch), ("dim", dim), ("depth", depth), ("heads", heads), ("features", features)):
            if value < 1:
                raise ValueError(f"{name} of vit must be 1 or more, not {value}.")
        if dim % (4 * heads):
            raise ValueError(f"dim of vit must be a multiple of 4 · heads = {4 * heads}, not {dim}.")
        self.patch, self.heads = patch, heads
        self.embed = nn.Conv2d(4, dim, patch, stride=patch)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Conv2d(dim, features * patch**2, 3, padding=1, padding_mode="replicate")
        self.output = Output(features, out_channels, stride=1, out_stride=out_stride)
        self._initialise()

    def _initialise(self) -> None:
        """Keep the variance of what flows along; each block begins by adding little.

        A plain patch of L_unit = 1 and the bias are equally strong in a token. Without the bias the normalisation would
        hide how light a patch is.
        """
        weight, bias = self.embed.parameters()
        nn.init.normal_(weight, std=1 / self.patch)
        nn.init.normal_(bias)
        for linear in self.blocks.modules():
            if isinstance(linear, nn.Linear):
                nn.init.trunc_normal_(linear.weight, std=0.02)
                nn.init.zeros_(linear.bias)
        weight, bias = self.head.parameters()
        nn.init.normal_(weight, std=(9 * self.head.in_channels) ** -0.5)
        nn.init.zeros_(bias)

    def tokens(self, L: Tensor, hints: Tensor | None) -> tuple[Tensor, tuple[Tensor, Tensor], tuple[int, int]]:
        """Return the tokens (N, h · w, dim), their rotary embedding, and the size (h, w) in patches."""
        x = self.embed(pad_to_multiple(torch.cat([L_to_unit(L), to_unit(hints, L)], 1), self.patch))
        h, w = x.shape[-2:]
        return x.flatten(2).transpose(1, 2), rotary(h, w, x.shape[1] // self.heads, x.device), (h, w)

    def forward(self, L: Tensor, hints: Tensor | None = None) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up.

        ``hints`` are (N, 3, H, W), see :mod:`colorlib.color.hints`; None means no hints.
        """
        x, place, size = self.tokens(L, hints)
        for block in self.blocks:
            x = block(x, place)
        x = self.norm(x).transpose(1, 2).unflatten(2, size)  # (N, h · w, dim) -> (N, dim, h, w)
        return self.output(F.pixel_shuffle(self.head(x), self.patch), L.shape[-2:])

    @torch.no_grad()
    def attention(self, L: Tensor, hints: Tensor) -> Tensor:
        """Show how much of what each patch has gathered comes from the hinted patches.

        Attention rollout: in each block a patch keeps half of what it has and takes the other half as it looks around
        (mean over heads); multiplied through the blocks, that gives every patch's share in every other. Shares of all
        patches sum to 1, so the answer for hints in different patches adds up, and without a hint it is 0.

        Args:
            L: (N, 1, H, W) in [0, 100].
            hints: (N, 3, H, W).

        Returns:
            (N, ⌈H / patch⌉, ⌈W / patch⌉) in [0, 1].
        """
        x, place, size = self.tokens(L, hints)
        mask = pad_to_multiple(hints[:, 2:].to(L), self.patch)
        share = F.max_pool2d(mask, self.patch).flatten(2).transpose(1, 2)  # (N, h · w, 1): what a patch itself is
        for block in self.blocks:
            assert isinstance(block, Block)
            share = (share + block.attention(x, place) @ share) / 2
            x = block(x, place)
        return share.transpose(1, 2).unflatten(2, size)[:, 0]
