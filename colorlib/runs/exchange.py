"""Photographs out and coloured pictures in, for colorizers that are other programs."""

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from colorlib.bars import progress_bar
from colorlib.color.lab import decode_lab8, lab_to_rgb, rgb8_to_lab8
from colorlib.data.store import Batch, LabArrays
from colorlib.pictures.formats import is_picture
from colorlib.pictures.reading import read_picture
from colorlib.pictures.writing import png_bytes
from colorlib.runs.evaluation import _identity, _judge
from colorlib.runs.run import Run


def export_pictures(data: LabArrays, folder: Path | str, split: str = "test") -> int:
    """Write the lightness of one split's photographs as grey PNG files, named by id, and return how many they are.

    Args:
        data: the photographs.
        folder: made if it does not exist; files of the same names are replaced.
        split: "train", "val" or "test".
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    indices = data.indices(split)
    for start in progress_bar(range(0, len(indices), 64), desc=f"writing {folder}", unit="batch"):
        batch = data.batch(indices[start : start + 64])
        grey = lab_to_rgb(torch.cat([batch.L, torch.zeros_like(batch.ab)], 1))[:, 0]
        for identity, picture in zip(batch.ids, (grey * 255).round().to(torch.uint8).numpy(), strict=True):
            (folder / f"{identity}.png").write_bytes(png_bytes(picture))
    return len(indices)


def judge_pictures(folder: Path | str, data: LabArrays, run_folder: Path | str, name: str, split: str = "test") -> Run:
    """Judge pictures that somebody else coloured, matched by id; see :func:`read_pictures` and :func:`judge`."""
    predict = read_pictures(folder, data, split)
    return _judge(predict, data, run_folder, _identity(run_folder, name, "judged", data), split)


def read_pictures(folder: Path | str, data: LabArrays, split: str = "test") -> Callable[[Batch], Tensor]:
    """Take the colours from a folder of pictures named ``<id>.png``, or of any other format that is read.

    Only the pictures' a and b are taken; lightness is the photograph's own.

    Raises:
        FileNotFoundError: the folder does not exist, or pictures of the split are missing; the message names them.
        ValueError: two pictures of one id, an unreadable one, or one of another size.

    Warns:
        UserWarning: there are pictures of other names; the message names them.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder of coloured pictures.")
    files = sorted(path for path in folder.iterdir() if is_picture(path.name))
    paths = {path.stem: path for path in files}
    if len(paths) < len(files):
        twice = next(path.stem for path, after in zip(files, files[1:], strict=False) if path.stem == after.stem)
        raise ValueError(f"{folder} holds two pictures of {twice}; keep one.")
    wanted = data.ids(data.indices(split))
    missing = [identity for identity in wanted if identity not in paths]
    surplus = sorted(set(paths) - set(wanted))
    if missing:
        also = f"; {_some(surplus)} not of this split" if surplus else ""
        raise FileNotFoundError(
            f"{folder} lacks {len(missing)} of {len(wanted)} pictures of the {split} split: {_some(missing)}{also}. "
            "`colorlib export` writes the grey photographs under the names that are expected."
        )
    if surplus:
        warnings.warn(
            f"{folder} holds {len(surplus)} pictures that are not of the {split} split: {_some(surplus)}.", stacklevel=2
        )

    def predict(batch: Batch) -> Tensor:
        return torch.cat([_read_ab(paths[identity], batch.L.shape[-2:]) for identity in batch.ids])

    return predict


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _read_ab(path: Path, size: tuple[int, ...]) -> Tensor:
    picture = read_picture(path, purpose="read")
    if picture.size != tuple(size):
        (h, w), (H, W) = picture.size, size
        raise ValueError(f"{path} has {w}×{h} pixels, its photograph {W}×{H}.")
    return decode_lab8(*(torch.from_numpy(array) for array in rgb8_to_lab8(picture.rgb8()[None])))[1]
