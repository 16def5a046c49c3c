"""A Slurm of two nodes on this machine, in a folder of its own, that ends with the process that asked for it.

Debian's packages ``slurmctld``, ``slurmd`` and ``slurm-client`` bring the programs; of what else they bring nothing is
used. As a program it runs a command, or else a shell, that finds the two nodes: ``python slurm.py sinfo``. With
``--keep FOLDER`` it is the process that the daemons are children of.
"""

import contextlib
import ctypes
import getpass
import os
import platform
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

NODES = ("n1", "n2")
DAEMONS = ("slurmctld", "slurmd", "slurmstepd")
COMMANDS = ("sacct", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun", "sshare")
PATIENCE = 60  # seconds
CONFIGURATION = """\
ClusterName=two
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool-%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd-%n.log
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=2
MinJobAge=600
SchedulerParameters=sched_interval=2,batch_sched_delay=0
GresTypes=gpu
NodeName=DEFAULT CPUs=2 RealMemory=8000 Gres=gpu:1 State=UNKNOWN
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]}
PartitionName=all Nodes=ALL Default=YES MaxTime=48:00:00 State=UP
"""
GPU = "NodeName=n[1-2] Name=gpu File=/dev/null\n"  # nothing looks into it; a job is told which one it has


def missing() -> str:
    """Return why no Slurm can be started here, or "" where one can."""
    away = [name for name in (*DAEMONS, *COMMANDS) if _program(name) is None]
    return f"no {', '.join(away)}; on Debian: apt-get install slurmctld slurmd slurm-client" if away else ""


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")  # daemons are on an administrator's path only


@contextlib.contextmanager
def two_nodes(root: Path) -> Iterator[dict[str, str]]:
    """Start Slurm's controller and two nodes, and give the environment in which its commands find them.

    Each node, which in truth is this machine, offers 2 processors, 8,000 MB of memory and a GPU that is none. When the
    block ends, or this process does in whatever way, the daemons and all jobs are killed.

    Args:
        root: an empty folder, which takes the configuration, the daemons' logs and their state.

    Raises:
        RuntimeError: the nodes did not come up; ``root`` holds what they logged.
    """
    root = root.absolute()
    _configure(root)
    environment = os.environ | {"PATH": f"{root}/bin:{os.environ['PATH']}"}
    keep_it = [sys.executable, __file__, "--keep", str(root)]
    keeper = subprocess.Popen(keep_it, stdin=subprocess.PIPE, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while (states := _states(environment)) != ["idle"] * len(NODES):
            if time.monotonic() > deadline or keeper.poll() is not None:
                raise RuntimeError(f"Slurm's nodes are {states or 'not there'} after {PATIENCE} s; see {root}/*.log.")
            time.sleep(0.2)
        yield environment
    finally:
        keeper.communicate()  # closes its standard input


def _states(environment: dict[str, str]) -> list[str]:
    """Return the state of each node as ``sinfo`` tells it, none while there is no controller to ask."""
    ask = ["sinfo", "--noheader", "--Node", "--format=%T"]
    return subprocess.run(ask, env=environment, capture_output=True, text=True).stdout.split()


def _configure(root: Path) -> None:
    """Write Slurm's configuration, and commands that read it: Snakemake strips a job of ``SLURM_CONF``."""
    for folder in ("bin", "state", *(f"spool-{name}" for name in NODES)):
        (root / folder).mkdir(parents=True)
    with contextlib.ExitStack() as stack:  # at once, so that no port is given twice
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in sockets]
    about = {"root": root, "host": platform.node(), "user": getpass.getuser(), "ports": ports}
    (root / "slurm.conf").write_text(CONFIGURATION.format(**about))
    (root / "gres.conf").write_text(GPU)
    for name in COMMANDS:
        command = root / "bin" / name
        command.write_text(f'#!/bin/sh\nSLURM_CONF={root}/slurm.conf exec {_program(name)} "$@"\n')
        command.chmod(0o755)


def keep(root: Path) -> None:
    """Run the daemons until standard input ends, as it does with the process at its other end; then kill all there is.

    What daemons leave behind, as Slurm's of each job, becomes this process's child, so nothing is out of its reach.
    """
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    environment = os.environ | {"SLURM_CONF": str(root / "slurm.conf")}
    slurmd = [_program("slurmd"), "-D", "-d", _program("slurmstepd"), "-N"]
    for number, command in enumerate([[_program("slurmctld"), "-D"], *([*slurmd, name] for name in NODES)]):
        with open(root / f"output-{number}.log", "w") as log:
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):  # to Slurm a job that nobody has taken leave of has not ended
                pass
    while children := psutil.Process().children(recursive=True):
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=5)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--keep"]:
        keep(Path(sys.argv[2]))
    elif why := missing():
        sys.exit(why)
    else:
        with tempfile.TemporaryDirectory() as folder, two_nodes(Path(folder, "root")) as environment:
            sys.exit(subprocess.run(sys.argv[1:] or ["bash"], env=environment).returncode)
