"""Perceptual: the coloured picture is judged by what is seen in it, not pixel by pixel.

What sees is EfficientNet-Lite0 (:mod:`colorlib.judges`), not VGG or Inception. Lite2 measures and is never looked
through here, so no network is scored by the one that taught it.

References:
    J. Johnson, A. Alahi and L. Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
    ECCV 2016, arXiv:1603.08155, section 3.2 (feature reconstruction).
    X. Kang et al., "DDColor", ICCV 2023, arXiv:2212.11613, section 3 (colourfulness).
    P. Vitoria, L. Raad and C. Ballester, "ChromaGAN", WACV 2020, arXiv:1907.09837, section 3.1 (class distribution).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color.appearance import hs03, hs03_absolute
from colorlib.distributed import mean
from colorlib.judges import judge_for_losses
from colorlib.objectives.base import OnColours, full_precision, open_rgb


class _Looking(OnColours):
    """An objective that looks through a judge of its own, which is never trained.

    Raises:
        ModuleNotFoundError: the extra ``pretrained``, which holds the judge's weights, is missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.look = judge_for_losses()


class Perceptual(_Looking):
    """The mean absolute difference of the judge's five maps of features, over their mean size, averaged over the maps.

    Difference from the papers: EfficientNet-Lite0 for VGG, at the ends of its stages, where features have either sign
    and some maps are four times as large as others: each is divided by the size of the photographs' features, so that
    they count alike. Absolute differences, as DeOldify and DDColor have them.
    """

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        with self.autocast:
            seen = self.look(open_rgb(L, ab_predicted)).maps
            with torch.no_grad():
                true = self.look(open_rgb(L, ab)).maps
        pairs = [(full_precision(x), full_precision(y)) for x, y in zip(seen, true, strict=True)]
        sizes = mean(torch.stack([y.abs().mean() for _, y in pairs]))  # of the whole batch: a ratio is no mean
        distances = [F.l1_loss(x, y) / size for (x, y), size in zip(pairs, sizes, strict=True)]
        return {"loss": sum(distances, ab.new_zeros(())) / len(distances)}


class ClassKL(_Looking):
    """KL(classes seen in the photograph ‖ classes seen in its colouring): an apple must stay an apple. In nats.

    Difference from ChromaGAN: there a branch of the generator guesses a classifier's answer (``chromagan`` has that
    branch, and its own loss for it); here the judge looks at the colours, so it works with every network.
    """

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        with self.autocast:
            seen = self.look(open_rgb(L, ab_predicted)).logits
            with torch.no_grad():
                true = self.look(open_rgb(L, ab)).logits
        seen, true = full_precision(seen).log_softmax(1), full_precision(true).log_softmax(1)
        return {"loss": F.kl_div(seen, true, log_target=True, reduction="batchmean")}


class Colorfulness(OnColours):
    """1 - colourfulness / 100 (DDColor, section 3): rewards vivid pictures, whatever the photograph was.

    The truth does not minimise it; nothing does, so it makes sense in a sum only.

    Difference from the paper: none intended; Hasler and Süsstrunk's signed opponent channels on 0 … 255, a mean over
    the batch. Its released code takes absolute channels on [0, 1], leaves out the division and sums over the batch.

    Args:
        absolute: 1 takes absolute opponent channels, as the released code; 0 is the paper's.
    """

    truth_is_best = False

    def __init__(self, absolute: int = 0) -> None:
        super().__init__()
        if absolute not in (0, 1):
            raise ValueError(f"absolute must be 0 (the paper's signed channels) or 1, not {absolute!r}.")
        self.measure = hs03_absolute if absolute else hs03

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        return {"loss": 1 - self.measure(open_rgb(L, ab_predicted)).mean() / 100}
