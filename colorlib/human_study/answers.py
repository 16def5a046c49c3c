"""The answers, in one SQLite file that any number of people may write to at once.

It holds nothing about a person but a random number.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from colorlib.files import project_folder
from colorlib.human_study.session import Trial

SCHEMA = 1
PATIENCE = 10.0  # seconds to wait for others who write
COLUMNS = {
    "session": "TEXT NOT NULL",
    "trial": "INTEGER NOT NULL",
    "kind": "TEXT NOT NULL CHECK (kind IN ('practice', 'check', 'scored'))",
    "photograph": "TEXT NOT NULL",
    "model": "TEXT NOT NULL",
    "real_side": "TEXT NOT NULL CHECK (real_side IN ('left', 'right'))",
    "answer": "TEXT NOT NULL CHECK (answer IN ('left', 'right'))",
    "seconds": "REAL NOT NULL",
    "shown_seconds": "REAL NOT NULL",
    "answered_at": "TEXT NOT NULL",
    "version": "TEXT NOT NULL",
}


def answers_path() -> Path:
    """Return where answers are kept: ``COLORLIB_ANSWERS``, or ``runs/fooling/answers.sqlite`` in the project."""
    return Path(os.environ.get("COLORLIB_ANSWERS") or project_folder() / "runs" / "fooling" / "answers.sqlite")


@contextlib.contextmanager
def _connected(path: Path | str, mode: str) -> Iterator[sqlite3.Connection]:
    """Open the file of answers, "ro", "rw" or "rwc"; what SQLite has against it becomes one sentence."""
    path = Path(path)
    try:
        if mode == "rwc":
            path.parent.mkdir(parents=True, exist_ok=True)
        uri = f"{path.resolve().as_uri()}?mode={mode}"
        with contextlib.closing(sqlite3.connect(uri, PATIENCE, isolation_level=None, uri=True)) as connection:
            yield connection
    except sqlite3.OperationalError as error:  # read-only, locked, a full disk
        raise OSError(f"the answers in {path} cannot be opened or written ({error}).") from None
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{path} is damaged or no file of answers ({error}); move it aside.") from None
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise OSError(f"the answers in {path} cannot be written ({error.strerror}).") from None


def _check_schema(connection: sqlite3.Connection, path: Path | str) -> bool:
    """Tell whether the file holds answers yet.

    Raises:
        ValueError: it is another program's, or another version's.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found == SCHEMA:
        return True
    if found or tables:
        raise ValueError(f"{path} is not version {SCHEMA} of a file of answers; move it aside or name another one.")
    return False


def prepare_answers(path: Path | str) -> None:
    """Make the file of answers where there is none, and see that it can be written to.

    Raises:
        OSError: it cannot be written.
        ValueError: it is damaged, or something else.
    """
    with _connected(path, "rwc") as connection:
        connection.execute("BEGIN IMMEDIATE")  # fails where nothing can be written
        if not _check_schema(connection, path):
            columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
            connection.execute(f"CREATE TABLE answers ({columns}, PRIMARY KEY (session, trial))")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")  # whoever reads does not keep others from writing


def record_answer(
    path: Path | str, session: str, number: int, trial: Trial, answer: str, seconds: float, shown_seconds: float
) -> None:
    """Keep one answer. The first one to a trial stands.

    Args:
        path: of :func:`prepare_answers`.
        session: the person's random number.
        number: of the trial in its session, from 1.
        answer: "left" or "right": the one taken for real.
        seconds: from when the pair was hidden to when the answer came.
        shown_seconds: how long it was shown.

    Raises:
        OSError, ValueError: as for :func:`prepare_answers`.
    """
    row = [session, number, trial.kind, trial.photograph, trial.model, trial.real_side, answer, round(seconds, 3)]
    row += [shown_seconds, datetime.now(UTC).isoformat(timespec="seconds"), version("colorlib")]
    with _connected(path, "rw") as connection:
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO answers VALUES ({marks}) ON CONFLICT (session, trial) DO NOTHING", row)


def read_answers(path: Path | str) -> pd.DataFrame:
    """Return all answers, one a row, in the order of sessions' beginnings; empty where there is no file yet.

    Raises:
        OSError, ValueError: as for :func:`prepare_answers`.
    """
    if not Path(path).exists():
        return pd.DataFrame(columns=list(COLUMNS))
    with _connected(path, "ro") as connection:
        written = _check_schema(connection, path)
        rows = connection.execute("SELECT * FROM answers ORDER BY rowid").fetchall() if written else []
    return pd.DataFrame(rows, columns=list(COLUMNS))
