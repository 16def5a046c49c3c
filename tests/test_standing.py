"""How a run stands: its score, and the verdict against the best row of the study whose folder it lies in."""

import re

import numpy as np
import pandas as pd
import pytest

from colorlib.files import write_json
from colorlib.runs.baselines import BASELINES
from colorlib.runs.evaluation import judge
from colorlib.runs.run import Run, write_table
from colorlib.runs.standing import standing

pytestmark = pytest.mark.slow

N = 400
NOISE = np.random.default_rng(0)
EASY = 10 + NOISE.normal(size=N)  # the scores of a row, one for each photograph


def write_run(folder, label, scores, ids=None, **settings):
    """Write what a finished run leaves of its settings and scores."""
    ids = [f"p{n}" for n in range(len(scores))] if ids is None else ids
    write_json(folder / "config.json", {"format": 1, "name": folder.name, "label": label, "kind": "network"} | settings)
    write_table(folder / "per_image.csv", pd.DataFrame({"id": ids, "delta_e_2000": scores}))
    write_json(folder / "cost.json", {})
    return Run(folder)


@pytest.fixture
def study(tmp_path):
    write_json(tmp_path / "study.json", {"format": 1, "margin": {"delta_e_2000": 0.1}})
    return tmp_path


def test_a_run_in_no_study_gets_its_score_with_its_interval(tmp_path):
    said = standing(write_run(tmp_path / "mine", "mine", EASY))
    mean, low, high, count = re.fullmatch(r"mine: ΔE2000 (.+) \((.+) to (.+)\) on (\d+) photographs\.", said).groups()
    half = 1.96 * EASY.std() / N**0.5
    assert float(mean) == pytest.approx(EASY.mean(), abs=0.006) and int(count) == N
    assert [float(low), float(high)] == pytest.approx([EASY.mean() - half, EASY.mean() + half], abs=0.02)


@pytest.mark.parametrize(
    ("gap", "spread", "pattern"),
    [
        (0.5, 1.0, r"(.+) above \((.+) to (.+)\) the study's leading row, unet · l1: worse\."),
        (-0.5, 1.0, r"(.+) below \((.+) to (.+)\) the study's leading row, unet · l1: better\."),
        (
            0.0,
            5.0,
            r"(.+) (?:above|below) \((.+) below to (.+) above\) the study's leading row, unet · l1: undecided\.",
        ),
        (
            0.01,
            0.1,
            r"(.+) above \((.+) to (.+)\) the study's leading row, unet · l1: no difference larger than 0\.1\.",
        ),
    ],
)
def test_the_difference_is_paired_and_said_with_its_interval(study, gap, spread, pattern):
    noise = NOISE.normal(size=N)
    noise = (noise - noise.mean()) / noise.std()
    write_run(study / "row", "unet · l1", EASY, kind="baseline")
    write_run(study / "poor", "unet · l2", EASY + 3, kind="baseline")
    own = EASY + gap + spread * noise
    runs = [write_run(study / "deep" / f"mine-{seed}", "mine", own, seed=seed) for seed in range(3)]
    said = standing(runs[1])
    found = [float(number) for number in re.fullmatch(r".+ photographs; over 3 trainings " + pattern, said).groups()]
    half = 1.96 * spread / N**0.5
    ends = [half, half] if gap == 0 else sorted([abs(gap) - half, abs(gap) + half])
    assert found == pytest.approx([abs(gap), *ends], abs=0.1 * half + 0.006)


def test_the_best_row_is_the_mean_of_its_seeds_and_neither_an_oracle_nor_the_run_s_own_row(study):
    write_run(study / "a0", "lucky once", EASY - 1, seed=0)
    write_run(study / "a1", "lucky once", EASY + 5, seed=1)
    write_run(study / "b", "steady", EASY + 1)
    write_run(study / "c", "bayes", EASY - 9, kind="oracle")
    write_run(study / "d", "mine", EASY - 8, seed=0)
    mine = write_run(study / "e", "mine", EASY, seed=1)
    once = ", steady: no verdict: one training."
    assert standing(mine).endswith(
        f"; over 2 trainings 5.00 below (55.82 below to 45.82 above) the study's leading row{once}"
    )
    write_run(study / "f", "mine", EASY - 8, seed=2)
    write_run(study / "g", "steady", EASY + 1, seed=1)
    assert ", steady: undecided." in standing(mine)
    for seed in range(3):
        write_run(study / f"h{seed}", "other", EASY - 2 - 0.1 * seed, seed=seed)
    assert ", other: " in standing(mine)


def test_a_run_that_was_trained_once_gets_a_difference_and_no_verdict(study):
    write_run(study / "grey", "grey", EASY, kind="baseline")
    mine = write_run(study / "mine", "mine", EASY - 8)
    assert standing(mine).endswith(
        "; 8.00 below (8.00 to 8.00) the study's leading row, grey: no verdict: one training."
    )


def test_photographs_are_paired_by_id_and_other_ones_are_not_compared(study):
    shuffled = NOISE.permutation(N)
    write_run(study / "row", "row", EASY[shuffled] - 1, ids=[f"p{n}" for n in shuffled])
    mine = write_run(study / "mine", "mine", EASY)
    assert standing(mine).endswith(
        "; 1.00 above (1.00 to 1.00) the study's leading row, row: no verdict: one training."
    )
    write_run(study / "better", "better", EASY[:100] - 5)
    among = "the study's leading row of those judged on these photographs, row: no verdict: one training."
    assert standing(mine).endswith(f"; 1.00 above (1.00 to 1.00) {among}")
    few = write_run(study / "few", "few", EASY[:50])
    assert standing(few).endswith(
        "photographs; no verdict, for its study has no other row that was judged on these photographs."
    )


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"margin": 3}', '{"margin": {"delta_e_2000": "big"}}'])
def test_an_odd_study_file_costs_the_verdict_and_no_more(study, content):
    (study / "study.json").write_text(content)
    write_run(study / "row", "row", EASY)
    said = standing(write_run(study / "mine", "mine", EASY))
    assert said.endswith("400 photographs; no verdict, for the study.json above its folder cannot be read.")


def test_damaged_runs_are_passed_over(study):
    write_run(study / "old", "old", EASY, format=99)
    (write_run(study / "empty", "empty", EASY).folder / "per_image.csv").write_text("")
    write_run(study / "bare", "bare", EASY).folder.joinpath("per_image.csv").write_text("id\np0\n")
    mine = write_run(study / "mine", "mine", EASY)
    assert standing(mine).endswith("photographs; no verdict, for its study has no other row that was judged.")


def test_judge_prints_it_and_nothing_else(tiny_scenes, study, capsys):
    run = judge(BASELINES["grey"](tiny_scenes, 0), tiny_scenes, study / "grey", "grey", kind="baseline")
    capsys.readouterr()
    judge(BASELINES["mean_ab"](tiny_scenes, 0), tiny_scenes, study / "mean", "mean_ab", kind="baseline")
    said = capsys.readouterr()
    assert re.fullmatch(
        r"mean_ab: ΔE2000 .+; .+ the study's leading row, grey: (better|worse|undecided|no .+)\.\n", said.out
    )
    assert "ΔE" not in said.err and run.label == "grey"
