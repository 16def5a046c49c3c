"""When an adversarial training has collapsed, and which of its weights may still be judged.

A network with a critic is judged by its last weights. The validated term leaves the critic out, so where it is lowest
the network has heeded its critic least: to choose by it would favour the least adversarial weights of a training. Here
it tells only whether the network has left the photographs altogether; such weights are passed over.
"""


def has_left(loss: float, lowest: float) -> bool:
    """Return whether a network has left the photographs: its validated term is above twice its lowest, or no number.

    Args:
        loss: the validated term now.
        lowest: its lowest so far, this one included.
    """
    return not loss <= 2 * lowest


def collapsed(history: list[dict]) -> str | None:
    """Say why an adversarial training has collapsed, or None.

    It has when at the last three validations the critic told every pair apart while the network :func:`has_left`: it
    learns nothing from a critic that is always right.
    """
    lowest = min(row["val_loss"] for row in history)
    lost = [has_left(row["val_loss"], lowest) and row.get("critic_told_apart", 0) > 0.99 for row in history[-3:]]
    return "the critic is always right and the network has left the photographs" if lost == [True] * 3 else None
