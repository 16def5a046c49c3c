"""Scores over budgets, on curves whose answers are known."""

import numpy as np
import pytest

from colorlib.statistics.scaling import PowerLaw, crossings, fit_power_law, forecast, jackknife, order_agreement

BUDGETS = [2_000, 8_000, 32_000, 128_000]


@pytest.mark.parametrize("law", [PowerLaw(10.0, 40.0, 0.35), PowerLaw(0.0, 30.0, 0.1), PowerLaw(9.0, 900.0, 1.1)])
def test_a_power_law_is_found_again_and_forecasts_the_next_budget(law):
    found = fit_power_law(BUDGETS[:3], [law(n) for n in BUDGETS[:3]])
    assert (found.floor, found.exponent) == pytest.approx((law.floor, law.exponent), abs=1e-3)
    assert found.scale == pytest.approx(law.scale, rel=1e-2) and found(128_000) == pytest.approx(law(128_000), abs=1e-4)


def test_a_curve_that_does_not_fall_is_forecast_by_its_mean():
    assert fit_power_law(BUDGETS[:3], [11.0, 12.0, 13.0])(128_000) == pytest.approx(12.0)


@pytest.mark.parametrize("budgets", [[2_000, 8_000], [2_000, 2_000, 8_000], [0, 1, 2], [1, 2, 3, 4]])
def test_a_power_law_of_too_few_budgets_is_refused(budgets):
    with pytest.raises(ValueError, match="at least three budgets above zero"):
        fit_power_law(budgets, [3.0, 2.0, 1.0][: len(budgets)])


def test_the_interval_of_a_forecast_holds_the_truth_as_often_as_it_says():
    law, rng = PowerLaw(10.0, 40.0, 0.35), np.random.default_rng(0)
    curve = np.array([law(n) for n in BUDGETS[:3]])
    held = 0
    for _ in range(200):
        _, low, high = forecast(BUDGETS[:3], curve + rng.normal(0, 0.03, (3, 3)), 128_000)
        held += low <= law(128_000) <= high
    assert 0.9 <= held / 200 <= 0.99


def test_the_jackknife_of_a_mean_is_student_s_interval():
    interval = jackknife(lambda mean: mean[1], [[0, 4.0], [0, 6.0], [0, 5.0], [0, 9.0]])
    half = 3.182446 * np.std([4, 6, 5, 9], ddof=1) / 2
    assert interval == pytest.approx((6, 6 - half, 6 + half))
    assert np.isnan(jackknife(lambda mean: mean[0], [[3.0]])[1:]).all()


def test_agreement_counts_the_pairs_whose_order_changes():
    found = order_agreement([[1, 1, 3], [2, 3, 2], [3, 2, 1]])
    assert found == pytest.approx(np.array([[1, 1 / 3, -1], [1 / 3, 1, -1 / 3], [-1, -1 / 3, 1]]))


def test_curves_cross_where_their_lines_over_the_logarithm_do():
    curves = {"small": [12.0, 11.0, 10.8], "large": [13.0, 11.5, 10.0], "worst": [14.0, 14.0, 14.0]}
    (crossing,) = crossings(BUDGETS[:3], curves)
    assert crossing[:2] == ("small", "large") and crossing.budget == pytest.approx(8_000 * 4 ** (0.5 / 1.3))
