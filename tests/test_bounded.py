"""Photographs read in a process of their own: the same pictures and errors, and an end to what asks for too much."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorlib.pictures import bounded
from colorlib.pictures.bounded import call_bounded, end_children, read_bounded, start_child
from colorlib.pictures.reading import read_centre, read_picture


@pytest.fixture(scope="module", autouse=True)
def _ended():
    yield
    end_children()


@pytest.fixture
def photograph(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", dpi=(300, 300))
    return tmp_path / "a.png"


def test_it_reads_what_the_reader_reads(photograph):
    plain = read_picture(photograph)
    for source in (photograph, str(photograph), photograph.read_bytes()):
        picture = read_bounded(source)
        assert np.array_equal(picture.pixels, plain.pixels) and picture.format == "PNG" and picture.notes == plain.notes
    centre, whole = call_bounded(read_centre, photograph, (64, 64))
    assert np.array_equal(centre, read_centre(photograph, (64, 64))[0]) and whole == (200, 300)


def test_one_that_was_started_early_reads_the_first_file(photograph):
    end_children()
    start_child()
    start_child()
    [early] = bounded._idle
    read_bounded(photograph)
    assert bounded._idle == [early]


def test_errors_are_the_readers(photograph, tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "none.png")
    photograph.write_bytes(photograph.read_bytes()[:2000])
    for read in (read_picture, read_bounded):
        with pytest.raises(ValueError, match=r"a.png cannot be coloured: .*\.$"):
            read(photograph)
        with pytest.raises(ValueError, match="megapixels"):
            read(photograph, 1000)
    with pytest.raises(ValueError, match="the file cannot be coloured: an empty file"):
        read_bounded(b"")


def test_what_passes_a_bound_is_ended_and_the_next_is_read(photograph, tmp_path):
    Image.new("L", (8000, 8000)).save(tmp_path / "large.png", compress_level=1)
    with pytest.raises(ValueError, match=r"large.png cannot be coloured: decoding took more than 0 s\.$"):
        read_bounded(tmp_path / "large.png", seconds=0)
    begun = time.monotonic()
    with pytest.raises(ValueError, match="decoding took more than 0 s"):
        call_bounded(eval, "__import__('time').sleep(60)", seconds=0.1)
    assert time.monotonic() - begun < 60
    with pytest.raises(ValueError, match="asked for more than 1.1 GB of memory"):
        call_bounded(eval, "bytearray(2 << 30)", memory=1 << 30)
    with pytest.raises(ValueError, match="decoding it ended in SIGABRT: it is damaged, or asked for more than 1.1 GB"):
        call_bounded(eval, "__import__('os').abort()", memory=1 << 30)
    assert read_bounded(photograph).size == (200, 300)


def test_a_pipe_is_no_photograph(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="a.jpg cannot be coloured: it is a pipe, socket or device and no file"):
        read_bounded(tmp_path / "a.jpg")


def test_it_ends_with_its_parent():
    """SIGKILL, while it is at work and does not listen."""
    work = "__import__('time').sleep(90)"
    code = f'from colorlib.pictures.bounded import call_bounded; call_bounded(eval, "{work}", seconds=90)'
    parent = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 80
    while not (children := _children(parent.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children and time.monotonic() < deadline


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
