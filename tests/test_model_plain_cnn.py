import pytest
import torch

from colorlib.models.plain_cnn import PlainCNN

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("out_stride", [1, 2, 4])
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (8, 5), (1, 1)])
def test_stride_2_keeps_the_size_asked_for(size, out_stride):
    output = PlainCNN(5, out_stride, stride=2)(torch.full((2, 1, *size), 50.0))
    assert output.shape == (2, 5, -(-size[0] // out_stride), -(-size[1] // out_stride))


def test_hidden_layers_work_at_half_the_resolution_with_stride_2():
    network = PlainCNN(2, stride=2)
    sizes = []
    for conv in (network.conv1, network.conv2, network.conv3):
        conv.register_forward_hook(lambda _, __, x: sizes.append(tuple(x.shape[-2:])))
    network(torch.zeros(1, 1, 32, 48))
    assert sizes == [(16, 24)] * 3


@pytest.mark.parametrize("stride, side", [(1, 9), (2, 15)])
def test_it_sees_as_much_as_its_description_says(stride, side):
    """One output of the last convolution; ReLU is out of the way, for it would hide pixels."""
    torch.manual_seed(0)
    network = PlainCNN(1, out_stride=stride, stride=stride).double()
    L = torch.full((1, 1, 64, 64), 50.0, dtype=torch.float64, requires_grad=True)
    for conv in (network.conv1, network.conv2, network.conv3):
        torch.nn.init.constant_(conv.bias, 100.0)
    network(L)[0, 0, 12, 12].backward()
    rows, columns = (L.grad[0, 0].abs().sum(axis).nonzero() for axis in (1, 0))
    assert [int(seen.max() - seen.min()) + 1 for seen in (rows, columns)] == [side, side]


def test_stride_leaves_the_weights_as_they_are():
    """The same seed, the same names, the same weights: runs from before there was a stride can still be loaded."""
    states = []
    for options in ({}, {"stride": 2}):
        torch.manual_seed(0)
        states.append(PlainCNN(2, **options).state_dict())
    assert list(states[0]) == [
        f"{n}.{p}" for n in ("conv1", "conv2", "conv3", "output.conv") for p in ("weight", "bias")
    ]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    torch.testing.assert_close(states[0]["conv1.weight"].std(), torch.tensor((2 / 9) ** 0.5), rtol=0.2, atol=0)


def test_other_strides_are_refused():
    with pytest.raises(ValueError, match="stride of plain_cnn must be 1 or 2, not 3"):
        PlainCNN(2, stride=3)
