"""Looking names up in the study's plain dictionaries, and checking the options that go with them."""

import difflib
import math
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
LARGEST = 10_000  # an option of a network or objective; their defaults stay under 1,000


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


def check_options(known: Mapping[str, int | float | str], options: Mapping[str, object], name: str) -> None:
    """Check that ``options`` are among those that ``name`` has, and of the kind of their defaults.

    Args:
        known: the options and their defaults, for example ``{"width": 32}``.

    Raises:
        ValueError: an unknown option, the message holds the nearest ones; or a number that nobody can mean.
        TypeError: a value of the wrong type.
    """
    for option, value in options.items():
        default = look_up(known, option, f"option of {name}")
        if isinstance(default, str):
            if not isinstance(value, str):
                raise TypeError(f"{option} of {name} must be a word like {default!r}, not {value!r}.")
        elif isinstance(value, bool) or not isinstance(value, (int, type(default))):
            raise TypeError(f"{option} of {name} must be a number like {default}, not {value!r}.")
        elif not math.isfinite(value) or abs(value) > LARGEST:
            raise ValueError(f"{option} of {name} must be a number like {default}, {LARGEST:,} at most, not {value}.")


def describe_sum(terms: Mapping[str, float]) -> str:
    """Return a weighted sum of entries as a table shows it.

    Example:
        >>> describe_sum({"l1": 100, "gan_lsgan": 1})
        '100 l1 + gan_lsgan'
    """
    return " + ".join(name if weight == 1 else f"{weight:g} {name}" for name, weight in terms.items())
