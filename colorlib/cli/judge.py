"""``colorlib judge``: pictures that any program coloured become a row of a study."""

import argparse

from colorlib.cli.command import Commands, add_command, study_folder


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "judge",
        "Judge pictures that any program coloured, beside the runs of a study.\n\n"
        "Pictures are matched by id, which is the file's name without its ending; missing and surplus ones are named.",
        "  colorlib judge coloured/ --name deoldify --study quick",
    )
    parser.add_argument(
        "folder", metavar="FOLDER_OF_COLOURED_PICTURES", help="PNG files named as `colorlib export` does"
    )
    parser.add_argument("--name", required=True, help="of the colorizer, for the table")
    parser.add_argument("--study", required=True, help="the study to set it beside: a name in runs/, or its folder")
    parser.add_argument("--data", help="the data set it coloured (default: the study's)")
    parser.add_argument("--split", default="test", choices=("train", "val", "test"), help="which of it (default test)")


def run(options: argparse.Namespace) -> int:
    from colorlib.data import open_dataset
    from colorlib.files import check_name
    from colorlib.runs.exchange import judge_pictures
    from colorlib.studies.study import read_study

    check_name(options.name, "colorizer")
    folder = study_folder(options.study)
    data = open_dataset(options.data or read_study(folder)["data"]["folder"])
    judged = judge_pictures(options.folder, data, folder / f"judged-{options.name}", options.name, options.split)
    scores = judged.per_image.mean(numeric_only=True)
    shown = [name for name in ("delta_e_2000", "delta_e_76", "psnr_rgb_db") if name in scores]
    print(f"{options.name}: " + ", ".join(f"{name} {scores[name]:.2f}" for name in shown) + f" ({judged.folder})")
    print(f"To have it beside the others: colorlib report {options.study}")
    return 0
