"""Looking a name up in one of the study's plain dictionaries."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def look_up(registry: Mapping[str, T], name: str, what: str) -> T:
    """Return ``registry[name]``, or say which names come nearest.

    Args:
        registry: for example ``MODELS``.
        name: the key that a person typed.
        what: the singular noun for the message, for example ``"model"``.

    Raises:
        ValueError: ``name`` is not a key; the message holds the nearest names and all known ones.

    Example:
        >>> look_up({"unet": 1, "eccv16": 2}, "unte", "model")
        Traceback (most recent call last):
        ValueError: unknown model 'unte'; did you mean 'unet'? Known: eccv16, unet.
    """
    if isinstance(name, str) and name in registry:
        return registry[name]
    near = difflib.get_close_matches(str(name), registry, n=3, cutoff=0.5)
    hint = f" did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
    raise ValueError(f"unknown {what} {name!r};{hint} Known: {', '.join(sorted(registry))}.")
