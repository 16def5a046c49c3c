"""The generator of ChromaGAN: while it colours a photograph it also says what is on it.

A trunk like VGG-16's feeds two branches. The semantic one boils the photograph down to one vector, from which it tells
the class; the colour one keeps the places. The vector joins the colour branch at each place, so that what a thing is
reaches every pixel of it.

References:
    P. Vitoria, L. Raad and C. Ballester, "ChromaGAN: Adversarial Picture Colorization with Semantic Class
    Distribution", WACV 2020, arXiv:1907.09837, section 3.
    S. Iizuka, E. Simo-Serra and H. Ishikawa, "Let there be Color!", SIGGRAPH 2016, which fused the two branches first.
    T.-Y. Lin, P. Dollár, R. Girshick, K. He, B. Hariharan and S. Belongie, "Feature Pyramid Networks for Object
    Detection", CVPR 2017, arXiv:1612.03144, section 3: several scales of an encoder as one.
"""

import warnings
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.models.blocks import Output
from colorlib.models.efficientnet_lite import EncodedNetwork


def convs(*channels: int, stride: int = 1, norm: bool = False) -> nn.Sequential:
    """Return 3×3 convolutions with ReLU through ``channels``, the first with the stride.

    Where ``norm``, batch normalisation comes between a convolution and its ReLU.
    """
    layers: list[nn.Module] = []
    for i, o in zip(channels, channels[1:], strict=False):
        layers.append(nn.Conv2d(i, o, 3, 1 if layers else stride, 1, bias=not norm))
        layers += [nn.BatchNorm2d(o), nn.ReLU(inplace=True)] if norm else [nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def vgg(width: int) -> nn.Sequential:
    """Return VGG-16 up to conv4_3, for one channel: 8 times ``width`` channels at 1/8 of the resolution."""
    w2, w4, w8, pool = 2 * width, 4 * width, 8 * width, nn.MaxPool2d(2)
    return nn.Sequential(
        *[convs(1, width, width), pool, convs(width, w2, w2), pool],
        *[convs(w2, w4, w4, w4), pool, convs(w4, w8, w8, w8)],
    )


def begin(layer: nn.Module) -> None:
    """Give a convolution or a fully-connected layer the weights to begin with."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def dense(*channels: int) -> nn.Sequential:
    """Return fully-connected layers through ``channels``, with ReLU between them and not after the last."""
    layers: list[nn.Module] = [nn.Linear(channels[0], channels[1])]
    for i, o in zip(channels[1:], channels[2:], strict=False):
        layers += [nn.ReLU(inplace=True), nn.Linear(i, o)]
    return nn.Sequential(*layers)


class Pyramid(nn.Module):
    """Maps at strides 8, 16 and 32 as one at 8: a 1×1 convolution of each, enlarged and added up.

    Args:
        in_channels: of each map, the finest first.
        out_channels: of the one.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, out_channels, 1) for channels in in_channels)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Turn maps (N, C, h, w), each of half the sides of the one before, into (N, out_channels, h, w)."""
        x, *coarser = (conv(m) for conv, m in zip(self.convs, maps, strict=True))
        for level, y in enumerate(coarser, start=1):
            x = x + F.interpolate(y, scale_factor=2**level, mode="nearest")
        return F.relu(x)


class ChromaGAN(EncodedNetwork):
    """VGG-16 up to conv4_3, then a semantic branch of one vector and a colour branch at 1/8 of the resolution, fused.

    Difference from the paper: fresh weights, not VGG-16's pretrained ones, and one channel in, not three. Where the
    encoder shall know ImageNet, an EfficientNet-Lite stands in the trunk's place. Its map at 1/8, where the trunk ends,
    is of few and early layers, so those at 1/16 and 1/32 are added to it, each after a 1×1 convolution to the trunk's
    channels; both branches begin there as they do behind the trunk. The semantic branch ends in a mean over places,
    where the paper's fully-connected layers fit 224×224 pixels only, so any size will do; no tanh or sigmoid at the
    end. The last enlargement is bilinear.

    Args:
        out_channels, out_stride: what the objective asks for.
        classes: how many labels the photographs have; 0 for none, and then the semantic branch gives its vector only.
        width: channels of the first layer; the paper has 64.
        class_weight: of the class term in the loss, the paper's λ_s.
        encoder, pretraining, encoder_rate, statistics, enlarge_to: of an encoder in the trunk's place, see
            :class:`colorlib.models.efficientnet_lite.EncodedNetwork`.

    Example:
        >>> network = ChromaGAN(2, classes=3, width=8)
        >>> L = torch.full((2, 1, 64, 64), 50.0)
        >>> network(L).shape, list(network.side_loss(L, torch.zeros(2, 2, 64, 64), torch.tensor([0, 2])))
        (torch.Size([2, 2, 64, 64]), ['class_kl'])
    """

    narrow = {"width": 10}

    def __init__(
        self,
        out_channels: int,
        out_stride: int = 1,
        classes: int = 0,
        width: int = 64,
        class_weight: float = 0.003,
        encoder: str = "none",
        pretraining: str = "none",
        encoder_rate: float = 0.1,
        statistics: str = "held",
        enlarge_to: int = 128,
    ) -> None:
        super().__init__(encoder, pretraining, encoder_rate, statistics, enlarge_to)
        if classes < 0:
            raise ValueError(f"classes of chromagan is a number of labels, 0 for none, not {classes}.")
        w2, w4, w8 = 2 * width, 4 * width, 8 * width
        self.trunk = vgg(width) if self.lite is None else Pyramid(self.lite.channels[2:], w8)
        self.semantic = nn.Sequential(
            convs(w8, w8, w8, stride=2, norm=True), convs(w8, w8, w8, stride=2, norm=True), nn.AdaptiveAvgPool2d(1)
        )
        self.vector = dense(w8, 2 * w8, w8, w4)
        self.classifier = dense(w8, 8 * w8, 8 * w8, classes) if classes else None
        self.places = convs(w8, w8, w4, norm=True)
        enlarge = nn.Upsample(scale_factor=2, mode="nearest")
        self.colours = nn.Sequential(
            *[nn.Conv2d(w8, w4, 1), nn.ReLU(inplace=True), convs(w4, w2)],
            *[enlarge, convs(w2, width, width), enlarge, convs(width, max(1, width // 2))],
        )
        for part in self.children():
            if part is not self.lite:
                part.apply(begin)
        self.output = Output(max(1, width // 2), out_channels, stride=2, out_stride=out_stride, kernel_size=3)
        self.class_weight = class_weight
        self._class_logits: Tensor | None = None  # (N, classes), from forward in training until side_loss takes them
        self._warned = False

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up.

        Raises:
            ValueError: training on a single photograph of at most 32×32 pixels.
        """
        H, W = L.shape[-2:]
        if self.training and len(L) == 1 and max(H, W) <= 32:
            raise ValueError(
                f"chromagan cannot be trained on one photograph of {H}×{W} pixels, since its batch normalisation "
                "would see a single value: use a batch of two or more, or more than 32 pixels."
            )
        picture = self.prepared(L, 8)
        features = self.trunk(picture if self.lite is None else self.maps_of_lite(picture)[2:])
        gist = self.semantic(features).flatten(1)  # (N, 8 width)
        if self.training and self.classifier is not None:
            self._class_logits = self.classifier(gist)
        places = self.places(features)
        vector = self.vector(gist)[..., None, None].expand(-1, -1, *places.shape[-2:])  # the same at each place
        return self.output(self.reduced(self.colours(torch.cat([places, vector], 1)), (H, W)), (H, W))

    def side_loss(self, L: Tensor, ab: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
        """Return ``class_kl``: class_weight · KL(label ‖ the semantic branch's classes), of the last training forward.

        A label is certain, so its KL divergence is the cross-entropy.

        Difference from the paper: its teacher is the distribution that a pretrained VGG-16 sees in L; here it is the
        label, the photograph's folder. Without labels, or with ``classes`` 0, there is no term, and one warning.

        Args:
            L, ab: the photographs of that forward; not needed, and here for the protocol's sake.
            labels: (N,) int64 in [0, classes), or None.

        Raises:
            RuntimeError: there was no forward in training mode.
        """
        logits, self._class_logits = self._class_logits, None
        if self.classifier is None or labels is None:
            if not self._warned:
                message = "the semantic branch of chromagan runs without labels: it learns from colours only."
                warnings.warn(message, stacklevel=2)
                self._warned = True
            return {}
        if logits is None:
            raise RuntimeError("side_loss of chromagan needs a forward in training mode before it.")
        return {"class_kl": self.class_weight * F.cross_entropy(logits.float(), labels)}
