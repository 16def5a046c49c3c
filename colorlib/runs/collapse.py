"""When an adversarial training has collapsed, and which of its weights may still be judged.

A network with a critic is judged by its last weights. The validated term leaves the critic out, so where it is lowest
the network has heeded its critic least: to choose by it would favour the least adversarial weights of a training. Here
it tells only whether the network has left the photographs altogether.
"""

import math


def has_left(row: dict, lowest: float) -> bool:
    """Return whether a network has left the photographs at a validation.

    It has where the validated term was no number, or more than twice its lowest while the critic told every pair apart.

    Args:
        row: of the history: ``val_loss`` and ``critic_told_apart``, a share.
        lowest: the lowest ``val_loss`` up to that row, its own included.
    """
    won = row.get("critic_told_apart", 0) > 0.99
    return not row["val_loss"] <= (2 * lowest if won else math.inf)


def collapsed(history: list[dict]) -> str | None:
    """Say why an adversarial training has collapsed, or None.

    It has when :func:`has_left` holds at the last three validations: the network learns nothing from a critic that is
    always right.
    """
    lowest = min(row["val_loss"] for row in history)
    left = [has_left(row, lowest) for row in history[-3:]]
    return "the critic is always right and the network has left the photographs" if left == [True] * 3 else None
