"""Fashion-MNIST: the idx reader against the format's definition, and the downloader against a server of our own."""

import gzip
import hashlib
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from colorlib.data import fashion_mnist
from colorlib.data.fashion_mnist import MD5, open_fashion_mnist, read_idx

SHARED = Path(__file__).parents[2] / "shared" / "data" / "fashion-mnist-sample"


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def make(folder: Path, part: str = "t10k", count: int = 30) -> np.ndarray:
    folder.mkdir(exist_ok=True)
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(count, dtype=np.uint8) % 10)))
    return images


def test_read_idx(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "plain").write_bytes(idx(array))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(idx(array)))
    assert np.array_equal(read_idx(tmp_path / "plain"), array)
    assert np.array_equal(read_idx(tmp_path / "packed.gz"), array)


BAD = {
    "empty": (b"", "is not an idx file"),
    "text": (b"hello, I am text", "is not an idx file .it begins with 68656c6c"),
    "short header": (struct.pack(">BBBBI", 0, 0, 8, 3, 5), "should hold"),
    "too short": (idx(np.zeros((5, 5), np.uint8))[:-1], r"should hold 25 bytes for shape \(5, 5\) but holds 24"),
    "too long": (idx(np.zeros((5, 5), np.uint8)) + b"x", "should hold 25 bytes .* holds 26"),
    "absurd shape": (struct.pack(">BBBBIII", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "should hold 79,228"),
    "floats": (struct.pack(">BBBBI", 0, 0, 0x0D, 1, 1) + bytes(4), "idx type 0x0d"),
    "truncated gzip": (gzip.compress(idx(np.zeros((99, 99), np.uint8)))[:-9], "truncated or damaged gzip"),
    "damaged gzip": (b"\x1f\x8b" + bytes(60), "truncated or damaged gzip"),
}


@pytest.mark.parametrize("damage", BAD)
def test_bad_idx(tmp_path, damage):
    data, words = BAD[damage]
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(ValueError, match=words):
        read_idx(tmp_path / "f")


def test_missing_idx(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_idx(tmp_path / "f")


def test_open(tmp_path):
    images = make(tmp_path / "f")
    data = open_fashion_mnist(tmp_path / "f")
    assert np.array_equal(data.images, images) and data.labels.tolist() == [i % 10 for i in range(30)]
    assert len(data.classes) == 10
    make(tmp_path / "f", "train", 50)
    assert open_fashion_mnist(tmp_path / "f").images.shape == (80, 28, 28)
    for file in (tmp_path / "f").glob("*.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    assert open_fashion_mnist(tmp_path / "f").labels.shape == (80,)


def test_open_says_what_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no Fashion-MNIST; ask for it with download=True"):
        open_fashion_mnist(tmp_path / "f")
    make(tmp_path / "f")
    (tmp_path / "f/t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(29, np.uint8))))
    with pytest.raises(ValueError, match="do not belong together"):
        open_fashion_mnist(tmp_path / "f")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_real_sample():
    """90 of each class; a shirt is no shoe: trousers are tall and bags are wide."""
    data = open_fashion_mnist(SHARED)
    assert data.images.shape == (900, 28, 28) and np.bincount(data.labels).tolist() == [90] * 10
    wide = [(data.images[data.labels == k] > 50).any(axis=1).sum(axis=1).mean() for k in range(10)]
    assert np.argmin(wide) == data.classes.index("trouser")


@pytest.fixture
def server(tmp_path):
    make(tmp_path / "served")
    make(tmp_path / "served", "train")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/", tmp_path / "served"
    http.shutdown()
    http.server_close()


def test_download_checks_and_keeps(tmp_path, server, monkeypatch):
    url, served = server
    monkeypatch.setattr(fashion_mnist, "MD5", {n: hashlib.md5((served / n).read_bytes()).hexdigest() for n in MD5})
    assert len(open_fashion_mnist(tmp_path / "f", download=True, url=url).labels) == 60
    assert sorted(p.name for p in (tmp_path / "f").iterdir()) == sorted(MD5)
    for file in served.iterdir():
        file.unlink()
    assert len(open_fashion_mnist(tmp_path / "f", download=True, url=url).labels) == 60  # nothing is fetched twice


def test_a_wrong_checksum_keeps_nothing(tmp_path, server):
    with pytest.raises(ValueError, match="has MD5 .*, not the published 8d4fb7e6.*nothing was kept"):
        open_fashion_mnist(tmp_path / "f", download=True, url=server[0])
    assert not list((tmp_path / "f").iterdir())


def test_offline_and_missing_are_said(tmp_path, server):
    with pytest.raises(OSError, match="could not be fetched .*; get it elsewhere and put it at"):
        open_fashion_mnist(tmp_path / "f", download=True, url="http://127.0.0.1:9/")
    with pytest.raises(OSError, match="(?i)could not be fetched .*not found"):
        open_fashion_mnist(tmp_path / "f", download=True, url=server[0] + "nowhere/")
    assert not list((tmp_path / "f").iterdir())
