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
    from colorlib.reports import about_unshown, runs_left_out
    from colorlib.studies.engine import make_report
    from colorlib.studies.study import read_study

    folder = study_folder(options.study)
    print(f"The report: {make_report(folder, options.out).resolve()}")
    if unshown := runs_left_out(read_study(folder), folder):
        print(about_unshown(unshown))
    return 0
