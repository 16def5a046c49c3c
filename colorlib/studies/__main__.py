"""``python -m colorlib.studies``: one row of a planned study or its report, as Snakemake calls them; or its seconds."""

import argparse
import sys

from colorlib.processes import follow_parent, print_anything
from colorlib.studies.engine import make_report, run_row, time_study


def main() -> int:
    """Run one row of a planned study, make its report, as the Snakefile does, or time its networks."""
    follow_parent()
    print_anything()
    parser = argparse.ArgumentParser(prog="python -m colorlib.studies", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    row = commands.add_parser("row", help="run one row, unless it is done")
    row.add_argument("folder", help="of the study, for example runs/quick")
    row.add_argument("id", help="of the row, as in study.json")
    report = commands.add_parser("report", help="make the report")
    report.add_argument("folder", help="of the study, for example runs/quick")
    timing = commands.add_parser("time", help="time the trained networks one after another, for the report made next")
    timing.add_argument("folder", help="of the study, for example runs/quick")
    options = parser.parse_args()
    try:
        if options.command == "report":
            print(f"The report: {make_report(options.folder).resolve()}")
            return 0
        if options.command == "time":
            print(f"{time_study(options.folder)} runs have seconds of one machine with nothing else on it.")
            return 0
        return 0 if run_row(options.folder, options.id) else 1
    except (OSError, ValueError, RuntimeError) as error:
        print(f"colorlib: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
