"""What a row asks of the machine that executes it: a cluster's scheduler takes it at its word; GPUs are dealt out."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from colorlib.files import exclusive
from colorlib.registry import look_up

ROW_HOURS = 24.0  # which a row may take where the study does not say; then it is ended, and the others go on
RESOURCES: dict[str, float] = {"memory_gb": 4.0, "threads": 1, "gpus": 0}  # what a row asks for where nothing is said
_RANGES = {"memory_gb": (0.1, 10_000), "threads": (1, 1_000), "gpus": (0, 64)}


def read_resources(content: Mapping[str, Any], usual: Mapping[str, float], where: str) -> dict[str, float]:
    """Return what ``resources`` and ``row_hours`` of a study or of one row ask for, over what is usual.

    Args:
        content: the study's file, or one row of it.
        usual: ``memory_gb``, ``threads``, ``gpus`` and ``hours``.
        where: begins the message.

    Raises:
        ValueError, TypeError: an unknown resource, or an amount that nobody can mean.

    Example:
        >>> row = {"resources": {"memory_gb": 16, "gpus": 1}, "row_hours": 3}
        >>> read_resources(row, RESOURCES | {"hours": ROW_HOURS}, "row 1")
        {'memory_gb': 16, 'threads': 1, 'gpus': 1, 'hours': 3}
    """
    given = content.get("resources", {})
    if not isinstance(given, dict):
        raise TypeError(f"{where}: resources must be a table such as {{memory_gb: 16, gpus: 1}}, not {given!r}.")
    for name, value in given.items():
        least, most = look_up(_RANGES, name, f"resource in {where}")
        whole = isinstance(RESOURCES[name], int)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise TypeError(f"{where}: {name} must be a {'whole ' if whole else ''}number, not {value!r}.")
        if not least <= value <= most:
            raise ValueError(f"{where}: {name} must be between {least} and {most:,}, not {value}.")
    hours = content.get("row_hours", usual["hours"])
    if isinstance(hours, bool) or not isinstance(hours, int | float):
        raise TypeError(f"{where}: row_hours must be a number, not {hours!r}.")
    if not 0 < hours < 10_000:
        raise ValueError(f"{where}: row_hours must be above zero and below 10,000, not {hours}.")
    return {**usual, **given, "hours": hours}


@contextlib.contextmanager
def free_gpu(folder: Path, gpus: list[str], number: int) -> Iterator[str]:
    """Hold one of this machine's GPUs for a row while the block runs: the first that no other row of the study holds.

    Where there are more rows at a time than GPUs, they share them evenly, nearly: row ``number`` takes its turn.

    Args:
        folder: of the study; which GPU is held stands in its ``gpus``.
        gpus: as CUDA_VISIBLE_DEVICES names them, at least one.
        number: of the row in the study's plan.

    Yields:
        The name of the one.
    """
    with contextlib.ExitStack() as held:
        for gpu in gpus:
            with contextlib.suppress(BlockingIOError):
                held.enter_context(exclusive(folder / "gpus" / gpu, "GPU", patience=0))
                break
        else:
            gpu = gpus[number % len(gpus)]
        yield gpu
