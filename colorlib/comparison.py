"""What the finished runs of a study amount to: rows, intervals, differences, ranks, and what the variance goes with.

All of it is computed from ``study.json`` and the run folders. Nothing here knows of words, figures or pages:
:mod:`colorlib.findings` says it in sentences, :mod:`colorlib.report` shows it.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from colorlib.data.scenes.laws import LAWS
from colorlib.metrics import METRICS, POOLED, SETS, Metric, PooledMetric, SetMetric
from colorlib.objectives import OBJECTIVES, SUMS, describe_objective, objective_options
from colorlib.runs.run import Run, list_runs
from colorlib.statistics import bootstrap as statistics
from colorlib.statistics.bootstrap import Difference, Interval, Rank
from colorlib.statistics.variance import Share

PRIMARY = "delta_e_2000"
RESAMPLES = 2_000  # of the metrics that no verdict rests on; the primary one gets at least 10,000
GROUP_OF_KIND = {"network": "trained", "baseline": "trivial", "oracle": "oracle", "judged": "judged"}
COSTS = ("parameters", "macs_per_image", "images_seen")
TIMES = ("train_seconds", "seconds_per_1000_training_images", "ms_per_image", "peak_memory_mb")
OWN_ORACLE = {"l2": "bayes_l2", "l1": "bayes_l1", "ce": "bayes_ce", "rebalanced_ce": "bayes_rebalanced_ce"}
ATTRIBUTED = (PRIMARY, "psnr_rgb_db", "colorfulness_hs03")  # whose variance between runs is divided among its causes
NOT_SETTINGS = ("name", "seed", "command")  # in these, runs of one row may differ


class Budget(NamedTuple):
    """What ended a training: so many photographs shown, or so many seconds."""

    unit: str
    amount: float

    def __str__(self) -> str:
        return f"{self.amount:,}".removesuffix(".0") + f" {self.unit}"


class SetScore(NamedTuple):
    """A distance between sets, the mean over seeds; ``sd`` of a kernel distance is over its subsets, else NaN."""

    value: float
    sd: float
    n: int
    compared: bool  # whether it was measured as those it stands beside


@dataclass(frozen=True)
class Row:
    """One row of the table: the runs that differ in nothing but their seed."""

    label: str
    group: str
    runs: list[Run]

    @property
    def config(self) -> dict:
        return self.runs[0].config

    @property
    def short(self) -> str:
        """The label without the budget."""
        return self.label.replace(f" ({self.budget})", "")

    @cached_property
    def by_id(self) -> list[pd.DataFrame]:
        return [run.per_image.set_index("id") for run in self.runs]

    def scores(self, metric: str, ids: Sequence[str]) -> np.ndarray:
        """(seeds, N) of one column of ``per_image.csv``, NaN where a run lacks it."""
        return np.stack([table.reindex(index=ids, columns=[metric])[metric].to_numpy(float) for table in self.by_id])

    def cost(self, name: str) -> float:
        values = [run.cost.get(name) for run in self.runs]
        return float(np.mean([value for value in values if value is not None] or [math.nan]))

    @property
    def budget(self) -> Budget | None:
        """What ended the training: of two budgets the one that was used up; None for what was not trained here."""
        images, seconds = self.config.get("images_seen"), self.config.get("seconds")
        if not images:
            return None
        if seconds and self.cost("train_seconds") / seconds > self.cost("images_seen") / images:
            return Budget("s", seconds)
        return Budget("images", images)

    @property
    def collapsed(self) -> list[Run]:
        return [run for run in self.runs if run.collapse]

    def tables(self, name: str) -> list[pd.DataFrame]:
        """Read a CSV that only some run folders hold, with the seed as a column."""
        paths = [(run, run.folder / name) for run in self.runs]
        return [pd.read_csv(path).assign(seed=run.config.get("seed")) for run, path in paths if path.exists()]


# ---- from run folders to rows ------------------------------------------------------------------------------------


def gather_rows(study: dict, folder: Path) -> list[Row]:
    """Group the finished runs of a study into rows, one for all seeds of one setting.

    Runs of rows that the study no longer holds are left out; whatever was judged into its folder stays. Where there
    are several budgets, rows without the commonest one have theirs in the label, "unet · l1 (60 s)"; settings that
    still share a label get what sets them apart. Networks are called as :func:`shortened` says.
    """
    planned = {Path(row["folder"]).name for row in study["rows"]}
    runs = [
        run
        for run in list_runs(folder)
        if run.folder.relative_to(folder).parts[0] in planned or run.config["kind"] == "judged"
    ]
    settings: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        rest = {key: value for key, value in run.config.items() if key not in NOT_SETTINGS}
        settings.setdefault((run.label, json.dumps(rest, sort_keys=True)), []).append(run)
    rows = []
    for (label, _), group in settings.items():
        group = sorted(group, key=lambda run: (run.config.get("seed") or 0, str(run.folder)))
        rows.append(Row(label, GROUP_OF_KIND[group[0].config["kind"]], group))
    usual = usual_budget(rows)
    rows = [_with_suffix(row, [str(row.budget)] if row.budget != usual and row.budget else []) for row in rows]
    budget = ("images_seen", "seconds")
    for keys in ([key for row in rows for key in row.config if key not in budget], budget):
        alike = {label: [row for row in rows if row.label == label] for label in {row.label for row in rows}}
        rows = [_with_suffix(row, _differing(row, alike[row.label], dict.fromkeys(keys))) for row in rows]
    for name, short in shortened(rows).items():
        named = f"{name} · "
        begin = f"{short} · " if short else ""
        rows = [replace(r, label=begin + r.label[len(named) :]) if r.label.startswith(named) else r for r in rows]
    return rows


def shortened(rows: Sequence[Row]) -> dict[str, str]:
    """Return what labels of more than three trained rows call networks: name with options → "" or the bare name.

    A network that is every row's is left out, and the options of one that comes with no others.
    """
    models = [
        (row.runs[0].label.partition(" · ")[0], row.config["model"])
        for row in rows
        if row.group == "trained" and " · " in row.runs[0].label
    ]
    names, counts = dict(models), Counter(model for _, model in set(models))
    if len(models) <= 3:
        return {}
    return {
        name: "" if len(names) == 1 else model
        for name, model in names.items()
        if len(names) == 1 or (counts[model] == 1 and name != model)
    }


def usual_budget(rows: Sequence[Row]) -> Budget | None:
    """Return the commonest budget among trained rows, the first in the order of images, then seconds."""
    counts = Counter(row.budget for row in rows if row.budget)
    return max(sorted(counts), key=lambda budget: counts[budget], default=None)


def _differing(row: Row, alike: list[Row], keys: Sequence[str]) -> list[str]:
    keys = [key for key in keys if key not in (*NOT_SETTINGS, "label")]
    keys = [key for key in keys if any(other.config.get(key) != row.config.get(key) for other in alike)]
    return [f"{key.replace('_', ' ')} {row.config.get(key)}" for key in keys]


def _with_suffix(row: Row, words: Sequence[str]) -> Row:
    return replace(row, label=f"{row.label} ({', '.join(words)})") if words else row


def known_metric(name: str) -> Metric | PooledMetric | SetMetric:
    """Return what is known of a metric, be it of images, pooled or of sets."""
    return METRICS.get(name) or POOLED.get(name) or SETS[name]


def resamples(pairs: int) -> int:
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
        found = statistics.paired_differences(self._primary(), n_resamples=resamples(pairs))
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

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Every pair of rows once: difference of the primary metric, interval, corrected p, verdict: ``pairs.csv``."""
        columns = ["row", "other", "difference", "low", "high", "p_holm", "verdict"]
        later = {label: place for place, label in enumerate(self.contestants)}
        lines = [
            (a, b, *difference[:4], self.verdict(a, b))
            for (a, b), difference in self.differences.items()
            if later[a] < later[b]
        ]
        return pd.DataFrame(lines, columns=columns).set_index("row")

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
            for law in LAWS:
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
            line |= {"seeds": len(row.runs), "images": len(self.ids), "collapsed": len(row.collapsed)}
            line |= dict(zip(("rank", "rank_low", "rank_high"), rank or (None,) * 3, strict=True))
            line |= {"against_best": self.verdict(label, self.best), "against_grey": self.verdict(label, self.grey)}
            for name, values in self.intervals.items():
                ends = values.get(label, (math.nan,) * 3)
                line |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
            line |= {name: values.get(label, math.nan) for name, values in self.pooled.items()}
            line |= {name: values[label].value if label in values else math.nan for name, values in self.sets.items()}
            line |= {"sets_n": next((run.sets["n"] for run in row.runs if run.sets), None)} if self.sets else {}
            for _, law in self.laws[self.laws["name"] == label].iterrows():
                line |= {f"chroma_kept_{law['law']}": law["kept"], f"delta_e_76_{law['law']}": law["delta_e_76"]}
            line |= {name: row.cost(name) for name in (*COSTS, *TIMES)}
            lines[label] = line
        table = pd.DataFrame.from_dict(lines, orient="index").rename_axis("label")
        whole = [name for name in ("rank", "rank_low", "rank_high", "sets_n", *COSTS) if name in table]
        for name in whole:  # means over seeds, of images seen in equal seconds for example, are rounded
            table[name] = pd.to_numeric(table[name]).round().astype("Int64")
        return table

    def order(self, metric: str) -> pd.Series | None:
        """Values of a metric with a direction, best first; None for a metric without one."""
        known = known_metric(metric)
        if known.higher_is_better is None or metric not in self.results:
            return None
        values = self.results[metric].dropna()
        if metric in self.sets:
            values = values[[label for label in values.index if self.sets[metric][label].compared]]
        return values.sort_values(ascending=not known.higher_is_better, kind="stable")

    @cached_property
    def crowns(self) -> list[dict]:
        """What each metric with a direction would have crowned, and how far its order agrees with the primary's."""
        crowns = []
        for name in (*self.intervals, *self.pooled, *self.sets):
            order = self.order(name)
            if order is None:
                continue
            order = order[[label for label in order.index if label in self.contestants]]
            winners = [label for label in order.index if label in self.trained]
            if not winners:
                continue
            up = known_metric(name).higher_is_better
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

    # ---- distances between sets

    @cached_property
    def sets(self) -> dict[str, dict[str, SetScore]]:
        """Distance between sets → label → score. Compared are those measured in the way that most rows were."""
        result = {}
        for name in SETS:
            found = {}
            for row in self.rows:
                tables = [run.sets for run in row.runs if (run.sets or {}).get(name) is not None]
                ways = {_way(name, table) for table in tables}
                if len(ways) == 1:
                    values = [table[name] for table in tables]
                    spreads = [table.get(f"{name}_sd", math.nan) for table in tables]
                    found[row.label] = ways.pop(), float(np.mean(values)), float(np.mean(spreads)), tables[0]["n"]
            ways = Counter(way for way, *_ in found.values())
            usual = max(sorted(ways), key=lambda way: ways[way], default=None)
            if found:
                result[name] = {
                    label: SetScore(value, sd, n, way == usual) for label, (way, value, sd, n) in found.items()
                }
        return result

    def needs(self, metric: str, label: str) -> int | None:
        """Return the least number of pictures for a distance between sets, where a row has fewer."""
        for run in self.by_label[label].runs:
            least = (run.sets or {}).get(SETS[metric].needs)
            if least and run.sets["n"] < least:
                return least
        return None

    # ---- what the variance goes with

    @cached_property
    def attribution(self) -> dict[str, dict[str, Share]]:
        """Metric → source of variance → share, of ``ATTRIBUTED`` between the runs of all networks.

        Empty unless the runs differ in two sources at least, of architecture, objective, colour space, budget, seed.
        """
        rows = [row for row in self.rows if row.group == "trained"]
        factors = [_factors(row) for row in rows for _ in row.runs]
        factors = {name: [levels[name] for levels in factors] for name in (factors[0] if factors else ())}
        varied = sum(len(set(levels)) > 1 for levels in factors.values())
        if not varied or varied + any(len(row.runs) > 1 for row in rows) < 2:
            return {}
        settings = [row.label for row in rows for _ in row.runs]
        result = {}
        for name in ATTRIBUTED:
            values = np.concatenate([row.scores(name, self.ids) for row in rows])
            if np.isfinite(values).all(0).any():
                found = statistics.attribute_variance(values, factors, settings, RESAMPLES)
                if math.isfinite(found["seed"].share):
                    result[name] = found
        return result

    # ---- budgets

    @cached_property
    def budgets(self) -> dict[Budget, list[Row]]:
        """Budget → its trained rows, best first: of images, then of seconds, where a study has two rows of both."""
        found: dict[Budget, list[Row]] = {}
        for row in self.rows:
            if row.group == "trained" and row.budget:
                found.setdefault(row.budget, []).append(row)
        found = {budget: rows for budget, rows in sorted(found.items()) if len(rows) > 1}
        return found if len({budget.unit for budget in found}) == 2 else {}

    # ---- files that only some networks have

    @cached_property
    def temperatures(self) -> pd.DataFrame:
        """One line per curve and temperature: what a network scores when it is decoded more or less boldly.

        A curve is one network decoded at many temperatures, the mean over seeds, or else rows that share everything but
        their temperature. Columns: curve, temperature, delta_e_2000, colorfulness_hs03 and images, as measured;
        delta_e_2000_moved and colorfulness_hs03_moved, a curve that was measured on a part of the photographs moved as
        a whole so that it passes through its row's point, which is of all photographs; name, the label of that row.
        """
        axes = ["delta_e_2000", "colorfulness_hs03"]
        curves: dict[str, list[Row]] = {}
        for row in self.rows:
            if _temperature(row) is not None:
                options = {k: v for k, v in row.config.get("objective_options", {}).items() if k != "temperature"}
                config = {k: v for k, v in row.config.items() if k not in (*NOT_SETTINGS, "label")}
                key = json.dumps(config | {"objective_options": options}, sort_keys=True)
                curves.setdefault(key, []).append(row)
        tables = []
        for rows in curves.values():
            if measured := [table for row in rows for table in row.tables("temperature.csv")]:
                columns = [*axes, "images"]
                table = pd.concat(measured).groupby("temperature")[columns].mean()
                table = table.sort_index().reset_index()
                for axis in axes:
                    own = np.interp(_temperature(rows[0]), table["temperature"], table[axis])
                    table[f"{axis}_moved"] = table[axis] + self.mean(axis, rows[0].label) - own
                table["name"] = rows[0].label
            else:
                lines = [(_temperature(row), *(self.mean(axis, row.label) for axis in axes)) for row in rows]
                table = pd.DataFrame(lines, columns=["temperature", *axes]).assign(images=len(self.ids))
                table = table.assign(**{f"{axis}_moved": table[axis] for axis in axes})
                table["name"] = [row.label for row in rows]
            if len(table.dropna()) > 1:
                name = re.sub(r"temperature [^,)]+(, )?|, temperature [^,)]+(?=\))", "", rows[0].label).replace(
                    " ()", ""
                )
                tables.append(table.dropna().sort_values("temperature").assign(curve=name))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["curve", "temperature", *axes])

    def mean(self, metric: str, label: str) -> float:
        """Return a row's mean, NaN where it lacks the metric."""
        values = self.intervals.get(metric, {})
        return values[label].mean if label in values else math.nan

    @cached_property
    def hints(self) -> pd.DataFrame:
        """The rows of ``hints.csv`` of all networks that take hints, with their label and seed."""
        return self._gathered("hints.csv")

    @cached_property
    def several(self) -> pd.DataFrame:
        """The rows of ``several.csv`` of all networks that sample, with their label and seed."""
        return self._gathered("several.csv")

    @cached_property
    def several_means(self) -> pd.DataFrame:
        """The scores of several answers by label and k, the mean over seeds."""
        if self.several.empty:
            return pd.DataFrame(columns=["label", "k"])
        return self.several.drop(columns="seed").groupby(["label", "k"], sort=False).mean().reset_index()

    def _gathered(self, name: str) -> pd.DataFrame:
        tables = [table.assign(label=row.label) for row in self.rows for table in row.tables(name)]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["label", "seed"])


def _way(name: str, table: dict) -> tuple:
    """Return what must agree before two distances between sets can be compared, for sorting as text."""
    keys = ["n", *(["subset", "subsets"] if f"{name}_sd" in table else [])]
    return tuple(str(table.get(key)) for key in (*keys, *(["inception_sha256"] if name in ("fid", "kid") else [])))


def _temperature(row: Row) -> float | None:
    """Return the temperature a trained row is decoded at; None where its objective has none."""
    objective, options = row.config.get("objective"), row.config.get("objective_options") or {}
    names = objective if isinstance(objective, dict) else [objective]
    if row.group != "trained" or not all(name in OBJECTIVES or name in SUMS for name in names):
        return None
    return options.get("temperature", objective_options(objective).get("temperature"))


def _factors(row: Row) -> dict[str, str]:
    """Return what a trained row differs from others in, beside its seed."""
    config = row.config
    options = dict(config.get("objective_options") or {})
    space = options.pop("space", "lab")  # what does not let one choose compares in Lab
    return {
        "architecture": json.dumps([config["model"], config.get("model_options")], sort_keys=True),
        "objective": json.dumps([config.get("objective"), options], sort_keys=True),
        "colour space": space,
        "budget": str(row.budget),
    }
