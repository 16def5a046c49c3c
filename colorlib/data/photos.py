"""Any photographs, from a folder or an archive, into a store.

What happens to a picture, in this order: its short side becomes ``size`` and its centre square is kept (one resampling
with Pillow's Lanczos filter, of the square alone); EXIF orientation is applied; an embedded colour profile is turned
into sRGB; transparency is laid on white; 16-bit grey is scaled to 8 (of 16-bit colour the upper 8 bits are kept);
the first frame stands for an animation; sRGB becomes OpenCV's 8-bit Lab.
"""

import itertools
import multiprocessing
import os
import shutil
import signal
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from tqdm import tqdm

from colorlib.color.lab import rgb8_to_lab8
from colorlib.data.arrays import MINIMUM_SIDE
from colorlib.data.store import LabArrays, open_store
from colorlib.data.writing import Record, StoreWriter
from colorlib.pictures.archives import Member
from colorlib.pictures.listing import Listing, list_photographs
from colorlib.pictures.reading import read_centre, reason_of

_PIECE = 8
_IN_PROCESS = 64


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
    with tqdm(total=total, initial=writer.done, desc=f"preparing {source.name}", unit="photo") as progress:
        pieces = _pieces(listing.read(writer.done))
        results = _prepared(pieces, size, 1 if total - writer.done <= _IN_PROCESS else workers)
        while batch := list(itertools.islice(results, chunk // _PIECE)):
            outcomes = [outcome for piece in batch for outcome in piece]
            writer.append(
                [o for o in outcomes if isinstance(o, Record)], [o for o in outcomes if not isinstance(o, Record)]
            )
            progress.update(len(outcomes))


def _pieces(members: Iterator[Member]) -> Iterator[list[Member]]:
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
        if parent := multiprocessing.parent_process():
            parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def prepare_piece(piece: list[Member], size: int) -> list[Record | tuple[str, str]]:
    """Prepare a few files: a `Record` for each, or (name, reason) for one that cannot be used."""
    outcomes: list[Record | tuple[str, str]] = []
    for member in piece:
        # Damaged files make decoders raise nearly anything; whatever it is, it concerns this one file.
        try:
            with warnings.catch_warnings(action="ignore"), member.open() as file:
                picture, width, height = square_photograph(file, size)
            L8, ab8 = rgb8_to_lab8(picture[None])
            flags = ("upscaled",) if min(width, height) < size else ()
            outcomes.append(Record(member.name, width, height, L8[0], ab8[0], flags=flags))
        except Exception as error:
            outcomes.append((member.name, reason_of(error)))
    return outcomes


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
            f"the photographs need {wanted / 1e9:.1f} GB in {folder.parent} and {free / 1e9:.1f} GB are free; "
            "free some space or choose a smaller size."
        )
