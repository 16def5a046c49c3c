"""Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 70,000 grey pictures of clothes, 28×28, in the idx format.

Grey by nature, so it is for exploration and for colouring by trained networks, never for training or judging.
"""

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from colorlib.files import fetch

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
"""The files and the checksums that their authors publish."""
CLASSES = [
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
]


@dataclass(frozen=True)
class FashionMnist:
    """Grey pictures with their classes.

    Attributes:
        images: (N, 28, 28) uint8, 0 black to 255 white; training pictures first, where they are there.
        labels: (N,) uint8, positions in ``classes``.
        classes: ten names.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: list[str]


def read_idx(path: Path | str) -> np.ndarray:
    """Read an idx file of unsigned bytes, gzipped or not.

    Returns:
        uint8 array of the shape that the header states.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not idx, not of unsigned bytes, damaged, or longer or shorter than its header states.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is a truncated or damaged gzip file ({error}); download it again.") from None
    if len(data) < 4 or data[:2] != b"\0\0":
        raise ValueError(f"{path} is not an idx file (it begins with {data[:4].hex() or 'nothing'}, not 0000).")
    if data[2] != 8:
        raise ValueError(f"{path} holds values of idx type 0x{data[2]:02x}; only unsigned bytes (0x08) are read.")
    start = 4 + 4 * data[3]
    shape = struct.unpack(f">{data[3]}I", data[4:start].ljust(start - 4, b"\0"))
    pixels, wanted = data[start:], math.prod(shape)
    if len(data) < start or len(pixels) != wanted:
        raise ValueError(
            f"{path} should hold {wanted:,} bytes for shape {shape} but holds {len(pixels):,}; download it again."
        )
    return np.frombuffer(pixels, np.uint8).reshape(shape)


def open_fashion_mnist(path: Path | str = "data/fashion-mnist", download: bool = False, url: str = URL) -> FashionMnist:
    """Read the pictures and labels that are in a folder, both parts or one.

    Args:
        path: folder with the four (or two) files, gzipped or not.
        download: first fetch what is missing, 30 MB, each file checked against `MD5`.
        url: where to fetch it from.

    Raises:
        FileNotFoundError: no part is there.
        ValueError: a file is damaged, or images and labels do not fit.
        OSError: the download failed; the sentence says how to get it by hand.
    """
    path = Path(path)
    if download:
        for name in MD5:
            if not (path / name).exists():
                fetch(url + name, path / name, MD5[name], "md5")
    parts = []
    for part in ("train", "t10k"):
        files = [_either(path / f"{part}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")]
        if all(file.exists() for file in files):
            images, labels = read_idx(files[0]), read_idx(files[1])
            if images.ndim != 3 or labels.shape != images.shape[:1] or labels.max(initial=0) >= len(CLASSES):
                raise ValueError(
                    f"{files[0]} of shape {images.shape} and {files[1]} of shape {labels.shape} do not belong "
                    "together; download both again."
                )
            parts.append((images, labels))
    if not parts:
        raise FileNotFoundError(
            f"{path} holds no Fashion-MNIST; ask for it with download=True, or put {', '.join(MD5)} there."
        )
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return FashionMnist(images, labels, CLASSES)


def _either(path: Path) -> Path:
    plain = path.with_suffix("")
    return plain if plain.exists() and not path.exists() else path
