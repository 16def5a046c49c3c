import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from variants import ENCODED, ENCODERS, VARIANTS, narrow

from colorlib.machine import count_by_layer, count_macs
from colorlib.models import MODELS, ReleasedECCV16, create_model, load_released_eccv16, model_options
from colorlib.models.blocks import Output

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[2] / "shared"
LOCAL = ("plain_cnn", "unet", "eccv16")  # convolutions alone, with strides of 8 at most
CLASSES = 3
# of the names and shapes of the released state dict, as JSON
RELEASED_SHAPES = "070b43071ea3eb258925fa6002f2864a5b52e1f04568b53187cb8134f371f3ac"

every_model = pytest.mark.parametrize("name, options", VARIANTS)


def create(name, options, out_channels=2, out_stride=1):
    torch.manual_seed(0)
    return create_model(name, out_channels, out_stride, CLASSES, **options)


def some_L(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 100


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (8, 5)])
def test_output_has_the_size_asked_for(name, stride, size):
    output = create(name, MODELS[name].narrow, 5, stride).eval()(some_L(2, 1, *size))
    assert output.shape == (2, 5, -(-size[0] // stride), -(-size[1] // stride))
    assert output.isfinite().all()


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("name", ENCODED)
def test_an_encoder_takes_any_size(name, encoder):
    options = narrow(name, encoder=encoder, pretraining="none")
    for stride, size in ((1, (1, 1)), (2, (5, 8)), (4, (33, 47)), (1, (200, 129))):
        with torch.inference_mode():
            output = create(name, options, 2, stride).eval()(some_L(1, 1, *size))
        assert output.shape == (1, 2, -(-size[0] // stride), -(-size[1] // stride)) and output.isfinite().all()


# What the narrow designs were before another encoder could stand in the place of their own: the SHA-256 of the state's
# names and shapes, as JSON; the sum of the weights' absolute values; the number that the generator draws next.
OWN = {
    "deoldify": ("d3c6d859c52042b783bb63f69b2063dde32bc15461cb9596c8000e392577df21", 51745.322201, 0.8429425358772278),
    "chromagan": ("cd64aa6d8afa6ebe6c86c8cde2a0d6d1915ff433d4b43b79d049443f8bfa6786", 52359.458333, 0.7146304845809937),
    "ddcolor": ("192f6b95f06909a88ab7faa5f4237cae430936af1357b9091e15df2f23eb6fb8", 36900.253790, 0.9588868618011475),
}


@pytest.mark.parametrize("name", OWN)
def test_with_its_own_encoder_a_design_is_what_it_was(name):
    network = create(name, MODELS[name].narrow)
    drawn = torch.rand(1).item()
    shapes = json.dumps([[key, list(value.shape)] for key, value in network.state_dict().items()])
    weights = sum(p.double().abs().sum().item() for p in network.parameters())
    assert (hashlib.sha256(shapes.encode()).hexdigest(), drawn) == OWN[name][::2]
    assert weights == pytest.approx(OWN[name][1], rel=1e-6)


@every_model
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_every_parameter_learns(name, options, stride):
    """But those of a frozen encoder, and of those each one."""
    network = create(name, options, 3, stride)
    L, ab = some_L(2, 1, 32, 32), some_L(2, 2, 32, 32) - 50
    frozen = options.get("pretraining") == "frozen"
    for key, p in network.named_parameters():
        assert p.requires_grad != (frozen and key.startswith(("lite.", "encoder."))), key
    loss = network(L).square().sum()
    loss = loss + sum(network.side_loss(L, ab, torch.arange(2)).values())
    loss.backward()
    learning = {key: p.grad for key, p in network.named_parameters() if p.requires_grad}
    assert [key for key, gradient in learning.items() if gradient is None or not gradient.any()] == []
    assert all(gradient.isfinite().all() for gradient in learning.values())


@every_model
def test_groups_hold_all_that_learns_once_each(name, options):
    network = create(name, options)
    grouped = [id(p) for group in network.parameter_groups() for p in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(p) for p in network.parameters() if p.requires_grad}


@every_model
def test_it_begins_near_grey_whatever_the_lightness(name, options):
    ab = 110 * create(name, options)(
        torch.cat([some_L(2, 1, 32, 32), torch.zeros(1, 1, 32, 32), torch.full((1, 1, 32, 32), 100)])
    )
    assert ab.abs().max() < 5


@every_model
def test_it_answers_the_same_in_eval_mode_alone_or_in_a_batch_and_in_any_memory_format(name, options):
    network = create(name, options).eval()
    L = some_L(3, 1, 24, 24)
    together = network(L)
    assert torch.equal(together, network(L))
    torch.testing.assert_close(network(L[1:2]), together[1:2])
    torch.testing.assert_close(network.to(memory_format=torch.channels_last)(L), together)


@every_model
def test_it_runs_in_bfloat16(name, options):
    network = create(name, options).eval()
    L = some_L(1, 1, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network(L).float()
    atol = 2e-3 if options.get("pretraining", "none") == "none" else 5e-3  # trained features are larger than fresh ones
    torch.testing.assert_close(rounded, network(L), atol=atol, rtol=0.1)


@every_model
def test_weights_survive_a_file(name, options, tmp_path):
    network = create(name, options)
    network(some_L(2, 1, 32, 32))  # moves the running statistics
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    torch.manual_seed(1)
    other = create_model(name, 2, classes=CLASSES, **options)
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(other.eval()(some_L(1, 1, 32, 32)), network.eval()(some_L(1, 1, 32, 32)))


@pytest.mark.parametrize("name, options", [v for v in VARIANTS if v.id in MODELS or v.id.endswith("-frozen")])
def test_it_learns_four_pictures(name, options):
    """Left halves are light and red, right halves dark and blue, or the other way round: lightness tells the colour."""
    network = create(name, options | ({"enlarge_to": 32} if "enlarge_to" in options else {}))
    light = torch.zeros(4, 1, 16, 16)
    light[:2, ..., :8] = light[2:, ..., 8:] = 1
    L = 20 + 60 * light + some_L(4, 1, 16, 16) / 20
    ab_unit = torch.cat([0.8 * light - 0.2, 0.5 - 0.9 * light], 1)
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        loss = (network(L) - ab_unit).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if learned := losses[-1] < 0.15 * losses[0]:
            break
    assert learned


@pytest.mark.parametrize("name", LOCAL)
def test_a_shifted_picture_gives_shifted_colours(name):
    """By 8 pixels, the coarsest stride of all, and far from the edges."""
    network = create(name, MODELS[name].narrow).eval()
    L = some_L(1, 1, 416, 424)
    with torch.no_grad():
        wide, shifted = network(L), network(L[..., 8:])
    assert wide.std() > 0
    torch.testing.assert_close(wide[..., 192:224, 200:232], shifted[..., 192:224, 192:224], atol=1e-6, rtol=1e-3)


def test_parameter_counts_are_those_of_the_layers():
    count = {name: sum(p.numel() for p in create_model(name, 2).parameters()) for name in ("plain_cnn", "unet")}
    assert count["plain_cnn"] == (9 * 12 + 12) + 2 * (9 * 12 * 12 + 12) + (9 * 12 * 2 + 2)
    pairs = [(1, 32), (32, 64), (64, 128), (128, 256), (384, 128), (192, 64), (96, 32)]
    assert count["unet"] == sum(9 * i * o + 9 * o * o + 4 * o for i, o in pairs) + 2 * 32 + 2


@every_model
def test_layers_add_up_to_the_network(name, options):
    network = create(name, options).eval()
    layers = count_by_layer(network, (32, 24))
    assert len(layers) > 1
    assert sum(weights for weights, _ in layers.values()) == sum(p.numel() for p in network.parameters())
    assert sum(macs for _, macs in layers.values()) == count_macs(network, (32, 24))


def test_layers_are_counted_where_they_lie_and_what_lies_between_them_is_said():
    class Lists(torch.nn.Module):
        steps = 3

        def __init__(self):
            super().__init__()
            self.first = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1))
            self.list = torch.nn.ModuleList(torch.nn.Linear(4, 4, bias=False) for _ in range(2))
            self.unused = torch.nn.Linear(2, 2)
            self.mix = torch.nn.Parameter(torch.eye(4))

        def forward(self, L):
            x = self.first[0](L).flatten(2).transpose(1, 2)  # (N, H · W, 4); the Sequential is not called as a whole
            return self.list[1](self.list[0](x)) @ self.mix

    pixels = 5 * 7
    assert count_by_layer(Lists(), (5, 7)) == {
        "first": (9 * 4 + 4, 3 * pixels * 9 * 4),
        "list.0": (16, 3 * pixels * 16),
        "list.1": (16, 3 * pixels * 16),
        "unused": (6, 0),
        "(between layers)": (16, 3 * pixels * 16),
    }


def test_output_places_each_value_over_its_own_pixels():
    features = torch.arange(4.0).view(1, 1, 2, 2)
    output = Output(1, 1, stride=4, out_stride=1)
    torch.nn.init.ones_(output.conv.weight)
    enlarged = output(features, (7, 8))
    assert enlarged.shape == (1, 1, 7, 8)
    assert enlarged[0, 0, 0, 0] == 0 and enlarged[0, 0, 0, 7] == 1  # the corners are flat, no shift towards one side
    torch.testing.assert_close(enlarged[0, 0, 0], 1 - enlarged[0, 0, 0].flip(-1))
    shrunk = Output(1, 1, stride=1, out_stride=2)
    torch.nn.init.ones_(shrunk.conv.weight)
    assert shrunk(torch.arange(6.0).view(1, 1, 2, 3), (2, 3)).flatten().tolist() == [2.0, 3.5]


# -------------------------------------------------------------------------------------------- the released network


def state_rule(names_and_shapes, logits_gain=40.0):
    """The deterministic weights of ../shared/reference/README.md."""
    state = {}
    for k, (name, shape) in enumerate(names_and_shapes):
        i = np.arange(int(np.prod(shape)), dtype=np.float64)
        w = np.sin(1.7 * k + 0.731 * i + np.remainder(0.0173 * i**2, 2 * np.pi)).reshape(shape)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros(shape, dtype=torch.int64)
            continue
        if name.endswith("running_var"):
            w = 1 + 0.25 * w
        elif name.endswith("running_mean"):
            w = 0.1 * w
        elif len(shape) == 1:
            w = 0.1 * w + name.endswith("weight")
        else:
            gain = logits_gain if name == "model8.6.weight" else 1.2
            w = w * np.sqrt(2 / np.prod(shape[1:])) * gain
        state[name] = torch.from_numpy(w.astype(np.float32))
    return state


@pytest.fixture(scope="module")
def released():
    return ReleasedECCV16().eval()


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_released_eccv16_agrees_with_the_authors_network(released):
    shapes = json.loads((SHARED / "reference/eccv16_state.json").read_text())
    assert [(k, list(v.shape)) for k, v in released.state_dict().items()] == list(shapes.items())
    released.load_state_dict(state_rule(shapes.items()))
    reference = np.load(SHARED / "reference/eccv16.npz")
    with torch.inference_mode():
        ab = released(torch.from_numpy(reference["L"]).float()[None, None])[0].numpy()
    np.testing.assert_allclose(ab, reference["ab"], rtol=0, atol=1e-3 * np.abs(reference["ab"]).max())


def test_released_eccv16_has_the_authors_names_and_shapes(released):
    shapes = json.dumps([[key, list(value.shape)] for key, value in released.state_dict().items()])
    assert hashlib.sha256(shapes.encode()).hexdigest() == RELEASED_SHAPES
    assert sum(p.numel() for p in released.parameters()) == 32_236_011


def test_the_network_that_is_trained_is_the_released_one_up_to_its_logits(released):
    trained = create_model("eccv16", 313, out_stride=4).eval()
    state = released.state_dict()
    state |= {f"output.conv.{part}": state.pop(f"model8.6.{part}") for part in ("weight", "bias")}
    del state["model_out.weight"]
    trained.load_state_dict(state)
    L = some_L(1, 1, 24, 29)
    with torch.inference_mode():
        probabilities = trained(L).softmax(1)
        ab = torch.einsum("cq,nqhw->nchw", 110 * released.model_out.weight[:, :, 0, 0], probabilities)
        ab = torch.nn.functional.interpolate(ab, scale_factor=4, mode="bilinear")[..., :24, :24]
        torch.testing.assert_close(released(L)[..., :20], ab[..., :20], atol=1e-3, rtol=1e-3)


def test_weight_files_load_or_say_what_is_wrong(released, tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(FileNotFoundError, match="no weight file at"):
        load_released_eccv16(path)
    for content in (b"", b"<html>quota exceeded</html>", b"PK\x03\x04 truncated"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not the ECCV16 weight file"):
            load_released_eccv16(path)
    for other in ({"model1.0.weight": torch.zeros(64, 1, 3, 3)}, [1, 2], create_model("unet", 2, width=2).state_dict()):
        torch.save(other, path)
        with pytest.raises(ValueError, match="not the ECCV16 weight file"):
            load_released_eccv16(path)
    torch.save(released.state_dict(), path)
    loaded = load_released_eccv16(path)
    assert not loaded.training
    assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in released.state_dict().items())


# ------------------------------------------------------------------------------------------------------- bad input


def test_unknown_names_and_options_get_one_clear_sentence():
    with pytest.raises(ValueError, match="did you mean 'unet'"):
        create_model("unte", 2)
    with pytest.raises(ValueError, match="unknown option of unet 'widht'; did you mean 'width'"):
        create_model("unet", 2, widht=8)
    for value in ("8", 8.5, True, None):
        with pytest.raises(TypeError, match="width of unet must be a number like 32"):
            create_model("unet", 2, width=value)
    with pytest.raises(ValueError, match="above zero"):
        create_model("eccv16", 2, width=0)
    with pytest.raises(ValueError, match="out_stride must be 1, 2 or 4"):
        create_model("unet", 2, out_stride=3)
    assert model_options("eccv16") == {"width": 1.0}
