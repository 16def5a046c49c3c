"""Features of photographs from a small classifier that ships with the package: nothing is downloaded.

Distances between the features of a network trained to tell things apart follow people's judgement of likeness better
than distances between pixels, whichever network it is (Zhang et al. 2018, section 4). The field takes VGG and
Inception, trained on 1.2 million photographs; these are two much smaller networks, trained on 64×64 photographs by
`colorlib.runs.classifier`, and scores from them are named after them. Classifier "a" is for training against,
classifier "b", trained apart from it, for judging: a metric that was trained on is no evidence.

References:
    R. Zhang, P. Isola, A. A. Efros, E. Shechtman and O. Wang, "The Unreasonable Effectiveness of Deep Features as a
    Perceptual Metric", CVPR 2018, arXiv:1801.03924.
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385,
    section 3: the residual blocks.
"""

import functools
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

CLASSIFIERS = ("a", "b")
WEIGHTS = Path(__file__).parent / "weights"
WIDTHS = (24, 32, 80, 192)  # channels at 1/2, 1/4, 1/8 and 1/16 of the photograph's sides
MINIMUM_SIDE = 16


def weights_path(name: str, folder: Path | str = WEIGHTS) -> Path:
    """Return where the weights of a classifier lie."""
    return Path(folder) / f"classifier_{name}.safetensors"


def conv(in_channels: int, out_channels: int, stride: int = 1, normalized: bool = True) -> nn.Sequential:
    """Return a 3×3 convolution with batch normalisation, or with a bias that stands for it."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=not normalized)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels) if normalized else nn.Identity())


class Stage(nn.Module):
    """Half the sides: a convolution with stride 2, then a residual block (He et al. 2016, figure 2)."""

    def __init__(self, in_channels: int, out_channels: int, normalized: bool) -> None:
        super().__init__()
        self.down = conv(in_channels, out_channels, 2, normalized)
        self.first = conv(out_channels, out_channels, 1, normalized)
        self.second = conv(out_channels, out_channels, 1, normalized)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (N, in_channels, H, W) into (N, out_channels, ⌈H/2⌉, ⌈W/2⌉), none negative."""
        x = F.relu(self.down(x))
        return F.relu(x + self.second(F.relu(self.first(x))))


class Classifier(nn.Module):
    """Which of some classes a photograph shows: a convolution and three residual stages, then an average.

    Difference from He et al. 2016: none of its depths; the stage at half the sides is a lone convolution, as most of
    the arithmetic would be spent there.

    Args:
        classes: their names, in the order of the logits.
        normalized: with batch normalisation, for training; without it the convolutions have biases, which is how the
            weights ship and what is fast.
    """

    def __init__(self, classes: list[str], normalized: bool = True) -> None:
        super().__init__()
        self.classes = list(classes)
        self.stem = conv(3, WIDTHS[0], 2, normalized)
        pairs = zip(WIDTHS, WIDTHS[1:], strict=False)
        self.stages = nn.ModuleList(Stage(narrow, wide, normalized) for narrow, wide in pairs)
        self.head = nn.Linear(WIDTHS[-1], len(self.classes))

    def feature_maps(self, rgb: Tensor) -> list[Tensor]:
        """Return four maps of features, none negative, finest first; differentiable by ``rgb``.

        Args:
            rgb: (N, 3, H, W) in [0, 1], sides of 16 or more.

        Returns:
            (N, C, ⌈H/s⌉, ⌈W/s⌉) for (C, s) = (24, 2), (32, 4), (80, 8) and (192, 16).

        Raises:
            TypeError, ValueError: not a floating-point tensor of that shape.
        """
        _check(rgb)
        maps = [F.relu(self.stem(4 * rgb - 2))]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps

    def embed(self, rgb: Tensor) -> Tensor:
        """Return (N, 192) features of whole photographs: the average of the coarsest map."""
        return self.feature_maps(rgb)[-1].mean((2, 3))

    def forward(self, rgb: Tensor) -> Tensor:
        """Return (N, classes) logits for rgb (N, 3, H, W) in [0, 1], sides of 16 or more."""
        return self.head(self.embed(rgb))


@functools.cache
def load_classifier(name: str) -> Classifier:
    """Load a classifier that ships with the package: float32, on the processor, not to be trained.

    It is loaded once in a process and shared by all who ask; copy it before changing it.

    Args:
        name: "a", to train against, or "b", to judge by.

    Raises:
        ValueError: unknown name, or the file is damaged or of another version.
        FileNotFoundError: the file is missing.

    Example:
        >>> load_classifier("a").embed(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 192])
    """
    if name not in CLASSIFIERS:
        raise ValueError(f"there is no classifier {name!r}; take {' or '.join(map(repr, CLASSIFIERS))}.")
    return read_classifier(weights_path(name))


def read_classifier(path: Path | str) -> Classifier:
    """Read a classifier from a file of `colorlib.runs.classifier`; see `load_classifier`."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; install colorlib again, or train it: its model card {path.stem}.md has the command."
        )
    try:
        with safe_open(path, "pt") as file:
            classes = json.loads(file.metadata()["classes"])
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118, no mapping
        classifier = Classifier(classes, normalized=False)
        classifier.load_state_dict(state)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise ValueError(f"{path} holds no classifier of this version ({why}); install colorlib again.") from None
    classifier = classifier.eval().requires_grad_(False)
    return classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it


def _check(rgb: Tensor) -> None:
    if not isinstance(rgb, Tensor) or not rgb.is_floating_point():
        raise TypeError(f"rgb must be a floating-point tensor, not {getattr(rgb, 'dtype', type(rgb).__name__)}.")
    if rgb.ndim != 4 or rgb.shape[1] != 3 or min(rgb.shape[2:]) < MINIMUM_SIDE:
        raise ValueError(
            f"rgb must have shape (N, 3, H, W) with sides of {MINIMUM_SIDE} or more, not {tuple(rgb.shape)}."
        )
