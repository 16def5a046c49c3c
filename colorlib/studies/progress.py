"""How far a study is: in words, in bars, and how long it still takes."""

import json
import shutil
import time
from pathlib import Path
from typing import Any, TextIO

import psutil

TRAINING_SHARE = 0.9  # of a row's time, roughly; the rest is judging
SAY_EVERY = 15.0  # seconds between lines where there is no terminal


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


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
        if mark := _read(place / f"{state}.json"):
            return {"state": state, "share": 1.0, "what": state, "seconds": mark["seconds"]}
    attempt = _read(place / "attempt.json")
    if not attempt or not psutil.pid_exists(attempt["pid"]):
        return {"state": "waiting", "share": 0.0, "what": "", "seconds": 0.0}
    progress = [p for path in place.rglob("progress.json") if (p := _read(path)) and p["time"] >= attempt["begun"]]
    latest = max(progress, key=lambda p: p["time"], default={"done": 0, "total": 1, "what": "starting"})
    share, seconds = latest["done"] / max(latest["total"], 1), time.time() - attempt["begun"]
    if latest["what"].startswith("training"):
        share *= TRAINING_SHARE
    elif any(place.rglob("history.csv")):
        share = TRAINING_SHARE + (1 - TRAINING_SHARE) * share
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


def display(rows: list[dict[str, Any]], jobs: int, seconds: float) -> list[str]:
    """Return the lines that show how the study stands: one for each row under way, then one for all."""
    looks = [look(row) for row in rows]
    lines = []
    for row, seen in zip(rows, looks, strict=True):
        if seen["state"] == "running":
            share = seen["share"]
            left = f", {duration(seen['seconds'] / share - seen['seconds'])} left" if share > 0.05 else ""
            lines.append(f"  {_bar(share, 16)} {_title(row)}: {seen['what']} {share:.0%}{left}")
    ended = sum(seen["state"] in ("done", "failed") for seen in looks)
    failed = sum(seen["state"] == "failed" for seen in looks)
    left = remaining_seconds(rows, looks, jobs)
    lines.append(
        f"{_bar(sum(seen['share'] for seen in looks) / len(rows), 18)} {ended}/{len(rows)} rows"
        + (f", {failed} failed" if failed else "")
        + f" · {duration(seconds)}"
        + ("" if left is None else f" · about {duration(left)} left")
    )
    return lines


def _title(row: dict[str, Any]) -> str:
    return row["id"].rpartition("-")[0]


def _bar(share: float, width: int) -> str:
    full = int(share * width)
    return "█" * full + "░" * (width - full)


class Screen:
    """Shows lines in place on a terminal; elsewhere, such as in a log, says them now and then on one line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.height, self.said = stream, 0, 0.0

    def show(self, lines: list[str]) -> None:
        if self.stream.isatty():
            width = shutil.get_terminal_size().columns
            up = f"\x1b[{self.height}A" if self.height else ""
            self.stream.write(f"{up}\x1b[J" + "".join(f"{line[: width - 1]}\n" for line in lines))
            self.height = len(lines)
        elif time.monotonic() - self.said >= SAY_EVERY:
            self.said = time.monotonic()
            self.stream.write("; ".join([lines[-1], *(line.strip(" █░") for line in lines[:-1])]) + "\n")
        self.stream.flush()

    def clear(self) -> None:
        if self.height:
            self.stream.write(f"\x1b[{self.height}A\x1b[J")
            self.height = 0
