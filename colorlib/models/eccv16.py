"""The network of "Colorful Image Colorization", for training and as its authors released it.

Eight groups of convolutions; the resolution falls to 1/8 while dilation widens the view, and no pooling is used.

Reference:
    R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization", ECCV 2016, arXiv:1603.08511, figure 2.
"""

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.gamut import bin_centres
from colorlib.color.lab import AB_SCALE
from colorlib.models.base import Network
from colorlib.models.blocks import L_to_unit, Output, conv_group, load_released, pad_to_multiple


class ECCV16(Network):
    """The published network up to its logits; with ``out_channels`` 313 and ``width`` 1 it has their very layers.

    Difference from the paper: He's initialisation, not k-means; logits are enlarged where the objective asks for more
    than 1/4 of the resolution.

    Args:
        out_channels, out_stride: what the objective asks for.
        width: multiplies the channels of every layer; 1 is the published network.
    """

    replays = True
    narrow = {"width": 0.125}

    def __init__(self, out_channels: int, out_stride: int = 4, width: float = 1.0) -> None:
        super().__init__()
        if not width > 0:
            raise ValueError(f"width, which multiplies the published channels, must be above zero, not {width}.")
        c64, c128, c256, c512 = (max(1, round(channels * width)) for channels in (64, 128, 256, 512))
        self.model1 = conv_group([1, c64, c64], stride=2)
        self.model2 = conv_group([c64, c128, c128], stride=2)
        self.model3 = conv_group([c128, c256, c256, c256], stride=2)
        self.model4 = conv_group([c256, c512, c512, c512])
        self.model5 = conv_group([c512, c512, c512, c512], dilation=2)
        self.model6 = conv_group([c512, c512, c512, c512], dilation=2)
        self.model7 = conv_group([c512, c512, c512, c512])
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(c512, c256, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(c256, c256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(c256, c256, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        self.output = Output(c256, out_channels, stride=4, out_stride=out_stride)

    def features(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into what ``model8`` gives: 1/4 of H and W, rounded up to multiples of 8."""
        x = pad_to_multiple(L_to_unit(L) / 2, 8)
        for group in (self.model1, self.model2, self.model3, self.model4, self.model5, self.model6, self.model7):
            x = group(x)
        return self.model8(x)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into (N, out_channels, H / out_stride, W / out_stride), rounded up."""
        return self.output(self.features(L), L.shape[-2:])


class ReleasedECCV16(ECCV16):
    """The network as its authors released it: 32.2 M parameters under their names, L in, ab out.

    Its last layer, ``model_out``, was trained to turn the 313 probabilities into ab; there is no temperature.

    Difference from the release: none intended; photographs whose sides are not multiples of 8 are padded, then cropped.
    """

    def __init__(self) -> None:
        super().__init__(len(bin_centres()))
        self.model8.append(self.output.conv)  # the release counts the logits' layer as model8.6
        del self.output
        self.model_out = nn.Conv2d(len(bin_centres()), 2, 1, bias=False)

    def forward(self, L: Tensor) -> Tensor:
        """Turn L (N, 1, H, W) in [0, 100] into ab (N, 2, H, W) in CIELAB units."""
        ab_unit = self.model_out(self.features(L).softmax(1))
        ab_unit = F.interpolate(ab_unit, scale_factor=4, mode="bilinear", align_corners=False)
        return AB_SCALE * ab_unit[..., : L.shape[-2], : L.shape[-1]]


def load_released_eccv16(path: Path | str) -> ReleasedECCV16:
    """Load the authors' weight file, ``colorization_release_v2-9b330a0b.pth``, which a user has to bring.

    Returns:
        the network in eval mode.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else.
    """
    return load_released(ReleasedECCV16(), path, "ECCV16")
