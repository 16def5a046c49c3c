"""A black-and-white film in, a film in colour out: steady from frame to frame, with its sound and its timing.

The network colours the small copies of the frames, :mod:`colorlib.deployment.steadiness` holds their colours still,
and each frame is painted as a photograph is. Only one earlier frame is remembered, so a film may be of any length.

Films are worked on in segments, each written whole into a hidden folder beside the result together with what is
remembered at its end. A killed run goes on from there, and gives the same film as one that was left alone.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from functools import partial
from itertools import chain, islice
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

import colorlib
from colorlib.bars import progress_bar
from colorlib.deployment.colorizer import PhotoColorizer, check_saturation
from colorlib.deployment.containers import CONTAINERS, FILM_ENDINGS, decode_through, pyav
from colorlib.deployment.frames import FilmOutcome, _Folder, _Painter, _segment
from colorlib.deployment.muxing import read_film_mark
from colorlib.deployment.places import DISK_ERRORS, NAME_BYTES, Job, beside, free_place, key
from colorlib.deployment.video import _Video
from colorlib.files import atomic_path, exclusive, write_json
from colorlib.pictures.bounded import call_bounded
from colorlib.pictures.listing import printable
from colorlib.pictures.mark import Mark

_VERSION = 2  # of the hidden folder's layout
TRIED_SECONDS = 60.0  # for every megabyte of a film, and for ten more: only work without end takes so long
TRIED_MEMORY = 4 << 30  # bytes
_BEGUN, _STATE = "film.json", "state.safetensors"


def plan_films(sources: Iterable[Path | str], out: Path | str | None = None, archive: bool = False) -> list[Job]:
    """Give each film a place: its own name below ``out``, or one beside it, with an ending that is written.

    Args:
        archive: all are written as Matroska.

    Raises:
        FileNotFoundError: there is no such film.
    """
    films = list({os.path.abspath(source): Path(source) for source in sources}.values())  # each once
    for source in films:
        if not source.exists():
            raise FileNotFoundError(f"there is no film {source}.")
    taken, jobs = {key(source) for source in films}, []
    for source in films:
        wanted = beside(source) if out is None else Path(out) / Path(os.path.abspath(source)).name
        if not source.is_dir() and (archive or wanted.suffix.lower() not in CONTAINERS):
            stem = wanted.stem if wanted.suffix.lower() in FILM_ENDINGS else wanted.name
            wanted = wanted.with_name(f"{stem}.mkv")
        replaced = partial(is_our_film, frames=source.is_dir())
        jobs.append(Job(source, free_place(wanted, taken, replaced)))
    return jobs


def is_our_film(place: Path, frames: bool = False) -> bool:
    """Tell a coloured film by its mark; in a folder of ``frames`` each file is looked at when it is written."""
    return not place.is_symlink() and (place.is_dir() if frames else read_film_mark(place) is not None)


def colorize_film(
    colorizer: PhotoColorizer,
    source: Path | str,
    target: Path | str,
    *,
    temperature: float | None = None,
    saturation: float = 1.0,
    archive: bool = False,
    force: bool = False,
    resume: bool = False,
    quiet: bool = False,
) -> FilmOutcome:
    """Colour a video file, or a folder whose pictures are the frames of a film in the order of their numbers.

    A video keeps its size, the times of its frames, sound, subtitles, attachments, chapters and titles, and what its
    result does not have is said. It is turned upright, made of whole frames, and encoded anew with 8 bits (H.264; VP9
    in WebM, MPEG-4 in AVI). A frame of a folder is written as a photograph is. An unfinished film goes on where it was
    when it is coloured with the same settings.

    Args:
        colorizer: of :func:`colorlib.deployment.load_colorizer`.
        source, target: both files (an ending of ``CONTAINERS`` for the target), or both folders.
        temperature, saturation: see :meth:`PhotoColorizer.colorize`.
        archive: write FFV1 in Matroska, which loses nothing, with 12 or 16 bits where the film has more than 8.
        force: colour a film that is in colour already, too.
        resume: pass over a film whose result is there, of the same model and settings, and is not older.
        quiet: show no bar.

    Raises:
        FileNotFoundError: there is no such film.
        ValueError: this film cannot be coloured, the reason in one sentence: no film, one without frames, one in
            colour; a setting that the model does not take; an unfinished film of other settings beside the target; a
            file at the target that is no coloured film; another process at work on it; FFmpeg fails. Segments that
            are done are kept.
        RuntimeError: PyAV is not installed.
        OSError: the disk is full or may not be written to; the segments that are done are kept.

    Example:
        >>> colorize_film(load_colorizer("vivid"), "harbour-1912.mp4", "coloured/harbour-1912.mp4")  # doctest: +SKIP
    """
    source, target = Path(source), Path(target)
    colorizer.check(temperature)
    check_saturation(saturation)
    if not source.exists():
        raise FileNotFoundError(f"there is no film {source}.")
    if target.resolve() == source.resolve():
        raise ValueError(f"{target} is the film itself; name another place for the coloured one.")
    if os.path.lexists(target) and not is_our_film(target, source.is_dir()):
        raise ValueError(f"{target} is there already and is no film that was coloured here; name another place.")
    outcome = FilmOutcome(target)
    temperature = colorizer.temperature if temperature is None else temperature
    settings = {"model": colorizer.digest, "temperature": temperature, "saturation": saturation, "archive": archive}
    mark = Mark(colorizer.name, colorlib.__version__, hashlib.sha256(repr(settings).encode()).hexdigest()[:12])
    folder = source.is_dir()
    if not folder and not (resume and target.exists()):
        _try(source)
    film = _Folder(source, target, outcome, mark) if folder else _Video(source, target, outcome, mark, archive)
    work = _work_folder(target)
    if resume and film.is_there() and not (work / _BEGUN).exists():
        shutil.rmtree(work, ignore_errors=True)  # left by a run that was ended while it cleared up
        return outcome
    try:
        film.look(colorizer, force)
        with exclusive(work, "film"):
            state = _begin(film, work, {"format": _VERSION, "film": film.identity(), **settings})
            outcome.resumed_at = outcome.frames = len(state["times"])
            name = printable(f"colouring {source.name}")
            with progress_bar(total=film.count, initial=outcome.frames, desc=name, unit="frame", disable=quiet) as bar:
                _colorize(film, work, state, _Painter(colorizer, temperature, saturation, state.get("memory"), bar))
            film.finish(work, state)
            _clear(work)
            shutil.rmtree(work)
    except (OSError, MemoryError, RuntimeError, *film.errors) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        kept = f": {outcome.frames:,} frames are done and kept; the same command goes on" if outcome.frames else ""
        sentence = f"{source} cannot be coloured into {target} ({reason.rstrip('.')}){kept}."
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            raise OSError(sentence) from error
        raise ValueError(sentence) from error
    return outcome


def _colorize(film: _Folder | _Video, work: Path, state: dict[str, Tensor], painter: _Painter) -> None:
    """Colour what is left of a film, segment by segment."""
    frames = film.frames(len(state["times"]))
    while first := list(islice(frames, 1)):
        number = int(state["segments"])
        times = film.write(_segment(work, number), chain(first, islice(frames, film.segment - 1)), painter)
        state["times"] = torch.cat([state["times"], torch.tensor(times)])
        state["segments"] = torch.tensor(number + 1)
        if painter.memory is not None:
            state["memory"] = painter.memory.contiguous()
        with atomic_path(work / _STATE) as temporary:
            temporary.write_bytes(save(state))
        film.outcome.frames = len(state["times"])


def _work_folder(target: Path) -> Path:
    name = f".{target.name}.unfinished"
    if len(os.fsencode(name)) > NAME_BYTES:
        name = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()}.unfinished"
    return target.with_name(name)


def _try(source: Path) -> None:
    """Decode a film once in a process that can be ended, before this one believes it."""
    pyav()
    if not source.is_file():
        return  # whoever opens it says so
    seconds = TRIED_SECONDS * (10 + source.stat().st_size / 1e6)
    try:
        call_bounded(decode_through, source, seconds=seconds, memory=TRIED_MEMORY)
    except ValueError as error:
        named = str(error).startswith(str(source))
        raise ValueError(str(error) if named else f"{source} cannot be read: {str(error).rstrip('.')}.") from None


def _begin(film: _Folder | _Video, work: Path, settings: dict) -> dict[str, Tensor]:
    """Return what is done: how many segments, the times of their frames, and the memory after the last.

    A run that was ended in the midst may leave an empty file or a part of what it was clearing; all begins anew then.
    """
    begun = _begun(work)
    if begun and begun != settings:
        raise ValueError(
            f"{work} holds this film half done, with another model or setting, or the film has changed since; "
            "finish it as it was begun, or delete that folder."
        )
    state = _state(film, work) if begun else None
    if state is None:
        if any(work.glob("*.mkv")):
            film.outcome.notes.append("What an earlier run had done of it cannot be read; it was begun anew.")
        _clear(work)
        write_json(work / _BEGUN, settings)
        state = _nothing()
    return state


def _begun(work: Path) -> dict | None:
    try:
        begun = json.loads((work / _BEGUN).read_text(encoding="utf-8"))
        return begun if begun["format"] == _VERSION else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _nothing() -> dict[str, Tensor]:
    return {"segments": torch.tensor(0), "times": torch.zeros(0, dtype=torch.int64)}


def _state(film: _Folder | _Video, work: Path) -> dict[str, Tensor] | None:
    if not (work / _STATE).exists():
        return _nothing()
    try:
        state = load_file(work / _STATE)
        whole = all(path.exists() for path in film.segments(work, state))
        return state if whole and "times" in state else None
    except (OSError, SafetensorError, KeyError):
        return None


def _clear(work: Path) -> None:
    """Take all away but the lock, and first what says that something is begun."""
    (work / _BEGUN).unlink(missing_ok=True)
    for path in work.iterdir():
        if path.name != ".lock":
            path.unlink()
