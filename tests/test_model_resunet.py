import pytest
import torch

from colorlib.models.resunet import ResidualBlock, ResUNet

pytestmark = pytest.mark.slow


def test_parameter_count_is_that_of_the_layers():
    pairs = [(1, 64), (64, 128), (128, 256), (256, 512), (768, 256), (384, 128), (192, 64)]
    with torch.device("meta"):
        network = ResUNet(2)
    layers = sum(9 * i * o + 9 * o * o + 4 * o + (i * o + o) for i, o in pairs)
    assert sum(p.numel() for p in network.parameters()) == layers + 2 * 64 + 2 == 8_216_194


def test_the_shortcut_carries_what_the_convolutions_lose():
    """Without the convolutions' share, a block is its 1×1 shortcut and ReLU, at each pixel for itself."""
    torch.manual_seed(0)
    block = ResidualBlock(3, 5).eval()
    torch.nn.init.zeros_(block.convs[-2].weight)  # of the last normalisation
    x = torch.randn(2, 3, 4, 4)
    expected = torch.einsum("oi,nihw->nohw", block.shortcut.weight[..., 0, 0], x) + block.shortcut.bias.view(-1, 1, 1)
    torch.testing.assert_close(block(x), expected.relu())


def test_gradients_reach_the_input_through_shortcut_and_convolutions():
    """A shortcut alone would see one pixel of the input, two 3×3 convolutions see 5×5."""
    torch.manual_seed(0)
    block = ResidualBlock(2, 64).double().eval()
    x = torch.randn(1, 2, 9, 9, dtype=torch.float64, requires_grad=True)
    block(x)[0, :, 4, 4].sum().backward()
    seen = x.grad[0].abs().sum(0) > 0
    assert seen[2:7, 2:7].all() and seen.sum() == 25


def test_dropout_is_for_training_only_and_takes_whole_channels():
    torch.manual_seed(0)
    network = ResUNet(2, width=8)
    L = torch.rand(1, 1, 16, 16) * 100
    kept = network.first(L / 50 - 1).flatten(2).any(-1)
    without = network.first[0](L / 50 - 1).flatten(2).any(-1)
    assert without.all() and not kept.all()
    network.eval()
    assert torch.equal(network(L), network(L))


def test_dropout_is_a_share():
    with pytest.raises(ValueError, match="dropout of resunet is a share of channels, so between 0 and 1"):
        ResUNet(2, dropout=1.0)
