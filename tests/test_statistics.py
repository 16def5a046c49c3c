"""Intervals against scipy and against the truth by simulation; corrections and ranks against figures by hand."""

import numpy as np
import pytest
import scipy.stats

from colorlib.statistics import (
    Difference,
    attribute_variance,
    correct,
    holm,
    mean_interval,
    mean_intervals,
    paired_difference,
    paired_differences,
    pseudo_values,
    rank_intervals,
    verdict,
)
from colorlib.statistics.best import may_be_best
from colorlib.statistics.intervals import half_width, seed_variances, two_sided_p


def test_two_colorizers_as_they_are_get_the_paired_t_test():
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.1, 0.2):
        a, b = rng.gamma(2, 3, 300) + shift, rng.gamma(2, 3, 300)
        theirs, ours = scipy.stats.ttest_rel(a, b), paired_difference(a, b)
        assert ours.p == pytest.approx(theirs.pvalue) and ours.seeds == (0, 0)
        assert ours[:3] == pytest.approx(((a - b).mean(), *theirs.confidence_interval(0.95)))
        assert mean_interval(a - b) == pytest.approx(ours[:3])
    assert paired_difference(a, a).p == 1 and paired_difference(a + 1, a).p < 1e-90


def test_seeds_alone_get_the_t_interval_of_a_mean_of_seeds():
    seeds = np.repeat([[10.0], [11.0], [12.5]], 50, axis=1)  # all photographs alike
    ends = scipy.stats.t.interval(0.95, 2, loc=seeds.mean(), scale=scipy.stats.sem(seeds[:, 0]))
    assert mean_interval(seeds)[1:] == pytest.approx(ends)
    difference = paired_difference(seeds, np.full(50, 9.0))
    assert difference[1:3] == pytest.approx([end - 9 for end in ends])
    assert difference.p == pytest.approx(scipy.stats.ttest_1samp(seeds[:, 0], 9).pvalue)


def test_what_a_training_adds_to_single_photographs_is_counted_once():
    rng = np.random.default_rng(1)
    widths = []
    for _ in range(60):  # no effect of the row on photographs, none of the seed but this noise
        found = paired_difference(rng.normal(size=(5, 100)), np.zeros(100))
        widths.append((found.high - found.low) ** 2)
    by_seeds = 4 * scipy.stats.t.ppf(0.975, 4) ** 2 / 5 / 100
    assert np.mean(widths) == pytest.approx(by_seeds, rel=0.25)


def test_two_sources_are_added_as_squares_each_with_its_own_t():
    t = scipy.stats.t.ppf(0.975, [9, 2])
    assert half_width([4.0, 1.0], [9, 2]) == pytest.approx(np.hypot(2 * t[0], t[1]))
    for alpha in (0.5, 1e-3, 1e-12):
        reach = half_width([4.0, 1.0], [9, 2], alpha)
        assert two_sided_p(-reach, [4.0, 1.0], [9, 2]) == pytest.approx(alpha)


def test_variances_over_seeds_are_pooled_as_far_as_the_rows_are_alike():
    rng = np.random.default_rng(2)
    alike = rng.normal(0, 0.1, (400, 3))
    variances, freedom = seed_variances(alike)
    assert variances.min() > 0.7 * 0.01 / 3 and freedom[0] > 10
    moody = rng.normal(0, 1, (400, 3)) * np.exp(rng.normal(0, 1.5, (400, 1)))
    variances, freedom = seed_variances(moody)
    assert (variances >= moody.var(1, ddof=1) / 3).all() and 2 < freedom[0] < 4
    few, own = seed_variances(alike[:2]), alike[:2].var(1, ddof=1) / 3
    np.testing.assert_allclose(few[0], own)
    variances, freedom = seed_variances([[3.0], [1.0, 1.0], *alike[:5]])  # without luck, and not pooled
    assert variances[:2].tolist() == [0, 0] and np.isinf(freedom[:2]).all() and (variances[2:] > 0).all()


def test_a_prior_drawn_from_is_found_again():
    rng = np.random.default_rng(3)
    prior, freedom, d = 0.04, 6.0, 4
    variances = prior * freedom / rng.chisquare(freedom, 5000) * rng.chisquare(d, 5000) / d
    found, own = seed_variances(np.sqrt(variances)[:, None] * np.array([-1, -1, 0, 1, 1]))  # of variance 1
    assert own[0] - d == pytest.approx(freedom, rel=0.15)
    smallest = (freedom * prior + d * variances.min()) / (freedom + d) / 5
    assert found.min() == pytest.approx(smallest, rel=0.1)


@pytest.mark.parametrize("luck", [0.0, 0.05, 0.5])
def test_interval_holds_the_truth_about_as_often_as_it_says(luck):
    rng = np.random.default_rng(4)
    hits = []
    for _ in range(40):
        photographs = rng.normal(0, 5, 100)
        rows = {
            row: photographs + rng.normal(0, 1, 100) + rng.normal(0, luck, (3, 1)) + rng.normal(0, 0.5, (3, 100))
            for row in range(8)
        }
        hits += [found.low <= 0 <= found.high for found in paired_differences(rows).values()]
    assert 0.92 <= np.mean(hits) <= 0.99


def test_a_row_that_was_trained_once_gets_no_p_and_no_verdict_however_large_the_difference():
    rng = np.random.default_rng(5)
    scores = {"once": rng.normal(9, 1, (1, 50)), "thrice": rng.normal(5, 1, (3, 50)), "grey": rng.normal(1, 1, 50)}
    found = correct(paired_differences(scores, margin=10.0))
    for pair, difference in found.items():
        if "once" in pair:
            assert np.isnan([difference.p, difference.p_large]).all() and difference.low < difference.mean
            assert verdict(difference, 10.0, True) == "no verdict: one training"
    plain = paired_differences({name: scores[name] for name in ("thrice", "grey")}, margin=10.0)["thrice", "grey"]
    assert found["thrice", "grey"] == plain  # alone of its question, so not corrected
    assert verdict(plain, 10.0, True) == "no difference larger than 10"


def test_of_one_photograph_there_is_no_p_and_no_verdict():
    difference = paired_difference([[1.0], [1.1]], [[5.0], [5.1]], margin=0.1)
    assert difference.mean == pytest.approx(-4) and np.isnan([difference.low, difference.high, difference.p]).all()
    assert verdict(difference, 0.1, higher_is_better=False) == "no verdict: one photograph"


def test_no_difference_as_large_as_the_margin_is_two_one_sided_tests():
    rng = np.random.default_rng(6)
    a, b = rng.normal(0.1, 1, 200), np.zeros(200)
    above = scipy.stats.ttest_1samp(a - b, 0.3, alternative="less").pvalue
    below = scipy.stats.ttest_1samp(a - b, -0.3, alternative="greater").pvalue
    assert paired_difference(a, b, margin=0.3).p_large == pytest.approx(max(above, below))
    assert paired_difference(a + 1, b, margin=0.3).p_large == 1 == paired_difference(a, b).p_large


def test_pairing_takes_out_what_the_photographs_share():
    rng = np.random.default_rng(2)
    photographs = rng.normal(25, 5, 500)
    a, b = photographs + rng.normal(0, 1, 500), photographs
    paired, alone = paired_difference(a, b), mean_interval(a)
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)


def test_images_without_a_score_in_some_row_are_left_out_of_all():
    a, b = np.array([1.0, 2.0, np.nan, 100.0]), np.array([0.0, 1.0, 5.0, np.nan])
    assert paired_difference(a, b).mean == pytest.approx(1)
    with pytest.raises(ValueError, match="no image has a finite score in every row"):
        paired_difference([np.nan, 1.0], [1.0, np.nan])
    one = mean_interval([3.0, np.nan])
    assert one.mean == 3 and np.isnan(one[1:]).all()


def test_all_pairs_at_once_are_the_single_comparisons_where_nothing_is_pooled():
    rng = np.random.default_rng(5)
    scores = {"x": rng.normal(size=(3, 50)), "y": rng.normal(size=50), "z": rng.normal(size=(2, 50))}
    together = paired_differences(scores)
    assert list(together) == [("x", "y"), ("x", "z"), ("y", "z")]
    assert together["x", "z"].seeds == (3, 2)
    for (first, second), difference in together.items():
        assert difference[:5] == pytest.approx(paired_difference(scores[first], scores[second])[:5])
        assert difference.reversed()[:3] == pytest.approx(paired_difference(scores[second], scores[first])[:3])
    assert mean_intervals(scores)["x"].mean == pytest.approx(scores["x"].mean())


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


def test_what_is_asked_first_has_half_of_the_level():
    p = {"a": 0.03, "b": 0.03, "c": 0.001, "d": 0.5, "e": np.nan}
    found = {name: Difference(1.0, 0.0, 2.0, value, value, (3, 3)) for name, value in p.items()}
    corrected = correct(found, {"a", "e"})  # a alone has one half; b, c and d share the other
    expected = {"a": 0.03 * (1 + 2 / 3), "b": 0.03 * 3 * 2 / 3, "c": 0.001 * 3 * 2, "d": 0.5, "e": np.nan}
    for name in ("p", "p_large"):
        assert {label: getattr(d, name) for label, d in corrected.items()} == pytest.approx(expected, nan_ok=True)
    three = correct(found, {"a"}, {"c"})  # a has a half, c a quarter, b and d share the last
    assert [three[name].p for name in "abcd"] == pytest.approx([0.03 * 0.75 / 0.5, 0.03 * 2, 0.001 * 4, 0.5])
    del found["e"]
    assert correct(found) == correct(found, found) == correct(found, [])
    np.testing.assert_allclose(holm([0.01, np.nan, 0.02], [3.0, 9.0, 1.0]), [0.04 / 3, np.nan, 0.02])


@pytest.mark.parametrize(
    ("mean", "p", "p_large", "higher_is_better", "expected"),
    [
        (0.3, 0.001, 1.0, True, "better"),
        (0.3, 0.001, 1.0, False, "worse"),
        (0.3, 0.001, 1.0, None, "higher"),
        (-0.3, 0.001, 1.0, True, "worse"),
        (-0.3, 0.001, 1.0, False, "better"),
        (-0.3, 0.001, 1.0, None, "lower"),
        (0.01, 0.6, 0.001, True, "no difference larger than 0.1"),
        (0.05, 0.001, 0.001, True, "no difference larger than 0.1"),
        (0.3, 0.05, 0.05, True, "undecided"),
    ],
)
def test_verdicts(mean, p, p_large, higher_is_better, expected):
    difference = Difference(mean, mean - 0.1, mean + 0.1, p, p_large, (3, 0))
    assert verdict(difference, 0.1, higher_is_better) == expected


def test_ranks_leave_open_what_is_not_decided():
    rng = np.random.default_rng(8)
    photographs = rng.normal(0, 5, 400)
    scores = {
        "best": photographs + 1,
        "close": photographs + rng.normal(0, 1, 400),
        "rival": photographs + rng.normal(0, 1, 400),
        "worst": photographs - 1,
        "once": (photographs + 3)[None],
    }
    ranks = rank_intervals(correct(paired_differences(scores)), higher_is_better=True)
    assert ranks["once"] == (1, 1, 5)
    assert ranks["best"] == (2, 1, 2) and ranks["worst"] == (5, 4, 5)
    assert {ranks["close"].rank, ranks["rival"].rank} == {3, 4}
    assert ranks["close"][1:] == ranks["rival"][1:] == (2, 4)
    same = paired_differences({"a": photographs, "b": photographs})
    assert rank_intervals(same, True) == {"a": (1, 1, 2), "b": (1, 1, 2)}


def test_a_row_may_be_the_best_unless_another_beats_it_by_p_times_the_number_of_the_others():
    def field(p, better=True):
        gap = -0.3 if better else 0.3  # a is lower than b and c
        found = {pair: Difference(gap, gap - 0.1, gap + 0.1, p, 1.0, (3, 3)) for pair in (("a", "b"), ("c", "a"))}
        found["c", "a"] = found["c", "a"].reversed()
        return found | {("b", "c"): Difference(0.0, -0.1, 0.1, 1.0, 1.0, (3, 3))}

    assert may_be_best("abc", field(0.026), higher_is_better=False) == ["a", "b", "c"]
    assert may_be_best("abc", field(0.024), higher_is_better=False) == ["a"]
    assert may_be_best("abc", field(0.024), higher_is_better=True) == ["b", "c"]
    assert may_be_best("cba", field(0.024, better=False), higher_is_better=False) == ["c", "b"]
    assert may_be_best("bc", field(0.024), higher_is_better=False) == ["b", "c"]  # the field alone counts
    once = field(0.026) | {("a", "c"): Difference(-9.0, -9.1, -8.9, np.nan, np.nan, (3, 1))}
    del once["c", "a"]
    once["b", "c"] = once["a", "c"]
    assert may_be_best("abc", once, higher_is_better=False) == ["a", "c"]  # one test is left, so p counts once
    assert may_be_best("a", {}, higher_is_better=False) == ["a"]


def test_the_best_is_missed_less_often_than_alpha():
    rng, missed = np.random.default_rng(9), []
    for _ in range(200):
        rows = {k: rng.normal(0, 5, 300) + rng.normal(0, 1, (3, 300)) + rng.normal(0, 0.3, (3, 1)) for k in range(8)}
        missed.append(0 not in may_be_best(range(8), paired_differences(rows), higher_is_better=False))
    assert np.mean(missed) < 0.05


def test_scores_that_cannot_be_paired_are_refused():
    with pytest.raises(ValueError, match="scores of 3 and of 2 images cannot be paired"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])
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
    found = [attribute_variance(rng.normal(size=24), factors, n_resamples=1) for _ in range(300)]
    for name, df in (("net", 3), ("loss", 2), ("interaction", 6)):
        assert np.mean([shares[name].share for shares in found]) == pytest.approx(df / 23, abs=0.015)
        assert np.median([shares[name].by_chance for shares in found]) == pytest.approx(df / 23, abs=0.02)


def test_runs_of_one_setting_differ_by_their_seed_alone():
    values, factors = [1.0, 2.0, 5.0, 6.0], {"net": ["a", "a", "b", "b"]}
    assert attribute_variance(values, factors)["seed"].share == pytest.approx(1 / 17)
    apart = attribute_variance(values, factors, settings=["slow", "fast", "slow", "fast"])
    assert apart["seed"].share == pytest.approx(0) and apart["interaction"].share == pytest.approx(1 / 17)
    assert np.isnan(apart["net"].by_chance) and np.isnan(apart["net"].low)  # nothing to draw again
    assert attribute_variance(values, factors)["net"].low < 16 / 17 < attribute_variance(values, factors)["net"].high
    alike = attribute_variance([3.0] * 4, factors)
    assert all(np.isnan(share.share) for share in alike.values())


def test_intervals_of_shares_hold_the_share_of_other_seeds_and_photographs():
    nets, losses = np.repeat(range(4), 9), np.tile(np.repeat(range(3), 3), 4)
    effect = np.array([0.0, 0.3, 0.5, 1.0])[nets] + np.array([0.0, 0.8, 1.0])[losses]
    rng = np.random.default_rng(9)

    def study():
        row = rng.normal(0, 1.5, (4, 3, 1, 60)).repeat(3, 2).reshape(36, 60)
        return effect[:, None] + rng.normal(0, 0.3, (36, 1)) + row + rng.normal(size=(36, 60))

    factors = {"net": nets.tolist(), "loss": losses.tolist()}
    truth = {name: [] for name in ("net", "loss", "seed")}
    for _ in range(100):
        once = attribute_variance(study().mean(1), factors, n_resamples=1)
        for name, shares in truth.items():
            shares.append(once[name].share)
    found = [attribute_variance(study(), factors, n_resamples=200) for _ in range(50)]
    for name, shares in truth.items():
        held = np.mean([each[name].low <= np.mean(shares) <= each[name].high for each in found])
        assert held >= 0.88, name


def test_pseudo_values_of_a_mean_are_its_scores():
    scores = np.random.default_rng(0).normal(3, 1, (2, 300))
    np.testing.assert_allclose(pseudo_values(scores[None], lambda mean: 10 * mean), 10 * scores)


def test_a_pooled_ratio_has_the_interval_of_scipys_bootstrap():
    rng = np.random.default_rng(1)
    whole = rng.normal(5, 1, 200)
    part = 0.3 * whole + rng.normal(0, 1, 200)

    def ratio(x, y, axis=-1):
        return x.mean(axis) / y.mean(axis)

    theirs = scipy.stats.bootstrap((part, whole), ratio, paired=True, n_resamples=9_999, method="percentile", rng=0)
    ours = mean_interval(pseudo_values(np.array([part, whole])[:, None], lambda x, y: x / y))
    assert ours.mean == pytest.approx(part.mean() / whole.mean())
    assert ours[1:] == pytest.approx(tuple(theirs.confidence_interval), abs=0.005)


def test_a_pooled_number_that_hangs_on_one_photograph_has_no_scores():
    assert np.isnan(pseudo_values([[[1.0, 2.0]], [[0.0, 1.0]]], lambda x, y: x / y)).all()  # without the second, 1 / 0
