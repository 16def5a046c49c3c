"""Models that are ready for use: a weight file that says by itself how to rebuild its network, without any data.

Such a file is a safetensors file in half precision beside a model card. Those in ``colorlib/weights`` ship with the
package; :func:`export_run` makes one of a finished run. A run folder can be named as it is, too, and so can the weight
files that the authors of ECCV16, SIGGRAPH17 and DDColor released.
"""

import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from colorlib.machine import choose_device, computes_in_bfloat16
from colorlib.objectives import Objective
from colorlib.runs.colorizer import colours_of

BFLOAT16_PARAMETERS = 5_000_000  # below it the network is not what takes the time


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


class DeployedModel:
    """A network with its recipe: L in, ab out, at the size it works at.

    Attributes:
        recipe: what it is.
        network, objective: in eval mode; a released network has no objective, it answers with ab.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, objective: Objective | None, device: str = "auto") -> None:
        self.recipe = recipe
        self.device = choose_device(device)
        self.network = network.eval().requires_grad_(False).to(self.device, memory_format=torch.channels_last)
        self.objective = objective.eval().to(self.device) if objective else None
        parameters = sum(parameter.numel() for parameter in network.parameters())
        self.bfloat16 = parameters >= BFLOAT16_PARAMETERS and computes_in_bfloat16(self.device)

    def check(self, temperature: float | None, hints: bool) -> None:
        """Say in one sentence why the model cannot do what is asked.

        Raises:
            ValueError: a temperature for a model without one, or not above zero; hints for a model without them.
        """
        if temperature is not None and self.recipe.temperature is None:
            raise ValueError(f"{self.recipe.name} has no temperature: it answers with one colour, not with odds.")
        if temperature is not None and not 0 < temperature < float("inf"):
            raise ValueError(f"the temperature must be above zero, not {temperature}.")
        if hints and not self.recipe.takes_hints:
            raise ValueError(f"{self.recipe.name} takes no hints; siggraph17 and vit do.")

    @torch.inference_mode()
    def __call__(self, L: Tensor, hints: Tensor | None = None, temperature: float | None = None) -> Tensor:
        """Colour photographs.

        Args:
            L: (N, 1, h, w) in [0, 100], the shorter side about ``recipe.short_side``.
            hints: (N, 3, h, w), see :mod:`colorlib.color.hints`.
            temperature: of the decoding; the model's own without one.

        Returns:
            ab (N, 2, h, w) in CIELAB units, float32, on the device of ``L``.

        Raises:
            ValueError: see :meth:`check`.
        """
        self.check(temperature, hints is not None)
        objective = self.objective
        if temperature is not None:
            objective = copy.copy(objective)  # others may be using the model at their own temperature
            objective.temperature = temperature
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            if objective is None:
                ab = self._answer(L, hints)
            elif hints is not None:
                ab = objective.decode(self._answer(L, hints).float(), L.shape[-2:])
            else:
                ab = colours_of(self.network, objective, self._placed(L))
        return ab.float().to(L.device)

    def _placed(self, L: Tensor) -> Tensor:
        return L.to(self.device, memory_format=torch.channels_last)

    def _answer(self, L: Tensor, hints: Tensor | None) -> Tensor:
        return self.network(self._placed(L)) if hints is None else self.network(self._placed(L), hints.to(self.device))

    @torch.inference_mode()
    def odds(self, L: Tensor, hints: Tensor | None = None) -> Tensor | None:
        """Return the odds that a model gives to each colour, before a temperature sharpens them.

        Args:
            L, hints: see :meth:`__call__`.

        Returns:
            (N, 313, h / s, w / s), sum 1 over the bins of :func:`colorlib.color.bin_centres`, float32, s being the
            ``out_stride`` of the objective; None where a model answers with one colour.
        """
        if self.recipe.temperature is None:
            return None
        self.check(None, hints is not None)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits = self._answer(L, hints)
        return logits.float().softmax(1).to(L.device)
