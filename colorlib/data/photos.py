"""Any photographs, from a folder or an archive, into a store.

What happens to a picture, in this order: its short side becomes ``size`` and its centre square is kept (one resampling
with Pillow's Lanczos filter, of the square alone); EXIF orientation is applied; an embedded colour profile is turned
into sRGB; transparency is laid on white; 16-bit grey is scaled to 8 (Pillow keeps the upper 8 bits of 16-bit colour);
the first frame stands for an animation; sRGB becomes OpenCV's 8-bit Lab.
"""

import contextlib
import hashlib
import io
import itertools
import multiprocessing
import os
import shutil
import signal
import tarfile
import threading
import warnings
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError
from tqdm import tqdm

from colorlib.color import rgb8_to_lab8
from colorlib.data.store import MINIMUM_SIDE, LabArrays, open_store
from colorlib.data.writing import Record, StoreWriter

SUFFIXES = set(".avif .bmp .gif .jfif .jp2 .jpe .jpeg .jpg .pgm .png .pnm .ppm .tga .tif .tiff .webp".split())
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MAX_FILE_BYTES = 1 << 30
_PIECE = 8
_IN_PROCESS = 64


@dataclass(frozen=True)
class Member:
    """One picture file: a path, a stretch of an uncompressed tar, a member of a zip, or its bytes.

    Attributes:
        name: its path inside the folder or archive, with ``/``.
        size: bytes.
        path: the file, or the archive.
        offset: where it begins in ``path``, for a tar.
        data: the bytes, where they can be read only in sequence (a compressed tar).
    """

    name: str
    size: int
    path: Path
    offset: int | None = None
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Listing:
    """What a folder or archive holds.

    Attributes:
        members: (name, bytes) of every picture file, in the order of preparation.
        ignored: how many files are no pictures by their suffix.
        read: gives the members from a position on.
    """

    members: list[tuple[str, int]]
    ignored: int
    read: Callable[[int], Iterable[Member]]

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change when a file is added, removed or of another length."""
        return hashlib.sha256(repr(self.members).encode()).hexdigest()[:16]


def is_archive(path: Path | str) -> bool:
    """Tell by its name whether a file is an archive that `prepare_photographs` reads."""
    return str(path).lower().endswith(ARCHIVES)


def list_photographs(source: Path | str) -> Listing:
    """List the picture files of a folder (with its subfolders), a zip or a tar, sorted by name.

    A compressed tar keeps its own order, since it can only be read from front to back.

    Raises:
        FileNotFoundError: there is no such folder or archive.
        ValueError: the archive is damaged or of no known kind, or there is no picture in it.
    """
    source = Path(source)
    if not source.exists():
        raise FileNotFoundError(f"there is no folder or archive {source}.")
    if not source.is_dir() and not is_archive(source):
        raise ValueError(f"{source} is neither a folder nor an archive ({', '.join(ARCHIVES)}).")
    with _archive_errors(source):
        if source.is_dir():
            found, in_order = _list_folder(source), True
        elif source.suffix.lower() == ".zip":
            found, in_order = _list_zip(source), True
        else:
            found, in_order = _list_tar(source)
    pictures = [member for member in found if _is_picture(member.name)]
    if not pictures:
        raise ValueError(
            f"{source} holds no pictures ({len(found):,} other files; pictures end in {', '.join(sorted(SUFFIXES))})."
        )
    if in_order:
        pictures.sort(key=lambda member: member.name)

    def read(start: int) -> Iterable[Member]:
        return pictures[start:] if in_order else _stream_tar(source, start)

    return Listing([(m.name, m.size) for m in pictures], len(found) - len(pictures), read)


def prepare_photographs(
    source: Path | str, out: Path | str, size: int = 224, workers: int | None = None, name: str | None = None
) -> LabArrays:
    """Prepare the photographs of a folder or archive as a store, in parallel; a killed call, made again, goes on.

    Files that cannot be read are skipped and listed with the reason in ``skipped.csv``. Photographs smaller than
    ``size`` are enlarged and flagged ``upscaled``. The result does not depend on the number of workers.

    Args:
        source: a folder with any subfolders, or a ``.zip``, ``.tar`` or compressed tar.
        out: the new store; nothing there is overwritten.
        size: side of the square result in pixels.
        workers: processes; by default one for each processor.
        name: of the data set; by default that of ``out``.

    Raises:
        FileNotFoundError, ValueError: nothing usable at ``source``, or ``out`` holds something else.
        OSError: the disk is, or would get, full.

    Example:
        >>> prepare_photographs("holidays.zip", "data/holidays", size=224)  # doctest: +SKIP
        LabArrays('holidays', 1,234 photographs of 224×224, data/holidays)
    """
    source, out = Path(source), Path(out)
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError(f"size must be a whole number of pixels, not {size!r}.")
    workers = _processors() if workers is None else workers
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}.")
    listing = list_photographs(source)
    info = {
        "source": source.resolve().name,
        "source_digest": listing.digest,
        "files": len(listing.members),
        "ignored": listing.ignored,
        "resize": {"short_side": size, "crop": "centre square", "filter": "lanczos"},
    }
    with StoreWriter(out, name or out.resolve().name, (size, size), info) as writer:
        if not writer.finished:
            _check_space(writer.partial, (len(listing.members) - writer.done) * 3 * size * size)
            _prepare(listing, writer, size, workers, source)
            writer.finish()
    return open_store(out)


def _prepare(listing: Listing, writer: StoreWriter, size: int, workers: int, source: Path) -> None:
    chunk = max(_PIECE, min(256, (1 << 25) // (3 * size * size)) // _PIECE * _PIECE)
    total = len(listing.members)
    with (
        tqdm(total=total, initial=writer.done, desc=f"preparing {source.name}", unit="photo") as progress,
        _archive_errors(source),
    ):
        pieces = _pieces(listing.read(writer.done))
        results = _prepared(pieces, size, 1 if total - writer.done <= _IN_PROCESS else workers)
        while batch := list(itertools.islice(results, chunk // _PIECE)):
            outcomes = [outcome for piece in batch for outcome in piece]
            writer.append(
                [o for o in outcomes if isinstance(o, Record)], [o for o in outcomes if not isinstance(o, Record)]
            )
            progress.update(len(outcomes))


def _pieces(members: Iterable[Member]) -> Iterator[list[Member]]:
    members = iter(members)
    while piece := list(itertools.islice(members, _PIECE)):
        yield piece


def _prepared(pieces: Iterator[list[Member]], size: int, workers: int) -> Iterator[list[Record | tuple[str, str]]]:
    """Give the outcome of each piece in order, keeping a few pieces for each worker under way."""
    if workers == 1:
        for piece in pieces:
            yield prepare_piece(piece, size)
        return
    context = multiprocessing.get_context("spawn")  # forking a process that has run torch's threads may deadlock
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        waiting: deque[Future] = deque()
        for piece in pieces:
            waiting.append(pool.submit(prepare_piece, piece, size))
            if len(waiting) >= 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise RuntimeError(
            "a preparing process died (out of memory, or a script lacks `if __name__ == '__main__'`); what is done is "
            "kept, run the same again with fewer workers."
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(1)

    def end_with_parent() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def prepare_piece(piece: list[Member], size: int) -> list[Record | tuple[str, str]]:
    """Prepare a few files: a `Record` for each, or (name, reason) for one that cannot be used."""
    outcomes: list[Record | tuple[str, str]] = []
    for member in piece:
        # Damaged files make decoders raise nearly anything; whatever it is, it concerns this one file.
        try:
            with warnings.catch_warnings(action="ignore"), _open(member) as file:
                picture, width, height = square_photograph(file, size)
            L8, ab8 = rgb8_to_lab8(picture[None])
            flags = ("upscaled",) if min(width, height) < size else ()
            outcomes.append(Record(member.name, width, height, L8[0], ab8[0], flags=flags))
        except Exception as error:
            outcomes.append((member.name, reason_of(error)))
    return outcomes


def square_photograph(file: BinaryIO | Path, size: int) -> tuple[np.ndarray, int, int]:
    """Decode a picture file to the centre square of itself, upright, in sRGB.

    Args:
        file: any format that Pillow reads.
        size: side of the result in pixels.

    Returns:
        (size, size, 3) uint8, and the width and height in pixels of the whole upright picture before.

    Raises:
        ValueError: too small, or of a kind whose range of values is unknown.
        PIL.Image.DecompressionBombError: more than 179 million pixels.
        Exception: whatever Pillow raises for a damaged file.
    """
    with Image.open(file) as image:
        width, height = image.size
        if min(width, height) < MINIMUM_SIDE:
            raise ValueError(f"{width}×{height} pixels is too small for a photograph")
        orientation = _orientation(image)
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "CMYK") else None
        image.draft(image.mode, (2 * size, 2 * size))  # lets JPEG decode at 1/2, 1/4 or 1/8 where that is plenty
        image = _resampleable(image)
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        square = image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    if orientation in _TURNS:
        square = square.transpose(_TURNS[orientation])
    if orientation in _SIDEWAYS:
        width, height = height, width
    return np.array(to_srgb(square, profile)), width, height


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to set a picture upright, by EXIF orientation."""
_SIDEWAYS = {5, 6, 7, 8}


def _orientation(image: Image.Image) -> int:
    with contextlib.suppress(Exception):  # a broken EXIF block does not spoil the picture
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def wide_grey(image: Image.Image) -> np.ndarray | None:
    """Return a grey picture of more than 8 bits as (H, W) uint16; None for one of 8.

    Raises:
        ValueError: the range of its numbers is unknown.
    """
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is unknown")
    if not image.mode.startswith("I"):
        return None
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels, whose range is unknown")
    return values.astype(np.uint16)


def _resampleable(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be resampled: L, RGB, RGBA or CMYK, 8 bits a channel."""
    if (values := wide_grey(image)) is not None:
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    transform = _profile_transform(profile, image.mode) if profile else None
    return ImageCms.applyTransform(image, transform) if transform else image.convert("RGB")


@lru_cache(maxsize=32)
def _profile_transform(profile: bytes, mode: str) -> Any:
    """Return the transform from an embedded profile to sRGB, or None where the profile is unusable."""
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), mode, "RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def reason_of(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a picture that Pillow can read"
    return " ".join(f"{error}".split()) or type(error).__name__


# ------------------------------------------------------------------------------------------------ where files lie


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in SUFFIXES


def _list_folder(source: Path) -> list[Member]:
    found = []
    for folder, _, names in os.walk(source):
        for name in names:
            path = Path(folder, name)
            if path.is_file():
                found.append(Member(path.relative_to(source).as_posix(), path.stat().st_size, path))
    return found


def _list_zip(source: Path) -> list[Member]:
    with zipfile.ZipFile(source) as archive:
        return [Member(m.filename, m.file_size, source) for m in archive.infolist() if not m.is_dir()]


def _list_tar(source: Path) -> tuple[list[Member], bool]:
    """List a tar's files, and tell whether they can be read in any order (it is not compressed)."""
    try:
        archive, in_order = tarfile.open(source, "r:"), True
    except tarfile.ReadError:
        archive, in_order = tarfile.open(source, "r:*"), False
    with archive:
        return [Member(m.name, m.size, source, m.offset_data) for m in archive if m.isreg()], in_order


def _stream_tar(source: Path, start: int) -> Iterator[Member]:
    with tarfile.open(source, "r|*") as archive:
        pictures = (m for m in archive if m.isreg() and _is_picture(m.name))
        for m in itertools.islice(pictures, start, None):
            data = archive.extractfile(m).read() if m.size <= MAX_FILE_BYTES else b""
            yield Member(m.name, m.size, source, data=data)


def _open(member: Member) -> BinaryIO:
    if not member.size:
        raise ValueError("empty file")
    if member.size > MAX_FILE_BYTES:
        raise ValueError(f"file of {member.size / 2**30:.1f} GiB, more than {MAX_FILE_BYTES / 2**30:.0f}")
    if member.data is not None:
        return io.BytesIO(member.data)
    if member.offset is not None:
        with open(member.path, "rb") as file:
            file.seek(member.offset)
            return io.BytesIO(file.read(member.size))
    if member.path.suffix.lower() == ".zip":
        return io.BytesIO(_zip(member.path).read(member.name))
    return open(member.path, "rb")


@lru_cache(maxsize=1)
def _zip(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


@contextlib.contextmanager
def _archive_errors(source: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{source} is damaged or no archive ({error}); download or pack it again.") from None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_space(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise OSError(
            f"the photographs need {wanted / 1e9:.1f} GB in {folder.parent} and {free / 1e9:.1f} GB are free; "
            "free some space or choose a smaller size."
        )
