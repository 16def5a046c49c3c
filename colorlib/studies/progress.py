"""How far a study is: in words, in bars, and how long it still takes."""

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from colorlib.files import is_blank, is_held

_ENTRIES = {
    "attempt.json": {"pid", "begun", "seconds_before"},
    "done.json": {"seconds"},
    "failed.json": {"seconds", "error"},
    "progress.json": {"what", "done", "total", "time"},
}
TRAINING_SHARE = 0.9  # of a row's time, roughly, as long as it trains; the rest is judging
SAY_EVERY = 15.0  # seconds between lines where there is no terminal


class Line(NamedTuple):
    """A share of 1 that is done, for a bar, and what to say beside it."""

    share: float
    words: str


def row_title(row: dict[str, Any]) -> str:
    """Return a row's id without its stamp."""
    return row["id"].rpartition("-")[0]


def read_mark(path: Path) -> dict[str, Any] | None:
    """Return what a file such as ``done.json`` holds, or None where it is not there or is not whole.

    One that lacks an entry it should have is not whole, just as an empty one, which a disk leaves that fails.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) and content.keys() >= _ENTRIES.get(path.name, set()) else None


def is_done(place: Path) -> bool:
    """Tell whether a row's folder has the mark of a finished one, runs that are judged, and none that lost a result."""
    if read_mark(place / "done.json") is None or not any(place.rglob("per_image.csv")):
        return False
    results = (path for path in place.rglob("*") if path.suffix in (".csv", ".json", ".npz", ".safetensors"))
    judged = [path.with_name(name) for path in place.rglob("config.json") for name in ("per_image.csv", "cost.json")]
    return all(path.exists() for path in judged) and not any(is_blank(path) for path in results)


def duration(seconds: float) -> str:
    """Return seconds in words: ``45 s``, ``2 min 10 s``, ``1 h 05 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def look(row: dict[str, Any]) -> dict[str, Any]:
    """Return how a row stands: ``state`` (done, failed, running, waiting), ``share`` of 1, ``what``, ``seconds``."""
    place = Path(row["folder"])
    for state in ("done", "failed"):
        if mark := read_mark(place / f"{state}.json"):
            return {"state": state, "share": 1.0, "what": state, "seconds": mark["seconds"]}
    attempt = read_mark(place / "attempt.json")
    if not attempt or not is_held(place):
        return {"state": "waiting", "share": 0.0, "what": "", "seconds": 0.0}
    progress = [p for path in place.rglob("progress.json") if (p := read_mark(path)) and p["time"] >= attempt["begun"]]
    starting: dict[str, Any] = {"done": 0, "total": 1, "what": "starting"}
    latest = max(progress, key=lambda p: p["time"], default=starting)
    share, seconds = latest["done"] / max(latest["total"], 1), time.time() - attempt["begun"]
    if latest["what"].startswith("training"):
        share *= TRAINING_SHARE
    elif trained := [path.stat().st_mtime for path in place.rglob("history.csv")]:  # what is left is judging
        left = (latest["time"] - max(*trained, attempt["begun"])) * (1 / share - 1) if share else seconds
        share = seconds / (seconds + max(left, 0.0))
    return {"state": "running", "share": share, "what": latest["what"], "seconds": seconds}


def remaining_seconds(rows: list[dict[str, Any]], looks: list[dict[str, Any]], jobs: int) -> float | None:
    """Estimate the seconds until every row is done, from the rows that are done or under way; None before that.

    A row that has not begun is taken to need what rows of the same notebook need, or else the mean of all.
    """
    wholes: dict[str, list[float]] = {}
    for row, seen in zip(rows, looks, strict=True):
        if seen["state"] == "done" or (seen["state"] == "running" and seen["share"] > 0.05):
            wholes.setdefault(row["notebook"], []).append(seen["seconds"] / seen["share"])
    if not wholes:
        return None
    means = {notebook: sum(values) / len(values) for notebook, values in wholes.items()}
    overall = sum(means.values()) / len(means)
    left = []
    for row, seen in zip(rows, looks, strict=True):
        if seen["state"] in ("running", "waiting"):
            whole = means.get(row["notebook"], overall)
            known = seen["state"] == "running" and seen["share"] > 0.05
            left.append(seen["seconds"] / seen["share"] - seen["seconds"] if known else max(whole - seen["seconds"], 5))
    return max(sum(left) / jobs, *left) if left else 0.0


def display(rows: list[dict[str, Any]], jobs: int, seconds: float) -> list[Line]:
    """Return how the study stands: a line for each row under way, then one for all."""
    looks = [look(row) for row in rows]
    lines = []
    for row, seen in zip(rows, looks, strict=True):
        if seen["state"] == "running":
            share = seen["share"]
            rest = f", {duration(seen['seconds'] / share - seen['seconds'])} left" if share > 0.05 else ""
            lines.append(Line(share, f"{row_title(row)}: {seen['what']} {share:.0%}{rest}"))
    ended = sum(seen["state"] in ("done", "failed") for seen in looks)
    failed = sum(seen["state"] == "failed" for seen in looks)
    left = remaining_seconds(rows, looks, jobs)
    words = (
        f"{ended}/{len(rows)} rows"
        + (f", {failed} failed" if failed else "")
        + f" · {duration(seconds)}"
        + ("" if left is None else f" · about {duration(left)} left")
    )
    return [*lines, Line(sum(seen["share"] for seen in looks) / len(rows), words)]


@contextlib.contextmanager
def screen(stream: TextIO) -> Iterator[Callable[[list[Line]], None]]:
    """Give a function that shows lines in place on a terminal; elsewhere, as in a log, it says them now and then."""
    if stream.isatty():
        with Live(console=Console(file=stream), auto_refresh=False, transient=True) as live:
            yield lambda lines: live.update(_table(lines), refresh=True)
        return
    said = -math.inf

    def say(lines: list[Line]) -> None:
        nonlocal said
        if time.monotonic() - said >= SAY_EVERY:
            said = time.monotonic()
            print(*(line.words for line in (lines[-1], *lines[:-1])), sep="; ", file=stream, flush=True)

    yield say


def _table(lines: list[Line]) -> Table:
    table = Table.grid(padding=(0, 1))
    for share, words in lines:
        table.add_row(ProgressBar(1, share, width=16), Text(words, no_wrap=True, overflow="ellipsis"))
    return table
