"""``colorlib human-study``: what people's answers on the page amount to."""

import argparse
from pathlib import Path

from colorlib.cli.command import Commands, add_command


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "human-study",
        "Print how often people took each model's colours for a photograph's own.\n\n"
        "`make app` asks them on its second page. The rates come with 95 % intervals, each two models are compared,\n"
        "and it is said who was left out and how many answers are still needed.",
        "  colorlib human-study\n  colorlib human-study runs/fooling/answers.sqlite --csv answers.csv",
    )
    parser.add_argument(
        "answers",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="the answers (default: what COLORLIB_ANSWERS says, or runs/fooling/answers.sqlite in the project)",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all answers, one a row")


def run(options: argparse.Namespace) -> int:
    from colorlib.files import atomic_path
    from colorlib.human_study import answers_path, read_answers, summary

    path = options.answers or answers_path()
    if not path.exists():
        raise FileNotFoundError(f"there are no answers at {path}; `make app` collects them.")
    answers = read_answers(path)
    if options.csv:
        if options.csv.resolve() == path.resolve():
            raise ValueError(f"{options.csv} holds the answers themselves; name another file.")
        with atomic_path(options.csv) as temporary:
            answers.to_csv(temporary, index=False)
    print(summary(answers))
    return 0
