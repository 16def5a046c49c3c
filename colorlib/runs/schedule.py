"""How a training goes over its budget: the learning rate at each step, and when the network is looked at.

A cosine fits one budget: every step of it depends on where it ends. At a constant rate with a cool-down at its end, two
trainings that differ in their budgets alone take the same steps until the smaller one's cool-down begins. So one long
run holds the beginnings of all, and each smaller budget costs only the branch that cools it down (Hägele et al.,
"Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", 2024, arXiv:2405.18392).

Difference from the paper: the warm-up is counted in photographs, where it has steps.
"""

import math

from colorlib.runs.run import ExperimentConfig

WARM_UP = 0.05  # share of a cosine's budget
WARMED_AFTER = 400  # photographs, at a constant rate: the same whatever the budget
COOL_DOWN = 0.2  # share of the budget, as in the paper's experiments


def cool_down_begins(config: ExperimentConfig) -> int:
    """Return after how many photographs the rate begins to fall, a whole number of batches; 0 for a cosine.

    At the latest it is before the last step.

    Example:
        >>> cool_down_begins(ExperimentConfig("unet", "l1", images_seen=2_000, schedule="constant"))
        1600
    """
    if config.schedule == "cosine":
        return 0
    steps = math.ceil((1 - COOL_DOWN) * config.images_seen / config.batch_size)
    return min(steps, (config.images_seen - 1) // config.batch_size) * config.batch_size


def learning_rate(seen: int, config: ExperimentConfig) -> float:
    """Return the rate of the step that is taken after ``seen`` photographs.

    Both schedules begin with a linear warm-up, the cosine's over 5 % of the budget, the constant one's over 400
    photographs. Then the first falls by half a cosine to zero; the second stays at its peak for four fifths of the
    budget, and over the last fifth is the peak times 1 − √(share of the cool-down that is over).

    Args:
        seen: photographs, from 0 to below the budget.
        config: its schedule, budget, batch size and peak.
    """
    warm_up = WARM_UP * config.images_seen if config.schedule == "cosine" else WARMED_AFTER
    peak = config.learning_rate * min(1.0, max(seen, warm_up / 50) / warm_up)
    if config.schedule == "cosine":
        over = max(0.0, seen - warm_up) / (config.images_seen - warm_up)
        return peak * 0.5 * (1 + math.cos(math.pi * over))
    begins = cool_down_begins(config)
    over = (seen - begins) / (config.images_seen - begins) if seen > begins else 0.0
    return peak * (1 - math.sqrt(over))


def validation_points(config: ExperimentConfig) -> list[float]:
    """Return after how many photographs the network is validated, the last time at the budget's end.

    A cosine's ``validations`` lie evenly over the budget. At a constant rate they lie evenly over the cool-down; before
    it comes one after the warm-up and one whenever the photographs seen have doubled, which no budget changes.

    Example:
        >>> validation_points(ExperimentConfig("unet", "l1", images_seen=2_000, schedule="constant", validations=2))
        [400, 800, 1600, 1800.0, 2000.0]
    """
    begins, points = cool_down_begins(config), []
    point = WARMED_AFTER
    while point <= begins:
        points.append(point)
        point *= 2
    left = config.images_seen - begins
    return [*points, *(begins + left * number / config.validations for number in range(1, config.validations + 1))]
