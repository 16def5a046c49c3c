"""The comparison report of a study: one HTML file, tables and figures, computed from the run folders.

Whatever the report says in numbers or names is computed in :mod:`colorlib.comparison` and worded in
:mod:`colorlib.findings`; the template holds no figure. The same files give the same bytes.
"""

import base64
import io
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure
from PIL import Image

from colorlib import findings, plots
from colorlib.color import hints
from colorlib.color.lab import decode_lab8
from colorlib.comparison import COSTS, PRIMARY, RESAMPLES, TIMES, Comparison, Row, gather_rows, known_metric, resamples
from colorlib.data.manifest import LEFT_OUT
from colorlib.files import atomic_path
from colorlib.findings import (
    HEADS,
    SEEN,
    about_collapses,
    about_crowns,
    about_labels,
    about_seeds,
    about_sets,
    answer,
    describe_run,
    head,
    listed,
    number,
    percent,
    plural,
    short,
    signed,
    tidy,
)
from colorlib.metrics import METRICS, SETS, Pair
from colorlib.statistics.bootstrap import Interval, Rank

__all__ = [
    "HEADS",
    "Comparison",
    "Row",
    "about_crowns",
    "answer",
    "choose_samples",
    "describe_run",
    "draw_figures",
    "gather_rows",
    "write_report",
]

TEMPLATE = Path(__file__).with_name("report.html")
COST_HEADS = {
    "parameters": "Parameters",
    "macs_per_image": "MACs per image",
    "images_seen": "Images seen",
    "train_seconds": "Training, s",
    "seconds_per_1000_training_images": "Training, s per 1,000 images",
    "ms_per_image": "Colouring, ms",
    "peak_memory_mb": "Memory, MB",
}
PICTURE_SETS = {"bundled": "Photographs that ship with scikit-image", "test": "Photographs of the test split"}
OPTIONAL = {"status": "not run", "error": None, "log": None, "seconds": None, "parameters": {}, "command": ""}
PICTURE_BYTES = 2_300_000  # of JPEG in the page, which base64 makes a third larger
MANY = 12  # rows; where there are more, each is a line of pictures, the later ones folded, and curves stand in panels
FEW = 5  # sentences of one kind, before the others are folded away
UNMEASURED = "not measured"


def write_report(study_folder: Path | str, report_folder: Path | str) -> Path:
    """Write a study's report: ``index.html``, ``comparison.md``, ``results.csv``, ``pairs.csv`` and ``figures/*.png``.

    Args:
        study_folder: holds ``study.json`` and the run folders of its rows.
        report_folder: made if it does not exist.

    Returns:
        The path of ``index.html``, one file that opens offline.

    Raises:
        FileNotFoundError: there is no study in that folder.
        ValueError: the runs were judged on different photographs, so that none is common to all.
    """
    study_folder, report_folder = Path(study_folder), Path(report_folder)
    if not (study_folder / "study.json").exists():
        raise FileNotFoundError(f"{study_folder} holds no study.json: run a study into it first.")
    study = json.loads((study_folder / "study.json").read_text(encoding="utf-8"))
    study["rows"] = [OPTIONAL | row for row in study["rows"]]
    comparison = Comparison(study, gather_rows(study, study_folder))
    samples = {name: choose_samples(comparison, name) for name in study.get("pictures", ["bundled"])}
    samples = {name: chosen for name, chosen in samples.items() if chosen}
    figures = draw_figures(comparison, samples)

    for name, figure in figures.items():
        with atomic_path(report_folder / "figures" / f"{name}.png") as temporary:
            temporary.write_bytes(plots.figure_bytes(figure, dpi=80 if name.startswith("pictures_") else 130))
    for path in (report_folder / "figures").glob("*.png"):
        if path.stem not in figures:  # of an earlier report; it may show what this one must not
            path.unlink()
    _write_text(report_folder / "results.csv", comparison.results.to_csv(float_format="%.9g", lineterminator="\n"))
    _write_text(report_folder / "pairs.csv", comparison.pairs.to_csv(float_format="%.9g", lineterminator="\n"))
    _write_text(report_folder / "comparison.md", to_markdown(comparison))
    _write_text(report_folder / "index.html", to_html(comparison, samples, figures))
    return report_folder / "index.html"


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


# ---- pictures ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """One chosen photograph: why it was chosen, and rgb (H, W, 3) uint8 by column."""

    identity: str
    reason: str
    photos: dict[str, np.ndarray | None]


def _rgb8(L8: np.ndarray, ab8: np.ndarray) -> np.ndarray:
    return (plots.lab8_to_photo(L8, ab8) * 255).round().astype(np.uint8)


def _picture_errors(comparison: Comparison, pictures: Mapping[str, dict], ids: Sequence[str]) -> pd.DataFrame:
    """Primary metric by photograph and row: from ``per_image.csv`` where it was judged, else measured here."""
    columns = {}
    for label, kept in pictures.items():
        judged = comparison.by_label[label].runs[0].per_image.set_index("id")[PRIMARY]
        if set(ids) <= set(judged.index):
            columns[label] = judged.loc[ids].to_numpy(float)
            continue
        errors = []
        for identity in ids:
            L8, ab8, ab8_true = (torch.from_numpy(array.copy())[None] for array in kept[identity])
            (L, ab), (_, ab_true) = decode_lab8(L8, ab8), decode_lab8(L8, ab8_true)
            errors.append(float(METRICS[PRIMARY].fn(Pair(L, ab, ab_true))))
        columns[label] = errors
    return pd.DataFrame(columns, index=list(ids))


def choose_samples(comparison: Comparison, name: str) -> list[Sample]:
    """Choose the best, median, worst and most disputed photographs of a set over the trained rows, and colour them.

    Args:
        comparison: its rows' first seeds are shown.
        name: of the set of pictures, "bundled" or "test".

    Returns:
        At most four; none where no trained row kept pictures of the set.
    """
    kept = {row.label: row.runs[0].pictures(name) for row in comparison.rows}
    kept = {label: pictures for label, pictures in kept.items() if pictures}
    judges = {label: kept[label] for label in comparison.trained if label in kept} or {
        label: kept[label] for label in comparison.contestants if label in kept
    }
    if not judges:
        return []
    ids = sorted(set.intersection(*(set(pictures) for pictures in judges.values())))
    if not ids:
        return []
    errors = _picture_errors(comparison, judges, ids)
    mean, spread = errors.mean(axis=1).sort_values(kind="stable"), errors.var(axis=1, ddof=0)
    chosen = {mean.index[0]: "best"}
    chosen.setdefault(mean.index[-1], "worst")
    chosen.setdefault(mean.index[len(mean) // 2], "median")
    rest = spread.drop(list(chosen)).sort_values(ascending=False, kind="stable")
    if len(rest) and len(judges) > 1:
        chosen[rest.index[0]] = "most disputed"
    order = ["best", "median", "worst", "most disputed"]
    samples = []
    for identity in sorted(chosen, key=lambda identity: order.index(chosen[identity])):
        L8, _, ab8_true = next(iter(judges.values()))[identity]
        photos = {"truth": _rgb8(L8, ab8_true), "grey": _rgb8(L8, np.full_like(ab8_true, 128))}
        for label in (*comparison.trained, *comparison.trivial, *kept):  # oracles come last
            if label in kept and label != comparison.grey and label not in photos:
                picture = kept[label].get(identity)
                photos[label] = _rgb8(picture[0], picture[1]) if picture else None
        reason = f"{chosen[identity]}, mean {head(PRIMARY)} {number(mean[identity], 1)}"
        samples.append(Sample(identity, reason, photos))
    return samples


def _jpeg(photo: np.ndarray, pixels: float) -> str:
    """Encode as a data address of a JPEG of about so many pixels."""
    image = Image.fromarray(photo)
    scale = min(1.0, math.sqrt(pixels / (image.width * image.height)))
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88, optimize=True)
    return _address(buffer.getvalue(), "jpeg")


def _address(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


# ---- figures -----------------------------------------------------------------------------------------------------


def draw_figures(comparison: Comparison, samples: Mapping[str, list[Sample]]) -> dict[str, Figure]:
    """Draw what the data allow: name → figure."""
    c = comparison
    if not c.rows:
        return {}
    unit = METRICS[PRIMARY].unit
    primary = f"mean {head(PRIMARY)}" + (f" [{unit}]" if unit else "")
    table = pd.DataFrame.from_dict(c.intervals[PRIMARY], orient="index", columns=["mean", "low", "high"])
    table["group"] = [c.by_label[label].group for label in table.index]
    figures = {"forest": _draw_forest(c, table, primary)}
    costs = {"ms_per_image": "colouring one photograph [ms]", "train_seconds": "training [s]"}
    for name in costs:
        table[name] = c.results[name].astype(float)
    known = table[(table["group"] != "oracle") & (table.index != c.grey)]
    costs = {name: words for name, words in costs.items() if (known[name] > 0).any()}
    if costs:
        grey = ("left grey", table["mean"][c.grey]) if c.grey else None
        figures["pareto"] = plots.plot_pareto(known, costs, primary, reference=grey)
    figures |= _draw_special(c) | _draw_laws(c) | _draw_histories(c)
    if len(c.contestants) > 1:
        square = pd.DataFrame(math.nan, c.contestants, c.contestants)
        decided = pd.DataFrame(False, c.contestants, c.contestants)
        for (a, b), difference in c.differences.items():
            square.loc[a, b] = difference.mean
            decided.loc[a, b] = c.verdict(a, b) in ("better", "worse")
        figures["pairwise"] = plots.plot_pairwise(square, decided, f"difference in {primary}")
    for name, chosen in samples.items():
        columns = list(chosen[0].photos)
        grid = [[sample.photos.get(column) for column in columns] for sample in chosen]
        titles = [f"{s.identity}\n{s.reason}" for s in chosen]
        if len(columns) > MANY:
            figures[f"pictures_{name}"] = plots.show_photos(list(zip(*grid, strict=True)), columns, titles, 1.4)
        else:
            figures[f"pictures_{name}"] = plots.show_photos(grid, titles, columns, 1.1)
    return figures


def _draw_forest(c: Comparison, table: pd.DataFrame, label: str) -> Figure:
    """Draw all rows, or where a study has budgets of both kinds, each budget's rows in a panel of its own."""
    better = "lower is better, bars are 95 % intervals"
    if not c.budgets:
        return plots.plot_forest(table, label, better, c.grey)
    panels = {}
    for budget, rows in c.budgets.items():
        names = {row.label: row.short for row in rows} | {row.label: row.label for row in c.rows if not row.budget}
        equal = "equal seconds" if budget.unit == "s" else "equal images"
        panels[f"{equal}: {str(budget).removesuffix(budget.unit).strip()}"] = table[table.index.isin(names)].rename(
            index=names
        )
    return plots.plot_forests(panels, label, better, c.grey)


def _draw_laws(c: Comparison) -> dict[str, Figure]:
    figures = {}
    for name, column, label, mark in (
        ("laws_chroma", "kept", "chroma kept, as a share of the photographs' own", 1),
        ("laws_delta_e", "delta_e_76", "mean ΔE 76, lower is better", None),
    ):
        if len(c.laws):
            values = c.laws.set_index(["name", "law"])[column]
            shown = c.laws.assign(value=c.laws[column])
            shown["oracle"] = [
                values.get((own, law), math.nan) for own, law in zip(c.laws["oracle"], c.laws["law"], strict=True)
            ]
            figures[name] = plots.plot_laws(shown, label, mark)
    return figures


def _draw_histories(c: Comparison) -> dict[str, Figure]:
    """Draw learning curves: of rows with a budget of seconds over seconds, of all others over photographs."""
    figures = {}
    axes = {"history": ("images_seen", "photographs seen in training"), "history_seconds": ("seconds", "training [s]")}
    for figure, (x, words) in axes.items():
        timed = figure == "history_seconds"
        histories: dict[str, list[pd.DataFrame]] = {}
        groups: dict[str, dict[str, list[pd.DataFrame]]] = {}  # the same, by network and objective
        for row in (c.by_label[label] for label in c.trained):
            tables = [run.history for run in row.runs if run.history is not None and x in run.history]
            if tables and timed == bool(c.budgets and row.budget and row.budget.unit == "s"):
                network, _, objective = row.label.partition(" · ")
                histories[row.label] = groups.setdefault(network, {})[objective or row.label] = tables
        if histories:
            figures[figure] = plots.plot_history(histories, x=x, x_label=words)
        if len(histories) > MANY and len(groups) < len(histories):
            figures[f"{figure}_groups"] = plots.plot_history_groups(groups, x=x, x_label=words)
    return figures


def _draw_special(c: Comparison) -> dict[str, Figure]:
    """Draw what only some networks have: temperatures, hints, several answers."""
    figures = {}
    x, y = PRIMARY, "colorfulness_hs03"
    if len(c.temperatures):
        table = c.temperatures.rename(columns={f"{x}_moved": "x", f"{y}_moved": "y", "temperature": "mark"})
        points = pd.DataFrame(
            {
                "x": {label: c.mean(x, label) for label in c.contestants},
                "y": {label: c.mean(y, label) for label in c.contestants},
                "group": {label: c.by_label[label].group for label in c.contestants},
            }
        )
        figures["temperature"] = plots.plot_plane(
            points.dropna().drop(index=[c.grey] if c.grey else []),
            dict(list(table.groupby("curve", sort=False))),
            f"mean {head(x)} [ΔE], lower is better",
            f"mean {head(y).lower()}",
            ("left grey", c.mean(x, c.grey)) if c.grey else None,
            ("the photographs' own", c.truth(y)) if math.isfinite(c.truth(y)) else None,
        )
    if len(c.hints):
        curves = {
            label: [own.sort_values("hints") for _, own in table.groupby("seed", dropna=False)]
            for label, table in c.hints.groupby("label", sort=False)
        }
        authors = "the authors' network on their 1,000 ImageNet photographs, another data set"
        figures["hints"] = plots.plot_hints(curves, (authors, hints.AUTHORS_CURVE))
    if len(c.several):
        table = c.several_means.rename(
            columns={"label": "name"} | {f"{n}_of_k_delta_e_76": n for n in ("best", "mean")}
        )
        best = f"{c.best}, one answer to each of {plural(len(c.ids), 'photograph')}"
        figures["several"] = plots.plot_several(table, (best, c.mean("delta_e_76", c.best)))
    return figures


# ---- writing -----------------------------------------------------------------------------------------------------


def _decimals(values: Iterable[Interval], most: int = 3) -> int:
    """Choose decimals by the intervals: their half-width is shown to two digits, no value to more than four."""
    values = list(values)
    width = float(np.median([(v.high - v.low) / 2 for v in values if v.high > v.low] or [0.05]))
    size = float(np.median([abs(v.mean) for v in values] or [1.0])) or 1.0
    return int(np.clip(min(1 - math.floor(math.log10(width)), most - math.floor(math.log10(size))), 0, most))


def table_cells(comparison: Comparison, metrics: Iterable[str], whole: bool = False) -> list[dict]:
    """Columns for a table: head, unit, direction, and for each label its text, what is small below it, and the best.

    Args:
        comparison: whose rows are shown.
        metrics: one column each; those without any value are left out, unless the table is to be ``whole``.
        whole: keep columns without values, and say "not measured" in every cell without one.
    """
    c, columns = comparison, []
    for name in metrics:
        known = known_metric(name)
        text, ends, note = _cells(c, name)
        if not text and not whole:
            continue
        missing = {row.label: _missing(c, name, row.label) if whole else "–" for row in c.rows}
        order = c.order(name)
        truth = c.truth(name)
        columns.append(
            {
                "name": name,
                "head": head(name),
                "unit": known.unit,
                "arrow": {True: "↑", False: "↓", None: ""}[known.higher_is_better],
                "truth": number(truth, _decimals(c.intervals[name].values())) if math.isfinite(truth) else "",
                "note": note,
                "text": missing | text,
                "ends": ends,
                "best": next((label for label in order.index if label in c.trained), None)
                if order is not None
                else None,
            }
        )
    return columns


def _cells(c: Comparison, name: str) -> tuple[dict[str, str], dict[str, str], str]:
    """Give a metric's texts by label, the small ones below them, and a note for the head."""
    if intervals := c.intervals.get(name):
        decimals = _decimals(intervals.values())
        ends = {label: f"{number(v.low, decimals)}…{number(v.high, decimals)}" for label, v in intervals.items()}
        return {label: number(value.mean, decimals) for label, value in intervals.items()}, ends, ""
    if pooled := c.pooled.get(name):
        return {label: number(value) for label, value in pooled.items()}, {}, ""
    scores = c.sets.get(name, {})
    spread = [Interval(v.value, v.value - v.sd, v.value + v.sd) for v in scores.values() if math.isfinite(v.sd)]
    decimals = _decimals(spread, 5) if spread else 2
    ends = {label: f"± {number(v.sd, decimals)}" for label, v in scores.items() if math.isfinite(v.sd)}
    ends |= {label: f"N {v.n:,}, not compared" for label, v in scores.items() if not v.compared}
    sizes = {v.n for v in scores.values() if v.compared}
    return {label: number(v.value, decimals) for label, v in scores.items()}, ends, "".join(f"N {n:,}" for n in sizes)


def _missing(c: Comparison, name: str, label: str) -> str:
    least = c.needs(name, label) if name in SETS else None
    return f"needs {least:,} pictures" if least else UNMEASURED


def _rank_text(rank: Rank | None) -> str:
    if rank is None:
        return "–"
    return f"{rank.rank}" + (f" ({rank.low}–{rank.high})" if rank.low != rank.high else "")


def seen_cells(comparison: Comparison) -> list[dict]:
    """Columns of what networks see in the pictures, all of ``SEEN`` or, where no row has any of them, none."""
    found = {*comparison.intervals, *comparison.sets}
    return table_cells(comparison, SEEN, whole=True) if found & set(SEEN) else []


def to_markdown(comparison: Comparison) -> str:
    """Write the answer and the tables as Markdown."""
    c = comparison
    lines = [f"# {c.study.get('title') or c.study['name']}", "", c.study.get("question", ""), "", "## The answer", ""]
    lines += [" ".join(answer(c)), "", about_seeds(c) if c.trained else "", ""]
    if c.rows:
        columns = table_cells(c, HEADS)
        heads = ["rank", "row", "group", *map(_markdown_head, columns)]
        heads += ["against the best", "against grey", *(COST_HEADS[name] for name in (*COSTS, *TIMES))]
        table = [heads]
        for row in c.rows:
            collapsed = f" † ({len(row.collapsed)} of {len(row.runs)} collapsed)" if row.collapsed else ""
            cells = [_rank_text(c.ranks.get(row.label)), row.label + collapsed, row.group]
            cells += [_markdown_cell(column, row.label) for column in columns]
            cells += [c.verdict(row.label, c.best) or "–", c.verdict(row.label, c.grey) or "–"]
            table.append(cells + [short(row.cost(name)) for name in (*COSTS, *TIMES)])
        lines += _markdown_table(table)
    for name in ("colorfulness_hs03", "mean_chroma"):
        if math.isfinite(c.truth(name)):
            lines += ["", f"{head(name)} of the photographs themselves: {number(c.truth(name), 1)}."]
    for sentence in filter(None, (about_labels(c), *about_collapses(c))):
        lines += ["", sentence]
    if c.rows and (columns := seen_cells(c)):
        table = [["row", *map(_markdown_head, columns)]]
        table += [[row.label, *(_markdown_cell(column, row.label) for column in columns)] for row in c.rows]
        lines += ["", "## Recognised and plausible", "", *_markdown_table(table), "", " ".join(about_sets(c))]
    tables = {
        "Equal images, equal seconds": _budget_table,
        "Several answers": _several_table,
        "What the variance goes with": _attribution_table,
    }
    for heading, sentences in _special_sentences(c).items():
        lines += ["", f"## {heading}", ""] + [f"- {sentence}" for sentence in sentences]
        lines += ["", *_markdown_table(tables[heading](c))] if heading in tables else []
    for row in c.failures():
        lines += ["", f"{row['status'].capitalize()}: {row['id']}: {row['error'] or 'no message'}"]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_head(column: dict) -> str:
    unit = f"[{column['unit']}]" if column["unit"] else ""
    return " ".join(filter(None, (column["head"], unit, column["arrow"], column["note"])))


def _markdown_cell(column: dict, label: str) -> str:
    return column["text"][label] + (f" ({column['ends'][label]})" if label in column["ends"] else "")


def _markdown_table(table: list[list[str]]) -> list[str]:
    table = [table[0], ["---"] * len(table[0]), *table[1:]]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in table]


def _special_sentences(c: Comparison) -> dict[str, list[str]]:
    """Sentences by heading, of what only some studies have."""
    if not c.rows:
        return {}
    found = {
        "Equal images, equal seconds": findings.about_budgets(c),
        "Colder and warmer": findings.about_temperatures(c),
        "Hints": findings.about_hints(c),
        "Several answers": findings.about_several(c),
        "What the variance goes with": findings.about_attribution(c),
    }
    return {heading: sentences for heading, sentences in found.items() if sentences}


def _attribution_table(c: Comparison) -> list[list[str]]:
    """Give sources of variance down, metrics across: share with interval, and what chance would give."""
    table = [
        [
            "source",
            "levels",
            *(f"{head(metric)} {words}" for metric in c.attribution for words in ("share", "by chance")),
        ]
    ]
    for name, any_share in next(iter(c.attribution.values())).items():
        cells = [findings.source(name).removeprefix("the "), f"{any_share.levels:,}"]
        for shares in c.attribution.values():
            share = shares[name]
            cells.append(f"{percent(share.share)} ({number(100 * share.low, 0)}…{number(100 * share.high, 0)})")
            cells.append(percent(share.by_chance) if math.isfinite(share.by_chance) and name != "seed" else "–")
        table.append(cells)
    return table


def _budget_table(c: Comparison) -> list[list[str]]:
    """Give rows down and budgets across: place, primary metric with its interval, and what the budget allowed."""
    heads = ["row"]
    for budget in c.budgets:
        other = "images seen" if budget.unit == "s" else "training, s"
        heads += [f"{budget}: place", head(PRIMARY), other]
    places = {
        budget: {row.short: (place, row) for place, row in enumerate(rows, 1)} for budget, rows in c.budgets.items()
    }
    table = [heads]
    for name in dict.fromkeys(name for found in places.values() for name in found):
        cells = [name]
        for budget, found in places.items():
            if name not in found:
                cells += ["–"] * 3
                continue
            place, row = found[name]
            mean, low, high = c.intervals[PRIMARY][row.label]
            cost = row.cost("images_seen" if budget.unit == "s" else "train_seconds")
            cells += [f"{place}", f"{number(mean)} ({number(low)}…{number(high)})", short(cost)]
        table.append(cells)
    return table


def _several_table(c: Comparison) -> list[list[str]]:
    """Give a line for each row and number of answers k: how far apart they are, and two ways to score them."""
    table = [
        ["row", "k", "diversity, ΔE", "ΔE 76 of the average of k", "ΔE 76 of the best of k, which needs the truth"]
    ]
    scores = ("diversity", "mean_of_k_delta_e_76", "best_of_k_delta_e_76")
    return table + [
        [line["label"], f"{line['k']:.0f}", *(number(line[score]) for score in scores)]
        for line in c.several_means.to_dict("records")
    ]


def _flat(value: object, path: str = "") -> list[tuple[str, str]]:
    """Spell nested JSON as pairs of a name and a text."""
    if isinstance(value, dict):
        return list(
            itertools.chain.from_iterable(_flat(v, f"{path} · {k}" if path else str(k)) for k, v in value.items())
        )
    if isinstance(value, list):
        if any(isinstance(item, dict) for item in value):
            return [(path, plural(len(value), "entry").replace("entrys", "entries"))]
        return [(path, ", ".join(map(str, value)))]
    return [(path, f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))]


def _protocol(c: Comparison) -> list[tuple[str, list[tuple[str, str]]]]:
    study = c.study
    started = study.get("started")
    if isinstance(started, int | float):
        started = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    pairs = len(c.differences) // 2
    method = [
        ("primary metric", f"{PRIMARY}, fixed in the library and not chosen by the results; lower is better"),
        ("photographs compared", f"{len(c.ids):,} of the test split, the same for every row"),
        ("intervals", "95 %, percentile bootstrap; photographs drawn once for all rows, seeds drawn for each row"),
        ("resamples", f"{resamples(pairs):,} for {PRIMARY}, {RESAMPLES:,} for the other metrics"),
        ("correction", f"Holm over all {pairs} pairs of rows that are not oracles"),
        ("margin", f"a difference within ±{c.margin:g} does not matter" if c.margin else "none was declared"),
        ("ranks", "among all rows but the oracles, which know the answer; in brackets where a resample may put them"),
    ]
    if c.left_out:
        method.append(("left out", f"{plural(c.left_out, 'photograph')} that not every row was judged on"))
    when = [("command", study["command"])] if study.get("command") else []
    when.append(("started", str(started or "not recorded")))
    if study.get("wall_seconds") is not None:
        when.append(("took", f"{study['wall_seconds']:,.0f} s"))
    return [
        ("Statistics", method),
        ("Data", _about_data(study.get("data", {}))),
        ("Versions", _flat(study.get("versions", {}))),
        ("Machine", _flat(study.get("machine", {})) + when),
    ]


def _about_data(data: dict) -> list[tuple[str, str]]:
    splits, flags = data.get("splits", {}), data.get("flags", {})
    left_out = [f"{count:,} {flag.replace('_', ' ')}" for flag, count in flags.items() if flag in LEFT_OUT]
    lines = [("photographs", f"{listed(f'{count:,} {split}' for split, count in splits.items()) or 'not recorded'}")]
    lines.append(("left out", f"{listed(left_out)}: no colour to learn, or seen already" if left_out else "none"))
    return lines + _flat({key: value for key, value in data.items() if key != "splits"})


def _settings(c: Comparison) -> list[dict]:
    """Settings of every run, for the folded table of the protocol."""
    hidden = {"format", "name", "label", "kind", "command"}
    return [
        {
            "label": row.label,
            "seed": run.config.get("seed"),
            "folder": run.folder.name,
            "settings": "; ".join(
                f"{k} {v}" for k, v in _flat({k: v for k, v in run.config.items() if k not in hidden})
            ),
        }
        for row in c.rows
        for run in row.runs
    ]


def to_html(comparison: Comparison, samples: Mapping[str, list[Sample]], figures: Mapping[str, Figure]) -> str:
    """Write the report as one HTML page without any address outside itself."""
    c = comparison
    count = sum(len(sample.photos) for chosen in samples.values() for sample in chosen)
    pixels = min(192**2, PICTURE_BYTES / max(count, 1) / 0.5)  # a JPEG of quality 88 takes about half a byte a pixel
    pictures = [
        {
            "title": PICTURE_SETS.get(name, name),
            "columns": list(chosen[0].photos),
            "many": len(chosen[0].photos) > MANY,
            "rows": [
                (s, [photo if photo is None else _jpeg(photo, pixels) for photo in s.photos.values()]) for s in chosen
            ],
        }
        for name, chosen in samples.items()
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"tidy": tidy, "number": number, "signed": signed, "short": short, "percent": percent}
    metrics = {name: known_metric(name) for name in (*c.intervals, *c.pooled, *c.sets)} if c.rows else {}
    charts = {name: figure for name, figure in figures.items() if not name.startswith("pictures_")}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        c=c,
        title=c.study.get("title") or c.study["name"],
        answer=answer(c),
        seeds=about_seeds(c) if c.trained else "",
        columns=table_cells(c, HEADS) if c.rows else [],
        all_columns=table_cells(c, metrics),
        metrics=metrics,
        head=head,
        rank=_rank_text,
        costs={name: COST_HEADS[name] for name in (*COSTS, *TIMES)},
        figures={name: _address(plots.figure_bytes(figure, "svg"), "svg+xml") for name, figure in charts.items()},
        laws=findings.about_laws(c) if c.rows else [],
        law_names=plots.LAWS,
        crowns=about_crowns(c) if c.rows else [],
        training=findings.about_training(c) if c.rows else [],
        labels=about_labels(c),
        collapses=about_collapses(c),
        seen=seen_cells(c),
        sets=about_sets(c),
        special=_special_sentences(c),
        attribution=_attribution_table(c) if c.attribution else [],
        budgets=_budget_table(c) if c.budgets else [],
        several=_several_table(c) if len(c.several) else [],
        many=plots.MANY,
        few=FEW,
        shown=MANY,
        pictures=pictures,
        protocol=_protocol(c),
        settings=_settings(c),
        flat=_flat,
        groups=plots.GROUPS,
        primary=PRIMARY,
    )
