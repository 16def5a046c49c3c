"""The comparison report of a study: one HTML file, a table and figures, computed from the run folders.

Whatever the report says in numbers or names is computed here from ``study.json`` and the finished runs; the template
holds no figure. The same files give the same bytes.
"""

import base64
import io
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure
from PIL import Image

from colorlib import plots, statistics
from colorlib.color import decode_lab8
from colorlib.data.manifest import LEFT_OUT
from colorlib.experiment import Run, list_runs
from colorlib.files import atomic_path
from colorlib.metrics import METRICS, POOLED, Pair
from colorlib.objectives import describe_objective
from colorlib.statistics import Difference, Interval, Rank

TEMPLATE = Path(__file__).with_name("report.html")
PRIMARY = "delta_e_2000"
RESAMPLES = 2_000  # of the metrics that no verdict rests on; the primary one gets at least 10,000
GROUP_OF_KIND = {"network": "trained", "baseline": "trivial", "oracle": "oracle", "judged": "judged"}
HEADS = {
    "delta_e_2000": "ΔE 2000",
    "delta_e_76": "ΔE 76",
    "psnr_rgb_db": "Mean PSNR",
    "psnr_pooled_db": "Pooled PSNR",
    "ssim_rgb_gauss11": "SSIM",
    "auc_raw": "AuC",
    "auc_rebalanced": "Rebalanced AuC",
    "colorfulness_hs03": "Colourfulness",
    "mean_chroma": "Mean chroma",
    "out_of_gamut_share": "Out of gamut",
}
NAMES = HEADS | {
    "psnr_ab_db": "PSNR of ab",
    "mse_rgb": "MSE",
    "ab_mae": "MAE of ab",
    "ab_rmse": "RMSE of ab",
    "auc_rebalanced_pooled": "Pooled rebalanced AuC",
    "ab_histogram_distance": "ab histogram distance",
    "colorfulness_hs03_error": "Colourfulness, signed error",
    "colorfulness_hs03_gap": "Colourfulness gap",
    "colorfulness_hs03_mae": "Colourfulness error",
    "colorfulness_abs": "Colourfulness (abs.)",
    "colorfulness_abs_error": "Colourfulness (abs.), signed error",
    "colorfulness_abs_gap": "Colourfulness gap (abs.)",
    "colorfulness_abs_mae": "Colourfulness error (abs.)",
    "mean_chroma_error": "Mean chroma, signed error",
}
COSTS = {"parameters": "Parameters", "macs_per_image": "MACs per image", "images_seen": "Images seen"}
TIMES = {"train_seconds": "Training, s", "ms_per_image": "Colouring, ms", "peak_memory_mb": "Memory, MB"}
OWN_ORACLE = {"l2": "bayes_l2", "l1": "bayes_l1", "ce": "bayes_ce", "rebalanced_ce": "bayes_rebalanced_ce"}
PICTURE_SETS = {"bundled": "Photographs that ship with scikit-image", "test": "Photographs of the test split"}
OPTIONAL = {"status": "not run", "error": None, "log": None, "seconds": None, "parameters": {}, "command": ""}
PICTURE_BYTES = 2_300_000  # of JPEG in the page, which base64 makes a third larger: with the figures, under 4 MB


@dataclass(frozen=True)
class Row:
    """One row of the table: the runs that differ in nothing but their seed."""

    label: str
    group: str
    runs: list[Run]

    @property
    def config(self) -> dict:
        return self.runs[0].config

    def scores(self, metric: str, ids: Sequence[str]) -> np.ndarray:
        """(seeds, N) of one column of ``per_image.csv``, NaN where a run lacks it."""
        tables = (run.per_image.set_index("id") for run in self.runs)
        return np.stack([table.reindex(index=ids, columns=[metric])[metric].to_numpy(float) for table in tables])

    def cost(self, name: str) -> float:
        values = [run.cost.get(name) for run in self.runs]
        return float(np.mean([value for value in values if value is not None] or [math.nan]))


def write_report(study_folder: Path | str, report_folder: Path | str) -> Path:
    """Write a study's report: ``index.html``, ``results.csv``, ``comparison.md`` and ``figures/*.png``.

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
    _write_text(report_folder / "comparison.md", to_markdown(comparison))
    _write_text(report_folder / "index.html", to_html(comparison, samples, figures))
    return report_folder / "index.html"


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


# ---- from run folders to rows ------------------------------------------------------------------------------------


def gather_rows(study: dict, folder: Path) -> list[Row]:
    """Group the finished runs of a study into rows, one for all seeds of one setting.

    Runs of rows that the study no longer holds are left out; whatever was judged into its folder stays. Settings
    that share a label get what sets them apart added to it.
    """
    planned = {Path(row["folder"]).name for row in study["rows"]}
    runs = [
        run
        for run in list_runs(folder)
        if run.folder.relative_to(folder).parts[0] in planned or run.config["kind"] == "judged"
    ]
    settings: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        rest = {key: value for key, value in run.config.items() if key not in ("name", "seed", "command")}
        settings.setdefault((run.label, json.dumps(rest, sort_keys=True)), []).append(run)
    rows = []
    for (label, _), group in settings.items():
        alike = [other[0].config for (name, _), other in settings.items() if name == label]
        config = group[0].config
        differing = [key for key in config if key not in ("name", "seed", "command")]
        differing = [key for key in differing if any(other.get(key) != config[key] for other in alike)]
        suffix = f" ({', '.join(f'{key} {config[key]}' for key in differing)})" if differing else ""
        group = sorted(group, key=lambda run: (run.config.get("seed") or 0, str(run.folder)))
        rows.append(Row(label + suffix, GROUP_OF_KIND[config["kind"]], group))
    return rows


def _resamples(pairs: int) -> int:
    # The smallest p of a bootstrap is 2 / resamples; times the number of pairs, as Holm has it, it must stay small.
    return max(10_000, 200 * pairs)


def own_oracle(config: dict) -> str | None:
    """Name the oracle that says the best possible answer under a run's objective and decoder, if there is one."""
    objective, options = config.get("objective"), config.get("objective_options")
    if objective == "rebalanced_ce" and options == {"temperature": 0.1}:
        return "bayes_rebalanced_ce_vivid"
    return None if options or not isinstance(objective, str) else OWN_ORACLE.get(objective)


class Comparison:
    """All that is computed from the rows of a study; nothing here knows of HTML.

    Args:
        study: the contents of ``study.json``.
        rows: from :func:`gather_rows`; none at all is a comparison too.
    """

    def __init__(self, study: dict, rows: list[Row]) -> None:
        self.study = study
        self.margin = float(study.get("margin", {}).get(PRIMARY, 0))
        listed = [set(run.per_image["id"]) for row in rows for run in row.runs]
        self.ids = sorted(set.intersection(*listed)) if listed else []
        self.left_out = len(set.union(*listed)) - len(self.ids) if listed else 0
        if listed and not self.ids:
            raise ValueError("the runs of this study were judged on different photographs: none is common to all.")
        means = {row.label: row.scores(PRIMARY, self.ids).mean() for row in rows}
        self.rows = sorted(rows, key=lambda row: (means[row.label], row.label))
        self.by_label = {row.label: row for row in self.rows}
        self.contestants = [row.label for row in self.rows if row.group != "oracle"]
        self.trained = [row.label for row in self.rows if row.group in ("trained", "judged")]
        self.trivial = [row.label for row in self.rows if row.group == "trivial"]
        self.best = (self.trained or self.contestants or [None])[0]
        self.grey = next((label for label in self.trivial if self.by_label[label].config["model"] == "grey"), None)

    def columns(self) -> list[str]:
        """Metrics that at least one run has."""
        found = set().union(*(run.per_image.columns for row in self.rows for run in row.runs))
        return [name for name in METRICS if name in found]

    @cached_property
    def intervals(self) -> dict[str, dict[str, Interval]]:
        """Metric → label → mean with its interval; labels that lack the metric are left out."""
        intervals = {}
        for name in self.columns():
            scores = {row.label: row.scores(name, self.ids) for row in self.rows}
            scores = {label: values for label, values in scores.items() if np.isfinite(values).any()}
            resamples = 10_000 if name == PRIMARY else RESAMPLES
            if scores:
                intervals[name] = statistics.mean_intervals(scores, n_resamples=resamples)
        return intervals

    @cached_property
    def pooled(self) -> dict[str, dict[str, float]]:
        """Pooled metric → label → value, the mean over seeds."""
        pooled: dict[str, dict[str, float]] = {}
        for name, metric in POOLED.items():
            for row in self.rows:
                tables = [run.per_image[run.per_image["id"].isin(self.ids)] for run in row.runs]
                try:
                    value = float(np.mean([metric.fn(table) for table in tables]))
                except KeyError:  # the run was judged without the columns that this one is made from
                    continue
                if math.isfinite(value):
                    pooled.setdefault(name, {})[row.label] = value
        return pooled

    def _primary(self) -> dict[str, np.ndarray]:
        return {label: self.by_label[label].scores(PRIMARY, self.ids) for label in self.contestants}

    @cached_property
    def differences(self) -> dict[tuple[str, str], Difference]:
        """(row, other) → primary metric of row minus other, p corrected by Holm over all pairs, both ways round."""
        pairs = math.comb(len(self.contestants), 2)
        if not pairs:
            return {}
        found = statistics.paired_differences(self._primary(), n_resamples=_resamples(pairs))
        corrected = statistics.holm([difference.p for difference in found.values()])
        result = {}
        for ((a, b), difference), p in zip(found.items(), corrected, strict=True):
            result[a, b] = difference._replace(p=float(p))
            result[b, a] = Difference(
                -difference.mean, -difference.high, -difference.low, float(p), difference.seeds[::-1]
            )
        return result

    @cached_property
    def ranks(self) -> dict[str, Rank]:
        """Label → rank by the primary metric among all but the oracles."""
        return statistics.rank_intervals(self._primary(), higher_is_better=False) if self.contestants else {}

    def verdict(self, label: str, other: str | None) -> str:
        """Say how ``label`` stands to ``other``; empty where there is nothing to say."""
        difference = self.differences.get((label, other))
        return statistics.verdict(difference, self.margin, higher_is_better=False) if difference else ""

    def truth(self, metric: str) -> float:
        """Mean of a descriptive metric (colourfulness, chroma) over the photographs themselves; NaN if unknown."""
        values, errors = self.intervals.get(metric, {}), self.intervals.get(f"{metric}_error", {})
        label = next((label for label in values if label in errors), None)
        return values[label].mean - errors[label].mean if label else math.nan

    @cached_property
    def laws(self) -> pd.DataFrame:
        """One line per row and law of colour: kept (share of the true chroma) and delta_e_76, over all its pixels."""
        lines = []
        for row in self.rows:
            for law in plots.LAWS:
                share, chroma, true, error = (
                    row.scores(f"{name}_{law}", self.ids)
                    for name in ("share", "mean_chroma", "mean_chroma_true", "delta_e_76")
                )
                total = np.nansum(share)
                if total > 0:
                    kept = np.nansum(share * chroma) / np.nansum(share * true)
                    lines.append((row.label, row.group, law, kept, np.nansum(share * error) / total))
        table = pd.DataFrame(lines, columns=["name", "group", "law", "kept", "delta_e_76"])
        oracles = {row.config["model"]: row.label for row in self.rows if row.group == "oracle"}
        own = {row.label: oracles.get(own_oracle(row.config)) for row in self.rows}
        table["oracle"] = [own[name] for name in table["name"]]
        return table

    @cached_property
    def results(self) -> pd.DataFrame:
        """The whole table, one line per row, what a clock decides last: ``results.csv``."""
        lines = {}
        for row in self.rows:
            rank, label = self.ranks.get(row.label), row.label
            objective = describe_objective(row.config.get("objective") or "")
            line = {"group": row.group, "model": row.config["model"], "objective": objective or None}
            line |= {"seeds": len(row.runs), "images": len(self.ids)}
            line |= dict(zip(("rank", "rank_low", "rank_high"), rank or (None,) * 3, strict=True))
            line |= {"against_best": self.verdict(label, self.best), "against_grey": self.verdict(label, self.grey)}
            for name, values in self.intervals.items():
                ends = values.get(label, (math.nan,) * 3)
                line |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
            line |= {name: values.get(label, math.nan) for name, values in self.pooled.items()}
            for _, law in self.laws[self.laws["name"] == label].iterrows():
                line |= {f"chroma_kept_{law['law']}": law["kept"], f"delta_e_76_{law['law']}": law["delta_e_76"]}
            line |= {name: row.cost(name) for name in (*COSTS, *TIMES)}
            lines[label] = line
        table = pd.DataFrame.from_dict(lines, orient="index").rename_axis("label")
        whole = [name for name in ("rank", "rank_low", "rank_high", *COSTS) if name in table]
        return table.astype(dict.fromkeys(whole, "Int64"))

    def order(self, metric: str) -> pd.Series | None:
        """Values of a metric with a direction, best first; None for a metric without one."""
        known = METRICS.get(metric) or POOLED[metric]
        if known.higher_is_better is None or metric not in self.results:
            return None
        return self.results[metric].dropna().sort_values(ascending=not known.higher_is_better, kind="stable")

    @cached_property
    def crowns(self) -> list[dict]:
        """What each metric with a direction would have crowned, and how far its order agrees with the primary's."""
        crowns = []
        for name in (*self.intervals, *self.pooled):
            order = self.order(name)
            if order is None:
                continue
            order = order[[label for label in order.index if label in self.contestants]]
            winners = [label for label in order.index if label in self.trained]
            if not winners:
                continue
            up = (METRICS.get(name) or POOLED[name]).higher_is_better
            top = order[winners[0]]
            primary = self.results.loc[order.index, PRIMARY]
            crowns.append(
                {
                    "metric": name,
                    "winner": winners[0],
                    "value": top,
                    "same": winners[0] == self.best,
                    "trivial": [
                        t for t in order.index if t in self.trivial and (order[t] >= top if up else order[t] <= top)
                    ],
                    "tau": statistics.kendall_tau(primary, order * (-1 if up else 1)) if len(order) > 1 else math.nan,
                }
            )
        return crowns

    def failures(self) -> list[dict]:
        """Rows of the study that did not end well."""
        return [row for row in self.study["rows"] if row["status"] != "done"]


# ---- sentences ---------------------------------------------------------------------------------------------------


def _number(value: float | None, decimals: int = 2) -> str:
    """Write a number with a real minus sign and a comma between thousands; – where there is none."""
    if value is None or pd.isna(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("-")
    return text.replace("-", "−")


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + _number(value)


def _short(value: float | None) -> str:
    """Write a large number shortly: 1.2 M."""
    if value is None or pd.isna(value):
        return "–"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}" if value >= 0.01 or not value else "< 0.01"


def _percent(value: float) -> str:
    return f"{_number(100 * value, 0)} %"


def _tidy(text: str) -> str:
    """Keep numbers on one line with their sign."""
    return re.sub(r"(?<=\d) (?=%|ΔE)|(?<=p) (?=[<=])|(?<=[<=]) (?=\d)|(?<=95 %) |(?<=ΔE) ", "\u00a0", text)


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _head(metric: str) -> str:
    return NAMES.get(metric, metric)


def _about_difference(comparison: Comparison, other: str, name: str) -> str:
    """Say how the best row stands to another, from the other's side of the comparison: size, interval, certainty."""
    difference = comparison.differences[comparison.best, other]
    verdict = comparison.verdict(comparison.best, other)
    size = f"{_number(abs(difference.mean))} {'below' if difference.mean < 0 else 'above'} {name}"
    if difference.low * difference.high > 0:
        low, high = sorted((abs(difference.low), abs(difference.high)))
        interval = f"95 % interval {_number(low)} to {_number(high)}"
    else:
        interval = f"95 % interval of the difference {_number(difference.low)} to {_number(difference.high)}"
    if not verdict.startswith("no difference"):
        p = next((f"p < {bound}" for bound in (0.001, 0.01) if difference.p < bound), f"p = {difference.p:.2f}")
        verdict += f", {p} after Holm's correction"
    return f"{size} ({interval}; {verdict})"


def answer(comparison: Comparison) -> list[str]:
    """Answer the study's question in three sentences made from the data."""
    c = comparison
    if not c.contestants:
        return ["No row of this study has finished, so there is nothing to compare yet; the failures below say why."]
    best = c.intervals[PRIMARY][c.best]
    seeds = len(c.by_label[c.best].runs)
    scored = (
        f"with a mean {_head(PRIMARY)} of {_number(best.mean)} (95 % interval {_number(best.low)} to "
        f"{_number(best.high)}; {_plural(len(c.ids), 'photograph')}, {_plural(seeds, 'training')}; lower is better)"
    )
    if not c.trained:
        sentences = [
            f"No network of this study has finished; of the rows that need no training, {c.best} is best, {scored}."
        ]
    elif c.contestants[0] != c.best:
        above = _listed(label for label in c.contestants[: c.contestants.index(c.best)])
        sentences = [
            f"No trained row comes first: {above}, without training, lies ahead of the best, {c.best}, {scored}."
        ]
    else:
        sentences = [f"{c.best} colours these photographs best, {scored}."]
    others = [label for label in c.trained if label != c.best]
    parts = [_about_difference(c, others[0], f"the runner-up, {others[0]}")] if others else []
    if c.grey and c.grey != c.best:
        parts.append(_about_difference(c, c.grey, "leaving every photograph grey"))
    if parts:
        sentences.append("Its " + _head(PRIMARY) + " lies " + " and ".join(parts) + ".")
    sentences.append(_vividness(c))
    return [sentence for sentence in sentences if sentence]


def _vividness(c: Comparison) -> str:
    name = "colorfulness_hs03"
    truth, values = c.truth(name), c.intervals.get(name, {})
    values = {label: values[label].mean for label in c.trained if label in values}
    if not values or not truth > 0:
        return ""
    nearest = min(values, key=lambda label: abs(values[label] - truth))
    dullest = min(values, key=values.get)
    start = f"The photographs' own colourfulness is {_number(truth, 1)}: "
    if len(values) == 1:
        return start + f"{nearest} reaches {_number(values[nearest], 1)} ({_percent(values[nearest] / truth)})."
    text = f"{nearest} comes nearest with {_number(values[nearest], 1)} ({_percent(values[nearest] / truth)})"
    if dullest != nearest:
        share = values[dullest] / truth
        word = "washes out most" if share < 0.9 else "is least colourful"
        text += f", {dullest} {word} with {_number(values[dullest], 1)} ({_percent(share)})"
    if c.best in values and c.best not in (nearest, dullest):
        text += f", and {c.best} keeps {_percent(values[c.best] / truth)}"
    return start + text + "."


def about_seeds(c: Comparison) -> str:
    """Say what the intervals cover."""
    single = [label for label in c.trained if c.by_label[label].group == "trained" and len(c.by_label[label].runs) == 1]
    if not single:
        return "Intervals cover the choice of photographs and of the training's random seed."
    networks = [label for label in c.trained if c.by_label[label].group == "trained"]
    if len(single) == len(networks):
        who = "Every network was"
    elif len(single) > 3:
        who = f"{len(single)} of {len(networks)} networks were"
    else:
        who = f"{_listed(single)} {'was' if len(single) == 1 else 'were'}"
    return f"{who} trained once: those intervals cover the choice of photographs, not the luck of a training."


def about_laws(c: Comparison) -> list[str]:
    """Say how far each objective stands from the best it could do, on things that may have any colour."""
    table = c.laws[c.laws["law"] == "free"].set_index("name")
    if table.empty:
        return []
    oracles = {row.config["model"]: row.label for row in c.rows if row.group == "oracle"}
    sentences = []
    if oracles.get("bayes_l2") in table.index:
        kept = table["kept"][oracles["bayes_l2"]]
        sentences.append(
            f"On things of any hue, the best possible answer under L2, the mean of all hues, keeps {_percent(kept)} of "
            f"the chroma: {'L2 turns brown, and no training cures it.' if kept < 0.5 else 'here L2 keeps most of it.'}"
        )
    under: dict[tuple[str, str | None], list[str]] = {}
    for label in c.trained:
        config = c.by_label[label].config
        if label in table.index and config.get("objective"):
            under.setdefault((describe_objective(config["objective"]), own_oracle(config)), []).append(label)
    errors = table["delta_e_76"].map(lambda value: _number(value, 1))
    for (objective, _), labels in under.items():
        first, *others = labels
        words = [f"{first} keeps {_percent(table['kept'][first])} of the chroma (ΔE 76 {errors[first]})"]
        words += [f"{label} {_percent(table['kept'][label])} ({errors[label]})" for label in others]
        text = f"Under {objective}, {_listed(words)}"
        oracle = table["oracle"][labels[0]]
        if oracle in table.index:
            own = table.loc[oracle]
            near = (table["kept"][labels] - own["kept"]).abs().idxmin()
            text += (
                f". Its oracle, {oracle}, keeps {_percent(own['kept'])} ({errors[oracle]}): "
                f"{near if len(labels) > 1 else 'the network'} stands "
                f"{_number(abs(100 * (table['kept'][near] - own['kept'])), 0)} points of chroma and "
                f"{_number(abs(table['delta_e_76'][near] - own['delta_e_76']), 1)} ΔE from it"
            )
        sentences.append(text + ".")
    return sentences


def about_crowns(c: Comparison) -> list[str]:
    """Say where the metrics disagree."""
    if not c.crowns:
        return []
    winners: dict[str, list[str]] = {}
    for crown in c.crowns:
        winners.setdefault(crown["winner"], []).append(_head(crown["metric"]))
    agree = len(winners.pop(c.best, []))
    sentences = [f"{agree} of {_plural(len(c.crowns), 'metric')} crown {c.best}, as {_head(PRIMARY)} does."]
    for winner, metrics in sorted(winners.items(), key=lambda item: -len(item[1])):
        sentences.append(f"{_listed(metrics)} would have crowned {winner}.")
    fooled = [_head(crown["metric"]) for crown in c.crowns if crown["trivial"]]
    if fooled:
        sentences.append(f"By {_listed(fooled)}, a row that needs no training equals or beats every trained one.")
    low = min(c.crowns, key=lambda crown: crown["tau"] if math.isfinite(crown["tau"]) else 2)
    if math.isfinite(low["tau"]) and low["tau"] < 1:
        sentences.append(
            f"The order farthest from that of {_head(PRIMARY)} is that of {_head(low['metric'])} "
            f"(Kendall's τ {_number(low['tau'])} over {_plural(len(c.contestants), 'row')})."
        )
    return sentences


def _why(c: Comparison, label: str, lost: list[str]) -> str:
    """Say what the files say of why a trained row does not beat rows without training: too bold, or too early."""
    chroma = c.intervals.get("mean_chroma", {})
    if {label, *lost} <= chroma.keys() and chroma[label].mean > max(chroma[other].mean for other in lost):
        theirs, own = max(chroma[other].mean for other in lost), c.truth("mean_chroma")
        return (
            f"Its mean chroma is {_number(chroma[label].mean, 1)}, theirs at most {_number(theirs, 1)} and the "
            f"photographs' own {_number(own, 1)}: where the hue is wrong, a strong colour errs more than a faint one."
        )
    history = c.by_label[label].runs[0].history
    if history is None or len(history) < 3:
        return ""
    before, last = history.iloc[-1 - len(history) // 3], history.iloc[-1]
    seen, since = last["images_seen"], last["images_seen"] - before["images_seen"]
    return (
        f"It saw {seen:,.0f} photographs; over the last {since:,.0f} its ΔE 76 on validation photographs went from "
        f"{_number(before['val_delta_e_76'])} to {_number(last['val_delta_e_76'])}."
    )


def about_training(c: Comparison) -> list[str]:
    """Name trained rows that do not beat every row that needs no training, and the best row's worst photographs."""
    sentences = []
    for label in c.trained:
        lost = [other for other in c.trivial if c.verdict(label, other) != "better"]
        if lost:
            verdicts = _listed(f"{other} ({c.verdict(label, other)})" for other in lost)
            sentences.append(f"{label} is not shown to be better than {verdicts}. {_why(c, label, lost)}".strip())
    if c.trained:
        scores = c.by_label[c.best].scores(PRIMARY, c.ids).mean(0)
        worst = [(c.ids[i], scores[i]) for i in np.argsort(-scores, kind="stable")[:5] if np.isfinite(scores[i])]
        named = _listed(f"{identity} ({_number(value, 1)})" for identity, value in worst)
        sentences.append(f"The photographs that {c.best} colours worst, with their {_head(PRIMARY)}: {named}.")
    return sentences


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
        reason = f"{chosen[identity]}, mean {_head(PRIMARY)} {_number(mean[identity], 1)}"
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
    primary = f"mean {_head(PRIMARY)}" + (f" [{unit}]" if unit else "")
    table = pd.DataFrame.from_dict(c.intervals[PRIMARY], orient="index", columns=["mean", "low", "high"])
    table["group"] = [c.by_label[label].group for label in table.index]
    figures = {"forest": plots.plot_forest(table, primary, "lower is better, bars are 95 % intervals", c.grey)}
    costs = {"ms_per_image": "colouring one photograph [ms]", "train_seconds": "training [s]"}
    for name in costs:
        table[name] = c.results[name].astype(float)
    known = table[(table["group"] != "oracle") & (table.index != c.grey)]
    costs = {name: words for name, words in costs.items() if (known[name] > 0).any()}
    if costs:
        grey = ("left grey", table["mean"][c.grey]) if c.grey else None
        figures["pareto"] = plots.plot_pareto(known, costs, primary, reference=grey)
    if len(c.laws):
        for name, column, label, mark in (
            ("laws_chroma", "kept", "chroma kept, as a share of the photographs' own", 1),
            ("laws_delta_e", "delta_e_76", "mean ΔE 76, lower is better", None),
        ):
            values = c.laws.set_index(["name", "law"])[column]
            shown = c.laws.assign(value=c.laws[column])
            shown["oracle"] = [
                values.get((own, law), math.nan) for own, law in zip(c.laws["oracle"], c.laws["law"], strict=True)
            ]
            figures[name] = plots.plot_laws(shown, label, mark)
    histories = {
        label: [run.history for run in c.by_label[label].runs if run.history is not None] for label in c.trained
    }
    histories = {label: tables for label, tables in histories.items() if tables}
    if histories:
        figures["history"] = plots.plot_history(histories)
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
        figures[f"pictures_{name}"] = plots.show_photos(
            grid, [f"{s.identity}\n{s.reason}" for s in chosen], columns, 1.1
        )
    return figures


# ---- writing -----------------------------------------------------------------------------------------------------


def _decimals(values: Iterable[Interval]) -> int:
    """Choose decimals by the intervals: their half-width is shown to two digits, no value to more than four."""
    values = list(values)
    width = float(np.median([(v.high - v.low) / 2 for v in values if v.high > v.low] or [0.05]))
    size = float(np.median([abs(v.mean) for v in values])) or 1.0
    return int(np.clip(min(1 - math.floor(math.log10(width)), 3 - math.floor(math.log10(size))), 0, 3))


def table_cells(comparison: Comparison, metrics: Iterable[str]) -> list[dict]:
    """Columns for a table: head, unit, direction, and for each label its text, its interval and whether it is best."""
    c, columns = comparison, []
    for name in metrics:
        known = METRICS.get(name) or POOLED[name]
        intervals = c.intervals.get(name)
        if intervals:
            decimals = _decimals(intervals.values())
            means = {label: value.mean for label, value in intervals.items()}
            ends = {
                label: f"{_number(value.low, decimals)}…{_number(value.high, decimals)}"
                for label, value in intervals.items()
            }
        elif name in c.pooled:
            decimals, means, ends = 2, c.pooled[name], {}
        else:
            continue
        order = c.order(name)
        best = next((label for label in order.index if label in c.trained), None) if order is not None else None
        columns.append(
            {
                "name": name,
                "head": _head(name),
                "unit": known.unit,
                "arrow": {True: "↑", False: "↓", None: ""}[known.higher_is_better],
                "truth": _number(c.truth(name), decimals) if math.isfinite(c.truth(name)) else "",
                "text": {label: _number(value, decimals) for label, value in means.items()},
                "ends": ends,
                "best": best,
            }
        )
    return columns


def _rank_text(rank: Rank | None) -> str:
    if rank is None:
        return "–"
    return f"{rank.rank}" + (f" ({rank.low}–{rank.high})" if rank.low != rank.high else "")


def to_markdown(comparison: Comparison) -> str:
    """Write the answer and the table as Markdown."""
    c = comparison
    lines = [f"# {c.study.get('title') or c.study['name']}", "", c.study.get("question", ""), "", "## The answer", ""]
    lines += [" ".join(answer(c)), "", about_seeds(c) if c.trained else "", ""]
    columns = table_cells(c, HEADS)
    heads = ["rank", "row", "group"]
    heads += [" ".join(filter(None, (k["head"], k["unit"] and f"[{k['unit']}]", k["arrow"]))) for k in columns]
    heads += ["against the best", "against grey", *COSTS.values(), *TIMES.values()]
    table = [heads, ["---"] * len(heads)]
    for row in c.rows:
        cells = [_rank_text(c.ranks.get(row.label)), row.label, row.group]
        for column in columns:
            ends = column["ends"].get(row.label)
            cells.append(column["text"].get(row.label, "–") + (f" ({ends})" if ends else ""))
        cells += [c.verdict(row.label, c.best) or "–", c.verdict(row.label, c.grey) or "–"]
        cells += [_short(row.cost(name)) for name in (*COSTS, *TIMES)]
        table.append(cells)
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in table] if c.rows else []
    for name in ("colorfulness_hs03", "mean_chroma"):
        if math.isfinite(c.truth(name)):
            lines += ["", f"{_head(name)} of the photographs themselves: {_number(c.truth(name), 1)}."]
    for row in c.failures():
        lines += ["", f"{row['status'].capitalize()}: {row['id']}: {row['error'] or 'no message'}"]
    return "\n".join(lines).rstrip() + "\n"


def _flat(value: object, path: str = "") -> list[tuple[str, str]]:
    """Spell nested JSON as pairs of a name and a text."""
    if isinstance(value, dict):
        return list(
            itertools.chain.from_iterable(_flat(v, f"{path} · {k}" if path else str(k)) for k, v in value.items())
        )
    if isinstance(value, list):
        if any(isinstance(item, dict) for item in value):
            return [(path, _plural(len(value), "entry").replace("entrys", "entries"))]
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
        ("resamples", f"{_resamples(pairs):,} for {PRIMARY}, {RESAMPLES:,} for the other metrics"),
        ("correction", f"Holm over all {pairs} pairs of rows that are not oracles"),
        ("margin", f"a difference within ±{c.margin:g} does not matter" if c.margin else "none was declared"),
        ("ranks", "among all rows but the oracles, which know the answer; in brackets where a resample may put them"),
    ]
    if c.left_out:
        method.append(("left out", f"{_plural(c.left_out, 'photograph')} that not every row was judged on"))
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
    lines = [("photographs", f"{_listed(f'{count:,} {split}' for split, count in splits.items()) or 'not recorded'}")]
    lines.append(("left out", f"{_listed(left_out)}: no colour to learn, or seen already" if left_out else "none"))
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
            "rows": [
                (s, [photo if photo is None else _jpeg(photo, pixels) for photo in s.photos.values()]) for s in chosen
            ],
        }
        for name, chosen in samples.items()
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"tidy": _tidy, "number": _number, "signed": _signed, "short": _short, "percent": _percent}
    metrics = {name: METRICS.get(name) or POOLED[name] for name in (*c.intervals, *c.pooled)} if c.rows else {}
    charts = {name: figure for name, figure in figures.items() if not name.startswith("pictures_")}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        c=c,
        title=c.study.get("title") or c.study["name"],
        answer=answer(c),
        seeds=about_seeds(c) if c.trained else "",
        columns=table_cells(c, HEADS) if c.rows else [],
        all_columns=table_cells(c, metrics),
        metrics=metrics,
        head=_head,
        rank=_rank_text,
        costs=COSTS,
        times=TIMES,
        figures={name: _address(plots.figure_bytes(figure, "svg"), "svg+xml") for name, figure in charts.items()},
        laws=about_laws(c) if c.rows else [],
        law_names=plots.LAWS,
        crowns=about_crowns(c) if c.rows else [],
        training=about_training(c) if c.rows else [],
        pictures=pictures,
        protocol=_protocol(c),
        settings=_settings(c),
        flat=_flat,
        groups=plots.GROUPS,
        primary=PRIMARY,
    )
