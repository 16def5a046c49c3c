"""The frames of a film, coloured in order and held steady, or read from a folder."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.enlarging import ColorField
from colorlib.deployment.places import Job, free_place, is_ours, key, plan, results_at, with_ending
from colorlib.deployment.steadiness import steady
from colorlib.pictures.mark import Mark, read_mark
from colorlib.pictures.picture import Picture
from colorlib.pictures.reading import read_picture
from colorlib.pictures.tone import TONED, tone_of
from colorlib.pictures.writing import write_picture

BATCH = 8  # frames that go through the network at once
LOOKS = 9  # frames, spread over a film, that tell whether it is in colour already


@dataclass
class FilmOutcome:
    """What became of a film.

    Attributes:
        target: the file, or the folder of frames.
        frames: how many it has; 0 when it was there already.
        resumed_at: how many of them an earlier run had coloured.
        failed: (frame of a folder, reason in one sentence).
        notes: sentences about what was done to it or could not be kept.
    """

    target: Path
    frames: int = 0
    resumed_at: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _segment(work: Path, number: int) -> Path:
    return work / f"{number:06}.mkv"


class _Painter:
    """Colours pictures that follow one another.

    Attributes:
        memory: of :func:`steady`, after the last one.
    """

    def __init__(
        self, colorizer: PhotoColorizer, temperature: float | None, saturation: float, memory: Tensor | None, bar: tqdm
    ) -> None:
        self.colorizer, self.temperature, self.saturation = colorizer, temperature, saturation
        self.memory, self.bar = memory, bar

    def paint(self, pictures: Iterable[Picture]) -> Iterator[tuple[Picture, Iterator[np.ndarray]]]:
        """Yield each picture with its strips in colour."""
        pictures = iter(pictures)
        while batch := list(islice(pictures, BATCH)):
            for _, group in groupby(batch, key=lambda picture: picture.size):
                alike = list(group)
                L = torch.cat([self.colorizer.small_copy(picture)[:, :1] for picture in alike])
                ab, self.memory = steady(L, self.colorizer(L, None, self.temperature), self.memory)
                for picture, small, colors in zip(alike, L.split(1), ab.split(1), strict=True):
                    field = ColorField(small, colors, picture.size)
                    yield picture, self.colorizer.paint(picture, field, self.saturation)
                    self.bar.update()


def _check_tone(
    source: Path, pictures: list[Picture], colorizer: PhotoColorizer, force: bool, outcome: FilmOutcome
) -> bool:
    """Refuse a film in colour, by some of its frames; say whether all of them are grey."""
    tones = [tone_of(colorizer.small_copy(picture)) for picture in pictures]
    colored = tones.count("colour")
    if 2 * colored >= len(tones) and not force:
        raise ValueError(f"{source} is in colour already ({colored} of {len(tones)} frames); --force colours it anew.")
    if colored:
        outcome.notes.append(f"{colored} of {len(tones)} frames looked at are in colour; theirs is lost.")
    elif "toned" in tones:
        outcome.notes.append(TONED)
    return all(tone == "grey" for tone in tones)


def _by_number(path: Path) -> list[Any]:
    """Sort ``frame10`` behind ``frame9``."""
    return [int(part) if part.isdigit() else part.casefold() for part in re.split(r"(\d+)", path.as_posix())]


class _Folder:
    """A film whose frames are pictures; its "times" are their places in the order."""

    segment = BATCH  # what is done is there to be seen, so little need be done again
    errors = ()

    def __init__(self, source: Path, target: Path, outcome: FilmOutcome, mark: Mark) -> None:
        self.source, self.outcome, self.mark = source, outcome, mark
        self.jobs = sorted(plan([source], target).jobs, key=lambda job: _by_number(job.source))
        self.taken = {key(job.source) for job in self.jobs}
        self.count = len(self.jobs)

    def is_there(self) -> bool:
        """Whether the result of every frame is there, by the same settings, and none is older than its frame."""
        return all(
            any(self._is_result(job, place) for place in results_at(job.target, self.taken)) for job in self.jobs
        )

    def _is_result(self, job: Job, place: Path) -> bool:
        return read_mark(place) == self.mark and is_newer(place, job.source)

    def identity(self) -> str:
        return _digest([(str(job.source.relative_to(self.source)), *_stamp(job.source)) for job in self.jobs])

    def look(self, colorizer: PhotoColorizer, force: bool) -> None:
        pictures = []
        for job in self.jobs[:: math.ceil(self.count / LOOKS)]:
            try:
                pictures.append(read_picture(job.source))
            except ValueError:
                continue  # it is named when its turn comes
        if not pictures:
            raise ValueError(f"no frame of {self.source} can be read.")
        _check_tone(self.source, pictures, colorizer, force, self.outcome)

    def frames(self, start: int) -> Iterator:
        return iter(enumerate(self.jobs[start:], start))

    def write(self, path: Path, frames: Iterable, painter: _Painter) -> list[int]:
        times, targets, pictures = [], [], []
        for index, job in frames:
            times.append(index)
            try:
                pictures.append(read_picture(job.source))
                targets.append(job.target)
            except (ValueError, OSError) as error:
                self.outcome.failed.append((job.source, str(error)))
        for target, (picture, strips) in zip(targets, painter.paint(pictures), strict=True):
            place = free_place(with_ending(target, picture.format), self.taken, is_ours)
            write_picture(place, strips, picture, self.mark)
        return times

    def segments(self, work: Path, state: dict[str, Tensor]) -> list[Path]:
        """Return nothing: the frames are where they belong."""
        return []

    def finish(self, work: Path, state: dict[str, Tensor]) -> None:
        """Do nothing: the frames are where they belong."""


def is_newer(result: Path, source: Path) -> bool:
    """Whether a result was made after the last change of its source."""
    return result.stat().st_mtime >= source.stat().st_mtime


def _digest(what: list) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns
