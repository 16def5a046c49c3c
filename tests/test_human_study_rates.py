"""The statistics of the human study: intervals that hold what they promise."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from colorlib.human_study import (
    CHECK,
    about_difference,
    answers_needed,
    counted_answers,
    fooling_rate,
    fooling_rates,
    rate_differences,
    wilson,
)


@pytest.mark.parametrize("k, n", [(0, 12), (1, 7), (13, 40), (40, 40)])
def test_wilson_agrees_with_scipy(k, n):
    theirs = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson(k / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_one_person_gets_the_plain_interval():
    found = fooling_rate([True, False, False, False], ["me"] * 4, list("abcd"))
    assert found[:3] == (0.25, *wilson(0.25, 4)) and found.method == "Wilson"
    with pytest.raises(ValueError, match="no answers yet"):
        fooling_rate([], [], [])


def test_people_who_always_say_the_same_are_worth_one_answer_each():
    fooled = np.repeat([True, False, False, True, False], 10)
    found = fooling_rate(fooled, np.repeat(range(5), 10).tolist(), list(range(50)))
    assert found.method == "two-way clustered Wilson"
    assert found.design_effect == pytest.approx(10 * 5 / 4)
    by_photograph = fooling_rate(fooled, list(range(50)), np.repeat(range(5), 10).tolist())
    assert by_photograph[:3] == pytest.approx(found[:3])


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Ten people and 54 photographs that differ as real ones do: the plain interval falls short, ours does not."""
    rng = np.random.default_rng(0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    truth = (weights / weights.sum()) @ (1 / (1 + np.exp(0.9 - nodes * np.hypot(0.6, 0.8))))
    held, plainly = 0, 0
    for _ in range(300):
        people = np.repeat(np.arange(10), 20)
        photographs = np.concatenate([rng.permutation(54)[:20] for _ in range(10)])
        odds = -0.9 + rng.normal(0, 0.6, 10)[people] + rng.normal(0, 0.8, 54)[photographs]
        fooled = rng.random(200) < 1 / (1 + np.exp(-odds))
        found = fooling_rate(fooled, people.tolist(), photographs.tolist())
        held += found.low <= truth <= found.high
        low, high = wilson(found.rate, 200)
        plainly += low <= truth <= high
    assert plainly / 300 < 0.88
    assert 0.92 < held / 300 < 0.99


def table_of(rows):
    """Answers from (session, kind, model, photograph, fooled)."""
    frame = pd.DataFrame(rows, columns=["session", "kind", "model", "photograph", "fooled"])
    return frame.assign(real_side="left", answer=np.where(frame["fooled"], "right", "left"), shown_seconds=1.0)


def test_people_who_fail_the_checks_are_left_out_and_counted():
    rows = []
    for session, wrong in (("attends", 1), ("guesses", 2)):
        rows += [(session, "check", CHECK, f"c{i}", i < wrong) for i in range(4)]
        rows += [(session, "scored", "vivid", f"p{i}", session == "guesses") for i in range(8)]
        rows += [(session, "practice", "vivid", "q", True)]
    rows += [("leaves", "scored", "vivid", "p0", True)]
    counted, sessions = counted_answers(table_of(rows))
    assert sessions == (1, 1, 1)
    assert set(counted["session"]) == {"attends"} and set(counted["kind"]) == {"scored"}
    table = fooling_rates(counted)
    assert table.loc["vivid", ["rate", "answers", "people", "photographs"]].tolist() == [0, 8, 1, 8]
    assert table.loc["vivid", "high"] == pytest.approx(100 * wilson(0, 8)[1])


def test_models_are_compared_within_people():
    rng = np.random.default_rng(0)
    rows = []
    for person in range(12):
        easily = rng.random()  # people differ a lot, and each is fooled by vivid somewhat more often
        for i in range(40):
            model = ("vivid", "faithful")[i % 2]
            fooled = rng.random() < 0.75 * easily + 0.2 * (model == "vivid")
            rows.append((f"s{person}", "scored", model, f"p{rng.integers(60)}", fooled))
    answers = table_of(rows)
    rates = fooling_rates(answers)
    ((pair, found),) = rate_differences(answers).items()
    assert pair == ("vivid", "faithful") and found.mean == pytest.approx(rates["rate"].iloc[0] - rates["rate"].iloc[1])
    assert found.low > 0  # told apart
    assert rates.loc["faithful", "high"] > rates.loc["vivid", "low"]  # which the two intervals alone would not show
    assert "they are told apart" in about_difference(*pair, found)


def test_times_are_never_put_together():
    answers = table_of([("a", "scored", "vivid", "p", True), ("a", "scored", "vivid", "q", False)])
    answers["shown_seconds"] = [1.0, 0.5]
    assert fooling_rates(answers)["rate"].to_dict() == {"vivid, 1 s": 100, "vivid, 0.5 s": 0}


def test_as_many_answers_as_are_needed_show_the_difference_four_times_in_five():
    n = answers_needed(0.30)
    rng = np.random.default_rng(0)
    a, b = (rng.binomial(n, rate, 20_000) / n for rate in (0.30, 0.35))
    z = (b - a) / np.sqrt((a * (1 - a) + b * (1 - b)) / n)
    assert (z > 1.96).mean() == pytest.approx(0.80, abs=0.01)
    assert answers_needed(0.30, design_effect=2.0) == pytest.approx(2 * n, abs=1)
