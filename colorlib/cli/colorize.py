"""``colorlib colorize``: photographs and films in colour."""

import argparse
import sys
from pathlib import Path
from typing import Any

from colorlib.cli.command import Commands, add_command, count


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
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
        "  colorlib colorize scans/ --out vivid --model vivid --temperature 0.2 --saturation 1.2\n"
        "  colorlib colorize scans/ --out mine --model runs/notebooks/unet-l2\n"
        "  colorlib colorize harbour-1912.mp4 --out coloured\n"
        "  colorlib colorize frames/ --film --out coloured\n"
        "  colorlib colorize dress.png --out red --model siggraph17 --hint '120,80,#a03020'",
    )
    parser.add_argument(
        "photographs", nargs="+", metavar="PHOTO_OR_FOLDER", help="photographs, films, or folders with subfolders"
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where the coloured ones go")
    parser.add_argument(
        "--model",
        default="faithful",
        metavar="NAME",
        help="a colorizer that ships (default faithful), a run folder, an exported file, or a network with its "
        "authors' weights, which are fetched once: eccv16, siggraph17, ddcolor (or ddcolor=FILE and so on)",
    )
    parser.add_argument("--temperature", type=float, help="for models that answer with odds: towards 0 more vivid")
    parser.add_argument("--saturation", type=float, default=1.0, help="multiplies chroma (default 1)")
    parser.add_argument(
        "--hint", action="append", default=[], metavar="X,Y,#RRGGBB", help="a colour at a pixel; repeat it"
    )
    parser.add_argument("--film", action="store_true", help="a folder is a film, and its pictures the frames")
    parser.add_argument("--compare", action="store_true", help="write NAME.jpg-compare.jpg, before and after, too")
    parser.add_argument("--force", action="store_true", help="colour what is in colour, too: its own is lost")
    parser.add_argument("--resume", action="store_true", help="pass over what is there already")
    parser.add_argument("--max-megapixels", type=count, metavar="N", help="largest photograph to open (default 178)")


def run(options: argparse.Namespace) -> int:
    from colorlib.deployment.batch import colorize_files
    from colorlib.deployment.colorizer import parse_hint
    from colorlib.deployment.film import FILM_ENDINGS
    from colorlib.deployment.loading import load_colorizer
    from colorlib.machine import use_threads
    from colorlib.pictures.reading import MAX_PIXELS

    use_threads()
    hints = [parse_hint(text) for text in options.hint]
    max_pixels = options.max_megapixels * 1_000_000 if options.max_megapixels else MAX_PIXELS
    films: list[Path] = []
    photographs: list[Path] = []
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
