"""Seconds that are worth comparing: every network timed by itself, and nothing of its run touched."""

import pytest
from fake_study import network, write_run, write_study

from colorlib.files import write_json
from colorlib.machine import machine
from colorlib.reports import compare
from colorlib.reports.protocol import protocol
from colorlib.runs import ExperimentConfig, Run, costs, train_and_judge
from colorlib.studies.engine import time_study


@pytest.fixture(scope="module")
def runs(tiny_scenes, tmp_path_factory):
    """Two seeds of one design, the second at twice the budget, and another design."""
    folder, budget = tmp_path_factory.mktemp("runs"), {"batch_size": 8, "validations": 1, "validation_images": 8}
    configs = [
        ExperimentConfig("plain_cnn", "l1", {"filters": filters}, seed=seed, images_seen=images, **budget)
        for filters, seed, images in ((8, 0, 16), (8, 1, 32), (12, 0, 16))
    ]
    for place, config in enumerate(configs):
        train_and_judge(config, tiny_scenes, folder / f"{place}", "cpu")
    return [folder / f"{place}" for place in range(3)]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "seconds.json"}


@pytest.mark.slow
def test_each_design_is_timed_once_and_its_run_stays_as_it_is(runs, tiny_scenes, monkeypatch):
    before, timed = [contents(run) for run in runs], []
    measure = costs._seconds
    monkeypatch.setattr(costs, "_seconds", lambda *given: timed.append(given[0].label) or measure(*given))
    for _ in range(2):  # the second time nothing is left to time
        costs.time_runs([Run(run) for run in runs], tiny_scenes, "cpu")
        assert timed == ["plain_cnn (filters 8) · l1", "plain_cnn (filters 12) · l1"]
    assert [contents(run) for run in runs] == before
    found = [Run(run).cost for run in runs]
    assert found[0]["seconds_per_1000_training_images"] == found[1]["seconds_per_1000_training_images"] > 0
    assert found[1]["train_seconds"] == pytest.approx(2 * found[0]["train_seconds"])
    assert {cost["processor"] for cost in found} == {machine()["processor"]} and found[0]["ms_per_image"] > 0


@pytest.mark.slow
def test_a_study_is_timed_by_its_folder(runs, tiny_scenes, monkeypatch):
    folder, given = runs[0].parent, []
    monkeypatch.setattr(costs, "time_runs", lambda found, data: given.append((found, data.fingerprint)))
    write_json(folder / "study.json", {"format": 1, "rows": [{"parameters": {"DATA": str(tiny_scenes.folder)}}]})
    assert time_study(folder) == 3
    assert given == [([Run(run) for run in runs], tiny_scenes.fingerprint)]
    with pytest.raises(FileNotFoundError, match="not the folder of a study"):
        time_study(folder / "none")
    write_json(folder / "study.json", {"format": 1, "rows": []})
    with pytest.raises(ValueError, match="study.json is damaged"):
        time_study(folder)


def test_the_report_says_how_its_seconds_were_measured(tmp_path):
    def told(folder):
        return dict(dict(protocol(compare(folder)))["Machine"])["seconds"]

    folder = write_study(tmp_path / "beside", jobs=2)
    assert "2 rows side by side, so they are no measure to compare rows by" in told(folder)
    alone = {"processor": "an abacus", "threads": 1}
    for name in [path.parent for path in folder.rglob("history.csv")]:
        write_json(name / "seconds.json", alone)
    assert told(folder).endswith("with nothing else running, on an abacus (1 thread)")
    write_run(folder / "late-s0", "late · l1", "network", 7.0, 0.5, "l1", model="late", cost=network(1, 10))
    assert "side by side" in told(folder)  # one that was not timed by itself
