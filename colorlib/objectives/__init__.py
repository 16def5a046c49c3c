"""The objectives: what a network's output means, how wrong it is, and which colours it stands for.

To add one, write it and add a line to ``OBJECTIVES``; the tests and the tables follow. Any of them can be added up with
others, ``{l1: 100, gan_lsgan: 1}``; the sums that papers published have names of their own, in ``SUMS``.
"""

import inspect
import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from colorlib.objectives.adversarial import GANHinge, GANLeastSquares, GANVanilla, GANWasserstein
from colorlib.objectives.base import Objective, WeightedSum
from colorlib.objectives.classification import CrossEntropy, RebalancedCrossEntropy
from colorlib.objectives.critics import CRITICS, PatchCritic
from colorlib.objectives.perceptual import ClassKL, Colorfulness, Perceptual
from colorlib.objectives.projected import GANProjected
from colorlib.objectives.regression import CIE76, CIEDE2000, L1, L2, Charbonnier, Huber
from colorlib.registry import check_options, describe_sum, look_up

__all__ = [
    "CRITICS",
    "OBJECTIVES",
    "SUMS",
    "Objective",
    "PatchCritic",
    "create_objective",
    "describe_objective",
    "objective_options",
    "terms_of",
]

OBJECTIVES: dict[str, type[Objective]] = {
    "l1": L1,
    "l2": L2,
    "huber": Huber,
    "charbonnier": Charbonnier,
    "cie76": CIE76,
    "ciede2000": CIEDE2000,
    "ce": CrossEntropy,
    "rebalanced_ce": RebalancedCrossEntropy,
    "gan_vanilla": GANVanilla,
    "gan_lsgan": GANLeastSquares,
    "gan_hinge": GANHinge,
    "gan_wgan_gp": GANWasserstein,
    "gan_projected": GANProjected,
    "perceptual": Perceptual,
    "class_kl": ClassKL,
    "colorfulness": Colorfulness,
}

SUMS: dict[str, dict[str, float]] = {
    "pix2pix": {"l1": 100.0, "gan_vanilla": 1.0},  # Isola 2017, section 3.3
    "chromagan": {"l2": 1.0, "gan_wgan_gp": 0.1},  # Vitoria 2020; the 0.003 KL is its network's own branch
    "ddcolor": {"l1": 0.1, "perceptual": 5.0, "gan_vanilla": 1.0, "colorfulness": 0.5},  # Kang 2023, section 3.4
}

Named = str | Mapping[str, float]


def terms_of(objective: Named) -> dict[str, float]:
    """Return name -> weight of an objective: a key of ``OBJECTIVES`` or ``SUMS``, or a sum written out.

    Raises:
        ValueError: an unknown name (the message holds the nearest ones), a weight that is not above zero, or no term.

    Example:
        >>> terms_of("pix2pix")
        {'l1': 100.0, 'gan_vanilla': 1.0}
    """
    if isinstance(objective, Mapping):
        for name, weight in objective.items():
            look_up(OBJECTIVES, name, "objective")
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
                raise ValueError(f"the weight of {name} in a sum of objectives must be above zero, not {weight!r}.")
        if not objective:
            raise ValueError("a sum of objectives needs at least one term, for example {l1: 100, gan_lsgan: 1}.")
        return dict(objective)
    look_up({**OBJECTIVES, **SUMS}, objective, "objective")
    return dict(SUMS.get(objective, {objective: 1.0}))


def describe_objective(objective: Named) -> str:
    """Return an objective's name as a table shows it: ``l1``, ``pix2pix``, ``100 l1 + gan_lsgan``."""
    return objective if isinstance(objective, str) else describe_sum(objective)


def objective_options(objective: Named) -> dict[str, int | float | str]:
    """Return the options of an objective and their defaults, for example ``{"out_stride": 1, "delta": 1.0}``."""
    options: dict[str, int | float | str] = {}
    for name in terms_of(objective):
        parameters = inspect.signature(OBJECTIVES[name]).parameters
        options |= {option: p.default for option, p in parameters.items() if option != "prior"}
    return options


def create_objective(objective: Named, prior: Tensor | None = None, **options: float | str) -> Objective:
    """Create an objective.

    Args:
        objective: a key of ``OBJECTIVES`` or ``SUMS``, or a sum as {name: weight}.
        prior: (313,), the share of each bin in the training photographs (``gamut.empirical_prior``), for the
            objectives with ``needs_prior``; the others do not look at it.
        options: those of :func:`objective_options`; in a sum, each goes to every term that has it.

    Raises:
        ValueError: an unknown name or option (the message holds the nearest ones), a value out of range, or no
            prior where one is needed.
        TypeError: an option of the wrong type.

    Example:
        >>> create_objective("ce", temperature=0.5).out_channels
        313
        >>> create_objective({"l1": 100, "gan_lsgan": 1}, critic_width=16).out_channels
        2
    """
    weights = terms_of(objective)
    check_options(objective_options(objective), options, describe_objective(objective))
    terms = {}
    for name in weights:
        own: dict[str, Any] = {option: value for option, value in options.items() if option in objective_options(name)}
        if OBJECTIVES[name].needs_prior:
            if prior is None:
                raise ValueError(
                    f"{name} needs the prior of the bins in the training photographs: see gamut.empirical_prior."
                )
            own["prior"] = prior
        terms[name] = OBJECTIVES[name](**own)
    first, *others = terms.values()
    # A critic's logits say nothing about progress, nor does what the truth does not minimise: even alone these are
    # sums, which bring their own validated term.
    alone = isinstance(objective, str) and not others and first.critic is None and first.truth_is_best
    return first if alone else WeightedSum(terms, weights)
