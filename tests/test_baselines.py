"""Baselines against hand-made averages, oracles against their definitions and against the law of the scenes."""

import dataclasses

import numpy as np
import pytest
import torch

from colorlib.color.gamut import bin_centres, soft_encode
from colorlib.color.lab import AB_SCALE, decode_lab8
from colorlib.data.scenes.laws import posterior_table
from colorlib.data.scenes.render import render
from colorlib.data.store import Batch
from colorlib.objectives import create_objective
from colorlib.objectives.classification import CrossEntropy
from colorlib.runs import baselines
from colorlib.runs.baselines import BASELINES, ORACLES, bayes_odds, oracles_for

FIELDS = ("L8", "ab8", "kinds")


def likeliest(batch: Batch) -> torch.Tensor:
    """The colour of the likeliest hue of each pixel's law."""
    colors, odds = posterior_table()
    table = torch.from_numpy(colors[np.arange(len(odds)), :, odds.argmax(1)])  # (K, 256, 2)
    return table[batch.kinds.long(), (batch.L[:, 0] * 2.55).round().long()].movedim(-1, 1)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_shape_range_and_repeatability(tiny_scenes, name, size):
    colorize = BASELINES[name](tiny_scenes, 0)
    L = torch.rand(3, 1, *size, generator=torch.Generator().manual_seed(0)) * 100
    ab = colorize(L)
    assert ab.shape == (3, 2, *size) and ab.isfinite().all() and ab.abs().max() <= 128
    assert torch.equal(ab, BASELINES[name](tiny_scenes, 0)(L))
    assert torch.allclose(ab[1:2], colorize(L[1:2]), atol=1e-4)  # whatever stands beside it in the batch


def test_mean_ab_is_the_mean_of_the_training_pixels(tiny_scenes):
    train = tiny_scenes.indices("train")
    expected = tiny_scenes.ab8(train).astype(float).mean((0, 1, 2)) - 128
    ab = BASELINES["mean_ab"](tiny_scenes, 0)(torch.zeros(1, 1, 4, 4))
    assert np.allclose(ab[0, :, 0, 0], expected, atol=1e-3)


def test_lightness_lookup_is_the_mean_at_that_lightness(tiny_scenes):
    train = tiny_scenes.indices("train")
    level = 128
    L8, ab8 = tiny_scenes.L8[train], tiny_scenes.ab8(train).astype(float) - 128
    near = np.abs(L8.astype(int) - level) <= 4  # the window of the table
    ab = BASELINES["lightness_lookup"](tiny_scenes, 0)(torch.full((1, 1, 2, 2), level * 100 / 255))
    assert np.allclose(ab[0, :, 0, 0], ab8[near].mean(0), atol=1e-3)


def test_nearest_neighbour_finds_a_training_photograph_itself(tiny_scenes):
    batch = tiny_scenes.batch(tiny_scenes.indices("train")[:4])
    assert torch.allclose(BASELINES["nearest_neighbour"](tiny_scenes, 0)(batch.L), batch.ab, atol=1e-3)


def test_random_photo_takes_a_training_photograph(tiny_scenes):
    train = tiny_scenes.batch(tiny_scenes.indices("train"))
    ab = BASELINES["random_photo"](tiny_scenes, 0)(tiny_scenes.batch(tiny_scenes.indices("test")[:2]).L)
    assert all(any(torch.equal(one, known) for known in train.ab) for one in ab)


def test_nearest_bin_is_within_half_a_diagonal(tiny_scenes):
    batch = tiny_scenes.batch(range(8))
    ab = ORACLES["nearest_bin"](tiny_scenes)(batch)
    assert set(map(tuple, ab.permute(0, 2, 3, 1).reshape(-1, 2).tolist())) <= set(map(tuple, bin_centres().tolist()))
    inside = (ab - batch.ab).abs().amax(1) <= 5
    assert inside.float().mean() > 0.95  # the rest lies on the rim of the gamut, outside every cell


def test_quarter_resolution_keeps_the_mean(tiny_scenes):
    batch = tiny_scenes.batch(range(4))
    ab = ORACLES["quarter_resolution"](tiny_scenes)(batch)
    assert torch.allclose(ab.mean((2, 3)), batch.ab.mean((2, 3)), atol=1.0)


@pytest.fixture(scope="module")
def redrawn(tiny_scenes):
    """Three pictures whose hues were drawn 40 times each, one batch of 120, every second pixel of a row and column."""
    draws = [render(index, 16, hue_seed=seed) for index in (5, 6, 9) for seed in range(40)]
    L8, ab8, kinds = (torch.from_numpy(np.stack([getattr(draw, name)[::2, ::2] for draw in draws])) for name in FIELDS)
    return Batch([str(number) for number in range(len(draws))], *decode_lab8(L8, ab8), kinds)


@pytest.fixture(scope="module")
def answers(tiny_scenes, redrawn):
    return {name: ORACLES[name](tiny_scenes)(redrawn) for name in ORACLES if name.startswith("bayes")}


@pytest.mark.parametrize("name", ["bayes_l2", "bayes_l1"])
def test_a_colour_of_an_oracle_costs_less_than_fifteen_others(redrawn, answers, name):
    own = answers[name]
    others = [ab for other, ab in answers.items() if other != name]
    others += [own * scale for scale in (0.0, 0.7, 0.9, 1.1, 1.3)]
    others += [own + torch.tensor(shift).view(1, 2, 1, 1) for shift in ((3.0, 0), (-3.0, 0), (0, 3.0), (0, -3.0))]
    others += [own + torch.randn(own.shape, generator=torch.Generator().manual_seed(0)), likeliest(redrawn)]
    objective = create_objective(name.removeprefix("bayes_"))
    loss, *losses = (float(objective(ab / AB_SCALE, redrawn.L, redrawn.ab)["loss"]) for ab in (own, *others))
    assert len(losses) == 15 and loss < min(losses)


@pytest.mark.parametrize("name", ["ce", "rebalanced_ce"])
def test_the_odds_of_an_oracle_cost_less_than_fifteen_others(tiny_scenes, redrawn, answers, name):
    def trained_on(name=name, **options) -> CrossEntropy:
        return create_objective(name, tiny_scenes.class_prior, out_stride=1, **options)

    def at_pixels(table: torch.Tensor) -> torch.Tensor:  # (K, 256, 313) -> (N, 313, H, W)
        return table[redrawn.kinds.long(), (redrawn.L[:, 0] * 2.55).round().long()].movedim(-1, 1)

    def of_colour(ab: torch.Tensor) -> torch.Tensor:
        bins, shares = soft_encode(ab)
        return torch.zeros(len(ab), 313, *ab.shape[2:]).scatter_(1, bins, shares)

    own = at_pixels(bayes_odds(trained_on()))
    others = [at_pixels(bayes_odds(trained_on(**way))) for way in ({"k": 1}, {"k": 10}, {"sigma": 3.0}, {"sigma": 8.0})]
    others += [at_pixels(bayes_odds(trained_on({"ce": "rebalanced_ce", "rebalanced_ce": "ce"}[name])))]
    others += [(own.log() / T).softmax(1) for T in (0.5, 0.8, 1.25, 2.0)]
    others += [(1 - share) * own + share / 313 for share in (0.1, 0.3, 1.0)]
    others += [tiny_scenes.class_prior.float().view(1, 313, 1, 1).expand_as(own)]
    others += [of_colour(answers[oracle]) for oracle in ("bayes_l2", "bayes_l1")]
    loss, *losses = (
        float(trained_on()(odds.clamp(min=1e-12).log(), redrawn.L, redrawn.ab)["loss"]) for odds in (own, *others)
    )
    assert len(losses) == 15 and loss < min(losses)


def test_an_oracle_of_odds_answers_with_their_annealed_mean(tiny_scenes, redrawn, answers):
    for name, temperature in {"bayes_ce": 0.38, "bayes_rebalanced_ce": 0.38, "bayes_rebalanced_ce_vivid": 0.1}.items():
        objective = create_objective("ce" if name == "bayes_ce" else "rebalanced_ce", tiny_scenes.class_prior)
        odds = bayes_odds(objective)[int(redrawn.kinds[0, 3, 4]), round(float(redrawn.L[0, 0, 3, 4]) * 2.55)]
        powers = odds ** (1 / temperature)
        expected = (powers / powers.sum()) @ bin_centres()
        assert torch.allclose(answers[name][0, :, 3, 4], expected, atol=1e-3)


def test_l2_turns_brown_and_rebalancing_does_not(tiny_scenes):
    batch = tiny_scenes.batch(range(len(tiny_scenes)))
    laws = np.array([kind["law"] for kind in tiny_scenes.info["kinds"]])
    free = torch.from_numpy((laws == "free")[batch.kinds.numpy()])
    true = batch.ab.norm(dim=1)[free].mean()
    kept = {n: float(ORACLES[n](tiny_scenes)(batch).norm(dim=1)[free].mean() / true) for n in oracles_for(tiny_scenes)}
    assert kept["bayes_l2"] < 0.35 and kept["bayes_l1"] < 0.35
    assert kept["bayes_rebalanced_ce_vivid"] > 1.5 * kept["bayes_rebalanced_ce"] > 2 * kept["bayes_l2"]


def test_photographs_have_no_bayes_oracle(tiny_scenes, monkeypatch):
    monkeypatch.setattr(tiny_scenes, "kinds", None)
    assert oracles_for(tiny_scenes) == ["nearest_bin", "quarter_resolution"]


def test_registries_are_described():
    assert all(function.__doc__ for function in (*BASELINES.values(), *ORACLES.values()))
    assert not set(BASELINES) & set(ORACLES) and baselines.SAMPLE >= 1000


def test_a_bayes_oracle_must_be_told_the_kinds_of_things(tiny_scenes):
    batch = dataclasses.replace(tiny_scenes.batch([0]), kinds=None)
    with pytest.raises(ValueError, match="kind of thing at each pixel, which only procedural scenes know; oracles_for"):
        ORACLES["bayes_l2"](tiny_scenes)(batch)
