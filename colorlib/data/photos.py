"""Any photographs, from a folder or an archive, into a store.

What happens to a picture, in this order: its short side becomes ``size`` and its centre square is kept (one resampling
with Pillow's Lanczos filter, of the square alone); EXIF orientation is applied; an embedded colour profile is turned
into sRGB; transparency is laid on white; 16-bit grey is scaled to 8 (of 16-bit colour the upper 8 bits are kept);
the first frame stands for an animation; sRGB becomes OpenCV's 8-bit Lab.
"""

import itertools
import os
import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np

from colorlib.bars import progress_bar
from colorlib.color.lab import rgb8_to_lab8
from colorlib.data.arrays import MINIMUM_SIDE
from colorlib.data.shards import fill_store
from colorlib.data.store import LabArrays, open_store
from colorlib.data.writing import Record, StoreWriter
from colorlib.pictures.archives import Member
from colorlib.pictures.bounded import ChildError, call_bounded, end_children
from colorlib.pictures.listing import list_photographs, printable
from colorlib.pictures.reading import read_centre, reason_of

_WORTH_A_START = 64  # photographs for which another process is started
_WAITING_BYTES = 1 << 28  # of a compressed tar, unpacked and not yet prepared


def prepare_photographs(
    source: Path | str, out: Path | str, size: int = 224, workers: int | None = None, name: str | None = None
) -> LabArrays:
    """Prepare the photographs of a folder or archive as a store, in parallel; a killed call, made again, goes on.

    Files that cannot be read, or that ask for too much memory or time (:mod:`colorlib.pictures.bounded`), are skipped
    and listed with the reason in ``skipped.csv``; what is no photograph is counted by kind in ``dataset.json``.
    Photographs smaller than ``size`` are enlarged and flagged ``upscaled``. The result does not depend on the number of
    workers.

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
        "source": printable(source.resolve().name),
        "source_digest": listing.digest,
        "files": len(listing.members),
        "resize": {"short_side": size, "crop": "centre square", "filter": "lanczos"},
    }
    total, chunk = len(listing.members), max(8, min(256, (1 << 25) // (3 * size * size)))
    with progress_bar(total=total, desc=f"preparing {source.name}", unit="photo") as progress:
        members: Iterator[Member] = iter(())
        taken = -1

        def fill(writer: StoreWriter, start: int, stop: int) -> None:
            nonlocal members, taken
            start += writer.done
            if taken != start:  # a compressed tar is read on, rather than again from its beginning
                members = listing.read(start)
            progress.update(start - progress.n)
            _check_space(writer.partial, (total - start) * 3 * size * size)
            busy = min(workers, 1 + (stop - start) // _WORTH_A_START)
            outcomes = _prepared(itertools.islice(members, stop - start), size, busy, ahead=chunk)
            while batch := list(itertools.islice(outcomes, chunk)):
                records = [outcome for outcome in batch if isinstance(outcome, Record)]
                writer.append(records, [outcome for outcome in batch if not isinstance(outcome, Record)])
                progress.update(len(batch))
            taken = stop

        problems = [(printable(name), reason) for name, reason in listing.problems]
        counts = {"ignored": listing.ignored}
        fill_store(
            out, name or out.resolve().name, (size, size), info, total, fill, passed_over=problems, counts=counts
        )
    return open_store(out)


def _prepared(members: Iterator[Member], size: int, workers: int, ahead: int) -> Iterator[Record | tuple[str, str]]:
    """Give the outcome of each file in order; each thread waits for a process of its own, which does the work.

    So many files lie ahead that no process waits while a chunk is written.
    """
    pool = ThreadPoolExecutor(workers)
    waiting: deque[tuple[Future[Record | tuple[str, str]], int]] = deque()
    try:
        for member in members:
            waiting.append((pool.submit(prepare_file, member, size), len(member.data or b"")))
            while len(waiting) >= ahead + 8 * workers or sum(held for _, held in waiting) > _WAITING_BYTES:
                yield waiting.popleft()[0].result()
        while waiting:
            yield waiting.popleft()[0].result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        end_children(keep=1)


def prepare_file(member: Member, size: int) -> Record | tuple[str, str]:
    """Prepare a file within bounds: a `Record`, or (name, reason) for one that cannot be used."""
    name = printable(member.name)
    # Damaged files make archives and decoders raise nearly anything; whatever it is, it concerns this one file.
    try:
        L8, ab8, width, height = call_bounded(lab8_square, member.source(), size)
    except ChildError:
        raise
    except Exception as error:
        return name, reason_of(error)
    return Record(name, width, height, L8, ab8, flags=("upscaled",) if min(width, height) < size else ())


def lab8_square(file: BinaryIO | Path, size: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Read the centre square of a picture file as (size, size) L8 and (size, size, 2) ab8; see `square_photograph`."""
    picture, width, height = square_photograph(file, size)
    L8, ab8 = rgb8_to_lab8(picture[None])
    return L8[0], ab8[0], width, height


def square_photograph(file: BinaryIO | Path, size: int) -> tuple[np.ndarray, int, int]:
    """Read the centre square of a picture file: (size, size, 3) uint8 sRGB, and the whole's width and height in pixels.

    Raises:
        OSError, ValueError: see :func:`colorlib.pictures.reading.read_centre`; or it is too small for a data set.
    """
    square, (height, width) = read_centre(file, (size, size))
    if min(width, height) < MINIMUM_SIDE:
        raise ValueError(f"{width}×{height} pixels is too small for a photograph")
    return square, width, height


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_space(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise OSError(
            f"the photographs need {wanted / 1e6:,.0f} MB in {folder.parent} and {free / 1e6:,.0f} MB are free; "
            "free some space or choose a smaller size."
        )
