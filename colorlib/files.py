"""Files: names that may become theirs, and writing that never leaves half of one, whoever is killed."""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

LIBRARY = Path(__file__).parent
_TRAVELLED = LIBRARY / "notebooks"  # in a wheel they lie inside the library, in a checkout beside it
NOTEBOOKS = _TRAVELLED if _TRAVELLED.is_dir() else LIBRARY.parent / "notebooks"
_TEMPORARY = "colorlib-run-"
LONGEST_NAME = 160  # bytes: what is put before and behind it keeps within the 255 that file systems take


def check_name(name: str, what: str) -> str:
    """Return a name that may become that of a file or folder; whatever names one from outside is asked here.

    It begins with a letter or digit, so it is no hidden file, no option and no way up; it holds no separator of paths,
    nothing that a shell or Snakemake takes for a sign, and no line break.

    Args:
        name: from a command line, a study's file or a data set.
        what: it is of, for the message.

    Raises:
        ValueError: the name may not.

    Example:
        >>> check_name("U-Net (small)", "run")
        'U-Net (small)'
        >>> check_name("../../x", "run")
        Traceback (most recent call last):
        ValueError: the name of a run holds letters, digits, blanks and . _ + - ( ), and begins with ...
    """
    fits = isinstance(name, str) and re.fullmatch(r"\w[\w .()+-]*", name) and len(name.encode()) <= LONGEST_NAME
    if not fits or name.endswith((" ", ".")):
        raise ValueError(
            f"the name of a {what} holds letters, digits, blanks and . _ + - ( ), and begins with a letter or digit "
            f"and ends with neither blank nor point, in {LONGEST_NAME} bytes at most; {name!r} does not."
        )
    return name


def name_from(text: str) -> str:
    """Return the nearest thing to a text that :func:`check_name` lets pass; the text itself where it does.

    Example:
        >>> name_from("photos {1912} & more"), name_from("my photos"), name_from("..")
        ('photos-1912-more', 'my photos', 'unnamed')
    """
    try:
        return check_name(text, "file")
    except ValueError:
        short = re.sub(r"[^\w.()+-]+", "-", text).encode(errors="ignore")[:LONGEST_NAME].decode(errors="ignore")
        return short.strip("-.()+") or "unnamed"


def fetch(url: str, path: Path | str, digest: str, algorithm: str = "sha256") -> Path:
    """Fetch a file once, and keep it only if it is the right one.

    Args:
        url: http or https.
        path: where it is kept; one that is there already is checked and not fetched again.
        digest: what its checksum begins with, hexadecimal.
        algorithm: of the checksum, as :mod:`hashlib` calls it.

    Raises:
        ValueError: the file has another checksum.
        OSError: no network, no such file on the server, no room; what to do instead is said.
    """
    import pooch  # only where something is to be fetched
    from requests import RequestException

    from colorlib.bars import watched

    path = Path(path)
    if path.is_file() and pooch.file_hash(str(path), algorithm).startswith(digest):
        return path
    with atomic_path(path) as temporary:
        try:
            pooch.HTTPDownloader(progressbar=watched(), timeout=30)(url, str(temporary), None)
        except RequestException as error:
            raise OSError(f"{url} could not be fetched ({error}); get it elsewhere and put it at {path}.") from None
        found = pooch.file_hash(str(temporary), algorithm)
        if not found.startswith(digest):
            raise ValueError(
                f"{url} has {algorithm.upper()} {found}, not the published {digest}; nothing was kept, try again."
            )
    return path


def published_digest(url: str, instead: str) -> str | None:
    """Ask a hub of models for the SHA-256 of a file, which it tells as ``X-Linked-Etag``; None where it does not.

    Args:
        url: http or https.
        instead: what to do without the net, for the sentence.

    Raises:
        OSError: no network, or no such file on the server.
    """
    import requests  # only where something is to be fetched

    try:
        answer = requests.head(url, timeout=30)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise OSError(f"{url} could not be fetched ({error}); {instead}.") from None
    return answer.headers.get("X-Linked-Etag", "").strip('"').lower() or None


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends well.

    The contents are flushed to the disk before the rename, so ``path`` holds either the old or the whole new
    file, whatever happens. When the block raises, the temporary file is removed and ``path`` is left as it was.

    Raises:
        OSError: it cannot be written; the error names ``path``, also where the system names the temporary path or none.

    Example:
        >>> with atomic_path("results.csv") as temporary:
        ...     _ = temporary.write_text("a,b")
        >>> Path("results.csv").read_text()
        'a,b'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name if len(os.fsencode(path.name)) < 230 else hashlib.sha256(os.fsencode(path.name)).hexdigest()
    temporary = path.with_name(f".{name}.{os.getpid()}.tmp")  # no longer than a name may be
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def project_folder() -> Path:
    """Return the checkout that the working folder lies in, as a relative path; outside of one, the working folder.

    JupyterLab works in ``notebooks/`` and a command line at the top; both mean the same ``data/`` and ``runs/``.
    """
    here = Path.cwd()
    checkouts = (folder for folder in (here, *here.parents) if (folder / "notebooks" / "Snakefile").exists())
    return Path(os.path.relpath(next(checkouts, here)))


def sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path | str, value: object) -> None:
    """Write ``value`` as indented JSON, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def is_blank(path: Path) -> bool:
    """Tell whether a file holds nothing: it is missing, empty, or zeros, as a machine that lost its power leaves it."""
    try:
        with open(path, "rb") as file:
            return not file.read(8).strip(b"\0")
    except FileNotFoundError:
        return True


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in one sentence that a file of a run or study, which the block reads, is damaged.

    Raises:
        ValueError: it is; the message says what to do.
    """
    try:
        yield
    except (ValueError, TypeError, EOFError, LookupError, zipfile.BadZipFile, zlib.error):
        raise ValueError(f"{path} is damaged; move {path.parent} aside and run again.") from None


def read_versioned(path: Path | str, version: int) -> dict:
    """Read a JSON file whose ``format`` says which version of its layout it is.

    Raises:
        ValueError: the file is damaged, or of another version.
    """
    path = Path(path)
    with reading(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content["format"]
    if found != version:
        raise ValueError(
            f"{path.parent} was written by another version of colorlib (format {found}, this one reads {version}); "
            "move it aside and run again."
        )
    return content


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder for this process and its children; what killed ones left of theirs is removed first.

    A folder is in use while its process, which holds its lock, lives. It is removed when the block ends.

    Raises:
        OSError: the temporary directory cannot be written to.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):  # it is in use, or another user's
            young = time.time() - left.lstat().st_mtime < 60  # it may not be locked yet
            if not young and not left.is_symlink():
                with exclusive(left, "temporary", patience=0):
                    shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY, ignore_cleanup_errors=True) as folder:
        with exclusive(folder, "temporary"):
            yield Path(folder)


@contextlib.contextmanager
def exclusive(folder: Path | str, what: str, patience: float = 10.0) -> Iterator[None]:
    """Hold ``folder`` for this process alone while the block runs.

    The lock is the operating system's (``flock``): it ends with its process, however that ends.

    Args:
        folder: made if it does not exist; the lock is its file ``.lock``.
        what: the noun for the message, for example ``"study"``.
        patience: seconds to wait for another holder to finish (one that was just killed needs a moment).

    Raises:
        BlockingIOError: another process still holds it after ``patience``; the message names its pid and machine.
    """
    import fcntl  # not at the top: Windows has none, and photographs can be coloured without

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
        file.write(f"{os.getpid()} on {platform.node()}")
        file.flush()
        yield


def is_held(folder: Path | str) -> bool:
    """Tell whether a process holds ``folder`` by :func:`exclusive`, on this machine or one that shares its files."""
    import fcntl

    with contextlib.suppress(FileNotFoundError), open(Path(folder) / ".lock", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
