"""DeOldify: what its parts promise, and the release's size. What all networks promise is in test_models.py."""

import copy

import pytest
import torch
import torch.nn.functional as F

from colorlib.models.blocks import Shuffle, SpectralConv, blur
from colorlib.models.deoldify import DeOldify, SelfAttention, UpStage

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_it_has_the_released_size():
    """63.6 M in table 1 of DDColor. A ResNet-34 of three channels and without classifier has 21,284,672 parameters."""
    with torch.device("meta"):
        network = DeOldify(3)
    assert count(network.encoder) == 21_284_672 - 2 * 64 * 49
    assert round(count(network) / 1e6, 1) == 63.6
    assert [stage.convs[0][0].out_channels for stage in network.up] == [768, 768, 672, 300]
    assert [any(isinstance(part, SelfAttention) for part in stage.convs) for stage in network.up] == [
        False,
        True,
        False,
        False,
    ]
    assert count(DeOldify(2, **DeOldify.narrow)) < 1.5e6


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("factor", [2, 4])
def test_a_fresh_enlargement_repeats_each_pixel(factor, norm):
    shuffle = Shuffle(6, 5, factor, norm)
    coarse = F.relu(shuffle.conv(torch.randn(2, 6, 3, 4)))
    squares = F.pixel_shuffle(coarse, factor)
    assert squares.std() > 0.01
    torch.testing.assert_close(squares, F.interpolate(coarse[:, :: factor**2], scale_factor=factor, mode="nearest"))


def test_an_enlargement_is_blurred():
    shuffle, x = Shuffle(6, 5, 2, norm=False).eval(), torch.randn(2, 6, 3, 4)
    torch.testing.assert_close(shuffle(x), blur(F.pixel_shuffle(F.relu(shuffle.conv(x)), 2)))


def test_the_blur_is_a_mean_of_two_by_two_and_levels_out_the_pattern_of_a_pixel_shuffle():
    x = torch.randn(2, 3, 5, 6)
    blurred = blur(x)
    torch.testing.assert_close(blurred[..., 3, 2], x[..., 2:4, 1:3].mean((-1, -2)))
    torch.testing.assert_close(blurred[..., 0, 0], x[..., 0, 0])  # beyond the edge lies the edge
    board = (torch.arange(6)[:, None] + torch.arange(6)) % 2
    assert blur(board.float().expand(1, 1, 6, 6))[..., 1:, 1:].unique().tolist() == [0.5]


def test_spectral_normalisation_leaves_a_largest_singular_value_of_one():
    conv = SpectralConv(8, 12, 3, bias=False)
    with torch.no_grad():
        conv.weight_orig.mul_(7)
    x = torch.randn(1, 8, 6, 6)
    for _ in range(100):  # training steps
        conv(x)
    exact = conv.weight_orig / torch.linalg.matrix_norm(conv.weight_orig.flatten(1), 2)
    torch.testing.assert_close(conv.eval()(x), F.conv2d(x, exact, padding=1), atol=1e-4, rtol=1e-4)


def test_spectral_normalisation_is_the_same_as_torchs():
    """Values and gradients, given the same vectors."""
    ours, theirs = SpectralConv(4, 5, 3), torch.nn.utils.spectral_norm(torch.nn.Conv2d(4, 5, 3, padding=1))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 7, 7)
    for _ in range(3):
        torch.testing.assert_close(ours(x), theirs(x))
    for conv in (ours, theirs):
        conv(x).square().sum().backward()
    torch.testing.assert_close(ours.weight_orig.grad, theirs.weight_orig.grad)
    ours.eval()
    before = copy.deepcopy(ours.state_dict())
    assert torch.equal(ours(x), ours(x))
    assert all(torch.equal(value, before[key]) for key, value in ours.state_dict().items())


def test_spectral_normalisation_is_computed_in_float32_under_autocast():
    conv, x = SpectralConv(16, 16, 1).eval(), torch.randn(1, 16, 4, 4)
    seen = []
    conv._conv_forward = lambda x, weight, bias: seen.append(weight)
    conv(x)
    with torch.autocast("cpu", torch.bfloat16):
        conv(x)
    assert torch.equal(*seen)


def test_two_forwards_may_come_before_a_backward():
    conv, x = SpectralConv(4, 4, 3), torch.randn(1, 4, 5, 5)
    (conv(x) + conv(2 * x)).sum().backward()
    assert conv.weight_orig.grad.any()


def test_self_attention_weighs_the_whole_picture_by_likeness():
    layer = SelfAttention(16).eval()
    x = torch.randn(2, 16, 3, 5)
    query, key, value = (part(x).flatten(2) for part in (layer.query, layer.key, layer.value))
    weights = torch.einsum("nci,ncj->nij", query, key).softmax(2)
    expected = x + 0.1 * torch.einsum("nij,ncj->nci", weights, value).view_as(x)
    torch.testing.assert_close(layer(x), expected)
    far = x.clone()
    far[..., -1, -1] += 1
    assert (layer(far) - layer(x))[..., 0, 0].abs().max() > 1e-5
    torch.nn.init.zeros_(layer.gamma)
    assert torch.equal(layer(x), x)


def test_a_stage_of_the_decoder_sees_what_the_encoder_saw():
    stage = UpStage(8, 3, 6, attention=False).eval()
    x, skip = torch.randn(1, 8, 2, 3), torch.randn(1, 3, 4, 6)
    assert stage(x, skip).shape == (1, 6, 4, 6)
    assert not torch.allclose(stage(x, skip), stage(x, skip.flip(-1)))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"depth": 50}, "depth must be that of ResNet-10, -18, -34, not 50"),
        ({"growth": 0.05}, "growth 0.05 leave a stage with 1 channels"),
    ],
)
def test_bad_options_get_one_clear_sentence(options, message):
    with pytest.raises(ValueError, match=message):
        DeOldify(2, **options)
