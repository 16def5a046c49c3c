"""Batches: what becomes of each photograph is said, one file never ends the others, and nothing of a user's is lost."""

import errno
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import colorlib
from colorlib import cli
from colorlib.color.lab import rgb_to_lab
from colorlib.deployment import batch, loading
from colorlib.deployment.batch import colorize_files
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.recipe import Recipe
from colorlib.models import create_model
from colorlib.objectives import create_objective
from colorlib.pictures.caption import caption
from colorlib.pictures.mark import read_mark
from colorlib.pictures.reading import read_picture

GREY = np.tile(np.linspace(20, 230, 60).astype(np.uint8), (40, 1))
SEPIA = (GREY[..., None] * np.array([1.0, 0.9, 0.7])).astype(np.uint8)
COLOUR = np.random.default_rng(0).integers(0, 256, (4, 6, 3)).astype(np.uint8).repeat(10, 0).repeat(10, 1)


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    network = create_model("plain_cnn", 2, filters=4)
    torch.nn.init.constant_(list(network.parameters())[-1], 0.2)
    return PhotoColorizer(Recipe("tiny", "", 16, "plain_cnn"), network, create_objective("l2"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def album(here):
    """Good and bad photographs, two of one stem, one in a subfolder."""
    Path("album/attic").mkdir(parents=True)
    image = Image.fromarray(GREY)
    for name in ("a.jpg", "a.png", "attic/a.webp", "b.gif"):
        image.save(f"album/{name}")
    Image.fromarray(SEPIA).save("album/sepia.png")
    Image.fromarray(COLOUR).save("album/colour.jpg")
    whole = Path("album/a.jpg").read_bytes()
    Path("album/broken.jpg").write_bytes(whole[: len(whole) - 60])
    Path("album/notes.txt").write_text("not a photograph")
    return Path("album")


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def targets(results, folder="out"):
    return {r.target.relative_to(folder).as_posix() for r in results if r.target and not r.was_there}


def test_a_folder(album, tiny):
    before = files(album)
    results = colorize_files(tiny, [album], "out", compare=True)
    made = targets(results)
    assert made == {"a.jpg", "a.png", "attic/a.webp", "b.png", "sepia.png"}
    reasons = {r.source.name: r.error for r in results if r.error}
    assert set(reasons) == {"broken.jpg", "colour.jpg"} and "--force" in reasons["colour.jpg"]
    assert [r.source.name for r in results if any("toned" in note for note in r.notes)] == ["sepia.png"]
    assert before == files(album) and len(files("out")) == 10
    for name in made:
        with Image.open(f"out/{name}") as image, Image.open(f"out/{name}-compare.jpg") as both:
            assert image.size == (60, 40) and image.mode == "RGB" and both.width > 2 * 60
        mark = read_mark(f"out/{name}")
        assert (mark.model, mark.version) == ("tiny", colorlib.__version__) and mark == read_mark(
            f"out/{name}-compare.jpg"
        )
    np.testing.assert_array_equal(np.asarray(Image.open("out/a.png")), tiny.colorize(GREY))


def test_resuming_is_of_the_same_photograph_model_and_settings(album, tiny):
    def again(**settings):
        return targets(colorize_files(tiny, ["album/a.jpg", "album/a.png"], "out", **settings))

    everything = {"a.jpg", "a.png"}
    assert again() == everything and again(resume=True) == set()
    first = files("out")
    assert again(resume=True, compare=True) == everything and again(resume=True, compare=True) == set()
    assert again(resume=True, saturation=0.5) == everything and again(resume=True, saturation=0.5) == set()
    assert again() == everything and first.items() <= files("out").items()  # the same bytes as at first
    Image.fromarray(255 - GREY).save("album/a.png")
    os.utime("album/a.png", ns=(0, 0))  # older than its result, and another photograph
    assert again(resume=True) == {"a.png"}


def test_nothing_but_results_is_replaced(album, tiny):
    Path("out").mkdir()
    shutil.copy("album/colour.jpg", "out/a.jpg")
    shutil.copy("album/colour.jpg", "out/a.png-compare.jpg")
    mine = files("out")
    for _ in range(2):
        results = colorize_files(tiny, ["album/a.jpg", "album/a.png"], "out", compare=True)
        assert targets(results) == {"a-coloured.jpg", "a.png"}
        assert "a.jpg is taken" in results[0].notes[0]
        assert mine.items() <= files("out").items() and len(files("out")) == 6
    assert not targets(colorize_files(tiny, ["album/a.jpg", "album/a.png"], "out", compare=True, resume=True))


def test_one_file_never_ends_a_batch(album, tiny, monkeypatch):
    def write(path, strips, like, mark, real=batch.write_picture):
        if path.name in raised:
            raise raised[path.name]
        real(path, strips, like, mark)

    monkeypatch.setattr(batch, "write_picture", write)
    raised = {
        "a.jpg": ValueError("EXIF data is too long"),
        "a.png": MemoryError(),
        "a.webp": RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        "b.png": OSError(errno.ENAMETOOLONG, "File name too long"),
    }
    results = colorize_files(tiny, [album], "out")
    assert targets(results) == {"sepia.png"}
    errors = {r.source.name: r.error for r in results if r.error}
    assert errors["a.jpg"] == "album/a.jpg cannot be coloured: EXIF data is too long."
    assert "memory does not suffice" in errors["a.png"] and "can't allocate" in errors["a.webp"]
    assert "out/b.png cannot be written: File name too long." in errors["b.gif"]


def test_ctrl_c_and_a_full_disk_leave_whole_files(album, tiny, monkeypatch):
    def first_strip_only(strips):
        yield next(strips)
        raise ending

    def interrupted(path, strips, like, mark, real=batch.write_picture):
        calls.append(path)
        real(path, first_strip_only(strips) if len(calls) == 2 else strips, like, mark)

    monkeypatch.setattr(batch, "write_picture", interrupted)
    for ending in (KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EROFS, "")):
        calls: list[Path] = []
        out = f"{type(ending).__name__}{ending}"
        with pytest.raises(type(ending)):
            colorize_files(tiny, [album], out)
        (name,) = files(out)
        Image.open(f"{out}/{name}").load()


def test_a_closed_folder_ends_a_batch_and_a_closed_photograph_does_not(album, tiny, monkeypatch):
    def closed(path, strips, like, mark):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(batch, "write_picture", closed)
    with pytest.raises(PermissionError):
        colorize_files(tiny, ["album/a.jpg", "album/a.png"], "out")  # which is not there and cannot be made
    Path("out").mkdir()
    for out in ("out", None):  # where others can still be written
        results = colorize_files(tiny, ["album/a.jpg", "album/a.png"], out)
        assert len(results) == 2 and all("Permission denied" in r.error for r in results)


def test_16_bits_and_alpha_through_files(here, tiny):
    deep = (GREY.astype(np.uint16) * 257) ^ 3
    Image.fromarray(deep).save("deep.tif")
    Image.fromarray(np.dstack([GREY, 255 - GREY])).save("soft.png")
    deeper, softer = (r.target for r in colorize_files(tiny, ["deep.tif", "soft.png"], "out"))
    picture = read_picture(deeper)
    assert picture.pixels.dtype == np.uint16 and picture.pixels.shape == (*GREY.shape, 3)
    L = rgb_to_lab(torch.from_numpy(np.repeat(deep[..., None], 3, 2) / 65535).permute(2, 0, 1)[None])[:, :1]
    assert (picture.lightness() - L).abs().max() < 0.02
    np.testing.assert_array_equal(np.asarray(Image.open(softer))[..., 3], 255 - GREY)


def test_a_zip_and_names_that_are_not_utf_8(album, tiny):
    with zipfile.ZipFile("box.zip", "w") as archive:
        archive.write("album/a.png", "1912/a.png")
        archive.write("album/broken.jpg", "broken.jpg")
    Path("caf\udce9.jpg").write_bytes(Path("album/a.jpg").read_bytes())
    Image.open("album/a.jpg").save("scan.tif")
    Path("scan.tif").rename("caf\udce9.tif")
    results = colorize_files(tiny, ["box.zip", "caf\udce9.jpg", "caf\udce9.tif"])
    wanted = {"box-coloured/1912/a.png", "None", "caf\udce9-coloured.jpg", "caf\udce9-coloured.tif"}
    assert {str(r.target) for r in results} == wanted
    (error,) = (r.error for r in results if r.error)
    assert error.startswith("box.zip/broken.jpg cannot be coloured: ")


def test_the_visible_mark(album, tiny):
    (plain,) = colorize_files(tiny, ["album/a.png"], "plain", mark=True)
    assert plain.notes == ["It is too small for the words 'coloured by a machine'."]
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535)):
        for level in (0, white):
            flat = np.full((1000, 700, 3), level, dtype)
            written = np.concatenate(list(caption(np.array_split(flat, 9), (1000, 700), batch.WORDS)))
            rows, columns = np.nonzero((written != flat).any(2))
            assert np.ptp(written[rows, columns]) > 0.99 * white  # letters and rim differ from each other
            assert rows.min() > 950 and columns.min() > 350 and 20 <= np.ptp(rows) < 40


def test_the_command(album, tiny, capsys, monkeypatch):
    monkeypatch.setattr(loading, "load_colorizer", lambda name: tiny)
    assert cli.main(["colorize", "album", "--out", "out"]) == 1
    said = capsys.readouterr()
    assert "out: 5 coloured, 2 passed over." in said.out and "album/sepia.png: It is toned" in said.out
    assert "Left out: 1 document." in said.out and "broken.jpg cannot be coloured" in said.err
    assert cli.main(["colorize", "album/a.jpg", "--out", "out", "--resume", "--compare"]) == 0
    assert cli.main(["colorize", "album/a.jpg", "--out", "out", "--resume", "--compare"]) == 0
    assert capsys.readouterr().out.endswith("out: 0 coloured, 1 there already.\n")
    assert cli.main(["colorize", "album/a.jpg"]) == 0
    assert capsys.readouterr().out == "album/a-coloured.jpg: 1 coloured.\n"
    assert cli.main(["colorize", "album/a.jpg", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.out == said.err == ""
    assert cli.main(["colorize", "album/a.png", "album/broken.jpg", "--out", "out", "--json"]) == 1
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(good) == ["source", "result", "notes", "seconds", "error"]
    assert (good["source"], good["result"], good["error"]) == ("album/a.png", "out/a.png", None) and good["seconds"] > 0
    assert bad["result"] is None and "album/broken.jpg cannot be coloured" in bad["error"]
    assert cli.main(["colorize", "album", "--hint", "1,1,#ff0000", "--out", "out"]) == 2
    assert "hints belong to one photograph; there are 7" in capsys.readouterr().err


def test_wrong_wishes_are_one_sentence(album, capsys):
    for arguments, message in (
        (["nowhere.jpg"], "there is no photograph or folder nowhere.jpg"),
        (["album", "--model", "vivd"], "did you mean 'vivid'"),
        (["album", "--model", "siggraph17=none.pth"], "there is no weight file at none.pth"),
        (["album", "--model", "album"], "is not a run folder"),
        (["album", "--saturation", "-2"], "saturation must be"),
    ):
        assert cli.main(["colorize", *arguments, "--out", "out"]) == 2
        error = capsys.readouterr().err.splitlines()
        assert message in error[-1] and error[-1].startswith("colorlib: ")
