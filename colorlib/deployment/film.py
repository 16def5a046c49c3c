"""A black-and-white film in, a film in colour out: steady from frame to frame, with its sound and its timing.

The network colours the small copies of the frames, :mod:`colorlib.deployment.steadiness` holds their colours still,
and each frame is painted as a photograph is. Only one earlier frame is remembered, so a film may be of any length.

Films are worked on in segments, each written whole into a hidden folder beside the result together with what is
remembered at its end. A killed run goes on from there, and gives the same film as one that was left alone.
"""

import shutil
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from tqdm import tqdm

from colorlib.deployment.colorizer import PhotoColorizer, check_saturation
from colorlib.deployment.frames import FilmOutcome, _Folder, _Painter, _segment
from colorlib.deployment.places import Job, beside, free_place, key
from colorlib.deployment.video import CONTAINERS, _Video
from colorlib.files import atomic_path, exclusive, read_versioned, write_json

FILM_ENDINGS = {*CONTAINERS, ".mpg", ".mpeg", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv", ".3gp"}
FILM_ENDINGS |= {".mxf", ".dv", ".asf", ".divx"}
_VERSION = 1  # of the hidden folder's layout


def plan_films(sources: Iterable[Path | str], out: Path | str | None = None) -> list[Job]:
    """Give each film a place: its own name below ``out``, or one beside it, with an ending that is written.

    Raises:
        FileNotFoundError: there is no such film.
    """
    films = [Path(source) for source in sources]
    for source in films:
        if not source.exists():
            raise FileNotFoundError(f"there is no film {source}.")
    taken, jobs = {key(source) for source in films}, []
    for source in films:
        target = beside(source) if out is None else Path(out) / source.resolve().name
        if not source.is_dir() and target.suffix.lower() not in CONTAINERS:
            target = target.with_suffix(".mkv")
        jobs.append(Job(source, free_place(target, taken, lambda place: True)))
    return jobs


def colorize_film(
    colorizer: PhotoColorizer,
    source: Path | str,
    target: Path | str,
    *,
    temperature: float | None = None,
    saturation: float = 1.0,
    force: bool = False,
    resume: bool = False,
) -> FilmOutcome:
    """Colour a video file, or a folder whose pictures are the frames of a film in the order of their numbers.

    A video keeps its size, the times of its frames, sound, subtitles, chapters and titles; it is turned upright and
    encoded anew (H.264; VP9 in WebM, MPEG-4 in AVI), in 10 bits where it had more than 8. A frame of a folder is
    written as a photograph is. An unfinished film goes on where it was when it is coloured with the same settings.

    Args:
        colorizer: of :func:`colorlib.deployment.load_colorizer`.
        source, target: both files (an ending of ``CONTAINERS`` for the target), or both folders.
        temperature, saturation: see :meth:`PhotoColorizer.colorize`.
        force: colour a film that is in colour already, too.
        resume: pass over a film whose result is there and is not older.

    Raises:
        FileNotFoundError: there is no such film.
        ValueError: no film, one without frames, one in colour; a setting that the model does not take; an unfinished
            film of other settings beside the target.
        RuntimeError: PyAV is not installed.
        BlockingIOError: another process is colouring this film.
        OSError: the disk is full or may not be written to, or FFmpeg fails; the segments that are done are kept.

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
    outcome = FilmOutcome(target)
    work = target.with_name(f".{target.name}.unfinished")
    film = _Folder(source, target, outcome) if source.is_dir() else _Video(source, target, outcome)
    if resume and not work.exists() and film.is_there():
        return outcome
    film.look(colorizer, force)
    settings = {"format": _VERSION, "film": film.identity(), "model": colorizer.digest}
    settings |= {"temperature": temperature, "saturation": saturation}
    with exclusive(work, "film"):
        _begin(work, settings)
        state = _read_state(work)
        outcome.resumed_at = outcome.frames = len(state["times"])
        frames = film.frames(outcome.frames)
        try:
            with tqdm(total=film.count, initial=outcome.frames, desc=f"colouring {source.name}", unit="frame") as bar:
                painter = _Painter(colorizer, temperature, saturation, state.get("memory"), bar)
                while first := list(islice(frames, 1)):
                    number = int(state["segments"])
                    times = film.write(_segment(work, number), chain(first, islice(frames, film.segment - 1)), painter)
                    state["times"] = torch.cat([state["times"], torch.tensor(times)])
                    state["segments"] = torch.tensor(number + 1)
                    if painter.memory is not None:
                        state["memory"] = painter.memory.contiguous()
                    with atomic_path(work / "state.safetensors") as temporary:
                        temporary.write_bytes(save(state))
                    outcome.frames += len(times)
            film.finish(work, state)
        except (OSError, *film.errors) as error:
            done = f"{outcome.frames:,} frames are done and kept; the same command goes on"
            raise OSError(f"{target} cannot be written ({error.strerror or error}): {done}.") from error
        shutil.rmtree(work)
    return outcome


def _begin(work: Path, settings: dict) -> None:
    path = work / "film.json"
    if path.exists() and read_versioned(path, _VERSION) != settings:
        raise ValueError(
            f"{work} holds this film half done, with another model or setting, or the film has changed since; "
            "finish it as it was begun, or delete that folder."
        )
    write_json(path, settings)


def _read_state(work: Path) -> dict[str, Tensor]:
    """Return what is done: how many segments, the times of their frames, and the memory after the last."""
    path = work / "state.safetensors"
    if path.exists():
        return load_file(path)
    return {"segments": torch.tensor(0), "times": torch.zeros(0, dtype=torch.int64)}
