import math
import warnings

import pytest
import torch

from colorlib.models.chromagan import ChromaGAN

pytestmark = pytest.mark.slow


def some_L(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 100


def narrow(classes=3, **options):
    torch.manual_seed(0)
    return ChromaGAN(2, classes=classes, width=8, **options)


def conv(i, o, kernel=3):
    return kernel**2 * i * o + o


def test_parameter_count_is_that_of_the_published_layers():
    """The trunk is VGG-16's up to conv4_3, whose parameters are well known, but with one channel in, not three."""
    vgg_to_conv4_3 = 7_635_264
    with torch.device("meta"):
        network = ChromaGAN(2, classes=1000)
    assert sum(p.numel() for p in network.trunk.parameters()) == vgg_to_conv4_3 - 9 * 2 * 64
    with_norm = 4 * (9 * 512 * 512 + 2 * 512) + (9 * 512 * 512 + 2 * 512) + (9 * 512 * 256 + 2 * 256)
    vector = conv(512, 1024, 1) + conv(1024, 512, 1) + conv(512, 256, 1)
    classifier = conv(512, 4096, 1) + conv(4096, 4096, 1) + conv(4096, 1000, 1)
    colours = conv(512, 256, 1) + conv(256, 128) + conv(128, 64) + conv(64, 64) + conv(64, 32) + conv(32, 2)
    rest = with_norm + vector + classifier + colours
    assert sum(p.numel() for p in network.parameters()) == vgg_to_conv4_3 - 9 * 2 * 64 + rest == 45_333_002


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_every_parameter_learns_with_labels(stride):
    network = narrow(out_stride=stride)
    L = some_L(2, 1, 32, 32)
    loss = network(L).square().sum()
    (loss + sum(network.side_loss(L, torch.zeros(2, 2, 32, 32), torch.tensor([0, 2])).values())).backward()
    assert [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_class_kl_is_the_weighted_divergence_from_the_label():
    network = narrow(class_weight=0.5)
    L = some_L(2, 1, 32, 32)
    network(L)
    logits = network._class_logits.detach()
    label = torch.eye(3)[[2, 0]]
    kl = torch.xlogy(label, label).sum(1) - (label * logits.log_softmax(1)).sum(1)
    side = network.side_loss(L, torch.zeros(2, 2, 32, 32), torch.tensor([2, 0]))
    torch.testing.assert_close(side["class_kl"], 0.5 * kl.mean())


def test_it_learns_to_tell_classes_apart():
    """Light photographs are of class 0, dark ones of class 1."""
    network = narrow(classes=2, class_weight=1.0)
    L, labels = torch.cat([60 + some_L(4, 1, 16, 16) / 3, some_L(4, 1, 16, 16) / 3]), torch.tensor([0] * 4 + [1] * 4)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(30):
        network(L)
        loss = network.side_loss(L, torch.zeros(8, 2, 16, 16), labels)["class_kl"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3 * math.log(2)


def test_the_vector_reaches_every_place():
    """What is in one corner changes the colours of the far one, which the places alone cannot see."""
    network = narrow().double().eval()
    L = some_L(1, 1, 256, 256).double().requires_grad_()
    network(L)[0, 0, -1, -1].backward()
    assert L.grad[0, 0, :8, :8].any()
    with torch.no_grad():
        for p in network.vector.parameters():
            p.zero_()
    L.grad = None
    network(L)[0, 0, -1, -1].backward()
    assert not L.grad[0, 0, :8, :8].any() and L.grad[0, 0, -8:, -8:].any()


@pytest.mark.parametrize("classes, labels", [(0, torch.tensor([0, 1])), (3, None)])
def test_without_labels_it_warns_once_and_adds_no_term(classes, labels):
    network = narrow(classes=classes)
    L, ab = some_L(2, 1, 32, 32), torch.zeros(2, 2, 32, 32)
    network(L)
    with pytest.warns(UserWarning, match="runs without labels"):
        assert network.side_loss(L, ab, labels) == {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network(L)
        assert network.side_loss(L, ab, labels) == {}


def test_without_classes_there_is_no_class_layer_and_all_else_learns():
    network = narrow(classes=0)
    assert network.classifier is None
    network(some_L(2, 1, 32, 32)).square().sum().backward()
    assert [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_bad_input_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="classes of chromagan is a number of labels, 0 for none, not -1"):
        ChromaGAN(2, classes=-1)
    with pytest.raises(ValueError, match="cannot be trained on one photograph of 32×20 pixels"):
        narrow()(some_L(1, 1, 32, 20))
    narrow()(some_L(1, 1, 20, 33))
    network = narrow().eval()
    network(some_L(1, 1, 32, 20))
    with pytest.raises(RuntimeError, match="needs a forward in training mode"):
        network.side_loss(some_L(1, 1, 32, 20), torch.zeros(1, 2, 32, 20), torch.tensor([0]))
