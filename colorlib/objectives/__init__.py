"""The objectives: what a network's output means, how wrong it is, and which colours it stands for.

To add one, write it and add a line to ``OBJECTIVES``; the tests and the tables follow.
"""

import inspect

from torch import Tensor

from colorlib.objectives.adversarial import Pix2Pix
from colorlib.objectives.base import Objective
from colorlib.objectives.classification import CrossEntropy, RebalancedCrossEntropy
from colorlib.objectives.regression import L1, L2, Huber
from colorlib.registry import check_options, look_up

__all__ = ["OBJECTIVES", "Objective", "create_objective", "objective_options"]

OBJECTIVES: dict[str, type[Objective]] = {
    "l1": L1,
    "l2": L2,
    "huber": Huber,
    "ce": CrossEntropy,
    "rebalanced_ce": RebalancedCrossEntropy,
    "pix2pix": Pix2Pix,
}


def objective_options(name: str) -> dict[str, int | float]:
    """Return the options of an objective and their defaults, for example ``{"out_stride": 1, "delta": 1.0}``."""
    parameters = inspect.signature(look_up(OBJECTIVES, name, "objective")).parameters
    return {option: p.default for option, p in parameters.items() if option != "prior"}


def create_objective(name: str, prior: Tensor | None = None, **options: float) -> Objective:
    """Create an objective.

    Args:
        name: a key of ``OBJECTIVES``.
        prior: (313,), the share of each bin in the training photographs (``gamut.empirical_prior``), for the
            objectives with ``needs_prior``; the others do not look at it.
        options: those of :func:`objective_options`.

    Raises:
        ValueError: an unknown name or option (the message holds the nearest ones), a value out of range, or no
            prior where one is needed.
        TypeError: an option of the wrong type.

    Example:
        >>> create_objective("ce", temperature=0.5).out_channels
        313
    """
    check_options(objective_options(name), options, name)
    if not OBJECTIVES[name].needs_prior:
        return OBJECTIVES[name](**options)
    if prior is None:
        raise ValueError(f"{name} needs the prior of the bins in the training photographs: see gamut.empirical_prior.")
    return OBJECTIVES[name](prior, **options)
