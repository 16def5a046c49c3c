"""Distances of features against loops in numpy: in Lite2, and LPIPS's."""

import hashlib
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from colorlib.color.lab import rgb_to_lab
from colorlib.judges import judge_for_metrics
from colorlib.metrics import Pair, perceptual

HEADS = Path(find_spec("torchmetrics").origin).parent / "functional" / "image" / "lpips_models" / "alex.pth"


def smooth(N: int = 2, size: tuple[int, int] = (33, 47)) -> Pair:
    generator = torch.Generator().manual_seed(0)
    lab = rgb_to_lab(nn.functional.interpolate(torch.rand(N, 3, 6, 7, generator=generator), size=size, mode="bilinear"))
    return Pair(lab[:, :1], lab[:, 1:] + 15 * torch.randn(N, 2, *size, generator=generator), lab[:, 1:])


@pytest.fixture(autouse=True)
def no_published_weights(monkeypatch):
    monkeypatch.delenv("COLORLIB_WEIGHTS", raising=False)


def unit_distance(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """LPIPS's distance of one layer, position by position; x, y (C, h, w)."""
    total = 0.0
    for h, w in np.ndindex(x.shape[1:]):
        one, other = (v[:, h, w] / (np.linalg.norm(v[:, h, w]) + 1e-10) for v in (x, y))
        total += (weights * (one - other) ** 2).sum()
    return total / (x.shape[1] * x.shape[2])


def test_perceptual_lite2_by_hand():
    pair, judge = smooth(), judge_for_metrics()
    ours = perceptual.perceptual_lite2(pair)
    for n in range(2):
        layers = zip(judge(pair.rgb).maps, judge(pair.rgb_true).maps, strict=True)
        by_hand = np.mean([unit_distance(x[n].numpy(), y[n].numpy(), np.ones(x.shape[1])) for x, y in layers])
        assert ours[n].item() == pytest.approx(by_hand, rel=1e-4) and 0 < by_hand <= 4
    assert perceptual.perceptual_lite2(Pair(pair.L, pair.ab_true, pair.ab_true)).tolist() == [0, 0]


# ---- LPIPS: a trunk of random weights, in a file like torchvision's; its heads are the published ones -------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder like a user's; only the digits of the trunk's SHA-256 are others."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    state = perceptual.AlexNet().state_dict() | {"classifier.1.weight": torch.zeros(2, 2)}
    torch.save(state, folder / perceptual.ALEXNET[0])
    shutil.copy(HEADS, folder / perceptual.LPIPS_HEADS[0])
    return folder


@pytest.fixture
def use(monkeypatch):
    def use(folder: Path, trusted: bool = True) -> None:
        monkeypatch.setenv("COLORLIB_WEIGHTS", str(folder))
        perceptual._load_lpips.cache_clear()
        if trusted:
            digits = hashlib.sha256((folder / perceptual.ALEXNET[0]).read_bytes()).hexdigest()[:8]
            monkeypatch.setattr(perceptual, "ALEXNET", (perceptual.ALEXNET[0], digits))

    return use


def convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (1, 2))[:, ::stride, ::stride]
    return np.maximum(np.einsum("chwij,ocij->ohw", windows, weight, optimize=True) + bias[:, None, None], 0)


def pool(x: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2].max((3, 4))


def lpips_by_hand(rgb: np.ndarray, rgb_true: np.ndarray, folder: Path) -> float:
    files = (perceptual.ALEXNET[0], perceptual.LPIPS_HEADS[0])
    trunk, heads = (torch.load(folder / name, map_location="cpu") for name in files)
    parameters = {key: value.double().numpy() for key, value in trunk.items()}
    shift, scale = np.array([[-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]])[:, :, None, None]  # of RGB in [-1, 1]

    def maps(rgb):
        x = (2 * rgb - 1 - shift) / scale
        for layer, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
            names = (f"features.{layer}.weight", f"features.{layer}.bias")
            x = convolve(x, *(parameters[name] for name in names), stride, padding)
            yield x
            x = pool(x) if layer < 6 else x

    layers = enumerate(zip(maps(rgb), maps(rgb_true), strict=True))
    return sum(unit_distance(x, y, heads[f"lin{n}.model.1.weight"].numpy().ravel()) for n, (x, y) in layers)


def test_lpips_by_hand(weights, use):
    use(weights)
    pair = smooth()
    by_hand = [
        lpips_by_hand(x, y, weights)
        for x, y in zip(pair.rgb.double().numpy(), pair.rgb_true.double().numpy(), strict=True)
    ]
    assert perceptual.lpips_alex(pair).tolist() == pytest.approx(by_hand, rel=1e-3) and min(by_hand) > 0
    assert perceptual.lpips_alex(Pair(pair.L, pair.ab_true, pair.ab_true)).tolist() == [0, 0]


def test_lpips_has_no_stand_in(weights, use, tmp_path):
    assert perceptual.lpips_alex(smooth()).isnan().all()  # no folder
    shutil.copy(weights / perceptual.ALEXNET[0], tmp_path)
    use(tmp_path)
    assert perceptual.lpips_alex(smooth()).isnan().all()  # no heads
    use(weights)
    assert perceptual.lpips_alex(smooth(size=(30, 47))).isnan().all()
    assert perceptual.lpips_alex(smooth(size=(31, 47))).isfinite().all()


def test_weights_that_are_not_the_published_ones_are_refused(weights, use, tmp_path):
    use(weights, trusted=False)
    with pytest.raises(ValueError, match=r"alexnet-owt-7be5be79\.pth is damaged or another file.*not 7be5be79"):
        perceptual.lpips_alex(smooth())
    shutil.copytree(weights, tmp_path / "copy")
    damaged = tmp_path / "copy" / perceptual.LPIPS_HEADS[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    use(tmp_path / "copy")
    with pytest.raises(ValueError, match=r"alex\.pth is damaged or another file.*not df73285e"):
        perceptual.lpips_alex(smooth())


def test_a_folder_that_does_not_exist_is_named(monkeypatch):
    monkeypatch.setenv("COLORLIB_WEIGHTS", "/nowhere")
    with pytest.raises(FileNotFoundError, match="COLORLIB_WEIGHTS is set to /nowhere, which is not a folder"):
        perceptual.lpips_alex(smooth())
