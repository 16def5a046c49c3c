"""Writing files so that a reader, or a killed writer, never leaves half of one."""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends well.

    The contents are flushed to the disk before the rename, so ``path`` holds either the old or the whole new
    file, whatever happens. When the block raises, the temporary file is removed and ``path`` is left as it was.

    Example:
        >>> with atomic_path("results.csv") as temporary:
        ...     temporary.write_text("a,b")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def project_folder() -> Path:
    """Return the nearest folder with a ``pyproject.toml``, from the working folder upwards, as a relative path.

    JupyterLab works in ``notebooks/`` and a command line at the top; both mean the same ``data/`` and ``runs/``.
    Outside a checkout it is the working folder.
    """
    here = Path.cwd()
    found = next((folder for folder in (here, *here.parents) if (folder / "pyproject.toml").exists()), here)
    return Path(os.path.relpath(found))


def sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path | str, value: object) -> None:
    """Write ``value`` as indented JSON, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_versioned(path: Path | str, version: int) -> dict:
    """Read a JSON file whose ``format`` says which version of its layout it is.

    Raises:
        ValueError: the file is damaged, or of another version.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content["format"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is damaged; move {path.parent} aside and run again.") from None
    if found != version:
        raise ValueError(
            f"{path.parent} was written by another version of colorlib (format {found}, this one reads {version}); "
            "move it aside and run again."
        )
    return content


@contextlib.contextmanager
def exclusive(folder: Path | str, what: str, patience: float = 10.0) -> Iterator[None]:
    """Hold ``folder`` for this process alone while the block runs.

    The lock is the operating system's (``flock``): it ends with its process, however that ends.

    Args:
        folder: made if it does not exist; the lock is its file ``.lock``.
        what: the noun for the message, for example ``"study"``.
        patience: seconds to wait for another holder to finish (one that was just killed needs a moment).

    Raises:
        BlockingIOError: another process still holds it after ``patience``; the message names its pid.
    """
    path = Path(folder) / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    with open(path, "a+", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    file.seek(0)
                    raise BlockingIOError(
                        f"the {what} folder {folder} is in use by process {file.read().strip() or '?'}; "
                        "wait for it to end or stop it."
                    ) from None
                time.sleep(0.2)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
