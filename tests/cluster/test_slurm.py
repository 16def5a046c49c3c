"""The Slurm of these tests: it is one, and it ends when the process ends that asked for it."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from slurm import missing

pytestmark = pytest.mark.slow

KILLED = """
import os, signal, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from slurm import two_nodes
with two_nodes(Path("root")) as environment:
    subprocess.run(["sbatch", "--output=/dev/null", "--wrap", "touch begun; sleep 600"], env=environment, check=True)
    while not Path("begun").exists():
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_command_runs_on_both_nodes(cluster):
    command = ["srun", "--nodes=2", "--gpus-per-node=1", "sh", "-c", "echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES"]
    done = subprocess.run(command, env=cluster, capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.splitlines()) == ["n1 0", "n2 0"], done.stderr


@pytest.mark.skipif(missing() != "", reason=missing())
def test_daemons_and_jobs_end_with_the_process_that_asked_for_them(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(Path(__file__).parent)], cwd=tmp_path, timeout=120)
    assert killed.returncode == -9 and (tmp_path / "begun").exists()

    def left():
        found = psutil.process_iter(["cmdline", "cwd"])
        return [p for p in found if str(tmp_path) in " ".join([*(p.info["cmdline"] or []), p.info["cwd"] or ""])]

    psutil.wait_procs(left(), timeout=20)
    assert left() == []
