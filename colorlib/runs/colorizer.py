"""What is judged and deployed: the colorizer, L (N, 1, H, W) in, ab (N, 2, H, W) out."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from colorlib.data.store import Batch, LabArrays
from colorlib.machine import choose_device
from colorlib.models import create_model
from colorlib.objectives import OBJECTIVES, Objective, create_objective, terms_of
from colorlib.runs.run import ExperimentConfig, read_config

Colorizer = Callable[[Tensor], Tensor]
Oracle = Callable[[Batch], Tensor]

Predict = Callable[[Batch], Tensor]


def build(config: ExperimentConfig, data: LabArrays) -> tuple[nn.Module, Objective]:
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


def colours_of(network: nn.Module, objective: Objective, L: Tensor) -> Tensor:
    """Return ab (N, 2, H, W) in CIELAB units: one forward, or where a network samples, however many that takes."""
    if hasattr(network, "colorize"):
        return network.colorize(L, lambda output, size: objective.decode(output.float(), size))
    return objective.decode(network(L).float(), L.shape[-2:])


class TrainedColorizer:
    """A trained network with its objective's decoder: L (N, 1, H, W) in, ab (N, 2, H, W) out, at any size."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        self.network, self.objective = network.eval(), objective.eval()
        self.device = next(network.parameters()).device

    @torch.inference_mode()
    def __call__(self, L: Tensor) -> Tensor:
        return colours_of(self.network, self.objective, L.to(self.device, memory_format=torch.channels_last)).to(
            L.device
        )


def load_colorizer(folder: Path | str, data: LabArrays, device: str = "auto") -> TrainedColorizer:
    """Load the chosen network of a run folder.

    Raises:
        FileNotFoundError: the folder holds no run, or one without weights.
    """
    fields = {f.name for f in dataclasses.fields(ExperimentConfig)}
    config = ExperimentConfig(**{k: v for k, v in read_config(folder).items() if k in fields})
    path = Path(folder) / "weights.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{folder} holds no weights yet: its training has not reached the first validation.")
    network, objective = build(config, data)
    network.load_state_dict(load_file(path))
    chosen = choose_device(device)
    network = network.to(chosen, memory_format=torch.channels_last)
    return TrainedColorizer(network, objective.to(chosen))
