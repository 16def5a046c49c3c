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
from typing import IO, Any, TypeVar

import numpy as np

from colorlib.files import LIBRARY
from colorlib.pictures.picture import Picture
from colorlib.pictures.reading import MAX_PIXELS, read_picture, reason_of
from colorlib.processes import environment_for_children, follow_parent

SECONDS = 20.0  # that decoding may take, and one more for every megabyte of the file
BYTES_OF_A_PIXEL = 24  # that decoding may need at once: three channels of 16 bits, four times
LEAST_MEMORY = 1 << 30
_START_SECONDS = 300.0
_LARGE = 1 << 20  # bytes; less comes through the pipe

Result = TypeVar("Result")


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
    try:
        memory = max(LEAST_MEMORY, BYTES_OF_A_PIXEL * max_pixels)
        return call_bounded(read_picture, source, max_pixels, seconds=seconds, memory=memory)
    except _PassedBound as error:
        name = "the file" if isinstance(source, bytes) else source
        raise ValueError(f"{name} cannot be coloured: {error}.") from None


def call_bounded(
    function: Callable[..., Result],
    source: Path | str | bytes,
    *args: object,
    seconds: float | None = None,
    memory: int = BYTES_OF_A_PIXEL * MAX_PIXELS,
) -> Result:
    """Call ``function(source, *args)``, which reads a file, in a process of its own.

    Args:
        function: of a module; it gets an open file where the source is bytes.
        source: a path, or the bytes of a file.
        seconds: more end it; by default 20, and one more for every megabyte of the file.
        memory: bytes that it may take beyond what its process has anyway.

    Raises:
        FileNotFoundError, PermissionError: the function's.
        ValueError: the function's, whatever else it raises, or it passes a bound; the message is the reason alone.
        ChildError: no process can be started.
    """
    if os.name == "nt":
        return function(BytesIO(source) if isinstance(source, bytes) else source, *args)
    size = len(source) if isinstance(source, bytes) else _size_of(Path(source))
    child = _take()
    try:
        answer = child.ask(
            function, (os.getcwd(), source, args, memory), SECONDS + size / 1e6 if seconds is None else seconds
        )
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


def _size_of(path: Path) -> int:
    if path.exists() and not path.is_file() and not path.is_dir():
        raise _PassedBound("it is a pipe, socket or device and no file")
    return path.stat().st_size if path.exists() else 0


def start_child() -> None:
    """Start the process for the first file now, where none waits yet; it is ready sooner than when the file comes."""
    if os.name != "nt" and not _idle:
        _idle.append(_Child())


def end_children(keep: int = 0) -> None:
    """End processes that wait for the next file, all but a few."""
    with contextlib.suppress(IndexError):
        while len(_idle) > keep:
            _idle.pop().end()


class ChildError(RuntimeError):
    """No process to read in can be started."""


class _PassedBound(ValueError):
    """A file asked for too much."""


# ------------------------------------------------------------------------------------------------ the calling process

_idle: list["_Child"] = []
atexit.register(end_children)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a fork must not talk to its parent's children


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
                PYTHONPATH=os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(LIBRARY.parent)])),
                OMP_NUM_THREADS="1",
                MALLOC_ARENA_MAX="2",  # each thread's own would count as memory
            ),
        )
        theirs.close()

    def ask(self, function: Callable, request: tuple, seconds: float) -> Any:
        """Return what it answers; an EOFError says that it ended, a `_PassedBound` that it took too long."""
        try:
            self._connection.send(function)
            if not self._connection.poll(_START_SECONDS):
                raise EOFError
            self._connection.recv()  # it has started, and imported the function
        except (BrokenPipeError, EOFError):
            raise ChildError("the process that reads photographs does not start.") from None
        self._connection.send(request)
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
    connection = Connection(channel)
    with contextlib.suppress(EOFError):
        while True:
            function = connection.recv()
            connection.send("ready")
            folder, source, args, memory = connection.recv()
            os.chdir(folder)  # to which a path may be relative
            _hand_over(connection, _answer(function, source, args, memory))


def _hand_over(connection: Connection, answer: Any) -> None:
    """Send an answer, its large arrays in memory of their own."""
    large: list[memoryview] = []

    def is_small(buffer: pickle.PickleBuffer) -> bool:
        array = buffer.raw()
        if array.nbytes >= _LARGE:
            large.append(array)
        return array.nbytes < _LARGE

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


def _answer(function: Callable, source: Path | str | bytes, args: tuple, memory: int) -> Any:
    """Return what the function returns or raises, within so much memory beyond what this process has anyway."""
    _limit_memory(_address_space() + memory)
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
