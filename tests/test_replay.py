"""What may be recorded on a GPU, told without one on tensors that have no values; and with one, what it then learns."""

import contextlib

import pandas as pd
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from colorlib.models import MODELS, create_model
from colorlib.runs import ExperimentConfig, train

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


@pytest.fixture
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


@pytest.mark.usefixtures("no_autocast")
@pytest.mark.parametrize("name", RECORDED)
def test_what_declares_it_can_be_recorded(name):
    forward(name, MODELS[name].narrow)


@pytest.mark.usefixtures("no_autocast")
@pytest.mark.parametrize(
    ("name", "pretraining"), [("deoldify", "tuned"), ("ddcolor", "frozen"), ("effunet", "tuned"), ("effunet", "frozen")]
)
def test_so_can_what_stands_on_an_encoder(name, pretraining):
    forward(name, MODELS[name].narrow | {"encoder": "lite0", "pretraining": pretraining})


def test_a_look_at_a_value_is_found_out():
    with Unrecordable(), pytest.raises((AssertionError, RuntimeError)):
        torch.zeros(3, device="meta").any().item()


def test_a_constant_that_is_brought_along_is_found_out():
    with Unrecordable(), pytest.raises(AssertionError, match="cannot be recorded"):
        torch.zeros(3, device="meta") * torch.tensor([1.0, 2.0, 3.0]).to("meta")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["unet", "resunet", "effunet"])
def test_replayed_steps_learn_what_steps_one_by_one_do(name, scenes_of_64, tmp_path, monkeypatch):
    config = ExperimentConfig(name, "l1", MODELS[name].narrow, {}, 0, images_seen=96, batch_size=8, validations=3)
    train(config, scenes_of_64, tmp_path / "replayed", "cuda")
    monkeypatch.setattr(MODELS[name], "replays", False)
    train(config, scenes_of_64, tmp_path / "one by one", "cuda")
    replayed, alone = (pd.read_csv(tmp_path / way / "history.csv") for way in ("replayed", "one by one"))
    losses = ["loss", "val_loss", "val_delta_e_76"]
    pd.testing.assert_frame_equal(replayed[losses], alone[losses], rtol=1e-6)
