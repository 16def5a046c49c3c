"""What every command of ``colorlib`` shares: how it is registered, and how its options are read.

A command is a module with two functions: ``register`` adds its parser to the command line, and ``run`` does it and
returns the exit status. What ``run`` needs it imports itself: ``--help`` is instant, and torch takes seconds.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Commands = Any  # what ``add_subparsers`` returns; argparse has no public name for it


def add_command(
    commands: Commands, run: Callable[[argparse.Namespace], int], name: str, about: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command that explains itself, and return its parser for the options.

    Args:
        run: options -> exit status.
        about: what it does; the first paragraph is its line in the list of commands.
        examples: lines that begin with two spaces.
    """
    parser = commands.add_parser(
        name,
        help=about.partition("\n\n")[0].rstrip("."),
        description=about,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def count(text: str) -> int:
    """Return a whole number of 1 or more, for the ``type`` of an option."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def study_folder(name: str) -> Path:
    """Return the folder of a study: the one named, or the one of this name in ``runs``."""
    return Path(name) if (Path(name) / "study.json").exists() else Path("runs") / name
