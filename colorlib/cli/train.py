"""``colorlib train``: the network of one row of a study, on many processes."""

import argparse
import itertools
import os
import shlex

from colorlib.cli.command import Commands, add_command, count


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "train",
        "Train the network of one row of a study on many processes.\n\n"
        "Each process has an equal part of every batch, on a GPU of its own where there are any, and losses are those\n"
        "of one process. When a process is killed the others end, and the same command goes on from the last\n"
        "checkpoint. Afterwards `colorlib study` finds the row trained, and judges it.\n\n"
        "On several machines, which see the same folders, the same command is run on each, with --nodes and\n"
        "--rendezvous; under Slurm `srun` does that. `torchrun ... -m colorlib train STUDY ROW` does as well.",
        "  colorlib train kaggle 3 --processes 4\n"
        "  colorlib train kaggle 22_any_network-unet-l2-s0 --data ~/Downloads/archive.zip --processes 4\n"
        "  srun --nodes 2 colorlib train kaggle 3 --nodes 2 --processes 8 --rendezvous $(hostname):29500",
    )
    parser.add_argument("study", help="a name in notebooks/studies, or the path of a study file")
    parser.add_argument("row", help="its number, from 1, or what its id begins with; any other word lists them")
    parser.add_argument("--data", help="in place of the study's own, as for `colorlib study`")
    parser.add_argument("--name", help="of the study's folders, as for `colorlib study`")
    parser.add_argument(
        "--processes", type=count, metavar="N", help="on this machine (default: one for each GPU, or 1 without)"
    )
    parser.add_argument("--nodes", type=count, default=1, metavar="N", help="machines that take part (default 1)")
    parser.add_argument(
        "--rendezvous", metavar="HOST:PORT", help="where several machines meet: one of them, a free port"
    )


def run(options: argparse.Namespace) -> int:
    import torch

    from colorlib.studies import find_study
    from colorlib.studies.training import train_row

    processes = options.processes or max(1, torch.cuda.device_count())
    at = (processes, options.nodes, options.rendezvous)
    folder = train_row(find_study(options.study), options.row, *at, data=options.data, name=options.name)
    if os.environ.get("RANK", "0") == "0":  # torchrun may have started several
        given = [(f"--{name}", value) for name in ("data", "name") if (value := getattr(options, name))]
        study = shlex.join(["colorlib", "study", options.study, *itertools.chain(*given)])
        print(f"{folder} is trained. To judge it with the others: {study}")
    return 0
