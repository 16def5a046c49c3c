"""Stores in shards: what one store of all photographs would say, resumed by shard, and usable where a shard is not."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from colorlib.data import open_dataset, shards
from colorlib.data.duplicates import NEAR_DUPLICATE_BITS, NEAR_DUPLICATE_RMSE, has_near_duplicate
from colorlib.data.photos import prepare_photographs
from colorlib.data.shards import write_store
from colorlib.data.store import LabArrays, open_store
from colorlib.data.writing import Record
from colorlib.studies.study import describe_data, prepare_study

SIDE = 16
COUNT = 90


def record(i: int) -> Record:
    """Noise, of which some are grey, some equal (under names that collide) and some nearly so."""
    rng = np.random.default_rng(7 if i in (11, 71) else i % 80)
    L8, scale = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8), 0 if i % 13 == 5 else 1
    ab8 = (128 + scale * rng.integers(-60, 60, (SIDE, SIDE, 2))).astype(np.uint8)
    if i >= 80:
        L8 = np.clip(L8.astype(int) + rng.integers(-6, 7, L8.shape), 0, 255).astype(np.uint8)
    flags = ("upscaled",) if i % 17 == 0 else ()
    return Record(f"class{i % 3}/photo.png", 64, 48, L8, ab8, np.full((SIDE, SIDE), i % 5, np.uint8), flags)


def write(folder: Path, records: Iterator[Record] | None = None) -> LabArrays:
    records = (record(i) for i in range(COUNT)) if records is None else records
    return write_store(folder, "t", records, COUNT, (SIDE, SIDE), {"seed": 0}, kinds=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> LabArrays:
    return write(tmp_path_factory.mktemp("whole") / "t")


@pytest.fixture
def of_25(monkeypatch) -> None:
    monkeypatch.setattr(shards, "SHARD_PHOTOGRAPHS", 25)
    monkeypatch.setattr(shards, "_CHUNK", 10)


def bytes_of(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_shards_say_what_one_store_says(whole, of_25, tmp_path):
    made = write(tmp_path / "t")
    assert sorted(p.name for p in made.folder.iterdir()) == [
        "dataset.json",
        "index",
        *(f"shard-000{k}" for k in (1, 2, 3, 4)),
        "skipped.csv",
    ]
    assert "shards" not in whole.info and [shard["photographs"] for shard in made.info["shards"]] == [25, 25, 25, 15]
    flags = ";".join(whole.manifest["flags"])
    assert all(word in flags for word in ("near_duplicate", "grey", "upscaled")) and "duplicate" in flags.split(";")
    assert whole.manifest["id"].str.fullmatch(r"photo-\w{8}-2").any()  # a name that stands in two shards
    pd.testing.assert_frame_equal(made.manifest, whole.manifest)
    assert made.fingerprint == whole.fingerprint and made.info["counts"] == whole.info["counts"]
    assert {key: made.info[key] for key in whole.info} == {**whole.info, "format": 2} and whole.info["format"] == 1
    assert made.flags == whole.flags == made.info["counts"]["flags"]
    assert made.classes == whole.classes == ["class0", "class1", "class2"]
    assert np.array_equal(made.labels, whole.labels) and made.labels.dtype == np.int64
    for split in ("train", "val", "test"):
        assert np.array_equal(made.indices(split), whole.indices(split))
        assert np.array_equal(made.sample(split, 5), whole.sample(split, 5))
    wanted = [89, 24, 25, 3, 3, 50]
    ours, theirs = made.batch(wanted), whole.batch(wanted)
    assert ours.ids == theirs.ids and torch.equal(ours.labels, theirs.labels)
    assert all(torch.equal(getattr(ours, name), getattr(theirs, name)) for name in ("L", "ab", "kinds"))


def test_opening_and_training_read_no_manifest(whole, of_25, tmp_path, monkeypatch):
    folder = write(tmp_path / "t").folder
    for path in folder.rglob("manifest.csv"):
        path.unlink()
    data = open_dataset(folder)
    assert data.batch(data.sample("train", 9)).ids == whole.batch(whole.sample("train", 9)).ids
    assert torch.equal(data.class_prior, whole.class_prior)
    assert {**describe_data(data), "folder": "", "info": ""} == {**describe_data(whole), "folder": "", "info": ""}


def test_a_shard_is_a_store(whole, of_25, tmp_path):
    third = open_store(write(tmp_path / "t").folder / "shard-0003")
    assert np.array_equal(third.ab8(np.arange(25)), whole.ab8(np.arange(50, 75)))


def test_what_is_finished_is_not_made_again(of_25, tmp_path, monkeypatch):
    """Killed in the third shard: the first two are not touched, and the result is that of an undisturbed run."""
    write(tmp_path / "undisturbed")

    def breaking() -> Iterator[Record]:
        yield from (record(i) for i in range(62))
        raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="plug"):
        write(tmp_path / "t", breaking())
    partial = tmp_path / "t.partial"
    assert not (tmp_path / "t").exists() and (partial / "shard-0003.partial" / "journal.jsonl").exists()
    before = {path: path.stat().st_mtime_ns for k in (1, 2) for path in (partial / f"shard-000{k}").rglob("*.*")}
    monkeypatch.setattr(shards, "_join", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "t")
    assert before and before == {path: path.stat().st_mtime_ns for path in before}
    monkeypatch.undo()
    monkeypatch.setattr(shards, "SHARD_PHOTOGRAPHS", 25)
    write(tmp_path / "t", iter(()))  # nothing is read again: all shards are finished
    assert bytes_of(tmp_path / "t") == bytes_of(tmp_path / "undisturbed") and not partial.exists()


def test_killed_between_the_last_file_and_the_new_name(of_25, tmp_path):
    before = bytes_of(write(tmp_path / "t").folder)
    (tmp_path / "t").rename(tmp_path / "t.partial")
    for half in ("index/.marks.npy.4711.tmp", "shard-0002/.dataset.json.4711.tmp"):  # killed while it wrote them, too
        (tmp_path / "t.partial" / half).touch()
    write(tmp_path / "t", iter(()))
    assert bytes_of(tmp_path / "t") == before


def test_a_store_that_another_process_has_just_written_is_taken_as_it_is(of_25, tmp_path, monkeypatch):
    before = bytes_of(write(tmp_path / "theirs").folder)

    @contextlib.contextmanager
    def waited_for(partial, what):
        (tmp_path / "theirs").rename(tmp_path / "t")
        yield

    monkeypatch.setattr(shards, "exclusive", waited_for)
    write(tmp_path / "t", iter(()))
    assert bytes_of(tmp_path / "t") == before and not (tmp_path / "t.partial").exists()


def test_nothing_is_overwritten(of_25, tmp_path):
    before = bytes_of(write(tmp_path / "t").folder)
    with pytest.raises(ValueError, match="made with other settings .seed 0 there, 1 now"):
        write_store(tmp_path / "t", "t", iter(()), COUNT, (SIDE, SIDE), {"seed": 1}, kinds=True)
    assert bytes_of(tmp_path / "t") == before
    for name in ("mine", "new.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "diary.txt").write_text("dear")
    with pytest.raises(ValueError, match="is not a prepared data set; choose another"):
        write(tmp_path / "mine")
    with pytest.raises(ValueError, match="belongs to no unfinished store; move it away"):
        write(tmp_path / "new")


def test_a_long_store_of_before_goes_on_as_it_began(whole, tmp_path, monkeypatch):
    """In one folder, which is how it was begun when no store was in shards; and a finished one is opened as it is."""

    def breaking() -> Iterator[Record]:
        yield from (record(i) for i in range(62))
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(shards, "_CHUNK", 10)
    with pytest.raises(RuntimeError, match="plug"):
        write(tmp_path / "t", breaking())
    monkeypatch.setattr(shards, "SHARD_PHOTOGRAPHS", 25)
    assert "shards" not in write(tmp_path / "t").info and bytes_of(tmp_path / "t") == bytes_of(whole.folder)
    assert write(tmp_path / "t", iter(())).fingerprint == whole.fingerprint


DAMAGE = {
    "missing": (lambda f: shutil.rmtree(f), "has no ab/ab/ab1.npy"),
    "cut": (lambda f: (f / "ab/ab/ab1.npy").write_bytes((f / "ab/ab/ab1.npy").read_bytes()[:-9]), "is truncated"),
    "another's": (
        lambda f: (f / "dataset.json").write_text(
            (f / "dataset.json").read_text().replace('fingerprint": "', 'fingerprint": "x')
        ),
        "of another data set",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_shard_that_cannot_be_used_is_named_and_the_rest_is_usable(whole, of_25, tmp_path, damage):
    folder = write(tmp_path / "t").folder
    do, words = DAMAGE[damage]
    do(folder / "shard-0002")
    with pytest.raises(ValueError, match=rf"shard-0002 of the 4 shards of .*{words}.*65 other .*allow_missing=True"):
        open_dataset(folder)
    rest = open_dataset(folder, allow_missing=True)
    kept = np.r_[:25, 50:90]
    assert len(rest) == 65 and rest.info["missing"] == ["shard-0002"] and rest.fingerprint != whole.fingerprint
    again = open_dataset(rest.source)
    assert again.fingerprint == rest.fingerprint == open_dataset(folder, allow_missing=True).fingerprint
    assert not [*rest.source.rglob("gray_scale.npy")] and rest.source.parent == folder.parent
    expected = whole.manifest.iloc[kept].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest.manifest, expected)
    ours, theirs = rest.batch([64, 25, 24]), whole.batch([89, 50, 24])
    assert ours.ids == theirs.ids and torch.equal(ours.ab, theirs.ab) and torch.equal(ours.labels, theirs.labels)
    assert kept[rest.indices("train")].tolist() == [i for i in whole.indices("train") if i in kept]
    usable = sum(len(rest.indices(split)) for split in ("train", "val", "test"))
    assert rest.info["counts"]["usable"] == usable and rest.flags["grey"] == expected["flags"].str.count("grey").sum()


def test_a_shard_that_is_not_there_is_written_anew(of_25, tmp_path):
    folder = write(tmp_path / "t").folder
    before = bytes_of(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if "shard-0003" not in path.parts}
    shutil.rmtree(folder / "shard-0003")

    def breaking() -> Iterator[Record]:
        yield from (record(i) for i in range(62))
        raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="plug"):
        write(folder, breaking())
    assert len(write(folder)) == COUNT and bytes_of(folder) == before
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_a_study_does_without_a_shard_if_its_file_says_so(of_25, tmp_path):
    folder = write(tmp_path / "t").folder
    shutil.rmtree(folder / "shard-0002")
    file = tmp_path / "study.yml"
    about = f"title: Rest\ndata: {{folder: {folder}, allow_missing: %s}}\nrows: [notebook: 10_baselines]"
    file.write_text(about % "false")
    with pytest.raises(ValueError, match="shard-0002 of the 4 shards.*allow_missing: true"):
        prepare_study(file, runs=tmp_path)
    file.write_text(about % "true")
    study = prepare_study(file, runs=tmp_path)[1]
    assert study["data"]["info"]["missing"] == ["shard-0002"]
    assert len(open_dataset(study["rows"][0]["parameters"]["DATA"])) == 65  # as a row's own process opens it


def test_what_is_left_can_lose_a_shard_too(of_25, tmp_path, monkeypatch):
    folder = write(tmp_path / "t").folder
    monkeypatch.chdir(folder)  # a path without a name
    shutil.rmtree("shard-0002")
    rest = open_dataset(Path("."), allow_missing=True)
    shutil.rmtree("shard-0004")
    with pytest.raises(ValueError, match=r"\.\./t/shard-0004 of the 3 shards of .*t-rest-.* cannot be used"):
        open_dataset(rest.source)
    less = open_dataset(rest.source, allow_missing=True)
    assert len(less) == 50 and less.info["missing"] == ["shard-0002", "../t/shard-0004"]
    assert less.ids(np.arange(50)) == rest.ids(np.arange(50))


def test_no_shard_left(of_25, tmp_path):
    folder = write(tmp_path / "t").folder
    for path in folder.glob("shard-*"):
        shutil.rmtree(path)
    with pytest.raises(ValueError, match="shard-0001, shard-0002, shard-0003 … of the 4 shards"):
        open_dataset(folder, allow_missing=True)


@pytest.mark.parametrize("column", ["ids", "split", "classes"])
def test_a_damaged_index_is_named(of_25, tmp_path, column):
    folder = write(tmp_path / "t").folder
    path = folder / "index" / (f"{column}.json" if column == "classes" else f"{column}.npy")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match=f"{path.name} is (truncated|damaged)"):
        open_dataset(folder)
    if column == "split":
        np.save(path, np.zeros(7, np.uint8))
        with pytest.raises(ValueError, match="split.npy has 7 rows for 90 photographs"):
            open_dataset(folder)


def test_an_id_that_may_name_no_file_is_refused(of_25, tmp_path):
    folder = write(tmp_path / "t").folder
    ids = np.load(folder / "index" / "ids.npy")
    ids[3] = np.frombuffer(b"../../x".ljust(ids.shape[1], b"\0"), np.uint8)
    np.save(folder / "index" / "ids.npy", ids)
    with pytest.raises(ValueError, match="the name of a photograph, the id in its data set"):
        open_dataset(folder).batch([3])


def test_photographs_in_shards_are_prepared_as_in_one_folder(tmp_path, monkeypatch):
    """With files that cannot be used, among them all of one shard."""
    source = tmp_path / "in"
    source.mkdir()
    for i in range(12):
        noise = np.random.default_rng(i).integers(0, 256, (5, 5, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((40, 40), Image.Resampling.BICUBIC).save(source / f"p{i:02d}.png")
        if i in (1, 4, 5, 6, 7):
            (source / f"p{i:02d}.png").write_bytes(b"no photograph")
    one = prepare_photographs(source, tmp_path / "one", size=32, workers=1, name="n")
    monkeypatch.setattr(shards, "SHARD_PHOTOGRAPHS", 4)
    made = prepare_photographs(source, tmp_path / "made", size=32, workers=1, name="n")
    assert [shard["folder"] for shard in made.info["shards"]] == ["shard-0001", "shard-0003"]
    pd.testing.assert_frame_equal(made.manifest, one.manifest)
    assert (made.folder / "skipped.csv").read_bytes() == (one.folder / "skipped.csv").read_bytes()
    assert made.info["counts"] == one.info["counts"] and made.fingerprint == one.fingerprint
    for path in source.iterdir():
        path.write_bytes(b"no photograph")
    with pytest.raises(ValueError, match="no photograph could be used, 12 were skipped; the first, p00.png"):
        prepare_photographs(source, tmp_path / "none", size=32, workers=1)
    assert not (tmp_path / "none.partial").exists()


def test_near_duplicates_are_those_of_all_pairs():
    """Hashes around some centres, so that distances of 0 to 20 bits abound; compared with every pair."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 150, dtype=np.uint64)[rng.integers(0, 150, 900)]
    for _ in range(10):
        hashes ^= (rng.random(900) < 0.7).astype(np.uint64) << rng.integers(0, 64, 900, dtype=np.uint64)
    small = (128 + rng.integers(-30, 31, (900, 1)) + rng.integers(-5, 6, (900, 256))).astype(np.uint8)
    ones, others = np.arange(0, 500), np.arange(500, 900)
    bits = np.bitwise_count(hashes[ones, None] ^ hashes[others])
    rmse = np.sqrt(((small[ones, None].astype(float) - small[others]) ** 2).mean(axis=2)) / 2.55
    expected = ((bits <= NEAR_DUPLICATE_BITS) & (rmse <= NEAR_DUPLICATE_RMSE)).any(axis=1)
    assert 0.2 < expected.mean() < 0.95 and ((bits == NEAR_DUPLICATE_BITS) & (rmse <= NEAR_DUPLICATE_RMSE)).any()
    assert np.array_equal(has_near_duplicate(hashes, small, ones, others), expected)
    assert not has_near_duplicate(hashes, small, ones, others[:0]).any()
