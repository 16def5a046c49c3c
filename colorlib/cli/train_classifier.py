"""``colorlib train-classifier``: one of the two classifiers that losses and metrics look through."""

import argparse
from pathlib import Path

from colorlib.cli.command import Commands, add_command, count


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "train-classifier",
        "Train one of the two classifiers that losses and metrics look through.\n\n"
        "It learns which folder a photograph lies in; its weights and its card are written. When it is interrupted,\n"
        "the same command goes on.",
        "  colorlib train-classifier data/photos64 --seed 0 --passes 24 --name a --out colorlib/weights",
    )
    parser.add_argument("data", help="a data set with a folder a class: a name, or what `colorlib prepare` made")
    parser.add_argument("--name", choices=("a", "b"), required=True, help="which of the two it is to be")
    parser.add_argument("--seed", type=int, default=0, help="of the weights, the order and the crops (default 0)")
    parser.add_argument("--passes", type=count, default=24, help="how often each photograph is seen (default 24)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the weights and their card")
    parser.add_argument(
        "--run", dest="folder", type=Path, metavar="FOLDER", help="for checkpoints (default: below runs/)"
    )


def run(options: argparse.Namespace) -> int:
    import pandas as pd

    from colorlib.data import open_dataset
    from colorlib.files import project_folder
    from colorlib.runs.classifier import export, train_classifier

    data = open_dataset(options.data)
    folder = options.folder or project_folder() / "runs" / "classifiers" / f"{options.name}-s{options.seed}"
    classifier = train_classifier(data, folder, options.seed, options.passes)
    history = pd.read_csv(folder / "history.csv")
    print(export(classifier, data, history, options.seed, options.name, options.out))
    return 0
