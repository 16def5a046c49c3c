"""``colorlib colorize``: photographs and films in colour."""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Iterable
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
        "and metadata, which say that a machine coloured it. Without --out, photo-coloured.jpg is written beside\n"
        "photo.jpg, and scans-coloured/ beside scans/. Only results of earlier runs are replaced: where another file\n"
        "lies, the result gets another name. What cannot be coloured, or is in colour already, is named and passed\n"
        "over, and the exit status is 1. `colorlib list colorizers` names the models that ship.\n\n"
        "A film (mp4, mkv, mov, webm, avi; others become mkv) keeps its size, timing, sound and subtitles, and its\n"
        "colours hold still from frame to frame; what it loses is said. Most players show it; with --archive it is\n"
        "written as FFV1, which loses nothing. It needs `pip install 'colorlib[film]'`. With --film a folder is one\n"
        "film, its pictures the frames. When a film is interrupted, the same command goes on.",
        "  colorlib colorize grandmother.jpg\n"
        "  colorlib colorize scans/ album.zip --out coloured --model vivid --compare --resume\n"
        "  colorlib colorize scans/ --out vivid --model vivid --temperature 0.2 --saturation 1.2\n"
        "  colorlib colorize scans/ --out mine --model runs/notebooks/unet-l2\n"
        "  colorlib colorize harbour-1912.mp4\n"
        "  colorlib colorize frames/ --film --out coloured\n"
        "  colorlib colorize dress.png --out red --model siggraph17 --hint '120,80,#a03020'",
    )
    parser.add_argument(
        "photographs",
        nargs="+",
        metavar="PHOTO_OR_FOLDER",
        help="photographs, films, folders with subfolders, or zips of photographs",
    )
    parser.add_argument("--out", metavar="FOLDER", help="where the coloured ones go (default: beside the originals)")
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
    parser.add_argument("--archive", action="store_true", help="write films as FFV1 in mkv: nothing is lost, but large")
    parser.add_argument("--compare", action="store_true", help="write NAME.jpg-compare.jpg, before and after, too")
    parser.add_argument("--mark", action="store_true", help="write `coloured by a machine` small into a corner")
    parser.add_argument("--force", action="store_true", help="colour what is in colour, too: its own is lost")
    parser.add_argument(
        "--resume", action="store_true", help="pass over what is there already, of the same model and settings"
    )
    parser.add_argument("--max-megapixels", type=count, metavar="N", help="largest photograph to open (default 178)")
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--quiet", action="store_true", help="say only what went wrong")
    said.add_argument(
        "--json", action="store_true", help="one line of JSON a file: source, result, notes, seconds, error"
    )


def run(options: argparse.Namespace) -> int:
    from colorlib.deployment.containers import FILM_ENDINGS
    from colorlib.deployment.places import plan
    from colorlib.pictures.bounded import start_child
    from colorlib.pictures.kinds import in_words
    from colorlib.pictures.reading import MAX_PIXELS

    films: list[Path] = []
    photographs: list[Path] = []
    for source in map(Path, options.photographs):
        is_film = options.film if source.is_dir() else source.suffix.lower() in FILM_ENDINGS
        (films if is_film else photographs).append(source)
    for wish in ("hint", "compare", "mark"):
        if films and getattr(options, wish):
            raise ValueError(f"--{wish} is for photographs, and {films[0]} is a film.")
    planned = plan(photographs, options.out, options.force) if photographs else None
    if planned:
        start_child()  # it makes itself ready while this process imports torch
    gc.disable()  # no module that is imported here is ever garbage, and looking for it takes a sixth of the time
    from colorlib.deployment.batch import Settings, colorize_jobs
    from colorlib.deployment.hints import parse_hint
    from colorlib.deployment.loading import load_colorizer
    from colorlib.machine import use_threads

    gc.enable()
    use_threads()
    settings = Settings(
        options.temperature,
        options.saturation,
        tuple(parse_hint(text) for text in options.hint),
        options.force,
        options.compare,
        options.resume,
        options.mark,
        options.max_megapixels * 1_000_000 if options.max_megapixels else MAX_PIXELS,
    )
    colorizer = load_colorizer(options.model)
    well = _colorize_films(colorizer, films, options) if films else True
    if not planned:
        return 0 if well else 1
    if planned.ignored:
        films_wait = " A film is coloured when it is named itself." if planned.ignored["film"] else ""
        _say(options, f"Left out: {in_words(planned.ignored)}.{films_wait}")
    done, there, failed = [], 0, 0
    results = colorize_jobs(colorizer, planned, settings)
    with _bar(len(planned.jobs), options) as bar:
        for result in results:
            _tell(options, result.source, result.target, result.notes, result.seconds, result.error)
            failed += result.error is not None
            there += result.was_there
            if result.target and not result.was_there:
                done.append(result.target)
            bar.update()
    where = options.out or (done[0] if len(done) == 1 else "beside the originals")
    earlier = f", {there:,} there already" if there else ""
    passed = f", {failed:,} passed over" if failed else ""
    _say(options, f"{where}: {len(done):,} coloured{earlier}{passed}.")
    return 1 if failed or not well else 0


def _bar(total: int, options: argparse.Namespace) -> Any:
    from colorlib.bars import progress_bar

    silent = total == 1 or options.quiet or options.json
    return progress_bar(total=total, desc="colouring", unit="photo", disable=silent)


def _say(options: argparse.Namespace, sentence: str) -> None:
    if not options.quiet:
        print(sentence, file=sys.stderr if options.json else sys.stdout)


def _tell(
    options: argparse.Namespace,
    source: Path,
    result: Path | None,
    notes: Iterable[str],
    seconds: float,
    error: str | None = None,
) -> None:
    """Say what became of a file, at once: a line of JSON, or its notes and what went wrong."""
    from tqdm import tqdm

    if options.json:
        line = {"source": str(source), "result": None if result is None else str(result), "notes": list(notes)}
        print(json.dumps(line | {"seconds": round(seconds, 3), "error": error}), flush=True)
        return
    if error:
        tqdm.write(f"colorlib: {error}", file=sys.stderr)
    if not options.quiet:
        for note in notes:
            tqdm.write(f"{source}: {note}")


def _colorize_films(colorizer: Any, films: list[Path], options: argparse.Namespace) -> bool:
    """Colour one film after the other and say whether all went well; one that cannot be read is passed over."""
    from colorlib.deployment.containers import pyav
    from colorlib.deployment.film import colorize_film, plan_films
    from colorlib.deployment.places import sentence

    if not all(film.is_dir() for film in films):
        pyav()  # without it no film can be coloured, which is said once
    well = True
    for source, target, _ in plan_films(films, options.out, options.archive):
        began = time.perf_counter()
        try:
            outcome = colorize_film(
                colorizer,
                source,
                target,
                temperature=options.temperature,
                saturation=options.saturation,
                archive=options.archive,
                force=options.force,
                resume=options.resume,
                quiet=options.quiet or options.json,
            )
        except OSError:  # no result can be written any more
            raise
        except Exception as error:  # decoders and encoders raise nearly anything
            alone = len(films) == len(options.photographs) == 1 and not options.json
            if os.environ.get("COLORLIB_TRACEBACK") or (alone and isinstance(error, ValueError)):
                raise
            _tell(options, source, None, [], time.perf_counter() - began, sentence(error, source))
            well = False
            continue
        _tell(options, source, outcome.target, outcome.notes, time.perf_counter() - began)
        for frame, reason in outcome.failed:
            _tell(options, frame, None, [], 0, reason)
        well &= not outcome.failed
        before = f", {outcome.resumed_at:,} of them by an earlier run" if outcome.resumed_at else ""
        done = f"{outcome.frames:,} frames coloured{before}" if outcome.frames else "it was there already"
        _say(options, f"{outcome.target}: {done}.")
    return well
