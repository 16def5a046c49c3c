import numpy as np
import torch

from colorlib.runs.batches import Order, change_contrast, crop, mirror


def ramp(n, H, W):
    """(n, 1, H, W): the column's number, so that a value tells where it was."""
    return torch.arange(float(W)).expand(n, 1, H, W).clone()


def test_the_order_is_drawn_once_for_each_pass(monkeypatch):
    """Batches are the permutations one after another, of which each is drawn once and none is kept that is over."""
    indices, drawn = np.array([3, 5, 8, 13, 21, 34, 55]), []
    draw = Order._permutation
    monkeypatch.setattr(Order, "_permutation", lambda self, number: drawn.append(number) or draw(self, number))
    order = Order(indices, batch_size=3, seed=4)
    found = np.concatenate([order.batch(step) for step in range(7)])
    expected = [np.random.default_rng([4, number]).permutation(indices) for number in range(3)]
    assert np.array_equal(found, np.concatenate(expected)) and drawn == [0, 1, 2] and list(order.permutations) == [2]
    assert np.array_equal(Order(indices, 3, 4).batch(5), found[15:18])


def test_mirrored_or_as_it_was():
    torch.manual_seed(0)
    lab = ramp(64, 3, 8)
    found = mirror(lab)
    flipped = found[:, 0, 0, 0] == 7
    assert 16 < flipped.sum() < 48
    assert torch.equal(found[flipped], lab[flipped].flip(-1)) and torch.equal(found[~flipped], lab[~flipped])


def test_a_crop_of_the_whole_is_the_photograph():
    lab = torch.randn(4, 3, 16, 24)
    assert torch.allclose(crop(lab, 1.0), lab, atol=1e-4)


def test_a_crop_is_a_part_enlarged():
    """Neighbours of a ramp lie ``share`` apart, and nothing comes from outside."""
    torch.manual_seed(1)
    found = crop(ramp(500, 4, 64), 0.5)[:, 0, 2]
    steps = found.diff(dim=1)
    share = steps.median(dim=1).values
    assert torch.allclose(steps[:, 2:-2], share[:, None].expand(-1, 59), atol=1e-3)  # at the rim the border repeats
    assert share.min() > 0.5 - 1e-3 and share.max() < 1 + 1e-3 and 0.7 < share.mean() < 0.8
    assert found.min() >= 0 and found.max() <= 63
    middle = found.mean(1) - 31.5
    assert (middle.abs() <= 32 * (1 - share) + 0.1).all() and middle.std() > 3


def test_all_channels_are_cut_alike():
    torch.manual_seed(2)
    lab = ramp(8, 12, 12).expand(8, 3, 12, 12)
    found = crop(lab, 0.3)
    assert torch.equal(found[:, 0], found[:, 1]) and torch.equal(found[:, 0], found[:, 2])


def test_contrast_by_hand(monkeypatch):
    L = torch.tensor([20.0, 80.0]).view(1, 1, 1, 2)
    drawn = torch.tensor([1.0, 0.75]).view(2, 1, 1, 1, 1)  # contrast 1.2, brightness 1.1
    monkeypatch.setattr(torch, "rand", lambda *size: drawn)
    assert torch.allclose(change_contrast(L, 0.2), torch.tensor([16.5, 88.5]).view(1, 1, 1, 2), atol=1e-4)


def test_contrast_stays_lightness():
    torch.manual_seed(3)
    L = torch.rand(32, 1, 8, 8) * 100
    found = change_contrast(L, 0.9)
    assert found.min() >= 0 and found.max() <= 100
    assert (found - L).abs().amax((1, 2, 3)).min() > 0
