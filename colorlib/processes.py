"""Processes: they end when the one that started them ends, so that nothing of a killed study goes on writing."""

import io
import os
import sys
import threading
import time

PARENT = "COLORLIB_DIE_WITH_PARENT"
_following = threading.Event()


def print_anything() -> None:
    """Let this process print any text: what a terminal's encoding lacks comes as a question mark, not as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def environment_for_children(**variables: str) -> dict[str, str]:
    """Return this process's environment, asking children that call :func:`follow_parent` to end with this process."""
    return {**os.environ, PARENT: str(os.getpid()), **variables}


def follow_parent(every: float = 0.2) -> None:
    """End this process soon after its parent has ended, if the parent asked for it; otherwise do nothing.

    A thread watches the parent's process id, which works on Linux and on macOS, after SIGKILL too. Files are
    written atomically everywhere in colorlib, so ending without ceremony loses nothing but the work under way.

    Args:
        every: seconds between looks.
    """
    asked = os.environ.get(PARENT)
    if not asked or _following.is_set():
        return
    _following.set()
    parent = os.getppid()
    if parent != int(asked) and not _is_alive(int(asked)):
        os._exit(1)  # it died while this process was still starting

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(every)
        os._exit(1)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
