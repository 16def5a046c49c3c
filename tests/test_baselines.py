"""Baselines against hand-made averages, oracles against their definitions and against the law of the scenes."""

import dataclasses

import numpy as np
import pytest
import torch

from colorlib.color.gamut import bin_centres
from colorlib.runs import baselines
from colorlib.runs.baselines import BASELINES, ORACLES, oracles_for


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


def test_bayes_oracles_are_optimal(tiny_scenes):
    """Among all oracles the mean has the lowest squared error and the median the lowest absolute error."""
    batch = tiny_scenes.batch(range(len(tiny_scenes)))
    ab = {name: ORACLES[name](tiny_scenes)(batch) for name in ORACLES if name.startswith("bayes")}
    squared = {name: float(((value - batch.ab) ** 2).mean()) for name, value in ab.items()}
    absolute = {name: float((value - batch.ab).abs().mean()) for name, value in ab.items()}
    assert min(squared, key=squared.get) == "bayes_l2"
    assert min(absolute, key=absolute.get) == "bayes_l1"


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
