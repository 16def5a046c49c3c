"""Train the classifiers of `colorlib.classifier` on photographs sorted into folders, one class a folder.

As in `colorlib.runs.training`, what comes at step ``s`` depends on the seed and ``s`` alone, so a training that was
killed goes on from its last checkpoint to the same weights. The classifiers that ship were made by::

    colorlib train-classifier data/photos64 --seed 0 --passes 24 --name a --out colorlib/weights
    colorlib train-classifier data/photos64 --seed 1 --passes 24 --name b --out colorlib/weights
"""

import dataclasses
import json
import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from colorlib import processes
from colorlib.classifier import MINIMUM_SIDE, Classifier, read_classifier, weights_path
from colorlib.color.lab import lab_to_rgb
from colorlib.data.store import Batch, LabArrays
from colorlib.files import atomic_path, exclusive
from colorlib.machine import choose_device, computes_in_bfloat16, use_threads
from colorlib.runs.run import write_table
from colorlib.runs.training import Order, learning_rate
from colorlib.statistics.bootstrap import mean_interval

BATCH_SIZE = 128
PEAK_LEARNING_RATE = 0.2
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
LABEL_SMOOTHING = 0.1
CROPS = (3 / 4, 7 / 8, 1.0)  # share of a side, for a third of the training each: small ones are cheap
SHIFT = 1 / 16  # of a side, by which a crop may leave the photograph; the rest is mirrored
JITTER = 0.2  # L and chroma are scaled by 1 ± this much at most
CHECKPOINT_SECONDS = 60


class Answers(NamedTuple):
    """Which photographs a classifier named rightly, as (N,) bool: at its first guess, and among its first five."""

    top1: np.ndarray
    top5: np.ndarray


def crop_size(share: float, size: tuple[int, int]) -> tuple[int, int]:
    """Return (H, W) of the crops after ``share`` of the training: a larger one in each third."""
    part = CROPS[min(int(share * len(CROPS)), len(CROPS) - 1)]
    H, W = (max(MINIMUM_SIDE, round(part * side)) for side in size)
    return H, W


def places(count: int, crop: int, side: int) -> Tensor:
    """Draw ``count`` stretches of ``crop`` pixels from a side: (count, crop) int64; past its ends it is mirrored."""
    shift = round(SHIFT * side)
    start = torch.randint(-shift, side - crop + shift + 1, (count, 1))
    place = (start + torch.arange(crop)).abs()
    return torch.where(place < side, place, 2 * (side - 1) - place)


def augment(batch: Batch, crop: tuple[int, int]) -> Tensor:
    """Cut, mirror and recolour each photograph a little, by lot.

    Args:
        batch: N photographs; the lots are drawn with torch's global generator.
        crop: (h, w) wanted.

    Returns:
        rgb (N, 3, h, w) in [0, 1], channels last.
    """
    N, _, H, W = batch.L.shape
    rows, columns = places(N, crop[0], H), places(N, crop[1], W)
    columns = torch.where(torch.rand(N, 1) < 0.5, columns.flip(1), columns)
    L_gain, ab_gain = 1 + JITTER * (2 * torch.rand(2, N, 1, 1, 1) - 1)
    device = batch.L.device
    lab = torch.cat([batch.L, batch.ab], 1).permute(0, 2, 3, 1)  # (N, 3, H, W) -> (N, H, W, 3)
    lab = lab[torch.arange(N)[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    L, ab = (lab[:, :1] * L_gain.to(device)).clamp(max=100), lab[:, 1:] * ab_gain.to(device)
    return lab_to_rgb(torch.cat([L, ab], 1)).contiguous(memory_format=torch.channels_last)


def train_classifier(
    data: LabArrays, folder: Path | str, seed: int = 0, passes: int = 24, device: str = "auto"
) -> Classifier:
    """Train a classifier on the train split, or go on where the folder's checkpoint stands.

    Flagged photographs (grey ones, duplicates) are left out. The last weights are taken, as the learning rate ends
    at zero; the val split is looked at after each pass and decides nothing.

    Args:
        data: photographs with classes.
        folder: receives checkpoint.pt and history.csv.
        seed: of the weights, the order and the augmentation.
        passes: how often each photograph is seen.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Returns:
        The classifier with its batch normalisation, in eval mode. Its ``seconds`` of training are in history.csv.

    Raises:
        ValueError: the data has no classes, or the folder holds another training.
        FloatingPointError: the loss is no longer a number.
        BlockingIOError: another process is writing to the folder.
    """
    if not data.classes:
        raise ValueError(f"data set {data.name!r} has no classes; a classifier needs photographs in a folder a class.")
    processes.follow_parent()
    with exclusive(folder, "training"):
        return _train(data, Path(folder), seed, passes, choose_device(device))


@dataclasses.dataclass
class _State:
    """All that a checkpoint holds beside tensors."""

    identity: dict[str, str | int]  # of the training: its data, seed and passes
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)


def _train(data: LabArrays, folder: Path, seed: int, passes: int, device: torch.device) -> Classifier:
    use_threads()
    torch.manual_seed(seed)
    classifier = Classifier(data.classes)
    classifier = classifier.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    optimizer = torch.optim.SGD(
        classifier.parameters(), PEAK_LEARNING_RATE, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True
    )
    order = Order(data.indices("train"), BATCH_SIZE, seed)
    val = data.indices("val")
    steps_per_pass = math.ceil(len(order.indices) / BATCH_SIZE)
    steps = passes * steps_per_pass
    identity: dict[str, str | int] = {"data": data.fingerprint, "seed": seed, "passes": passes}
    state = _State(identity)
    path = folder / "checkpoint.pt"
    if path.exists():
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        if checkpoint["state"]["identity"] != identity:
            raise ValueError(f"{folder} holds another training ({checkpoint['state']['identity']}); take a new folder.")
        state = _State(**checkpoint["state"])
        classifier.load_state_dict(checkpoint["classifier"])
        optimizer.load_state_dict(checkpoint["optimizer"])

    autocast = torch.autocast(device.type, torch.bfloat16, enabled=computes_in_bfloat16(device))
    started, saved = time.monotonic() - state.seconds, time.monotonic()
    losses: list[float] = []
    with tqdm(total=steps, initial=state.step, unit="step", desc=f"classifier, seed {seed}") as bar:
        while state.step < steps:
            share = state.step / steps
            batch = data.batch(order.batch(state.step), device)
            assert batch.labels is not None  # the data has classes
            torch.manual_seed(seed * 1_000_003 + state.step)
            rgb = augment(batch, crop_size(share, data.size))
            optimizer.param_groups[0]["lr"] = learning_rate(share, PEAK_LEARNING_RATE)
            with autocast:
                logits = classifier.train()(rgb)
            loss = F.cross_entropy(logits.float(), batch.labels, label_smoothing=LABEL_SMOOTHING)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise FloatingPointError(f"the loss became {losses[-1]} at step {state.step}; try another seed.")
            state.step += 1
            state.seconds = time.monotonic() - started
            bar.update()
            if ended := state.step % steps_per_pass == 0:
                answers = answer(classifier, data, val)
                row = {"step": state.step, "seconds": state.seconds, "loss": float(np.mean(losses))}
                row |= {"val_top1": float(answers.top1.mean()), "val_top5": float(answers.top5.mean())}
                state.history.append(row)
                losses = []
                write_table(folder / "history.csv", pd.DataFrame(state.history))
                bar.set_postfix_str(f"val top-1 {row['val_top1']:.1%}")
            if ended or time.monotonic() - saved >= CHECKPOINT_SECONDS:
                parts = {"classifier": classifier.state_dict(), "optimizer": optimizer.state_dict()}
                with atomic_path(path) as temporary:
                    torch.save({"state": dataclasses.asdict(state)} | parts, temporary)
                saved = time.monotonic()
    return classifier.eval()


@torch.inference_mode()
def answer(classifier: Classifier, data: LabArrays, indices: np.ndarray, grey: bool = False) -> Answers:
    """Ask a classifier what photographs show; with ``grey``, without their colours.

    Raises:
        ValueError: the data has no classes.
    """
    classifier.eval()
    device = next(classifier.parameters()).device
    ranks = []
    for start in range(0, len(indices), BATCH_SIZE):
        batch = data.batch(indices[start : start + BATCH_SIZE], device)
        if batch.labels is None:
            raise ValueError(f"data set {data.name!r} has no classes, so nobody knows what its photographs show.")
        ab = torch.zeros_like(batch.ab) if grey else batch.ab
        rgb = lab_to_rgb(torch.cat([batch.L, ab], 1)).contiguous(memory_format=torch.channels_last)
        logits = classifier(rgb)
        ranks.append((logits > logits.gather(1, batch.labels[:, None])).sum(1).cpu())
    rank = torch.cat(ranks).numpy()
    return Answers(rank < 1, rank < 5)


def fold(classifier: Classifier) -> Classifier:
    """Return the same classifier without batch normalisation: its factors go into the convolutions and their biases."""
    classifier = classifier.cpu().eval()
    folded = Classifier(classifier.classes, normalized=False)
    for target, source in zip(folded.modules(), classifier.modules(), strict=True):
        if isinstance(source, nn.Sequential) and isinstance(target, nn.Sequential):
            convolution, norm = source
            assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            target[0] = fuse_conv_bn_eval(convolution, norm)
    folded.head.load_state_dict(classifier.head.state_dict())
    return folded.eval()


def export(classifier: Classifier, data: LabArrays, history: pd.DataFrame, seed: int, name: str, out: Path) -> str:
    """Write ``classifier_<name>.safetensors`` and its model card into a folder; return the card.

    What is described is what ships: the file is read back, in half precision and without batch normalisation, and asked
    about every unflagged photograph of the test split, in colour and in grey.
    """
    path = weights_path(name, out)
    state = {key: tensor.half().contiguous() for key, tensor in fold(classifier).state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(state, temporary, {"classes": json.dumps(classifier.classes)})
    shipped, test = read_classifier(path), data.indices("test")
    asked = {"in colour": answer(shipped, data, test), "left grey": answer(shipped, data, test, grey=True)}
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        shipped(torch.zeros(1, 3, *data.size))
    parameters = sum(parameter.numel() for parameter in shipped.parameters())
    macs, train = counter.get_total_flops() // 2, len(data.indices("train"))
    passes = len(history)  # a line for each
    lines = [f"| photographs | {' | '.join(Answers._fields)} |", "| --- | --- | --- |"]
    for how, answers in asked.items():
        cells = (
            f"{100 * m:.1f} % ({100 * low:.1f} to {100 * high:.1f})" for m, low, high in map(mean_interval, answers)
        )
        lines.append(f"| {how} | {' | '.join(cells)} |")
    use = "A loss may look through it" if name == "a" else "Metrics look through it, and no loss ever does"
    card = f"""# Classifier {name}

Says which of {len(shipped.classes)} things a photograph shows. {use}: see `colorlib.classifier`.

- **Network**: `colorlib.classifier.Classifier`, {parameters:,} parameters, {macs / 1e6:,.0f} million MACs for
  {data.size[1]}×{data.size[0]} pixels; half precision, batch normalisation folded away.
- **Data**: `{data.name}` ({data.fingerprint}), {train:,} photographs to train on, a folder a class:
  {", ".join(shipped.classes[:3])}, … The photographs are not part of this repository.
- **Licence** of these weights: Apache-2.0, as the code. The photographs they were trained on came with licences of
  their own, which are not known to us.
- **Training**: {passes} passes, seed {seed}, {history["seconds"].iloc[-1]:,.0f} s:
  `colorlib train-classifier DATA --seed {seed} --passes {passes} --name {name} --out colorlib/weights`
- **Accuracy** on {len(test):,} photographs of the test split, with 95 % intervals over photographs:

{chr(10).join(lines)}

It knows photographs of this size, and the classes it was taught. It was trained in colour, so what it sees in a grey
photograph is less than what there is to see. The other classifier was trained apart from it, from another seed.
"""
    with atomic_path(path.with_suffix(".md")) as temporary:
        temporary.write_text(card, encoding="utf-8")
    return card
