import pytest
import torch

from colorlib.models.unet256 import UNet256

pytestmark = pytest.mark.slow


def published_count(in_channels, out_channels, last_kernel):
    """The parameters of the paper's layers, with biases where no batch normalisation follows (not at 1×1 pixels)."""
    encoder = [in_channels, 64, 128, 256, 512, 512, 512, 512, 512]
    decoder = [(512, 512), (1024, 512), (1024, 512), (1024, 512), (1024, 256), (512, 128), (256, 64)]
    convolutions = sum(16 * i * o for i, o in [*zip(encoder, encoder[1:], strict=False), *decoder])
    norms = 2 * sum(encoder[2:-1]) + 2 * sum(o for _, o in decoder)
    biases = encoder[1] + encoder[-1]
    return convolutions + norms + biases + last_kernel**2 * 128 * out_channels + out_channels


def test_it_has_the_parameters_of_the_published_network():
    assert published_count(3, 3, last_kernel=4) == 54_414_531  # the 54.4 M of the authors' release
    with torch.device("meta"):
        network = UNet256(2)
    assert sum(p.numel() for p in network.parameters()) == published_count(1, 2, last_kernel=3) == 54_408_642


def test_256_pixels_become_one_and_come_back():
    network = UNet256(2, width=2).eval()
    sizes = []
    for level in [*network.down, *network.up]:
        level.register_forward_hook(lambda _, __, x: sizes.append(tuple(x.shape[-2:])))
    network(torch.zeros(1, 1, 256, 256))
    sides = [128, 64, 32, 16, 8, 4, 2, 1, 2, 4, 8, 16, 32, 64, 128]
    assert sizes == [(side, side) for side in sides]


def test_the_innermost_level_sees_the_whole_picture():
    torch.manual_seed(0)
    network = UNet256(2, width=4, depth=5).double().eval()
    L = torch.full((1, 1, 32, 32), 50.0, dtype=torch.float64, requires_grad=True)
    network(L)[0, 0, 0, 0].backward()
    assert L.grad.count_nonzero() == 32 * 32


def test_dropout_is_the_noise_of_training_only_and_in_the_three_innermost_levels_of_the_decoder():
    torch.manual_seed(0)
    network = UNet256(2, width=4, depth=5)
    assert [any(isinstance(layer, torch.nn.Dropout) for layer in level) for level in network.up] == [True] * 3 + [False]
    assert not any(isinstance(layer, torch.nn.Dropout) for level in network.down for layer in level)
    L = torch.rand(2, 1, 32, 32) * 100
    assert not torch.equal(network(L), network(L))
    network.eval()
    assert torch.equal(network(L), network(L))


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_it_trains_on_a_single_photograph(depth):
    torch.manual_seed(0)
    network = UNet256(3, width=4, depth=depth)
    network(torch.rand(1, 1, 2**depth, 2**depth) * 100).square().sum().backward()
    assert [key for key, p in network.named_parameters() if not p.grad.any()] == []


def test_one_level_is_no_u():
    with pytest.raises(ValueError, match="depth of unet256, how often the picture is halved, must be at least 2"):
        UNet256(2, depth=1)
