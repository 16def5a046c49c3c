"""Bars of progress, drawn where somebody may watch them: on a terminal or in a notebook, and never into a file."""

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(*arguments: Any, disable: bool = False, **options: Any) -> tqdm:
    """Return a bar as :class:`tqdm.tqdm` does, silent where nobody watches; ``TQDM_DISABLE=1`` silences every one.

    Args:
        arguments, options: tqdm's own.
        disable: whether it is silent everywhere.

    Example:
        >>> [number for number in progress_bar(range(3), desc="counting")]
        [0, 1, 2]
    """
    silent = {"disable": True} if disable or not watched() else {}  # False would overrule the environment variable
    return tqdm(*arguments, **options, **silent)


def watched() -> bool:
    """Say whether standard error is a terminal or goes to a notebook, which calls itself no terminal."""
    python = sys.modules.get("IPython")
    shell = python.get_ipython() if python else None
    return bool(sys.stderr and sys.stderr.isatty()) or (shell is not None and "IPKernelApp" in shell.config)
