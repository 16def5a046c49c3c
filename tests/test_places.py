"""Which photographs are found, and where their results may go: never over what is not ours."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorlib.deployment.places import EARLIER, beside, free_place, is_ours, key, plan, with_ending
from colorlib.pictures.mark import Mark
from colorlib.pictures.picture import Picture
from colorlib.pictures.writing import write_picture

GREY = Image.new("L", (24, 16), 120)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photograph(name):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    GREY.save(name)
    return Path(name)


def result(name):
    picture = Picture(np.full((16, 24, 3), 99, np.uint8), format="JPEG")
    write_picture(name, [picture.pixels], picture, Mark("vivid", "0.2.0", "0123456789ab"))
    return Path(name)


def targets(planned):
    return {job.source.as_posix(): job.target.as_posix() for job in planned.jobs}


def test_without_a_folder_results_go_beside_their_originals(here):
    for name in ("a.jpg", "scans/attic/b.png", "scans/c.tif"):
        photograph(name)
    planned = plan(["a.jpg", "scans"])
    assert targets(planned) == {
        "a.jpg": "a-coloured.jpg",
        "scans/attic/b.png": "scans-coloured/attic/b.png",
        "scans/c.tif": "scans-coloured/c.tif",
    }
    os.chdir("scans/attic")
    assert beside(Path(".")) == here / "scans" / "attic-coloured" and beside(Path("..")) == here / "scans-coloured"


def test_each_photograph_once_and_results_are_none(here):
    photograph("scans/a.jpg")
    result("scans/a-coloured.jpg")
    photograph("scans/coloured/old.jpg")
    planned = plan(["scans", "scans/a.jpg", "scans/../scans/a.jpg"], "scans/coloured")
    assert targets(planned) == {"scans/a.jpg": "scans/coloured/a.jpg"} and planned.ignored == {EARLIER: 1}
    assert len(plan(["scans"], "scans/coloured", force=True).jobs) == 2
    with pytest.raises(ValueError, match=r"there are no photographs to colour \(1 earlier result\)"):
        plan(["scans/a-coloured.jpg"])


def test_archives(here):
    stream = io.BytesIO()
    GREY.save(stream, "PNG")
    with zipfile.ZipFile("album.zip", "w") as album, pytest.warns(UserWarning, match="Duplicate"):
        for name in ("1912/a.png", "../b.png", "1912/a.png", "notes.txt"):
            album.writestr(name, stream.getvalue())
    planned = plan(["album.zip"])
    assert {job.target.parent.as_posix() for job in planned.jobs} <= {"album-coloured", "album-coloured/1912"}
    assert len(planned.jobs) == 3 and planned.ignored == {"document": 1}
    assert all(job.member.open().read() == stream.getvalue() for job in planned.jobs)
    Path("album.tar.gz").write_bytes(b"\x1f\x8b nothing")
    assert [path for path, _ in plan(["album.zip", "album.tar.gz"]).problems] == [Path("album.tar.gz")]


def test_what_is_no_file_is_named(here):
    photograph("a.jpg")
    os.mkfifo("pipe.jpg")
    ((path, reason),) = plan(["a.jpg", "pipe.jpg"], "out").problems
    assert path == Path("pipe.jpg") and "a pipe" in reason
    for sources, out, error, message in (
        (["pipe.jpg"], "out", ValueError, "pipe.jpg is no file"),
        (["nowhere.jpg"], "out", FileNotFoundError, "there is no photograph or folder nowhere.jpg"),
        (["."], ".", ValueError, "name another one"),
        (["a.jpg"], "a.jpg", ValueError, "a.jpg is a file"),
    ):
        with pytest.raises(error, match=message):
            plan(sources, out)


def test_a_result_is_written_over_results_only(here):
    source, mine = photograph("a.jpg"), photograph("out/a.jpg")
    taken = {key(source)}
    assert free_place(source, set(taken), is_ours) == Path("a-coloured.jpg")  # it would hit its source
    assert free_place(Path("A.JPG"), set(taken), is_ours) == Path("A-coloured.JPG")  # as on macOS and Windows
    assert free_place(mine, set(taken), is_ours) == Path("out/a-coloured.jpg")
    result("out/b.jpg")
    given = set(taken)
    assert free_place(Path("out/b.jpg"), given, is_ours) == Path("out/b.jpg")
    assert free_place(Path("out/b.jpg"), given, is_ours) == Path("out/b-coloured.jpg")  # another's by now
    assert free_place(Path("out/b.jpg"), given, is_ours) == Path("out/b-coloured-2.jpg")
    Path("out/c.jpg").symlink_to("../a.jpg")
    Path("out/d.jpg").symlink_to("b.jpg")
    Path("out/e.jpg").symlink_to("nowhere.jpg")
    Path("out/f.jpg").mkdir()
    for name in "cdef":
        assert free_place(Path(f"out/{name}.jpg"), set(taken), is_ours) == Path(f"out/{name}-coloured.jpg")
    assert free_place(Path("a-coloured.jpg"), {key(Path("a-coloured.jpg"))}, is_ours) == Path("a-coloured-2.jpg")


@pytest.mark.parametrize("letter", ["n", "祖", "\udce9"])
def test_a_name_is_never_too_long(here, letter):
    stem = letter * (251 // len(os.fsencode(letter)))
    for wanted in (f"{stem}.jpg", f"{stem}-coloured.jpg", f"{stem}.jpg-compare.jpg"):
        taken: set[str] = set()
        places = [free_place(Path(wanted), taken, is_ours) for _ in range(3)]
        assert len(set(places)) == 3
        for place in places:
            result(place)
            assert place.name.startswith(letter * 20) and is_ours(place)


def test_an_ending_says_what_is_in_the_file():
    names = ("a.JPEG", "a.png", "fuji.mpo", "IMG_0001", "Photo 12.5", "St. Louis", "a.jpg ")
    assert [with_ending(Path(name), "JPEG").name for name in names] == [
        "a.JPEG",
        "a.jpg",
        "fuji.jpg",
        "IMG_0001.jpg",
        "Photo 12.5.jpg",
        "St. Louis.jpg",
        "a.jpg",
    ]
