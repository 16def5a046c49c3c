"""What may be recorded on a GPU: told without one, on tensors that have shapes and no values."""

import contextlib

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from colorlib.models import MODELS, create_model

RECORDED = sorted(name for name, network in MODELS.items() if network.replays)


class Unrecordable(TorchDispatchMode):
    """Fails at what a CUDA graph cannot hold: a number that the processor asks for, and a tensor brought to the GPU."""

    def __torch_dispatch__(self, operation, types, given=(), options=None):
        options = options or {}
        result = operation(*given, **options)
        name = str(operation)
        asks = "_local_scalar_dense" in name or "nonzero" in name
        brings = (
            ("copy" in name)
            and any(isinstance(x, torch.Tensor) and x.device.type == "cpu" for x in given)
            and isinstance(result, torch.Tensor)
            and result.device.type == "meta"
        )
        assert not (asks or brings), f"{name} cannot be recorded"
        return result


@pytest.fixture(autouse=True)
def no_autocast(monkeypatch):  # which knows no device without values
    monkeypatch.setattr(torch, "autocast", lambda *given, **options: contextlib.nullcontext())


def forward(name, options):
    """Call a network on blank photographs as a recording does."""
    network = create_model(name, out_channels=2, **options)
    network.parameter_groups()  # reads what was published
    network.to("meta").train()
    given = [torch.zeros(4, channels, 64, 64, device="meta") for channels in (1, 3)]
    given = given if network.takes_hints else given[:1]
    network(*given)  # the first time, constants are brought along
    with Unrecordable():
        network(*given).sum().backward()


@pytest.mark.parametrize("name", RECORDED)
def test_what_declares_it_can_be_recorded(name):
    forward(name, MODELS[name].narrow)


@pytest.mark.parametrize("name", ["deoldify", "ddcolor", "effunet"])
@pytest.mark.parametrize("pretraining", ["none", "frozen", "tuned"])
def test_so_can_what_stands_on_an_encoder(name, pretraining):
    forward(name, MODELS[name].narrow | {"encoder": "lite0", "pretraining": pretraining})


def test_a_look_at_a_value_is_found_out():
    with Unrecordable(), pytest.raises((AssertionError, RuntimeError)):
        torch.zeros(3, device="meta").any().item()


def test_a_constant_that_is_brought_along_is_found_out():
    with Unrecordable(), pytest.raises(AssertionError, match="cannot be recorded"):
        torch.zeros(3, device="meta") * torch.tensor([1.0, 2.0, 3.0]).to("meta")
