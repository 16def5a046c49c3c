"""Photographs that a visitor brought together: coloured one after the other, looked through, taken home in one zip."""

import io
import tempfile
import time
import zipfile
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from colorlib.app.photograph import Result, color_file, plain_name
from colorlib.app.turns import Ended, GoOn, Queue
from colorlib.deployment.colorizer import PhotoColorizer

MOST = 50  # photographs at a time
ROOM = 2_000_000_000  # bytes that an album's results may take on the disk


@dataclass(eq=False)
class Page:
    """One photograph of an album.

    Attributes:
        name: of its file, without any folder.
        data: the file.
        future: its colouring.
    """

    name: str
    data: bytes
    future: "Future[Result] | None" = None

    @property
    def state(self) -> str:
        """Return "waiting", "done" or "failed"."""
        if self.future is None or not self.future.done() or self.future.cancelled():
            return "waiting"
        return "failed" if self.future.exception() else "done"

    @property
    def result(self) -> Result | None:
        return self.future.result() if self.future and self.state == "done" else None

    @property
    def reason(self) -> str:
        """Why it could not be coloured, in a sentence."""
        error = self.future.exception() if self.future and self.state == "failed" else None
        if error is None:
            return ""
        known = isinstance(error, ValueError | OSError)
        return str(error) if known else "the file cannot be coloured: something went wrong on our side."


class Album:
    """A visitor's photographs, coloured by one model into a folder of its own, which is forgotten with it.

    Args:
        queue, visitor: whose turn it takes.
    """

    def __init__(self, queue: Queue, visitor: str) -> None:
        self.pages: dict[str, Page] = {}
        self.left_out = 0
        self.model = ""
        self._queue, self._visitor = queue, visitor
        self._folder = tempfile.TemporaryDirectory(prefix="colorlib-album-")
        self._names: set[str] = set()
        self._begun = time.monotonic()

    def hold(self, files: Mapping[str, tuple[str, bytes]]) -> None:
        """Hold these photographs, identity -> (name, data), the first ``MOST`` of them; those held already stay."""
        for gone in self.pages.keys() - files.keys():
            self._drop(self.pages.pop(gone))
        for identity, (name, data) in files.items():
            if identity not in self.pages and len(self.pages) < MOST:
                self.pages[identity] = Page(plain_name(name), data)
        self.left_out = len(files) - len(self.pages)

    def color(self, name: str, model: PhotoColorizer) -> None:
        """Have everything coloured by a model, unless it is or will be; a visitor who comes back goes on there."""
        if name != self.model:
            for page in self.pages.values():
                self._drop(page)
            self.model = name
        waiting = [page for page in self.pages.values() if page.future is None or page.future.cancelled()]
        if waiting and not self.running:
            self._begun = time.monotonic()
        for page in waiting:
            page.future = self._queue.submit(self._visitor, partial(self._color, page, model))

    @property
    def running(self) -> bool:
        return any(page.future is not None and not page.future.done() for page in self.pages.values())

    @property
    def seconds_left(self) -> float | None:
        """Return how long it will take, going by those that are done; None as long as none is."""
        done = sum(page.state != "waiting" for page in self.pages.values())
        return (time.monotonic() - self._begun) / done * (len(self.pages) - done) if done else None

    def _drop(self, page: Page) -> None:
        if page.future is not None:
            page.future.cancel()
            if page.result:
                self._names.discard(page.result.path.name.lower())
                page.result.path.unlink(missing_ok=True)
        page.future = None

    def _color(self, page: Page, model: PhotoColorizer, go_on: GoOn) -> Result:
        folder = Path(self._folder.name)
        if sum(path.stat().st_size for path in folder.iterdir()) > ROOM:
            raise Ended("there is no room for more: take away what is done, then bring the others.")
        done = color_file(page.data, folder / str(id(page)), model, go_on=go_on)
        named = folder / self._free_name(Path(page.name).stem, done.path.suffix)
        return done._replace(path=done.path.rename(named))

    def _free_name(self, stem: str, ending: str) -> str:
        """Return a name that no other result has, whatever the case of its letters."""
        name, number = f"{stem}-coloured{ending}", 1
        while name.lower() in self._names:
            number += 1
            name = f"{stem}-coloured-{number}{ending}"
        self._names.add(name.lower())
        return name

    def zip(self) -> bytes:
        """Return a zip of all that is done, and a note of what is not, and why."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
            for page in self.pages.values():
                if page.result:
                    archive.write(page.result.path, page.result.path.name)
            archive.writestr("notes.txt", self.notes())
        return file.getvalue()

    def notes(self) -> str:
        """Say what was coloured and what was not, line by line."""
        pages = self.pages.values()
        done = [(page.name, page.result) for page in pages if page.result]
        lines = [f"{len(done)} of {len(pages)} photographs, coloured by a machine: colorlib, model {self.model}.", ""]
        lines += [f"{page.name}: {page.reason}" for page in pages if page.reason]
        lines += [f"{page.name}: not coloured yet." for page in pages if page.state == "waiting"]
        lines += [" ".join([f"{name} became {result.path.name}.", *result.notes]) for name, result in done]
        if self.left_out:
            lines.append(f"{self.left_out} more were left out: an album holds {MOST}.")
        return "\n".join(lines) + "\n"
