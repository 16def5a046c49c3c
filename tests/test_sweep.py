"""The learning rate that is chosen on val: the best of those tried, once for all seeds, going on after a kill."""

import numpy as np
import pandas as pd
import pytest

from colorlib.runs import sweep
from colorlib.runs.run import ExperimentConfig
from colorlib.runs.sweep import choose_learning_rate

pytestmark = pytest.mark.slow

SETTING = ExperimentConfig("plain_cnn", "l2", {"filters": 4}, batch_size=8, validations=2, validation_images=8)


def test_the_rate_with_the_lowest_loss_on_val_is_chosen_once_for_all_seeds(tiny_scenes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train, trained = sweep.train, []

    def counted(config, *arguments):
        trained.append(config.learning_rate)
        if len(trained) == 2:
            raise KeyboardInterrupt  # a kill between two trials
        return train(config, *arguments)

    monkeypatch.setattr(sweep, "train", counted)
    rates = [1e6, 3e-2, 1e-6]
    with pytest.raises(KeyboardInterrupt):
        choose_learning_rate(SETTING, tiny_scenes, rates, 64)
    chosen, table = choose_learning_rate(SETTING, tiny_scenes, rates, 64)
    assert trained == [1e6, 3e-2, 1e6, 3e-2, 1e-6]
    folder = next((tmp_path / "runs" / "sweeps").iterdir())
    lowest = {rate: pd.read_csv(folder / f"{rate:g}" / "history.csv")["val_loss"].min() for rate in rates[1:]}
    assert table["val_loss"].iloc[1:].tolist() == pytest.approx(list(lowest.values()), rel=1e-6)
    assert np.isnan(table["val_loss"][0])  # at 1e6 the loss is soon no number
    assert chosen.learning_rate == min(lowest, key=lowest.get) == table["learning_rate"][table["chosen"].argmax()]
    assert (chosen.images_seen, chosen.seed) == (SETTING.images_seen, SETTING.seed)
    written = (folder / "0.03" / "weights.safetensors").stat().st_mtime_ns
    other = ExperimentConfig(**SETTING.settings | {"seed": 2, "images_seen": 500, "learning_rate": 0.5})
    assert choose_learning_rate(other, tiny_scenes, rates, 64)[0].learning_rate == chosen.learning_rate
    assert (folder / "0.03" / "weights.safetensors").stat().st_mtime_ns == written
    assert len(list((tmp_path / "runs" / "sweeps").iterdir())) == 1


@pytest.mark.parametrize(
    ("objective", "rates", "message"),
    [("l2", [], "a sweep needs learning rates"), ("pix2pix", [1e-3], "has a critic, which the loss on val leaves out")],
)
def test_a_sweep_that_cannot_choose_is_refused(tiny_scenes, objective, rates, message):
    with pytest.raises(ValueError, match=message):
        choose_learning_rate(ExperimentConfig("plain_cnn", objective), tiny_scenes, rates, 64)
