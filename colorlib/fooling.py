"""Which of the two is the real photograph? The human study that no metric replaces: plan, answers and statistics.

A photograph and a model's colouring of its lightness stand side by side for one second; then the person says which was
real. The *fooling rate* is the share of answers that took the coloured one: 0 where it never deceives, 50 % where
nobody can tell. Answers are kept in one SQLite file, which any number of people may write to at once, and hold nothing
about the person but a random number.

    python -m colorlib.fooling runs/fooling/answers.sqlite --csv answers.csv

**Who counts.** Among the trials are checks, whose colours are another photograph's. A person who got fewer than three
in four of them right was not looking, or could not, and is left out, and counted; so is one who left before the first
check. Practice never counts.

**How sure.** Answers of one person, and answers on one photograph, go together, so they tell less than as many
independent ones. Their variance is added up over people and over photographs, less what both hold (Cameron, Gelbach and
Miller 2011), and says how many independent answers they are worth; that number goes into Wilson's interval, with
Student's quantile at Satterthwaite's degrees of freedom, since people are few. With one person or one photograph it is
the plain Wilson interval, which speaks of that person and those photographs only. In simulated studies of 2 to 40
people the intervals held the truth 92 to 100 times in 100 (the plain one as few as 60 times). Resampling people and
photographs together would be too careful: it counts the noise of single answers up to three times (Owen 2007).

References:
    R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 3.1: the protocol.
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
    A. C. Cameron, J. B. Gelbach and D. L. Miller, "Robust inference with multiway clustering", JBES 29, 2011.
    F. E. Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics 2, 1946.
    A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007.

Difference from the protocol: people name the real one, not the fake; one session holds all models, each photograph with
one of them, which compares the models within a person; checks come on top of the scored trials instead of being a tenth
of them, and their colours are those of the least fitting of several photographs, not of any; with few photographs a
session is shorter, so that no pair comes twice.
"""

import argparse
import contextlib
import io
import itertools
import math
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image
from scipy.special import stdtrit
from torch import Tensor

from colorlib.color.lab import rgb_at_lightness
from colorlib.data.bundled import bundled_photographs
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.files import atomic_path, project_folder
from colorlib.pictures.decode import reason_of, square_photograph
from colorlib.pictures.listing import list_photographs
from colorlib.pictures.picture import Picture, to_8_bits
from colorlib.pictures.tone import tone_of
from colorlib.plots import FAINT, plot_forest, style
from colorlib.statistics.bootstrap import Interval

SIDE = 256  # pixels of the squares that are judged, as in the paper
CHECK = "random_photo"  # what a check has in the place of a model
CHECK_SHARE = 0.75  # of the checks that a person must get right to count
DONORS = 8  # photographs among which the least fitting colours are looked for
SCHEMA = 1
PATIENCE = 10.0  # seconds to wait for others who write
COLUMNS = {
    "session": "TEXT NOT NULL",
    "trial": "INTEGER NOT NULL",
    "kind": "TEXT NOT NULL CHECK (kind IN ('practice', 'check', 'scored'))",
    "photograph": "TEXT NOT NULL",
    "model": "TEXT NOT NULL",
    "real_side": "TEXT NOT NULL CHECK (real_side IN ('left', 'right'))",
    "answer": "TEXT NOT NULL CHECK (answer IN ('left', 'right'))",
    "seconds": "REAL NOT NULL",
    "shown_seconds": "REAL NOT NULL",
    "answered_at": "TEXT NOT NULL",
    "version": "TEXT NOT NULL",
}


# ------------------------------------------------------------------------------------------------------ the pictures


def list_candidates(folder: Path | str | None = None) -> list[str]:
    """Name the photographs that may be judged: those of a folder, or the bundled ones.

    Raises:
        FileNotFoundError, ValueError: there is no such folder, or no picture in it.
    """
    if folder is None:
        return [f"bundled/{photograph.id}" for photograph in bundled_photographs(16)]
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"there is no folder of photographs {folder}.")
    return [f"{Path(folder).name}/{name}" for name, _ in list_photographs(folder).members]


def read_square(identity: str, folder: Path | str | None = None) -> np.ndarray:
    """Read the centre square of a photograph, one of :func:`list_candidates`.

    Returns:
        (SIDE, SIDE, 3) uint8 sRGB.

    Raises:
        ValueError: no picture, a damaged one, or one without colours, such as a sepia print.
    """
    name = identity.partition("/")[2]
    if folder is None:
        rgb = next(photograph.rgb for photograph in bundled_photographs(2048) if photograph.id == name)
        file = io.BytesIO()
        Image.fromarray(rgb).save(file, "BMP")
    else:
        file = Path(folder) / name
    try:
        square, *_ = square_photograph(file, SIDE)
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ValueError(f"{identity} cannot be judged: {reason_of(error).rstrip('.')}.") from None
    if tone_of(Picture(square).lab()) != "colour":
        raise ValueError(f"{identity} cannot be judged: it is no colour photograph.")
    return square


def choose_photographs(
    wanted: int, rng: np.random.Generator, folder: Path | str | None = None
) -> dict[str, np.ndarray]:
    """Draw photographs by lot, up to ``wanted``; those that cannot be judged are passed over.

    Returns:
        {identity: (SIDE, SIDE, 3) uint8}, in the order of the lot.

    Raises:
        FileNotFoundError, ValueError: no folder, or fewer than three colour photographs in it.
    """
    candidates = list_candidates(folder)
    chosen = {}
    for number in rng.permutation(len(candidates)):
        if len(chosen) == wanted:
            break
        with contextlib.suppress(ValueError):
            chosen[candidates[number]] = read_square(candidates[number], folder)
    if len(chosen) < 3:
        raise ValueError(f"{folder} holds {len(chosen)} colour photographs; judging needs three, and wants fifty.")
    return chosen


def _png(L: Tensor, ab: Tensor) -> bytes:
    """Encode; the one way that every judged picture takes, so that colour alone tells two of them apart."""
    rgb8 = to_8_bits(rgb_at_lightness(L, ab))
    file = io.BytesIO()
    Image.fromarray(rgb8).save(file, "PNG")
    return file.getvalue()


def real_picture(square: np.ndarray) -> bytes:
    """Return a photograph (SIDE, SIDE, 3) uint8 as the PNG that is shown."""
    lab = Picture(square).lab()
    return _png(lab[:, :1], lab[:, 1:])


def coloured_picture(square: np.ndarray, colorizer: PhotoColorizer) -> bytes:
    """Return the PNG of a model's colouring; the model sees the lightness of the photograph alone."""
    picture = Picture(square)
    L = picture.lightness()
    return _png(L, colorizer.colours(picture, colorizer.small_copy(picture)).at(L, slice(None)))


def miscoloured_picture(square: np.ndarray, donor: np.ndarray) -> bytes:
    """Return the PNG of a check: the lightness of one photograph with the colours of another."""
    return _png(Picture(square).lightness(), Picture(donor).lab()[:, 1:])


# ---------------------------------------------------------------------------------------------------------- the plan


@dataclass(frozen=True)
class Design:
    """How a session goes; the defaults are the paper's.

    Attributes:
        practice: trials with feedback that come first and do not count.
        scored: trials that count.
        seconds: how long a pair is shown.
    """

    practice: int = 10
    scored: int = 40
    seconds: float = 1.0

    @property
    def checks(self) -> int:
        """A tenth as many as scored trials, and two at least."""
        return max(2, round(self.scored / 10))

    @property
    def photographs(self) -> int:
        """So many are needed for none to come twice."""
        return self.practice + self.scored + self.checks


@dataclass(frozen=True)
class Trial:
    """One pair.

    Attributes:
        kind: "practice", "check" or "scored".
        photograph: its identity.
        model: whose colours; ``CHECK`` in a check.
        real_side: "left" or "right".
        donor: the photograph whose colours a check has; else None.
    """

    kind: str
    photograph: str
    model: str
    real_side: str
    donor: str | None = None


def plan_session(
    photographs: Mapping[str, np.ndarray], models: Sequence[str], design: Design, rng: np.random.Generator
) -> list[Trial]:
    """Plan a session: practice, then scored trials with the checks strewn among them.

    Practice has photographs of its own, since feedback gives them away. No photograph comes twice where they suffice;
    elsewhere each comes with another model each time, never twice in a row, and the session ends with the pairs.

    Args:
        photographs: of :func:`choose_photographs`.
        models: names.

    Raises:
        ValueError: fewer than three photographs, or no model.
    """
    if len(photographs) < 3 or not models:
        raise ValueError("a session needs three photographs and a model.")
    identities = list(photographs)
    practised = min(design.practice, max(1, len(identities) * design.practice // design.photographs))
    practice, rest = identities[:practised], identities[practised:]
    scored = _pairs(rest[: design.scored], models, design.scored, rng)
    spare = rest[design.scored :] or rest
    trials = [("scored", photograph, model, None) for photograph, model in scored]
    count = Design(scored=len(scored)).checks
    for photograph in itertools.islice(itertools.cycle(rng.permutation(spare)), count):
        others = [identity for identity in rng.permutation(identities) if identity != photograph][:DONORS]
        donor = max(others, key=lambda other: _distance(photographs[photograph], photographs[other]))
        places = [
            place
            for place in range(1, len(trials) + 1)
            if photograph not in [trial[1] for trial in trials[place - 1 : place + 1]]
        ] or [len(trials)]
        trials.insert(int(rng.choice(places)), ("check", str(photograph), CHECK, str(donor)))
    trials = [("practice", *pair, None) for pair in _pairs(practice, models, design.practice, rng)] + trials
    sides = rng.choice(["left", "right"], len(trials))
    return [
        Trial(kind, photograph, model, str(side), donor)
        for (kind, photograph, model, donor), side in zip(trials, sides, strict=True)
    ]


def _pairs(
    photographs: Sequence[str], models: Sequence[str], count: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Pair photographs with models, ``count`` times at most: all photographs once, then all with the next model."""
    first = dict(zip(rng.permutation(photographs), itertools.cycle(rng.permutation(len(models))), strict=False))
    pairs: list[tuple[str, str]] = []
    for turn in range(len(models)):
        order = [str(photograph) for photograph in rng.permutation(photographs)]
        if pairs and len(order) > 1 and order[0] == pairs[-1][0]:
            order.append(order.pop(0))
        pairs += [(photograph, models[(first[photograph] + turn) % len(models)]) for photograph in order]
    return pairs[:count]


def _distance(square: np.ndarray, other: np.ndarray) -> float:
    """Return the mean distance in (a, b) between two photographs, place by place, on every eighth pixel."""
    a, b = (Picture(picture[::8, ::8]).lab()[:, 1:] for picture in (square, other))
    return float((a - b).norm(dim=1).mean())


# ------------------------------------------------------------------------------------------------------- the answers


def answers_path() -> Path:
    """Return where answers are kept: ``COLORLIB_ANSWERS``, or ``runs/fooling/answers.sqlite`` in the project."""
    return Path(os.environ.get("COLORLIB_ANSWERS") or project_folder() / "runs" / "fooling" / "answers.sqlite")


@contextlib.contextmanager
def _connected(path: Path | str, mode: str) -> Iterator[sqlite3.Connection]:
    """Open the file of answers, "ro", "rw" or "rwc"; what SQLite has against it becomes one sentence."""
    path = Path(path)
    try:
        if mode == "rwc":
            path.parent.mkdir(parents=True, exist_ok=True)
        uri = f"{path.resolve().as_uri()}?mode={mode}"
        with contextlib.closing(sqlite3.connect(uri, PATIENCE, isolation_level=None, uri=True)) as connection:
            yield connection
    except sqlite3.OperationalError as error:  # read-only, locked, a full disk
        raise OSError(f"the answers in {path} cannot be opened or written ({error}).") from None
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{path} is damaged or no file of answers ({error}); move it aside.") from None
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise OSError(f"the answers in {path} cannot be written ({error.strerror}).") from None


def _check_schema(connection: sqlite3.Connection, path: Path | str) -> bool:
    """Tell whether the file holds answers yet.

    Raises:
        ValueError: it is another program's, or another version's.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found == SCHEMA:
        return True
    if found or tables:
        raise ValueError(f"{path} is not version {SCHEMA} of a file of answers; move it aside or name another one.")
    return False


def prepare_answers(path: Path | str) -> None:
    """Make the file of answers where there is none, and see that it can be written to.

    Raises:
        OSError: it cannot be written.
        ValueError: it is damaged, or something else.
    """
    with _connected(path, "rwc") as connection:
        connection.execute("BEGIN IMMEDIATE")  # fails where nothing can be written
        if not _check_schema(connection, path):
            columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
            connection.execute(f"CREATE TABLE answers ({columns}, PRIMARY KEY (session, trial))")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")  # whoever reads does not keep others from writing


def record_answer(
    path: Path | str, session: str, number: int, trial: Trial, answer: str, seconds: float, shown_seconds: float
) -> None:
    """Keep one answer. The first one to a trial stands.

    Args:
        path: of :func:`prepare_answers`.
        session: the person's random number.
        number: of the trial in its session, from 1.
        answer: "left" or "right": the one taken for real.
        seconds: from when the pair was hidden to when the answer came.
        shown_seconds: how long it was shown.

    Raises:
        OSError, ValueError: as for :func:`prepare_answers`.
    """
    row = (session, number, trial.kind, trial.photograph, trial.model, trial.real_side, answer, round(seconds, 3))
    row += (shown_seconds, datetime.now(UTC).isoformat(timespec="seconds"), version("colorlib"))
    with _connected(path, "rw") as connection:
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO answers VALUES ({marks}) ON CONFLICT (session, trial) DO NOTHING", row)


def read_answers(path: Path | str) -> pd.DataFrame:
    """Return all answers, one a row, in the order of sessions' beginnings; empty where there is no file yet.

    Raises:
        OSError, ValueError: as for :func:`prepare_answers`.
    """
    if not Path(path).exists():
        return pd.DataFrame(columns=list(COLUMNS))
    with _connected(path, "ro") as connection:
        rows = (
            connection.execute("SELECT * FROM answers ORDER BY rowid").fetchall()
            if (_check_schema(connection, path))
            else []
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


# ---------------------------------------------------------------------------------------------------- the statistics


class Sessions(NamedTuple):
    """How many people count, failed the checks, and left before the first check."""

    counted: int
    inattentive: int
    unfinished: int


def counted_answers(answers: pd.DataFrame) -> tuple[pd.DataFrame, Sessions]:
    """Return the scored answers of those who passed the checks, and how many people did."""
    right = (answers["answer"] == answers["real_side"]).where(answers["kind"] == "check")
    passed = right.astype(float).groupby(answers["session"]).mean()  # NaN without a check
    counted = passed.index[passed >= CHECK_SHARE]
    sessions = Sessions(len(counted), int((passed < CHECK_SHARE).sum()), int(passed.isna().sum()))
    return answers[(answers["kind"] == "scored") & answers["session"].isin(counted)], sessions


def wilson(rate: float, n: float, z: float = NormalDist().inv_cdf(0.975)) -> tuple[float, float]:
    """Return Wilson's interval of a share.

    Args:
        rate: in [0, 1].
        n: how many independent answers it is worth.
        z: the quantile; 95 % by default.

    Example:
        >>> [round(end, 3) for end in wilson(0.5, 10)]
        [0.237, 0.763]
    """
    centre, half = rate + z * z / (2 * n), z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def _clustered(parts: np.ndarray, people: Sequence, photographs: Sequence) -> tuple[float, float]:
    """Return the variance of a sum whose terms go together within people and within photographs, and its freedom.

    Args:
        parts: (N,) terms with mean zero.
        people, photographs: N labels; two different ones or more in each.
    """
    squares, freedom = [], []
    for labels in (people, photographs, list(zip(people, photographs, strict=True))):
        codes = pd.factorize(pd.Series(list(labels), dtype=object))[0]
        G = codes.max() + 1
        squares.append((np.bincount(codes, parts) ** 2).sum() * G / (G - 1))
        freedom.append(G - 1)
    by_person, by_photograph, by_both = squares
    # The difference can fall short of any of its parts by chance, even below zero.
    variance = max(by_person + by_photograph - by_both, *squares)
    spread = sum(square**2 / G for square, G in zip(squares, freedom, strict=True))
    return variance, max(1.0, variance**2 / spread) if spread else math.inf


class Rate(NamedTuple):
    """A fooling rate in [0, 1] with the ends of its 95 % interval, and the name of the latter.

    ``design_effect`` says how many times more answers were needed for it than independent ones.
    """

    rate: float
    low: float
    high: float
    method: str
    design_effect: float


def fooling_rate(fooled: Iterable[bool], people: Sequence, photographs: Sequence) -> Rate:
    """Return the share of answers that were fooled; see the top of the module for the interval.

    Args:
        fooled: N answers, true where the coloured picture was taken for the real one.
        people, photographs: N labels each: whose answer, and on what.

    Raises:
        ValueError: no answer.
    """
    values = np.array(list(fooled), float)
    if not len(values):
        raise ValueError("there are no answers yet.")
    rate, n = float(values.mean()), len(values)
    if len(set(people)) < 2 or len(set(photographs)) < 2:
        return Rate(rate, *wilson(rate, n), "Wilson", 1.0)
    variance, freedom = _clustered(values - rate, people, photographs)
    effect = max(1.0, variance / (n * rate * (1 - rate))) if 0 < rate < 1 else 1.0
    return Rate(rate, *wilson(rate, n / effect, float(stdtrit(freedom, 0.975))), "two-way clustered Wilson", effect)


def fooling_rates(answers: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each model, the most deceptive first.

    Args:
        answers: of :func:`counted_answers`. Where pairs were shown for different times, each time is a row of its own.

    Returns:
        index = model; rate, low, high (in %), answers, people, photographs, method, design_effect.
    """
    keys = _row_names(answers)
    rows = {}
    for name, group in answers.groupby(keys, sort=True):
        fooled = group["answer"] != group["real_side"]
        found = fooling_rate(fooled, group["session"].tolist(), group["photograph"].tolist())
        rows[name] = {
            **{end: 100 * getattr(found, end) for end in ("rate", "low", "high")},
            "answers": len(group),
            "people": group["session"].nunique(),
            "photographs": group["photograph"].nunique(),
            "method": found.method,
            "design_effect": found.design_effect,
        }
    columns = ["rate", "low", "high", "answers", "people", "photographs", "method", "design_effect"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.sort_values("rate", ascending=False, kind="stable").rename_axis("model")


def _row_names(answers: pd.DataFrame) -> pd.Series:
    if answers["shown_seconds"].nunique() < 2:
        return answers["model"]
    return answers["model"] + ", " + answers["shown_seconds"].map("{:g} s".format)


def rate_differences(answers: pd.DataFrame) -> dict[tuple[str, str], Interval]:
    """Compare each two rows of :func:`fooling_rates`: {(first, second): first − second in points, with interval}.

    Answers of one person, and on one photograph, are held together on both sides, so what makes people differ falls
    away. Empty with one person or one photograph.
    """
    differences = {}
    names = _row_names(answers)
    for first, second in itertools.combinations(fooling_rates(answers).index, 2):
        both = answers[names.isin([first, second])]
        if both["session"].nunique() < 2 or both["photograph"].nunique() < 2:
            continue
        fooled, is_first = (
            (both["answer"] != both["real_side"]).to_numpy(float),
            (names[both.index] == first).to_numpy(),
        )
        rates = fooled[is_first].mean(), fooled[~is_first].mean()
        parts = np.where(is_first, (fooled - rates[0]) / is_first.sum(), (rates[1] - fooled) / (~is_first).sum())
        variance, freedom = _clustered(parts, both["session"].tolist(), both["photograph"].tolist())
        gap, half = rates[0] - rates[1], float(stdtrit(freedom, 0.975)) * math.sqrt(variance) if variance else 0.0
        differences[first, second] = Interval(100 * gap, 100 * (gap - half), 100 * (gap + half))
    return differences


def answers_needed(rate: float, difference: float = 0.05, design_effect: float = 1.0, power: float = 0.8) -> int:
    """Return how many answers each of two models needs for a true difference to show.

    Args:
        rate: the lower fooling rate, in (0, 1).
        difference: of the other one, in (0, 1 − rate).
        design_effect: see :class:`Rate`.
        power: how often it is to show, at the 5 % level.

    Example:
        >>> answers_needed(0.30)
        1374
    """
    quantiles = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(power)
    other = rate + difference
    variance = rate * (1 - rate) + other * (1 - other)
    return math.ceil(design_effect * variance * (quantiles / difference) ** 2)


def about_power(table: pd.DataFrame, scored: int, models: int) -> str:
    """Say in a sentence how many answers, and people, a difference of 5 points takes.

    Args:
        table: of :func:`fooling_rates`; empty before the first answer, when a rate of 30 % is supposed.
        scored: trials of a session that count.
        models: that they are divided among.
    """
    rate = float(np.clip(np.average(table["rate"], weights=table["answers"]) / 100, 0.01, 0.94)) if len(table) else 0.3
    effect = float(table["design_effect"].mean()) if len(table) else 1.0
    needed = answers_needed(rate, design_effect=effect)
    people = math.ceil(needed * models / scored)
    basis = f"the design effect of {effect:.1f} that these answers have" if effect > 1 else "independent answers"
    return (
        f"To tell {100 * rate:.0f} % from {100 * rate + 5:.0f} % four times in five takes {needed:,} answers for each "
        f"model, reckoned with {basis}: {people:,} people who finish a session like this one."
    )


@style()
def plot_rates(table: pd.DataFrame) -> Figure:
    """Draw the rates of :func:`fooling_rates` with their intervals, and the 50 % of a model nobody can tell."""
    forest = table.rename(columns={"rate": "mean"}).assign(group="judged")
    figure = plot_forest(forest, "fooling rate, %", "50: nobody can tell")
    axes = figure.axes[0]
    axes.axvline(50, color=FAINT, lw=1, ls=(0, (4, 3)), zorder=0)
    axes.set_xlim(0, max(60, 1.03 * forest["high"].max()))
    return figure


def summary(answers: pd.DataFrame) -> str:
    """Return the table, the differences and who was left out, as text."""
    counted, sessions = counted_answers(answers)
    lines = [about_sessions(sessions)]
    if len(counted):
        table = fooling_rates(counted)
        lines += ["", table.round(1).to_string(), ""]
        lines += [about_difference(*pair, found) for pair, found in rate_differences(counted).items()]
        per_session = counted.groupby("session").size().max()
        lines += [about_power(table, per_session, len(table))]
    return "\n".join(lines)


def about_sessions(sessions: Sessions) -> str:
    """Say who counts and who was left out."""
    return (
        f"{sessions.counted:,} people count; left out are {sessions.inattentive:,} who got fewer than three in four "
        f"checks right, and {sessions.unfinished:,} who left before the first check."
    )


def about_difference(first: str, second: str, found: Interval) -> str:
    """Say what a difference of :func:`rate_differences` amounts to."""
    gap, low, high = (f"{value:+.1f}".replace("-", "−") for value in found)
    sure = "told apart" if found.low > 0 or found.high < 0 else "not told apart"
    return f"{first} less {second}: {gap} points, 95 % interval {low} to {high}, so they are {sure}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the fooling rates of a file of answers."""
    parser = argparse.ArgumentParser(prog="python -m colorlib.fooling", description=main.__doc__)
    parser.add_argument("answers", nargs="?", type=Path, default=answers_path(), help="by default %(default)s")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all answers, one a row")
    options = parser.parse_args(arguments)
    try:
        if not options.answers.exists():
            raise FileNotFoundError(f"there are no answers at {options.answers}; `make app` collects them.")
        answers = read_answers(options.answers)
        if options.csv:
            if options.csv.resolve() == options.answers.resolve():
                raise ValueError(f"{options.csv} holds the answers themselves; name another file.")
            with atomic_path(options.csv) as temporary:
                answers.to_csv(temporary, index=False)
        print(summary(answers))
    except (OSError, ValueError) as error:
        print(f"python -m colorlib.fooling: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
