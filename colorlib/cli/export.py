"""``colorlib export``: the grey pictures of a data set, for another program to colour."""

import argparse
from pathlib import Path

from colorlib.cli.command import Commands, add_command


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "export",
        "Write the grey pictures of a data set, named by id, for another program to colour.\n\n"
        "`colorlib judge` then judges the coloured ones beside a study's own.",
        "  colorlib export data/mine --out grey",
    )
    parser.add_argument("data", help="a prepared folder or the name of a data set")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where the pictures go")
    parser.add_argument(
        "--split", default="test", choices=("train", "val", "test"), help="which of them (default test)"
    )


def run(options: argparse.Namespace) -> int:
    from colorlib.data import open_dataset
    from colorlib.runs.exchange import export_pictures

    written = export_pictures(open_dataset(options.data), options.out, options.split)
    print(f"{written:,} grey pictures are in {Path(options.out)}. Colour them under the same names, then:")
    print("  colorlib judge FOLDER_OF_COLOURED_PICTURES --name NAME --study STUDY")
    return 0
