import copy
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from test_models import state_rule

from colorlib.color import gamut
from colorlib.color.hints import draw_hints
from colorlib.models.siggraph17 import SIGGRAPH17, ReleasedSIGGRAPH17, load_released_siggraph17

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[2] / "shared"
# of the names and shapes of the released state dict, as JSON
RELEASED_SHAPES = "1cf9d7b61a8ca7443eedacff83bb5c64e647f301054849133e56254cc3a98fa8"


@pytest.fixture(scope="module")
def released():
    return ReleasedSIGGRAPH17().eval()


def narrow(**options):
    torch.manual_seed(0)
    return SIGGRAPH17(2, **SIGGRAPH17.narrow, **options)


def some_L(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 100


def some_ab(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 80 - 40


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_released_siggraph17_agrees_with_the_authors_network(released):
    shapes = json.loads((SHARED / "reference/siggraph17_state.json").read_text())
    assert [(k, list(v.shape)) for k, v in released.state_dict().items()] == list(shapes.items())
    released.load_state_dict(state_rule(shapes.items()))
    reference = {k: torch.from_numpy(v).float()[None] for k, v in np.load(SHARED / "reference/siggraph17.npz").items()}
    hints = torch.cat([reference["hint_ab"], reference["hint_mask"]], 1)
    with torch.inference_mode():
        for extra, expected in ((None, reference["ab"]), (hints, reference["ab_with_hints"])):
            ab = released(reference["L"][None], extra)
            torch.testing.assert_close(ab, expected, rtol=0, atol=1e-3 * float(expected.abs().max()))


def test_released_siggraph17_has_the_authors_names_and_shapes(released):
    shapes = json.dumps([[key, list(value.shape)] for key, value in released.state_dict().items()])
    assert hashlib.sha256(shapes.encode()).hexdigest() == RELEASED_SHAPES
    assert sum(p.numel() for p in released.parameters()) == 34_187_027


def test_the_network_that_is_trained_is_the_released_one_up_to_its_tanh(released):
    trained = SIGGRAPH17(2).eval()
    state = {key: value for key, value in released.state_dict().items() if not key.startswith("model_class")}
    state |= {f"output.conv.{part}": state.pop(f"model_out.0.{part}") for part in ("weight", "bias")}
    missing, unexpected = trained.load_state_dict(state, strict=False)
    assert (missing, unexpected) == (["classes.conv.weight", "classes.conv.bias"], [])
    L, ab = some_L(1, 1, 21, 30), some_ab(1, 2, 21, 30)
    hints = torch.cat([ab, torch.ones(1, 1, 21, 30)], 1)
    with torch.inference_mode():
        torch.testing.assert_close(released(L, hints), 110 * trained(L, hints).tanh())


def test_weight_files_load_or_say_what_is_wrong(released, tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(FileNotFoundError, match="no weight file at .* SIGGRAPH17"):
        load_released_siggraph17(path)
    path.write_bytes(b"<html>quota exceeded</html>")
    with pytest.raises(ValueError, match="not the SIGGRAPH17 weight file"):
        load_released_siggraph17(path)
    torch.save({"model1.0.weight": torch.zeros(64, 4, 3, 3)}, path)
    with pytest.raises(ValueError, match="not the SIGGRAPH17 weight file"):
        load_released_siggraph17(path)
    torch.save(released.state_dict(), path)
    loaded = load_released_siggraph17(path)
    assert not loaded.training
    assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in released.state_dict().items())


def test_hints_move_the_colours_and_none_is_the_same_as_no_hint_anywhere():
    network, L = narrow().eval(), some_L(1, 1, 24, 24)
    nothing = torch.zeros(1, 3, 24, 24)
    grey = nothing.clone()
    grey[:, 2, 8:12, 8:12] = 1  # a hinted grey: only the mask tells
    assert torch.equal(network(L), network(L, nothing))
    assert not torch.allclose(network(L), network(L, grey), atol=1e-6)
    with pytest.raises(ValueError, match=r"must have shape \(1, 3, 24, 24\)"):
        network(L, nothing[:, :2])


def drawn(network, ab):
    """Return the hints that the network is shown in training."""
    network.forward = lambda L, hints: hints
    return network.forward_in_training(torch.zeros(len(ab), 1, *ab.shape[-2:]), ab)


def test_training_shows_hints_of_the_truth():
    network, ab = narrow(), some_ab(4, 2, 16, 16)
    torch.manual_seed(0)
    shown = drawn(network, ab)
    torch.manual_seed(0)
    assert shown.shape == (4, 3, 16, 16) and torch.equal(shown, draw_hints(ab))


def test_a_share_of_the_photographs_is_hinted():
    ab = some_ab(1, 2, 16, 16).expand(2000, -1, -1, -1)
    torch.manual_seed(0)
    shares = {h: (drawn(narrow(hinted=h), ab)[:, 2].amax((1, 2)) > 0).float().mean() for h in (1.0, 0.25)}
    assert shares[1.0] == pytest.approx(7 / 8, abs=0.03) and shares[0.25] == pytest.approx(7 / 32, abs=0.04)
    for hinted in (0.0, 1.5):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            SIGGRAPH17(2, hinted=hinted)


@pytest.mark.parametrize("size", [(32, 32), (33, 18)])
def test_the_side_branch_learns_alone(size):
    network, L, ab = narrow(), some_L(2, 1, *size), some_ab(2, 2, *size)
    network(L)
    network.side_loss(L, ab)["class_ce"].backward()
    assert {name for name, p in network.named_parameters() if p.grad is not None} == {
        "classes.conv.weight",
        "classes.conv.bias",
    }
    assert all(p.grad.any() for p in network.classes.parameters())


def test_the_side_loss_is_the_cross_entropy_of_the_bins():
    network, L = narrow(class_weight=3.0), some_L(2, 1, 8, 8)
    centre = gamut.bin_centres()[100].view(1, 2, 1, 1).expand(2, 2, 8, 8)
    network(L)
    with torch.no_grad():
        network.classes.conv.weight.zero_()
        assert network.side_loss(L, centre)["class_ce"].item() == pytest.approx(3 * np.log(313), rel=1e-5)
        indices, odds = gamut.soft_encode(centre)
        network.classes.conv.bias.fill_(-50)
        network.classes.conv.bias[indices[0, :, 0, 0]] = odds[0, :, 0, 0].log()
        entropy = -(odds * odds.log()).sum(1).mean().item()  # the least that cross-entropy can be
        assert network.side_loss(L, centre)["class_ce"].item() == pytest.approx(3 * entropy, rel=1e-5)


def test_the_side_loss_needs_a_forward_in_training_mode_and_takes_bfloat16():
    network, L, ab = narrow(), some_L(2, 1, 16, 16), some_ab(2, 2, 16, 16)
    network.eval()(L)
    with pytest.raises(RuntimeError, match="training mode"):
        network.side_loss(L, ab)
    with torch.autocast("cpu", torch.bfloat16):
        network.train()(L)
    assert network.side_loss(L, ab)["class_ce"].isfinite()
    copy.deepcopy(network)  # what the forward kept can be copied


def test_options_must_be_above_zero():
    for options in ({"width": 0}, {"class_weight": -1.0}):
        with pytest.raises(ValueError, match="must be above zero"):
            SIGGRAPH17(2, **options)
