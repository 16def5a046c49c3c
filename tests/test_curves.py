"""Curves of a run: the temperature's ends, what hints are worth to a network that listens, and best of k."""

import pandas as pd
import pytest
import torch

from colorlib.models import MODELS
from colorlib.models.base import HintedNetwork
from colorlib.runs import curves
from colorlib.runs.colorizer import NetworkColorizer, build
from colorlib.runs.curves import hints_curve, several_curve, temperature_curve
from colorlib.runs.evaluation import judge
from colorlib.runs.run import ExperimentConfig
from colorlib.runs.training import train

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(curves, "PHOTOGRAPHS", 4)
    monkeypatch.setattr(curves, "TRIES", (1, 2))
    monkeypatch.setattr(curves, "HINTS", (0, 5))


def untrained(data, model, objective, **options):
    config = ExperimentConfig(model, objective, model_options=MODELS[model].narrow, objective_options=options)
    return NetworkColorizer(*build(config, data))


@pytest.mark.parametrize("objective", ["ce", {"ce": 1, "colorfulness": 0.1}])
def test_colour_comes_up_as_the_temperature_falls_and_the_decoder_is_left_as_it_was(tiny_scenes, objective):
    colorizer = untrained(tiny_scenes, "unet", objective, temperature=0.2)
    with torch.no_grad():
        colorizer.network.output.conv.weight.mul_(50)  # fresh odds are all alike; these have favourites
    table = temperature_curve(colorizer, tiny_scenes, tiny_scenes.sample("test", 4)).set_index("temperature")
    assert table["colorfulness_hs03"][0.01] > table["colorfulness_hs03"][0.1] and table.index.is_monotonic_decreasing
    assert (table["images"] == 4).all() and (table["psnr_rgb_db_low"] <= table["psnr_rgb_db"]).all()
    assert colorizer.objective.meaning.temperature == 0.2


def test_a_network_that_repeats_its_hints_gains_by_them(tiny_scenes):
    class Parrot(HintedNetwork):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

        def forward(self, L, hints=None):
            return torch.zeros(len(L), 2, *L.shape[-2:]) if hints is None else hints[:, :2] / 110

    _, objective = build(ExperimentConfig("unet", "l2"), tiny_scenes)
    table = hints_curve(NetworkColorizer(Parrot(), objective), tiny_scenes, tiny_scenes.sample("test", 4))
    none, five = table.itertuples()
    assert (none.hints, five.hints) == (0, 5) and five.delta_e_76 < none.delta_e_76 and none.colorfulness_hs03 < 0.01


def test_best_of_more_tries_is_no_worse(tiny_scenes):
    table = several_curve(untrained(tiny_scenes, "diffusion", "l2"), tiny_scenes, tiny_scenes.sample("test", 4))
    one, two = table.itertuples()
    assert two.best_of_k_delta_e_76 <= one.best_of_k_delta_e_76 == pytest.approx(one.mean_of_k_delta_e_76, rel=1e-5)
    assert two.diversity > 0 and pd.isna(one.diversity)


@pytest.mark.parametrize(
    "model,objective,files",
    [
        ("unet", "l2", set()),
        ("unet", "ce", {"temperature.csv"}),
        ("vit", "ce", {"temperature.csv", "hints.csv"}),
        ("diffusion", "l2", {"several.csv"}),
    ],
)
def test_a_run_gets_the_curves_that_its_network_has(tiny_scenes, tmp_path, model, objective, files):
    config = ExperimentConfig(model, objective, MODELS[model].narrow, images_seen=8, batch_size=4, validations=1)
    judge(train(config, tiny_scenes, tmp_path / "run"), tiny_scenes, tmp_path / "run")
    curve_files = {"temperature.csv", "hints.csv", "several.csv"}
    assert {path.name for path in (tmp_path / "run").iterdir()} & curve_files == files


def test_answers_that_are_no_numbers_are_refused_one_or_several(tiny_scenes):
    colorizer = untrained(tiny_scenes, "diffusion", "l2")
    with torch.no_grad():
        next(colorizer.network.parameters()).fill_(float("nan"))
    L = tiny_scenes.batch([0]).L
    for ask in (lambda: colorizer(L), lambda: colorizer.samples(L, 2)):
        with pytest.raises(ValueError, match="colours that are no numbers"):
            ask()
