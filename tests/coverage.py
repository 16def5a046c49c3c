"""How often the verdicts and intervals of a report are wrong: simulated studies whose truth is known.

    python tests/coverage.py [--studies 800] [--out colorlib/reports/coverage.csv]

No test of pytest's; it takes about twenty minutes of one free core. Twenty rows and grey stand in each study, compared
by the library's own functions. A row's score on a photograph is its mean, plus what the photograph is hard for all,
plus what it is hard for this row, plus what this training adds on it; a training moves all photographs alike by its
seed's luck, whose standard deviation is the case's. ``mixture`` has rows as steady and rows as moody as the intervals
of ``reports/objectives`` let one guess of regression, classification and adversarial losses.

The table's columns, in percent but for the first four:

- ``question``: "equal rows", where every "better" is false, or "margin", where half of the rows lie the margin above
  the others and grey, so that "no difference larger than" is false between the halves;
- ``false_verdicts``: studies with at least one false verdict of that kind after Holm's correction, in which, as in a
  report, the comparisons with grey have half of the level and those in one setting, here ten pairs of rows, a quarter;
- ``best_missed``: rows as good as the best that are not among those that "may be the best";
- ``best_named``: studies in which one row alone is left, which is false of twenty or ten equal ones;
- ``covers_fixed``, ``covers_rows``: 95 % intervals that hold the true difference, of a row and grey and of two rows;
- the same of ``bootstrap``, for comparison, in the first 50 of the studies: percentiles of a hierarchical bootstrap of
  photographs and seeds, its p-values corrected likewise, and "no difference" said where the interval lies within the
  margin. Photographs are drawn by the normal limit of their mean, which they reach with a thousand.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from colorlib.statistics import correct, holm
from colorlib.statistics.best import may_be_best
from colorlib.statistics.differences import differences_of
from colorlib.statistics.intervals import spread

ROWS, MARGIN = 20, 0.5
HARD, HARD_FOR_ROW, HARD_FOR_TRAINING = 5.0, 1.2, 1.0  # standard deviations over photographs, ΔE
MIXTURE = [0.05] * 5 + [0.10] * 5 + [0.15] * 3 + [0.30] * 3 + [0.50] * 2 + [1.0, 2.0]
LUCK = {"0.04": 0.04, "0.10": 0.10, "0.30": 0.30, "mixture": MIXTURE}
PHOTOGRAPHS = (1_067, 5_633)
RESAMPLES, RESAMPLED = 10_000, 50  # of the bootstrap, and the studies that it is tried in


def study(rng: np.random.Generator, luck: float | list, seeds: int, N: int, means: np.ndarray) -> list[np.ndarray]:
    """Return the scores of the rows, (seeds, N) each, and of grey, (N,), which scores 0 on average."""
    photographs = rng.gamma(4, HARD / 2, N) - 2 * HARD  # of standard deviation HARD, skewed as errors are
    rows = []
    for mean, own in zip(means, np.broadcast_to(luck, ROWS), strict=True):
        training = rng.normal(0, own, (seeds, 1)) + HARD_FOR_TRAINING * rng.standard_normal((seeds, N))
        rows.append(mean + photographs + HARD_FOR_ROW * rng.standard_normal(N) + training)
    return [*rows, photographs + HARD_FOR_ROW * rng.standard_normal(N)]


def bootstrap(rng: np.random.Generator, scores: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return low, high and p of the difference of every two rows."""
    tables = [np.atleast_2d(values) for values in scores]
    stacked = np.concatenate(
        [t.mean(0) + (t - t.mean(0)) * np.sqrt(len(t) / max(len(t) - 1, 1)) for t in tables]
    )  # seeds drawn S of S times show (S − 1)/S of their variance
    root = np.linalg.cholesky(np.cov(stacked) / stacked.shape[1] + 1e-12 * np.eye(len(stacked)))
    drawn = stacked.mean(1) + rng.standard_normal((RESAMPLES, len(stacked))) @ root.T
    means, end = np.empty((RESAMPLES, len(tables)), dtype=np.float32), 0
    for k, S in enumerate(map(len, tables)):
        start, end = end, end + S
        means[:, k] = (rng.multinomial(S, np.full(S, 1 / S), RESAMPLES) / S * drawn[:, start:end]).sum(1)
    low, high, p = [], [], []
    for i, j in zip(*np.triu_indices(len(tables), 1), strict=True):
        gaps = means[:, i] - means[:, j]
        ends = np.partition(gaps, [RESAMPLES // 40, RESAMPLES - RESAMPLES // 40])
        low.append(ends[RESAMPLES // 40])
        high.append(ends[RESAMPLES - RESAMPLES // 40])
        p.append(2 * (min((gaps <= 0).sum(), (gaps >= 0).sum()) + 1) / (RESAMPLES + 1))
    return np.array(low), np.array(high), np.array(p)


def case(question: str, luck: str, seeds: int, N: int, studies: int, resampled: int) -> dict:
    """Simulate one line of the table; of the studies the first so many are resampled as well."""
    rng = np.random.default_rng([ROWS, seeds, N, *luck.encode(), *question.encode()])
    means = np.zeros(ROWS) if question == "equal rows" else MARGIN * (np.arange(ROWS) % 2)
    i, j = np.triu_indices(ROWS + 1, 1)
    truth = np.append(means, 0.0)
    truth, fixed = truth[i] - truth[j], j == ROWS
    wrong_if_said = np.isclose(np.abs(truth), 0 if question == "equal rows" else MARGIN)
    margin = 0.0 if question == "equal rows" else MARGIN
    grey, planned = [(row, ROWS) for row in range(ROWS)], [(row, row + 1) for row in range(0, ROWS, 2)]
    false: dict[str, list] = {"": [], "bootstrap_": []}
    held: dict[str, list] = {"": [], "bootstrap_": []}
    best, missed, named = np.flatnonzero(means == means.min()), [], []
    for place in range(studies):
        scores = study(rng, LUCK[luck], seeds, N, means)
        found = differences_of(range(ROWS + 1), spread(scores), margin)
        answers = list(correct(found, grey, planned).values())
        left = may_be_best(range(ROWS), found, higher_is_better=False)
        missed.append(1 - np.isin(best, left).mean())
        named.append(len(left) == 1)
        p = np.array([d.p_large if margin else d.p for d in answers])
        false[""].append((p[wrong_if_said] < 0.05).any())
        held[""].append([d.low <= true <= d.high for d, true in zip(answers, truth, strict=True)])
        if place < resampled:
            low, high, p = bootstrap(rng, scores)
            said = (-margin < low) & (high < margin) if margin else holm(p) < 0.05
            false["bootstrap_"].append(said[wrong_if_said].any())
            held["bootstrap_"].append((low <= truth) & (truth <= high))
    line = {"question": question, "seed_sd": luck, "seeds": seeds, "photographs": N, "studies": studies}
    for name in false:
        inside = np.array(held[name]) if held[name] else np.full((1, len(truth)), np.nan)
        line |= {
            f"{name}false_verdicts": 100 * np.mean(false[name]) if false[name] else np.nan,
            f"{name}covers_fixed": 100 * inside[:, fixed].mean(),
            f"{name}covers_rows": 100 * inside[:, ~fixed].mean(),
        }
    return line | {"best_missed": 100 * np.mean(missed), "best_named": 100 * np.mean(named)}


def main() -> None:
    """Simulate all cases, print them and write the table after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=800, help="simulated studies of each case")
    parser.add_argument("--out", type=Path, default=Path("colorlib/reports/coverage.csv"))
    options = parser.parse_args()
    cases = [("equal rows", luck, seeds, N) for N in PHOTOGRAPHS for seeds in (3, 5) for luck in LUCK]
    cases += [("margin", luck, seeds, PHOTOGRAPHS[-1]) for seeds in (1, 2, 3, 4, 5) for luck in ("0.10", "mixture")]
    lines = []
    for question, luck, seeds, N in cases:
        resampled = RESAMPLED if N == PHOTOGRAPHS[0] or question == "margin" else 0
        lines.append(case(question, luck, seeds, N, options.studies, resampled))
        print(pd.DataFrame(lines[-1:]).round(1).to_csv(index=False, header=len(lines) == 1), end="", flush=True)
        pd.DataFrame(lines).to_csv(options.out, index=False, float_format="%.1f", lineterminator="\n")


if __name__ == "__main__":
    main()
