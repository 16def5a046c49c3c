from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull, cKDTree
from skimage.color import rgb2lab

from colorlib.color import gamut

SHARED = Path(__file__).parents[2] / "shared"
CENTRES = gamut.bin_centres()


def some_ab(seed=0, spread=30.0, shape=(2, 2, 17, 9)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * spread


@pytest.fixture(scope="module")
def prior():
    return gamut.empirical_prior([some_ab(seed, spread=15.0) for seed in range(3)])


# ---------------------------------------------------------------------------------------------------- the bins


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_bins_are_those_of_the_released_network_in_its_order():
    np.testing.assert_array_equal(CENTRES.numpy(), np.load(SHARED / "reference/ab_bins_313.npy"))


def test_bins_follow_from_an_independent_hull_of_the_gamut():
    levels = np.linspace(0, 1, 33)
    rgb = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    ab = rgb2lab(rgb)[0, :, 1:]
    corners = np.array([[-10, -10], [-10, 10], [10, -10], [10, 10]])
    hull = ConvexHull((ab[ConvexHull(ab).vertices][:, None] + corners).reshape(-1, 2))
    grid = np.array([(a, b) for a in range(-150, 151, 10) for b in range(-150, 151, 10)], float)  # a first, then b
    inside = (grid @ hull.equations[:, :2].T + hull.equations[:, 2] <= 0).all(1)
    assert len(CENTRES) == 313
    np.testing.assert_array_equal(CENTRES.numpy(), grid[inside])


def test_what_is_cached_does_not_depend_on_who_asks_first():
    gamut.bin_centres.cache_clear()
    gamut._candidates.cache_clear()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        gamut.soft_encode(some_ab())
    assert torch.equal(gamut.bin_centres(), CENTRES)
    logits = torch.zeros(1, 313, 1, 1, requires_grad=True)
    gamut.annealed_mean(logits).sum().backward()
    assert logits.grad.any()


# ------------------------------------------------------------------------------------------------ soft encoding


@pytest.mark.parametrize("k", [1, 5, 10, 40])
@pytest.mark.parametrize("spread", [5.0, 30.0, 45.0, 300.0])  # the last one leaves the table of candidates
def test_nearest_bins_equal_a_search_tree(k, spread):
    ab = some_ab(spread=spread)
    indices, weights = gamut.soft_encode(ab, k)
    points = ab.movedim(1, -1).reshape(-1, 2).double().numpy()
    _, expected = cKDTree(CENTRES.numpy()).query(points + gamut.TIE, k=range(1, k + 1))
    distance = np.linalg.norm(CENTRES.numpy()[expected] - points[:, None], axis=2)
    np.testing.assert_array_equal(np.sort(indices.movedim(1, -1).reshape(-1, k)), np.sort(expected))
    np.testing.assert_array_equal(gamut.nearest_bin(ab).flatten(), expected[:, 0])
    gauss = np.exp(-(distance**2 - distance[:, :1] ** 2) / (2 * 5**2))
    gauss /= gauss.sum(1, keepdims=True)
    np.testing.assert_allclose(weights.movedim(1, -1).reshape(-1, k), gauss, atol=2e-5 if spread < 100 else 1e-2)


@pytest.mark.parametrize("reach", [60, 300])
@pytest.mark.parametrize("step", [1, 2.5, 5])  # whole numbers, and what lies halfway between bins more often
def test_one_rule_decides_ties(reach, step):
    """The nearest bin is the nearest to the colour moved a little to larger a, then b: here in another way, exactly."""
    generator = torch.Generator().manual_seed(reach)
    ab = ((torch.rand(2, 2, 24, 24, generator=generator) - 0.5) * (2 * reach / step)).round() * step
    points = ab.movedim(1, -1).reshape(-1, 1, 2).double().numpy()
    squared = ((points - CENTRES.double().numpy()) ** 2).sum(-1)  # exact, since all are multiples of a half
    tied = squared == squared.min(1, keepdims=True)
    assert (tied.sum(1) > 1).mean() > 0.02
    along = CENTRES.double().numpy() @ np.array([5, 2])
    expected = np.where(tied, along, -np.inf).argmax(1)
    for beside in (0, 1e-4, -1e-4):
        np.testing.assert_array_equal(gamut.nearest_bin(ab + beside).flatten(), expected)
    np.testing.assert_array_equal(gamut.soft_encode(ab)[0][:, 0].flatten(), expected)


def test_candidates_hold_every_nearest_bin_all_over_the_plane():
    ab = torch.rand((1, 2, 200, 1000), generator=torch.Generator().manual_seed(1)).double() * 255.9 - 128
    moved = ab.movedim(1, -1) + torch.tensor(gamut.TIE)
    for k in (1, 5, 10):
        expected, _ = cKDTree(CENTRES.numpy()).query(moved.reshape(-1, 2).numpy(), k=range(k, k + 1))
        indices, _ = gamut.soft_encode(ab, k)
        kth = (CENTRES.double()[indices[:, -1]] - moved).norm(dim=-1).flatten()  # distance to the k-th
        np.testing.assert_allclose(kth, expected[:, 0], rtol=1e-9)


def test_at_a_centre_the_weights_are_the_gaussian_of_the_grid():
    indices, weights = gamut.soft_encode(torch.zeros(1, 2, 1, 1), k=5, sigma=5.0)
    assert CENTRES[indices[0, 0, 0, 0]].tolist() == [0, 0]
    neighbour = np.exp(-2)  # 10 ab units at sigma 5
    np.testing.assert_allclose(weights.flatten(), np.array([1] + [neighbour] * 4) / (1 + 4 * neighbour), rtol=1e-6)


def test_encoding_keeps_the_layout():
    ab = some_ab(shape=(2, 2, 3, 5))
    indices, weights = gamut.soft_encode(ab, 4)
    assert indices.shape == weights.shape == (2, 4, 3, 5) and indices.dtype == torch.int64
    alone, _ = gamut.soft_encode(ab[1:, :, 2:, 3:4], 4)
    assert torch.equal(alone.flatten(), indices[1, :, 2, 3])
    torch.testing.assert_close(weights.sum(1), torch.ones(2, 3, 5))


@pytest.mark.parametrize("bad", [{"k": 0}, {"k": 314}, {"sigma": 0.0}])
def test_encoding_refuses(bad):
    with pytest.raises(ValueError, match="must be"):
        gamut.soft_encode(torch.zeros(1, 2, 1, 1), **bad)
    with pytest.raises(ValueError, match="shape"):
        gamut.nearest_bin(torch.zeros(1, 3, 4, 4))


# -------------------------------------------------------------------------------------------------- annealed mean


def test_annealed_mean_equals_the_formula_of_the_paper():
    logits = torch.randn(2, 313, 3, 4, generator=torch.Generator().manual_seed(0)).double()
    z = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    annealed = np.exp(np.log(z) / 0.38)
    expected = np.einsum("nqhw,qc->nchw", annealed / annealed.sum(1, keepdims=True), CENTRES.numpy())
    np.testing.assert_allclose(gamut.annealed_mean(logits), expected, atol=1e-9)


def test_temperature_runs_from_the_mode_to_the_mean():
    logits = torch.randn(1, 313, 2, 2, generator=torch.Generator().manual_seed(0))
    mode = CENTRES[logits.argmax(1)].movedim(-1, 1)
    mean = (logits.softmax(1).movedim(1, -1) @ CENTRES).movedim(-1, 1)
    torch.testing.assert_close(gamut.annealed_mean(logits, 1e-3), mode, atol=1e-3, rtol=0)
    torch.testing.assert_close(gamut.annealed_mean(logits, 1.0), mean, atol=1e-4, rtol=0)


def test_the_mean_of_two_vivid_colours_is_brown_and_the_mode_is_not():
    two = gamut.nearest_bin(torch.tensor([[60.0, -40.0], [40.0, 50.0]]).view(1, 2, 2, 1)).flatten()  # red, green
    logits = torch.full((1, 313, 1, 1), -30.0)
    logits[0, two, 0, 0] = torch.tensor([0.6, 0.4]).log()
    chroma = {t: float(gamut.annealed_mean(logits, t).norm()) for t in (0.01, 0.38, 1.0)}
    assert chroma[0.01] == pytest.approx(np.hypot(60, 40), abs=0.1)
    assert chroma[1.0] < chroma[0.38] < chroma[0.01]
    a, b = gamut.annealed_mean(logits, 1.0).flatten().tolist()
    assert (a, b) == pytest.approx((20, 44), abs=0.1)  # between red and green lies brown


def test_annealed_mean_stays_exact_under_autocast_and_refuses_nonsense():
    logits = torch.randn(1, 313, 2, 2, generator=torch.Generator().manual_seed(0)) * 5
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(gamut.annealed_mean(logits), gamut.annealed_mean(logits.double()).float())
    with pytest.raises(ValueError, match="temperature"):
        gamut.annealed_mean(logits, 0)
    with pytest.raises(ValueError, match="shape"):
        gamut.annealed_mean(logits[:, :5])


# ------------------------------------------------------------------------------------------ prior and rebalancing


def test_prior_counts_pixels_over_all_batches(prior):
    ab = torch.cat([some_ab(seed, spread=15.0) for seed in range(3)])
    nearest = cKDTree(CENTRES.numpy()).query(ab.movedim(1, -1).reshape(-1, 2).double().numpy())[1]
    np.testing.assert_allclose(prior, np.bincount(nearest, minlength=313) / len(nearest))
    with pytest.raises(ValueError, match="at least one pixel"):
        gamut.empirical_prior([])


def test_smoothing_keeps_the_sum_and_spreads_by_a_gaussian(prior):
    smooth = gamut.smooth_prior(prior)
    assert float(smooth.sum()) == pytest.approx(1) and (smooth > 0).all()
    spike = torch.zeros(313)
    origin = int((CENTRES == 0).all(1).nonzero())
    spike[origin] = 1
    spread = gamut.smooth_prior(spike, sigma=5.0)
    right = int((CENTRES == torch.tensor([10.0, 0.0])).all(1).nonzero())
    assert float(spread[right] / spread[origin]) == pytest.approx(np.exp(-2))
    torch.testing.assert_close(gamut.smooth_prior(prior, sigma=0.1), prior)


@pytest.mark.parametrize("mix", [0.0, 0.5, 1.0])
def test_rebalancing_is_equation_4(prior, mix):
    p = gamut.smooth_prior(prior).numpy()
    p_uniform = np.full(313, 1 / 313)
    expected = ((1 - mix) * p + mix * p_uniform) ** -1
    expected /= (p * expected).sum()
    weights = gamut.rebalancing_weights(torch.from_numpy(p), mix)
    np.testing.assert_allclose(weights, expected)
    assert float(torch.from_numpy(p) @ weights) == pytest.approx(1)


def test_rebalancing_refuses(prior):
    for bad in (torch.ones(313), torch.full((312,), 1 / 312), torch.full((313,), float("nan"))):
        with pytest.raises(ValueError, match="prior"):
            gamut.rebalancing_weights(bad)
    with pytest.raises(ValueError, match="mix"):
        gamut.rebalancing_weights(prior, 1.5)
    with pytest.raises(ValueError, match="empty bin"):
        gamut.rebalancing_weights(prior, 0.0)
