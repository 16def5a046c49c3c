"""Photographs and folders of them, coloured into a folder."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from tqdm import tqdm

from colorlib.color.lab import rgb_at_lightness
from colorlib.deployment.colorizer import Hint, PhotoColorizer, check_saturation
from colorlib.deployment.enlarging import ColorField
from colorlib.files import atomic_path
from colorlib.pictures.formats import WRITTEN, WRITTEN_SUFFIXES
from colorlib.pictures.listing import list_photographs
from colorlib.pictures.picture import Picture, to_8_bits
from colorlib.pictures.reading import MAX_PIXELS, read_picture
from colorlib.pictures.shrinking import shrink, working_size
from colorlib.pictures.tone import TONED, tone_of
from colorlib.pictures.writing import write_picture

COMPARED_SIDE = 1200  # pixels, the longer side of each half of a comparison


class Job(NamedTuple):
    """One photograph to colour."""

    source: Path
    target: Path

    @property
    def is_done(self) -> bool:
        """Whether the result is there and not older than the source."""
        return self.target.exists() and self.target.stat().st_mtime >= self.source.stat().st_mtime


@dataclass
class Outcome:
    """What became of the photographs.

    Attributes:
        done: results that were written.
        there: results that were there already and were passed over.
        failed: (photograph, reason in one sentence).
        notes: (photograph, what was done to it or could not be kept).
    """

    done: list[Path] = field(default_factory=list)
    there: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[tuple[Path, str]] = field(default_factory=list)


def plan(sources: Iterable[Path | str], out: Path | str) -> list[Job]:
    """Give each photograph a place below ``out``: its own name, or one that neither hits a source nor another's.

    Args:
        sources: files, and folders with any subfolders, whose shape is kept below ``out``.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: ``out`` is itself a folder of photographs to colour, or there are no photographs.
    """
    out = Path(out)
    found: list[tuple[Path, Path]] = []  # (photograph, its name below out)
    for source in map(Path, sources):
        if source.is_dir():
            if source.resolve() == out.resolve():
                raise ValueError(f"{out} is the folder of the photographs; name another one for the coloured ones.")
            members = [Path(name) for name, _ in list_photographs(source).members]
            mine = out.resolve()
            found += [(source / m, m) for m in members if mine not in (source / m).resolve().parents]
        elif source.exists():
            found.append((source, Path(source.name)))
        else:
            raise FileNotFoundError(f"there is no photograph or folder {source}.")
    if not found:
        raise ValueError("there are no photographs to colour.")
    wanted = []
    for source, name in found:
        target = out / name
        if target.suffix.lower() not in WRITTEN_SUFFIXES:  # a kind of file that is not written
            target = target.with_suffix(WRITTEN["PNG"])
        wanted.append(Job(source, target))
    return free_places(wanted)


def free_places(wanted: list[Job]) -> list[Job]:
    """Return the jobs with ``-coloured`` in the names of those targets that would hit a source or another's."""
    taken = {str(job.source.resolve()).casefold() for job in wanted}
    jobs = []
    for job in wanted:
        number, target = 1, job.target
        while str(target.resolve()).casefold() in taken:
            ending = f"-coloured{'' if number == 1 else f'-{number}'}{target.suffix}"
            target = target.with_name(f"{job.target.stem}{ending}")
            number += 1
        taken.add(str(target.resolve()).casefold())
        jobs.append(Job(job.source, target))
    return jobs


def colorize_files(
    colorizer: PhotoColorizer,
    sources: Iterable[Path | str],
    out: Path | str,
    *,
    temperature: float | None = None,
    saturation: float = 1.0,
    hints: Iterable[Hint] = (),
    force: bool = False,
    compare: bool = False,
    resume: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Outcome:
    """Colour photographs and folders of them into a folder; each result is written whole or not at all.

    A result has its photograph's format, bits, profile and metadata. A file that cannot be read is passed over; a disk
    that cannot be written to ends it all.

    Args:
        colorizer: of :func:`load_colorizer`.
        sources, out: see :func:`plan`.
        temperature, saturation, hints: see :meth:`PhotoColorizer.colorize`; hints are for one photograph.
        force: colour those that are coloured already, too (their colours are lost).
        compare: write ``NAME.jpg-compare.jpg`` as well, before and after side by side, reduced.
        resume: pass over photographs whose result is there and is not older than they are.
        max_pixels: larger photographs are refused.

    Returns:
        What became of each.

    Raises:
        ValueError, FileNotFoundError: see :func:`plan` and :meth:`PhotoColorizer.check`; hints for several photographs.
        OSError: the disk is full or may not be written to; what is done is whole.
    """
    hints = tuple(hints)
    colorizer.check(temperature, bool(hints))
    check_saturation(saturation)
    jobs = plan(sources, out)
    if hints and len(jobs) > 1:
        raise ValueError(f"hints belong to one photograph; there are {len(jobs)} to colour.")
    outcome = Outcome()
    for job in tqdm(jobs, desc="colouring", unit="photo", disable=len(jobs) == 1):
        if resume and job.is_done:
            outcome.there.append(job.target)
            continue
        try:
            picture = read_picture(job.source, max_pixels)
            small = colorizer.small_copy(picture)
            tone = tone_of(small)
            if tone == "colour" and not force:
                raise ValueError(f"{job.source} is a colour photograph already; --force colours it anew.")
            colors = colorizer.colors(picture, small, temperature, hints)
        except (ValueError, OSError) as error:
            outcome.failed.append((job.source, str(error)))
            continue
        if tone == "toned":
            picture.notes.append(TONED)
        outcome.notes += [(job.source, note) for note in picture.notes]
        write_picture(job.target, colorizer.paint(picture, colors, saturation), picture)
        if compare:
            _write_comparison(job.target, picture, colors, saturation)
        outcome.done.append(job.target)
    return outcome


def _write_comparison(target: Path, picture: Picture, colors: ColorField, saturation: float) -> None:
    size = working_size(picture.size, round(COMPARED_SIDE * min(picture.size) / max(picture.size)) or 1)
    lab = shrink(picture, size)
    ab = ColorField(colors.L, colors.ab, size).at(lab[:, :1], slice(None))
    gap = torch.ones(1, 3, size[0], max(2, size[1] // 100))
    halves = [rgb_at_lightness(lab[:, :1], lab[:, 1:]), gap, rgb_at_lightness(lab[:, :1], saturation * ab)]
    with atomic_path(target.with_name(f"{target.name}-compare.jpg")) as temporary:
        Image.fromarray(to_8_bits(torch.cat(halves, 3))).save(temporary, "JPEG", quality=92)
