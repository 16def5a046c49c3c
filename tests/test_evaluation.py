"""Judging: rows by identity, per-law scores by hand, other people's pictures, and bad predictions."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from colorlib import judges
from colorlib.color.lab import lab_to_rgb
from colorlib.data.shards import write_store
from colorlib.data.writing import Record
from colorlib.imagenet import class_ids
from colorlib.judges import judge_for_metrics
from colorlib.metrics import METRICS, SetDistances
from colorlib.models import create_model
from colorlib.models.effunet import EffUNet
from colorlib.objectives import create_objective
from colorlib.runs import evaluation
from colorlib.runs import run as experiment
from colorlib.runs.baselines import BASELINES, ORACLES
from colorlib.runs.colorizer import NetworkColorizer
from colorlib.runs.evaluation import compare_objectives, evaluate, judge, judge_oracle
from colorlib.runs.exchange import judge_pictures
from colorlib.runs.run import ExperimentConfig, Run, list_runs
from colorlib.runs.samples import color_at
from colorlib.runs.training import train

pytestmark = pytest.mark.slow

SIZES = (32, 32), (32, 32, 2)  # of L and ab


def test_judge_writes_one_row_for_each_test_photograph(tiny_scenes, tmp_path):
    run = judge(BASELINES["mean_ab"](tiny_scenes, 0), tiny_scenes, tmp_path / "mean", "mean_ab", kind="baseline")
    test = tiny_scenes.indices("test")
    assert run.per_image["id"].tolist() == tiny_scenes.manifest["id"].iloc[test].tolist()
    assert set(METRICS) <= set(run.per_image.columns)
    assert run.config["kind"] == "baseline" and run.cost["ms_per_image"] > 0
    assert set(run.pictures("test")) == set(run.per_image["id"]) and run.pictures("bundled")
    assert [found.folder for found in list_runs(tmp_path)] == [tmp_path / "mean"]
    sets = json.loads((tmp_path / "mean" / "sets.json").read_text())
    assert sets["n"] == len(test)
    # Lite2 knows photographs; at rendered scenes it does not look.
    assert sets["n_lite2"] == 0 and sets["kernel_lite2"] is None and run.per_image["class_agreement_lite2"].isna().all()


def test_folders_are_what_there_is_to_recognise(tmp_path):
    rng = np.random.default_rng(0)
    known, stranger = class_ids()[7], "no class of ImageNet's"
    records = (
        Record(f"{folder}/{n}.jpg", 32, 32, *(rng.integers(0, 256, size, dtype=np.uint8) for size in SIZES))
        for n in range(20)
        for folder in (known, stranger)
    )
    data = write_store(tmp_path / "store", "t", records, 40, (32, 32), {"seed": 0})
    table = evaluate(lambda batch: batch.ab, data, np.arange(40))
    folders = data.manifest["source"].str.split("/").str[0]
    batch = data.batch(range(40))
    with torch.no_grad():
        first_guess = judge_for_metrics()(lab_to_rgb(torch.cat([batch.L, batch.ab], 1))).logits
    assert table["recognised_lite2"].notna().equals(folders == known)
    assert (table["recognised_lite2"] == 1).equals((folders == known) & (first_guess.argmax(1).numpy() == 7))
    assert (table["class_agreement_lite2"] == 1).all() and (table["perceptual_lite2"] == 0).all()


@pytest.fixture
def photographs(tmp_path):
    """Twenty photographs of noise without classes."""
    rng = np.random.default_rng(1)
    records = (
        Record(f"{n}.jpg", 32, 32, *(rng.integers(0, 256, size, dtype=np.uint8) for size in SIZES)) for n in range(20)
    )
    return write_store(tmp_path / "photographs", "t", records, 20, (32, 32), {"seed": 0})


def test_photographs_without_classes_are_looked_at_too(photographs, tmp_path):
    run = judge(lambda L: torch.zeros(len(L), 2, *L.shape[-2:]), photographs, tmp_path / "run", "grey", split="train")
    assert run.per_image["class_agreement_lite2"].isin([0, 1]).all() and run.per_image["recognised_lite2"].isna().all()
    assert run.sets["n"] == run.sets["n_lite2"] == len(run.per_image) and isinstance(run.sets["kernel_lite2"], float)


def test_of_many_photographs_lite2_looks_at_some_drawn_by_lot(photographs, monkeypatch):
    monkeypatch.setattr(evaluation, "LOOKED", 7)
    monkeypatch.setattr(evaluation, "BATCH", 5)
    indices, sets = np.arange(20), SetDistances()
    table = evaluate(lambda batch: 0.5 * batch.ab, photographs, indices, None, sets)
    manifest = photographs.manifest
    assert table["id"].tolist() == manifest["id"].tolist() and table.index.tolist() == list(range(20))
    looked = manifest["sha256"].rank().to_numpy() <= 7
    for name in ("class_agreement_lite2", "perceptual_lite2"):
        assert (table[name].notna() == looked).all()
    results = sets.results()
    assert (results["n"], results["n_lite2"]) == (20, 7) and table["delta_e_2000"].notna().all()
    monkeypatch.setattr(evaluation, "LOOKED", 20)
    whole = evaluate(lambda batch: 0.5 * batch.ab, photographs, indices)
    assert whole["perceptual_lite2"].notna().all()
    np.testing.assert_allclose(whole["delta_e_2000"], table["delta_e_2000"], rtol=1e-5)
    np.testing.assert_allclose(whole["perceptual_lite2"][looked], table["perceptual_lite2"][looked], rtol=1e-3)


def test_lite2_says_nothing_of_a_network_that_looks_through_lite2(photographs, tmp_path, capsys):
    options = EffUNet.narrow | {"encoder": "lite2"}
    colorizer = NetworkColorizer(create_model("effunet", 2, **options), create_objective("l1"))
    assert colorizer.looks_through == {2}
    run = judge(colorizer, photographs, tmp_path / "run", "by lite2", split="train")
    assert "looks through EfficientNet-Lite2 itself" in capsys.readouterr().out
    assert run.per_image["class_agreement_lite2"].isna().all() and run.per_image["delta_e_2000"].notna().all()
    assert run.sets["n"] == len(run.per_image) and run.sets.get("kernel_lite2") is None


def test_without_the_extra_it_is_said_that_nothing_is_recognised(
    photographs, tiny_scenes, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(judges, "_shared_judge", lambda device: None)
    run = judge(BASELINES["grey"](photographs, 0), photographs, tmp_path / "run", "grey", split="train")
    assert (
        "Nothing that Lite2 sees is measured: pip install 'colorlib[pretrained]' and judge again."
        in capsys.readouterr().out
    )
    assert run.per_image["class_agreement_lite2"].isna().all() and run.per_image["delta_e_2000"].notna().all()
    judge(BASELINES["grey"](tiny_scenes, 0), tiny_scenes, tmp_path / "scenes", "grey")
    assert "pretrained" not in capsys.readouterr().out  # of rendered scenes it knows nothing anyway


def test_judging_again_gives_the_same_scores(tiny_scenes, tmp_path):
    for _ in range(2):
        judge(BASELINES["grey"](tiny_scenes, 0), tiny_scenes, tmp_path / "run", "grey")
    judge(BASELINES["grey"](tiny_scenes, 0), tiny_scenes, tmp_path / "again", "grey")
    for name in ("per_image.csv", "sets.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_scores_per_law_by_hand(tiny_scenes, tmp_path):
    run = judge_oracle(ORACLES["bayes_l2"](tiny_scenes), tiny_scenes, tmp_path / "run", "bayes_l2")
    index = tiny_scenes.indices("test")[0]
    batch = tiny_scenes.batch([index])
    laws = np.array([kind["law"] for kind in tiny_scenes.info["kinds"]])[batch.kinds[0].numpy()]
    error = (ORACLES["bayes_l2"](tiny_scenes)(batch) - batch.ab).norm(dim=1)[0].numpy()
    row = run.per_image.iloc[0]
    for law in ("determined", "two_way", "free"):
        inside = laws == law
        assert row[f"share_{law}"] == pytest.approx(inside.mean(), abs=1e-6)
        if inside.any():
            assert row[f"delta_e_76_{law}"] == pytest.approx(error[inside].mean(), rel=1e-4)
        else:
            assert np.isnan(row[f"delta_e_76_{law}"])
    assert run.pictures("bundled") == {}  # an oracle needs the truth


def test_a_trained_run_is_judged_in_its_own_folder(tiny_scenes, tmp_path):
    config = ExperimentConfig("unet", "ce", {"width": 4}, images_seen=32, batch_size=8, validations=1)
    run = judge(train(config, tiny_scenes, tmp_path / "run"), tiny_scenes, tmp_path / "run")
    assert run.label == "unet (width 4) · ce" and run.config["kind"] == "network"
    pace = run.cost["seconds_per_1000_training_images"]
    assert pace == pytest.approx(1000 * run.cost["train_seconds"] / 32) and pace > 0
    assert run.cost["images_seen"] == 32 and run.cost["macs_per_image"] > run.cost["parameters"] > 0


def test_objectives_are_compared_on_equal_terms(tiny_scenes, tmp_path, monkeypatch):
    monkeypatch.setattr("colorlib.runs.run.project_folder", lambda: tmp_path)
    objectives = {"median": ("l1", {}), "vivid": ("ce", {"temperature": 0.1})}
    budget = {"images_seen": 32, "batch_size": 8, "validations": 1}
    trained = compare_objectives(objectives, tiny_scenes, "unet", {"width": 4}, 3, budget, "cpu")
    assert list(trained) == ["median", "vivid"]
    configs = [run.config for _, run in trained.values()]
    assert [config["label"] for config in configs] == ["unet (width 4) · l1", "unet (width 4) · ce (temperature 0.1)"]
    assert all(config["seed"] == 3 and config["images_seen"] == 32 for config in configs)
    for colorizer, run in trained.values():
        assert run.finished and run.folder.parent == tmp_path / "runs" / "notebooks"
        assert colorizer(tiny_scenes.batch([0]).L).shape == (1, 2, 32, 32)


def colored(tiny_scenes, folder, colorizer):
    folder.mkdir()
    for index in tiny_scenes.indices("test"):
        batch = tiny_scenes.batch([index])
        rgb = lab_to_rgb(torch.cat([batch.L, colorizer(batch)], 1))[0].permute(1, 2, 0)
        Image.fromarray((rgb * 255).round().byte().numpy()).save(folder / f"{batch.ids[0]}.png")


def test_pictures_are_matched_by_name(tiny_scenes, tmp_path):
    colored(tiny_scenes, tmp_path / "truth", lambda batch: batch.ab)
    run = judge_pictures(tmp_path / "truth", tiny_scenes, tmp_path / "run", "mine")
    assert run.per_image["delta_e_76"].max() < 2.5  # 8-bit RGB and 8-bit Lab round differently, no more


def test_missing_surplus_and_broken_pictures_are_named(tiny_scenes, tmp_path):
    folder = tmp_path / "pictures"
    colored(tiny_scenes, folder, lambda batch: batch.ab)
    first, second, *_ = sorted(folder.iterdir())
    Image.new("RGB", (32, 32)).save(folder / "stranger.png")
    with pytest.warns(UserWarning, match="stranger"):
        judge_pictures(folder, tiny_scenes, tmp_path / "run", "mine")
    Image.new("RGB", (31, 32)).save(first)
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="31×32 pixels, its photograph 32×32"):
        judge_pictures(folder, tiny_scenes, tmp_path / "run2", "mine")
    first.write_bytes(second.read_bytes()[:200])
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="cannot be read"):
        judge_pictures(folder, tiny_scenes, tmp_path / "run3", "mine")
    first.unlink()
    with pytest.raises(FileNotFoundError, match=f"lacks 1 of .*{first.stem}"):
        judge_pictures(folder, tiny_scenes, tmp_path / "run4", "mine")
    with pytest.raises(FileNotFoundError, match="not a folder"):
        judge_pictures(tmp_path / "nowhere", tiny_scenes, tmp_path / "run5", "mine")


@pytest.mark.parametrize(
    "bad",
    [
        lambda L: torch.zeros(len(L), 3, *L.shape[-2:]),
        lambda L: torch.zeros(len(L), 2, 4, 4),
        lambda L: torch.full((len(L), 2, *L.shape[-2:]), float("nan")),
    ],
)
def test_bad_predictions_are_refused(tiny_scenes, tmp_path, bad):
    with pytest.raises(ValueError):
        judge(bad, tiny_scenes, tmp_path / "run", "bad")
    assert not Run(tmp_path / "run").finished


def test_every_photograph_has_a_row_whatever_the_batch(tiny_scenes, monkeypatch):
    indices = tiny_scenes.indices("train")[:10]
    predict = ORACLES["nearest_bin"](tiny_scenes)
    whole = evaluate(predict, tiny_scenes, indices)
    monkeypatch.setattr("colorlib.runs.evaluation.BATCH", 3)
    parts = evaluate(predict, tiny_scenes, indices)
    assert whole["id"].tolist() == parts["id"].tolist()
    assert np.allclose(whole[list(METRICS)], parts[list(METRICS)], rtol=1e-4, equal_nan=True)


def test_color_at_shows_the_network_the_size_it_knows():
    seen = []

    def colorizer(L):
        seen.append(tuple(L.shape[-2:]))
        return torch.ones(len(L), 2, *L.shape[-2:])

    ab = color_at(colorizer, torch.rand(1, 1, 100, 200), short_side=50)
    assert seen == [(50, 100)] and ab.shape == (1, 2, 100, 200) and torch.allclose(ab, torch.ones(()))


def test_pictures_survive_the_disk(tmp_path):
    rng = np.random.default_rng(0)
    pictures = {
        f"p{n}": tuple(rng.integers(0, 256, s, dtype=np.uint8) for s in ((n, 3), (n, 3, 2), (n, 3, 2))) for n in (2, 5)
    }
    experiment.write_pictures(tmp_path, "test", pictures)
    again = Run(tmp_path).pictures("test")
    assert again.keys() == pictures.keys()
    assert all(np.array_equal(a, b) for name in pictures for a, b in zip(again[name], pictures[name], strict=True))
