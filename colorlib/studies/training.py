"""The network of a study's row trained by itself, on as many processes as there are; the study then goes on from it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorlib.studies.notebook import notebook_parameters
from colorlib.studies.study import prepare_study

if TYPE_CHECKING:
    from colorlib.runs.run import ExperimentConfig


def train_row(
    study: Path,
    wanted: str,
    processes: int,
    nodes: int = 1,
    rendezvous: str | None = None,
    data: str | None = None,
    name: str | None = None,
) -> Path:
    """Train the network of a row in the row's own run folder, and return that.

    ``colorlib study`` finds it trained, and judges it. A learning rate that the row has chosen by a sweep is chosen
    first, on one process. Where torchrun has started this process it is one of its processes, and of no others.

    Args:
        study, data, name: as for :func:`~colorlib.studies.study.prepare_study`.
        wanted: see :func:`find_row`.
        processes, nodes, rendezvous: see :func:`~colorlib.runs.launch.train_on_processes`.

    Raises:
        ValueError: no such row, or one that does not train a network.
        What ``prepare_study``, ``train_on_processes`` and a sweep raise.
    """
    from torch.distributed import is_torchelastic_launched

    from colorlib.data import open_dataset
    from colorlib.runs.launch import train_here, train_on_processes
    from colorlib.runs.sweep import choose_learning_rate

    row = find_row(_planned(study, data, name, alone=nodes == 1 and not is_torchelastic_launched()), wanted)
    config, given = settings_of(row), _parameters(row)
    photographs, run, device = open_dataset(given["DATA"]), Path(given["RUN"]), given["DEVICE"]
    if given.get("SWEEP"):
        config = choose_learning_rate(config, photographs, **given["SWEEP"], device=device)[0]
    if is_torchelastic_launched():
        train_here(config, given["DATA"], str(run), device)
    else:
        train_on_processes(config, photographs, run, processes, nodes, rendezvous, device)
    return run


def _planned(study: Path, data: str | None, name: str | None, alone: bool) -> list[dict[str, Any]]:
    """Plan a study; of those that begin one training together, one makes its photographs ready and the others wait."""
    while True:
        try:
            return prepare_study(study, data, name)[1]["rows"]
        except BlockingIOError:
            if alone:
                raise
        time.sleep(1)


def find_row(rows: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """Return a planned row by its number, from 1, or by what its id and no other's begins with.

    Raises:
        ValueError: none, or several; the message names those there are.
    """
    numbered = {str(number): row for number, row in enumerate(rows, 1)}
    found = [numbered[wanted]] if wanted in numbered else [row for row in rows if row["id"].startswith(wanted)]
    if len(found) != 1:
        names = ", ".join(f"{number} {row['id']}" for number, row in numbered.items())
        raise ValueError(f"{wanted!r} is {'several rows' if found else 'no row'} of the study; its rows: {names}.")
    return found[0]


def settings_of(row: dict[str, Any]) -> "ExperimentConfig":
    """Return the settings that the notebook of a planned row trains its network with.

    They follow from the parameters by a convention of all notebooks that train one network: these are called after
    it (``12_unet``), or it is their MODEL; MODEL_OPTIONS left empty are then the narrow ones; TRAINING holds further
    settings. A notebook with a convention of its own refuses the run folder when it comes to it.

    Raises:
        ValueError: the notebook is not of this kind.
    """
    from colorlib.models import MODELS
    from colorlib.runs.run import ExperimentConfig

    given = _parameters(row)
    model = given.get("MODEL") or Path(row["notebook"]).stem.partition("_")[2]
    if model not in MODELS:
        raise ValueError(
            f"{row['id']} does not train one network, so there is nothing to train apart from its notebook."
        )
    options = given["MODEL_OPTIONS"] or (MODELS[model].narrow if "MODEL" in given else {})
    budget = {name: given[name.upper()] for name in ("images_seen", "batch_size", "learning_rate")}
    budget |= given.get("TRAINING", {})
    return ExperimentConfig(model, given["OBJECTIVE"], options, given["OBJECTIVE_OPTIONS"], given["SEED"], **budget)


def _parameters(row: dict[str, Any]) -> dict[str, Any]:
    return notebook_parameters(Path(row["notebook"])) | row["parameters"]
