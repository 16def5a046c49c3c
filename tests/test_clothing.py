"""The garments: their folders are their labels, prepared once, fetched with git and checked by it."""

import subprocess

import numpy as np
import pytest
from PIL import Image

from colorlib.data import clothing, open_dataset
from colorlib.data.clothing import KINDS, open_clothing


def garments(folder, kinds=KINDS):
    for number, kind in enumerate(kinds):
        for part in ("train", "test"):
            (folder / part / kind).mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng([number, part == "test"]).integers(0, 256, (40, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / part / kind / f"{number}.png")
    return folder


def test_kinds_are_labels_and_it_is_prepared_once(tmp_path):
    data = open_clothing(garments(tmp_path / "clothes"), size=32, cache=tmp_path / "data")
    assert data.name == "clothing" and len(data) == 20 and data.size == (32, 32)
    assert data.classes == sorted(KINDS) and np.bincount(data.labels).tolist() == [2] * 10
    stamp = (data.folder / "l/gray_scale.npy").stat().st_mtime_ns
    again = open_dataset("clothing", path=tmp_path / "clothes", size=32, cache=tmp_path / "data")
    assert again.folder == data.folder and (data.folder / "l/gray_scale.npy").stat().st_mtime_ns == stamp
    assert open_clothing(tmp_path / "clothes", size=16, cache=tmp_path / "data").size == (16, 16)


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="has no folder of dress, hat: it is not the set of garments"):
        open_clothing(garments(tmp_path / "clothes", KINDS[2:]), cache=tmp_path / "data")
    with pytest.raises(FileNotFoundError, match=r"the garments are not at .*; download .* as a zip .*fetch: true"):
        open_clothing(cache=tmp_path / "data")


def test_git_fetches_that_very_version(tmp_path, monkeypatch):
    origin = garments(tmp_path / "origin")
    git = ["git", "-C", str(origin), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "garments"]):
        subprocess.run([*git, *command], check=True)
    version = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    monkeypatch.setattr(clothing, "ADDRESS", str(origin))
    monkeypatch.setattr(clothing, "VERSION", "0" * 40)
    with pytest.raises(FileNotFoundError, match=r"could not be fetched \(.*\); download .* as a zip and give its path"):
        open_clothing(size=32, fetch=True, cache=tmp_path / "data")
    assert not (tmp_path / "data" / "clothing").exists()
    monkeypatch.setattr(clothing, "VERSION", version)
    assert len(open_clothing(size=32, fetch=True, cache=tmp_path / "data")) == 20
    assert not (tmp_path / "data" / "clothing" / ".git").exists()
