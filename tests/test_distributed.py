"""A batch on several processes: each step is that of one process which has the whole batch."""

import json
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import distributed as joined
from torch import nn

from colorlib import distributed
from colorlib.data.store import open_store
from colorlib.models import MODELS
from colorlib.runs import training
from colorlib.runs.checkpoint import Parts
from colorlib.runs.colorizer import build
from colorlib.runs.run import ExperimentConfig, Run
from colorlib.runs.training import train

slow = pytest.mark.slow
STEPS, RATE = 3, 1e-3  # of each case, by plain gradient descent


def case(model, objective, options=None, batch=4, **more):
    size = {"width": 4} if model == "unet" else MODELS[model].narrow
    return ExperimentConfig(
        model, objective, size, options or {}, **({"images_seen": 8 * batch, "batch_size": batch} | more)
    )


WGAN = {"l1": 1, "gan_wgan_gp": 1}
NOGAN = {"critic_width": 4, "critic_from": 1 / 8, "counts_from": 2 / 8, "network_rests": 1}
LOOKS = {"l1": 1, "perceptual": 5, "colorfulness": 0.1}  # class_kl is so steep that its third step shows rounding
CASES = {
    "augmentation, ageing, batch normalisation": case("unet", "l2", degrade=0.5, crop=0.5, contrast=0.3, ema=0.9),
    "classification": case("unet", "rebalanced_ce"),
    "a critic with batch normalisation": case("unet", "pix2pix", {"critic_width": 4}),
    "a gradient penalty": case("unet", WGAN, {"critic_width": 4, "critic": "patch_spectral"}),
    "a gradient penalty through batch normalisation": case("unet", WGAN, {"critic_width": 4, "critic": "patch"}),
    "a network that rests": case("unet", {"l1": 1, "gan_hinge": 1}, NOGAN),
    "a ratio of means": case("plain_cnn", LOOKS, batch=2),
    "dropout": case("unet256", "l2"),
    "dropout of channels": case("resunet", "l2"),
    "hints and a side loss": case("siggraph17", "huber"),
    "noise": case("diffusion", "l2"),
}
# At ten times this rate what sums are rounded to makes 1e-4 in 50 steps, with two threads of one process as with two.
LONG = case(
    "unet",
    "l2",
    precision="float32",
    learning_rate=1e-4,
    images_seen=200,
    validations=50,
    validation_images=8,
    ema=0.9,
    checkpoint_seconds=0,
)
KILLED = case("unet", "pix2pix", {"critic_width": 4}, images_seen=120, ema=0.9, validations=3, checkpoint_seconds=0)


def steps(config, data):
    """Take a few steps: the terms of each, and at the end all that has been learned or is kept."""
    network, objective = build(config, data)
    parts = Parts(network, objective, torch.optim.SGD(network.parameter_groups(), RATE))
    if objective.critic is not None:
        parts.critic_optimizer = torch.optim.SGD(objective.critic.parameters(), RATE)
    distributed.tell_layers(nn.ModuleList([network, objective]))
    order, found = training.Order(data.indices("train"), config.batch_size, config.seed), []
    for step in range(STEPS):
        objective.share = step / 8
        with distributed.sharing():
            batch = data.batch(distributed.part(order.batch(step)))
            found.append(training._step(parts, batch, config, step, RATE, torch.autocast("cpu", enabled=False)))
    return found, network.state_dict() | {f"objective.{name}": t for name, t in objective.state_dict().items()}


def join(rank, store):
    torch.set_num_threads(1)
    joined.init_process_group("gloo", f"file://{store}", rank=rank, world_size=2)


def compare(rank, data, folder):
    """Take the steps of each case alone, then with another process, and write how far apart the two are."""
    data, apart = open_store(data), {}
    alone = {name: steps(config, data) for name, config in CASES.items()} if rank == 0 else {}
    join(rank, folder / "store")
    for name, config in CASES.items():
        found = steps(config, data)
        if rank == 0:
            (terms, learned), (own_terms, own) = found, alone[name]
            assert learned.keys() == own.keys() and [{*step} for step in terms] == [{*step} for step in own_terms]
            pairs = [(step[n], other[n]) for step, other in zip(terms, own_terms, strict=True) for n in step]
            apart[name] = max([relative(*map(torch.tensor, pair)) for pair in pairs])
            apart[f"{name}: what is learned"] = max(relative(learned[n], own[n]) for n in own)
    if rank == 0:
        (folder / "apart.json").write_text(json.dumps(apart), encoding="utf-8")


def relative(one, other):
    return float(((one - other).abs() / (1 + other.abs())).max())


def take_part(rank, config, data, folder, store):
    """Train as one of two processes, and write how many steps that took."""
    join(rank, store)
    taken, step = [], training._step
    training._step = lambda *given: (taken.append(1), step(*given))[1]
    train(config, open_store(data), folder)
    Path(f"{store}-steps-{rank}").write_text(str(len(taken)), encoding="utf-8")


def begin(processes, target, *given):
    members = [processes.Process(target=target, args=(rank, *given), daemon=True) for rank in (0, 1)]
    for member in members:
        member.start()
    return members


def end(members):
    for member in members:
        member.join()
    assert [member.exitcode for member in members] == [0, 0]


@slow
def test_a_step_of_two_is_a_step_of_one(tiny_scenes, tmp_path, processes):
    end(begin(processes, compare, tiny_scenes.folder, tmp_path))
    apart = json.loads((tmp_path / "apart.json").read_text(encoding="utf-8"))
    assert len(apart) == 2 * len(CASES) and {name: by for name, by in apart.items() if not by < 1e-4} == {}


@slow
def test_fifty_steps_of_two_are_those_of_one(tiny_scenes, tmp_path, processes):
    members = begin(processes, take_part, LONG, tiny_scenes.folder, tmp_path / "two", tmp_path / "store")
    train(LONG, tiny_scenes, tmp_path / "one")
    end(members)
    one, two = (Run(tmp_path / name).history for name in ("one", "two"))
    assert len(one) == 50 and one["images_seen"].equals(two["images_seen"])
    assert (one[["loss", "val_loss"]] - two[["loss", "val_loss"]]).abs().to_numpy().max() < 1e-5


@pytest.fixture(scope="module")
def undisturbed(tiny_scenes, tmp_path_factory, processes):
    """A run of two processes from its beginning to its end."""
    folder = tmp_path_factory.mktemp("undisturbed")
    end(begin(processes, take_part, KILLED, tiny_scenes.folder, folder / "run", folder / "store"))
    return folder / "run"


def assert_same(one, other):
    weights, others = (load_file(folder / "weights.safetensors") for folder in (one, other))
    assert weights.keys() == others.keys() and all(torch.equal(weights[name], others[name]) for name in weights)
    history, others = (Run(folder).history.drop(columns="seconds") for folder in (one, other))
    assert history.equals(others)


@slow
@pytest.mark.parametrize("rank", [0, 1])
def test_killed_it_ends_and_goes_on_to_the_same_weights(tiny_scenes, tmp_path, processes, undisturbed, rank):
    given = KILLED, tiny_scenes.folder, tmp_path / "run"
    members = begin(processes, take_part, *given, tmp_path / "first")
    while _step(tmp_path / "run") < 7:
        assert all(member.is_alive() for member in members)
        time.sleep(0.02)
    members[rank].kill()
    members[1 - rank].join(30)
    done = _step(tmp_path / "run")
    assert members[1 - rank].exitcode == 1 and done < 30  # it noticed, and had not ended before
    end(begin(processes, take_part, *given, tmp_path / "second"))
    assert [int((tmp_path / f"second-steps-{n}").read_text()) for n in (0, 1)] == [30 - done] * 2
    assert_same(tmp_path / "run", undisturbed)


def _step(folder):
    try:
        return torch.load(folder / "checkpoint.pt", weights_only=True)["state"]["step"]
    except FileNotFoundError:
        return 0
