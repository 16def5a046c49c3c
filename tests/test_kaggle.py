"""Kaggle's set, opened in place: decoding against OpenCV, folders and zips, and every way it can be bad."""

import re
import shutil
import sys
import types
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut, chelsea, coffee

from colorlib.color.lab import lab_to_rgb
from colorlib.data import kaggle
from colorlib.data.kaggle import open_kaggle

SHARED = Path(__file__).parents[2] / "shared" / "data" / "kaggle-sample"


def opencv_set(folder: Path) -> np.ndarray:
    """Make a set of ten as its author made the 25,000: OpenCV's 8-bit Lab of crops. Returns their RGB."""
    crops = [
        p[y : y + 64, x : x + 64] for p in (astronaut(), chelsea(), coffee()) for y, x in ((0, 0), (60, 90), (150, 200))
    ]
    rgb = np.stack([*crops, coffee()[100:164, 300:364]])
    lab = np.stack([cv2.cvtColor(photo, cv2.COLOR_RGB2LAB) for photo in rgb])
    (folder / "l").mkdir(parents=True)
    (folder / "ab/ab").mkdir(parents=True)
    np.save(folder / "l/gray_scale.npy", lab[..., 0])
    for number, rows in enumerate((slice(0, 4), slice(4, 8), slice(8, 10)), start=1):
        np.save(folder / f"ab/ab/ab{number}.npy", lab[rows, ..., 1:])
    return rgb


@pytest.fixture
def made(tmp_path):
    return tmp_path / "set", opencv_set(tmp_path / "set")


def zipped(folder: Path, path: Path, compression: int, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*.npy")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def listing(folder: Path):
    return {p.relative_to(folder): (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*")}


def decoded(data) -> np.ndarray:
    batch = data.batch(range(len(data)))
    return (lab_to_rgb(_lab(batch)).permute(0, 2, 3, 1).numpy() * 255).round().astype(int)


def _lab(batch):
    import torch

    return torch.cat([batch.L, batch.ab], 1)


def assert_opencv(data, rgb):
    """As OpenCV decodes the same bytes, within its tables' rounding; and the originals within 8 bits of Lab."""
    everything = np.arange(len(data))
    lab8 = np.concatenate([data.L8[everything][..., None], data.ab8(everything)], -1)
    opencv = np.stack([cv2.cvtColor(one, cv2.COLOR_LAB2RGB) for one in lab8]).astype(int)
    ours = decoded(data)
    near = np.abs(ours - opencv)
    assert near.mean() < 0.5 and np.quantile(near, 0.999) <= 3
    # No decoder can be nearer to the originals than 8-bit Lab allows: ours must do as well as OpenCV's own.
    assert np.abs(ours - rgb).mean() < np.abs(opencv - rgb).mean() + 0.1 < 1.6


def test_decodes_as_opencv(made, tmp_path):
    folder, rgb = made
    data = open_kaggle(folder, cache=tmp_path / "cache")
    assert len(data) == 10 and data.size == (64, 64) and data.name == "kaggle"
    assert_opencv(data, rgb)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_the_real_layout_decodes_to_its_originals(tmp_path):
    data = open_kaggle(SHARED, cache=tmp_path)
    assert len(data) == 16 and data.size == (224, 224)
    files = sorted((SHARED / "rgb").glob("*.png"))
    assert_opencv(data, np.stack([cv2.imread(str(file))[..., ::-1] for file in files]).astype(int))


def test_nothing_is_written_into_the_folder_and_nothing_copied(made, tmp_path):
    folder, _ = made
    before = listing(folder)
    data = open_kaggle(folder, cache=tmp_path / "cache")
    assert listing(folder) == before
    assert not list((tmp_path / "cache").rglob("*.npy"))
    assert data.manifest["id"].str.match(r"0000\d-[0-9a-f]{8}").all()
    assert data.info["counts"]["photographs"] == 10


def test_the_second_opening_reads_the_manifest_it_made(made, tmp_path, monkeypatch):
    folder, _ = made
    first = open_kaggle(folder, cache=tmp_path / "cache")
    monkeypatch.setattr(kaggle, "describe", None)
    again = open_kaggle(folder, cache=tmp_path / "cache")
    assert again.manifest.equals(first.manifest) and again.fingerprint == first.fingerprint
    np.save(folder / "l/gray_scale.npy", 255 - np.load(folder / "l/gray_scale.npy"))
    with pytest.raises(TypeError):  # changed arrays are described anew
        open_kaggle(folder, cache=tmp_path / "cache")


@pytest.mark.parametrize("place", ["archive", "image-colorization"])
def test_the_folder_above_is_accepted(tmp_path, place):
    opencv_set(tmp_path / "down" / place)
    assert len(open_kaggle(tmp_path / "down", cache=tmp_path / "cache")) == 10


@pytest.mark.parametrize("prefix", ["", "archive/"])
def test_zip_stored_is_mapped_in_place(made, tmp_path, prefix):
    folder, rgb = made
    path = zipped(folder, tmp_path / "a.zip", zipfile.ZIP_STORED, prefix)
    data = open_kaggle(path, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.npy"))
    assert data.manifest.equals(open_kaggle(folder, cache=tmp_path / "cache").manifest)
    assert np.array_equal(data.ab8(9), np.load(folder / "ab/ab/ab3.npy")[1])


def test_zip_compressed_is_unpacked_once(made, tmp_path, monkeypatch):
    folder, _ = made
    path = zipped(folder, tmp_path / "a.zip", zipfile.ZIP_DEFLATED)
    data = open_kaggle(path, cache=tmp_path / "cache")
    assert data.manifest.equals(open_kaggle(folder, cache=tmp_path / "cache").manifest)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 4
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    assert len(open_kaggle(path, cache=tmp_path / "cache")) == 10


def test_zip_in_the_default_folder(made, tmp_path, monkeypatch):
    folder, _ = made
    (tmp_path / "data/kaggle").mkdir(parents=True)
    zipped(folder, tmp_path / "data/kaggle/archive.zip", zipfile.ZIP_STORED)
    monkeypatch.chdir(tmp_path)
    assert len(open_kaggle()) == 10


def test_ten_files_are_in_the_order_of_their_numbers(made, tmp_path):
    folder, _ = made
    ab = np.concatenate([np.load(folder / f"ab/ab/ab{k}.npy") for k in (1, 2, 3)])
    for k in range(10):
        np.save(folder / f"ab/ab/ab{k + 1}.npy", ab[k : k + 1])
    assert np.array_equal(open_kaggle(folder, cache=tmp_path / "cache").ab8(np.arange(10)), ab)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


BAD = {
    "ab2 missing": (
        lambda f: (f / "ab/ab/ab2.npy").unlink(),
        ValueError,
        r"10 photographs in L but 6 in ab \(4 \+ 2\)",
    ),
    "no ab": (lambda f: shutil.rmtree(f / "ab"), FileNotFoundError, "no ab/ab/ab1.npy"),
    "no l": (lambda f: shutil.rmtree(f / "l"), FileNotFoundError, "holds no l/gray_scale.npy"),
    "truncated": (lambda f: cut(f / "ab/ab/ab3.npy"), ValueError, "ab3.npy is truncated"),
    "float": (lambda f: np.save(f / "l/gray_scale.npy", np.zeros((10, 64, 64))), ValueError, "holds float64"),
    "size": (lambda f: np.save(f / "ab/ab/ab1.npy", np.zeros((4, 32, 32, 2), "u1")), ValueError, "has shape"),
    "gone": (
        lambda f: shutil.rmtree(f),
        FileNotFoundError,
        "is not at .*; download it from .*fetch: true",
    ),
}


@pytest.mark.parametrize("damage", BAD)
def test_bad_folders_are_named_in_one_sentence(made, tmp_path, damage):
    do, kind, words = BAD[damage]
    do(made[0])
    with pytest.raises(kind, match=words) as raised:
        open_kaggle(made[0], cache=tmp_path / "cache")
    assert not re.search(r"\. [A-Z]|\n", str(raised.value))


def test_bad_zips_are_named(made, tmp_path):
    folder, _ = made
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="a.zip is no readable zip"):
        open_kaggle(tmp_path / "a.zip", cache=tmp_path / "cache")
    path = zipped(folder, tmp_path / "b.zip", zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    data[2000:2100] = bytes(100)
    path.write_bytes(data)
    with pytest.raises((ValueError, OSError), match="b.zip is damaged"):
        open_kaggle(path, cache=tmp_path / "cache")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("holiday.jpg", b"x")
    with pytest.raises(FileNotFoundError, match="c.zip holds no l/gray_scale.npy"):
        open_kaggle(tmp_path / "c.zip", cache=tmp_path / "cache")


def test_an_interrupted_first_opening_leaves_nothing_half(made, tmp_path, monkeypatch):
    folder, _ = made
    with monkeypatch.context() as patch:
        patch.setattr(kaggle, "write_manifest", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            open_kaggle(folder, cache=tmp_path / "cache")
    assert len(open_kaggle(folder, cache=tmp_path / "cache").manifest) == 10


def test_fetching(made, tmp_path, monkeypatch):
    asked = []

    def dataset_download(handle):
        asked.append(handle)
        return str(made[0])

    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(dataset_download=dataset_download))
    assert len(open_kaggle(fetch=True, cache=tmp_path / "cache")) == 10
    assert asked == ["shravankumar9892/image-colorization"]
    with pytest.raises(FileNotFoundError):
        open_kaggle(cache=tmp_path / "cache")
    assert len(asked) == 1  # never fetched unasked

    def offline(handle):
        raise ConnectionError("no route\nto host")

    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(dataset_download=offline))
    with pytest.raises(FileNotFoundError, match=r"could not be fetched \(no route to host\); download it by hand from"):
        open_kaggle(fetch=True, cache=tmp_path / "cache")
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(FileNotFoundError, match="needs kagglehub .pip install kagglehub.; or download it by hand"):
        open_kaggle(fetch=True, cache=tmp_path / "cache")
