"""Distances between sets against torchmetrics, scipy and loops; the published network by a small one of its shape."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from colorlib.judges import Seen
from colorlib.metrics import SETS, Pair, SetDistances, sets
from colorlib.metrics import pair as pair_module
from colorlib.metrics.sets import frechet_distance, frechet_needs, kernel_distance


class Flatten(nn.Module):
    """The pixels themselves, as torchmetrics takes the features of a network."""

    num_features = 12

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1).double() / 255


@pytest.fixture(autouse=True)
def no_published_weights(monkeypatch):
    monkeypatch.delenv("COLORLIB_WEIGHTS", raising=False)


@pytest.fixture(scope="module")
def images():
    """80 and 90 pictures (3, 2, 2) uint8, the second set darker and of other spread."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (80, 3, 2, 2), generator=generator, dtype=torch.uint8)
    y = torch.randint(0, 160, (90, 3, 2, 2), generator=generator, dtype=torch.uint8)
    return x, y


@pytest.fixture(scope="module")
def clouds(images):
    return tuple(Flatten()(image) for image in images)


def test_frechet_distance_equals_torchmetrics_and_scipy(images, clouds):
    theirs = FrechetInceptionDistance(feature=Flatten()).set_dtype(torch.float64)
    theirs.update(images[1], real=True)
    theirs.update(images[0], real=False)
    ours = frechet_distance(*clouds)
    assert ours == pytest.approx(theirs.compute().item(), rel=1e-6)
    x, y = (cloud.numpy() for cloud in clouds)
    covariances = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    by_formula = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert ours == pytest.approx(by_formula, rel=1e-8)
    assert frechet_distance(*reversed(clouds)) == pytest.approx(ours, rel=1e-8)


def test_frechet_distance_of_moved_and_stretched_clouds(clouds):
    x, _ = clouds
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(x, x + 1) == pytest.approx(12)
    stretched = x.mean(0) + 3 * (x - x.mean(0))  # (3 − 1)² times the variances
    assert frechet_distance(x, stretched) == pytest.approx(4 * x.var(0).sum().item())


def test_frechet_distance_needs_twice_as_many_vectors_as_numbers(clouds):
    x, y = clouds
    assert frechet_needs(12) == 24
    assert math.isnan(frechet_distance(x[:23], y)) and math.isnan(frechet_distance(x, y[:23]))
    assert math.isfinite(frechet_distance(x[:24], y[:24]))


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save all:UserWarning")
def test_kernel_distance_equals_torchmetrics(images, clouds):
    theirs = KernelInceptionDistance(feature=Flatten(), subsets=7, subset_size=30).set_dtype(torch.float64)
    theirs.update(images[0], real=True)  # it draws from the real ones first, as we do from x
    theirs.update(images[1], real=False)
    torch.manual_seed(5)
    mean, sd = theirs.compute()
    ours = kernel_distance(*clouds, 30, 7, torch.Generator().manual_seed(5))
    assert ours == pytest.approx((mean.item(), sd.item()), rel=1e-6)


def test_kernel_distance_by_a_loop(clouds):
    x, y = clouds[0][:20].numpy(), clouds[1][:20].numpy()

    def kernel(a, b):
        return (a @ b / 12 + 1) ** 3

    apart = [(i, j) for i in range(20) for j in range(20) if i != j]
    within = sum(np.mean([kernel(v[i], v[j]) for i, j in apart]) for v in (x, y))
    across = np.mean([kernel(a, b) for a in x for b in y])
    mean, sd = kernel_distance(torch.tensor(x), torch.tensor(y), 20, 3)
    assert mean == pytest.approx(within - 2 * across, rel=1e-9) and sd == pytest.approx(0, abs=1e-12)
    single, _ = kernel_distance(torch.tensor(x).float(), torch.tensor(y).float(), 20, 1)
    assert single == pytest.approx(mean, rel=1e-3)


def test_kernel_distance_of_one_distribution_is_zero_on_average():
    generator = torch.Generator().manual_seed(3)
    x, y = (torch.randn(4000, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    mean, sd = kernel_distance(x, y, 200, 100, generator)
    assert abs(mean) < 3 * sd / 10 + 0.01
    moved, _ = kernel_distance(x, y + 0.5, 200, 100, generator)
    assert moved > 5 * sd


def test_bad_clouds_are_refused_with_a_sentence(clouds):
    x, y = clouds
    with pytest.raises(ValueError, match=r"must be \(N, D\) and \(M, D\), not \(80, 12\) and \(90, 11\)"):
        frechet_distance(x, y[:, 1:])
    with pytest.raises(ValueError, match="subset must be from 2 to 80"):
        kernel_distance(x, y, 81, 3)
    with pytest.raises(ValueError, match="subsets at least 1"):
        kernel_distance(x, y, 20, 0)


# ---- collecting: what Lite2 sees, by a small judge of its kind ----------------------------------------------------


@pytest.fixture
def small_judge(monkeypatch):
    """Embeds by 12 numbers, the mean colours of four quarters."""

    def judge(rgb):
        quarters = nn.functional.adaptive_avg_pool2d(rgb, 2)
        return Seen([rgb], quarters.flatten(1), rgb.mean((2, 3)))

    monkeypatch.setattr(pair_module, "judge_for_metrics", lambda device: judge)


def some_pair(N: int, side: int = 16, color: float = 0.5) -> Pair:
    generator = torch.Generator().manual_seed(0)
    L = 30 + 40 * torch.rand(N, 1, side, side, generator=generator)
    ab = 60 * (torch.rand(N, 2, 1, 1, generator=generator) - 0.5) * torch.ones(N, 2, side, side)
    return Pair(L, color * ab, ab)


def part(pair: Pair, here: slice) -> Pair:
    return Pair(pair.L[here], pair.ab[here], pair.ab_true[here])


def results_of(*pairs: Pair) -> dict:
    distances = SetDistances()
    for pair in pairs:
        distances.add(pair)
    return distances.results()


def test_results_are_those_of_all_pictures_however_they_come(small_judge):
    pair = some_pair(400)
    whole = results_of(pair)
    x, y = pair.seen.embedding, pair.seen_true.embedding
    assert whole["n"] == whole["n_lite2"] == 400 and whole["frechet_lite2_needs"] == 2 * x.shape[1] == 24
    assert whole["frechet_lite2"] == pytest.approx(frechet_distance(x.double(), y.double()), rel=1e-6)
    expected = kernel_distance(x, y, 200, 100, torch.Generator().manual_seed(0))
    assert (whole["kernel_lite2"], whole["kernel_lite2_sd"]) == pytest.approx(expected, rel=1e-6)
    assert whole["subset"] == 200 and whole["subsets"] == 100
    parts = results_of(*(part(pair, slice(start, start + 150)) for start in (0, 150, 300)))
    assert {k: v for k, v in parts.items() if v is not None} == pytest.approx(
        {k: v for k, v in whole.items() if v is not None}, rel=1e-3
    )


def test_pictures_that_lite2_does_not_look_at_are_not_in_its_distances(small_judge):
    pair = some_pair(60)
    looked, rest = part(pair, slice(0, 40)), dataclasses.replace(part(pair, slice(40, 60)), look=False)
    both, alone = results_of(looked, rest), results_of(looked)
    assert (both["n"], both["n_lite2"], alone["n"]) == (60, 40, 40)
    assert both["frechet_lite2"] == alone["frechet_lite2"] > 0 and both["kernel_lite2"] == alone["kernel_lite2"]


def test_perfect_colours_have_no_distance(small_judge):
    perfect, faded = results_of(some_pair(400, color=1)), results_of(some_pair(400, color=0.2))
    assert perfect["frechet_lite2"] == pytest.approx(0, abs=1e-6) and faded["frechet_lite2"] > 1e-3
    assert perfect["kernel_lite2"] < faded["kernel_lite2"]


def test_what_cannot_be_measured_is_none(small_judge):
    few = results_of(some_pair(20))
    assert few["frechet_lite2"] is None and few["frechet_lite2_needs"] == 24 and isinstance(few["kernel_lite2"], float)
    assert few["fid"] is few["kid"] is few["kid_sd"] is few["inception_sha256"] is None
    small, single, none = results_of(some_pair(5, side=15)), results_of(some_pair(1)), results_of()
    assert small["kernel_lite2"] is single["kernel_lite2"] is none["kernel_lite2"] is None
    assert [result["n"] for result in (small, single, none)] == [5, 1, 0]
    assert [result["n_lite2"] for result in (small, single, none)] == [0, 1, 0]
    assert set(SETS) <= set(none) and {metric.needs for metric in SETS.values()} - {""} <= set(none)


# ---- Inception: a TorchScript file that is called as the published one is -----------------------------------------


class Averages(nn.Module):
    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        if not return_features or images.dtype != torch.uint8:
            raise ValueError("not called as the published file is")
        return images.float().mean((2, 3))


@pytest.fixture
def inception(tmp_path, monkeypatch):
    torch.jit.script(Averages()).save(tmp_path / sets.INCEPTION)
    monkeypatch.setenv("COLORLIB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(sets, "INCEPTION_WIDTH", 3)
    return tmp_path / sets.INCEPTION


def test_fid_and_kid_are_of_8_bit_pictures(inception):
    pair = some_pair(40)
    x, y = ((255 * rgb).round().mean((2, 3)).double() for rgb in (pair.rgb, pair.rgb_true))
    results = results_of(part(pair, slice(0, 25)), part(pair, slice(25, 40)))
    assert results["fid"] == pytest.approx(frechet_distance(x, y), rel=1e-4) and results["fid_needs"] == 6
    expected = kernel_distance(x, y, 20, 100, torch.Generator().manual_seed(0))
    assert (results["kid"], results["kid_sd"]) == pytest.approx(expected, rel=1e-3)
    assert len(results["inception_sha256"]) == 8


def test_another_network_is_refused(inception, monkeypatch):
    monkeypatch.setattr(sets, "INCEPTION_WIDTH", 2048)
    with pytest.raises(ValueError, match=r"gives \(5, 3\) for 5 pictures, not \(5, 2048\)"):
        results_of(some_pair(5))


def test_a_damaged_file_is_named(inception):
    inception.write_bytes(inception.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"inception-2015-12-05\.pt cannot be read as TorchScript .*download it again"):
        SetDistances()
