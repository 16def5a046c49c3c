"""``colorlib study``: the rows of a study file are run, and their report is written."""

import argparse

from colorlib.cli.command import Commands, add_command, count


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "study",
        "Run a study and write its report.\n\n"
        "A study is a YAML file of rows, each a notebook with parameters. Rows that are done and unchanged are not\n"
        "run again; when a study is interrupted, the same command goes on. A row that fails keeps its notebook, the\n"
        "others go on, and the exit status is 1. Runs go to runs/NAME, the report to reports/NAME.",
        "  colorlib study quick\n"
        "  colorlib study photos --data data/mine --jobs 2\n"
        "  colorlib study photos --data data/mine --executor slurm\n"
        "  colorlib study kaggle --data ~/Downloads/archive.zip\n"
        "  colorlib study notebooks/studies/my.yml --data ~/Pictures --name pictures --pictures bundled",
    )
    parser.add_argument("study", help="a name in notebooks/studies, or the path of a study file")
    parser.add_argument(
        "--data", help="in place of the study's own: a prepared folder, a Kaggle folder or zip, or any photographs"
    )
    parser.add_argument("--name", help="of the study's folders (default: the file's name, with the data's if --data)")
    parser.add_argument(
        "--jobs", type=count, help="rows at a time (default: one for each processor, or for each GPU; on a cluster all)"
    )
    parser.add_argument(
        "--executor",
        metavar="NAME",
        default="local",
        help="what executes rows: local, this machine, or a cluster's scheduler: slurm (default: local)",
    )
    parser.add_argument("--pictures", metavar="KINDS", help="what the report may show: bundled, test, or bundled,test")
    parser.add_argument("--out", metavar="FOLDER", help="of the report (default: reports/NAME)")


def run(options: argparse.Namespace) -> int:
    from colorlib.studies import find_study, run_study

    pictures = options.pictures.split(",") if options.pictures else None
    chosen = options.data, options.name, options.jobs, pictures, options.out, options.executor
    return 0 if run_study(find_study(options.study), *chosen) else 1
