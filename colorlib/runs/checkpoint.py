"""Where a training stands, so that it can go on: its counts, and the tensors of all that learns.

A run's own checkpoint is ``checkpoint.pt`` in its folder. Trainings at a constant learning rate that differ in nothing
but how long they go on share a second folder, their *trunk*: each leaves there the state in which its cool-down begins,
``1600.pt`` after 1,600 photographs, and begins at the furthest state that another has left. What it ends with is what
it would have ended with alone, bit for bit; only its seconds hold those of whoever trained the beginning.
"""

import contextlib
import dataclasses
import pickle
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from colorlib.data.store import LabArrays
from colorlib.distributed import from_first, learning_together, rank
from colorlib.files import atomic_path, is_blank
from colorlib.models import Network
from colorlib.objectives import Objective
from colorlib.runs.run import ExperimentConfig, shared_folder


@dataclasses.dataclass
class State:
    """All that a checkpoint holds beside tensors."""

    step: int = 0
    seconds: float = 0.0
    validated: int = 0
    best: float = float("inf")
    sums: dict[str, float] = dataclasses.field(default_factory=dict)  # of the terms since the last validation
    counted: int = 0  # steps in these sums
    history: list[dict] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Parts:
    """All that a checkpoint holds the tensors of."""

    network: Network
    objective: Objective
    optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer | None = None
    averaged: Network | None = None  # whose weights are a running mean of the network's

    @property
    def judged(self) -> Network:
        """The network that is validated and kept."""
        return self.averaged or self.network

    @cached_property
    def forward(self) -> Callable[[Tensor, Tensor], Tensor]:
        """The network's forward in training; on several processes its gradients are averaged."""
        return learning_together(self.network, self.network.forward_in_training)

    @cached_property
    def critic_terms(self) -> Callable[[Tensor, Tensor, Tensor], dict[str, Tensor]]:
        """What the critic pays; likewise."""
        return learning_together(self.objective, self.objective.critic_terms)

    def named(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer]:
        parts = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: part for name, part in parts.items() if part is not None}


def trunk_of(config: ExperimentConfig, data: LabArrays) -> Path:
    """Name the folder that trainings share which differ in how long they go on."""
    one = dataclasses.replace(config, images_seen=1, macs=None, validations=1, checkpoint_seconds=0)
    return shared_folder("trunks", data.fingerprint, one)


def save_checkpoint(path: Path, state: State, parts: Parts) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        OSError: it cannot be written, for example because the disk is full; the one before is left.
    """
    tensors = {name: part.state_dict() for name, part in parts.named().items()}
    with atomic_path(path) as temporary:
        try:
            with open(temporary, "wb") as file:
                torch.save({"state": dataclasses.asdict(state)} | tensors, file)
        except (OSError, RuntimeError) as error:  # torch's own tells of its positions in the file
            why = error if isinstance(error, OSError) else error.__context__ or error
            raise OSError(
                f"{path} could not be written ({why}); what was trained before is kept: make room and run again."
            ) from None


def load_checkpoint(folder: Path, trunk: Path | None, furthest: int, parts: Parts) -> State:
    """Bring the parts to where a run stands, one that has not begun to its trunk's state, and return the counts.

    Of several processes the first reads, and tells the others.

    Args:
        folder: of the run.
        trunk: see :func:`trunk_of`; None for a run that shares nothing.
        furthest: photographs, after which the run goes its own way.
        parts: are changed; left as they are where there is nothing to go on from.

    Raises:
        ValueError: what there is to go on from is damaged.
    """
    path = folder / "checkpoint.pt"
    if trunk and is_blank(path):
        states = [state for state in trunk.glob("*.pt") if int(state.stem) <= furthest and not is_blank(state)]
        path = max(states, key=lambda state: int(state.stem), default=path)
    with _said_of(path):
        checkpoint = None if rank() or is_blank(path) else torch.load(path, map_location="cpu", weights_only=True)
    checkpoint = from_first(checkpoint)
    if checkpoint is None:
        return State()
    with _said_of(path):
        for name, part in parts.named().items():
            part.load_state_dict(checkpoint[name])
        return State(**checkpoint["state"])


@contextlib.contextmanager
def _said_of(path: Path) -> Iterator[None]:
    try:
        yield
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, TypeError, ValueError, AttributeError):
        raise ValueError(
            f"{path} is cut, damaged or of another version of colorlib; delete it and run again: the training begins "
            "anew."
        ) from None
