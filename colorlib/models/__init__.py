"""The architectures: lightness in, whatever the objective asks for out.

To add one, write its module and add a line to ``MODELS``; the tests and the tables follow.
"""

import inspect

from torch import nn

from colorlib.models.eccv16 import ECCV16, ReleasedECCV16, load_released_eccv16
from colorlib.models.plain_cnn import PlainCNN
from colorlib.models.unet import UNet
from colorlib.registry import check_options, look_up

__all__ = ["MODELS", "ReleasedECCV16", "create_model", "load_released_eccv16", "model_options"]

MODELS: dict[str, type[nn.Module]] = {"plain_cnn": PlainCNN, "unet": UNet, "eccv16": ECCV16}


def model_options(name: str) -> dict[str, int | float]:
    """Return the options of an architecture and their defaults, for example ``{"width": 32}``."""
    parameters = inspect.signature(look_up(MODELS, name, "model")).parameters
    return {option: p.default for option, p in parameters.items() if option not in ("out_channels", "out_stride")}


def create_model(name: str, out_channels: int, out_stride: int = 1, **options: float) -> nn.Module:
    """Create a network with fresh weights.

    It turns L (N, 1, H, W) in [0, 100], of any size, into (N, out_channels, ⌈H / out_stride⌉, ⌈W / out_stride⌉).

    Args:
        name: a key of ``MODELS``.
        out_channels, out_stride: what the objective asks for; out_stride is 1, 2 or 4.
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
        if value <= 0:
            raise ValueError(f"{option} of {name} must be above zero, not {value}.")
    return MODELS[name](out_channels, out_stride, **options)
