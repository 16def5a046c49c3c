"""Weights from files into networks: whole files only, and only weights that fit and are numbers."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from colorlib.files import atomic_path

ALLOTTING = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn)
CONSTANTS = 10_000_000  # numbers that a network may need beside its weights, such as tables of colours


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """Read a safetensors file: name -> tensor.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is cut, damaged or something else.
    """
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is cut, damaged or no file of weights ({_first_line(error)})") from None


def write_weights(path: Path | str, state: Mapping[str, Tensor], about: dict[str, str] | None = None) -> None:
    """Write tensors as a safetensors file, whole or not at all.

    Args:
        about: goes into the file's header.

    Raises:
        OSError: it cannot be written, for example because the disk is full.
    """
    with atomic_path(path) as temporary:
        try:
            save_file({name: tensor.cpu().contiguous() for name, tensor in state.items()}, temporary, about)
        except SafetensorError as error:
            raise OSError(f"{path} could not be written ({_first_line(error)}); make room and run again.") from None


class AtMost(TorchFunctionMode):
    """While it is entered, no more numbers are allotted than a file of weights can be for: whatever its options say.

    Args:
        weights: how many the file holds.

    Raises:
        ValueError: what is built is larger, by far; no memory was taken for what is too much.

    Example:
        >>> with AtMost(1000):
        ...     nn.Linear(10_000, 10_000)
        Traceback (most recent call last):
        ValueError: its network would have far more weights than it holds
    """

    def __init__(self, weights: int) -> None:
        super().__init__()
        self.left = 2 * weights + CONSTANTS

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in ALLOTTING:
            size = kwargs.get("size", args if args and isinstance(args[0], int) else args[0] if args else ())
            self.left -= math.prod(size)
            if self.left < 0:
                raise ValueError("its network would have far more weights than it holds")
        return func(*args, **kwargs)


def put_weights(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a network all of its weights, and nothing that would make it paint nonsense in silence.

    Args:
        state: of :func:`read_weights`, of any precision.

    Raises:
        ValueError: one is missing, too many, of another shape or kind, or no finite number; the message, which has no
            point at its end, names it.

    Example:
        >>> import torch
        >>> put_weights(nn.Linear(1, 1), {"weight": torch.ones(1, 1), "bias": torch.tensor([float("nan")])})
        Traceback (most recent call last):
        ValueError: the weight bias is no finite number everywhere
    """
    own = network.state_dict()
    for name, tensor in state.items():
        if name not in own:
            continue  # which is said below
        if tensor.is_floating_point() != own[name].is_floating_point():
            raise ValueError(f"the weight {name} is of {tensor.dtype}, not of {own[name].dtype}")
        if not tensor.to(own[name].dtype).isfinite().all():
            raise ValueError(f"the weight {name} is no finite number everywhere")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"the weights do not fit the network: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    """Return what an error says first, without the heading under which torch lists what it found."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if not line.startswith("Error(s) in loading")), type(error).__name__)
    return (told if len(told) < 160 else f"{told[:159]}…").rstrip(".")
