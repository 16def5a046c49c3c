"""The training loop: one network, one objective, one budget.

What comes at step ``s`` of a run depends on its settings, its seed and ``s`` alone: the photographs, what augments
them and any noise are drawn from generators seeded by ``(seed, s)``. So a run that was killed and goes on from
its last checkpoint takes the very steps that an undisturbed one takes, and ends with the same weights bit for bit.

At a constant learning rate the same is true of runs that differ in their budgets alone, up to the smallest one's
cool-down: see :mod:`colorlib.runs.schedule`, and the trunk in :mod:`colorlib.runs.checkpoint`.

Several processes, each of which calls :func:`train` (:mod:`colorlib.runs.launch` starts them), take one training's
steps: each has its part of the very batch that one process would have, see :mod:`colorlib.distributed`. The first
alone validates and writes.
"""

import contextlib
import copy
import dataclasses
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib import distributed, processes
from colorlib.bars import progress_bar
from colorlib.data.oldfilm import age_some
from colorlib.data.store import Batch, LabArrays
from colorlib.files import exclusive, write_json
from colorlib.machine import choose_device, computes_in_bfloat16, count_macs, use_threads
from colorlib.models import Network, write_weights
from colorlib.runs.batches import Order, change_contrast, crop, mirror
from colorlib.runs.checkpoint import Parts, State, load_checkpoint, save_checkpoint, trunk_of
from colorlib.runs.collapse import collapsed, has_left
from colorlib.runs.colorizer import NetworkColorizer, build, decoder, read_colorizer
from colorlib.runs.replay import record
from colorlib.runs.run import ExperimentConfig, Progress, begin, write_table
from colorlib.runs.schedule import cool_down_begins, learning_rate, validation_points

CRITIC_BETAS = (0.5, 0.999)  # Isola et al. 2017, section 3.3
WALKED = 64  # photographs coloured at a validation, where a network takes several steps for one


@torch.no_grad()
def average(averaged: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move weights and statistics of ``averaged`` towards the network's: decay · theirs + (1 − decay) · its.

    The mean of the last 1 / (1 − decay) steps, nearly: what the noise of the last batches did to the weights is gone,
    as after a lower learning rate (Polyak and Juditsky 1992; Tarvainen and Valpola, NeurIPS 2017, arXiv:1703.01780).
    """
    for mean, value in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def train(config: ExperimentConfig, data: LabArrays, folder: Path | str, device: str = "auto") -> NetworkColorizer:
    """Train a network within its budget, or go on where the folder's checkpoint stands.

    The weights, averaged ones where there are such, are looked at ``config.validations`` times. Chosen are those with
    the lowest validation loss of the objective; where it has a critic, the last that have not left the photographs, see
    :mod:`colorlib.runs.collapse`. At a constant rate those before the cool-down are not among them, and nothing is
    trained that a run with another budget has trained already. Nothing is trained again in a folder that is finished.

    Args:
        config: the settings; a folder that holds other settings is refused.
        data: photographs with a train and a val split.
        folder: the run folder; receives config.json, history.csv, weights.safetensors and checkpoint.pt.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Returns:
        The chosen network as a colorizer.

    Raises:
        ValueError: the folder holds another run, the data cannot be split, or several processes cannot share a batch.
        FloatingPointError: the loss is no longer a number, the message names the step; or it never was one on val.
        BlockingIOError: another process is writing to the folder.
    """
    processes.follow_parent()
    config = with_images(config, data)
    identity = {"name": Path(folder).name, "label": config.label, "kind": "network", **config.settings}
    identity |= {"data": data.name, "data_fingerprint": data.fingerprint}
    first = distributed.rank() == 0
    with exclusive(folder, "run") if first else contextlib.nullcontext():
        if first:
            begin(folder, identity)
        _train(config, data, Path(folder), choose_device(device))
    return read_colorizer(folder, data, device)


def macs_in_training(network: Network, size: tuple[int, int]) -> int:
    """Count the multiply-accumulates of a network's forward pass in training for a photograph of ``size`` (H, W).

    Of a network that colours in several steps it is one step. The backward pass takes about twice as much again, for
    all networks alike, but for encoders that stay as they are; neither it nor a critic is counted.
    """
    return count_macs(network, size) // network.steps


def with_images(config: ExperimentConfig, data: LabArrays) -> ExperimentConfig:
    """Return the settings with the photographs that their ``macs`` allow; without such a budget, as they are."""
    if config.macs is None:
        return config
    network = build(config, data)[0].eval()
    return dataclasses.replace(config, images_seen=max(1, int(config.macs / macs_in_training(network, data.size))))


def _train(config: ExperimentConfig, data: LabArrays, folder: Path, device: torch.device) -> None:
    use_threads()
    distributed.check_batch(config.batch_size, distributed.processes())
    first = distributed.rank() == 0
    on_gpu = device.type == "cuda"
    if on_gpu:  # the processor's kernels repeat themselves anyway, and asking takes a second
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Filling what nobody reads takes as long as the kernels do. (torch's stubs lack it.)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    train_split = data.indices("train")
    if config.photographs:
        if config.photographs > len(train_split):
            raise ValueError(
                f"{data.name} has {len(train_split):,} photographs to train on, not the {config.photographs:,} of the "
                "setting photographs; prepare more, or ask for fewer."
            )
        train_split = data.sample("train", config.photographs)
    order = Order(train_split, config.batch_size, config.seed)
    val = data.sample("val", config.validation_images)
    network, objective = build(config, data)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    objective = objective.to(device)
    optimizer = torch.optim.AdamW(
        network.parameter_groups(), config.learning_rate, weight_decay=config.weight_decay, fused=on_gpu
    )
    parts = Parts(network, objective, optimizer)
    if objective.critic is not None:
        parts.critic_optimizer = torch.optim.Adam(objective.critic.parameters(), objective.critic_rate, CRITIC_BETAS)
    if config.ema:
        parts.averaged = copy.deepcopy(network)
    distributed.tell_layers(torch.nn.ModuleList([network, objective]))
    bfloat16 = config.precision == "bfloat16" or (config.precision == "auto" and computes_in_bfloat16(device))
    autocast = objective.autocast = torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)
    if on_gpu and network.replays and distributed.processes() == 1:
        record(network, config.batch_size, data.size, bfloat16)

    begins, points = cool_down_begins(config), validation_points(config)
    shares = begins and objective.critic is None  # what a critic's part is goes by the budget
    trunk = trunk_of(config, data) if shares else None
    state = load_checkpoint(folder, trunk, begins, parts)
    if distributed.from_first((folder / "collapse.json").exists()):
        return
    started, saved = time.monotonic() - state.seconds, time.monotonic()
    report = Progress(folder, f"training {config.label}")
    bar = progress_bar(
        total=config.images_seen,
        initial=state.step * config.batch_size,
        unit="img",
        desc=config.label,
        disable=not first,
    )
    with bar:
        while state.validated < len(points):
            rate = learning_rate(seen := state.step * config.batch_size, config)
            objective.share = seen / config.images_seen
            with distributed.sharing():
                batch = data.batch(distributed.part(order.batch(state.step)), device)
                terms = _step(parts, batch, config, state.step, rate, autocast)
            if not all(math.isfinite(value) for value in terms.values()):
                if objective.critic is not None and state.validated:
                    _collapse(state, "the loss is no longer a number", folder)
                    break
                raise FloatingPointError(
                    f"the loss of {config.label} became {terms['loss']} at step {state.step} "
                    f"({seen} images seen, learning rate {rate:.2g}): lower the learning rate. The best "
                    f"weights and the history up to here are kept in {folder}."
                )
            state.step += 1
            if parts.averaged is not None:
                average(parts.averaged, network, min(config.ema, (1 + state.step) / (10 + state.step)))
            state.counted += 1
            state.sums = {name: state.sums.get(name, 0.0) + value for name, value in terms.items()}
            state.seconds = time.monotonic() - started
            bar.update(config.batch_size)
            seen += config.batch_size
            if first:
                report(min(seen, config.images_seen), config.images_seen)
            due = seen >= points[state.validated]
            if due:
                state.validated = sum(seen >= point for point in points)
                if first:
                    _validate(config, state, parts, data, val, rate, folder)
                state = distributed.from_first(state)
                bar.set_postfix_str(f"val_loss {state.history[-1]['val_loss']:.4g}")
                if objective.critic is not None and (why := collapsed(state.history)):
                    _collapse(state, why, folder)
                    break
            if first and (due or time.monotonic() - saved >= config.checkpoint_seconds):
                save_checkpoint(folder / "checkpoint.pt", state, parts)
                saved = time.monotonic()
            if first and trunk and seen == begins:
                save_checkpoint(trunk / f"{seen}.pt", state, parts)
    if first and not any(math.isfinite(row["val_loss"]) for row in state.history):
        raise FloatingPointError(
            f"the validated loss of {config.label} was never a number, so no weights were kept: lower the learning "
            f"rate. The history is kept in {folder}; move it aside and run again."
        )


def _collapse(state: State, why: str, folder: Path) -> None:
    """End a training early and say so in ``collapse.json``; the last good weights are kept."""
    if distributed.rank():
        return
    seen = state.history[-1]["images_seen"]
    write_json(folder / "collapse.json", {"why": why, "images_seen": seen})
    tqdm.write(f"The adversarial training collapsed after {seen:,} images: {why}. The last good weights are kept.")


def _step(
    parts: Parts, batch: Batch, config: ExperimentConfig, step: int, rate: float, autocast: torch.autocast
) -> dict[str, float]:
    """Take one step and return the terms of the loss."""
    network, objective, optimizer = parts.network.train(), parts.objective.train(), parts.optimizer
    torch.manual_seed(config.seed * 1_000_003 + step)  # for what is drawn below, and what noise a network draws itself
    lab = mirror(torch.cat([batch.L, batch.ab], 1))
    if config.crop < 1:
        lab = crop(lab, config.crop)
    L, ab = lab[:, :1].contiguous(), lab[:, 1:].contiguous()
    # The network alone sees old film or another contrast; its colours are judged under the photograph's own lightness.
    seen = age_some(lab, config.degrade) if config.degrade else L
    if config.contrast:
        seen = change_contrast(seen, config.contrast)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]
    with autocast:
        output = parts.forward(seen.contiguous(memory_format=torch.channels_last), ab).float()
    objective.check_output(output, L.shape[-2:])
    terms: dict[str, Tensor] = {}
    if parts.critic_optimizer is not None:
        critic_terms = parts.critic_terms(output.detach(), L, ab)
        parts.critic_optimizer.zero_grad(set_to_none=True)
        critic_terms["loss"].backward()
        parts.critic_optimizer.step()
        terms |= {"critic_loss": critic_terms.pop("loss")} | critic_terms
    terms |= objective(output, L, ab)
    if side := network.side_loss(L, ab, batch.labels):
        terms |= side | {"loss": terms["loss"] + sum(side.values())}
    if not objective.network_rests():
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        optimizer.step()
    return distributed.means(terms)


@torch.inference_mode()
def _validate(
    config: ExperimentConfig, state: State, parts: Parts, data: LabArrays, val: np.ndarray, rate: float, folder: Path
) -> None:
    """Add a row to the history, and keep the weights where they are to be judged if no later ones are."""
    network, objective = parts.judged.eval(), parts.objective.eval()
    device = next(network.parameters()).device
    torch.manual_seed(0)  # the same hints or noise at every validation
    loss = 0.0
    distances: list[float] = []
    for start in range(0, len(val), config.batch_size):
        batch = data.batch(val[start : start + config.batch_size], device)
        L = batch.L.contiguous(memory_format=torch.channels_last)
        output = network.forward_in_training(L, batch.ab).float()
        loss += float(objective(output, batch.L, batch.ab)[objective.validated_term]) * len(output)
        if network.walks and len(distances) >= WALKED:
            continue
        decode = decoder(objective)
        ab = network.colorize(L, decode) if network.helped else decode(output, L.shape[-2:])
        distances += (ab - batch.ab).norm(dim=1).mean((1, 2)).tolist()
    row = {"images_seen": state.step * config.batch_size, "step": state.step, "seconds": state.seconds}
    row |= {"learning_rate": rate} | {name: value / state.counted for name, value in state.sums.items()}
    row |= {"val_loss": loss / len(val), "val_delta_e_76": float(np.mean(distances))}
    kept = row["images_seen"] > cool_down_begins(config)
    if kept:
        lowest = min(state.best, row["val_loss"])
        kept = row["val_loss"] < state.best if objective.critic is None else not has_left(row["val_loss"], lowest)
        state.best = lowest
    row["best"] = int(kept)
    if kept:
        write_weights(folder / "weights.safetensors", network.state_dict())
    state.history.append(row)
    state.sums, state.counted = {}, 0
    write_table(folder / "history.csv", pd.DataFrame(state.history))
