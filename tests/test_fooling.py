"""The human study: fair pictures, a fair plan, answers that survive, intervals that hold what they promise."""

import io
import multiprocessing
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.stats import binomtest

from colorlib import fooling
from colorlib.color.lab import rgb_to_lab
from colorlib.deployment.loading import load_colorizer
from colorlib.fooling import (
    CHECK,
    Design,
    Trial,
    answers_needed,
    choose_photographs,
    counted_answers,
    fooling_rate,
    fooling_rates,
    main,
    plan_session,
    prepare_answers,
    rate_differences,
    read_answers,
    record_answer,
    wilson,
)
from colorlib.pictures.picture import Picture

SCORED = Trial("scored", "bundled/cat", "vivid", "left")


@pytest.fixture(scope="module")
def bundled():
    return choose_photographs(54, np.random.default_rng(0))


def plain(count):
    """Photographs of one colour each."""
    rng = np.random.default_rng(0)
    return {f"photo-{i}": np.tile(rng.integers(0, 256, 3, np.uint8), (16, 16, 1)) for i in range(count)}


def lab_of(png):
    rgb = np.asarray(Image.open(io.BytesIO(png))) / 255
    return rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1)[None])


# ------------------------------------------------------------------------------------------------------ the pictures


def test_pictures_differ_in_colour_alone(bundled):
    square, donor = list(bundled.values())[:2]
    real = fooling.real_picture(square)
    assert np.abs(np.asarray(Image.open(io.BytesIO(real))).astype(int) - square).max() <= 1
    vivid = load_colorizer("vivid")
    for other in (fooling.coloured_picture(square, vivid), fooling.miscoloured_picture(square, donor)):
        a, b = Image.open(io.BytesIO(real)), Image.open(io.BytesIO(other))
        assert (a.format, a.size, a.mode, a.info) == (b.format, b.size, b.mode, b.info)
        gap = lab_of(real) - lab_of(other)
        assert gap[:, 0].abs().max() < 0.9  # what rounding to 8 bits makes of one L
        assert gap[:, 1:].abs().mean() > 2


def test_the_model_sees_no_colour(bundled):
    square = next(iter(bundled.values()))
    dull = np.asarray(Image.open(io.BytesIO(fooling._png(Picture(square).lightness(), torch.zeros(1, 2, 256, 256)))))
    vivid = load_colorizer("vivid")
    gap = lab_of(fooling.coloured_picture(square, vivid)) - lab_of(fooling.coloured_picture(dull, vivid))
    assert gap[:, 1:].abs().mean() < 0.5


def test_only_colour_photographs_are_judged(tmp_path, bundled):
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, square in enumerate(bundled.values()):
        Image.fromarray(square).save(folder / f"colour-{number}.png")
    Image.fromarray(square).convert("L").save(folder / "grey.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    found = choose_photographs(54, np.random.default_rng(0), folder)
    assert set(found) == {f"mine/colour-{number}.png" for number in range(len(bundled))}
    assert len(choose_photographs(3, np.random.default_rng(0), folder)) == 3
    (folder / "colour-0.png").unlink()
    (folder / "colour-1.png").unlink()
    with pytest.raises(ValueError, match="holds 2 colour photographs"):
        choose_photographs(54, np.random.default_rng(0), folder)
    with pytest.raises(FileNotFoundError, match="no folder of photographs"):
        choose_photographs(54, np.random.default_rng(0), tmp_path / "none")


# ---------------------------------------------------------------------------------------------------------- the plan


def test_a_session_is_the_papers_and_no_photograph_comes_twice():
    trials = plan_session(plain(Design().photographs), ["faithful", "vivid"], Design(), np.random.default_rng(0))
    kinds = [trial.kind for trial in trials]
    assert kinds[:10] == ["practice"] * 10 and "practice" not in kinds[10:]
    assert kinds.count("scored") == 40 and kinds.count("check") == 4
    assert len({trial.photograph for trial in trials}) == len(trials)
    models = [trial.model for trial in trials if trial.kind == "scored"]
    assert models.count("vivid") == models.count("faithful") == 20
    assert all((trial.model == CHECK) == (trial.kind == "check") == (trial.donor is not None) for trial in trials)


def test_lots_are_fair():
    rng = np.random.default_rng(0)
    sessions = [plan_session(plain(60), ["faithful", "vivid"], Design(), rng) for _ in range(60)]
    sides = [trial.real_side for trials in sessions for trial in trials]
    assert abs(sides.count("left") / len(sides) - 0.5) < 0.04
    first = [trials[10].model for trials in sessions]
    assert 15 < first.count("vivid") < 45
    assert len({[trial.kind for trial in trials].index("check") for trials in sessions}) > 5


@pytest.mark.parametrize("count", [3, 4, 9, 30])
def test_few_photographs_make_a_short_session_without_a_pair_twice(count):
    for seed in range(20):
        trials = plan_session(plain(count), ["a", "b", "c"], Design(), np.random.default_rng(seed))
        practised = {trial.photograph for trial in trials if trial.kind == "practice"}
        scored = [(trial.photograph, trial.model) for trial in trials if trial.kind == "scored"]
        assert len(set(scored)) == len(scored) == min(40, 3 * (count - len(practised)))
        assert practised and not practised & {photograph for photograph, _ in scored}
        assert sum(trial.kind == "check" for trial in trials) >= 2
        if count - len(practised) >= 4:
            after_practice = [trial.photograph for trial in trials if trial.kind != "practice"]
            assert all(a != b for a, b in zip(after_practice, after_practice[1:], strict=False))


def test_a_check_has_the_least_fitting_colours():
    colours = {"red": (200, 30, 30), "brick": (190, 40, 30), "blue": (30, 60, 220)}
    photographs = {name: np.full((16, 16, 3), colour, np.uint8) for name, colour in colours.items()}
    for seed in range(5):
        checks = [t for t in plan_session(photographs, ["m"], Design(), np.random.default_rng(seed)) if t.donor]
        farthest = {"red": "blue", "brick": "blue", "blue": "red"}
        assert checks and all(trial.donor == farthest[trial.photograph] for trial in checks)


# ------------------------------------------------------------------------------------------------------- the answers


def write_many(path, session, count):
    prepare_answers(path)
    for number in range(1, count + 1):
        record_answer(path, session, number, SCORED, "left", 0.5, 1.0)


def test_many_at_once_lose_nothing(tmp_path):
    path = tmp_path / "deep" / "answers.sqlite"
    context = multiprocessing.get_context("fork")  # quick, and the children only write
    people = [context.Process(target=write_many, args=(path, f"person-{i}", 25)) for i in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.exitcode for person in people] == [0] * 4
    answers = read_answers(path)
    assert answers.groupby("session")["trial"].apply(sorted).tolist() == [list(range(1, 26))] * 4


def test_one_who_reads_stops_nobody_from_writing(tmp_path):
    path = tmp_path / "answers.sqlite"
    prepare_answers(path)
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM answers").fetchall()
    record_answer(path, "person", 1, SCORED, "right", 0.5, 1.0)
    reader.close()
    assert len(read_answers(path)) == 1


def test_the_first_answer_stands_and_all_of_it_is_kept(tmp_path):
    path = tmp_path / "answers.sqlite"
    assert read_answers(path).empty and not path.exists()
    prepare_answers(path)
    record_answer(path, "person", 3, SCORED, "right", 0.51249, 1.0)
    record_answer(path, "person", 3, SCORED, "left", 0.9, 1.0)
    row = read_answers(path).iloc[0]
    assert (row["session"], row["trial"], row["kind"], row["photograph"]) == ("person", 3, "scored", "bundled/cat")
    assert (row["model"], row["real_side"], row["answer"]) == ("vivid", "left", "right")
    assert (row["seconds"], row["shown_seconds"]) == (0.512, 1.0)
    assert row["answered_at"].endswith("+00:00") and row["version"]
    assert not set(read_answers(path).columns) & {"name", "address", "ip", "agent"} and len(read_answers(path)) == 1


def test_what_cannot_hold_answers_is_said_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no data base, but some thoughts that are long enough to be looked at" * 20)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    for path, words in ((text, "damaged or no file of answers"), (foreign, "not version 1 of a file of answers")):
        before = path.read_bytes()
        for attempt in (prepare_answers, read_answers):
            with pytest.raises(ValueError, match=words):
                attempt(path)
        assert path.read_bytes() == before
    for path in (text / "answers.sqlite", tmp_path):
        with pytest.raises(OSError, match="cannot be"):
            prepare_answers(path)


# ---------------------------------------------------------------------------------------------------- the statistics


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
    assert "they are told apart" in fooling.about_difference(*pair, found)


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


def test_the_command_prints_and_exports(tmp_path, capsys):
    path, csv = tmp_path / "answers.sqlite", tmp_path / "out" / "answers.csv"
    assert main([str(path)]) == 1 and "there are no answers at" in capsys.readouterr().err
    prepare_answers(path)
    for person in "ab":
        for number in range(1, 7):
            trial = Trial("check" if number < 3 else "scored", f"p{number}", "vivid", "left")
            record_answer(path, person, number, trial, "right" if number == 6 else "left", 0.4, 1.0)
    assert main([str(path), "--csv", str(csv)]) == 0
    printed = capsys.readouterr().out
    assert "2 people count" in printed and "25.0" in printed and "answers for each model" in printed
    pd.testing.assert_frame_equal(pd.read_csv(csv), read_answers(path))
    assert main([str(path), "--csv", str(path)]) == 1 and len(read_answers(path)) == 12
    fooling.plot_rates(fooling_rates(counted_answers(read_answers(path))[0]))


def test_answers_lie_in_the_project_unless_told(tmp_path, monkeypatch):
    monkeypatch.delenv("COLORLIB_ANSWERS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert fooling.answers_path() == Path("runs/fooling/answers.sqlite")
    monkeypatch.setenv("COLORLIB_ANSWERS", "/elsewhere/a.sqlite")
    assert fooling.answers_path() == Path("/elsewhere/a.sqlite")
