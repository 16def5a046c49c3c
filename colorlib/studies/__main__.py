"""``python -m colorlib.studies``: one row of a planned study, or its report, as Snakemake calls them."""

import argparse
import sys

from colorlib.processes import follow_parent, print_anything
from colorlib.studies.engine import make_report, run_row


def main() -> int:
    """Run one row, or the report, of a planned study: what the Snakefile calls."""
    follow_parent()
    print_anything()
    parser = argparse.ArgumentParser(prog="python -m colorlib.studies", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    row = commands.add_parser("row", help="run one row, unless it is done")
    row.add_argument("folder", help="of the study, for example runs/quick")
    row.add_argument("id", help="of the row, as in study.json")
    report = commands.add_parser("report", help="make the report")
    report.add_argument("folder", help="of the study, for example runs/quick")
    options = parser.parse_args()
    try:
        if options.command == "report":
            print(f"The report: {make_report(options.folder).resolve()}")
            return 0
        return 0 if run_row(options.folder, options.id) else 1
    except (OSError, ValueError, RuntimeError) as error:
        print(f"colorlib: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
