"""Photographs read in a process of their own that can be ended: no file takes more than its share of memory and time.

A decoder believes what a file declares, and a few hundred bytes can declare gigabytes or work without end. So whatever
comes from elsewhere is decoded by a child that waits for the next file; when it passes a bound it is ended, that file
is named, and the next one gets a new child. Pixels come back through memory that the child hands over.

On Linux all bounds hold. macOS does not limit a process's memory, so that only pixels and seconds are bounded there.
Windows cannot hand memory over in this way: a file is read in the calling process and only its pixels are bounded.
"""

import atexit
import contextlib
import mmap
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from typing import IO, Any

import numpy as np

from colorlib.pictures.picture import Picture
from colorlib.pictures.reading import MAX_PIXELS, read_centre, read_picture, reason_of
from colorlib.processes import environment_for_children, follow_parent

SECONDS = 20.0  # that decoding may take, and one more for every megabyte of the file
BYTES_OF_A_PIXEL = 24  # that decoding may need at once: three channels of 16 bits, four times
LEAST_MEMORY = 1 << 30
_START_SECONDS = 120.0
_LARGE = 1 << 16  # bytes; less comes through the pipe


def read_bounded(source: Path | str | bytes, max_pixels: int = MAX_PIXELS, seconds: float | None = None) -> Picture:
    """Read a picture file as :func:`colorlib.pictures.reading.read_picture` does, within bounds.

    Args:
        source: a path, or the bytes of a file.
        max_pixels: more are refused; memory is bounded by 24 bytes for each, and at least 1 GiB.
        seconds: more end it; by default 20, and one more for every megabyte of the file.

    Raises:
        FileNotFoundError, PermissionError: there is no such file, or it may not be read.
        ValueError: no picture, a damaged one, or one that passes a bound; the message is one sentence that names it.
    """
    name = "the file" if isinstance(source, bytes) else str(source)
    try:
        _check_kind(source)
        return _call(read_picture, source, max_pixels, seconds=seconds, memory=_memory_for(max_pixels))
    except _PassedBound as error:
        raise ValueError(f"{name} cannot be coloured: {error}.") from None


def read_centre_bounded(
    source: Path | str | bytes, size: tuple[int, int], seconds: float | None = None
) -> tuple[np.ndarray, tuple[int, int]]:
    """Read the centre of a picture file as :func:`colorlib.pictures.reading.read_centre` does, within bounds.

    Raises:
        FileNotFoundError, PermissionError, ValueError: as there, or it passes a bound; the message is the reason alone.
    """
    _check_kind(source)
    return _call(read_centre, source, size, seconds=seconds, memory=_memory_for(MAX_PIXELS))


def end_children() -> None:
    """End the processes that wait for the next file."""
    while True:
        try:
            child = _idle.pop()
        except IndexError:
            return
        child.end()


class _PassedBound(ValueError):
    """A file asked for too much."""


def _memory_for(pixels: int) -> int:
    return max(LEAST_MEMORY, BYTES_OF_A_PIXEL * pixels)


def _seconds_for(source: Path | str | bytes) -> float:
    with contextlib.suppress(OSError):
        return SECONDS + (len(source) if isinstance(source, bytes) else Path(source).stat().st_size) / 1e6
    return SECONDS


def _check_kind(source: Path | str | bytes) -> None:
    path = None if isinstance(source, bytes) else Path(source)
    if path and path.exists() and not path.is_file() and not path.is_dir():
        raise _PassedBound("it is a pipe, socket or device and no file")


# ------------------------------------------------------------------------------------------------ the calling process

_idle: list["_Child"] = []
atexit.register(end_children)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a fork must not talk to its parent's children


def _call(function: Callable, source: Path | str | bytes, *args: Any, seconds: float | None, memory: int) -> Any:
    """Call ``function(source, *args)`` in a child that nobody else is using."""
    if os.name == "nt":
        return function(BytesIO(source) if isinstance(source, bytes) else source, *args)
    child = _take()
    try:
        answer = child.ask((function, source, args, memory), _seconds_for(source) if seconds is None else seconds)
    except EOFError:
        child.end()
        code = child.process.returncode
        how = signal.Signals(-code).name if code < 0 else f"status {code}"
        raise _PassedBound(
            f"decoding it ended in {how}: it is damaged, or asked for more than {memory / 1e9:.1f} GB of memory"
        ) from None
    except BaseException:
        child.end()
        raise
    _idle.append(child)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _take() -> "_Child":
    with contextlib.suppress(IndexError):
        while True:
            child = _idle.pop()
            if child.process.poll() is None:
                return child
            child.end()
    return _Child()


class _Child:
    """One process that reads pictures."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from colorlib.pictures.bounded import serve; serve({theirs.fileno()})"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment_for_children(
                PYTHONPATH=os.pathsep.join(entry or os.getcwd() for entry in sys.path),
                MALLOC_ARENA_MAX="2",  # each thread's own would count as memory
            ),
        )
        theirs.close()
        try:
            if not self._connection.poll(_START_SECONDS):
                raise EOFError
            self._connection.recv()
        except EOFError:
            self.end()
            raise OSError("the process that reads photographs does not start.") from None

    def ask(self, request: tuple, seconds: float) -> Any:
        """Return what it answers; an EOFError says that it ended, a `_PassedBound` that it took too long."""
        try:
            self._connection.send(request)
        except BrokenPipeError:
            raise EOFError from None
        if not self._connection.poll(seconds):
            raise _PassedBound(f"decoding took more than {seconds:.0f} s")
        data, lengths = self._connection.recv()
        return pickle.loads(data, buffers=self._take_over(lengths) if lengths else [])

    def _take_over(self, lengths: list[int]) -> list[memoryview]:
        """Map the memory that the child hands over; it is freed with the last array in it."""
        handle = recv_handle(self._connection)
        try:
            memory = memoryview(mmap.mmap(handle, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE))
        finally:
            os.close(handle)
        starts = np.cumsum([0, *map(_aligned, lengths)]).tolist()
        return [memory[start : start + length] for start, length in zip(starts, lengths, strict=False)]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._connection.close()


# ---------------------------------------------------------------------------------------------------------- the child


def serve(channel: int) -> None:
    """Answer requests until the other end of the channel is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    follow_parent()
    connection, base = Connection(channel), _address_space()
    connection.send("ready")
    while True:
        try:
            function, source, args, memory = connection.recv()
        except EOFError:
            return
        _hand_over(connection, _answer(function, source, args, base, memory))


def _hand_over(connection: Connection, answer: Any) -> None:
    """Send an answer, its large arrays in memory of their own."""
    large: list[memoryview] = []

    def is_small(buffer: pickle.PickleBuffer) -> bool:
        if buffer.raw().nbytes < _LARGE:
            return True
        return bool(large.append(buffer.raw()))

    data = pickle.dumps(answer, protocol=5, buffer_callback=is_small)
    connection.send((data, [array.nbytes for array in large]))
    if large:
        with _memory_file() as file:
            for array in large:
                file.write(array)
                file.write(bytes(_aligned(array.nbytes) - array.nbytes))
            file.flush()
            send_handle(connection, file.fileno(), os.getppid())


def _memory_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("colorlib"), "wb")
    return tempfile.TemporaryFile()


def _aligned(length: int) -> int:
    return -(-length // 64) * 64


def _answer(function: Callable, source: Path | str | bytes, args: tuple, base: int, memory: int) -> Any:
    """Return what the function returns or raises, within so much memory beyond what this process has anyway."""
    _limit_memory(base + memory)
    try:
        return function(BytesIO(source) if isinstance(source, bytes) else source, *args)
    except (FileNotFoundError, PermissionError, IsADirectoryError, ValueError) as error:
        return error
    except MemoryError:
        return _PassedBound(f"it asked for more than {memory / 1e9:.1f} GB of memory")
    except Exception as error:  # a decoder's
        return ValueError(reason_of(error))
    finally:
        _limit_memory(None)


def _address_space() -> int:
    """Return how many bytes of address space this process has, without any picture."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _limit_memory(most: int | None) -> None:
    import resource  # not at the top: Windows has none

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):  # macOS
        resource.setrlimit(resource.RLIMIT_AS, (hard if most is None else most, hard))
