"""The colorizer, whatever is judged or deployed: L (N, 1, H, W) in [0, 100] in, ab (N, 2, H, W) in CIELAB units out."""

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from colorlib.imagenet import Encoder
from colorlib.machine import choose_device, count_macs
from colorlib.models import Network, create_model, put_weights, read_weights
from colorlib.models.base import Decode
from colorlib.objectives import OBJECTIVES, Objective, create_objective, terms_of
from colorlib.runs.run import ExperimentConfig, read_config

if TYPE_CHECKING:
    from colorlib.data.store import Batch, LabArrays

Oracle = Callable[["Batch"], Tensor]  # knows a batch with its truth, and gives ab (N, 2, H, W) for it


class Colorizer:
    """L in, ab out, at any size: a plain function of L, or by a subclass something that can do more.

    Whatever it can do beside that is declared:

    Attributes:
        name: what messages call it.
        device: where it computes.
        parameters: how many weights it has; None for what is no network.
        takes_hints: whether colours can be given to it.
        temperature: that of its decoding, where it answers with odds; else None.
        gives_several: whether :meth:`samples` gives answers that differ.
        looks_through: the versions of EfficientNet-Lite that it looks through; what Lite2 says of its own is no metric.

    Args:
        function: L (N, 1, H, W) in [0, 100] -> ab (N, 2, H, W) in CIELAB units.

    Example:
        >>> grey = Colorizer(lambda L: torch.zeros(len(L), 2, *L.shape[-2:]))
        >>> grey(torch.full((1, 1, 3, 5), 50.0)).shape
        torch.Size([1, 2, 3, 5])
    """

    name = "this colorizer"
    device = torch.device("cpu")
    parameters: int | None = None
    takes_hints = False
    temperature: float | None = None
    gives_several = False
    looks_through: frozenset[int] = frozenset()

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self.function = function

    def __call__(self, L: Tensor, hints: Tensor | None = None, temperature: float | None = None) -> Tensor:
        """Colour photographs.

        Args:
            L: (N, 1, H, W) in [0, 100].
            hints: (N, 3, H, W), see :mod:`colorlib.color.hints`.
            temperature: of the decoding; its own without one.

        Returns:
            ab (N, 2, H, W) in CIELAB units, on the device of ``L``.

        Raises:
            ValueError: see :meth:`check`.
        """
        self.check(temperature, hints is not None)
        return self.function(L)

    def check(self, temperature: float | None = None, hints: bool = False) -> None:
        """Say in one sentence why the colorizer cannot do what is asked.

        Raises:
            ValueError: a temperature for one without odds, or not above zero; hints for one that takes none.
        """
        if temperature is not None and self.temperature is None:
            raise ValueError(f"{self.name} has no temperature: it answers with one colour, not with odds.")
        if temperature is not None and not 0 < temperature < float("inf"):
            raise ValueError(f"the temperature must be above zero, not {temperature}.")
        if hints and not self.takes_hints:
            raise ValueError(f"{self.name} takes no hints; siggraph17 and vit do.")

    def samples(self, L: Tensor, count: int, seed: int = 0) -> Tensor:
        """Colour each photograph ``count`` times: (count, N, 2, H, W); all alike unless it ``gives_several``."""
        return self(L).expand(count, -1, -1, -1, -1)

    def macs(self, size: tuple[int, int]) -> int | None:
        """Count the multiply-accumulates that a photograph of ``size`` (H, W) takes; None where nobody can."""
        return None


class NetworkColorizer(Colorizer):
    """A network with the decoder of its objective.

    Args:
        network: is set to eval mode.
        objective: likewise; None for a network that answers with ab itself.
        bfloat16: whether to compute in it.
    """

    parameters: int

    def __init__(self, network: Network, objective: Objective | None, bfloat16: bool = False) -> None:
        self.network, self.objective = network.eval(), objective.eval() if objective else None
        self.device = next(network.parameters()).device
        self.bfloat16 = bfloat16
        self.parameters = sum(parameter.numel() for parameter in network.parameters())
        self.takes_hints, self.gives_several = network.takes_hints, network.gives_several
        self.looks_through = frozenset(layer.version for layer in network.modules() if isinstance(layer, Encoder))
        self.temperature = objective.meaning.temperature if objective else None

    @torch.inference_mode()
    def __call__(self, L: Tensor, hints: Tensor | None = None, temperature: float | None = None) -> Tensor:
        self.check(temperature, hints is not None)
        decode = decoder(self.objective, temperature)
        with self.autocast():
            ab = self.network.colorize(self.placed(L), decode, None if hints is None else hints.to(self.device))
        return self._checked(ab).to(L.device)

    @torch.inference_mode()
    def samples(self, L: Tensor, count: int, seed: int = 0) -> Tensor:
        with self.autocast():
            ab = self.network.samples(self.placed(L), decoder(self.objective), count, seed)
        return self._checked(ab).to(L.device)

    def _checked(self, ab: Tensor) -> Tensor:
        if not ab.isfinite().all():
            raise ValueError(f"{self.name} answers with colours that are no numbers; its weights must be damaged.")
        return ab.float()

    def macs(self, size: tuple[int, int]) -> int | None:
        return count_macs(self.network, size)

    def placed(self, L: Tensor) -> Tensor:
        """Return L where and as the network wants it."""
        return L.to(self.device, memory_format=torch.channels_last)

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)


def decoder(objective: Objective | None, temperature: float | None = None) -> Decode:
    """Return what turns a network's output into ab: an objective's decoding, at its own temperature or another."""
    if objective is None:
        return lambda output, size: output
    meaning = objective.meaning
    if temperature is not None:
        meaning = copy.copy(meaning)  # others may be using it at its own
        meaning.temperature = temperature
    return lambda output, size: meaning.decode(output.float(), size)


def build(config: ExperimentConfig, data: "LabArrays") -> tuple[Network, Objective]:
    """Create the network and the objective of a run, seeded; nothing is trained yet."""
    torch.manual_seed(config.seed)
    needs_prior = any(OBJECTIVES[name].needs_prior for name in terms_of(config.objective))
    objective = create_objective(
        config.objective, data.class_prior if needs_prior else None, **config.objective_options
    )
    network = create_model(
        config.model, objective.out_channels, objective.out_stride, classes=len(data.classes), **config.model_options
    )
    return network, objective


def read_settings(folder: Path | str) -> ExperimentConfig:
    """Read the settings of a trained run; see :func:`~colorlib.runs.run.read_config` for what it raises."""
    fields = {f.name for f in dataclasses.fields(ExperimentConfig)}
    return ExperimentConfig(**{k: v for k, v in read_config(folder).items() if k in fields})


def read_colorizer(folder: Path | str, data: "LabArrays", device: str = "auto") -> NetworkColorizer:
    """Read the chosen network of a run folder, finished or not, with its whole objective.

    Args:
        data: the photographs that it was trained on; an objective may weigh by them.

    Raises:
        FileNotFoundError: the folder holds no run, or one without weights.
        ValueError: its settings or weights are damaged.
    """
    config = read_settings(folder)
    path = Path(folder) / "weights.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{folder} holds no weights yet: its training has not reached the first validation.")
    network, objective = build(config, data)
    try:
        put_weights(network, read_weights(path))
    except ValueError as error:
        raise ValueError(f"{folder} cannot go on: {error}; move it aside and run again.") from None
    chosen = choose_device(device)
    network = network.to(chosen, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return NetworkColorizer(network, objective.to(chosen))
