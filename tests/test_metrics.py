"""Every metric against another implementation, a loop written by hand, or published figures."""

import dataclasses
import math
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from skimage import color as skcolor
from skimage import metrics as skmetrics
from torchmetrics.functional.image import peak_signal_noise_ratio

from colorlib.color.appearance import ciede2000, hs03, hs03_absolute
from colorlib.color.gamut import TIE, bin_centres
from colorlib.color.lab import decode_lab8, lab_to_rgb, out_of_gamut, rgb8_to_lab8, rgb_to_lab
from colorlib.imagenet import class_ids
from colorlib.metrics import METRICS, POOLED, SETS, Metric, Pair, PooledMetric, known_metric, score
from colorlib.metrics.tint import hue_deg
from colorlib.runs.evaluation import evaluate

# L*, a*, b* of two colours and their ΔE00: Sharma, Wu and Dalal (2005), table 1.
SHARMA = torch.tensor(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ],
    dtype=torch.float64,
)


AT_HAND = [name for name in METRICS if name != "lpips_alex"]  # needs weights: tests/test_metrics_perceptual.py


@pytest.fixture(autouse=True)
def no_published_weights(monkeypatch):
    monkeypatch.delenv("COLORLIB_WEIGHTS", raising=False)


@pytest.fixture(scope="module")
def pair() -> Pair:
    """Three smooth random photographs and predictions that miss by little, by much, and out of the gamut."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(3, 3, 6, 7, generator=generator)
    lab = rgb_to_lab(torch.nn.functional.interpolate(coarse, size=(33, 47), mode="bilinear"))
    noise = torch.randn(3, 2, 33, 47, generator=generator) * torch.tensor([2.0, 15.0, 60.0]).view(3, 1, 1, 1)
    prior = torch.rand(313, generator=generator).double() ** 8
    return Pair(lab[:, :1], lab[:, 1:] + noise, lab[:, 1:], prior / prior.sum(), torch.arange(3), class_ids())


def arrays(images: torch.Tensor) -> np.ndarray:
    return images.double().permute(0, 2, 3, 1).numpy()  # NCHW -> NHWC


def colors(rows: torch.Tensor) -> torch.Tensor:
    return rows.T.reshape(1, 3, 1, -1)  # (M, 3) -> (1, 3, 1, M)


def same(ours: torch.Tensor, theirs: object, tolerance: float) -> None:
    torch.testing.assert_close(ours.double(), torch.as_tensor(theirs).double(), rtol=tolerance, atol=tolerance)


def per_image(function, pair: Pair) -> list[float]:
    return [function(truth, picture) for truth, picture in zip(arrays(pair.rgb_true), arrays(pair.rgb), strict=True)]


def test_mse_and_psnr_of_rgb(pair):
    same(METRICS["mse_rgb"].fn(pair), per_image(skmetrics.mean_squared_error, pair), 1e-6)
    psnr = METRICS["psnr_rgb_db"].fn(pair)
    same(psnr, per_image(lambda x, y: skmetrics.peak_signal_noise_ratio(x, y, data_range=1), pair), 1e-4)
    options = {"data_range": 1.0, "reduction": "none", "dim": (1, 2, 3)}
    same(psnr, peak_signal_noise_ratio(pair.rgb, pair.rgb_true, **options), 1e-4)


def test_psnr_of_ab_has_the_peak_255(pair):
    theirs = [
        skmetrics.peak_signal_noise_ratio(truth, picture, data_range=255)
        for truth, picture in zip(arrays(pair.ab_true), arrays(pair.ab), strict=True)
    ]
    same(METRICS["psnr_ab_db"].fn(pair), theirs, 1e-4)


def test_an_exact_prediction_has_the_psnr_of_rounding(pair):
    exact = score(Pair(pair.L, pair.ab_true, pair.ab_true))
    rounding = 10 * math.log10(12 * 255**2)
    same(exact["psnr_rgb_db"], [rounding] * 3, 1e-4)
    same(exact["psnr_ab_db"], [rounding] * 3, 1e-4)


def test_ssim_equals_scikit_image(pair):
    theirs = per_image(
        lambda truth, picture: skmetrics.structural_similarity(
            truth,
            picture,
            channel_axis=-1,
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        ),
        pair,
    )
    same(METRICS["ssim_rgb_gauss11"].fn(pair), theirs, 1e-4)


def test_ssim_does_not_exist_below_its_window(pair):
    small = Pair(pair.L[..., :10], pair.ab[..., :10], pair.ab_true[..., :10])
    assert METRICS["ssim_rgb_gauss11"].fn(small).isnan().all()


def test_colour_differences_equal_scikit_image(pair):
    lab, truth = arrays(pair.lab), arrays(pair.lab_true)
    same(METRICS["delta_e_76"].fn(pair), skcolor.deltaE_cie76(truth, lab).mean((1, 2)), 1e-4)
    seen = [skcolor.rgb2lab(arrays(rgb)) for rgb in (pair.rgb_true, pair.rgb)]
    same(METRICS["delta_e_2000"].fn(pair), skcolor.deltaE_ciede2000(*seen).mean((1, 2)), 1e-4)
    same(METRICS["ab_mae"].fn(pair), np.abs(truth - lab)[..., 1:].mean((1, 2, 3)), 1e-4)
    same(METRICS["ab_rmse"].fn(pair), np.sqrt(((truth - lab)[..., 1:] ** 2).mean((1, 2, 3))), 1e-4)


def test_the_first_metric_is_of_the_colours_that_are_shown(pair):
    """A prediction scores nearly what a picture file of it does, into which the photograph's lightness is put back."""
    lab8 = rgb8_to_lab8((arrays(pair.rgb) * 255).round().astype(np.uint8))
    file = dataclasses.replace(pair, ab=decode_lab8(*map(torch.from_numpy, lab8))[1])
    own, of_file = (METRICS["delta_e_2000"].fn(either) for either in (pair, file))
    answered = ciede2000(pair.lab, pair.lab_true).mean((1, 2))
    assert METRICS["out_of_gamut_share"].fn(pair)[2] > 20 and (answered - of_file)[2] > 1
    assert (own - of_file).abs().max() < 0.25 * (answered - of_file)[2]
    assert (own - of_file).abs()[0] < 0.02
    inside = ~out_of_gamut(pair.lab, 0)[:, 0]
    assert torch.equal(pair.lab_shown.movedim(1, -1)[inside], pair.lab.movedim(1, -1)[inside])


def test_ciede2000_on_sharmas_pairs_both_ways():
    first, second, published = colors(SHARMA[:, :3]), colors(SHARMA[:, 3:6]), SHARMA[:, 6]
    assert (ciede2000(first, second).flatten() - published).abs().max() < 1e-4
    assert (ciede2000(second, first).flatten() - published).abs().max() < 1e-4
    assert (ciede2000(first.float(), second.float()).flatten() - published).abs().max() < 1e-4
    assert (ciede2000(second.float(), first.float()).flatten() - published).abs().max() < 1e-4


def test_ciede2000_of_opposite_hues_is_the_same_in_single_precision():
    """Whole numbers, as photographs have them, are often exactly or nearly opposite."""
    generator = torch.Generator().manual_seed(2)
    L = torch.randint(0, 101, (2, 4000, 1), generator=generator).double()
    ab = torch.randint(-60, 61, (4000, 2), generator=generator).double()
    for factor, beside in ((-1, 0), (-2, 0), (-1, 1), (-3 / 7, 0)):
        first, second = colors(torch.cat([L[0], ab], 1)), colors(torch.cat([L[1], factor * ab + beside], 1))
        single = ciede2000(first.float(), second.float())
        assert (single - ciede2000(first.float().double(), second.float().double())).abs().max() < 5e-4


def test_ciede2000_refuses_rounded_colours_and_8_bit_lightness():
    lab = torch.full((1, 3, 2, 2), 60.0)
    with pytest.raises(
        TypeError, match=r"lab must be a tensor of float32 or float64, not torch\.bfloat16; \.float\(\)"
    ):
        ciede2000(lab.bfloat16(), lab)
    with pytest.raises(
        ValueError, match=r"lab_true holds L\* from 60 to 240, which goes from 0 to 100; 8-bit lightness"
    ):
        ciede2000(lab, torch.cat([torch.tensor([60.0, 240, 60, 60]).view(1, 1, 2, 2), lab[:, 1:]], 1))


def test_ciede2000_has_the_gradient_of_its_values():
    generator = torch.Generator().manual_seed(1)
    spread = torch.tensor([99.0, 160.0, 160.0], dtype=torch.float64)
    first, second = (
        colors(spread * (torch.rand(40, 3, generator=generator, dtype=torch.float64) - torch.tensor([0, 0.5, 0.5])))
        for _ in range(2)
    )
    second[..., :10] = first[..., :10] + 0.1
    second[:, 1:, :, 10:15] = 0  # grey truth
    assert torch.autograd.gradcheck(ciede2000, (first.requires_grad_(), second))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ciede2000_has_finite_gradients_at_equal_and_grey_colours(dtype):
    first = colors(torch.tensor([[50, 20, -60], [50, 0, 0], [0, 0, 0], [50, 0, 0], [50, 1e-4, 0]], dtype=dtype))
    second = colors(torch.tensor([[50, 20, -60], [50, 0, 0], [0, 0, 0], [50, 20, -60], [50, 0, 0]], dtype=dtype))
    first.requires_grad_()
    difference = ciede2000(first, second)
    assert (difference[..., :3] == 0).all()
    (slope,) = torch.autograd.grad(difference.sum(), first)
    assert slope.isfinite().all() and slope.abs().max() < 100
    # A grey prediction of a blue thing must still be told which way blue lies.
    assert slope[0, 1, 0, 3] < 0 < slope[0, 2, 0, 3]


def test_colourfulness_of_three_pure_pixels():
    pixels = torch.eye(3).view(1, 3, 1, 3)
    assert hs03(pixels).item() == pytest.approx(275.43, abs=0.01)
    assert hs03_absolute(pixels).item() == pytest.approx(206.52, abs=0.01)


def test_colourfulness_and_chroma_by_hand(pair):
    def by_hand(rgb: np.ndarray, change) -> float:
        red, green, blue = np.moveaxis(rgb * 255, -1, 0)
        rg, yb = change(red - green), change(0.5 * (red + green) - blue)
        return np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())

    for name, change in {"colorfulness_hs03": lambda x: x, "colorfulness_abs": np.abs}.items():
        picture = np.array([by_hand(rgb, change) for rgb in arrays(pair.rgb)])
        truth = np.array([by_hand(rgb, change) for rgb in arrays(pair.rgb_true)])
        same(METRICS[name].fn(pair), picture, 1e-3)
        same(METRICS[f"{name}_error"].fn(pair), picture - truth, 1e-3)
    chroma = [np.hypot(ab[..., 0], ab[..., 1]).mean() for ab in arrays(pair.ab)]
    truth = [np.hypot(ab[..., 0], ab[..., 1]).mean() for ab in arrays(pair.ab_true)]
    same(METRICS["mean_chroma"].fn(pair), chroma, 1e-4)
    same(METRICS["mean_chroma_error"].fn(pair), np.subtract(chroma, truth), 1e-4)


def test_tint_by_hand(pair):
    means, truth = (skcolor.rgb2lab(arrays(rgb)).mean((1, 2))[:, 1:] for rgb in (pair.rgb, pair.rgb_true))
    for channel, name in enumerate(("mean_a", "mean_b")):
        same(METRICS[name].fn(pair), means[:, channel], 1e-3)
        same(METRICS[f"{name}_error"].fn(pair), (means - truth)[:, channel], 1e-3)
    angles = np.array([3.0, 90, 183, 359])
    assert np.allclose(hue_deg(7 * np.cos(np.radians(angles)), 7 * np.sin(np.radians(angles))), angles)


def test_auc_by_sweeping_the_thresholds(pair):
    centres = bin_centres().double().numpy()
    kernel = np.exp(-((centres[:, None] - centres) ** 2).sum(-1) / (2 * 5**2))
    smoothed = pair.prior.numpy() @ (kernel / kernel.sum(1, keepdims=True))
    weights, pooled_share, total = [], np.zeros(151), 0.0
    for n, (picture, truth) in enumerate(zip(arrays(pair.ab), arrays(pair.ab_true), strict=True)):
        error = np.linalg.norm(picture - truth, axis=-1).ravel()
        raw = np.array([(error <= t).mean() for t in range(151)])
        same(METRICS["auc_raw"].fn(pair)[n], 100 * np.trapezoid(raw) / 150, 1e-4)

        nearest = np.linalg.norm(truth.reshape(-1, 1, 2) + TIE - centres, axis=-1).argmin(1)
        weight = 1 / np.maximum(smoothed[nearest], 1e-4)
        share = np.array([weight[error <= t].sum() for t in range(151)])
        same(METRICS["auc_rebalanced"].fn(pair)[n], 100 * np.trapezoid(share / weight.sum()) / 150, 1e-4)
        weights.append(weight.sum())
        pooled_share += share
        total += weight.sum()
    same(METRICS["auc_weight"].fn(pair), weights, 1e-4)
    pooled = POOLED["auc_rebalanced_pooled"].fn(table(pair))
    assert pooled == pytest.approx(100 * np.trapezoid(pooled_share / total) / 150, rel=1e-4)


def test_auc_at_its_ends():
    errors = torch.tensor([0.0, 0.5, 1.0, 150.0, 150.5]).view(5, 1, 1, 1)
    ab = torch.cat([errors, torch.zeros_like(errors)], 1)
    auc = METRICS["auc_raw"].fn(Pair(torch.full((5, 1, 1, 1), 50.0), ab, torch.zeros_like(ab)))
    same(auc, [100, 100 * 149.5 / 150, 100 * 149.5 / 150, 100 * 0.5 / 150, 0], 1e-5)


def test_without_a_prior_the_rebalanced_auc_is_nan(pair):
    scores = score(dataclasses.replace(pair, prior=None))
    assert scores["auc_rebalanced"].isnan().all() and scores["auc_weight"].isnan().all()
    assert math.isnan(POOLED["auc_rebalanced_pooled"].fn(table(dataclasses.replace(pair, prior=None))))
    assert scores["auc_raw"].isfinite().all()


def test_histogram_distance_by_hand(pair):
    centres = bin_centres().double().numpy()

    def histogram(ab: np.ndarray) -> np.ndarray:
        nearest = np.linalg.norm(ab.reshape(-1, 1, 2) + TIE - centres, axis=-1).argmin(1)
        return np.array([(nearest == q).mean() for q in range(313)])

    theirs = [
        100 * (1 - np.minimum(histogram(picture), histogram(truth)).sum())
        for picture, truth in zip(arrays(pair.ab), arrays(pair.ab_true), strict=True)
    ]
    same(METRICS["ab_histogram_distance"].fn(pair), theirs, 1e-2)
    moved = Pair(pair.L, pair.ab_true.flip(3), pair.ab_true)
    same(METRICS["ab_histogram_distance"].fn(moved), [0.0] * 3, 1e-4)


def test_a_hair_beside_the_truth_is_the_truth_to_the_histogram():
    """Of whole numbers one in five lies halfway between two bins, or among four: no rounding may decide for them."""
    generator = torch.Generator().manual_seed(0)
    ab = torch.randint(-60, 61, (2, 2, 64, 64), generator=generator).float()
    hair = 1e-4 * (2 * torch.rand(ab.shape, generator=generator) - 1)
    beside = Pair(torch.full((2, 1, 64, 64), 50.0), ab + hair, ab)
    assert METRICS["ab_histogram_distance"].fn(beside).max() == 0
    assert torch.equal(beside.bins, beside.bins_true)


def test_out_of_gamut_is_what_clipping_changes(pair):
    clipped = (rgb_to_lab(lab_to_rgb(pair.lab)) - pair.lab).abs().amax(1) > 1
    share = METRICS["out_of_gamut_share"].fn(pair)
    assert (share + 1e-3 >= 100 * clipped.float().mean((1, 2))).all()
    assert share[2] > 20
    assert METRICS["out_of_gamut_share"].fn(Pair(pair.L, pair.ab_true, pair.ab_true)).max() == 0


def table(pair: Pair) -> pd.DataFrame:
    return pd.DataFrame({name: values.numpy() for name, values in score(pair).items()})


def test_pooled_psnr_is_that_of_all_pixels(pair):
    whole = skmetrics.peak_signal_noise_ratio(arrays(pair.rgb_true), arrays(pair.rgb), data_range=1)
    assert POOLED["psnr_pooled_db"].fn(table(pair)) == pytest.approx(whole, abs=1e-3)
    assert whole < table(pair)["psnr_rgb_db"].mean()


@pytest.mark.parametrize("variant", ["hs03", "abs"])
def test_colourfulness_gap_is_the_difference_of_means(variant):
    scores = pd.DataFrame({f"colorfulness_{variant}_error": [10.0, -4.0]})
    assert POOLED[f"colorfulness_{variant}_gap"].fn(scores) == pytest.approx(3)
    assert POOLED[f"colorfulness_{variant}_mae"].fn(scores) == pytest.approx(7)


@pytest.mark.parametrize("name", AT_HAND)
def test_every_metric_is_per_image_and_documented(name, pair):
    metric = METRICS[name]
    values = metric.fn(pair)
    assert values.shape == (3,) and values.is_floating_point() and values.isfinite().all()
    alone = Pair(pair.L[1:2], pair.ab[1:2], pair.ab_true[1:2], pair.prior, pair.labels[1:2], pair.class_names)
    same(metric.fn(alone), values[1:2], 1e-4)
    assert metric.fn.__name__ == name


@pytest.mark.parametrize("name", [*METRICS, *POOLED, *SETS])
def test_every_metric_is_documented(name):
    metric = (METRICS | POOLED | SETS)[name]
    assert metric.about.endswith(".") and metric.blind_to.endswith(".") and metric.reference
    assert metric.title and metric.title != name and isinstance(metric.unit, str)
    assert metric.arrow == {True: "↑", False: "↓", None: ""}[metric.higher_is_better]
    assert known_metric(name) is metric


def test_no_two_metrics_share_a_name_or_a_title():
    metrics = [*METRICS.values(), *POOLED.values(), *SETS.values()]
    assert len({metric.title for metric in metrics}) == len(metrics) == len(METRICS | POOLED | SETS)


@pytest.mark.parametrize("name", [*METRICS, *POOLED, *SETS])
def test_every_entry_stands_in_the_file_of_its_function(name):
    metric = known_metric(name)
    measure = metric.terms if isinstance(metric, PooledMetric) else metric.fn
    family = sys.modules[measure.__module__]
    registries = [vars(family).get(registry, {}) for registry in ("METRICS", "POOLED", "SETS")]
    assert [registry[name] is metric for registry in registries if name in registry] == [True]


@pytest.mark.parametrize("name", [name for name in METRICS if name.endswith("_error")])
def test_an_error_is_the_predictions_value_minus_the_photographs(name, pair):
    description = METRICS[name.removesuffix("_error")]
    photographs = dataclasses.replace(pair, ab=pair.ab_true)
    same(METRICS[name].fn(pair), description.fn(pair) - description.fn(photographs), 1e-4)
    assert METRICS[name].unit == description.unit and METRICS[name].higher_is_better is None


def test_one_entry_is_enough(tiny_scenes, monkeypatch):
    """A toy metric is scored and in the table of a judged split, and nothing else was written for it."""
    toy = Metric(
        lambda pair: pair.ab.abs().amax((1, 2, 3)),
        title="Largest ab",
        unit="ab",
        higher_is_better=False,
        about="Largest magnitude of a* and b*.",
        blind_to="All pixels but one.",
        reference="none",
    )
    monkeypatch.setitem(METRICS, "ab_max", toy)
    photographs = evaluate(lambda batch: batch.ab.clamp(-7, 7), tiny_scenes, tiny_scenes.indices("test")[:3])
    assert list(photographs)[: 1 + len(METRICS)] == ["id", *METRICS] and list(METRICS)[-1] == "ab_max"
    assert photographs["ab_max"].tolist() == [7, 7, 7]


# What Lite2 makes of random pictures says nothing; what it recognises is tested in test_metrics_recognition.py.
ODDS = ("recognised_lite2", "log_probability_lite2")
DIRECTED = [name for name in AT_HAND if METRICS[name].higher_is_better is not None and name not in ODDS]


@pytest.mark.parametrize("name", DIRECTED)
def test_every_direction_points_at_the_truth(name, pair):
    perfect = METRICS[name].fn(dataclasses.replace(pair, ab=pair.ab_true))
    poor = METRICS[name].fn(pair)
    assert (perfect >= poor).all() if METRICS[name].higher_is_better else (perfect <= poor).all()
    assert perfect[2] != poor[2] or name == "class_agreement_lite2"


def test_score_has_every_metric_in_order_and_no_gradient(pair):
    scores = score(dataclasses.replace(pair, ab=pair.ab.clone().requires_grad_()))
    assert list(scores) == list(METRICS)
    assert not any(values.requires_grad for values in scores.values())


def test_bad_pairs_are_refused_with_a_sentence(pair):
    poisoned = pair.ab.clone()
    poisoned[0, 0, 0, :3] = torch.nan
    poisoned[1, 0, 0, 0] = torch.inf
    with pytest.raises(ValueError, match=f"4 of the {poisoned.numel()} values of ab are NaN or infinite"):
        Pair(pair.L, poisoned, pair.ab_true)
    with pytest.raises(ValueError, match="ab must have shape"):
        Pair(pair.L, pair.ab[:, :1], pair.ab_true)
    with pytest.raises(ValueError, match="not the same photographs"):
        Pair(pair.L, pair.ab[:2], pair.ab_true)
    with pytest.raises(ValueError, match="not the same photographs"):
        Pair(pair.L, pair.ab[..., 1:], pair.ab_true)
    with pytest.raises(ValueError, match="none of them 0"):
        Pair(pair.L[:0], pair.ab[:0], pair.ab_true[:0])
    for kind in (torch.uint8, torch.bfloat16):
        with pytest.raises(TypeError, match=rf"ab must be a tensor of float32 or float64, not {kind}"):
            Pair(pair.L, pair.ab.to(kind), pair.ab_true)
    with pytest.raises(ValueError, match=r"L holds L\* from .* to 255, which goes from 0 to 100"):
        Pair(pair.L / pair.L.max() * 255, pair.ab, pair.ab_true)
    with pytest.raises(ValueError, match="prior must have shape"):
        Pair(pair.L, pair.ab, pair.ab_true, pair.prior[:5])
    with pytest.raises(TypeError, match=r"labels must be an int64 tensor, not torch\.float32"):
        Pair(pair.L, pair.ab, pair.ab_true, labels=torch.zeros(3), class_names=["apple"])
    with pytest.raises(ValueError, match=r"labels must have shape \(3,\)"):
        Pair(pair.L, pair.ab, pair.ab_true, labels=torch.zeros(2, dtype=torch.int64), class_names=["apple"])
    with pytest.raises(ValueError, match="holds 2 names, not 0 to 2"):
        Pair(pair.L, pair.ab, pair.ab_true, labels=torch.arange(3), class_names=["apple", "zebra"])
