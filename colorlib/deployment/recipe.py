"""The recipe of a deployed network: a weight file that says by itself how to rebuild it, without any data.

Such a file is a safetensors file in half precision beside a model card. Those in ``colorlib/weights`` ship with the
package; :func:`~colorlib.deployment.export.export_run` makes one of a finished run.
"""

import math
from dataclasses import dataclass, field

import torch

from colorlib.color.gamut import bin_centres
from colorlib.models import Network, create_model
from colorlib.objectives import OBJECTIVES, Objective, create_objective

LONGEST_SHORT_SIDE = 4096  # pixels
MOST_CLASSES = 100_000
_KINDS = dict.fromkeys(("name", "about", "model"), str) | {
    "short_side": int,
    "model_options": dict,
    "objective": str | None,
    "objective_options": dict,
    "classes": int,
    "temperature": int | float | None,
    "takes_hints": bool,
}


@dataclass(frozen=True)
class Recipe:
    """All that is needed to rebuild a deployed model; a weight file's metadata hold it as JSON.

    Attributes:
        name: what people call it.
        about: one line for lists.
        short_side: pixels of a photograph's shorter side at which it colours: that of its training.
        model, model_options: for :func:`colorlib.models.create_model`; for a released network its key in ``RELEASED``.
        objective, objective_options: the one that says what the network's output means.
        classes: how many labels its network learned, mostly 0.
        temperature: that of its decoding where it has one: it can be changed; else None.
        takes_hints: whether colours can be given to it.
    """

    name: str
    about: str
    short_side: int
    model: str
    model_options: dict = field(default_factory=dict)
    objective: str | None = None
    objective_options: dict = field(default_factory=dict)
    classes: int = 0
    temperature: float | None = None
    takes_hints: bool = False

    def __post_init__(self) -> None:
        """Check what a file may say of itself.

        Raises:
            TypeError, ValueError: the recipe has something of another type or range.
        """
        for entry, kinds in _KINDS.items():
            value = getattr(self, entry)
            if not isinstance(value, kinds) or (isinstance(value, bool) and entry != "takes_hints"):
                raise TypeError(f"{entry} is {value!r}")
        if not 1 <= self.short_side <= LONGEST_SHORT_SIDE or not 0 <= self.classes <= MOST_CLASSES:
            raise ValueError(f"short_side and classes are {self.short_side} and {self.classes}")
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature is {self.temperature}")


def rebuild(recipe: Recipe) -> tuple[Network, Objective]:
    """Create the network of a recipe, with fresh weights, and the objective that decodes it.

    Raises:
        ValueError: the recipe has no objective: it is that of a released network, which colorlib does not rebuild.
    """
    if recipe.objective is None:
        raise ValueError(f"the recipe of {recipe.name} names no objective, which says what its network's output means.")
    prior = None
    if OBJECTIVES[recipe.objective].needs_prior:  # it weighs a loss; decoding does not ask for it
        prior = torch.full((len(bin_centres()),), 1 / len(bin_centres()))
    objective = create_objective(recipe.objective, prior, **recipe.objective_options)
    network = create_model(
        recipe.model, objective.out_channels, objective.out_stride, recipe.classes, **recipe.model_options
    )
    return network, objective
