"""Where a study's rows are executed: by Snakemake on this machine, or through its plugin for a cluster's scheduler."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from colorlib.files import NOTEBOOKS, check_name, temporary_folder
from colorlib.processes import environment_for_children

LOCAL = "local"  # Snakemake's name for this machine
_REFUSED = re.compile(r"sbatch: error: (?:Batch job submission failed: )?(.+?)(?:'\.)?$", re.MULTILINE)
_UNSENT = re.compile(r"Job submission failed with exception: (.+?)\.?$", re.MULTILINE)
_ENDED = re.compile(r"SLURM-job '(.+?)' failed.*status is: '(\w+)'")
_GIVES_MORE = {
    "TIMEOUT": "row_hours",
    "OUT_OF_MEMORY": "memory_gb",
}  # for lack of what a job ended, in a study's file
PATIENCE = 60  # seconds for a scheduler to be told that its jobs are no longer wanted
# Rows end with Snakemake on this machine; on others there is no such process to end with.
_FOLLOW = "import os; from colorlib.processes import PARENT, environment_for_children, follow_parent; follow_parent(); "
_ENTER = "from snakemake.cli import main; main()"
_HERE = _FOLLOW + "os.environ.update(environment_for_children()); " + _ENTER
_ELSEWHERE = _FOLLOW + "del os.environ[PARENT]; import signal; signal.signal(2, signal.default_int_handler); " + _ENTER


def check_executor(name: str) -> None:
    """See that Snakemake can execute rows there.

    Args:
        name: ``"local"``, or what follows ``snakemake-executor-plugin-`` in the name of a package, such as ``"slurm"``.

    Raises:
        ModuleNotFoundError: there is no such package.
        OSError: Slurm's commands are not here.
    """
    if name == LOCAL:
        return
    package = f"snakemake-executor-plugin-{check_name(name, 'Snakemake executor')}"
    if find_spec(package.replace("-", "_").replace(".", "_")) is None:
        raise ModuleNotFoundError(
            f"Snakemake has no executor {name!r} here: pip install {package}, or take {LOCAL!r}, this machine.",
            name=package,
        )
    if name == "slurm" and shutil.which("sbatch") is None:
        raise OSError("there is no sbatch here; start the study where Slurm's commands are, as on a login node.")


@contextlib.contextmanager
def snakemake(folder: Path, executor: str, jobs: int, cores: int) -> Iterator[subprocess.Popen]:
    """Have Snakemake run the rows of a planned study that have no mark of being done, while the block runs.

    What it says goes to ``snakemake.log`` in the study's folder. It ends with the block, and with it at once the rows
    that are under way on this machine: every file is written atomically. Jobs of a cluster are cancelled where the
    block raises, and else left to themselves: Snakemake would take the mark of a row whose job it cancels.

    Args:
        jobs: rows at a time.
        cores: of this machine, for rows that run on it.
    """
    # greedy: the other scheduler wants a solver. mtime: a row's folder name says all that the other triggers would.
    # ignore-incomplete: a row's mark is written whole or not at all. nolock: the lock of the study's folder, held by
    # the caller, ends with its process; Snakemake's does not
    command = [sys.executable, "-c", _HERE if executor == LOCAL else _ELSEWHERE, "-s", str(NOTEBOOKS / "Snakefile")]
    command += ["--keep-going", "--nolock", "--ignore-incomplete", "--rerun-triggers", "mtime", "--scheduler", "greedy"]
    command += _where(executor, jobs, cores)
    command += ["--config", f"folder={folder}", "--", "rows"]
    with temporary_folder() as private, open(folder / "snakemake.log", "w", encoding="utf-8") as log:
        own = {"XDG_CACHE_HOME": _cache(private)} | ({"TMPDIR": str(private)} if executor == LOCAL else {})
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment_for_children(**own),
            start_new_session=True,  # Ctrl-C is this process's to answer
        )
        try:
            yield child
        except BaseException:  # Ctrl-C before all
            if executor != LOCAL and child.poll() is None:
                child.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(PATIENCE)
            raise
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _where(executor: str, jobs: int, cores: int) -> list[str]:
    """Return the options of Snakemake that say where rows are executed, and how many at a time."""
    if executor == LOCAL:  # said, since a profile of the user's may name another
        return ["--executor", LOCAL, "--cores", str(max(jobs, cores)), "--resources", f"rows={jobs}"]
    options = ["--executor", executor, "--jobs", str(jobs), "--latency-wait", "60"]  # of a file system that nodes share
    if executor == "slurm":
        accounted = subprocess.run(["sacct", "--noheader"], capture_output=True).returncode == 0
        options += ["--slurm-requeue", "--slurm-status-command", "sacct" if accounted else "squeue"]
    return options


def why_not(folder: Path, number: int) -> str | None:
    """Return what Slurm said of a row that left no mark: that it has no node of so much memory, or how its job ended.

    Or that Slurm could not be asked.

    Args:
        number: of the row in the study's plan, from 0.
    """
    log = (folder / "snakemake.log").read_text(encoding="utf-8", errors="replace")
    about = re.search(rf"^Error in rule row_{number}:\n    message: (.+?)\n    jobid:", log, re.MULTILINE | re.DOTALL)
    if about is None:
        return None
    if refusals := _REFUSED.findall(about[1]):
        return f"Slurm refused the row ({'; '.join(refusals)}); resources in the study's file says what it asks for."
    if unsent := _UNSENT.search(about[1]):
        return f"the row could not be handed to Slurm ({unsent[1]}); run the same again when Slurm answers."
    ended = _ENDED.search(about[1])
    if ended is None:
        return None
    lacked = _GIVES_MORE.get(ended[2])
    more = f" {lacked} in the study's file gives it more; run again, it goes on." if lacked else ""
    return f"Slurm's job {ended[1]} ended as {ended[2]}.{more}"


def _cache(private: Path) -> str:
    """Return where caches are kept, which Snakemake insists on; a private folder where that cannot be written to."""
    usual = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    with contextlib.suppress(OSError):
        os.makedirs(usual, exist_ok=True)
    return usual if os.access(usual, os.W_OK | os.X_OK) else str(private)
