"""A study whose rows Slurm runs on two nodes: killed in every way, gone on with, and equal to one of this machine."""

import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from test_study import COMPARE, FINISH, WORK, write_notebook

from colorlib.files import is_held
from colorlib.processes import environment_for_children
from colorlib.reports.rows import TIMES
from colorlib.studies import read_study

pytest.importorskip("snakemake_executor_plugin_slurm", reason="needs the extra slurm")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 300  # seconds; machines that test are busy
SLURM = ("--executor", "slurm")
DATA = {"name": "scenes", "count": 60, "size": 32, "seed": 0}
WAIT = """with open(Path(RUN, "ran.part"), "a") as file:
    file.write(f"once, in {os.environ['COLORLIB_THREADS']} threads\\n")
while not Path("go.part").exists():
    time.sleep(0.1)"""
TRAINED = """from colorlib.data import open_dataset
from colorlib.runs import ExperimentConfig, train_and_judge
config = ExperimentConfig("unet", "l1", {"width": 16}, {}, SEED, images_seen=400, batch_size=8, checkpoint_seconds=0.5)
train_and_judge(config, open_dataset(DATA), RUN, "cpu")"""
RESULTS = """from pathlib import Path
from colorlib import reports
Path(REPORT).mkdir(parents=True, exist_ok=True)
reports.compare(STUDY).results.to_csv(Path(REPORT, "results.csv"))
Path(REPORT, "index.html").touch()"""
WAITING = [WORK, WAIT, FINISH]
COMPARED = ["import json\nfrom pathlib import Path", COMPARE]


@pytest.fixture
def study(cluster, tmp_path, monkeypatch):
    """Starts ``colorlib study tiny`` in an empty folder, from which commands find the two nodes."""
    monkeypatch.chdir(tmp_path)
    for name in ("profile", "notebooks/studies"):
        Path(name).mkdir(parents=True)
    Path("profile/config.yaml").write_text("slurm-init-seconds-before-status-checks: 2\n")  # and not 40
    monkeypatch.setenv("PATH", cluster["PATH"])
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SNAKEMAKE_PROFILE", str(tmp_path / "profile"))
    started = []

    def start(*options: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "colorlib", "study", "tiny", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment_for_children(),  # it ends with this process too
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # as in test_study.py
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    subprocess.run(["scancel", "--me"], check=True)


def write_study(rows: list[dict], **more: object) -> None:
    content = {"title": "Tiny study", "data": DATA, "rows": rows, **more}
    Path("notebooks/studies/tiny.yml").write_text(yaml.safe_dump(content))


def write_notebooks(row: list[str], compare: list[str]) -> None:
    """Write a notebook of a row and the one that compares them: the study's own draw figures, which takes its time."""
    write_notebook(Path("notebooks/12_row.ipynb"), *row)
    write_notebook(Path("notebooks/80_compare.ipynb"), *compare, parameters='STUDY = "runs/x"\nREPORT = "reports/x"')


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=PATIENCE)
    return process.returncode, out, error


def wait_until(true: Callable[[], object], process: subprocess.Popen | None = None) -> None:
    """Wait until something is true, while a process runs if one is given."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None, ended(process)
        time.sleep(0.1)


def jobs(columns: str) -> list[list[str]]:
    """Return what ``squeue`` tells of each job that has not ended."""
    ask = ["squeue", "--noheader", f"--format={columns}"]
    return [
        line.split() for line in subprocess.run(ask, capture_output=True, text=True, check=True).stdout.splitlines()
    ]


def rows_under_way() -> list[psutil.Process]:
    here, found = str(Path.cwd()), psutil.process_iter(["cmdline", "cwd"])
    return [p for p in found if p.info["cwd"] == here and "colorlib.studies" in (p.info["cmdline"] or [])]


def results(name: str) -> pd.DataFrame:
    return pd.read_csv(f"reports/{name}/results.csv", index_col=0).drop(columns=list(TIMES))


def test_a_study_whose_job_was_killed_goes_on_to_what_a_study_on_this_machine_finds(study):
    write_notebooks([TRAINED], [RESULTS])
    killed = {"notebook": "12_row", "resources": {"gpus": 1}}
    write_study([killed, {"notebook": "12_row", "SEED": 1, "row_hours": 1}], resources={"memory_gb": 2})
    first = study(*SLURM)
    wait_until(Path("runs/tiny/study.json").exists, first)
    second = study(*SLURM)
    row = Path(read_study("runs/tiny")["rows"][0]["folder"])
    wait_until((row / "run/checkpoint.pt").exists, first)
    assert is_held(row)
    asked = {comment: [job, *rest] for job, comment, *rest in jobs("%i %k %C %m %l")}
    job, *resources = asked["rule_row_0"]
    assert resources == ["1", "2000M", "1-00:00:00"]
    assert asked.get("rule_row_1", ["done"])[1:] in ([], ["1", "2000M", "1:00:00"])
    told = subprocess.run(["scontrol", "show", "job", job], capture_output=True, text=True, check=True)
    assert "TresPerJob=gres:gpu:1" in told.stdout
    subprocess.run(["scancel", "--signal=KILL", "--full", job], check=True)
    code, out, error = ended(first)
    assert code == 1 and f"12_row failed: Slurm's job {job} ended as CANCELLED." in error
    assert not (row / "done.json").exists() and not is_held(row)
    code, out, error = ended(second)
    assert code == 2 and f"the study folder runs/tiny is in use by process {first.pid} on {platform.node()}" in error

    code, out, error = ended(study(*SLURM))
    assert code == 0 and "2 rows, 1 of them done already, 2 at a time" in out, error
    wait_until(lambda: jobs("%i") == [])
    code, out, error = ended(study("--name", "here"))
    assert code == 0, error
    pd.testing.assert_frame_equal(results("tiny"), results("here"))


def test_rows_run_on_when_the_study_is_killed_and_none_is_run_twice(study):
    write_notebooks(WAITING, COMPARED)
    refused = {"notebook": "12_row", "SEED": 1, "resources": {"memory_gb": 16}}
    write_study([{"notebook": "12_row", "resources": {"threads": 2}}, refused])
    first = study(*SLURM)
    wait_until(lambda: list(Path().glob("runs/tiny/*/run/ran.part")), first)
    first.kill()
    ended(first)
    (row,) = (path.parents[1] for path in Path().glob("runs/tiny/*/run/ran.part"))
    assert is_held(row) and jobs("%k %T") == [["rule_row_0", "RUNNING"]]
    second = study(*SLURM)
    wait_until(lambda: len(rows_under_way()) == 2, second)
    time.sleep(3)  # for the later one to find the lock of the row's folder taken
    assert jobs("%k %T %C") == [["rule_row_0", "RUNNING", "2"]] * 2
    Path("go.part").touch()
    code, out, error = ended(second)
    assert code == 1 and error.count("failed") == 1, error
    assert "12_row-s1 failed: Slurm refused the row (Memory specification can not be satisfied; Requested" in error
    assert [row["status"] for row in read_study("runs/tiny")["rows"]] == ["done", "interrupted"]
    assert (row / "run/ran.part").read_text() == "once, in 2 threads\n"


def test_ctrl_c_cancels_the_jobs_and_takes_nothing_that_is_done(study):
    write_notebooks([WORK, FINISH], COMPARED)
    write_study([{"notebook": "12_row", "SLEEP": 900.0}, {"notebook": "12_row"}])
    process = study(*SLURM)
    wait_until(lambda: list(Path().glob("runs/tiny/12_row-sleep*/run/kernel.pid")), process)
    wait_until(lambda: jobs("%k %T") == [["rule_row_0", "RUNNING"]], process)
    process.send_signal(signal.SIGINT)
    code, out, error = ended(process)
    assert code == 130 and "Run the same command to go on" in error and "Traceback" not in error, error
    row, done = (Path(row["folder"]) for row in read_study("runs/tiny")["rows"])
    wait_until(lambda: jobs("%i") == [] and not is_held(row))
    assert not (row / "done.json").exists() and (done / "done.json").exists()
