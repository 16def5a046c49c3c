"""Recognition by Lite2 on pictures whose class is plain to see, and the share of the gap by the paper's own figures."""

import dataclasses
import math

import pandas as pd
import pytest
import torch
from torch import nn

from colorlib.color.lab import rgb_to_lab
from colorlib.judges import Seen, judge_for_metrics
from colorlib.metrics import METRICS, POOLED, Pair, recognition
from colorlib.metrics import pair as pair_module

NAMED_LITE2 = [name for name in METRICS if "_lite2" in name]
IDS = ["n01440764", "n01443537", "n01484850"]  # ImageNet's first three classes, which Plain takes colours for


class Plain:
    """A judge that sees which channel of a picture is the brightest, and takes what is grey for red."""

    classes = ["red", "green", "blue"]
    leaning = (0.01, 0.0, 0.0)

    def __init__(self, device):
        pass

    def __call__(self, rgb):
        logits = torch.full((len(rgb), 1000), -torch.inf)
        logits[:, :3] = 10 * rgb.mean((2, 3)) + torch.tensor(Plain.leaning)
        return Seen([rgb], rgb.mean((2, 3)), logits)


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setattr(pair_module, "judge_for_metrics", Plain)


def flat(*names: str, side: int = 16) -> torch.Tensor:
    """Lab pictures (N, 3, side, side), each dim grey but for one channel, and all of them of one lightness."""
    rgb = torch.full((len(names), 3, side, side), 0.3)
    for n, name in enumerate(names):
        rgb[n, Plain.classes.index(name)] = 0.5
    lab = rgb_to_lab(rgb)
    lab[:, 0] = 50
    return lab


def pair_of(pictures: torch.Tensor, photographs: torch.Tensor, labels=None, names=()) -> Pair:
    return Pair(photographs[:, :1], pictures[:, 1:], photographs[:, 1:], None, labels, names)


def smooth(N: int = 2, size: tuple[int, int] = (33, 47)) -> Pair:
    generator = torch.Generator().manual_seed(0)
    lab = rgb_to_lab(nn.functional.interpolate(torch.rand(N, 3, 6, 7, generator=generator), size=size, mode="bilinear"))
    return Pair(lab[:, :1], lab[:, 1:] + 15 * torch.randn(N, 2, *size, generator=generator), lab[:, 1:])


def test_recognised_is_the_label_and_agreement_is_the_photographs_class(plain):
    pictures = flat("red", "green", "blue", "green", "red")
    photographs = flat("red", "green", "red", "blue", "red")
    names = [IDS[2], "no class of ImageNet's", IDS[1], IDS[0]]  # the data's own order
    pair = pair_of(pictures, photographs, torch.tensor([3, 2, 3, 2, 1]), names)
    assert recognition.recognised_lite2(pair)[:4].tolist() == [1, 1, 0, 1]
    assert recognition.recognised_lite2_error(pair)[:4].tolist() == [0, 0, -1, 1]
    assert recognition.recognised_lite2_gain(pair)[:4].tolist() == [0, 1, -1, 1]
    assert all(METRICS[name].fn(pair)[4].isnan() for name in NAMED_LITE2 if "recogn" in name or "log" in name)
    assert recognition.class_agreement_lite2(pair).tolist() == [1, 1, 0, 0, 1]


def test_log_probability_by_hand(plain):
    pair = pair_of(flat("red", "green"), flat("red", "red"), torch.tensor([0, 0]), IDS)
    red = pair.rgb[:, 0, 0, 0], pair.rgb_true[:, 0, 0, 0]
    found = []
    for rgb in (pair.rgb, pair.rgb_true, pair.rgb_grey):
        odds = (10 * rgb[:, :, 0, 0].double() + torch.tensor(Plain.leaning)).exp().tolist()
        found.append([math.log(three[0] / sum(three)) for three in odds])
    predicted, true, grey = (torch.tensor(values) for values in found)
    assert red[0][1] < red[1][1] and grey.tolist() == pytest.approx([math.log(1 / 3)] * 2, abs=0.02)
    close = {"rtol": 0, "atol": 1e-4}
    torch.testing.assert_close(recognition.log_probability_lite2(pair), predicted, **close)
    torch.testing.assert_close(recognition.log_probability_lite2_error(pair), predicted - true, **close)
    torch.testing.assert_close(recognition.log_probability_lite2_gain(pair), predicted - grey, **close)


def test_the_share_of_the_gap_is_the_papers():
    """Zhang et al. 2016, table 1: VGG-16 is right on 68.3 % in colour, 52.7 % in grey and 56.0 % as they colour."""
    right = {"colour": 683, "grey": 527, "coloured": 560}
    answers = {name: pd.Series([1.0] * n + [0.0] * (1000 - n) + [math.nan]) for name, n in right.items()}
    table = pd.DataFrame({"recognised_lite2_gain": answers["coloured"] - answers["grey"]})
    table["recognised_lite2_error"] = answers["coloured"] - answers["colour"]
    assert POOLED["recognised_lite2_share"].fn(table) == pytest.approx(100 * 33 / 156)


def test_the_share_is_none_of_grey_all_of_the_truth_and_unknown_without_a_gap():
    share = POOLED["log_probability_lite2_share"].fn

    def table(predicted: float, grey: float, colour: float) -> pd.DataFrame:
        names = ("log_probability_lite2_gain", "log_probability_lite2_error")
        return pd.DataFrame(dict(zip(names, ([predicted - grey], [predicted - colour]), strict=True)))

    assert share(table(-2.0, -2.0, -1.0)) == 0 and share(table(-1.0, -2.0, -1.0)) == 100
    assert share(table(-2.5, -2.0, -1.0)) == -50 and share(table(-0.5, -2.0, -1.0)) == 150
    assert math.isnan(share(table(-1.0, -1.0, -2.0))) and math.isnan(share(table(math.nan, -2.0, -1.0)))


def test_without_labels_there_is_agreement_but_nothing_to_recognise(plain):
    pair = pair_of(flat("red"), flat("red"))
    assert recognition.recognised_lite2(pair).isnan().all() and recognition.recognised_lite2_error(pair).isnan().all()
    assert recognition.log_probability_lite2(pair).isnan().all()
    assert recognition.class_agreement_lite2(pair).tolist() == [1]


@pytest.mark.parametrize("name", NAMED_LITE2)
def test_below_16_pixels_and_unasked_nothing_is_seen(name, plain):
    small = pair_of(flat("red", side=15), flat("red", side=15), torch.tensor([0]), IDS)
    unasked = dataclasses.replace(pair_of(flat("red"), flat("red"), torch.tensor([0]), IDS), look=False)
    for pair in (small, unasked):
        assert METRICS[name].fn(pair).isnan().all() and METRICS[name].fn(pair).shape == (1,)


def test_a_pair_sees_what_the_judge_says():
    pair, judge = smooth(), judge_for_metrics()
    torch.testing.assert_close(pair.seen.embedding, judge(pair.rgb).embedding)
    torch.testing.assert_close(pair.seen_true.logits, judge(pair.rgb_true).logits)
    grey = pair.rgb_grey
    assert (grey.amax(1) - grey.amin(1)).max() < 1e-3
    torch.testing.assert_close(rgb_to_lab(grey)[:, :1], pair.L, rtol=0, atol=1e-2)
    torch.testing.assert_close(pair.seen_grey.logits, judge(grey).logits)
