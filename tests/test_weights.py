"""Files of weights that are cut, damaged or made up: one sentence, and never a picture of nonsense."""

import json
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from colorlib.deployment.loading import load_colorizer
from colorlib.models import create_model, write_weights
from colorlib.objectives import create_objective
from colorlib.runs.checkpoint import Parts, State, load_checkpoint, save_checkpoint
from colorlib.runs.run import ExperimentConfig, Run, begin, write_pictures

GREY = np.tile(np.linspace(0, 255, 40, dtype=np.uint8), (30, 1))
MINE = {
    "name": "mine",
    "about": "",
    "short_side": 16,
    "model": "unet",
    "model_options": {"width": 8},
    "objective": "l2",
}


def weight_file(path: Path, recipe: dict | str, change: Callable[[dict], object] = lambda state: None) -> Path:
    state = create_model("unet", 2, width=8).state_dict()
    change(state)
    save_file(state, path, {"recipe": recipe if isinstance(recipe, str) else json.dumps(recipe)})
    return path


def test_an_exported_file_of_any_precision_colours(tmp_path):
    def halve(state):
        state.update({name: value.half() if value.is_floating_point() else value for name, value in state.items()})

    for change in (lambda state: None, halve):
        model = load_colorizer(weight_file(tmp_path / "mine.safetensors", MINE, change))
        assert model.colorize(GREY).shape == (*GREY.shape, 3)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda w: w.fill_(float("nan")), "no finite number"),
        (lambda w: w[0].fill_(float("-inf")), "no finite number"),
        (lambda w: w.to(torch.int8), "is of torch.int8"),
        (lambda w: w.double() * 1e300, "no finite number"),
        (lambda w: w[:0].clone(), "do not fit the network"),
        (lambda w: w[:, :1, :1].clone(), "do not fit the network"),
        (lambda w: None, "do not fit the network: Missing key"),
    ],
)
def test_weights_that_would_paint_nonsense_are_refused(tmp_path, change, why):
    def spoil(state):
        name = next(name for name, value in state.items() if value.ndim == 4 and value.shape[1] > 1)
        changed = change(state.pop(name).clone())
        state.update({} if changed is None else {name: changed})

    with pytest.raises(ValueError, match=f"holds no model that can colour .*{why}.*; delete it, and make or fetch"):
        load_colorizer(weight_file(tmp_path / "mine.safetensors", MINE, spoil))


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        (MINE | {"short_side": 0}, "damaged .short_side and classes are 0 and 0.; delete it"),
        (MINE | {"short_side": "16"}, "damaged .short_side is '16'"),
        (MINE | {"temperature": float("nan")}, "damaged .temperature is nan"),
        (MINE | {"classes": 10**9}, "damaged .short_side and classes are"),
        (MINE | {"gamma": 2}, "exported by a newer colorlib .gamma.; install that one"),
        (MINE | {"model": "unte"}, "unknown model 'unte'"),
        (MINE | {"model_options": {"width": 10**9}}, "width of unet must be a number like 32, 10,000 at most"),
        (MINE | {"model_options": {"width": 9999}}, "far more weights than it holds"),
        (MINE | {"model": "vit", "model_options": {"depth": 9999}}, "far more weights than it holds"),
        (MINE | {"model_options": {"depth": 3}}, "unknown option of unet 'depth'"),
        (MINE | {"objective": "l3"}, "unknown objective|'l3'"),
        ([MINE], "no model that colorlib exported"),
        ("{", "no model that colorlib exported"),
        ("[" * 100_000, "no model that colorlib exported"),
        (json.dumps(MINE).replace("{", '{"name": "his", ', 1), "the recipe says a thing twice"),
    ],
)
def test_recipes_that_cannot_be_followed_are_refused(tmp_path, recipe, why):
    with pytest.raises(ValueError, match=why):
        load_colorizer(weight_file(tmp_path / "mine.safetensors", recipe))


@pytest.mark.parametrize("kept", [0, 7, 200, -1])
def test_a_cut_weight_file_is_named(tmp_path, kept):
    path = weight_file(tmp_path / "mine.safetensors", MINE)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"mine.safetensors is no model .*damaged .*; delete it, and export or fetch"):
        load_colorizer(path)


def test_colours_that_are_no_numbers_are_never_painted(tmp_path):
    model = load_colorizer(weight_file(tmp_path / "mine.safetensors", MINE))
    next(model.network.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="mine answers with colours that are no numbers"):
        model.colorize(GREY)


@pytest.mark.parametrize("kept", [1, 100, 2000, -1])
def test_a_cut_checkpoint_is_named_and_an_empty_one_is_none(tmp_path, kept):
    network = create_model("unet", 2, width=8)
    parts = Parts(network, create_objective("l2"), torch.optim.AdamW(network.parameters()))
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, State(step=3), parts)
    assert load_checkpoint(tmp_path, None, 0, parts) == State(step=3)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match="checkpoint.pt is cut, damaged .*; delete it and run again"):
        load_checkpoint(tmp_path, None, 0, parts)
    path.write_bytes(bytes(kept > 1) * 100)
    assert load_checkpoint(tmp_path, tmp_path / "trunk", 0, parts) == State()


@pytest.mark.parametrize("setting", [{"seed": 2**40}, {"batch_size": 10**9}, {"validations": 10**9}])
def test_settings_that_nobody_can_mean_are_refused(setting):
    with pytest.raises(ValueError, match=f"{next(iter(setting))} must be .* at most, not"):
        ExperimentConfig("unet", "l2", **setting)


@pytest.mark.parametrize("content", [b"", b"\0" * 50, b"\xff\xfe"])
def test_results_that_lost_their_content_are_named(tmp_path, content):
    for name in ("per_image.csv", "history.csv", "cost.json", "sets.json", "config.json"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is damaged; move .* aside and run again"):
            getattr(Run(tmp_path), name.partition(".")[0])
    write_pictures(tmp_path, "test", {})
    (tmp_path / "pictures" / "test.npz").write_bytes(content)
    with pytest.raises(ValueError, match="test.npz is damaged"):
        Run(tmp_path).pictures("test")


@pytest.mark.parametrize("content", [b"", b"\0" * 50])
def test_a_run_whose_settings_lost_their_content_begins_again(tmp_path, content):
    begin(tmp_path, {"label": "grey"})
    (tmp_path / "config.json").write_bytes(content)
    assert Run(begin(tmp_path, {"label": "grey"})).label == "grey"


def test_a_full_disk_is_said_and_what_was_there_is_kept(tmp_path):
    """A limit on the size of files stands for the disk; for the writers it is the same."""
    parts = Parts(create_model("unet", 2, width=8), create_objective("l2"), torch.optim.SGD([torch.zeros(1)]))
    writers = {
        "checkpoint.pt": lambda path: save_checkpoint(path, State(), parts),
        "weights.safetensors": lambda path: write_weights(path, parts.network.state_dict()),
    }
    for name, write in writers.items():
        path = tmp_path / name
        write(path)
        before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
        try:
            with pytest.raises(OSError, match=f"{name} could not be written .*File too large.* make room"):
                write(path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before and [file.name for file in tmp_path.glob(f"*{name}*")] == [name]
