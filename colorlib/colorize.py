"""A black-and-white photograph in, a colour photograph of the same size and lightness out.

A network colours a small copy of the photograph, at the size of those it learned from. Its colours are brought up to
full size in two parts: the smooth one by cubic interpolation, and the rest along the photograph's own lightness, in
the way of a guided filter: around each place a and b are nearly straight lines in L, so where L leaves its smooth part,
colour leaves with it. Colours that sRGB cannot show give up chroma and keep their lightness. All of this is done in
strips of rows, so the memory that a large scan needs is that of its pixels.

References:
    K. He, J. Sun and X. Tang, "Guided Image Filtering", IEEE TPAMI 2013: the local linear model. K. He and J. Sun,
    "Fast Guided Filter", 2015, arXiv:1505.00996: its coefficients found on a small copy.
    R. G. Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE TASSP 1981.

Difference from the fast guided filter: it replaces the small image by its local linear model, which blurs it; here the
model supplies only what interpolation lacks, so the network's colours are all kept. Windows are Gaussian.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from colorlib.color import lab_to_rgb, out_of_gamut, rgb_to_lab
from colorlib.data.photos import list_photographs
from colorlib.deployment import DeployedModel, load_model
from colorlib.files import atomic_path
from colorlib.hints import place
from colorlib.pictures import (
    ENDINGS,
    MAX_PIXELS,
    WRITTEN,
    Picture,
    assemble,
    merge_equal,
    picture_of,
    read_picture,
    to_8_bits,
    write_picture,
)
from colorlib.steadiness import blur

STRIP = 1 << 18  # pixels that are worked on at a time
ELONGATION = 16  # a working size has at most this many times the pixels of the short side's square
WINDOW = 0.7  # deviation of the Gaussian window in which a and b are lines in L, in pixels of the working size
SMOOTHNESS = 100.0  # L² units; a window whose L varies less than this is taken to say little about colour
LINEAR_TOLERANCE = 4e-6  # of a linear channel in [0, 1] beyond the gamut: cutting it costs less than 0.004 in L
GAMUT_TOLERANCE = 12.92 * LINEAR_TOLERANCE  # the same, gamma-encoded, where it is largest
BISECTIONS = 10
GREY_CHROMA = 2.5  # mean chroma at the working size; JPEG and a scanner make less of a grey photograph
TONED_SHARE, TONED_CHROMA = 0.1, 1.5  # of the chroma, or chroma: what a toned one may have that is not L's doing
HINT_SIDE = 3  # pixels of the working size; networks are trained with squares of 1 to 9
COMPARED_SIDE = 1200  # pixels, the longer side of each half of a comparison
TONED = "It is toned, like sepia: its tint was taken out and its lightness kept."

Hint = tuple[float, float, str]
Kind = TypeVar("Kind", Image.Image, np.ndarray)


def lanczos(x: np.ndarray) -> np.ndarray:
    """Weigh by the distance in pixels of the smaller image: the kernel that data sets are made with."""
    return np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys's kernel with a = -1/2: third order, and it runs through the samples."""
    x = np.abs(x)
    return np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))


def resampling(source: int, target: int, kernel: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """Return the (target, source) matrix that resamples a side; past its ends the last pixel goes on."""
    scale = max(1.0, source / target)
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    reach = int(np.ceil(3 * scale)) + 1
    taps = np.floor(centres)[:, None].astype(np.int64) + np.arange(-reach, reach + 1)  # (target, taps)
    weights = kernel((taps - centres[:, None]) / scale)
    matrix = np.zeros((target, source), np.float32)
    np.add.at(matrix, (np.arange(target)[:, None], taps.clip(0, source - 1)), weights / weights.sum(1, keepdims=True))
    return torch.from_numpy(matrix)


def working_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Return (h, w) of the small copy of a photograph of ``size`` (H, W); a smaller photograph stays as it is."""
    H, W = size
    scale = min(1.0, short_side / min(H, W), (ELONGATION * short_side**2 / (H * W)) ** 0.5)
    return max(1, round(H * scale)), max(1, round(W * scale))


def strips(size: tuple[int, int]) -> Iterator[slice]:
    """Cut a photograph of (H, W) into slices of rows of about ``STRIP`` pixels."""
    H, W = size
    step = max(1, STRIP // W)
    return (slice(top, min(top + step, H)) for top in range(0, H, step))


def shrink(picture: Picture, size: tuple[int, int]) -> Tensor:
    """Return lab (1, 3, h, w) of a small copy: one pass over the rows, no larger copy in between."""
    rows, columns = resampling(picture.size[0], size[0], lanczos), resampling(picture.size[1], size[1], lanczos).T
    small = torch.zeros(1, 1 if picture.is_grey else 3, *size)
    for strip in strips(picture.size):
        values = picture.lightness(strip) if picture.is_grey else picture.lab(strip)
        small += rows[:, strip] @ (values @ columns)
    small[:, 0].clamp_(0, 100)
    return F.pad(small, (0, 0, 0, 0, 0, 3 - small.shape[1]))


class ColourField:
    """The colours of a photograph, found at a small size and ready to be asked for at full size.

    Args:
        L: (1, 1, h, w) in [0, 100], the small copy.
        ab: (1, 2, h, w) in CIELAB units, its colours.
        size: (H, W) of the photograph.
    """

    def __init__(self, L: Tensor, ab: Tensor, size: tuple[int, int]) -> None:
        self.L, self.ab = L, ab
        mean = blur(L, WINDOW)
        variance = (blur(L * L, WINDOW) - mean * mean).clamp(min=0)
        slope = (blur(L * ab, WINDOW) - mean * blur(ab, WINDOW)) / (variance + SMOOTHNESS)
        self.rows = resampling(L.shape[2], size[0], cubic)
        self.columns = torch.cat([ab, slope, L], 1) @ resampling(L.shape[3], size[1], cubic).T  # (1, 5, h, W)

    def at(self, L: Tensor, rows: slice) -> Tensor:
        """Return ab (1, 2, h, W) of some rows, L (1, 1, h, W) being the photograph's own lightness there."""
        weights = self.rows[rows]
        needed = weights.any(0).nonzero()
        first, last = int(needed[0]), int(needed[-1]) + 1  # of the small copy's rows
        smooth = weights[:, first:last] @ self.columns[:, :, first:last]
        return smooth[:, :2] + smooth[:, 2:4] * (L - smooth[:, 4:])


def rgb_at_lightness(L: Tensor, ab: Tensor) -> Tensor:
    """Turn L (N, 1, H, W) and ab (N, 2, H, W) into sRGB (N, 3, H, W); what is out of gamut gives up chroma alone.

    The hue angle stays, too. The largest chroma inside the gamut is found by bisection, to 1/1024 of the one asked for.
    """
    lab = torch.cat([L, ab], 1)
    rgb = lab_to_rgb(lab, clip=False)
    outside = ((rgb < -GAMUT_TOLERANCE) | (rgb > 1 + GAMUT_TOLERANCE)).any(1)  # (N, H, W)
    if outside.any():
        wanted = lab.movedim(1, -1)[outside].T[None, :, None]  # (M, 3) -> (1, 3, 1, M)
        share, step = torch.zeros_like(wanted[:, :1]), 1.0
        for _ in range(BISECTIONS):
            step /= 2
            tried = torch.cat([wanted[:, :1], wanted[:, 1:] * (share + step)], 1)
            share = share + step * ~out_of_gamut(tried, LINEAR_TOLERANCE)
        fitted = lab_to_rgb(torch.cat([wanted[:, :1], wanted[:, 1:] * share], 1))
        rgb.movedim(1, -1)[outside] = fitted[0, :, 0].T
    return rgb.clamp(0, 1)


def tone_of(lab: Tensor) -> str:
    """Tell a small copy's kind: "grey", "toned" (sepia and other single tints) or "colour".

    In a toned print colour is a function of lightness. So its a and b lie near their means over pixels of the same L;
    what is left of a coloured photograph is most of its chroma.

    Args:
        lab: (1, 3, h, w) in CIELAB units.
    """
    L, ab = lab[0, 0].flatten(), lab[0, 1:].flatten(1)  # (h · w), (2, h · w)
    chroma = ab.norm(dim=0).mean()
    if chroma < GREY_CHROMA:
        return "grey"
    level = (L / 6.25).long().clamp(0, 15)
    count = torch.bincount(level, minlength=16).clamp(min=1)
    means = torch.stack([torch.bincount(level, channel, minlength=16) / count for channel in ab.double()])
    spread = (ab - means[:, level]).norm(dim=0).mean()
    return "toned" if spread < max(TONED_CHROMA, TONED_SHARE * float(chroma)) else "colour"


def parse_hint(text: str) -> Hint:
    """Read ``X,Y,#RRGGBB``: pixels from the left and the top of the upright photograph, and a colour.

    Raises:
        ValueError: anything else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*,\s*(#?[0-9a-fA-F]{6})\s*", text)
    if not found:
        raise ValueError(f"a hint is X,Y,#RRGGBB, for example 120,80,#a03020, not {text!r}.")
    return float(found[1]), float(found[2]), "#" + found[3].removeprefix("#")


def _place_hints(hints: Iterable[Hint], size: tuple[int, int], small: tuple[int, int]) -> Tensor | None:
    """Return the hints (1, 3, h, w) of a small copy, or None; only a and b of a hint's colour are taken."""
    points = []
    for x, y, colour in hints:
        if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            raise ValueError(f"the colour of a hint is #RRGGBB, not {colour!r}.")
        if not (0 <= x < size[1] and 0 <= y < size[0]):
            raise ValueError(f"the hint at x = {x:g}, y = {y:g} is outside the photograph of {size[1]}×{size[0]}.")
        rgb = torch.tensor([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]).view(1, 3, 1, 1)
        _, a, b = rgb_to_lab(rgb).flatten().tolist()
        across, down = (x + 0.5) * small[1] / size[1], (y + 0.5) * small[0] / size[0]
        points.append((min(across, small[1] - 1), min(down, small[0] - 1), a, b))
    return place(small, points, HINT_SIDE) if points else None


class Colorizer:
    """A model that colours photographs of any size; see :meth:`colorize`.

    Args:
        model: of :func:`colorlib.deployment.load_model`.
    """

    def __init__(self, model: DeployedModel) -> None:
        self.model = model

    def check(self, temperature: float | None = None, saturation: float = 1.0, hints: Iterable[Hint] = ()) -> None:
        """Raise ValueError, in one sentence, where the model cannot do what is asked."""
        self.model.check(temperature, bool(tuple(hints)))
        if not 0 <= saturation <= 10:
            raise ValueError(f"the saturation must be from 0 to 10, 1 being the model's own, not {saturation}.")

    def small_copy(self, picture: Picture) -> Tensor:
        """Return lab (1, 3, h, w) of a photograph at the size that the model works at."""
        return shrink(picture, working_size(picture.size, self.model.recipe.short_side))

    def colours(
        self, picture: Picture, small: Tensor, temperature: float | None = None, hints: Iterable[Hint] = ()
    ) -> ColourField:
        """Find the colours of a photograph whose :meth:`small_copy` is at hand."""
        placed = _place_hints(hints, picture.size, small.shape[-2:])
        ab = self.model(small[:, :1], placed, temperature)
        return ColourField(small[:, :1], ab, picture.size)

    def odds(self, picture: Picture, small: Tensor, hints: Iterable[Hint] = ()) -> Tensor | None:
        """Return the odds of each colour at each place of a :meth:`small_copy`: :meth:`DeployedModel.odds`."""
        return self.model.odds(small[:, :1], _place_hints(hints, picture.size, small.shape[-2:]))

    def paint(self, picture: Picture, colours: ColourField, saturation: float = 1.0) -> Iterator[np.ndarray]:
        """Yield the coloured photograph in strips (h, W, 3) from top to bottom, of the kind of ``picture.pixels``."""
        for strip in strips(picture.size):
            L = picture.lightness(strip)
            yield picture.encode(rgb_at_lightness(L, saturation * colours.at(L, strip)))

    def colorize(
        self,
        image: Kind | Path | str,
        temperature: float | None = None,
        saturation: float = 1.0,
        hints: Iterable[Hint] = (),
    ) -> Kind | Image.Image:
        """Colour a photograph. Its lightness is kept, whether it was grey, toned or coloured before.

        Args:
            image: a path; a Pillow image; or an array (H, W), (H, W, 3) or (H, W, 4), uint8, uint16 or floating-point
                in [0, 1], the fourth channel being transparency.
            temperature: for models that answer with odds: towards 0 more vivid and patchier, 1 duller.
            saturation: multiplies chroma; 0 is grey.
            hints: (x, y, "#RRGGBB") in pixels of the upright photograph, for models that take them.

        Returns:
            An array for an array, of its dtype, with three channels or four; else a Pillow image, RGB or RGBA (8 bits;
            :func:`colorize_files` keeps 16), with the metadata of the photograph in its ``info``.

        Raises:
            ValueError: no picture or a damaged one; an array of another kind, with NaN or values out of range; a
                temperature or hints that the model does not take; a hint outside the photograph.
            FileNotFoundError: there is no such file.

        Example:
            >>> load_colorizer("vivid").colorize(np.full((40, 60), 128, np.uint8)).shape
            (40, 60, 3)
        """
        hints = tuple(hints)
        self.check(temperature, saturation, hints)
        picture = _read(image)
        colours = self.colours(picture, self.small_copy(picture), temperature, hints)
        painted = self.paint(picture, colours, saturation)
        if isinstance(image, np.ndarray):
            pixels = np.concatenate(list(painted))
            alpha = [] if picture.alpha is None else [picture.alpha[..., None]]
            return np.concatenate([pixels, *alpha], 2).astype(image.dtype, copy=False)
        result = assemble(painted, picture)
        result.info.update({k: v for k, v in picture.carried.items() if k in ("exif", "icc_profile", "dpi", "xmp")})
        return result


def load_colorizer(name: Path | str = "vivid", device: str = "auto") -> Colorizer:
    """Load a colorizer: one that ships, one's own, or one whose weights its authors released.

    Args:
        name: ``faithful`` or ``vivid``; a run folder; a file of :func:`colorlib.deployment.export_run`; or
            ``eccv16=FILE``, ``siggraph17=FILE``, ``ddcolor=FILE``, with a web address in the place of FILE if need be.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Raises:
        What :func:`colorlib.deployment.load_model` raises.

    Example:
        >>> load_colorizer("faithful").colorize("grandmother.jpg").save("grandmother-coloured.jpg")  # doctest: +SKIP
    """
    return Colorizer(load_model(name, device))


def _read(image: Image.Image | np.ndarray | Path | str) -> Picture:
    if isinstance(image, Path | str):
        return read_picture(image)
    if isinstance(image, Image.Image):
        return picture_of(image)
    if not isinstance(image, np.ndarray):
        raise TypeError(f"a photograph is a path, a Pillow image or a numpy array, not {type(image).__name__}.")
    return _picture_of_array(image)


def _picture_of_array(array: np.ndarray) -> Picture:
    if array.ndim not in (2, 3) or array.ndim == 3 and array.shape[2] not in (3, 4) or 0 in array.shape:
        raise ValueError(f"a photograph must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}.")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("the photograph holds NaN or infinity.")
        if array.min() < 0 or array.max() > 1:
            raise ValueError(
                f"a floating-point photograph must lie in [0, 1], not in [{array.min():g}, {array.max():g}]; "
                "divide it by its white."
            )
        array = array.astype(np.float32)
    elif array.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"a photograph must be uint8, uint16 or floating-point, not {array.dtype}.")
    if array.ndim == 2:
        return Picture(array)
    return Picture(merge_equal(array[..., :3]), array[..., 3] if array.shape[2] == 4 else None)


# ------------------------------------------------------------------------------------------------ files and folders


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
        if target.suffix.lower() not in ENDINGS:  # a kind of file that is not written
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
    colorizer: Colorizer,
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
        temperature, saturation, hints: see :meth:`Colorizer.colorize`; hints are for one photograph.
        force: colour those that are coloured already, too (their colours are lost).
        compare: write ``NAME.jpg-compare.jpg`` as well, before and after side by side, reduced.
        resume: pass over photographs whose result is there and is not older than they are.
        max_pixels: larger photographs are refused.

    Returns:
        What became of each.

    Raises:
        ValueError, FileNotFoundError: see :func:`plan` and :meth:`Colorizer.check`; hints for several photographs.
        OSError: the disk is full or may not be written to; what is done is whole.
    """
    hints = tuple(hints)
    colorizer.check(temperature, saturation, hints)
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
            colours = colorizer.colours(picture, small, temperature, hints)
        except (ValueError, OSError) as error:
            outcome.failed.append((job.source, str(error)))
            continue
        if tone == "toned":
            picture.notes.append(TONED)
        outcome.notes += [(job.source, note) for note in picture.notes]
        write_picture(job.target, colorizer.paint(picture, colours, saturation), picture)
        if compare:
            _write_comparison(job.target, picture, colours, saturation)
        outcome.done.append(job.target)
    return outcome


def _write_comparison(target: Path, picture: Picture, colours: ColourField, saturation: float) -> None:
    size = working_size(picture.size, round(COMPARED_SIDE * min(picture.size) / max(picture.size)) or 1)
    lab = shrink(picture, size)
    ab = ColourField(colours.L, colours.ab, size).at(lab[:, :1], slice(None))
    gap = torch.ones(1, 3, size[0], max(2, size[1] // 100))
    halves = [rgb_at_lightness(lab[:, :1], lab[:, 1:]), gap, rgb_at_lightness(lab[:, :1], saturation * ab)]
    with atomic_path(target.with_name(f"{target.name}-compare.jpg")) as temporary:
        Image.fromarray(to_8_bits(torch.cat(halves, 3))).save(temporary, "JPEG", quality=92)
