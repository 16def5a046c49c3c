"""The store: layout, gathers, split by content, flags, resuming, and every way its files can be bad."""

import dataclasses
import errno
import hashlib
import io
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from skimage.data import astronaut, chelsea, coffee

from colorlib import files
from colorlib.color.lab import rgb8_to_lab8
from colorlib.data import manifest, shards, store, writing
from colorlib.data.arrays import map_npy
from colorlib.data.manifest import split_of
from colorlib.data.shards import write_store
from colorlib.data.store import open_store
from colorlib.data.writing import Record, StoreWriter
from colorlib.files import atomic_path

SIZE = (24, 32)


def record(i: int, size: tuple[int, int] = SIZE, scale: float = 1.0) -> Record:
    rng = np.random.default_rng(i)
    ab8 = np.round(128 + scale * rng.integers(-60, 60, (*size, 2))).astype(np.uint8)
    kinds = np.full(size, i % 7, np.uint8)
    return Record(f"folder/photo {i}.png", 640, 480, rng.integers(0, 256, size, dtype=np.uint8), ab8, kinds)


def make(folder, count=40, **options):
    return write_store(folder, "t", (record(i) for i in range(count)), count, SIZE, {"seed": 0}, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("store") / "t", count=300, kinds=True)


def bytes_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_arrays_on_disk_are_plain_npy_in_kaggle_layout(made):
    """numpy itself reads the files, and finds what was put in."""
    L8, ab8 = np.load(made.folder / "l/gray_scale.npy"), np.load(made.folder / "ab/ab/ab1.npy")
    for i in (0, 7, 299):
        assert np.array_equal(L8[i], record(i).L8) and np.array_equal(ab8[i], record(i).ab8)
    assert len(L8) == len(ab8) == len(made) == 300 and made.size == SIZE


def test_manifest_says_what_the_content_is(made):
    row, one = made.manifest.iloc[5], record(5)
    assert row["sha256"] == hashlib.sha256(one.L8.tobytes() + one.ab8.tobytes()).hexdigest()
    chroma = np.linalg.norm(one.ab8.astype(float) - 128, axis=-1).mean()
    assert row["mean_chroma"] == pytest.approx(chroma, abs=2e-3)
    assert (row["width"], row["height"], row["source"]) == (640, 480, "folder/photo 5.png")
    assert made.manifest["id"].is_unique and made.manifest["id"].str.fullmatch(r"[A-Za-z0-9_-]+").all()


def test_batch_gives_what_was_asked_in_that_order(made):
    wanted = [299, 3, 3, 120]
    batch = made.batch(wanted)
    assert batch.ids == made.manifest["id"].iloc[wanted].tolist()
    assert batch.L.shape == (4, 1, *SIZE) and batch.ab.shape == (4, 2, *SIZE) and batch.L.dtype == torch.float32
    for k, i in enumerate(wanted):
        assert np.allclose(batch.L[k, 0], record(i).L8 * (100 / 255), atol=1e-4)
        assert np.array_equal(batch.ab[k].numpy(), record(i).ab8.transpose(2, 0, 1).astype(np.float32) - 128)
        assert (batch.kinds[k] == i % 7).all()
    with pytest.raises(IndexError, match="0 to 299"):
        made.batch([300])
    assert made.batch([]).L.shape == (0, 1, *SIZE)


def test_ab_files_hold_so_many_photographs_each(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "AB_FILE_ROWS", 7)
    monkeypatch.setattr(shards, "_CHUNK", 5)
    small = make(tmp_path / "t", count=80)
    lengths = [len(np.load(tmp_path / f"t/ab/ab/ab{k}.npy")) for k in range(1, 13)]
    assert lengths == [7] * 11 + [3]
    everything = small.ab8(np.arange(80))
    assert all(np.array_equal(everything[i], record(i).ab8) for i in range(80))
    assert np.array_equal(small.ab8(79), record(79).ab8)


def test_a_store_with_kinds_takes_no_record_without(tmp_path):
    with StoreWriter(tmp_path / "t", "t", SIZE, {}, kinds=True) as writer:
        with pytest.raises(ValueError, match="every record for .* must bring kinds"):
            writer.append([record(0), dataclasses.replace(record(1), kinds=None)])
        writer.append([record(0)])
        writer.finish()
    assert open_store(tmp_path / "t").kinds.shape == (1, *SIZE)


def test_releasing_pages_changes_nothing(made, monkeypatch):
    before = made.batch(range(50))
    monkeypatch.setattr(store, "_RELEASE_BYTES", 0)
    after = [made.batch(range(50)) for _ in range(3)][-1]
    assert torch.equal(before.L, after.L) and torch.equal(before.ab, after.ab)


def test_splits_are_apart_whole_and_about_eight_one_one(made):
    parts = [set(made.indices(split, include_flagged=True)) for split in ("train", "val", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 300
    share = pd.Series(split_of(range(20_000))).value_counts(normalize=True)
    assert share["train"] == pytest.approx(0.8, abs=0.01) and share["val"] == pytest.approx(0.1, abs=0.01)


def test_split_is_of_the_content_alone(made, tmp_path):
    """Other photographs before and after, other names, another order: the same label."""
    again = write_store(tmp_path / "t", "other", (record(i) for i in range(350, 99, -1)), 251, SIZE, {})
    known = made.manifest.set_index("sha256")["split"]
    both = again.manifest.set_index("sha256")["split"].to_frame("now").join(known, how="inner")
    assert len(both) == 200 and (both["now"] == both["split"]).all()


def test_dhash_agrees_with_its_definition():
    """Against area averaging by brute force in fractions."""
    L8 = record(3).L8[None]
    rows, columns = [k * 24 // 8 for k in range(9)], [k * 32 // 9 for k in range(10)]
    cells = [[L8[0, rows[r] : rows[r + 1], columns[c] : columns[c + 1]].mean() for c in range(9)] for r in range(8)]
    bits = "".join("1" if row[c] < row[c + 1] else "0" for row in cells for c in range(8))
    assert int(manifest.dhash(L8)[0]) == int(bits, 2)


def changed_copies(rgb):
    """The same photograph as people have it twice: saved again, made smaller, made brighter."""
    image = Image.fromarray(rgb)
    saved = io.BytesIO()
    image.save(saved, "JPEG", quality=30)
    smaller = image.resize((image.width // 2, image.height // 2)).resize(image.size)
    return [Image.open(saved), smaller, image.point(lambda v: min(255, int(v * 1.05)))]


def test_near_duplicates_give_way_to_the_later_split(monkeypatch, tmp_path):
    """With a split that parts copies by force, train gives way to val and test, val to test, and test to none."""
    photographs = [rgb[:300, :300] for rgb in (astronaut(), chelsea(), coffee())]
    pictures = [np.asarray(p) for rgb in photographs for p in (Image.fromarray(rgb), *changed_copies(rgb))]
    L8, ab8 = rgb8_to_lab8(np.stack([np.asarray(Image.fromarray(p).resize((64, 64))) for p in pictures]))
    labels = ["train", "val", "test", "train", "test", "train", "train", "train", "val", "train", "val", "val"]
    monkeypatch.setattr(manifest, "split_of", lambda hashes: labels)
    records = [Record(f"{i}.png", 300, 300, L8[i], ab8[i]) for i in range(12)]
    written = write_store(tmp_path / "t", "t", iter(records), 12, (64, 64), {}).manifest
    flagged = [i for i, flags in enumerate(written["flags"]) if "near_duplicate" in flags]
    assert flagged == [0, 1, 3, 5, 6, 7, 9]
    assert written["split"].tolist() == labels


def test_unlike_photographs_are_no_near_duplicates(made):
    assert not made.manifest["flags"].str.contains("duplicate").any()


def test_grey_and_duplicates_are_flagged_and_left_out(tmp_path):
    images = [record(i) for i in range(60)]
    images += [record(100 + i, scale=s) for i, s in enumerate((0, 0.02, 0.08, 0.2))] + [record(7)]
    made = write_store(tmp_path / "t", "t", iter(images), 65, SIZE, {})
    flags = made.manifest["flags"].tolist()
    assert flags[60:] == ["grey", "grey", "near_grey", "", "duplicate"] and not any(flags[:60])
    usable = np.concatenate([made.indices(split) for split in manifest.SPLITS])
    assert sorted(usable) == [*range(60), 63]
    assert made.info["counts"]["flags"] == {"duplicate": 1, "grey": 2, "near_grey": 1}
    assert made.info["counts"]["usable"] == sum(made.info["counts"]["splits"].values()) == 61


def test_every_photograph_grey_is_said(tmp_path):
    grey = write_store(tmp_path / "t", "t", (record(i, scale=0) for i in range(30)), 30, SIZE, {})
    with pytest.raises(ValueError, match="no usable photograph in its train split: 30 photographs.*all are grey"):
        grey.indices("train")
    assert len(grey.indices("train", include_flagged=True))


def test_too_few_to_split_is_said(tmp_path):
    tiny = make(tmp_path / "t", count=1)
    empty = next(s for s in manifest.SPLITS if s != tiny.manifest["split"][0])
    with pytest.raises(ValueError, match=f"no usable photograph in its {empty} split: 1 photographs.*add more"):
        tiny.indices(empty)
    with pytest.raises(ValueError, match="unknown split 'trian'; did you mean 'train'"):
        tiny.indices("trian")


def test_ids_never_collide():
    ids = manifest.photograph_ids(["a/x.png", "b/x.png", "b/X.png", "ü?.png", "y" * 300], ["0" * 64] * 5)
    assert ids == ["x-00000000", "x-00000000-2", "X-00000000-3", "photo-00000000", "y" * 40 + "-00000000"]


def test_fingerprint_follows_the_content(tmp_path, made):
    same = make(tmp_path / "same", count=300, kinds=True)
    fewer = make(tmp_path / "fewer", count=299)
    assert same.fingerprint == made.fingerprint != fewer.fingerprint


@pytest.mark.parametrize("stop", [0, 3, 17, 39])
def test_an_interrupted_writer_goes_on_to_the_same_bytes(tmp_path, monkeypatch, stop):
    monkeypatch.setattr(shards, "_CHUNK", 4)
    monkeypatch.setattr(writing, "AB_FILE_ROWS", 9)
    make(tmp_path / "whole")

    def breaking():
        for i in range(40):
            if i == stop:
                raise RuntimeError("pulled the plug")
            yield record(i)

    with pytest.raises(RuntimeError, match="plug"):
        write_store(tmp_path / "broken", "t", breaking(), 40, SIZE, {"seed": 0})
    assert not (tmp_path / "broken").exists()
    # What a kill leaves beyond the journal: rows half written, and half a line.
    partial = tmp_path / "broken.partial"
    for path in partial.rglob("*.npy"):
        with open(path, "ab") as file:
            file.write(b"\x55" * 1000)
    with open(partial / "journal.jsonl", "a") as file:
        file.write('{"rows": [{"sour')
    make(tmp_path / "broken")
    assert bytes_of(tmp_path / "broken") == bytes_of(tmp_path / "whole")
    assert not partial.exists()


def test_killed_between_the_last_file_and_the_new_name(tmp_path):
    make(tmp_path / "t")
    whole = bytes_of(tmp_path / "t")
    (tmp_path / "t").rename(tmp_path / "t.partial")
    (tmp_path / "t.partial/settings.json").write_text("{}")
    make(tmp_path / "t")
    assert bytes_of(tmp_path / "t") == whole


def test_nothing_is_overwritten(tmp_path):
    made = make(tmp_path / "t")
    before = bytes_of(tmp_path / "t")
    with pytest.raises(ValueError, match="made with other settings .seed 0 there, 1 now.*another folder"):
        write_store(tmp_path / "t", "t", iter(()), 40, SIZE, {"seed": 1})
    assert write_store(tmp_path / "t", "t", iter(()), 40, SIZE, {"seed": 0}).fingerprint == made.fingerprint
    assert bytes_of(tmp_path / "t") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/diary.txt").write_text("dear")
    with pytest.raises(ValueError, match="not a prepared data set; choose another"):
        make(tmp_path / "mine")
    (tmp_path / "new.partial").mkdir()
    (tmp_path / "new.partial/diary.txt").write_text("dear")
    with pytest.raises(ValueError, match="no unfinished store"):
        make(tmp_path / "new")
    assert (tmp_path / "new.partial/diary.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "your share of the disk is used up")]
)
def test_disk_full_is_said_and_nothing_is_lost(tmp_path, monkeypatch, number, said):
    real, calls = StoreWriter._write_rows, []
    monkeypatch.setattr(shards, "_CHUNK", 4)

    def full(path, row, values):
        calls.append(path)
        if len(calls) > 7:
            raise OSError(number, "in the system's words")
        real(path, row, values)

    monkeypatch.setattr(StoreWriter, "_write_rows", staticmethod(full))
    with pytest.raises(OSError, match=f"{said}; what was prepared is kept in .*t.partial"):
        make(tmp_path / "t")
    monkeypatch.setattr(StoreWriter, "_write_rows", staticmethod(real))
    with StoreWriter(tmp_path / "t", "t", SIZE, {"seed": 0}) as writer:
        assert writer.done == 12
    make(tmp_path / "t")
    make(tmp_path / "whole")
    assert bytes_of(tmp_path / "t") == bytes_of(tmp_path / "whole")


def test_two_writers_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "exclusive", lambda folder, what: _impatient(folder, what))
    from colorlib.files import exclusive

    def _impatient(folder, what):
        return exclusive(folder, what, patience=0)

    with StoreWriter(tmp_path / "t", "t", SIZE, {"seed": 0}):
        with pytest.raises(BlockingIOError, match="in use by process"):
            make(tmp_path / "t")


def test_records_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="records must be uint8 of size"):
        write_store(tmp_path / "a", "t", iter([record(0, (20, 20))]), 1, SIZE, {})
    with pytest.raises(ValueError, match="was to hold 5 images but 3 were given"):
        write_store(tmp_path / "b", "t", (record(i) for i in range(3)), 5, SIZE, {})
    with pytest.raises(ValueError, match="too small"):
        write_store(tmp_path / "c", "t", iter(()), 1, (8, 8), {})


# ------------------------------------------------------------------------------------------------ bad folders


def saved(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


BAD = {
    "L shape": (lambda f: saved(f / "l/gray_scale.npy", np.zeros((300, 768), "u1")), ValueError, r"\(N, H, W\)"),
    "L dtype": (lambda f: saved(f / "l/gray_scale.npy", np.zeros((300, *SIZE))), ValueError, "holds float64"),
    "L order": (
        lambda f: saved(f / "l/gray_scale.npy", np.zeros((300, *SIZE), "u1", order="F")),
        ValueError,
        "Fortran order",
    ),
    "L length": (lambda f: saved(f / "l/gray_scale.npy", np.zeros((9, *SIZE), "u1")), ValueError, "9 photo.*300 in ab"),
    "L missing": (lambda f: (f / "l/gray_scale.npy").unlink(), FileNotFoundError, "gray_scale.npy is missing"),
    "L truncated": (lambda f: cut(f / "l/gray_scale.npy"), ValueError, "is truncated: its header promises 230,400"),
    "L empty file": (lambda f: (f / "l/gray_scale.npy").write_bytes(b""), ValueError, "not a readable .npy"),
    "L not npy": (lambda f: (f / "l/gray_scale.npy").write_bytes(b"hello" * 99), ValueError, "not a readable .npy"),
    "ab shape": (lambda f: saved(f / "ab/ab/ab1.npy", np.zeros((300, *SIZE, 3), "u1")), ValueError, r"\(n, 24, 32, 2"),
    "ab dtype": (lambda f: saved(f / "ab/ab/ab1.npy", np.zeros((300, *SIZE, 2), "i1")), ValueError, "holds int8"),
    "ab length": (lambda f: saved(f / "ab/ab/ab2.npy", np.zeros((5, *SIZE, 2), "u1")), ValueError, r"\(300 \+ 5\)"),
    "ab missing": (lambda f: (f / "ab/ab/ab1.npy").unlink(), FileNotFoundError, "no ab/ab/ab1.npy"),
    "ab truncated": (lambda f: cut(f / "ab/ab/ab1.npy"), ValueError, "ab1.npy is truncated"),
    "kinds": (lambda f: saved(f / "kinds/kinds.npy", np.zeros((3, *SIZE), "u1")), ValueError, "kinds .* have shape"),
    "json missing": (lambda f: (f / "dataset.json").unlink(), FileNotFoundError, "not a prepared data set"),
    "json damaged": (lambda f: (f / "dataset.json").write_text("{"), ValueError, "dataset.json is damaged"),
    "json a list": (lambda f: (f / "dataset.json").write_text("[]"), ValueError, "dataset.json is damaged"),
    "json format": (lambda f: (f / "dataset.json").write_text('{"format": 9}'), ValueError, "format 9, this version"),
    "no folder": (lambda f: shutil.rmtree(f), FileNotFoundError, "there is no folder"),
}


@pytest.mark.parametrize("damage", BAD)
def test_a_damaged_store_is_named_in_one_sentence(made, tmp_path, damage):
    folder = tmp_path / "t"
    shutil.copytree(made.folder, folder)
    do, kind, words = BAD[damage]
    do(folder)
    with pytest.raises(kind, match=words) as raised:
        open_store(folder)
    message = str(raised.value)
    assert "\n" not in message and not re.search(r"\. [A-Z]", message) and ";" in message


def test_damaged_manifests(made, tmp_path):
    folder = tmp_path / "t"
    shutil.copytree(made.folder, folder)
    lines = (folder / "manifest.csv").read_text().splitlines()
    (folder / "manifest.csv").write_text("\n".join(lines[:50]))
    with pytest.raises(ValueError, match="49 rows for 300 photographs"):
        open_store(folder).indices("train")
    (folder / "manifest.csv").write_text("\n".join([lines[0].replace("split", "splot"), *lines[1:]]))
    with pytest.raises(ValueError, match="columns missing"):
        open_store(folder).batch([0])
    first, second = (line.split(",")[0] for line in lines[1:3])
    for name in ("../../x", "/tmp/x", "a{b}", "", ".x", second):
        (folder / "manifest.csv").write_text("\n".join([lines[0], name + lines[1].removeprefix(first), *lines[2:]]))
        with pytest.raises(ValueError, match="the name of a photograph, the id in .*csv|two photographs of the id"):
            open_store(folder).indices("train")
    (folder / "manifest.csv").unlink()
    with pytest.raises(FileNotFoundError, match="manifest.csv is missing"):
        open_store(folder).indices("train")


def test_a_manifest_in_pieces_says_the_same(made, tmp_path, monkeypatch):
    whole = open_store(made.folder).index
    monkeypatch.setattr(manifest, "_PIECE", 7)
    pieces = open_store(made.folder)
    assert all(np.array_equal(getattr(pieces.index, name), getattr(whole, name)) for name in ("ids", "draw", "marks"))
    assert pieces.manifest.equals(made.manifest) and np.array_equal(pieces.index.split, whole.split)
    shutil.copytree(made.folder, tmp_path / "t")
    first, *lines = (tmp_path / "t" / "manifest.csv").read_text().splitlines()
    lines[250] = lines[3].partition(",")[0] + "," + lines[250].partition(",")[2]
    (tmp_path / "t" / "manifest.csv").write_text("\n".join([first, *lines]))
    with pytest.raises(ValueError, match="manifest.csv has two photographs of the id"):
        open_store(tmp_path / "t").indices("train")


def test_what_cannot_be_written_is_named_and_what_was_there_stays(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").write_text("before")

    def writing(name, error=None):
        with atomic_path(tmp_path / name) as temporary:
            temporary.write_text("after")
            if error:
                raise error

    full, elsewhere = OSError(errno.ENOSPC, "No space left"), FileNotFoundError(errno.ENOENT, "No such file", "other")
    for name, error, named in (
        ("folder", None, str(tmp_path / "folder")),
        ("a", full, str(tmp_path / "a")),
        ("a", elsewhere, "other"),
    ):
        with pytest.raises(OSError, match=f"{named}'$"):
            writing(name, error)
    assert (tmp_path / "a").read_text() == "before" and sorted(os.listdir(tmp_path)) == ["a", "folder"]


def test_what_killed_processes_left_in_the_temporary_directory_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(files.tempfile, "tempdir", str(tmp_path))
    left = {name: tmp_path / f"colorlib-run-{name}" for name in ("killed", "in use", "young", "link")}
    for name in ("killed", "in use", "young"):
        (left[name] / "deep").mkdir(parents=True)
        (left[name] / "deep" / "file").write_text("")
        os.utime(left[name], (0, 0) if name != "young" else None)
    left["link"].symlink_to(tmp_path)
    with files.exclusive(left["in use"], "temporary"):
        os.utime(left["in use"], (0, 0))
        with files.temporary_folder() as folder:
            (folder / "file").write_text("")
            assert {path.name for path in tmp_path.iterdir()} == {
                folder.name,
                *(path.name for name, path in left.items() if name != "killed"),
            }
    assert not folder.exists() and (left["in use"] / "deep" / "file").exists()


def sparse_store(folder, rows):
    """A store of 256×256 photographs whose files take no room on the disk."""
    for path, shape in (("l/gray_scale.npy", (rows, 256, 256)), ("ab/ab/ab1.npy", (rows, 256, 256, 2))):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_bytes(writing.npy_header(shape))
        os.truncate(folder / path, len(writing.npy_header(shape)) + int(np.prod(shape)))
    (folder / "dataset.json").write_text(json.dumps({"format": 1, "name": "huge", "fingerprint": "0"}))
    return open_store(folder)


def test_opening_reads_neither_pixels_nor_manifest(tmp_path):
    """20 GB open: nothing of them is read."""
    huge = sparse_store(tmp_path / "huge", 100_000)
    assert len(huge) == 100_000 and huge.ab8(99_999).shape == (256, 256, 2)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_stays_flat(made, tmp_path):
    """Reading 400 MB leaves at most one release's worth of it resident."""

    def mapped_mb():
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"RssFile:\s+(\d+) kB", status)[1]) / 1024

    large = sparse_store(tmp_path / "large", 2000)
    manifest = pd.concat([made.manifest] * 7)[:2000].assign(id=[f"photo-{n}" for n in range(2000)])
    manifest.to_csv(large.folder / "manifest.csv", index=False)
    large.batch(range(32))
    before = mapped_mb()
    most = 0.0
    for start in range(0, 2000, 32):
        large.batch(range(start, min(start + 32, 2000)))
        most = max(most, mapped_mb() - before)
    assert most < 120


def test_map_inside_a_larger_file(tmp_path):
    np.save(tmp_path / "a.npy", record(0).L8)
    (tmp_path / "b").write_bytes(b"x" * 37 + (tmp_path / "a.npy").read_bytes() + b"y" * 50)
    length = (tmp_path / "a.npy").stat().st_size
    assert np.array_equal(map_npy(tmp_path / "b", 37, length).values, record(0).L8)


def test_a_sample_is_drawn_once_and_for_all(made):
    train = made.indices("train")
    five, nine = made.sample("train", 5), made.sample("train", 9)
    assert len(five) == 5 and set(five) <= set(nine) <= set(train)
    assert list(five) == sorted(five) and list(five) != list(train[:5])
    assert np.array_equal(made.sample("train", 10**6), train)
