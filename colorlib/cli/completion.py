"""``colorlib completion``: the shell completes commands, options and names of files."""

import argparse
import os

from colorlib.cli.command import Commands, add_command

SHELLS = ("bash", "zsh", "fish")


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "completion",
        "Print what makes the Tab key complete colorlib's commands and options.\n\n"
        "It goes into the file that the shell reads when it starts: ~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish.",
        '  colorlib completion bash >> ~/.bashrc\n  eval "$(colorlib completion zsh)"\n'
        "  colorlib completion fish | source",
    )
    parser.add_argument("shell", choices=SHELLS, help="for which shell")


def run(options: argparse.Namespace) -> int:
    import argcomplete

    print(argcomplete.shellcode(["colorlib"], shell=options.shell))
    return 0


def answer(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and exit, if it is the shell that asks."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
