"""The coloured samples that a run keeps for figures and reports."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color.lab import decode_lab8, encode_lab8, rgb8_to_lab8
from colorlib.data.bundled import bundled_photographs
from colorlib.data.store import LabArrays
from colorlib.runs.colorizer import Oracle

KEPT = 96  # photographs of the split, drawn by lot, whose colouring is kept for the figures


def color_at(colorizer: Callable[[Tensor], Tensor], L: Tensor, short_side: int) -> Tensor:
    """Colour photographs of any size as if they were of the size a colorizer was trained on.

    A network that learned on pictures of 64 pixels knows a tree of 20; shown a tree of 200 it sees a wall. So the
    photograph is shrunk to ``short_side``, coloured, and its colours (smooth where lightness is sharp) are brought up.

    Args:
        L: (N, 1, H, W) in [0, 100].
        short_side: pixels; a photograph that is smaller is taken as it is.

    Returns:
        ab (N, 2, H, W) in CIELAB units.
    """
    H, W = L.shape[-2:]
    scale = min(1.0, short_side / min(H, W))
    small = F.interpolate(L, size=(round(H * scale), round(W * scale)), mode="bilinear", antialias=True)
    return F.interpolate(colorizer(small), size=(H, W), mode="bilinear")


def color_sample(predict: Oracle, data: LabArrays, split: str) -> dict:
    pictures = {}
    for index in data.sample(split, KEPT):
        batch = data.batch([index])
        L8, ab8 = encode_lab8(torch.cat([batch.L, predict(batch)], 1))
        _, ab8_true = encode_lab8(torch.cat([batch.L, batch.ab], 1))
        pictures[batch.ids[0]] = (L8[0].numpy(), ab8[0].numpy(), ab8_true[0].numpy())
    return pictures


def color_bundled(colorizer: Callable[[Tensor], Tensor], short_side: int) -> dict:
    pictures = {}
    for photograph in bundled_photographs(max_side=256):
        L8, ab8_true = (torch.from_numpy(array) for array in rgb8_to_lab8(photograph.rgb[None]))
        L, _ = decode_lab8(L8, ab8_true)
        _, ab8 = encode_lab8(torch.cat([L, color_at(colorizer, L, short_side)], 1))
        pictures[photograph.id] = (L8[0].numpy(), ab8[0].numpy(), ab8_true[0].numpy())
    return pictures
