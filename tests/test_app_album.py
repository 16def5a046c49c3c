"""Albums of the page: many photographs, coloured in turn, under names that do not collide, with a note of the rest."""

import io
import time
import zipfile
from concurrent.futures import Future

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

pytest.importorskip("streamlit", reason="the app is an optional extra: pip install colorlib[app]")

from streamlit.testing.v1 import AppTest

from colorlib.app import album as albums
from colorlib.app import many
from colorlib.app.album import Album
from colorlib.app.turns import Queue
from colorlib.deployment.loading import load_colorizer

COLOR = np.array(Image.fromarray(astronaut()).resize((96, 80)))


def encoded(pixels, kind="JPEG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


GREY = encoded(np.asarray(Image.fromarray(COLOR).convert("L")))
FILES = {
    "1": ("summer/a.jpg", GREY),
    "2": ("winter/A.jpg", GREY),
    "3": ("broken.jpg", GREY[:400]),
    "4": ("colour.png", encoded(COLOR, "PNG")),
}


def finish(album):
    end = time.monotonic() + 60
    while album.running and time.monotonic() < end:
        time.sleep(0.05)
    assert not album.running


def test_many_photographs_come_home_in_one_zip():
    album = Album(Queue(), "ann")
    album.hold(FILES)
    assert [page.state for page in album.pages.values()] == ["waiting"] * 4 and album.seconds_left is None
    album.color("faithful", load_colorizer("faithful"))
    finish(album)
    assert [page.state for page in album.pages.values()] == ["done", "done", "failed", "done"]
    with zipfile.ZipFile(io.BytesIO(album.zip())) as archive:
        names, notes = archive.namelist(), archive.read("notes.txt").decode()
        assert sorted(name.lower() for name in names) == sorted(
            ["a-coloured.jpg", "a-coloured-2.jpg", "colour-coloured.png", "notes.txt"]
        )
        with Image.open(archive.open(names[0])) as result:
            assert result.size == (96, 80)
            expected = load_colorizer("faithful").colorize(Image.open(io.BytesIO(GREY)))
            assert np.abs(np.asarray(result, dtype=int) - np.asarray(expected)).mean() < 3  # what JPEG loses
    assert notes.startswith("3 of 4 photographs") and "model faithful" in notes
    assert "broken.jpg: the file cannot be coloured: " in notes
    assert "colour.png became colour-coloured.png. It was in colour already" in notes


def test_another_model_or_another_photograph_leaves_no_file_behind(tmp_path):
    album = Album(Queue(), "ann")
    album.hold({"1": FILES["1"]})
    album.color("faithful", load_colorizer("faithful"))
    finish(album)
    first = album.pages["1"].result.path
    album.hold({"1": FILES["1"], "4": FILES["4"]})
    album.color("faithful", load_colorizer("faithful"))
    finish(album)
    assert album.pages["1"].result.path == first  # what is done stays
    before = album.pages["1"].result.thumbnail
    album.color("vivid", load_colorizer("vivid"))
    finish(album)
    assert album.pages["1"].result.path == first and not np.array_equal(album.pages["1"].result.thumbnail, before)
    album.hold({"4": FILES["4"]})
    assert [path.name for path in first.parent.iterdir()] == ["colour-coloured.png"]
    folder = first.parent
    del album
    assert not folder.exists()


def test_an_album_is_bounded(monkeypatch):
    monkeypatch.setattr(albums, "MOST", 2)
    monkeypatch.setattr(albums, "ROOM", 0)
    album = Album(Queue(workers=1), "ann")
    album.hold(FILES)
    assert len(album.pages) == 2 and album.left_out == 2
    album.color("faithful", load_colorizer("faithful"))
    finish(album)
    done, refused = album.pages.values()
    assert done.state == "done" and "there is no room for more" in refused.reason
    assert "2 more were left out" in album.notes()


def _page_of_an_album():
    import streamlit as st

    from colorlib.app import many

    many.show_album(st.session_state.held)


@pytest.mark.parametrize(
    ("states", "label", "disabled"),
    [
        (["waiting", "waiting"], "Download what is done, zip", True),
        (["done", "waiting"], "Download what is done, zip", False),
        (["failed", "waiting"], "Download what is done, zip", True),
        (["done", "failed"], "Download all, zip", False),
        (["failed", "failed"], "Download all, zip", True),
    ],
)
def test_the_zip_is_not_offered_anew_each_second(monkeypatch, states, label, disabled):
    """A press finds no file once its button has been drawn again."""
    pages = AppTest.from_function(_page_of_an_album, default_timeout=60)
    album = Album(Queue(), "ann")
    album.hold({str(number): (f"{number}.jpg", b"") for number in range(len(states))})
    monkeypatch.setattr(album, "color", lambda *_: None)
    monkeypatch.setattr(many, "_show_pages", lambda *_: None)  # this part of the page is drawn anew each second
    for page, state in zip(album.pages.values(), states, strict=True):
        page.future = Future()
        if state == "failed":
            page.future.set_exception(ValueError("no photograph"))
        elif state == "done":
            page.future.set_result(None)
    pages.session_state.held = album
    pages.run()
    assert not pages.exception
    (button,) = pages.get("download_button")
    assert (button.proto.label, button.proto.disabled) == (label, disabled)
