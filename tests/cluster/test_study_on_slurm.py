"""A study whose rows Slurm runs on two nodes: killed in every way, gone on with, and equal to one of this machine."""

import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from test_study import COMPARE, FINISH, WORK, write_notebook

from colorlib.files import is_held
from colorlib.reports.rows import TIMES
from colorlib.studies import read_study

pytest.importorskip("snakemake_executor_plugin_slurm", reason="needs the extra slurm")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 300  # seconds; machines that test are busy
SLURM = ("--executor", "slurm")
DATA = {"name": "scenes", "count": 60, "size": 32, "seed": 0}
RAN = """with open(Path(RUN, "ran.part"), "a") as file:
    file.write("once\\n")"""


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


def write_notebooks() -> None:
    """Write notebooks that take no time but what they are asked to sleep, in place of those that train."""
    write_notebook(Path("notebooks/12_row.ipynb"), WORK, RAN, FINISH)
    parameters = 'STUDY = "runs/quick"\nREPORT = "reports/quick"'
    write_notebook(
        Path("notebooks/80_compare.ipynb"), "import json\nfrom pathlib import Path", COMPARE, parameters=parameters
    )


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=PATIENCE)
    return process.returncode, out, error


def wait_until(true: Callable[[], object], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None and time.monotonic() < deadline, ended(process)
        time.sleep(0.1)


def jobs(columns: str) -> list[list[str]]:
    """Return what ``squeue`` tells of each job that has not ended."""
    ask = ["squeue", "--noheader", f"--format={columns}"]
    return [
        line.split() for line in subprocess.run(ask, capture_output=True, text=True, check=True).stdout.splitlines()
    ]


def results(name: str) -> pd.DataFrame:
    return pd.read_csv(f"reports/{name}/results.csv", index_col=0).drop(columns=list(TIMES))


def test_a_study_whose_job_was_killed_goes_on_to_what_a_study_on_this_machine_finds(study):
    trained = {"notebook": "12_unet", "OBJECTIVE": "l1", "IMAGES_SEEN": 640, "BATCH_SIZE": 8}
    rows = [trained | {"resources": {"gpus": 1}}, {"notebook": "10_baselines", "row_hours": 1}]
    write_study(rows, resources={"memory_gb": 2})
    first = study(*SLURM)
    wait_until(lambda: list(Path().glob("runs/tiny/12_unet-*/run/history.csv")), first)  # it trains
    second = study(*SLURM)
    (row,) = Path().glob("runs/tiny/12_unet-*")
    assert is_held(row)
    asked = {comment: [job, *rest] for job, comment, *rest in jobs("%i %k %C %m %l")}
    job, *resources = asked["rule_row_0"]
    assert resources == ["1", "2000M", "1-00:00:00"]
    assert asked.get("rule_row_1", ["done"])[1:] in ([], ["1", "2000M", "1:00:00"])
    told = subprocess.run(["scontrol", "show", "job", job], capture_output=True, text=True, check=True)
    assert "TresPerJob=gres:gpu:1" in told.stdout
    subprocess.run(["scancel", "--signal=KILL", "--full", job], check=True)
    code, out, error = ended(first)
    assert code == 1 and f"12_unet-l1-images_seen640-batch_size8 failed: Slurm's job {job} ended as FAILED" in error
    assert not (row / "done.json").exists() and not is_held(row)
    code, out, error = ended(second)
    assert code == 2 and f"the study folder runs/tiny is in use by process {first.pid} on {platform.node()}" in error

    code, out, error = ended(study(*SLURM))
    assert code == 0 and "2 rows, 1 of them done already, 2 at a time" in out, error
    assert jobs("%i") == []
    code, out, error = ended(study("--name", "here"))
    assert code == 0, error
    pd.testing.assert_frame_equal(results("tiny"), results("here"))


def test_rows_run_on_when_the_study_is_killed_and_none_is_run_twice(study):
    write_notebooks()
    write_study([{"notebook": "12_row", "SLEEP": 8.0}, {"notebook": "12_row", "resources": {"memory_gb": 16}}])
    first = study(*SLURM)
    wait_until(lambda: list(Path().glob("runs/tiny/*/run/kernel.pid")), first)
    first.kill()
    ended(first)
    (row,) = (path.parents[1] for path in Path().glob("runs/tiny/*/run/kernel.pid"))
    assert is_held(row) and len(jobs("%i")) == 1
    code, out, error = ended(study(*SLURM))
    assert code == 1 and error.count("failed") == 1, error
    assert "12_row failed: Slurm refused the row (Memory specification can not be satisfied; " in error
    assert [row["status"] for row in read_study("runs/tiny")["rows"]] == ["done", "interrupted"]
    assert (row / "run/ran.part").read_text() == "once\n"


def test_ctrl_c_cancels_the_jobs(study):
    write_notebooks()
    write_study([{"notebook": "12_row", "SLEEP": 900.0}])
    process = study(*SLURM)
    wait_until(lambda: list(Path().glob("runs/tiny/*/run/kernel.pid")), process)
    process.send_signal(signal.SIGINT)
    code, out, error = ended(process)
    assert code == 130 and "Run the same command to go on" in error and "Traceback" not in error, error
    (row,) = Path().glob("runs/tiny/12_row-*")
    for _ in range(100):
        if not is_held(row) and jobs("%i") == []:
            break
        time.sleep(0.2)
    assert not is_held(row) and jobs("%i") == [] and not (row / "done.json").exists()
