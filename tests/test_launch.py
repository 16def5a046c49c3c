"""Many processes for one training: whose row it is, what is refused before any begins, what is said when it ends."""

import ast
import json
import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from colorlib.cli import main
from colorlib.models import MODELS
from colorlib.registry import look_up
from colorlib.runs import launch
from colorlib.runs.run import ExperimentConfig
from colorlib.studies import training as row_training
from colorlib.studies.notebook import notebook_code, notebook_parameters
from colorlib.studies.training import find_row, settings_of

NOTEBOOKS = sorted(Path(__file__).parents[1].glob("notebooks/*.ipynb"))
ROWS = [{"id": "12_unet-l2-0a"}, {"id": "12_unet-l1-0b"}, {"id": "10_baselines-0c"}]


@pytest.mark.parametrize(("wanted", "number"), [("2", 2), ("12_unet-l2", 1), ("10_baselines-0c", 3)])
def test_a_row_is_found_by_number_or_name(wanted, number):
    assert find_row(ROWS, wanted) is ROWS[number - 1]


@pytest.mark.parametrize(("wanted", "message"), [("4", "no row .* 3 10_baselines-0c"), ("12", "several rows")])
def test_other_rows_are_named(wanted, message):
    with pytest.raises(ValueError, match=message):
        find_row(ROWS, wanted)


def own_settings(notebook, parameters):
    """Run those lines of a notebook that lead to the settings of its network: options, budget and config."""
    names = {"ExperimentConfig": ExperimentConfig, "MODELS": MODELS, "look_up": look_up} | parameters
    for line in ast.parse(
        "\n".join(source for source in notebook_code(notebook) if "ExperimentConfig(" in source)
    ).body:
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") in ("options", "budget", "config"):
            exec(compile(ast.Module([line], []), str(notebook), "exec"), names)
            if "config" in names:
                return names["config"]
    raise AssertionError(f"{notebook} has no settings")


def test_settings_are_those_of_the_notebooks():
    trained = []
    for notebook in NOTEBOOKS:
        parameters = notebook_parameters(notebook)
        row = {"id": notebook.stem, "notebook": str(notebook), "parameters": {"SEED": 3}}
        if "RUN" not in parameters:
            continue
        if "MODEL" not in parameters and notebook.stem.partition("_")[2] not in MODELS:
            with pytest.raises(ValueError, match="does not train one network"):
                settings_of(row)
            continue
        assert settings_of(row) == own_settings(notebook, parameters | row["parameters"])
        trained.append(notebook.stem)
    assert {"12_unet", "22_any_network"} < set(trained) and len(trained) >= len(MODELS)


def test_further_settings_of_a_row_count():
    row = {"id": "a", "notebook": str(next(path for path in NOTEBOOKS if path.stem == "22_any_network"))}
    row["parameters"] = {"MODEL": "unet", "TRAINING": {"ema": 0.9, "images_seen": 7}}
    found = settings_of(row)
    assert (found.model_options, found.ema, found.images_seen) == (MODELS["unet"].narrow, 0.9, 7)


@pytest.mark.parametrize("nodes", [1, 2])
def test_one_node_makes_the_photographs_ready_and_the_others_wait(monkeypatch, nodes):
    calls = []

    def preparing(*_):
        calls.append(1)
        if len(calls) < 3:
            raise BlockingIOError("the store folder data/a.partial is in use by process 1 on n1.")
        return Path("runs/a"), {"rows": ROWS}

    monkeypatch.setattr(row_training, "prepare_study", preparing)
    monkeypatch.setattr(row_training.time, "sleep", lambda seconds: None)
    with pytest.raises(ValueError if nodes > 1 else BlockingIOError, match="is no row" if nodes > 1 else "in use by"):
        row_training.train_row(Path("a.yml"), "none", 1, nodes, "n1:29500")
    assert len(calls) == (3 if nodes > 1 else 1)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"processes": 3}, "3 processes cannot have equal parts of a batch of 16 photographs"),
        ({"processes": 2, "nodes": 2}, "need a rendezvous"),
        ({"processes": 2, "rendezvous": "here:1"}, "several nodes, and they alone"),
        ({"processes": 2, "nodes": 2, "rendezvous": "here"}, "the rendezvous is HOST:PORT, .* and not 'here'"),
        ({"processes": 2, "nodes": 2, "rendezvous": "here:99999"}, "the rendezvous is HOST:PORT"),
        (
            {"processes": 2, "nodes": 2, "rendezvous": "here.invalid:1"},
            "no machine is found by the name 'here.in",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_any_begins(tiny_scenes, tmp_path, places, message):
    with pytest.raises(ValueError, match=message):
        launch.train_on_processes(ExperimentConfig("unet", "l2"), tiny_scenes, tmp_path / "run", device="cpu", **places)
    assert not (tmp_path / "run").exists()


def test_a_launch_gives_signals_and_environment_back(tiny_scenes, tmp_path, monkeypatch):
    from torch.distributed.elastic.multiprocessing import SignalException

    def ended(*given):
        signal.signal(signal.SIGINT, lambda *received: None)  # as torch does, and leaves it so
        raise SignalException("ended", signal.SIGTERM)

    monkeypatch.setattr("torch.distributed.launcher.api.elastic_launch", lambda *given: ended)
    environment, handler = dict(os.environ), signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="ended by SIGTERM; what is done is kept"):
        launch.train_on_processes(ExperimentConfig("unet", "l2"), tiny_scenes, tmp_path / "run", 2, device="cpu")
    assert signal.getsignal(signal.SIGINT) is handler and dict(os.environ) == environment


def test_a_trained_row_is_judged_by_the_study_that_it_was_trained_for(monkeypatch, capsys):
    monkeypatch.setattr("colorlib.studies.training.train_row", lambda *given, **more: Path("runs/a b/row/run"))
    assert main(["train", "quick", "1", "--data", "my photos", "--name", "mine"]) == 0
    assert capsys.readouterr().out.endswith("others: colorlib study quick --data 'my photos' --name mine\n")


@pytest.fixture
def failure(tmp_path):
    """Make what torch tells of a process that raised something, or of one that ended without a word."""

    def failed(exitcode, raised=""):
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        if raised:
            extra = {"py_callstack": "Traceback (most recent call last): ...", "timestamp": "0"}
            file.write_text(json.dumps({"message": {"message": raised, "extraInfo": extra}}))
        return ProcessFailure(0, 4711, exitcode, str(file))

    return failed


LOST = 1, "RuntimeError: Connection closed by peer"


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ([LOST, (-9,)], "process 1 of 2 was ended by SIGKILL; what is done is kept"),
        ([(1, "ValueError: runs/a holds: another."), LOST], "runs/a holds: another."),
        ([LOST, (1, "OSError: the disk is full.")], "the disk is full."),
        ([(1, "DistNetworkError: closed"), (1, "ValueError: other.")], "other."),
        ([LOST], "process 0 of 2 lost another one .*Connection closed by peer"),
        ([(1,)], "process 0 of 2 ended with status 1; what is done is kept"),
    ],
)
def test_why_a_training_ended_is_said_in_a_sentence(failure, failures, said):
    told = SimpleNamespace(failures={rank: failure(*given) for rank, given in enumerate(failures)})
    assert re.match(said, launch._why(told, 2))
