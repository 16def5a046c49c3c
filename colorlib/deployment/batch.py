"""Photographs, folders and archives of them, coloured: one file never ends a batch."""

import errno
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import colorlib
from colorlib.color.lab import rgb_at_lightness
from colorlib.deployment.colorizer import PhotoColorizer, check_saturation
from colorlib.deployment.enlarging import ColorField
from colorlib.deployment.hints import Hint
from colorlib.deployment.places import (
    DISK_ERRORS,
    NAME_BYTES,
    Job,
    Plan,
    free_place,
    is_ours,
    key,
    plan,
    results_at,
    sentence,
    with_ending,
)
from colorlib.files import sha256
from colorlib.pictures.bounded import read_bounded
from colorlib.pictures.caption import caption
from colorlib.pictures.mark import Mark, read_mark
from colorlib.pictures.picture import Picture, to_8_bits
from colorlib.pictures.reading import MAX_PIXELS
from colorlib.pictures.shrinking import shrink, working_size
from colorlib.pictures.tone import TONED, tone_of
from colorlib.pictures.writing import write_picture

COMPARED_SIDE = 1200  # pixels, the longer side of each half of a comparison
WORDS = "coloured by a machine"  # of the visible mark


@dataclass(frozen=True)
class Settings:
    """How photographs are coloured.

    Attributes:
        temperature, saturation, hints: see :meth:`PhotoColorizer.colorize`; hints are for one photograph.
        force: colour those that are in colour already, too (their colours are lost).
        compare: write ``NAME.jpg-compare.jpg`` as well, before and after side by side, reduced.
        resume: pass over photographs whose result is there: of the same photograph, model and settings.
        mark: write :data:`WORDS` into the picture, small, in the lower right corner.
        max_pixels: larger photographs are refused.
    """

    temperature: float | None = None
    saturation: float = 1.0
    hints: tuple[Hint, ...] = ()
    force: bool = False
    compare: bool = False
    resume: bool = False
    mark: bool = False
    max_pixels: int = MAX_PIXELS


@dataclass
class Result:
    """What became of one photograph.

    Attributes:
        source: the photograph.
        target: its result; None where there is none.
        was_there: an earlier run made it.
        notes: what was done to it or could not be kept, in sentences.
        seconds: it took.
        error: why there is no result, in one sentence.
    """

    source: Path
    target: Path | None = None
    was_there: bool = False
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str | None = None


def colorize_files(
    colorizer: PhotoColorizer, sources: Iterable[Path | str], out: Path | str | None = None, **settings: Any
) -> list[Result]:
    """Colour photographs, folders and archives of them; see :func:`colorize_jobs`.

    Args:
        sources, out: see :func:`~colorlib.deployment.places.plan`.
        settings: of :class:`Settings`.
    """
    planned = plan(sources, out, settings.get("force", False))
    return list(colorize_jobs(colorizer, planned, Settings(**settings)))


def colorize_jobs(colorizer: PhotoColorizer, planned: Plan, settings: Settings) -> Iterator[Result]:
    """Colour one photograph after the other and say what became of it; each result is whole or not there.

    A result has its photograph's format, bits, profile and metadata, and a mark (:mod:`colorlib.pictures.mark`).
    Whatever goes wrong with a photograph is told in its result, and the next one follows.

    Args:
        colorizer: of :func:`~colorlib.deployment.loading.load_colorizer`.

    Returns:
        First what cannot be looked at, then every photograph in the order of the plan.

    Raises:
        ValueError: see :meth:`PhotoColorizer.check`; hints for several photographs.
        OSError: the disk is full, or the folder of the results may not be written to; what is done is whole.
    """
    if settings.hints and len(planned.jobs) > 1:
        raise ValueError(f"hints belong to one photograph; there are {len(planned.jobs)} to colour.")
    colorizer.check(settings.temperature, bool(settings.hints))
    check_saturation(settings.saturation)
    return _results(colorizer, planned, settings)


def _results(colorizer: PhotoColorizer, planned: Plan, settings: Settings) -> Iterator[Result]:
    yield from (Result(source, error=reason) for source, reason in planned.problems)
    taken = {key(job.source) for job in planned.jobs if job.member is None}
    for job in planned.jobs:
        began, result = time.perf_counter(), Result(job.source)
        try:
            _colorize(colorizer, job, settings, planned.out, taken, result)
        except OSError:  # from _write: no result can be written any more
            raise
        except Exception as error:  # decoders, encoders and networks raise nearly anything
            if os.environ.get("COLORLIB_TRACEBACK"):
                raise
            result.error = sentence(error, job.source)
        result.seconds = time.perf_counter() - began
        yield result


def _colorize(
    colorizer: PhotoColorizer, job: Job, settings: Settings, out: Path | None, taken: set[str], result: Result
) -> None:
    mark, picture = _read(colorizer, job, settings, taken)
    if isinstance(picture, Path):
        result.target, result.was_there = picture, True
        return
    small = colorizer.small_copy(picture)
    tone = tone_of(small)
    if tone == "colour" and not settings.force:
        raise ValueError(f"{job.source} is a colour photograph already; --force colours it anew.")
    if tone == "toned":
        picture.notes.append(TONED)
    colors = colorizer.colors(picture, small, settings.temperature, settings.hints)

    def write(wanted: Path, strips: Iterable[np.ndarray], like: Picture) -> Path:
        if settings.mark:
            try:
                strips = caption(strips, like.size, WORDS)
            except ValueError:
                picture.notes.append(f"It is too small for the words {WORDS!r}.")
        return _write(wanted, out, taken, strips, like, mark)

    wanted = with_ending(job.target, picture.format)
    target = write(wanted, colorizer.paint(picture, colors, settings.saturation), picture)
    if target != wanted:
        why = "too long" if len(os.fsencode(wanted.name)) > NAME_BYTES else "taken"
        picture.notes.append(f"The name {wanted.name} is {why}, so the result is {target}.")
    if settings.compare:
        pixels = _before_and_after(picture, colors, settings.saturation)
        write(_comparison(target), [pixels], Picture(pixels, format="JPEG"))
    result.target, result.notes = target, picture.notes


def _read(colorizer: PhotoColorizer, job: Job, settings: Settings, taken: set[str]) -> tuple[Mark, Picture | Path]:
    """Read a photograph; where its result is there already and is asked for, return the result's path."""
    try:
        content = job.source if job.member is None else job.member.open().read()
        mark = _mark(colorizer, content, settings)
        if settings.resume and (there := _find(job.target, mark, taken)):
            beside = _find(_comparison(there), mark, taken) if settings.compare else there
            if beside:
                taken |= {key(there), key(beside)}
                return mark, there
        return mark, read_bounded(content, settings.max_pixels)
    except OSError as error:
        raise ValueError(sentence(error, job.source)) from error


def _mark(colorizer: PhotoColorizer, content: Path | bytes, settings: Settings) -> Mark:
    """Return the mark of a result: its settings are a digest of the photograph and of all that decides its colours."""
    source = sha256(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
    temperature = colorizer.temperature if settings.temperature is None else settings.temperature
    what = (source, colorizer.digest, temperature, settings.saturation, settings.hints, settings.mark)
    return Mark(colorizer.name, colorlib.__version__, hashlib.sha256(repr(what).encode()).hexdigest()[:12])


def _find(wanted: Path, mark: Mark, taken: set[str]) -> Path | None:
    """Return the file that bears this very mark where it is wanted."""
    return next((place for place in results_at(wanted, taken) if is_ours(place) and read_mark(place) == mark), None)


def _comparison(target: Path) -> Path:
    return target.with_name(f"{target.name}-compare.jpg")


def _before_and_after(picture: Picture, colors: ColorField, saturation: float) -> np.ndarray:
    """Return the photograph in its own colours and in those of the network side by side, (h, w, 3) uint8."""
    size = working_size(picture.size, round(COMPARED_SIDE * min(picture.size) / max(picture.size)) or 1)
    lab = shrink(picture, size)
    ab = ColorField(colors.L, colors.ab, size).at(lab[:, :1], slice(None))
    gap = torch.ones(1, 3, size[0], max(2, size[1] // 100))
    halves = [rgb_at_lightness(lab[:, :1], lab[:, 1:]), gap, rgb_at_lightness(lab[:, :1], saturation * ab)]
    return to_8_bits(torch.cat(halves, 3))


def _write(
    wanted: Path, out: Path | None, taken: set[str], strips: Iterable[np.ndarray], like: Picture, mark: Mark
) -> Path:
    """Write a result where it is wanted, or near it; an OSError means that no other could be written either."""
    try:
        place = free_place(wanted, taken, is_ours)
        write_picture(place, strips, like, mark)
    except OSError as error:
        refused = error.errno in (errno.EACCES, errno.EPERM)
        if error.errno in DISK_ERRORS or (refused and out and not os.access(out, os.W_OK | os.X_OK)):
            raise OSError(error.errno, error.strerror, str(wanted)) from error  # which names no temporary file
        raise ValueError(f"{wanted} cannot be written: {error.strerror or error}.") from error
    return place
