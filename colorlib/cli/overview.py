"""``colorlib overview``: one page over all reports."""

import argparse

from colorlib.cli.command import Commands, add_command


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "overview",
        "Write README.md in the folder of the reports: which model to use, over all of them.",
        "  colorlib overview\n  colorlib overview reports",
    )
    parser.add_argument("folder", nargs="?", default="reports", help="of the reports (default: reports)")


def run(options: argparse.Namespace) -> int:
    from colorlib.reports.overview import write_overview

    print(f"The page over all reports: {write_overview(options.folder).resolve()}")
    return 0
