"""The origin's slips, each against what it must do to a colorizer whose answers are known."""

import numpy as np
import pandas as pd
import pytest
import torch

from colorlib.color.lab import lab_to_rgb
from colorlib.runs.colorizer import Colorizer
from colorlib.runs.slips import SLIPS, judge_with_slips

pytestmark = pytest.mark.slow
warm = Colorizer(lambda L: torch.full_like(L, 10.0).expand(-1, 2, -1, -1))


@pytest.fixture
def measured(tiny_scenes, tmp_path):
    def measure(*slips):
        run = judge_with_slips(warm, tiny_scenes, tmp_path / "-".join(slips), "slipped", slips)
        return run.per_image, pd.read_csv(run.folder / "slips.csv")

    return measure


def test_without_a_slip_both_measures_are_right(tiny_scenes, measured):
    per_image, table = measured()
    assert table["id"].tolist() == per_image["id"].tolist()
    assert np.allclose(table["mse"], per_image["mse_rgb"], atol=1e-6) and table["mse"].equals(table["mse_right"])
    batch = tiny_scenes.batch(tiny_scenes.indices("test"))
    assert (table["delta_e_right"] - per_image["delta_e_76"]).abs().max() < 2  # they differ where sRGB ends
    assert len(table) == len(batch.ids)


def test_lightness_from_0_to_255_shows_a_white_page(tiny_scenes, measured):
    _, table = measured("lightness")
    batch = tiny_scenes.batch(tiny_scenes.indices("test"))
    truth = lab_to_rgb(torch.cat([batch.L, batch.ab], 1))
    dark = (batch.L < 1).float().mean((1, 2, 3)).numpy()
    assert np.allclose(table["mse"], ((1 - truth) ** 2).mean((1, 2, 3)), atol=0.02 + dark.max())


def test_unsorted_pairs_compare_with_another_photograph(measured):
    per_image, table = measured("pairs")
    assert (table["mse"] > 1.5 * table["mse_right"]).mean() > 0.8
    assert np.allclose(per_image["mean_chroma"], np.sqrt(200))  # it gives every photograph the same colour


def test_rescaled_channels_make_an_error_of_ten_one_of_a_tenth(measured):
    _, table = measured("channels")
    assert table["mse"].equals(table["mse_right"])
    # The photograph's own lightness leaves ab alone, apart from the edge of the gamut.
    assert np.allclose(table["delta_e"], table["delta_e_right"] / 127, rtol=0.05)


def test_a_slip_of_another_name_is_refused(tiny_scenes, tmp_path):
    with pytest.raises(ValueError, match="the slips are lightness, pairs, channels, not jpeg"):
        judge_with_slips(warm, tiny_scenes, tmp_path, "slipped", ["jpeg"])
    assert list(SLIPS) == ["lightness", "pairs", "channels"] and not list(tmp_path.iterdir())
