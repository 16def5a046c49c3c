"""Writing a store: appended in chunks, resumed after a kill, published whole."""

import contextlib
import errno
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from colorlib.data.arrays import MINIMUM_SIDE, map_npy
from colorlib.data.manifest import complete_manifest, describe, read_info, write_manifest
from colorlib.data.store import is_store
from colorlib.files import atomic_path, exclusive, write_json

AB_FILE_ROWS = 10_000


@dataclass(frozen=True)
class Record:
    """One photograph on its way into a store.

    Attributes:
        source: where it came from, for people; the last part of it begins the photograph's id.
        width, height: pixels before any resize.
        L8: (H, W) uint8, and ab8: (H, W, 2) uint8, OpenCV's 8-bit Lab.
        kinds: (H, W) uint8 or None.
        flags: what the preparation noticed, for example ``("upscaled",)``.
    """

    source: str
    width: int
    height: int
    L8: np.ndarray
    ab8: np.ndarray
    kinds: np.ndarray | None = None
    flags: tuple[str, ...] = ()


class NoPhotographError(ValueError):
    """Nothing that was to be stored could be used.

    Attributes:
        skipped: (source, reason) of each.
    """

    def __init__(self, skipped: Sequence[tuple[str, str]]) -> None:
        first = f"; the first, {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        super().__init__(f"no photograph could be used, {len(skipped):,} were skipped{first}.")
        self.skipped = skipped


class StoreWriter:
    """Append photographs to a store that appears, whole, when it is finished.

    Rows go to the ends of the arrays in ``<folder>.partial`` and then, chunk by chunk, into its journal; a writer
    that finds a journal cuts the arrays back to what the journal vouches for and goes on, so a process killed at any
    moment loses at most one chunk and the final bytes are those of an undisturbed run.

    Attributes:
        finished: the folder already holds this very store; there is nothing to do.
        done: how many sources (kept and skipped) are already in.

    Raises:
        ValueError: the folder, or its partial, holds something else; nothing is ever overwritten.
        BlockingIOError: another process is writing the same store.
        OSError: the disk is full; the sentence says how to go on.
    """

    def __init__(self, folder: Path | str, name: str, size: tuple[int, int], info: dict[str, Any], kinds: bool = False):
        self.folder = Path(folder)
        self.partial = self.folder.with_name(self.folder.name + ".partial")
        if min(size) < MINIMUM_SIDE:
            raise ValueError(f"size {size} is too small: photographs need sides of {MINIMUM_SIDE} pixels or more.")
        self.settings = {"name": name, "size": size, **info}
        self.size, self.kinds = tuple(size), kinds
        self.done, self._rows, self._skipped = 0, 0, 0

    def __enter__(self) -> "StoreWriter":
        self._stack = contextlib.ExitStack()
        self.finished = self._is_finished()
        if not self.finished:
            self._stack.enter_context(disk_full_explained(self.partial))
            self._stack.enter_context(exclusive(self.partial, "store"))
            try:
                self.finished = self._is_finished()
                if not self.finished:
                    self._resume()
            except BaseException:
                self._stack.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, traceback)

    def append(self, records: Sequence[Record], skipped: Sequence[tuple[str, str]] = ()) -> None:
        """Add a chunk of photographs, and of sources left out with the reason, for good."""
        lines: list[dict[str, Any]] = []
        if records:
            L8, ab8 = np.stack([r.L8 for r in records]), np.stack([r.ab8 for r in records])
            of_size = L8.shape[1:] == self.size and ab8.shape[1:] == (*self.size, 2)
            if not of_size or {L8.dtype, ab8.dtype} != {np.dtype("u1")}:
                raise ValueError(f"records must be uint8 of size {self.size}, not {L8.dtype} of {L8.shape[1:]}.")
            kinds = [r.kinds for r in records if r.kinds is not None]
            if self.kinds and len(kinds) < len(records):
                raise ValueError(f"every record for {self.folder} must bring kinds.")
            self._write_rows(self._L_path(), self._rows, L8)
            if self.kinds:
                self._write_rows(self._kinds_path(), self._rows, np.stack(kinds))
            row = 0
            while row < len(ab8):
                part, within = divmod(self._rows + row, AB_FILE_ROWS)
                piece = ab8[row : row + AB_FILE_ROWS - within]
                self._write_rows(self._ab_path(part + 1), within, piece)
                row += len(piece)
            facts = describe(L8, ab8).to_dict("records")
            lines = [
                {"source": r.source, "width": r.width, "height": r.height, **fact, "flags": list(r.flags)}
                for r, fact in zip(records, facts, strict=True)
            ]
        with open(self.partial / "journal.jsonl", "a", encoding="utf-8") as journal:
            journal.write(json.dumps({"rows": lines, "skipped": list(skipped)}) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._rows += len(lines)
        self._skipped += len(skipped)
        self.done += len(lines) + len(skipped)

    def finish(self, passed_over: Sequence[tuple[str, str]] = (), counts: dict[str, Any] | None = None) -> None:
        """Complete headers and manifest, and give the folder its name.

        ``passed_over`` is (name, reason) of further sources that could not be used; ``counts`` join ``dataset.json``'s.

        Raises:
            NoPhotographError: no photograph was kept; the sentence gives the first reason.
        """
        entries = list(self._journal())
        skipped = [(source, why) for entry in entries for source, why in entry["skipped"]] + [*passed_over]
        if not self._rows:
            shutil.rmtree(self.partial)
            raise NoPhotographError(skipped)
        self._write_header(self._L_path(), (self._rows, *self.size))
        if self.kinds:
            self._write_header(self._kinds_path(), (self._rows, *self.size))
        for part, start in enumerate(range(0, self._rows, AB_FILE_ROWS), start=1):
            self._write_header(self._ab_path(part), (min(AB_FILE_ROWS, self._rows - start), *self.size, 2))
        rows = [row for entry in entries for row in entry["rows"]]
        manifest = complete_manifest(pd.DataFrame(rows), map_npy(self._L_path()))
        write_skipped(self.partial / "skipped.csv", skipped)
        write_manifest(self.partial, manifest, {**self.settings, "counts": {"skipped": len(skipped), **(counts or {})}})
        self._publish()

    def _publish(self) -> None:
        remove_halves(self.partial)
        for leftover in ("journal.jsonl", "settings.json"):
            (self.partial / leftover).unlink(missing_ok=True)
        os.replace(self.partial, self.folder)
        (self.folder / ".lock").unlink()
        self.finished = True

    def _is_finished(self) -> bool:
        if not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir())):
            return False
        if not is_store(self.folder):
            raise ValueError(
                f"{self.folder} exists and is not a prepared data set; choose another folder for the result."
            )
        compare_settings(self.settings, read_info(self.folder), self.folder)
        return True

    def _resume(self) -> None:
        if is_store(self.partial):  # killed between the last file and the new name
            compare_settings(self.settings, read_info(self.partial), self.partial)
            return self._publish()
        settings = self.partial / "settings.json"
        if settings.exists():
            compare_settings(self.settings, json.loads(settings.read_text(encoding="utf-8")), self.partial)
        elif any(not path.name.startswith(".") for path in self.partial.iterdir()):
            raise ValueError(f"{self.partial} holds something that is no unfinished store; move it away.")
        else:
            write_json(settings, self.settings)
        for entry in self._journal(repair=True):
            self._rows += len(entry["rows"])
            self._skipped += len(entry["skipped"])
        self.done = self._rows + self._skipped

    def _journal(self, repair: bool = False) -> Iterator[dict[str, Any]]:
        path = self.partial / "journal.jsonl"
        if not path.exists():
            return
        good = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                yield json.loads(line)
                good += len(line)
        if repair and good != path.stat().st_size:
            os.truncate(path, good)

    def _L_path(self) -> Path:
        return self.partial / "l" / "gray_scale.npy"

    def _ab_path(self, number: int) -> Path:
        return self.partial / "ab" / "ab" / f"ab{number}.npy"

    def _kinds_path(self) -> Path:
        return self.partial / "kinds" / "kinds.npy"

    @staticmethod
    def _write_rows(path: Path, row: int, values: np.ndarray) -> None:
        """Write rows from position ``row`` on, over anything that a killed writer left there."""
        header = npy_header((row, *values.shape[1:]))
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(header)
        with open(path, "rb+") as file:
            file.seek(len(header) + row * values[0].size)
            file.write(np.ascontiguousarray(values).data)
            file.flush()
            os.fsync(file.fileno())

    @staticmethod
    def _write_header(path: Path, shape: tuple[int, ...]) -> None:
        header = npy_header(shape)
        with open(path, "rb+") as file:
            file.write(header)
            file.truncate(len(header) + int(np.prod(shape)))
            file.flush()
            os.fsync(file.fileno())


def compare_settings(settings: dict[str, Any], there: dict[str, Any], where: Path) -> None:
    """See that what lies at a place was made with these settings.

    Raises:
        ValueError: it was not; the sentence gives the first that differs.
    """
    settings = json.loads(json.dumps(settings))
    if key := next((key for key in settings if there.get(key) != settings[key]), None):
        change = f"{key} {there.get(key)!r} there, {settings[key]!r} now"
        change = "photographs were added, removed or replaced" if key == "source_digest" else change
        raise ValueError(
            f"{where} was made with other settings ({change}); choose another folder, or delete it to make it anew."
        )


def remove_halves(folder: Path) -> None:
    """Remove what killed processes left half written in a folder, which is this process's alone."""
    for half in folder.rglob(".*.tmp"):
        half.unlink()


def write_skipped(path: Path, skipped: Iterable[tuple[str, str]]) -> None:
    """Write down which sources were left out, and why."""
    with atomic_path(path) as temporary:
        pd.DataFrame(skipped, columns=["source", "reason"]).to_csv(temporary, index=False, lineterminator="\n")


def npy_header(shape: tuple[int, ...]) -> bytes:
    """Return an ``.npy`` header; numpy pads it so that its length does not depend on the number of rows."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": tuple(int(n) for n in shape)}
    )
    return buffer.getvalue()


@contextlib.contextmanager
def disk_full_explained(partial: Path) -> Iterator[None]:
    """Say in one sentence, where the disk is full or one's share of it used up, how to go on."""
    words = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your share of the disk is used up"}
    try:
        yield
    except OSError as error:
        if error.errno not in words:
            raise
        raise OSError(
            error.errno,
            f"{words[error.errno]}; what was prepared is kept in {partial}: free some space and run the same command "
            "again to go on",
        ) from None
