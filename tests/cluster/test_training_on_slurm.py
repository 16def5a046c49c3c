"""One training on two nodes of Slurm: killed on one, gone on with, and equal to a training of one process."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
import yaml

from colorlib.runs.run import ExperimentConfig, Run
from colorlib.runs.training import train

pytestmark = pytest.mark.slow

PATIENCE = 300  # seconds; machines that test are busy
BUDGET = {"images_seen": 400, "batch_size": 8, "learning_rate": 1e-4}  # rounding stays small, see test_distributed
TRAINING = {"validations": 50, "validation_images": 8, "checkpoint_seconds": 0, "precision": "float32", "ema": 0.9}


def srun(environment):
    """Start one command on each of two nodes, as a batch script would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["srun", "--nodes", "2", "--ntasks-per-node", "1", "--mem", "2000"]
    command += [sys.executable, "-m", "colorlib", "train", "tiny.yml", "1", "--nodes", "2", "--rendezvous", place]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_nodes_train_as_one_process_does(cluster, tiny_scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    row = {"notebook": "22_any_network", "MODEL": "unet", "MODEL_OPTIONS": {"width": 4}, "OBJECTIVE": "l2"}
    row |= {name.upper(): value for name, value in BUDGET.items()} | {"TRAINING": TRAINING}
    study = {"title": "Tiny", "data": {"folder": str(tiny_scenes.folder)}, "rows": [row]}
    Path("tiny.yml").write_text(yaml.safe_dump(study), encoding="utf-8")
    environment = cluster | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLORLIB_THREADS": "1"}

    killed, deadline = srun(environment), time.monotonic() + PATIENCE
    while not (begun := list(Path("runs/tiny").glob("*/run/checkpoint.pt"))):
        assert killed.poll() is None and time.monotonic() < deadline, killed.communicate()
        time.sleep(0.1)
    (run,) = (path.parent for path in begun)
    first = int((run / ".lock").read_text().split()[0])
    members = [process for process in psutil.process_iter() if _is_of(process, tmp_path) and process.pid != first]
    members[0].kill()
    _, error = killed.communicate(timeout=PATIENCE)
    step = torch.load(run / "checkpoint.pt", weights_only=True)["state"]["step"]
    assert killed.returncode != 0 and "was ended by SIGKILL; what is done is kept" in error and 0 < step < 50

    resumed = srun(environment)
    assert "is trained" in resumed.communicate(timeout=PATIENCE)[0] and resumed.returncode == 0
    train(ExperimentConfig("unet", "l2", {"width": 4}, **BUDGET, **TRAINING), tiny_scenes, tmp_path / "alone")
    one, two = (Run(folder).history[["loss", "val_loss"]] for folder in (tmp_path / "alone", run))
    assert len(one) == len(two) == 50 and (one - two).abs().to_numpy().max() < 1e-5


def _is_of(process, folder):
    """Say whether a process is a member of a training that works in a folder, not the command that started it."""
    try:
        return process.cwd() == str(folder) and any("spawn_main" in word for word in process.cmdline())
    except psutil.Error:
        return False
