"""Intervals against scipy and against the truth by simulation; corrections and ranks against figures by hand."""

import numpy as np
import pytest
import scipy.stats

from colorlib.statistics.bootstrap import (
    Difference,
    holm,
    mean_interval,
    mean_intervals,
    paired_bootstrap,
    paired_differences,
    pooled_intervals,
    rank_intervals,
    verdict,
)
from colorlib.statistics.variance import attribute_variance


def test_interval_equals_scipys_percentile_bootstrap():
    rng = np.random.default_rng(0)
    a, b = rng.gamma(2, 3, 300), rng.gamma(2, 3, 300)
    theirs = scipy.stats.bootstrap((a - b,), np.mean, n_resamples=10_000, method="percentile", rng=1)
    ours = paired_bootstrap(a, b)
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours.mean == pytest.approx((a - b).mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)
    assert mean_interval(a - b) == pytest.approx(ours[:3])


def test_p_follows_the_t_test():
    rng = np.random.default_rng(3)
    for shift in (0.0, 0.1, 0.2):
        a, b = rng.normal(shift, 1, 400), np.zeros(400)
        assert paired_bootstrap(a, b).p == pytest.approx(scipy.stats.ttest_rel(a, b).pvalue, abs=0.03)
    assert paired_bootstrap(a, a).p == 1
    assert paired_bootstrap(a + 1, a, n_resamples=999).p == pytest.approx(0.002)


@pytest.mark.parametrize("seeds", [1, 5])
def test_interval_holds_the_truth_about_as_often_as_it_says(seeds):
    rng = np.random.default_rng(1)
    training = 0.3 if seeds > 1 else 0.0
    hits = 0
    for repeat in range(200):
        photographs = rng.normal(0, 5, 100)
        a, b = (
            photographs + rng.normal(0, 1, 100) + rng.normal(0, training, (seeds, 1)) + rng.normal(0, 0.5, (seeds, 100))
            for _ in range(2)
        )
        difference = paired_bootstrap(a + 0.3, b, n_resamples=500, seed=repeat)
        hits += difference.low <= 0.3 <= difference.high
    assert 0.90 <= hits / 200 <= 0.99


def test_pairing_takes_out_what_the_photographs_share():
    rng = np.random.default_rng(2)
    photographs = rng.normal(25, 5, 500)
    a, b = photographs + rng.normal(0, 1, 500), photographs
    paired, alone = paired_bootstrap(a, b), mean_interval(a)
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)


def test_seeds_that_differ_widen_the_interval():
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 1, (3, 400)) + np.array([[-1.0], [0.0], [1.0]]), rng.normal(0, 1, (3, 400))
    hierarchical, flat = paired_bootstrap(a, b), paired_bootstrap(a.mean(0), b.mean(0))
    assert hierarchical.mean == pytest.approx(flat.mean)
    assert hierarchical.high - hierarchical.low > 3 * (flat.high - flat.low)
    assert hierarchical.seeds == (3, 3) and flat.seeds == (1, 1)


def test_spread_over_seeds_is_not_underestimated():
    # With no spread over images, the interval's standard error must be that of a mean of three seeds.
    seeds = np.repeat([[-1.0], [0.0], [1.0]], 50, axis=1)
    interval = mean_interval(seeds, n_resamples=20_000, level=0.6827)
    standard_error = np.std([-1, 0, 1], ddof=1) / np.sqrt(3)
    assert (interval.high - interval.low) / 2 == pytest.approx(standard_error, rel=0.3)
    extremes = mean_interval(seeds, level=1.0)
    assert extremes.high == pytest.approx(np.sqrt(1.5))


def test_images_without_a_score_in_some_row_are_left_out_of_all():
    a, b = np.array([1.0, 2.0, np.nan, 100.0]), np.array([0.0, 1.0, 5.0, np.nan])
    assert paired_bootstrap(a, b).mean == pytest.approx(1)
    with pytest.raises(ValueError, match="no image has a finite score in every row"):
        paired_bootstrap([np.nan, 1.0], [1.0, np.nan])


def test_all_pairs_at_once_are_the_single_comparisons():
    rng = np.random.default_rng(5)
    scores = {"x": rng.normal(size=(3, 50)), "y": rng.normal(size=50), "z": rng.normal(size=(2, 50))}
    together = paired_differences(scores, n_resamples=4000)
    assert list(together) == [("x", "y"), ("x", "z"), ("y", "z")]
    assert together["x", "z"].seeds == (3, 2)
    for (first, second), difference in together.items():
        single = paired_bootstrap(scores[first], scores[second], n_resamples=4000, seed=9)
        assert difference[:3] == pytest.approx(single[:3], abs=0.08)
    assert mean_intervals(scores)["x"].mean == pytest.approx(scores["x"].mean())


def test_resampling_in_pieces_gives_the_same_interval(monkeypatch):
    scores = np.random.default_rng(6).normal(size=(2, 200))
    whole = mean_interval(scores)
    monkeypatch.setattr("colorlib.statistics.bootstrap.CHUNK", 200 * 777)
    assert mean_interval(scores) == pytest.approx(whole, abs=0.02)
    assert mean_interval(scores) == mean_interval(scores)


def test_holm_by_hand():
    # 4 · 0.005 = 0.02; 3 · 0.01 = 0.03; 2 · 0.03 = 0.06; 1 · 0.04 is raised to 0.06.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1, 1])
    assert holm([]).shape == (0,)


def test_holm_rejects_what_its_definition_rejects():
    rng = np.random.default_rng(7)
    for _ in range(50):
        p = rng.random(8) ** 4
        rejected = np.zeros(8, dtype=bool)
        for step, i in enumerate(np.argsort(p)):  # stop at the first p above alpha / (M − step)
            if p[i] > 0.05 / (8 - step):
                break
            rejected[i] = True
        np.testing.assert_array_equal(holm(p) <= 0.05, rejected)


@pytest.mark.parametrize(
    ("low", "high", "p", "higher_is_better", "expected"),
    [
        (0.2, 0.4, 0.001, True, "better"),
        (0.2, 0.4, 0.001, False, "worse"),
        (0.2, 0.4, 0.001, None, "higher"),
        (-0.4, -0.2, 0.001, True, "worse"),
        (-0.4, -0.2, 0.001, False, "better"),
        (-0.4, -0.2, 0.001, None, "lower"),
        (-0.05, 0.08, 0.6, True, "no difference larger than 0.1"),
        (0.02, 0.08, 0.001, True, "no difference larger than 0.1"),
        (-0.05, 0.4, 0.2, True, "undecided"),
        (0.2, 0.4, 0.07, True, "undecided"),  # after Holm's correction
    ],
)
def test_verdict(low, high, p, higher_is_better, expected):
    assert verdict(Difference((low + high) / 2, low, high, p, (1, 1)), 0.1, higher_is_better) == expected


def test_ranks():
    rng = np.random.default_rng(8)
    photographs = rng.normal(20, 5, 400)
    scores = {
        "best": photographs + 1,
        "close": photographs + rng.normal(0, 1, 400),
        "rival": photographs + rng.normal(0, 1, 400),
        "worst": photographs - 1,
    }
    ranks = rank_intervals(scores, higher_is_better=True)
    assert ranks["best"] == (1, 1, 1) and ranks["worst"] == (4, 4, 4)
    assert {ranks["close"].rank, ranks["rival"].rank} == {2, 3}
    assert ranks["close"][1:] == ranks["rival"][1:] == (2, 3)
    assert rank_intervals(scores, higher_is_better=False)["best"] == (4, 4, 4)
    assert rank_intervals({"a": photographs, "b": photographs}, True) == {"a": (1, 1, 1), "b": (1, 1, 1)}


def test_scores_that_cannot_be_paired_are_refused():
    with pytest.raises(ValueError, match="scores of 3 and of 2 images cannot be paired"):
        paired_bootstrap([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="must be"):
        mean_interval(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="no scores"):
        mean_intervals({})


def test_attribution_of_a_balanced_grid_is_classical_analysis_of_variance():
    nets, losses = np.repeat([0, 1, 2], 4), np.tile([0, 0, 1, 1], 3)
    noise = np.tile([0.5, -0.5], 6)
    values = np.array([0.0, 3.0, 9.0])[nets] + np.array([0.0, 4.0])[losses] + noise
    found = attribute_variance(values, {"net": nets.tolist(), "loss": losses.tolist(), "alike": [1] * 12})
    total = ((values - values.mean()) ** 2).sum()
    squares = {"net": 4 * ((np.array([0, 3, 9]) - 4) ** 2).sum(), "loss": 6 * (2**2 + 2**2), "seed": 12 * 0.25}
    assert list(found) == ["net", "loss", "interaction", "seed"]
    for name, square in squares.items():
        assert found[name].share == pytest.approx(square / total)
    assert found["interaction"].share == pytest.approx(0, abs=1e-12)
    assert found["net"].first == pytest.approx(found["net"].last) and found["net"].levels == 3


def test_shares_of_an_unbalanced_grid_add_to_one_and_split_what_cannot_be_told_apart():
    rng = np.random.default_rng(0)
    nets, losses = [0, 0, 0, 1, 1, 2, 2, 2, 2], [0, 1, 1, 0, 0, 1, 2, 2, 0]
    found = attribute_variance(rng.normal(size=(9, 50)), {"net": nets, "loss": losses}, n_resamples=200)
    assert sum(share.share for share in found.values()) == pytest.approx(1)
    assert all(
        share.low <= share.share <= share.high or name == "seed" for name, share in found.items() if share.share > 0.1
    )
    same = attribute_variance([1.0, 2.0, 5.0], {"net": [0, 1, 2], "loss": [0, 1, 2]})
    assert same["net"].share == pytest.approx(0.5) == same["loss"].share and same["net"].last == pytest.approx(0)
    with pytest.raises(ValueError, match="one level of each"):
        attribute_variance([1.0, 2.0], {"net": [0]})


def test_a_factor_that_does_nothing_gets_what_chance_gives_it():
    rng = np.random.default_rng(1)
    factors = {"net": np.repeat(range(4), 6).tolist(), "loss": np.tile([0, 0, 1, 1, 2, 2], 4).tolist()}
    found = [attribute_variance(rng.normal(size=24), factors) for _ in range(300)]
    for name, df in (("net", 3), ("loss", 2), ("interaction", 6)):
        assert np.mean([shares[name].share for shares in found]) == pytest.approx(df / 23, abs=0.015)
        assert np.median([shares[name].by_chance for shares in found]) == pytest.approx(df / 23, abs=0.02)


def test_runs_of_one_setting_differ_by_their_seed_alone():
    values, factors = [1.0, 2.0, 5.0, 6.0], {"net": ["a", "a", "b", "b"]}
    assert attribute_variance(values, factors)["seed"].share == pytest.approx(1 / 17)
    apart = attribute_variance(values, factors, settings=["slow", "fast", "slow", "fast"])
    assert apart["seed"].share == pytest.approx(0) and apart["interaction"].share == pytest.approx(1 / 17)
    assert np.isnan(apart["net"].by_chance) and np.isnan(apart["net"].low)
    alike = attribute_variance([3.0] * 4, factors)
    assert all(np.isnan(share.share) for share in alike.values())


def test_a_pooled_number_of_one_mean_has_the_means_own_interval():
    scores = np.random.default_rng(0).normal(3, 1, (2, 300))
    ends = pooled_intervals({"a": scores[None], "b": scores[None] + 1}, lambda mean: 10 * mean, n_resamples=4_000)
    plain = mean_intervals({"a": scores, "b": scores + 1}, n_resamples=4_000)
    for label in plain:
        assert ends[label].mean == pytest.approx(10 * plain[label].mean)
        assert ends[label][1:] == pytest.approx([10 * end for end in plain[label][1:]], abs=0.1)


def test_a_pooled_ratio_has_the_interval_of_scipys_bootstrap():
    rng = np.random.default_rng(1)
    whole = rng.normal(5, 1, 200)
    part = 0.3 * whole + rng.normal(0, 1, 200)

    def ratio(x, y, axis=-1):
        return x.mean(axis) / y.mean(axis)

    theirs = scipy.stats.bootstrap((part, whole), ratio, paired=True, n_resamples=9_999, method="percentile", rng=0)
    ours = pooled_intervals({"": np.array([part, whole])[:, None]}, lambda x, y: x / y)[""]
    assert ours.mean == pytest.approx(part.mean() / whole.mean())
    assert ours[1:] == pytest.approx(tuple(theirs.confidence_interval), abs=0.005)


def test_a_pooled_number_is_unknown_where_terms_are_missing():
    terms = np.array([[[1.0, np.nan, 3.0]], [[2.0, 2.0, np.inf]]])
    assert pooled_intervals({"": terms}, lambda x, y: x / y)[""] == (0.5, 0.5, 0.5)  # of the first image alone
    assert np.isnan(pooled_intervals({"": terms[:, :, 1:]}, lambda x, y: x / y)[""]).all()
