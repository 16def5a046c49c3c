"""How a study was done: its statistics, photographs, versions and machine, and the settings of every run."""

import itertools
from datetime import UTC, datetime

from colorlib.data.manifest import LEFT_OUT
from colorlib.reports.comparison import Comparison
from colorlib.reports.rows import PRIMARY
from colorlib.reports.words import listed, plural


def protocol(c: Comparison) -> list[tuple[str, list[tuple[str, str]]]]:
    """Give the headings of the protocol, each with its pairs of a name and a text."""
    study = c.study
    started = study.get("started")
    if isinstance(started, int | float):
        started = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    pairs = len(c.differences) // 2
    asked = [f"{len(found & c.differences.keys()) // 2} {name}" for name, found in c.asked.items() if found]
    method = [
        ("primary metric", f"{PRIMARY}, fixed in the library and not chosen by the results; lower is better"),
        ("photographs compared", f"{len(c.ids):,} of the test split, the same for every row"),
        (
            "intervals",
            "95 %, from the variance over photographs, which all rows share, and over each row's seeds, by a t for "
            "each; the variance over seeds is the row's own or its posterior mean given all rows', if that is larger",
        ),
        (
            "correction",
            f"Holm over all {pairs} pairs of rows that are not oracles, for each kind of verdict; of what the study "
            f"was made to ask ({listed(asked)}), each question has half of the level that is left, and all other pairs "
            "the rest",
        ),
        (
            "the best",
            "is with a chance of 95 % among the rows that may be it: a row is out when another is better than it by p "
            "times the number of the other trained rows (Gupta 1965)",
        ),
        (
            "one training",
            "how far the luck of a training moves such a row is unknown, so it gets no p and no verdict",
        ),
        ("margin", f"a difference within ±{c.margin:g} does not matter" if c.margin else "none was declared"),
        (
            "ranks",
            "among all rows but the oracles, which know the answer; in brackets what the verdicts leave open",
        ),
    ]
    if c.left_out:
        method.append(("left out", f"{plural(c.left_out, 'photograph')} that not every row was judged on"))
    if c.unknown:
        method.append(("left out", f"columns that are no metric of this version of colorlib: {listed(c.unknown)}"))
    when = [("command", study["command"])] if study.get("command") else []
    when.append(("started", str(started or "not recorded")))
    if study.get("wall_seconds") is not None:
        when.append(("took", f"{study['wall_seconds']:,.0f} s"))
    trained = [run for row in c.rows if row.label in c.trained for run in row.runs if run.history is not None]
    if trained and all(run.cost.get("processor") for run in trained):
        on = listed(sorted({f"{run.cost['processor']} ({plural(run.cost['threads'], 'thread')})" for run in trained}))
        when.append(("seconds", f"of each network by itself, one after another with nothing else running, on {on}"))
    elif study.get("jobs", 1) > 1:
        aside = f"measured with up to {study['jobs']} rows side by side, so they are no measure to compare rows by"
        when.append(("seconds", f"{aside}; `python -m colorlib.studies time` measures them one after another"))
    if (executor := study.get("executor", "local")) != "local":
        when.append(("rows", f"executed by {executor} on its nodes; the machine is the one that started the study"))
    return [
        ("Statistics", method),
        ("Data", _about_data(study.get("data", {}))),
        ("Versions", flat(study.get("versions", {}))),
        ("Machine", flat(study.get("machine", {})) + when),
    ]


def _about_data(data: dict) -> list[tuple[str, str]]:
    splits, flags = data.get("splits", {}), data.get("flags", {})
    left_out = [f"{count:,} {flag.replace('_', ' ')}" for flag, count in flags.items() if flag in LEFT_OUT]
    lines = [("photographs", f"{listed(f'{count:,} {split}' for split, count in splits.items()) or 'not recorded'}")]
    lines.append(("left out", f"{listed(left_out)}: no colour to learn, or seen already" if left_out else "none"))
    return lines + flat({key: value for key, value in data.items() if key != "splits"})


def settings(c: Comparison) -> list[dict]:
    """Settings of every run, for the folded table of the protocol."""
    hidden = {"format", "name", "label", "kind", "command"}
    return [
        {
            "label": row.label,
            "seed": run.config.get("seed"),
            "folder": run.folder.name,
            "settings": "; ".join(
                f"{k} {v}" for k, v in flat({k: v for k, v in run.config.items() if k not in hidden})
            ),
        }
        for row in c.rows
        for run in row.runs
    ]


def flat(value: object, path: str = "") -> list[tuple[str, str]]:
    """Spell nested JSON as pairs of a name and a text."""
    if isinstance(value, dict):
        return list(
            itertools.chain.from_iterable(flat(v, f"{path} · {k}" if path else str(k)) for k, v in value.items())
        )
    if isinstance(value, list):
        if any(isinstance(item, dict) for item in value):
            return [(path, plural(len(value), "entry").replace("entrys", "entries"))]
        return [(path, ", ".join(map(str, value)))]
    return [(path, f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))]
