"""DDColor: the authors' sizes and weights. What all networks promise is in test_models.py."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from colorlib.color.lab import lab_to_rgb
from colorlib.models.ddcolor import (
    MEAN,
    STD,
    DDColor,
    ReleasedDDColor,
    load_released_ddcolor,
    position_code,
)

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[2] / "shared"
# of the names and shapes of the released state dict, as JSON
RELEASED_SHAPES = "5fecc0e367ddf4f179a52ab4fe49ad4ecf18b542950aecf040e9334cfe4c1c5f"


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def released():
    return ReleasedDDColor().eval()


def count(network):
    return sum(p.numel() for p in network.parameters())


def state_rule(names_and_shapes):
    """The deterministic weights of ../shared/reference/README.md."""
    state = {}
    for k, (name, shape) in enumerate(names_and_shapes):
        i = np.arange(int(np.prod(shape)), dtype=np.float64)
        w = np.sin(1.7 * k + 0.731 * i + np.remainder(0.0173 * i**2, 2 * np.pi)).reshape(shape)
        if name in ("mean", "std"):
            w = np.array(MEAN if name == "mean" else STD).reshape(shape)
        elif name.endswith("running_var"):
            w = 1 + 0.25 * w
        elif name.endswith("running_mean"):
            w = 0.1 * w
        elif name.endswith("gamma"):
            w = 0.5 + 0.1 * w
        elif name.endswith("weight_v"):
            w = w / np.linalg.norm(w)
            u = state[name.replace("_v", "_orig")].double().flatten(1).numpy() @ w
            state[name.replace("_v", "_u")] = torch.from_numpy(u / np.linalg.norm(u)).float()
        elif len(shape) == 1:
            w = 0.1 * w + name.endswith("weight")
        elif len(shape) > 1:
            w = w * np.sqrt(2 / np.prod(shape[1:])) * 1.2
        counts = name.endswith("num_batches_tracked")
        state[name] = torch.tensor(0) if counts else torch.from_numpy(w).float()
    return state


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_released_ddcolor_agrees_with_the_authors_network(released):
    shapes = json.loads((SHARED / "reference/ddcolor_tiny_state.json").read_text())
    assert [(k, list(v.shape)) for k, v in released.state_dict().items()] == list(shapes.items())
    released.load_state_dict(state_rule(shapes.items()))
    reference = np.load(SHARED / "reference/ddcolor_tiny.npz")
    L = torch.from_numpy(reference["L"]).float()[None, None]
    with torch.inference_mode():
        grey_rgb, ab = (released.picture(L) * released.std + released.mean)[0].numpy(), released(L)[0].numpy()
    np.testing.assert_allclose(grey_rgb, reference["grey_rgb"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(ab, reference["ab"], rtol=0, atol=1e-3 * np.abs(reference["ab"]).max())


def test_released_ddcolor_has_the_authors_names_and_shapes(released):
    shapes = json.dumps([[key, list(value.shape)] for key, value in released.state_dict().items()])
    assert hashlib.sha256(shapes.encode()).hexdigest() == RELEASED_SHAPES
    assert count(released) == 55_006_640


def test_released_ddcolor_takes_any_size(released):
    L = torch.rand(2, 1, 33, 47) * 100
    with torch.inference_mode():
        ab = released(L)
        assert ab.shape == (2, 2, 33, 47) and ab.isfinite().all()
        assert released.query_maps(L).shape == (2, 100, 33, 47)
        torch.testing.assert_close(released(L[1:]), ab[1:], atol=1e-3 * ab.abs().max().item(), rtol=0)


def test_the_network_that_is_trained_is_the_released_one_but_for_the_way_in_and_out(released):
    """Grey RGB is one number three times, so the first convolution sums its three channels."""
    trained = DDColor(2).eval()
    encoder = "encoder.arch.downsample_layers.0.0."
    state = {k: v.clone() for k, v in released.state_dict().items() if not k.startswith("refine_net")}
    weight = state[encoder + "weight"]
    state[encoder + "weight"] = weight.sum(1, keepdim=True)
    missing = trained.load_state_dict(state, strict=False)
    assert set(missing.missing_keys) == {"output.conv.weight", "output.conv.bias"}
    extra = {"mean", "std", "encoder.arch.norm.weight", "encoder.arch.norm.bias"}
    assert set(missing.unexpected_keys) == extra | {f"encoder.arch.norm{i}.bias" for i in range(4)}
    grey = torch.rand(1, 1, 32, 64)
    with torch.inference_mode():
        for i in range(4):  # the bias that the trained one does without, since the pixel decoder takes it out again
            getattr(released.encoder["arch"], f"norm{i}").bias.zero_()
        torch.testing.assert_close(trained.maps(grey), released.maps(grey.expand(1, 3, 32, 64)), atol=1e-3, rtol=1e-3)


def test_it_has_the_published_sizes():
    """55.0 M and 227.9 M parameters in table 1."""
    with torch.device("meta"):
        tiny, large = DDColor(2), DDColor(2, width=192, depth=27)
    assert round(count(tiny) / 1e6, 1) == 55.0
    assert round(count(large) / 1e6, 1) == 227.9
    assert [len(stage) for stage in tiny.encoder["arch"].stages] == [3, 3, 9, 3]
    assert [len(stage) for stage in large.encoder["arch"].stages] == [3, 3, 27, 3]
    assert count(DDColor(2, **DDColor.narrow)) < 1.5e6


def test_output_is_a_mix_of_the_query_maps_and_the_picture():
    network = DDColor(2, **DDColor.narrow).eval()
    L = torch.rand(1, 1, 33, 40) * 100
    maps = network.query_maps(L)
    assert maps.shape == (1, 20, 33, 40) and maps.std() > 0.01
    weight = network.output.conv.weight[:, :, 0, 0]
    mixed = torch.einsum("ck,nkhw->nchw", weight, torch.cat([maps, L / 50 - 1], 1))
    torch.testing.assert_close(network(L), mixed)


def test_queries_begin_without_content_and_end_different_for_each_picture():
    network = DDColor(2, **DDColor.narrow).eval()
    decoder = network.decoder.color_decoder
    assert decoder.query_feat.weight.std() > 0.5 and decoder.query_embed.weight.std() > 0.5
    scales = [torch.randn(2, c, s, s) for c, s in ((64, 2), (64, 4), (32, 8))]
    embeddings = decoder(scales)
    assert embeddings.shape == (2, 20, 32)
    assert not torch.allclose(embeddings[0], embeddings[1])
    for scale in scales:
        scale.requires_grad_()
    decoder(scales).square().sum().backward()
    assert all(scale.grad.any() for scale in scales)  # three blocks, one for each scale


def test_position_code_tells_rows_from_columns_and_spans_any_size_alike():
    code = position_code(4, 6, 32, torch.device("cpu")).view(4, 6, 32)
    assert torch.equal(code[:, 0, :16], code[:, 5, :16]) and torch.equal(code[0, :, 16:], code[3, :, 16:])
    assert len(code.flatten(0, 1).unique(dim=0)) == 24
    torch.testing.assert_close(code[-1, -1], position_code(9, 9, 32, torch.device("cpu"))[-1], atol=1e-5, rtol=0)
    torch.testing.assert_close(code[0, 0, :2], torch.tensor([1.0, 0.0]), atol=1e-6, rtol=0)  # a quarter of the way down


def test_weight_files_load_or_say_what_is_wrong(released, tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(FileNotFoundError, match="no weight file at"):
        load_released_ddcolor(path)
    state = released.state_dict()
    path.write_bytes(b"<html>quota exceeded</html>")
    with pytest.raises(ValueError, match="not the DDColor-T weight file"):
        load_released_ddcolor(path)
    narrow = DDColor(2, **DDColor.narrow).state_dict()
    for other in ([1, 2], {"params": [1, 2]}, {"params": {"mean": state["mean"]}}, narrow):
        torch.save(other, path)
        with pytest.raises(ValueError, match="not the DDColor-T weight file"):
            load_released_ddcolor(path)
    for content in (state, {"params": state}):
        torch.save(content, path)
        loaded = load_released_ddcolor(path)
        assert not loaded.training
        assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in state.items())


def test_released_ddcolor_reads_grey_of_the_same_lightness(released):
    L = torch.full((1, 1, 32, 32), 53.59)
    grey = released.picture(L) * released.std + released.mean
    torch.testing.assert_close(grey, lab_to_rgb(torch.cat([L, 0 * L, 0 * L], 1)))
    torch.testing.assert_close(grey.mean(), torch.tensor(128 / 255), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "options, message",
    [({"decoder_width": 96}, "decoder_width must be a multiple of 64, not 96"), ({"blocks": 2}, "3 or more")],
)
def test_bad_options_get_one_clear_sentence(options, message):
    with pytest.raises(ValueError, match=message):
        DDColor(2, **options)
