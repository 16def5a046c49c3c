"""``colorlib prepare``: a folder or archive of photographs becomes a data set."""

import argparse

from colorlib.cli.command import Commands, add_command, count


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "prepare",
        "Turn a folder or archive of photographs into a data set to study.\n\n"
        "Each photograph's short side is resized to --size and the centre is cut out. Files that cannot be read are\n"
        "skipped and listed; grey ones and duplicates are flagged and left out of training. When it is interrupted,\n"
        "the same command goes on.",
        "  colorlib prepare ~/Pictures --out data/mine\n  colorlib prepare holidays.zip --size 64 --out data/holidays",
    )
    parser.add_argument("source", metavar="FOLDER_OR_ARCHIVE", help="a folder with any subfolders, a zip or a tar")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="the new data set, for example data/mine")
    parser.add_argument("--size", type=count, default=224, help="side in pixels (default 224; 64 trains on a laptop)")
    parser.add_argument("--workers", type=count, help="processes (default: one for each processor)")


def run(options: argparse.Namespace) -> int:
    import numpy as np

    from colorlib.data.manifest import SPLITS
    from colorlib.data.photos import prepare_photographs
    from colorlib.pictures.kinds import in_words

    data = prepare_photographs(options.source, options.out, options.size, options.workers)
    counts = np.bincount(data.index.split, minlength=len(SPLITS))
    flagged = np.count_nonzero(data.index.marks)
    print(
        f"{data.folder}: {len(data):,} photographs of {data.size[1]}×{data.size[0]}, {flagged:,} of them flagged ",
        end="",
    )
    print("(" + ", ".join(f"{count:,} {split}" for split, count in zip(SPLITS, counts, strict=True)) + ").")
    if skipped := data.info["counts"]["skipped"]:
        print(f"{skipped:,} files could not be used; the reason for each is in {data.folder / 'skipped.csv'}.")
    if ignored := data.info["counts"].get("ignored"):
        print(f"{sum(ignored.values()):,} other files were left out: {in_words(ignored)}.")
    print(f"A study on them: colorlib study photos --data {data.folder}")
    return 0
