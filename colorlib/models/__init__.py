"""The architectures: lightness in, whatever the objective asks for out.

To add one, write its module, a :class:`~colorlib.models.base.Network`, and add a line to ``MODELS``; the tests and the
tables follow.
"""

import inspect

from colorlib.models.base import Network
from colorlib.models.chromagan import ChromaGAN
from colorlib.models.ddcolor import DDColor, ReleasedDDColor, load_released_ddcolor
from colorlib.models.deoldify import DeOldify
from colorlib.models.diffusion import Diffusion
from colorlib.models.eccv16 import ECCV16, ReleasedECCV16, load_released_eccv16
from colorlib.models.effunet import EffUNet
from colorlib.models.plain_cnn import PlainCNN
from colorlib.models.resunet import ResUNet
from colorlib.models.siggraph17 import SIGGRAPH17, ReleasedSIGGRAPH17, load_released_siggraph17
from colorlib.models.unet import UNet
from colorlib.models.unet256 import UNet256
from colorlib.models.vit import ViT
from colorlib.models.weights import AtMost, put_weights, read_weights, write_weights
from colorlib.registry import check_options, look_up

__all__ = [
    "MODELS",
    "AtMost",
    "Network",
    "ReleasedDDColor",
    "ReleasedECCV16",
    "ReleasedSIGGRAPH17",
    "create_model",
    "load_released_ddcolor",
    "load_released_eccv16",
    "load_released_siggraph17",
    "model_options",
    "put_weights",
    "read_weights",
    "write_weights",
]

GIVEN = ("out_channels", "out_stride", "classes")  # by the objective and by the photographs, not by a person

MODELS: dict[str, type[Network]] = {
    "plain_cnn": PlainCNN,
    "unet": UNet,
    "eccv16": ECCV16,
    "unet256": UNet256,
    "resunet": ResUNet,
    "siggraph17": SIGGRAPH17,
    "deoldify": DeOldify,
    "chromagan": ChromaGAN,
    "ddcolor": DDColor,
    "effunet": EffUNet,
    "diffusion": Diffusion,
    "vit": ViT,
}


def model_options(name: str) -> dict[str, int | float]:
    """Return the options of an architecture and their defaults, for example ``{"width": 32}``."""
    parameters = inspect.signature(look_up(MODELS, name, "model")).parameters
    return {option: p.default for option, p in parameters.items() if option not in GIVEN}


def create_model(
    name: str, out_channels: int, out_stride: int = 1, classes: int = 0, **options: float | str
) -> Network:
    """Create a network with fresh weights.

    It turns L (N, 1, H, W) in [0, 100], of any size, into (N, out_channels, ⌈H / out_stride⌉, ⌈W / out_stride⌉).

    Args:
        name: a key of ``MODELS``.
        out_channels, out_stride: what the objective asks for; out_stride is 1, 2 or 4.
        classes: how many kinds of photographs the labels tell apart, for a network that learns them; 0 without labels.
        options: those of :func:`model_options`.

    Raises:
        ValueError: an unknown name or option (the message holds the nearest ones), or a value out of range.
        TypeError: an option of the wrong type.

    Example:
        >>> import torch
        >>> create_model("unet", out_channels=2, width=8)(torch.full((1, 1, 33, 47), 50.0)).shape
        torch.Size([1, 2, 33, 47])
    """
    check_options(model_options(name), options, name)
    for option, value in options.items():
        if not isinstance(value, str) and value <= 0:
            raise ValueError(f"{option} of {name} must be above zero, not {value}.")
    if "classes" in inspect.signature(MODELS[name]).parameters:
        options = options | {"classes": classes}
    return MODELS[name](out_channels, out_stride, **options)
