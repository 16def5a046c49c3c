"""Writing files so that a reader, or a killed writer, never leaves half of one."""

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

MAX_DOWNLOAD = 2 << 30
LIBRARY = Path(__file__).parent


def download(url: str, file: str, digest: str | None = None, folder: Path | str | None = None) -> Path:
    """Fetch a weight file once, and keep it only if it is the right one.

    Args:
        url: http or https; ``#sha256=HEX`` at its end says what its SHA-256 must begin with.
        file: what to call it.
        digest: what its SHA-256 must begin with, where that is known already.
        folder: where it is kept; by default ``colorlib`` below ``$XDG_CACHE_HOME`` or ``~/.cache``.

    Returns:
        Its path; one that is there already is checked and not fetched again.

    Raises:
        ValueError: no checksum is known, or the file has another.
        OSError: no network, no such file on the server, no room; what to do instead is said.
    """
    address, _, fragment = url.partition("#")
    digest = fragment.removeprefix("sha256=").lower() or digest
    if urllib.parse.urlparse(address).scheme not in ("http", "https"):
        raise ValueError(f"{address} is no web address; name a file instead.")
    if not digest or len(digest) < 8 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"no checksum is known for {file}: write its SHA-256 behind the address, …#sha256=HEX.")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorlib"
    path = Path(folder or cache) / file
    if path.is_file() and sha256(path).startswith(digest):
        return path
    with atomic_path(path) as temporary:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer, open(temporary, "wb") as kept:
                fetched = 0
                while block := answer.read(1 << 20):
                    fetched += len(block)
                    if fetched > MAX_DOWNLOAD:
                        raise ValueError(f"{address} is larger than {MAX_DOWNLOAD / 1e9:.0f} GB, so no weight file.")
                    kept.write(block)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise OSError(
                f"{address} cannot be fetched ({getattr(error, 'reason', error)}); get {file} in another way and name "
                "the file: NAME=FILE."
            ) from None
        found = sha256(temporary)
        if not found.startswith(digest):
            raise ValueError(f"{address} is not {file}: its SHA-256 is {found[:16]}…, not {digest}…; nothing was kept.")
    return path


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
