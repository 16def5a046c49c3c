"""One training on many processes: they are started, given their places, and end together.

On several machines each starts its own, and they meet at one of them. ``torchrun`` can start them as well; then each
process calls :func:`train_here`.
"""

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import distributed
from tqdm import tqdm

from colorlib.data import open_dataset
from colorlib.data.store import LabArrays
from colorlib.distributed import check_batch
from colorlib.files import temporary_folder
from colorlib.machine import choose_device
from colorlib.processes import environment_for_children, follow_parent
from colorlib.runs.colorizer import NetworkColorizer, read_colorizer
from colorlib.runs.run import ExperimentConfig
from colorlib.runs.training import train

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

GO_ON = "what is done is kept: run the same again to go on."
# What a process raises when another has ended; nothing, where torch ends it.
LOST = ("RuntimeError", "DistBackendError", "DistNetworkError", "")


def train_on_processes(
    config: ExperimentConfig,
    data: LabArrays,
    folder: Path | str,
    processes: int,
    nodes: int = 1,
    rendezvous: str | None = None,
    device: str = "auto",
) -> NetworkColorizer:
    """Train as :func:`~colorlib.runs.training.train` does, on several processes that share every batch.

    Losses and weights are those of one process up to the rounding of sums, which grows from step to step as it does
    between one thread and two. Batch normalisation is of the whole batch. When a process is killed the others end,
    and the same call goes on from the last checkpoint, with as many processes or others.

    Args:
        config, data, folder: as for ``train``. Of several machines each sees the photographs and the folder at the same
            paths.
        processes: on this machine, each on a GPU of its own where there are any; with the other machines' they divide
            ``config.batch_size``. The cores are divided among them, unless ``COLORLIB_THREADS`` says.
        nodes: machines; each calls this function.
        rendezvous: where they meet, ``HOST:PORT`` of one of them, any free port; the same on all. For several alone.
        device: "auto", "cpu" or "cuda".

    Returns:
        The chosen network as a colorizer.

    Raises:
        ValueError: too few GPUs, a batch that cannot be shared, or several machines without a rendezvous or with one
            that is no place.
        RuntimeError: a process failed or was killed; the message says why and how to go on.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    if processes * nodes == 1:
        return train(config, data, folder, device)
    check_batch(config.batch_size, processes * nodes)
    if choose_device(device).type == "cuda" and processes > torch.cuda.device_count():
        raise ValueError(f"{processes} processes need a GPU each, and this machine has {torch.cuda.device_count()}.")
    if (nodes > 1) != bool(rendezvous):
        raise ValueError("several nodes, and they alone, need a rendezvous, HOST:PORT of one of them.")
    if rendezvous:
        _check_place(rendezvous)
    for speaker in ("torch.distributed", "torch.multiprocessing"):  # what goes wrong is said below, once
        logging.getLogger(speaker).setLevel(logging.CRITICAL)
    threads = str(max(1, torch.get_num_threads() // processes))
    variables = environment_for_children(COLORLIB_THREADS=os.environ.get("COLORLIB_THREADS", threads))
    try:
        with temporary_folder() as private, _lent(variables):
            launch = LaunchConfig(
                min_nodes=nodes,
                max_nodes=nodes,
                nproc_per_node=processes,
                run_id="colorlib",
                rdzv_backend="c10d",
                rdzv_endpoint=rendezvous or "127.0.0.1:0",
                local_addr=None if rendezvous else "127.0.0.1",
                logs_specs=DefaultLogsSpecs(log_dir=str(private)),
                max_restarts=0,  # what failed once would fail again
            )
            elastic_launch(launch, train_here)(config, str(data.source), str(folder), device)
    except SignalException as error:
        if error.sigval == signal.SIGINT:
            raise KeyboardInterrupt from None
        raise RuntimeError(f"the training was ended by {error.sigval.name}; {GO_ON}") from None
    except RendezvousError:
        raise RuntimeError(
            f"the {nodes} nodes did not find each other at {rendezvous}: start the same command on each of them within "
            "ten minutes, and see that all reach that machine and port."
        ) from None
    except ChildFailedError as error:
        raise RuntimeError(_why(error, processes * nodes)) from None
    return read_colorizer(folder, data, device)


def _check_place(rendezvous: str) -> None:
    """Raise ValueError, in one sentence, for what is no place to meet; torch would look for it for a minute."""
    host, _, port = rendezvous.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"the rendezvous is HOST:PORT, such as node1:29500, and not {rendezvous!r}.")
    try:
        socket.getaddrinfo(host.strip("[]"), int(port))
    except (OSError, UnicodeError):
        raise ValueError(f"no machine is found by the name {host!r}; name one of those that train.") from None


def train_here(config: ExperimentConfig, source: str, folder: str, device: str = "auto") -> None:
    """Train as one of several processes, of which torchrun has told this one its place through the environment.

    Args:
        config, folder, device: as for :func:`train_on_processes`.
        source: of the photographs, as :func:`colorlib.data.open_dataset` takes it.
    """
    follow_parent()  # before the others are waited for
    tqdm.set_lock(threading.RLock())  # its own is shared by processes, and missed at the end by one that was killed
    if choose_device(device).type == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    train(config, open_dataset(source), folder, device)
    distributed.destroy_process_group()


def _why(error: "ChildFailedError", world: int) -> str:
    """Say in a sentence why a training ended: what was killed comes first, what only missed another process last."""

    def importance(rank: int) -> int:
        kind = told[rank].partition(":")[0]
        return 0 if error.failures[rank].exitcode < 0 else 2 if kind in LOST else 1

    told = {rank: _raised(failure.message) for rank, failure in error.failures.items()}
    rank = min(error.failures, key=importance)
    failure = error.failures[rank]
    if importance(rank) == 1:
        return told[rank].partition(": ")[2]
    if failure.exitcode < 0:
        ended = f"was ended by {failure.signal_name()}"
    else:
        ended = f"lost another one ({told[rank]})" if told[rank] else f"ended with status {failure.exitcode}"
    return f"process {rank} of {world} {ended}; {GO_ON}"


def _raised(message: "str | dict[str, str]") -> str:
    """Return what a process raised, ``KIND: message``, as torch tells it; "" where it raised nothing."""
    return message["message"] if isinstance(message, dict) else ""


@contextlib.contextmanager
def _lent(variables: dict[str, str]) -> Iterator[None]:
    """Lend this process to a launch, which takes its signals over: a notebook's kernel goes on afterwards."""
    environment = dict(os.environ)
    in_main = threading.current_thread() is threading.main_thread()  # elsewhere nobody may take signals
    signals = {number: signal.getsignal(number) for number in signal.valid_signals()} if in_main else {}
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        for number, handler in signals.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
