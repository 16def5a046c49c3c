"""Opening data by name or path, and the sentences for what cannot be opened."""

import inspect
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from colorlib.data import DATASETS, open_dataset
from colorlib.data.shards import write_store
from colorlib.data.store import open_store
from colorlib.data.writing import Record


def picture_folder(folder):
    folder.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(folder / "a.png")
    return folder


def small_store(folder):
    rng = np.random.default_rng(0)
    L8, ab8 = rng.integers(0, 256, (3, 16, 16), dtype=np.uint8), rng.integers(0, 256, (3, 16, 16, 2), dtype=np.uint8)
    return write_store(folder, "t", (Record(f"{i}", 16, 16, L8[i], ab8[i]) for i in range(3)), 3, (16, 16), {})


def test_scenes_that_another_process_is_rendering_are_waited_for(tmp_path, monkeypatch):
    render = sys.modules["colorlib.data.scenes.render"]  # the package hands on its function of that name
    real, refused = render.write_scenes, []

    def busy_once(*args, **kwargs):
        if not refused:
            refused.append(1)
            raise BlockingIOError("the store folder is in use by process 1")
        return real(*args, **kwargs)

    monkeypatch.setattr(render, "write_scenes", busy_once)
    assert len(open_dataset("scenes", count=4, size=32, seed=3, cache=tmp_path)) == 4 and refused


def test_scenes_are_rendered_on_first_use(tmp_path):
    first = open_dataset("scenes", count=4, size=32, seed=3, cache=tmp_path)
    assert first.folder == tmp_path / "scenes-4x32-seed3" and len(first) == 4 and first.kinds.shape == (4, 32, 32)
    stamp = (first.folder / "l/gray_scale.npy").stat().st_mtime_ns
    again = open_dataset("scenes", count=4, size=32, seed=3, cache=tmp_path)
    assert again.fingerprint == first.fingerprint
    assert (first.folder / "l/gray_scale.npy").stat().st_mtime_ns == stamp


def test_a_prepared_folder_opens_by_path(tmp_path):
    made = small_store(tmp_path / "mine")
    assert open_dataset(tmp_path / "mine").fingerprint == open_dataset(str(tmp_path / "mine")).fingerprint
    assert open_store(tmp_path / "mine").fingerprint == made.fingerprint


def test_a_kaggle_folder_opens_by_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = small_store(tmp_path / "mine")
    for extra in ("dataset.json", "manifest.csv", "skipped.csv"):
        (made.folder / extra).unlink()
    assert open_dataset(tmp_path / "mine").name == "kaggle"


def sentences(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "half.partial").mkdir()
    (tmp_path / "a.txt").write_text("a")
    picture_folder(tmp_path / "pictures")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.write(tmp_path / "pictures/a.png", "a.png")
    small_store(tmp_path / "mine")
    return [
        ("sceens", {}, ValueError, "unknown data set 'sceens'; did you mean 'scenes'"),
        ("fashion_mnist", {}, ValueError, "fashion_mnist cannot be studied: 70,000 grey"),
        ("bundled", {}, ValueError, "bundled cannot be studied: 5 colour photographs"),
        ("scenes", {"cuont": 3}, TypeError, "data set 'scenes' has no option 'cuont'; it has count, size, seed"),
        ("scenes", {"count": "many"}, TypeError, "count of the scenes must be a whole number, not 'many'"),
        ("scenes", {"count": 0}, ValueError, "count"),
        (7, {}, TypeError, "a data set is a name or a path, not 7"),
        (tmp_path / "nowhere", {}, FileNotFoundError, "there is no data set at .*nowhere; known names are bundled"),
        (tmp_path / "half", {}, FileNotFoundError, "is not finished; run the `colorlib prepare` that was interrupted"),
        (tmp_path / "empty", {}, ValueError, "empty holds no pictures .0 other files"),
        (tmp_path / "a.txt", {}, ValueError, "neither a prepared folder nor an archive"),
        (
            tmp_path / "pictures",
            {},
            ValueError,
            "1 photographs that are not prepared yet; run `colorlib prepare .*--out",
        ),
        (tmp_path / "pictures.zip", {}, ValueError, "not prepared yet; run `colorlib prepare .*--out data/pictures"),
        (tmp_path / "mine", {"count": 3}, TypeError, "it takes no options .count"),
    ]


def test_what_cannot_be_opened_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, options, kind, words in sentences(tmp_path):
        with pytest.raises(kind, match=words):
            open_dataset(name, **options)


@pytest.mark.parametrize("name", DATASETS)
def test_entries_are_complete(name):
    dataset = DATASETS[name]
    assert dataset.about.endswith(".") and dataset.licence.endswith(".")
    assert all(p.default is not p.empty for p in inspect.signature(dataset.open).parameters.values())
