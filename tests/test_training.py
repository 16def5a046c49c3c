"""The loop: it learns, it resumes bit for bit after SIGKILL, and it says what is wrong."""

import itertools
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from variants import VARIANTS

from colorlib.data.store import open_store
from colorlib.machine import count_macs
from colorlib.models import Network
from colorlib.objectives import OBJECTIVES, objective_options
from colorlib.objectives.base import WeightedSum
from colorlib.runs import run as experiment
from colorlib.runs import schedule, training
from colorlib.runs.batches import Order
from colorlib.runs.checkpoint import Parts, State
from colorlib.runs.collapse import collapsed, has_left
from colorlib.runs.colorizer import read_colorizer
from colorlib.runs.run import ExperimentConfig
from colorlib.runs.schedule import cool_down_begins, learning_rate, validation_points
from colorlib.runs.training import train, with_images

pytestmark = pytest.mark.slow

SETTINGS = {"images_seen": 96, "batch_size": 8, "validations": 3, "checkpoint_seconds": 0}


def config(model="unet", objective="l2", **changes):
    options = {"width": 4} if model == "unet" else {}
    return ExperimentConfig(model, objective, options, **(SETTINGS | changes))


class OneLayer(Network):
    """One convolution of 3 × 3 from L to ab."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, L):
        return self.layer(L)


def weights(folder):
    return load_file(folder / "weights.safetensors")


def train_interrupted(setting, data, folder, monkeypatch):
    """Train until a KeyboardInterrupt at the fifth checkpoint, and then go on to the end."""
    save, calls = training.save_checkpoint, []

    def interrupted(*arguments):
        save(*arguments)
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "save_checkpoint", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(setting, data, folder)
    train(setting, data, folder)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_training_learns_and_writes_what_it_promises(tiny_scenes, tmp_path):
    colorizer = train(config(images_seen=960, learning_rate=3e-3), tiny_scenes, tmp_path / "run")
    history = experiment.Run(tmp_path / "run").history
    assert len(history) == 3 and history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
    assert history["best"].iloc[history["val_loss"].argmin()] == 1
    assert history["images_seen"].iloc[-1] == 960
    L = tiny_scenes.batch([0, 1]).L
    assert colorizer(L).shape == (2, 2, 32, 32)
    assert torch.equal(colorizer(L), read_colorizer(tmp_path / "run", tiny_scenes)(L))


@pytest.mark.parametrize("objective", ["l2", "pix2pix", "gan_projected", "rebalanced_ce"])
def test_same_seed_same_weights(tiny_scenes, tmp_path, objective):
    options = {"critic_width": 4} if "critic_width" in objective_options(objective) else {}
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        setting = config(objective=objective, objective_options=options, images_seen=32, seed=seed)
        train(setting, tiny_scenes, tmp_path / name)
    assert same(weights(tmp_path / "one"), weights(tmp_path / "two"))
    assert not same(weights(tmp_path / "one"), weights(tmp_path / "other"))


def train_small(objective, images, data, folder):
    options = {"critic_width": 8}
    setting = config(objective=objective, objective_options=options, images_seen=images, validations=4)
    train(setting, open_store(data), folder)


@pytest.mark.parametrize(("objective", "images", "steps"), [("pix2pix", 640, (5, 30, 55)), ("gan_projected", 96, (5,))])
def test_killed_it_ends_with_the_same_weights(tiny_scenes, tmp_path, processes, objective, images, steps):
    """SIGKILL at some moments, then a run to the end: weights and history equal those of an undisturbed run."""

    def start(name):
        given = (objective, images, tiny_scenes.folder, tmp_path / name)
        process = processes.Process(target=train_small, args=given)
        process.start()
        return process

    undisturbed, killed = start("undisturbed"), tmp_path / "killed"
    undisturbed.join()
    for step in steps:
        process = start("killed")
        while process.is_alive() and _step(killed) < step:
            time.sleep(0.02)
        assert process.is_alive(), "it ended before it could be killed"
        process.kill()
        process.join()
    last = start("killed")
    last.join()
    assert undisturbed.exitcode == last.exitcode == 0
    assert same(weights(tmp_path / "undisturbed"), weights(killed))
    one, other = (experiment.Run(tmp_path / name).history for name in ("undisturbed", "killed"))
    assert one.drop(columns="seconds").equals(other.drop(columns="seconds"))


def _step(folder):
    try:
        return torch.load(folder / "checkpoint.pt", weights_only=True)["state"]["step"]
    except FileNotFoundError:
        return 0


def test_a_finished_run_is_not_trained_again(tiny_scenes, tmp_path):
    train(config(), tiny_scenes, tmp_path / "run")
    before = (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns
    train(config(), tiny_scenes, tmp_path / "run")
    assert (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns == before


def test_a_budget_of_computing_becomes_photographs(tiny_scenes, tmp_path, monkeypatch):
    train(config("plain_cnn", macs=4e7), tiny_scenes, tmp_path / "run")
    run = experiment.Run(tmp_path / "run")
    assert run.config["images_seen"] == 4e7 // 2_985_984 == 13 and run.history["images_seen"].iloc[-1] == 16
    network = OneLayer()
    monkeypatch.setattr(training, "build", lambda *_: (network, None))
    for network.steps in (1, 4):  # of one that walks, a training takes one step for each photograph
        assert with_images(config(macs=100.5 * 32 * 32 * 2 * 9), tiny_scenes).images_seen == 100


def test_a_budget_that_branches_off_equals_a_training_of_its_own(tiny_scenes, tmp_path, monkeypatch):
    """40 photographs, then 96 from where those began to cool down, interrupted once; and 96 from the beginning."""
    monkeypatch.setattr(schedule, "WARMED_AFTER", 16)
    rates, step = [], training._step

    def counted(*arguments):
        rates.append(arguments[4])
        return step(*arguments)

    monkeypatch.setattr(training, "_step", counted)
    changes = {"schedule": "constant", "learning_rate": 1e-3, "ema": 0.9}
    (tmp_path / "shared").mkdir()
    monkeypatch.chdir(tmp_path / "shared")
    train(config(images_seen=40, **changes), tiny_scenes, "small")
    train_interrupted(config(images_seen=96, **changes), tiny_scenes, Path("large"), monkeypatch)
    monkeypatch.undo()
    monkeypatch.setattr(schedule, "WARMED_AFTER", 16)
    assert len(rates) == 5 + 8  # the first four steps of the larger budget were the smaller one's
    cooled = [1e-3 * (1 - x**0.5) for x in (0.0, 0.5)]
    assert rates == pytest.approx([2e-5, 5e-4, 1e-3, 1e-3, 1e-3, *[1e-3] * 6, *cooled])
    (tmp_path / "alone").mkdir()
    monkeypatch.chdir(tmp_path / "alone")
    train(config(images_seen=96, **changes), tiny_scenes, "large")
    branch, alone = (experiment.Run(tmp_path / name / "large") for name in ("shared", "alone"))
    assert same(weights(branch.folder), weights(alone.folder))
    assert branch.history.drop(columns="seconds").equals(alone.history.drop(columns="seconds"))
    assert branch.history["best"].tolist()[:3] == [0, 0, 0] and branch.history["best"].any()  # 16, 32 and 64
    assert sorted(Path("runs/trunks").rglob("*.pt"))[0].name == "80.pt"


def test_nan_loss_names_the_step_and_keeps_the_checkpoint(tiny_scenes, tmp_path, monkeypatch):
    forward, calls = OBJECTIVES["l2"].forward, []

    def broken(self, *arguments):
        calls.append(1)
        terms = forward(self, *arguments)
        return terms if len(calls) < 4 else terms | {"loss": terms["loss"] * float("nan")}

    monkeypatch.setattr(OBJECTIVES["l2"], "forward", broken)
    with pytest.raises(FloatingPointError, match="nan at step 3"):
        train(config(validations=1), tiny_scenes, tmp_path / "run")
    assert _step(tmp_path / "run") == 3


def test_a_validation_that_never_is_a_number_is_said_each_time(tiny_scenes, tmp_path, monkeypatch):
    forward = OBJECTIVES["l2"].forward

    def broken(self, *arguments):
        terms = forward(self, *arguments)
        return terms if self.training else terms | {"loss": terms["loss"] * float("nan")}

    monkeypatch.setattr(OBJECTIVES["l2"], "forward", broken)
    for _ in range(2):
        with pytest.raises(
            FloatingPointError, match="validated loss of .* was never a number, so no weights were kept"
        ):
            train(config(validations=1), tiny_scenes, tmp_path / "run")


def test_another_runs_folder_is_refused(tiny_scenes, tmp_path):
    train(config(), tiny_scenes, tmp_path / "run")
    with pytest.raises(ValueError, match="other settings .*seed: 0 there, 1 now"):
        train(config(seed=1), tiny_scenes, tmp_path / "run")


@pytest.mark.parametrize("options", ["{width: 8}", None, [1]])
def test_options_that_are_no_options_are_refused(options):
    for name in ("model_options", "objective_options"):
        with pytest.raises(TypeError, match=f"{name} must be like .*papermill takes such after -y"):
            ExperimentConfig("unet", "l1", **{name: options})


def test_another_versions_folder_is_refused(tiny_scenes, tmp_path):
    experiment.write_json(tmp_path / "config.json", {"format": 0})
    with pytest.raises(ValueError, match="another version"):
        train(config(), tiny_scenes, tmp_path)


def test_a_full_disk_is_said_and_loses_nothing(tiny_scenes, tmp_path, monkeypatch):
    train(config(), tiny_scenes, tmp_path / "run")
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    network = OneLayer()
    parts = Parts(network, OBJECTIVES["l2"](), torch.optim.SGD(network.parameters(), 0.1))
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        training.save_checkpoint(tmp_path / "run" / "checkpoint.pt", State(), parts)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    assert not list((tmp_path / "run").glob("*.tmp"))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model": "unte"}, ValueError, "did you mean 'unet'"),
        ({"objective": "l3"}, ValueError, "did you mean"),
        ({"learning_rate": "1e-4"}, TypeError, "write 1.0e-4"),
        ({"images_seen": 0}, ValueError, "above zero"),
        ({"images_seen": 1.5}, TypeError, "whole number"),
        ({"batch_size": True}, TypeError, "whole number"),
        ({"precision": "float16"}, ValueError, "unknown precision"),
        ({"schedule": "linear"}, ValueError, "unknown schedule"),
        ({"macs": 0.0}, ValueError, "above zero"),
        ({"degrade": 1.5}, ValueError, "share of the photographs, from 0 to 1"),
        ({"crop": 1.5}, ValueError, "share of the photograph's sides"),
        ({"crop": 0.0}, ValueError, "above zero"),
        ({"contrast": 1.0}, ValueError, "below 1"),
        ({"ema": 1.0}, ValueError, "below 1"),
        ({"photographs": 0}, ValueError, "above zero"),
        ({"photographs": 10.0}, TypeError, "whole number"),
    ],
)
def test_wrong_settings_are_named(changes, error, message):
    with pytest.raises(error, match=message):
        ExperimentConfig(**({"model": "unet", "objective": "l2"} | changes))


def test_unknown_device_is_named(tiny_scenes, tmp_path):
    with pytest.raises(ValueError, match="device 'gpu'"):
        train(config(), tiny_scenes, tmp_path / "run", device="gpu")


def test_order_shows_every_photograph_once_a_pass():
    order = Order(np.arange(100, 110), 4, seed=0)
    shown = np.concatenate([order.batch(step) for step in range(5)])
    assert sorted(shown[:10]) == sorted(shown[10:20]) == list(range(100, 110))
    assert list(shown[:10]) != list(shown[10:20])
    assert list(Order(np.arange(100, 110), 4, seed=0).batch(3)) == list(shown[12:16])


def test_a_cosine_warms_up_and_falls_to_zero():
    setting = config(images_seen=8_000, learning_rate=1.0)
    rates = [learning_rate(seen, setting) for seen in range(0, 8_001, 8)]
    assert 0 < rates[0] < 0.05 and max(rates) == pytest.approx(1.0) and rates[-1] == pytest.approx(0, abs=1e-9)
    assert rates[25] == pytest.approx(0.5) and rates[525] == pytest.approx(0.5)  # halfway up, halfway down


def test_a_constant_rate_is_cooled_down_over_its_last_fifth():
    small, large = (config(images_seen=n, learning_rate=1.0, schedule="constant") for n in (2_000, 8_000))
    assert cool_down_begins(small) == 1_600 and cool_down_begins(large) == 6_400
    assert [cool_down_begins(config(images_seen=n, schedule="constant")) for n in (1, 8, 9, 16)] == [0, 0, 8, 8]
    assert learning_rate(200, small) == learning_rate(200, large) == 0.5
    assert {learning_rate(seen, small) for seen in range(400, 1_601, 8)} == {1.0}
    # 1 - sqrt(x) of Hägele et al., x from 0 to 1 over the cool-down
    assert [learning_rate(seen, small) for seen in (1_700, 1_900, 2_000)] == pytest.approx([0.5, 1 - 0.75**0.5, 0])
    assert [point for point in validation_points(large) if point <= 1_600] == validation_points(small)[:3]


def test_macs_of_a_convolution_counted_by_hand():
    network = OneLayer()
    assert count_macs(network, (20, 30)) == 20 * 30 * 2 * 9
    network.steps = 3
    assert count_macs(network, (20, 30)) == 3 * 20 * 30 * 2 * 9


def test_a_group_learns_at_its_share_of_the_rate(tiny_scenes):
    network = OneLayer()
    weight, bias = network.layer.parameters()
    optimizer = torch.optim.SGD([{"params": [weight], "share": 0.1}, {"params": [bias], "share": 1.0}])
    before = [p.detach().clone() for p in (weight, bias)]
    parts = Parts(network, OBJECTIVES["l2"](), optimizer)
    training._step(parts, tiny_scenes.batch(np.arange(4)), config(), 0, 0.5, torch.autocast("cpu", enabled=False))
    for p, was, rate in zip((weight, bias), before, (0.05, 0.5), strict=True):
        assert torch.allclose(was - p, rate * p.grad, rtol=1e-3) and p.grad.any()


@pytest.mark.parametrize("model, options", VARIANTS)
def test_every_network_goes_through_the_loop(tiny_scenes, tmp_path, model, options):
    """Hints, noised truths and side branches included: trained, chosen, loaded again, and the same both times."""
    setting = ExperimentConfig(model, "l2", options, images_seen=16, batch_size=8, validations=2)
    colorizer = train(setting, tiny_scenes, tmp_path / "run")
    L = tiny_scenes.batch([0, 1]).L
    ab = colorizer(L)
    assert ab.shape == (2, 2, 32, 32) and ab.isfinite().all()
    assert torch.equal(ab, read_colorizer(tmp_path / "run", tiny_scenes)(L))


def test_a_sum_is_trained_and_named(tiny_scenes, tmp_path):
    setting = config(objective={"l1": 100, "gan_wgan_gp": 0.1}, objective_options={"critic_width": 4})
    train(setting, tiny_scenes, tmp_path / "run")
    run = experiment.Run(tmp_path / "run")
    assert run.label == "unet (width 4) · 100 l1 + 0.1 gan_wgan_gp (critic_width 4)"
    assert {"l1", "gan_wgan_gp", "critic_loss", "critic_penalty", "critic_told_apart"} <= set(run.history.columns)


def test_a_collapse_ends_the_training_and_keeps_the_best_weights(tiny_scenes, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "collapsed", lambda history: "it was told to" if len(history) == 2 else None)
    setting = config(objective="pix2pix", objective_options={"critic_width": 4})
    for _ in range(2):  # a run that has collapsed is not gone on with
        train(setting, tiny_scenes, tmp_path / "run")
        assert len(experiment.Run(tmp_path / "run").history) == 2 and weights(tmp_path / "run")
    assert "it was told to" in (tmp_path / "run" / "collapse.json").read_text(encoding="utf-8")


def test_what_a_collapse_is():
    won = [{"val_loss": loss, "critic_told_apart": 1.0} for loss in (1.0, 2.5, 2.6, 2.7)]
    assert collapsed(won) and collapsed(won[:3]) is None
    assert collapsed([row | {"critic_told_apart": 0.8} for row in won]) is None
    assert collapsed([row | {"val_loss": 1.0} for row in won]) is None


def test_where_a_network_has_left_the_photographs():
    assert has_left(2.1, 1.0) and not has_left(2.0, 1.0) and has_left(float("nan"), 1.0)


def _validated_at(monkeypatch, losses, told_apart):
    """Let the validations of a training find these losses, and its critic tell this share of the pairs apart."""
    given = iter(losses)
    validate, terms = training._validate, WeightedSum.critic_terms

    def scripted(config, state, parts, *rest):
        loss = next(given)
        forward = type(parts.objective).forward
        with monkeypatch.context() as patch:
            patch.setattr(
                type(parts.objective),
                "forward",
                lambda o, x, L, ab: forward(o, x, L, ab) | {o.validated_term: torch.tensor(loss)},
            )
            validate(config, state, parts, *rest)

    def told(objective, output, L, ab):
        return terms(objective, output, L, ab) | {"critic_told_apart": torch.tensor(told_apart)}

    monkeypatch.setattr(training, "_validate", scripted)
    monkeypatch.setattr(WeightedSum, "critic_terms", told)


@pytest.mark.parametrize(
    ("objective", "told_apart", "losses", "kept"),
    [
        ("l2", 0.0, [3.0, 1.0, 2.0], [1, 1, 0]),  # without a critic: the lowest
        ("pix2pix", 1.0, [3.0, 1.0, 2.0], [1, 1, 1]),  # with one: the last, although it lies above the lowest
        ("pix2pix", 1.0, [3.0, 1.0, 2.5], [1, 1, 0]),  # but not one that has left the photographs
        ("pix2pix", 0.9, [3.0, 1.0, 9.0], [1, 1, 0]),  # whatever its critic says
    ],
)
def test_the_critic_free_term_chooses_only_where_there_is_no_critic(
    tiny_scenes, tmp_path, monkeypatch, objective, told_apart, losses, kept
):
    _validated_at(monkeypatch, losses, told_apart)
    options = {"critic_width": 4} if objective == "pix2pix" else {}
    colorizer = train(config(objective=objective, objective_options=options), tiny_scenes, tmp_path / "run")
    assert experiment.Run(tmp_path / "run").history["best"].tolist() == kept
    last = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["network"]
    assert same(colorizer.network.state_dict(), last) == bool(kept[-1])


def test_with_a_critic_the_last_averaged_weights_are_kept(tiny_scenes, tmp_path, monkeypatch):
    _validated_at(monkeypatch, [1.0, 1.5, 1.9], 1.0)
    setting = config(objective="pix2pix", objective_options={"critic_width": 4}, ema=0.9)
    train(setting, tiny_scenes, tmp_path / "run")
    last = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert same(weights(tmp_path / "run"), last["averaged"]) and not same(last["averaged"], last["network"])


def test_a_network_rests_while_the_critic_alone_learns(tiny_scenes, tmp_path, monkeypatch):
    """NoGAN: both networks' weights after each of twelve steps; the network's stand still in the middle third."""
    step, found = training._step, []

    def watched(parts, *rest):
        terms = step(parts, *rest)
        of = (parts.network, parts.objective.critic)
        found.append([torch.cat([p.detach().flatten() for p in part.parameters()]) for part in of])
        return terms

    monkeypatch.setattr(training, "_step", watched)
    options = {"critic_width": 4, "critic_from": 1 / 3, "counts_from": 2 / 3, "network_rests": 1}
    train(config(objective="pix2pix", objective_options=options), tiny_scenes, tmp_path / "run")
    moved = [[not torch.equal(*pair) for pair in zip(a, b, strict=True)] for a, b in itertools.pairwise(found)]
    network, critic = zip(*moved, strict=True)  # the first of these is the second step
    assert network == (True,) * 3 + (False,) * 4 + (True,) * 4
    assert critic == (False,) * 3 + (True,) * 8


def test_the_critic_learns_with_its_own_rate(tiny_scenes, tmp_path, monkeypatch):
    made, adam = [], torch.optim.Adam
    monkeypatch.setattr(training.torch.optim, "Adam", lambda *given: (made.append(given), adam(*given))[1])
    setting = config(objective="pix2pix", objective_options={"critic_width": 4, "critic_rate": 1e-4}, images_seen=8)
    train(setting, tiny_scenes, tmp_path / "run")
    assert made[0][1:] == (1e-4, (0.5, 0.999))


def test_averaged_weights_are_a_running_mean():
    averaged, network = OneLayer(), OneLayer()
    before = [p.detach().clone() for p in averaged.parameters()]
    training.average(averaged, network, 0.9)
    for mean, was, now in zip(averaged.parameters(), before, network.parameters(), strict=True):
        assert torch.allclose(mean, 0.9 * was + 0.1 * now)


def test_augmented_averaged_and_with_fewer_photographs_it_resumes_bit_for_bit(tiny_scenes, tmp_path, monkeypatch):
    setting = config(ema=0.9, crop=0.5, contrast=0.3, photographs=24)
    assert setting.label.endswith(" · l2 (crops from 0.5, contrast 0.3, averaged 0.9, 24 photographs)")
    fetched, batch = [], type(tiny_scenes).batch
    monkeypatch.setattr(type(tiny_scenes), "batch", lambda d, i, *a: (fetched.append(i), batch(d, i, *a))[1])
    train(setting, tiny_scenes, tmp_path / "whole")
    shown = np.unique(np.concatenate(fetched)).tolist()
    assert set(shown) - set(tiny_scenes.indices("val")) == set(tiny_scenes.sample("train", 24))

    train_interrupted(setting, tiny_scenes, tmp_path / "resumed", monkeypatch)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))
    checkpoint = torch.load(tmp_path / "whole" / "checkpoint.pt", weights_only=True)
    assert not same(checkpoint["averaged"], checkpoint["network"])
    if experiment.Run(tmp_path / "whole").history["best"].iloc[-1]:
        assert same(checkpoint["averaged"], weights(tmp_path / "whole"))


def test_more_photographs_than_there_are_is_said(tiny_scenes, tmp_path):
    with pytest.raises(ValueError, match=r"photographs to train on, not the 5,000 of the setting photographs"):
        train(config(photographs=5000), tiny_scenes, tmp_path / "run")


def test_old_film_is_seen_in_training_alone_and_resumes_bit_for_bit(tiny_scenes, tmp_path, monkeypatch):
    """The network's L is degraded, the loss has the photograph's own; without it nothing differs from ever before."""
    seen, judged = [], []
    forward, measure = Network.forward_in_training, OBJECTIVES["l2"].forward
    monkeypatch.setattr(Network, "forward_in_training", lambda n, L, ab: (seen.append(L.clone()), forward(n, L, ab))[1])
    monkeypatch.setattr(OBJECTIVES["l2"], "forward", lambda o, x, L, ab: (judged.append(L), measure(o, x, L, ab))[1])
    setting = config(degrade=1.0, validations=1)
    train(setting, tiny_scenes, tmp_path / "whole")
    changed = [(one - other).abs().amax((1, 2, 3)) > 1 for one, other in zip(seen, judged, strict=True)]
    assert torch.cat(changed[:12]).float().mean() > 0.7 and not torch.cat(changed[12:]).any()  # 12 steps, validation

    train_interrupted(setting, tiny_scenes, tmp_path / "resumed", monkeypatch)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))
    train(config(validations=1), tiny_scenes, tmp_path / "off")
    assert not same(weights(tmp_path / "whole"), weights(tmp_path / "off"))
    off, on = (experiment.read_config(tmp_path / name) for name in ("off", "whole"))
    assert "degrade" not in off and on["degrade"] == 1 and on["label"] == off["label"] + " (degraded 1)"
