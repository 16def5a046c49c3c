"""Whether a photograph is grey, toned in one hue, or in colour."""

import torch
from torch import Tensor

GREY_CHROMA = 2.5  # mean chroma at the working size; JPEG and a scanner make less of a grey photograph
TONED_SHARE, TONED_CHROMA = 0.1, 1.5  # of the chroma, or chroma: what a toned one may have that is not L's doing
TONED = "It is toned, like sepia: its tint was taken out and its lightness kept."


def tone_of(lab: Tensor) -> str:
    """Tell a small copy's kind: "grey", "toned" (sepia and other single tints) or "colour".

    In a toned print colour is a function of lightness. So its a and b lie near their means over pixels of the same L;
    what is left of a coloured photograph is most of its chroma.

    Args:
        lab: (1, 3, h, w) in CIELAB units.
    """
    L, ab = lab[0, 0].flatten(), lab[0, 1:].flatten(1)  # (h · w), (2, h · w)
    chroma = ab.norm(dim=0).mean()
    if chroma < GREY_CHROMA:
        return "grey"
    level = (L / 6.25).long().clamp(0, 15)
    count = torch.bincount(level, minlength=16).clamp(min=1)
    means = torch.stack([torch.bincount(level, channel, minlength=16) / count for channel in ab.double()])
    spread = (ab - means[:, level]).norm(dim=0).mean()
    return "toned" if spread < max(TONED_CHROMA, TONED_SHARE * float(chroma)) else "colour"
