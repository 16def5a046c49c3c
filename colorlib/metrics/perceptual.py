"""How far the features of picture and photograph lie apart, as networks see them.

``perceptual_lite2`` is the distance in EfficientNet-Lite2 (:mod:`colorlib.judges`), which nothing is trained against,
and is NaN where :mod:`colorlib.metrics.recognition` is. The published LPIPS is here too, for who has its weights.

**Weights of published networks.** They are looked for in the folder that the environment variable ``COLORLIB_WEIGHTS``
names, and nothing is downloaded. For LPIPS these are ``alexnet-owt-7be5be79.pth`` (torchvision's AlexNet) and
``alex.pth`` (the heads, from ``lpips/weights/v0.1`` of the lpips repository). Where they are not, the metric is NaN.

References:
    Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a perceptual metric",
    CVPR 2018, equation 1 (LPIPS).
    Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997, 2014 (this AlexNet).
"""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from colorlib.files import sha256
from colorlib.metrics.base import Metric
from colorlib.metrics.pair import Pair

FOLDER_VARIABLE = "COLORLIB_WEIGHTS"
ALEXNET = ("alexnet-owt-7be5be79.pth", "7be5be79")  # file and the first digits of its SHA-256
LPIPS_HEADS = ("alex.pth", "df73285e")  # of version 0.1; those of 0.0 have the same names and shapes
ALEXNET_SIDE = 31  # pixels; in smaller pictures nothing is left after its second pooling
RGB_MEAN, RGB_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # AlexNet's input; LPIPS has the same, for [-1, 1]
LPIPS = "Zhang, Isola, Efros, Shechtman and Wang, CVPR 2018"

METRICS: dict[str, Metric] = {}


def _unit(features: Tensor) -> Tensor:
    return features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + 1e-10)


def _layer_distances(maps: Sequence[Tensor], maps_true: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """Give (layers, N): squared differences of unit vectors of features, weighted by channel, mean over positions."""
    squared = [(_unit(x) - _unit(y)).square().mean((2, 3)) for x, y in zip(maps, maps_true, strict=True)]
    return torch.stack([layer @ weight for layer, weight in zip(squared, weights, strict=True)])


def perceptual_lite2(pair: Pair) -> Tensor:
    """(N,) distance between the features of picture and photograph in EfficientNet-Lite2, in [0, 2].

    At each position of a layer, the squared distance of the two unit vectors of features; mean over positions, then
    over the five layers.

    Difference from the paper (Zhang et al. 2018, equation 1): EfficientNet-Lite2; all channels weigh 1, where LPIPS
    has weights fitted to people's judgements; mean over layers, where LPIPS has the sum. It is not LPIPS.
    """
    if pair.seen is None or pair.seen_true is None:
        return pair.unknown
    maps = pair.seen.maps
    return _layer_distances(maps, pair.seen_true.maps, [x.new_ones(x.shape[1]) for x in maps]).mean(0)


METRICS["perceptual_lite2"] = Metric(
    perceptual_lite2,
    title="Perceptual (Lite2)",
    unit="",
    higher_is_better=False,
    about=(
        "Distance between picture and photograph in the features of EfficientNet-Lite2, in the manner of LPIPS, "
        "which it is not: another network, and no weights fitted to people's judgement."
    ),
    blind_to="Other plausible colours: it compares with the one photograph, as pixel errors do.",
    reference=f"{LPIPS}, with EfficientNet-Lite2",
)


# ---- published networks, where their weights are -----------------------------------------------------------------


def weights_folder() -> Path | None:
    """Return the folder of published weights, or None where the variable is not set.

    Raises:
        FileNotFoundError: the variable names something else.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named and not Path(named).is_dir():
        raise FileNotFoundError(f"{FOLDER_VARIABLE} is set to {named}, which is not a folder; correct or unset it.")
    return Path(named) if named else None


class AlexNet(nn.Module):
    """The convolutions of AlexNet; gives the five maps after each of them, finest first."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU()),
        )

    def forward(self, rgb: Tensor) -> list[Tensor]:
        mean, sd = (rgb.new_tensor(values).view(1, 3, 1, 1) for values in (RGB_MEAN, RGB_SD))
        x, maps = (rgb - mean) / sd, []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                maps.append(x)
        return maps


@cache
def _load_lpips(folder: Path | None) -> tuple[AlexNet, list[Tensor]] | None:
    """Load AlexNet and LPIPS's weight of each channel, (C,) for each layer; None where a file is missing."""
    if folder is None or not all((folder / name).is_file() for name, _ in (ALEXNET, LPIPS_HEADS)):
        return None
    states = []
    for name, digits in (ALEXNET, LPIPS_HEADS):
        if not (found := sha256(folder / name)).startswith(digits):
            raise ValueError(
                f"{folder / name} is damaged or another file: its SHA-256 begins with {found[:8]}, not {digits}; "
                "download it again or move it away."
            )
        states.append(torch.load(folder / name, map_location="cpu", weights_only=True))
    trunk, heads = states
    network = AlexNet()
    network.load_state_dict({key: value for key, value in trunk.items() if key.startswith("features.")})
    return network.eval().requires_grad_(False), [heads[f"lin{n}.model.1.weight"].flatten() for n in range(5)]


def lpips_alex(pair: Pair) -> Tensor:
    """(N,) LPIPS, version 0.1 with AlexNet, of clipped sRGB at the size of the photographs.

    NaN where the weights are not in the folder ``COLORLIB_WEIGHTS``, and below 31 pixels, where AlexNet ends.

    Raises:
        FileNotFoundError: ``COLORLIB_WEIGHTS`` is set and names no folder.
        ValueError: a file of weights is not the published one.

    Difference from the paper (Zhang et al. 2018, equation 1): none intended.
    """
    loaded = _load_lpips(weights_folder())
    if loaded is None or min(pair.rgb.shape[2:]) < ALEXNET_SIDE:
        return pair.unknown
    network, weights = loaded[0].to(pair.rgb.device), [weight.to(pair.rgb) for weight in loaded[1]]
    return _layer_distances(network(pair.rgb), network(pair.rgb_true), weights).sum(0)


METRICS["lpips_alex"] = Metric(
    lpips_alex,
    title="LPIPS",
    unit="",
    higher_is_better=False,
    about="LPIPS 0.1 with AlexNet, at the size of the photographs; not measured without the published weights.",
    blind_to="Other plausible colours; it was fitted to distortions of patches, few of which were of colour.",
    reference=LPIPS,
)
