"""The ``colorlib`` command."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from colorlib.processes import follow_parent
from colorlib.runs.exchange import export

# Every command imports what it needs when it runs: --help is instant, and torch takes seconds.
_LISTS = ("data", "models", "objectives", "metrics", "baselines", "colorizers")


def prepare(options: argparse.Namespace) -> int:
    from colorlib.data.photos import prepare_photographs

    data = prepare_photographs(options.source, options.out, options.size, options.workers)
    counts = data.manifest["split"].value_counts()
    flagged = (data.manifest["flags"] != "").sum()
    print(
        f"{data.folder}: {len(data):,} photographs of {data.size[1]}×{data.size[0]}, {flagged:,} of them flagged ",
        end="",
    )
    print("(" + ", ".join(f"{counts.get(split, 0):,} {split}" for split in ("train", "val", "test")) + ").")
    if skipped := data.info["counts"]["skipped"]:
        print(f"{skipped:,} files could not be used; the reason for each is in {data.folder / 'skipped.csv'}.")
    print(f"A study on them: colorlib study photos --data {data.folder}")
    return 0


def study(options: argparse.Namespace) -> int:
    from colorlib.studies.engine import run_study

    pictures = options.pictures.split(",") if options.pictures else None
    well = run_study(_study_file(options.study), options.data, options.name, options.jobs, pictures, options.out)
    return 0 if well else 1


def _study_file(name: str) -> Path:
    by_name = Path("notebooks/studies") / f"{name}.yml"
    return Path(name) if Path(name).suffix in (".yml", ".yaml") else by_name


def report(options: argparse.Namespace) -> int:
    from colorlib.studies.engine import make_report

    print(f"The report: {make_report(_study_folder(options.study), options.out).resolve()}")
    return 0


def _study_folder(name: str) -> Path:
    return Path(name) if (Path(name) / "study.json").exists() else Path("runs") / name


def judge(options: argparse.Namespace) -> int:
    from colorlib.data import open_dataset
    from colorlib.runs.exchange import judge_pictures
    from colorlib.studies.study import read_study

    folder = _study_folder(options.study)
    data = open_dataset(options.data or read_study(folder)["data"]["folder"])
    run = judge_pictures(options.folder, data, folder / f"judged-{options.name}", options.name, options.split)
    scores = run.per_image.mean(numeric_only=True)
    shown = [name for name in ("delta_e_2000", "delta_e_76", "psnr_rgb_db") if name in scores]
    print(f"{options.name}: " + ", ".join(f"{name} {scores[name]:.2f}" for name in shown) + f" ({run.folder})")
    print(f"To have it beside the others: colorlib report {options.study}")
    return 0


def colorize(options: argparse.Namespace) -> int:
    from PIL import Image

    from colorlib.deployment.batch import colorize_files
    from colorlib.deployment.colorizer import parse_hint
    from colorlib.deployment.film import FILM_ENDINGS
    from colorlib.deployment.loading import load_colorizer
    from colorlib.machine import use_threads
    from colorlib.pictures.picture import MAX_PIXELS

    use_threads()
    hints = [parse_hint(text) for text in options.hint]
    max_pixels = MAX_PIXELS
    if options.max_megapixels:
        max_pixels = options.max_megapixels * 1_000_000
        Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit gives way to ours
    films, photographs = [], []
    for source in map(Path, options.photographs):
        is_film = options.film if source.is_dir() else source.suffix.lower() in FILM_ENDINGS
        (films if is_film else photographs).append(source)
    if films and (hints or options.compare):
        raise ValueError(f"{'hints are' if hints else '--compare is'} for photographs, and {films[0]} is a film.")
    colorizer = load_colorizer(options.model)
    well = _colorize_films(colorizer, films, options)
    if not photographs:
        return 0 if well else 1
    outcome = colorize_files(
        colorizer,
        photographs,
        options.out,
        temperature=options.temperature,
        saturation=options.saturation,
        hints=hints,
        force=options.force,
        compare=options.compare,
        resume=options.resume,
        max_pixels=max_pixels,
    )
    for source, note in outcome.notes:
        print(f"{source}: {note}")
    for _, reason in outcome.failed:
        print(f"colorlib: {reason}", file=sys.stderr)
    there = f", {len(outcome.there):,} were there already" if outcome.there else ""
    failed = f", {len(outcome.failed):,} were passed over" if outcome.failed else ""
    print(f"{options.out}: {len(outcome.done):,} coloured{there}{failed}.")
    return 1 if outcome.failed or not well else 0


def _colorize_films(colorizer: Any, films: list[Path], options: argparse.Namespace) -> bool:
    """Colour one film after the other and say whether all went well; one that cannot be read is passed over."""
    from colorlib.deployment.film import colorize_film, plan_films

    well = True
    for source, target in plan_films(films, options.out):
        try:
            outcome = colorize_film(
                colorizer,
                source,
                target,
                temperature=options.temperature,
                saturation=options.saturation,
                force=options.force,
                resume=options.resume,
            )
        except ValueError as error:
            if len(films) == len(options.photographs) == 1:
                raise
            print(f"colorlib: {error}", file=sys.stderr)
            well = False
            continue
        for note in outcome.notes:
            print(f"{source}: {note}")
        for _, reason in outcome.failed:
            print(f"colorlib: {reason}", file=sys.stderr)
        well &= not outcome.failed
        before = f", {outcome.resumed_at:,} of them by an earlier run" if outcome.resumed_at else ""
        done = f"{outcome.frames:,} frames coloured{before}" if outcome.frames else "it was there already"
        print(f"{outcome.target}: {done}.")
    return well


def show_list(options: argparse.Namespace) -> int:
    for kind in [options.kind] if options.kind else _LISTS:
        print(f"{kind}:")
        entries = _descriptions(kind)
        width = max(map(len, entries), default=0)
        for name, about in entries.items():
            print(f"  {name:{width}}  {about}")
    return 0


def _descriptions(kind: str) -> dict[str, str]:
    if kind == "data":
        from colorlib.data import DATASETS

        return {name: f"{dataset.about} Licence: {dataset.licence}" for name, dataset in DATASETS.items()}
    if kind == "metrics":
        from colorlib.metrics import METRICS

        better = {True: "higher is better", False: "lower is better", None: "neither is better"}
        return {
            name: f"{metric.about} [{metric.unit or 'no unit'}, {better[metric.higher_is_better]}]"
            for name, metric in METRICS.items()
        }
    if kind == "models":
        from colorlib.models import MODELS

        return _first_lines(MODELS)
    if kind == "colorizers":
        from colorlib.deployment.loading import shipped_models

        return {name: recipe.about for name, recipe in shipped_models().items()}
    if kind == "objectives":
        from colorlib.objectives import OBJECTIVES, SUMS, describe_objective

        return _first_lines(OBJECTIVES) | {name: describe_objective(terms) for name, terms in SUMS.items()}
    from colorlib.runs.baselines import BASELINES, ORACLES

    return _first_lines({**BASELINES, **ORACLES})


def _first_lines(registry: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: getattr(value, "about", None) or (value.__doc__ or "").strip().partition("\n")[0]
        for name, value in registry.items()
    }


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; each command's function is its default ``run``."""
    parser = argparse.ArgumentParser(
        prog="colorlib",
        description="A study of image colorization: from photographs to a report that compares networks and losses.",
        epilog="examples:\n"
        "  colorlib study quick                            the quick study on embedded data\n"
        "  colorlib prepare holidays.zip --size 64 --out data/holidays\n"
        "  colorlib study photos --data data/holidays      the same comparison on your photographs\n"
        "  colorlib list models                            what can be named in a study\n"
        "  colorlib colorize old/ --out coloured           your black-and-white photographs in colour\n"
        "\n`colorlib COMMAND --help` says more about each command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(run: Any, name: str, about: str, examples: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=about.partition("\n\n")[0].rstrip("."),
            description=about,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command(
        prepare,
        "prepare",
        "Turn a folder or archive of photographs into a data set to study.\n\n"
        "Each photograph's short side is resized to --size and the centre is cut out. Files that cannot be read are\n"
        "skipped and listed; grey ones and duplicates are flagged and left out of training. When it is interrupted,\n"
        "the same command goes on.",
        "  colorlib prepare ~/Pictures --out data/mine\n  colorlib prepare holidays.zip --size 64 --out data/holidays",
    )
    sub.add_argument("source", metavar="FOLDER_OR_ARCHIVE", help="a folder with any subfolders, a zip or a tar")
    sub.add_argument("--out", required=True, metavar="FOLDER", help="the new data set, for example data/mine")
    sub.add_argument("--size", type=_count, default=224, help="side in pixels (default 224; 64 trains on a laptop)")
    sub.add_argument("--workers", type=_count, help="processes (default: one for each processor)")

    sub = command(
        study,
        "study",
        "Run a study and write its report.\n\n"
        "A study is a YAML file of rows, each a notebook with parameters. Rows that are done and unchanged are not\n"
        "run again; when a study is interrupted, the same command goes on. A row that fails keeps its notebook, the\n"
        "others go on, and the exit status is 1. Runs go to runs/NAME, the report to reports/NAME.",
        "  colorlib study quick\n"
        "  colorlib study photos --data data/mine --jobs 2\n"
        "  colorlib study kaggle --data ~/Downloads/archive.zip\n"
        "  colorlib study notebooks/studies/my.yml --data ~/Pictures --name pictures --pictures bundled",
    )
    sub.add_argument("study", help="a name in notebooks/studies, or the path of a study file")
    sub.add_argument(
        "--data", help="in place of the study's own: a prepared folder, a Kaggle folder or zip, or any photographs"
    )
    sub.add_argument("--name", help="of the study's folders (default: the file's name, with the data's if --data)")
    sub.add_argument("--jobs", type=_count, help="rows at a time (default: one for each processor, or 1 with a GPU)")
    sub.add_argument("--pictures", metavar="KINDS", help="what the report may show: bundled, test, or bundled,test")
    sub.add_argument("--out", metavar="FOLDER", help="of the report (default: reports/NAME)")

    sub = command(
        show_list,
        "list",
        "List what can be named in a study, and the colorizers that ship.",
        "  colorlib list\n  colorlib list metrics",
    )
    sub.add_argument("kind", nargs="?", choices=_LISTS, help="only these")

    sub = command(
        export,
        "export",
        "Write the grey pictures of a data set, named by id, for another program to colour.\n\n"
        "`colorlib judge` then judges the coloured ones beside a study's own.",
        "  colorlib export data/mine --out grey",
    )
    sub.add_argument("data", help="a prepared folder or the name of a data set")
    sub.add_argument("--out", required=True, metavar="FOLDER", help="where the pictures go")
    sub.add_argument("--split", default="test", choices=("train", "val", "test"), help="which of them (default test)")

    sub = command(
        judge,
        "judge",
        "Judge pictures that any program coloured, beside the runs of a study.\n\n"
        "Pictures are matched by id, which is the file's name without its ending; missing and surplus ones are named.",
        "  colorlib judge coloured/ --name deoldify --study quick",
    )
    sub.add_argument("folder", metavar="FOLDER_OF_COLOURED_PICTURES", help="PNG files named as `colorlib export` does")
    sub.add_argument("--name", required=True, help="of the colorizer, for the table")
    sub.add_argument("--study", required=True, help="the study to set it beside: a name in runs/, or its folder")
    sub.add_argument("--data", help="the data set it coloured (default: the study's)")
    sub.add_argument("--split", default="test", choices=("train", "val", "test"), help="which of it (default test)")

    sub = command(
        colorize,
        "colorize",
        "Colour black-and-white photographs and films; no training and no download is needed.\n\n"
        "A photograph keeps its size, lightness, format (JPEG, PNG, TIFF, WebP; others become PNG), bits (8 or 16)\n"
        "and metadata. A file that cannot be read, or is in colour already, is named and passed over, and the exit\n"
        "status is 1. A source is never overwritten. `colorlib list colorizers` names the models that ship.\n\n"
        "A film (mp4, mkv, mov, webm, avi; others become mkv) keeps its size, timing, sound and subtitles, and its\n"
        "colours hold still from frame to frame; it needs `pip install 'colorlib[film]'`. With --film a folder is one\n"
        "film, its pictures the frames. When a film is interrupted, the same command goes on.",
        "  colorlib colorize grandmother.jpg --out coloured\n"
        "  colorlib colorize scans/ --out coloured --model faithful --compare --resume\n"
        "  colorlib colorize scans/ --out vivid --temperature 0.2 --saturation 1.2\n"
        "  colorlib colorize scans/ --out mine --model runs/notebooks/unet-l2\n"
        "  colorlib colorize harbour-1912.mp4 --out coloured\n"
        "  colorlib colorize frames/ --film --out coloured\n"
        "  colorlib colorize dress.png --out red --model siggraph17=siggraph17-df00044c.pth --hint '120,80,#a03020'",
    )
    sub.add_argument(
        "photographs", nargs="+", metavar="PHOTO_OR_FOLDER", help="photographs, films, or folders with subfolders"
    )
    sub.add_argument("--out", required=True, metavar="FOLDER", help="where the coloured ones go")
    sub.add_argument(
        "--model",
        default="vivid",
        metavar="NAME",
        help="a colorizer that ships (default vivid), a run folder, an exported file, or the weights that authors "
        "released: eccv16=FILE, siggraph17=FILE, ddcolor=FILE (or a web address)",
    )
    sub.add_argument("--temperature", type=float, help="for models that answer with odds: towards 0 more vivid")
    sub.add_argument("--saturation", type=float, default=1.0, help="multiplies chroma (default 1)")
    sub.add_argument(
        "--hint", action="append", default=[], metavar="X,Y,#RRGGBB", help="a colour at a pixel; repeat it"
    )
    sub.add_argument("--film", action="store_true", help="a folder is a film, and its pictures the frames")
    sub.add_argument("--compare", action="store_true", help="write NAME.jpg-compare.jpg, before and after, too")
    sub.add_argument("--force", action="store_true", help="colour what is in colour, too: its own is lost")
    sub.add_argument("--resume", action="store_true", help="pass over what is there already")
    sub.add_argument("--max-megapixels", type=_count, metavar="N", help="largest photograph to open (default 178)")

    sub = command(
        report,
        "report",
        "Write the report of a study again, from the runs that are there.",
        "  colorlib report quick\n  colorlib report runs/quick --out reports/draft",
    )
    sub.add_argument("study", help="a name in runs/, or the study's folder")
    sub.add_argument("--out", metavar="FOLDER", help="of the report (default: reports/NAME)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1 (rows failed), 2 (bad input) or 130 (Ctrl-C).

    What goes wrong is said in one sentence; with COLORLIB_TRACEBACK=1 in the environment the traceback is shown.
    """
    follow_parent()
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("\ncolorlib: stopped; what is done is kept. Run the same command to go on.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, TypeError, RuntimeError, MemoryError) as error:
        if os.environ.get("COLORLIB_TRACEBACK"):
            raise
        print(f"colorlib: {_sentence(error)}", file=sys.stderr)
        return 2


def _sentence(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "the memory is used up; try fewer --jobs, or a smaller size or batch."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return " ".join(str(error).split()) or type(error).__name__
