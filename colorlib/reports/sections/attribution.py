"""What the variance between trained runs goes with: architecture, pretraining, objective, budget, seed, and more."""

import json
import math
from functools import cached_property

import numpy as np
import pandas as pd

from colorlib import statistics
from colorlib.reports.rows import PRIMARY, Row
from colorlib.reports.sections.base import Section
from colorlib.reports.words import head, listed, number, percent, plural
from colorlib.statistics.variance import Share

OF_THE_ENCODER = ("encoder", "pretraining", "encoder_rate", "statistics")  # options that make no other architecture
ATTRIBUTED = (PRIMARY, "psnr_rgb_db", "colorfulness_hs03")  # whose variance between runs is divided among its causes
LOOSE = 0.05  # of a share, by which it may move with the order before the report says so
DECIDES = {"architecture": "the network", "objective": "the loss", "interaction": "what they do together"}


class Attribution(Section):
    heading = "What the variance goes with"
    leads = True
    note = (
        "Each source's share of the variance between trained runs, averaged over all orders of the sources (LMG; "
        "Grömping 2007), with its 95 % interval over photographs and runs. By chance: what it would get if it did "
        "nothing and only seeds differed. Shares describe the rows of this study; a source varied more gets more."
    )

    @cached_property
    def shares(self) -> dict[str, dict[str, Share]]:
        """Metric → source of variance → share, of ``ATTRIBUTED`` between the runs of all networks.

        Empty unless the runs differ in two sources at least, of architecture, encoder, pretraining, objective, colour
        space, budget, seed.
        """
        rows = [row for row in self.c.rows if row.group == "trained"]
        runs = [_factors(row) for row in rows for _ in row.runs]
        factors = {name: [run[name] for run in runs] for name in (runs[0] if runs else ())}
        varied = sum(len(set(levels)) > 1 for levels in factors.values())
        if not varied or varied + any(len(row.runs) > 1 for row in rows) < 2:
            return {}
        settings = [row.label for row in rows for _ in row.runs]
        result = {}
        for name in ATTRIBUTED:
            values = np.concatenate([row.scores(name, self.c.ids) for row in rows])
            if np.isfinite(values).all(0).any():
                found = statistics.attribute_variance(values, factors, settings)
                if math.isfinite(found["seed"].share):
                    result[name] = found
        return result

    @cached_property
    def headline(self) -> str:
        """What decides the primary metric, the largest share first; a share below half a percent is passed over."""
        shares = self.shares.get(PRIMARY, {})
        order = sorted((name for name in shares if shares[name].share >= 0.005), key=lambda name: -shares[name].share)
        if not order:
            return ""
        parts = [
            f"{DECIDES.get(name, f'the {name}')}{'' if i else ' decides'} {_with_ends(shares[name], ' to ')}"
            for i, name in enumerate(order)
        ]
        loose = max(abs(share.first - share.last) for share in shares.values())
        order_counts = f"; by what is counted first a share moves by up to {number(100 * loose, 0)} points"
        said = f"Of the differences in {head(PRIMARY)} between the trained runs, {listed(parts)}"
        return said + order_counts * (loose > LOOSE) + "."

    @cached_property
    def data(self) -> dict[str, pd.DataFrame]:
        """The runs with what they differ in, in ``runs.csv``, and the shares that follow, in ``attribution.csv``."""
        runs = [
            {"label": row.label, "seed": run.config.get("seed"), **_factors(row)}
            for row in self.c.rows
            if row.group == "trained"
            for run in row.runs
        ]
        lines = [
            {"metric": metric, "source": name, **share._asdict()}
            for metric, shares in self.shares.items()
            for name, share in shares.items()
        ]
        return {"runs.csv": pd.DataFrame(runs), "attribution.csv": pd.DataFrame(lines)} if lines else {}

    @cached_property
    def sentences(self) -> list[str]:
        """Which sources the variance goes with, and how far the grid can tell."""
        sentences = []
        gaps: dict[str, tuple[float, str]] = {}
        for metric, shares in self.shares.items():
            order = sorted(shares, key=lambda name: -shares[name].share)
            parts = [
                f"{_with_ends(shares[name], ' to ')} {'goes with' if not i else 'with'} {_source(name)}"
                for i, name in enumerate(order[:3])
            ]
            runs = plural(shares["seed"].levels, "trained run")
            sentences.append(f"Of the variance of {head(metric)} between the {runs}, {listed(parts)}.")
            for name, share in shares.items():
                gaps[name] = max(gaps.get(name, (0, "")), (abs(share.first - share.last), head(metric)))
        loose = {name: gap for name, gap in gaps.items() if gap[0] > LOOSE}
        if loose:
            sentences.append(
                f"The grid does not fully tell {listed(map(_source, loose))} apart: a share moves by up to "
                f"{number(100 * max(loose.values())[0], 0)} points, in {max(loose.values())[1]}, with what is counted "
                "first."
            )
        if self.shares and math.isnan(next(iter(self.shares.values()))["seed"].by_chance):
            sentences.append(
                "No setting was trained twice, so what seeds do is in the interactions and cannot be told."
            )
        return sentences

    @cached_property
    def table(self) -> list[list[str]]:
        """Sources of variance down, metrics across: share with interval, and what chance would give."""
        if not self.shares:
            return []
        heads = [f"{head(metric)} {words}" for metric in self.shares for words in ("share", "by chance")]
        table = [["source", "levels", *heads]]
        for name, any_share in next(iter(self.shares.values())).items():
            cells = [_source(name).removeprefix("the "), f"{any_share.levels:,}"]
            for shares in self.shares.values():
                share = shares[name]
                cells.append(_with_ends(share, "…"))
                cells.append(percent(share.by_chance) if math.isfinite(share.by_chance) and name != "seed" else "–")
            table.append(cells)
        return table


def _with_ends(share: Share, to: str) -> str:
    return f"{percent(share.share)} ({number(100 * share.low, 0)}{to}{number(100 * share.high, 0)})"


def _source(name: str) -> str:
    """Name a source of variance as a sentence does."""
    return {"interaction": "interactions and other settings"}.get(name, f"the {name}")


def _factors(row: Row) -> dict[str, str]:
    """Return what a trained row differs from others in, beside its seed."""
    config = row.config
    options = dict(config.get("objective_options") or {})
    space = options.pop("space", "lab")  # what does not let one choose compares in Lab
    architecture = {k: v for k, v in (config.get("model_options") or {}).items() if k not in OF_THE_ENCODER}
    return {
        "architecture": json.dumps([config["model"], architecture], sort_keys=True),
        **row.encoder,
        "objective": json.dumps([config.get("objective"), options], sort_keys=True),
        "colour space": space,
        "budget": str(row.budget),
    }
