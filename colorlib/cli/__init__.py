"""The ``colorlib`` command: each of its commands is the module of its name, and ``colorlib list`` is ``lists``."""

import argparse
import os
import re
import sys

import colorlib
from colorlib.cli import (
    browser_page,
    colorize,
    completion,
    export,
    export_onnx,
    human_study,
    judge,
    lists,
    overview,
    prepare,
    render,
    report,
    study,
    train,
)
from colorlib.processes import follow_parent, print_anything
from colorlib.registry import look_up

COMMANDS = (
    prepare,
    study,
    train,
    lists,
    export,
    judge,
    colorize,
    export_onnx,
    browser_page,
    report,
    overview,
    human_study,
    render,
    completion,
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; each command's function is its default ``run``."""
    parser = argparse.ArgumentParser(
        prog="colorlib",
        description="A study of image colorization: from photographs to a report that compares networks and losses.",
        epilog="examples:\n"
        "  colorlib study quick                            the quick study on embedded data\n"
        "  colorlib prepare holidays.zip --size 64 --out data/holidays\n"
        "  colorlib study photos --data data/holidays      the same comparison on your photographs\n"
        "  colorlib list models                            what can be named in a study\n"
        "  colorlib colorize old/                          your black-and-white photographs in colour\n"
        "\n`colorlib COMMAND --help` says more about each command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"colorlib {colorlib.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    parser.set_defaults(commands=commands.choices)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1 (rows failed), 2 (bad input) or 130 (Ctrl-C).

    What goes wrong is said in one sentence; with COLORLIB_TRACEBACK=1 in the environment the traceback is shown.
    """
    follow_parent()
    print_anything()
    parser = build_parser()
    completion.answer(parser)
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given and not given[0].startswith("-"):
            look_up(parser.get_default("commands"), given[0], "command")
        options, unknown = parser.parse_known_args(given)
        for word in (word.partition("=")[0] for word in unknown if word.startswith("--")):
            known = parser.get_default("commands")[given[0]].format_usage()
            look_up(dict.fromkeys(re.findall(r"--[\w-]+", known)), word, f"option of {given[0]}")
        if unknown:
            parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options.run(options)
    except KeyboardInterrupt:
        print("\ncolorlib: stopped; what is done is kept. Run the same command to go on.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (
        ModuleNotFoundError,
        OSError,
        ValueError,
        TypeError,
        RuntimeError,
        ArithmeticError,
        MemoryError,
    ) as error:
        if os.environ.get("COLORLIB_TRACEBACK"):
            raise
        print(f"colorlib: {_sentence(error)}", file=sys.stderr)
        return 2


def _sentence(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and "pip install" not in str(error):
        return f"{error.name} is not installed; this needs the extra study: pip install 'colorlib[study]'."
    if isinstance(error, MemoryError):
        return "the memory is used up; try fewer --jobs, or a smaller size or batch."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return " ".join(str(error).split()) or type(error).__name__
