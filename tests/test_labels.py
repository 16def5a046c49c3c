"""Labels from folders, and the classifiers trained on them."""

import numpy as np
import pandas as pd
import pytest
import torch

from colorlib import cli
from colorlib.classifier import CLASSIFIERS, load_classifier, read_classifier
from colorlib.data.store import open_store
from colorlib.data.writing import Record, write_store
from colorlib.runs.classifier import answer, export, fold, train_classifier

pytestmark = pytest.mark.slow

SIDE = 32


def store_of(folder, sources):
    """A store of photographs from these sources; each folder has its own colour, with noise."""
    folders = sorted({source.rpartition("/")[0] for source in sources})

    def record(i, source):
        rng = np.random.default_rng(i)
        color = np.random.default_rng(folders.index(source.rpartition("/")[0])).integers(68, 188, 2)
        ab8 = (color + rng.integers(-8, 9, (SIDE, SIDE, 2))).astype(np.uint8)
        return Record(source, SIDE, SIDE, rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8), ab8)

    records = (record(i, source) for i, source in enumerate(sources))
    return write_store(folder, "t", records, len(sources), (SIDE, SIDE), {"seed": 0})


def test_labels_are_the_folders_right_above_the_photographs(tmp_path):
    data = store_of(tmp_path / "t", ["all/zebra/1.jpg", "all/apple/1.jpg", "more/zebra/2.jpg", "all/apple/2.jpg"])
    assert data.classes == ["apple", "zebra"]
    assert data.labels.dtype == np.int64 and data.labels.tolist() == [1, 0, 1, 0]
    batch = open_store(data.folder).batch([2, 1, 2])
    assert batch.labels.tolist() == [1, 0, 1] and [i[0] for i in batch.ids] == ["2", "1", "2"]


@pytest.mark.parametrize("sources", [["all/1.jpg", "all/2.jpg"], ["1", "2"]], ids=["one folder", "none"])
def test_photographs_of_one_folder_have_no_labels(tmp_path, sources):
    data = store_of(tmp_path / "t", sources)
    assert data.classes == [] and data.labels is None and data.batch([0]).labels is None


def test_scenes_have_no_labels(tiny_scenes):
    assert tiny_scenes.classes == [] and tiny_scenes.batch([0]).labels is None
    with pytest.raises(ValueError, match="data set 'scenes' has no classes, so nobody knows what"):
        answer(load_classifier("b"), tiny_scenes, np.arange(2))


@pytest.fixture(scope="module")
def two_kinds(tmp_path_factory):
    """Sixty photographs of two kinds that only their colours tell apart."""
    folder = tmp_path_factory.mktemp("kinds") / "t"
    return store_of(folder, [f"{kind}/{i}.jpg" for i in range(30) for kind in ("apple", "zebra")])


@pytest.fixture(scope="module")
def trained(two_kinds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    return train_classifier(two_kinds, folder, seed=0, passes=12), folder


def test_a_classifier_learns_what_colours_tell(two_kinds, trained):
    classifier, folder = trained
    train = two_kinds.indices("train")
    assert answer(classifier, two_kinds, train).top1.mean() > 0.9
    assert answer(classifier, two_kinds, train, grey=True).top1.mean() < 0.75
    history = pd.read_csv(folder / "history.csv")
    assert len(history) == 12 and history["val_top1"].iloc[-1] > 0.9


def test_a_stopped_training_ends_with_the_same_weights(two_kinds, trained, tmp_path, monkeypatch):
    monkeypatch.setattr("colorlib.runs.classifier.CHECKPOINT_SECONDS", 0)
    real, calls = torch.optim.SGD.step, []

    def stop(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.SGD, "step", stop)
    with pytest.raises(KeyboardInterrupt):
        train_classifier(two_kinds, tmp_path / "c", seed=0, passes=12)
    monkeypatch.setattr(torch.optim.SGD, "step", real)
    again = train_classifier(two_kinds, tmp_path / "c", seed=0, passes=12).state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in trained[0].state_dict().items())
    with pytest.raises(ValueError, match="holds another training"):
        train_classifier(two_kinds, tmp_path / "c", seed=1, passes=12)


def test_folding_changes_no_answer_and_the_card_says_what_ships(two_kinds, trained, tmp_path):
    classifier, folder = trained
    rgb = torch.rand(3, 3, 33, 47, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fold(classifier)(rgb), classifier(rgb), rtol=1e-4, atol=1e-4)
    card = export(classifier, two_kinds, pd.read_csv(folder / "history.csv"), 0, "a", tmp_path)
    assert card == (tmp_path / "classifier_a.md").read_text() and "--seed 0 --passes 12 --name a" in card
    assert "**Licence** of these weights: Apache-2.0" in card and "which are not known to us" in " ".join(card.split())
    shipped = read_classifier(tmp_path / "classifier_a.safetensors")
    assert shipped.classes == ["apple", "zebra"]
    torch.testing.assert_close(shipped(rgb), classifier(rgb), rtol=0.02, atol=0.02)
    right = answer(shipped, two_kinds, two_kinds.indices("test")).top1.mean()
    assert f"| in colour | {100 * right:.1f} % (" in card


def test_the_command_trains_and_exports(two_kinds, tmp_path, capsys):
    paths = ["--out", str(tmp_path / "out"), "--run", str(tmp_path / "run")]
    command = ["train-classifier", str(two_kinds.folder), "--name", "b", "--seed", "3", "--passes", "1", *paths]
    assert cli.main(command) == 0
    assert "# Classifier b" in capsys.readouterr().out and (tmp_path / "out" / "classifier_b.safetensors").is_file()
    assert (tmp_path / "run" / "checkpoint.pt").is_file()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_command_takes_either_classifier(name):
    options = cli.build_parser().parse_args(["train-classifier", "photos", "--name", name, "--out", "weights"])
    assert (options.name, options.seed, options.passes, options.folder) == (name, 0, 24, None)


def test_photographs_without_classes_cannot_be_learned_from(tiny_scenes, tmp_path):
    with pytest.raises(ValueError, match="has no classes"):
        train_classifier(tiny_scenes, tmp_path / "c")
