"""``colorlib report``: the report of a study, written again."""

import argparse

from colorlib.cli.command import Commands, add_command, study_folder


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "report",
        "Write the report of a study again, from the runs that are there.",
        "  colorlib report quick\n  colorlib report runs/quick --out reports/draft",
    )
    parser.add_argument("study", help="a name in runs/, or the study's folder")
    parser.add_argument("--out", metavar="FOLDER", help="of the report (default: reports/NAME)")


def run(options: argparse.Namespace) -> int:
    from colorlib.studies.engine import make_report

    print(f"The report: {make_report(study_folder(options.study), options.out).resolve()}")
    return 0
