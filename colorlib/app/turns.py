"""Who is served when: one queue for all visitors of the page, fair to each, and with an end to everything.

Each visitor has a line of one's own, and the lines take turns, one piece of work at a time; a visitor's work never runs
twice at once. So whoever has one photograph waits for no one's fifty. What a visitor looks at goes before what the same
visitor left to be done. Work that nobody waits for any more is dropped.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")
GoOn = Callable[[], None]


class Ended(ValueError):
    """The visitor has left, or the work took too long; the message is one sentence."""


@dataclass(eq=False)
class _Work:
    visitor: str
    call: Callable[[GoOn], Any]
    seconds: float
    future: "Future[Any]" = field(default_factory=Future)

    def run(self, left: Callable[[], bool]) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        begun = time.monotonic()

        def go_on() -> None:
            if left():
                raise Ended("whoever asked for it has left.")
            if time.monotonic() - begun > self.seconds:
                raise Ended(f"it took more than the {self.seconds:g} seconds that a photograph may.")

        try:
            result = self.call(go_on)
        except BaseException as error:  # whoever waits for it gets it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Queue:
    """Work of many visitors, done by a few threads.

    Args:
        workers: so many visitors' work is done at the same time.
        is_here: whether a visitor is still there; the work of one who is not is dropped.

    Example:
        >>> queue = Queue()
        >>> queue.submit("ann", lambda go_on: 6 * 7).result(10)
        42
    """

    def __init__(self, workers: int = 2, is_here: Callable[[str], bool] = lambda visitor: True) -> None:
        self._is_here = is_here
        self._lines: OrderedDict[str, deque[_Work]] = OrderedDict()
        self._served: set[str] = set()
        self._changed = threading.Condition()
        for number in range(workers):
            threading.Thread(target=self._serve, name=f"colorlib-queue-{number}", daemon=True).start()

    def submit(
        self, visitor: str, call: Callable[[GoOn], Result], first: bool = False, seconds: float = 120
    ) -> "Future[Result]":
        """Put work into a visitor's line, at its head or its end.

        Args:
            call: gets a function to call now and then, which raises :class:`Ended` when it shall not go on.
            first: before all that the visitor waits for already.
            seconds: that it may take once it has begun.
        """
        work = _Work(visitor, call, seconds)
        with self._changed:
            line = self._lines.setdefault(visitor, deque())
            line.appendleft(work) if first else line.append(work)
            self._changed.notify()
        return work.future

    def leave(self, visitor: str) -> None:
        """Drop all that a visitor waits for."""
        with self._changed:
            for work in self._lines.pop(visitor, ()):
                work.future.cancel()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while (work := self._next()) is None:
                    self._changed.wait()
                self._served.add(work.visitor)
            work.run(lambda visitor=work.visitor: not self._is_here(visitor))  # type: ignore[misc]
            with self._changed:
                self._served.discard(work.visitor)
                self._changed.notify()
            del work  # with the photograph that it may hold

    def _next(self) -> _Work | None:
        """Take the first work of the first line whose visitor is not being served; that line goes to the end."""
        for visitor in list(self._lines):
            if not self._is_here(visitor):
                self.leave(visitor)
            elif visitor not in self._served:
                work = self._lines[visitor].popleft()
                self._lines.move_to_end(visitor)
                if not self._lines[visitor]:
                    del self._lines[visitor]
                return work
        return None
