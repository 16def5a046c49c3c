"""Colouring photographs: lightness kept, colour inside its edges, files and folders, and the models that do it."""

import dataclasses
import hashlib
import http.server
import inspect
import json
import resource
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from skimage.data import astronaut, coffee

import colorlib
from colorlib.cli import build_parser
from colorlib.color.lab import lab_to_rgb, out_of_gamut, rgb_at_lightness, rgb_to_lab
from colorlib.data.bundled import bundled_photographs
from colorlib.deployment import loading
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.enlarging import ColorField
from colorlib.deployment.export import export_run
from colorlib.deployment.hints import Hint, parse_hint, place_hints
from colorlib.deployment.loading import WEIGHTS, fetch_weights, load_colorizer, shipped_models
from colorlib.deployment.recipe import Recipe
from colorlib.models import create_model
from colorlib.models.base import HintedNetwork
from colorlib.objectives import create_objective
from colorlib.pictures import shrinking
from colorlib.pictures.picture import Picture
from colorlib.pictures.shrinking import Resampling, cubic, lanczos, shrink, working_size
from colorlib.pictures.tone import tone_of
from colorlib.runs.evaluation import judge, train_and_judge
from colorlib.runs.run import ExperimentConfig

pytestmark = pytest.mark.slow

GREY = np.asarray(Image.fromarray(astronaut()).convert("L").resize((150, 110)))
SHIPPED = ("faithful", "vivid")


@pytest.fixture(scope="module")
def vivid():
    return load_colorizer("vivid")


def lab_of(rgb):
    return rgb_to_lab(torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].double())


# ------------------------------------------------------------------------------------------------------ the pieces


def test_resampling_agrees_with_pillow_and_with_torch():
    side = np.random.default_rng(0).random(60).astype(np.float32)
    image = Image.fromarray(np.tile(side, (60, 1)))
    reduced = np.asarray(image.resize((17, 60), Image.Resampling.LANCZOS))[0]
    inner = slice(3, -3)  # past the ends Pillow leaves the taps out, where here the last pixel goes on
    values = torch.from_numpy(side)
    np.testing.assert_allclose(Resampling(60, 17, lanczos)(values)[inner], reduced[inner], atol=1e-5)
    enlarged = np.asarray(image.resize((200, 60), Image.Resampling.BICUBIC))[0]
    np.testing.assert_allclose(Resampling(60, 200, cubic)(values)[9:-9], enlarged[9:-9], atol=1e-5)
    assert torch.equal(Resampling(9, 9, cubic).block(slice(None))[1], torch.eye(9))
    for source, target in ((1, 5), (7, 1), (1000, 3)):
        torch.testing.assert_close(Resampling(source, target, lanczos).block(slice(None))[1].sum(1), torch.ones(target))


def test_working_sizes():
    assert working_size((1000, 1500), 64) == (64, 96)
    assert working_size((40, 30), 64) == (40, 30)
    assert working_size((1, 1), 64) == (1, 1)
    h, w = working_size((60, 200_000), 64)
    assert h >= 1 and h * w <= 17 * 64 * 64
    assert working_size((1, 10**8), 64) == (1, 64)


@pytest.mark.parametrize("shape", [(30_000, 1), (1, 30_000)])
def test_a_long_line_takes_little_memory(shape):
    """A hundred bytes of PNG; as whole matrices, what resamples its long side would take gigabytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    picture = Picture(np.linspace(0, 255, 30_000).astype(np.uint8).reshape(shape))
    small = shrink(picture, working_size(picture.size, 128))
    field = ColorField(small[:, :1], small[:, :1].expand(-1, 2, -1, -1), picture.size)
    ab = torch.cat([field.at(picture.lightness(rows), rows) for rows in shrinking.strips(picture.size)], 2)
    assert (ab - picture.lightness()).abs().max() < 1  # in L*, of which a level is 0.35
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB


def test_strips_leave_no_seam(monkeypatch, vivid):
    whole = vivid.colorize(GREY.astype(np.float32) / 255)
    monkeypatch.setattr(shrinking, "STRIP", 7 * 150)
    np.testing.assert_allclose(vivid.colorize(GREY.astype(np.float32) / 255), whole, atol=2e-5)


def test_out_of_gamut_gives_up_chroma_and_keeps_lightness_and_hue():
    L = torch.linspace(0, 100, 21).view(1, 1, 21, 1).expand(1, 1, 21, 36)
    angle = torch.linspace(0, 2 * np.pi, 37)[:-1].view(1, 1, 1, 36).expand(1, 1, 21, 36)
    ab = 90 * torch.cat([angle.cos(), angle.sin()], 1)
    lab = rgb_to_lab(rgb_at_lightness(L, ab).double())
    assert (lab[:, :1] - L).abs().max() < 0.01
    chroma = lab[:, 1:].norm(dim=1)
    assert chroma.max() < 90.1 and chroma[0, 10].min() > 25
    clear = chroma > 5
    turned = torch.atan2(lab[:, 2], lab[:, 1]) - angle[:, 0]
    assert torch.sin(turned)[clear].abs().max() < 0.01
    more = torch.cat([lab[:, :1], lab[:, 1:] * 1.05], 1)  # it was the largest chroma that fits
    assert out_of_gamut(more, 1e-4)[0, 0, 2:-2].float().mean() > 0.9


def test_colours_inside_the_gamut_stay():
    rgb = torch.rand(1, 3, 30, 30, generator=torch.Generator().manual_seed(0))
    lab = rgb_to_lab(rgb)
    torch.testing.assert_close(rgb_at_lightness(lab[:, :1], lab[:, 1:]), rgb, atol=2e-4, rtol=0)


def test_colour_follows_edges_better_than_bilinear_interpolation():
    """True colours, reduced to a short side of 64 and brought up again, against the truth; edges are where ab jumps."""
    ratios, edge_ratios = [], []
    for photograph in bundled_photographs(max_side=512):
        picture = Picture(photograph.rgb)
        lab = picture.lab()
        small = shrink(picture, working_size(picture.size, 64))
        ours = ColorField(small[:, :1], small[:, 1:], picture.size).at(lab[:, :1], slice(None))
        plain = F.interpolate(small[:, 1:], size=picture.size, mode="bilinear")
        error, plain_error = ((ab - lab[:, 1:]).norm(dim=1)[0] for ab in (ours, plain))
        jump = (lab[:, 1:, 1:, :-1] - lab[:, 1:, :-1, :-1]).norm(dim=1)[0]
        jump += (lab[:, 1:, :-1, 1:] - lab[:, 1:, :-1, :-1]).norm(dim=1)[0]
        edge = jump > np.quantile(jump.numpy(), 0.9)
        ratios.append(float(error.mean() / plain_error.mean()))
        edge_ratios.append(float(error[:-1, :-1][edge].mean() / plain_error[:-1, :-1][edge].mean()))
    assert max(ratios) < 1 and max(edge_ratios) < 1, (ratios, edge_ratios)
    assert np.mean(ratios) < 0.92 and np.mean(edge_ratios) < 0.9, (ratios, edge_ratios)


def test_a_field_on_its_own_size_is_the_networks_answer():
    L, ab = torch.rand(1, 1, 8, 9) * 100, torch.randn(1, 2, 8, 9) * 20
    torch.testing.assert_close(ColorField(L, ab, (8, 9)).at(L[:, :, 2:5], slice(2, 5)), ab[:, :, 2:5])


def toned(rgb, dark=(0.16, 0.09, 0.04), light=(1.0, 0.95, 0.82)):
    grey = np.asarray(Image.fromarray(rgb).convert("L"))[..., None] / 255
    values = np.array(dark) + (np.array(light) - np.array(dark)) * grey
    return (values.clip(0, 1) * 255).astype(np.uint8)


def test_tones_are_told_apart():
    for photograph in bundled_photographs(max_side=256):
        grey = np.asarray(Image.fromarray(photograph.rgb).convert("L"))
        small = [shrink(Picture(a), working_size(a.shape[:2], 64)) for a in (grey, toned(photograph.rgb))]
        assert [tone_of(lab) for lab in small] == ["grey", "toned"]
    for rgb in (astronaut(), coffee()):
        assert tone_of(shrink(Picture(rgb), (64, 80))) == "colour"


# ---------------------------------------------------------------------------------------------------------- colorize


@pytest.mark.parametrize("name", SHIPPED)
def test_lightness_and_size_are_kept(name):
    colorizer = colorlib.load_colorizer(name)
    photograph = GREY.astype(np.float64) / 255
    result = colorizer.colorize(photograph, saturation=3.0)  # far out of gamut here and there
    assert result.shape == (*GREY.shape, 3) and result.dtype == np.float64
    grey = np.repeat(photograph[..., None], 3, 2)
    assert (lab_of(result) - lab_of(grey))[:, 0].abs().max() < 0.01
    assert lab_of(result)[:, 1:].norm(dim=1).mean() > 3


def test_every_kind_of_picture_comes_back_as_its_kind(vivid, tmp_path):
    expected = vivid.colorize(GREY)
    assert expected.shape == (*GREY.shape, 3) and expected.dtype == np.uint8
    sixteen = vivid.colorize(GREY.astype(np.uint16) * 257)
    assert sixteen.dtype == np.uint16 and np.abs(sixteen / 257 - expected).max() < 1
    np.testing.assert_array_equal(vivid.colorize(np.repeat(GREY[..., None], 3, 2)), expected)
    rgba = np.dstack([GREY, GREY, GREY, 255 - GREY])
    np.testing.assert_array_equal(vivid.colorize(rgba), np.dstack([expected, 255 - GREY]))
    np.testing.assert_array_equal(np.asarray(vivid.colorize(Image.fromarray(GREY))), expected)
    Image.fromarray(GREY).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        result = vivid.colorize(path)
        assert isinstance(result, Image.Image)
        np.testing.assert_array_equal(np.asarray(result), expected)
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "b.png")
    assert np.abs(np.asarray(vivid.colorize(tmp_path / "b.png")).astype(int) - expected).max() <= 1


def test_temperature_and_saturation(vivid):
    plain = lab_of(vivid.colorize(GREY) / 255)[:, 1:].norm(dim=1).mean()
    assert lab_of(vivid.colorize(GREY, saturation=0) / 255)[:, 1:].norm(dim=1).mean() < 0.1
    assert lab_of(vivid.colorize(GREY, saturation=2) / 255)[:, 1:].norm(dim=1).mean() > 1.5 * plain
    assert not np.array_equal(vivid.colorize(GREY, temperature=0.1), vivid.colorize(GREY))
    assert vivid.objective.temperature == vivid.recipe.temperature  # nothing of it stays
    own = vivid.recipe.temperature
    np.testing.assert_array_equal(vivid.colorize(GREY, temperature=own), vivid.colorize(GREY))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "must be above zero"),
        ({"temperature": float("nan")}, "must be above zero"),
        ({"saturation": -1}, "saturation must be from 0 to 10"),
    ],
)
def test_impossible_wishes(vivid, options, message):
    with pytest.raises(ValueError, match=message):
        vivid.colorize(GREY, **options)


def test_no_hints_for_a_model_that_takes_none():
    model = PhotoColorizer(Recipe("plain", "", 32, "unet"), create_model("unet", 2, width=4), create_objective("l2"))
    with pytest.raises(ValueError, match="plain takes no hints"):
        model.colorize(GREY, hints=[(1, 1, "#ff0000")])


def test_no_temperature_for_the_faithful_one():
    with pytest.raises(ValueError, match="faithful has no temperature"):
        load_colorizer("faithful").colorize(GREY, temperature=0.5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (5, 4000)])
def test_the_smallest_and_the_thinnest(vivid, shape):
    result = vivid.colorize(np.full(shape, 120, np.uint8))
    assert result.shape == (*shape, 3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((4, 4), np.nan), "holds NaN"),
        (np.full((4, 4), np.inf, np.float32), "holds NaN or infinity"),
        (np.full((4, 4), 128.0), r"must lie in \[0, 1\], not in \[128, 128\]"),
        (np.full((4, 4), 1, np.int64), "not int64"),
        (np.zeros((0, 4), np.uint8), r"not \(0, 4\)"),
        (np.zeros((4, 4, 2), np.uint8), r"not \(4, 4, 2\)"),
    ],
)
def test_bad_arrays(vivid, array, message):
    with pytest.raises(ValueError, match=message):
        vivid.colorize(array)
    with pytest.raises(TypeError, match="not list"):
        vivid.colorize([[1, 2]])


@pytest.mark.parametrize("name", SHIPPED)
def test_hints_colour_their_surroundings(name):
    model = load_colorizer(name)
    around = (slice(None), 1, slice(48, 62), slice(68, 82))  # a* beside the hint and under it
    plain, red, green = (
        lab_of(model.colorize(GREY, hints=hints))[around].mean()
        for hints in ([], [(75, 55, "#d01010")], [(75, 55, "#108010")])
    )
    assert red > plain + 5 and green < plain - 5
    with pytest.raises(ValueError, match="outside the photograph of 150×110"):
        model.colorize(GREY, hints=[(150, 3, "#d01010")])
    with pytest.raises(ValueError, match="#RRGGBB"):
        model.colorize(GREY, hints=[(15, 3, "red")])
    assert parse_hint("120,80.5,#A03020") == Hint(120.0, 80.5, "#A03020")
    with pytest.raises(ValueError, match="a hint is X,Y,#RRGGBB"):
        parse_hint("120,80")


def test_hints_lie_where_they_are_put():
    placed = place_hints([(0, 0, "#ff0000"), (149, 109, "#808080")], (110, 150), (11, 15))
    assert placed.shape == (1, 3, 11, 15)
    assert placed[0, 2, 0, 0] == 1 and placed[0, 2, 10, 14] == 1 and placed[0, 2, 5, 7] == 0
    assert placed[0, 0, 0, 0] == pytest.approx(80, abs=1) and placed[0, 0, 10, 14].abs() < 0.1


def test_a_hint_reaches_as_far_as_it_is_told():
    model = load_colorizer("faithful")
    place = (60, 30, "#d01010", 0.03)
    plain, near, all_over = (
        lab_of(model.colorize(GREY, hints=hints))[0, 1:] for hints in ([], [(*place, 0.2)], [place])
    )
    changed, changed_all = ((colored - plain).norm(dim=0) for colored in (near, all_over))
    assert changed[28:33, 58:63].mean() == pytest.approx(float(changed_all[28:33, 58:63].mean()), rel=0.15)
    y, x = np.ogrid[:110, :150]
    far = torch.from_numpy((x - 60) ** 2 + (y - 30) ** 2 > 50**2)
    assert changed[far].max() < 1 < changed_all[far].max()


def test_a_place_that_is_hinted_grey_stays_grey():
    model = load_colorizer("vivid")
    kept = lab_of(model.colorize(GREY, hints=[(75, 55, "#808080", 0.2, 0.2)]))[0, 1:].norm(dim=0)
    plain = lab_of(model.colorize(GREY))[0, 1:].norm(dim=0)
    assert kept[45:65, 65:85].max() < 3 < plain[45:65, 65:85].mean()
    assert (kept - plain)[:, :20].abs().mean() < 1  # and nothing else changes


# ------------------------------------------------------------------------------------------------------------- models


def test_what_ships_is_small_and_has_a_card():
    assert set(SHIPPED) <= set(shipped_models())
    for name, recipe in shipped_models().items():
        path = WEIGHTS / f"{name}.safetensors"
        assert recipe.name == name and recipe.about and path.stat().st_size < 10e6
        card = path.with_suffix(".md").read_text(encoding="utf-8")
        assert recipe.about == card.splitlines()[2]  # what lists and pages show is what the card says
        assert "| delta_e_76 ↓ |" in card and "against random_photo" in card and "ExperimentConfig(" in card
        assert "**Licence** of these weights: Apache-2.0" in card and "which are not known to us" in card


@pytest.mark.parametrize(
    ("objective", "options", "meaning", "temperature"),
    [
        ("rebalanced_ce", {"temperature": 0.3}, "rebalanced_ce", 0.3),
        ({"l1": 1.0, "colorfulness": 0.1}, {}, "l1", None),
        ("colorfulness", {}, "l1", None),
    ],
)
def test_a_run_can_be_named_and_exported(tiny_scenes, tmp_path, objective, options, meaning, temperature):
    config = ExperimentConfig(
        "unet", objective, {"width": 8}, options, images_seen=32, validations=1, validation_images=8
    )
    trained, run = train_and_judge(config, tiny_scenes, tmp_path / "run")
    model = load_colorizer(tmp_path / "run")
    assert (model.recipe.objective, model.recipe.temperature) == (meaning, temperature)
    assert model.recipe.short_side == 32 and not model.recipe.takes_hints
    L = torch.rand(2, 1, 32, 40, generator=torch.Generator().manual_seed(0)) * 100
    torch.testing.assert_close(model(L), trained(L), atol=1e-3, rtol=1e-3)
    grey = judge(lambda L: torch.zeros(len(L), 2, *L.shape[-2:]), tiny_scenes, tmp_path / "grey", "grey")
    words = {"about": "Mine.", "licence": "CC0.", "notes": "It is new.", "beside": [grey.folder]}
    path = export_run(tmp_path / "run", "mine", tmp_path / "models", **words)
    torch.testing.assert_close(load_colorizer(path)(L), trained(L), atol=0.3, rtol=0.05)
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert card.startswith("# mine\n\nMine.") and "CC0." in card and card.endswith("It is new.\n")
    assert "**Licence** of these weights: Apache-2.0" in card and "of their own (see **Data**)." in card
    assert f"{(run.per_image['delta_e_76'] - grey.per_image['delta_e_76']).mean():+.2f}".replace("-", "−") in card
    shutil.copytree(grey.folder, tmp_path / "fewer")
    grey.per_image[1:].to_csv(tmp_path / "fewer" / "per_image.csv", index=False)
    with pytest.raises(ValueError, match="judged on other photographs"):
        export_run(tmp_path / "run", "mine", tmp_path, beside=[tmp_path / "fewer"])
    with pytest.raises(ValueError, match="letters, digits"):
        export_run(tmp_path / "run", "../mine", tmp_path)


def test_unfinished_and_damaged_models(tmp_path):
    with pytest.raises(FileNotFoundError, match="not a run folder"):
        load_colorizer(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"format": 1, "kind": "baseline", "label": "grey"}))
    with pytest.raises(ValueError, match="no trained network but grey"):
        load_colorizer(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"format": 1, "kind": "network", "label": "unet · l2"}))
    with pytest.raises(FileNotFoundError, match="not finished"):
        load_colorizer(tmp_path)
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="damaged"):
        load_colorizer(tmp_path / "bad.safetensors")
    with pytest.raises(ValueError, match="no model that colorlib exported"):
        save_file({"weight": torch.zeros(1)}, tmp_path / "another.safetensors")
        load_colorizer(tmp_path / "another.safetensors")
    recipe = {"name": "mine", "about": "", "short_side": 64, "model": "unet"}
    save_file({"weight": torch.zeros(1)}, tmp_path / "mine.safetensors", {"recipe": json.dumps(recipe)})
    with pytest.raises(ValueError, match="the recipe of mine names no objective"):
        load_colorizer(tmp_path / "mine.safetensors")


class Narrow(HintedNetwork):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.3))

    def forward(self, L, hints=None):
        return self.scale * torch.cat([L, -L if hints is None else hints[:, :1]], 1)


def test_released_weights_are_named_by_file(monkeypatch):
    released = loading.Released(lambda path: Narrow(), "http://127.0.0.1:9/narrow.pth", None, 1, "MIT")
    monkeypatch.setitem(loading.RELEASED, "siggraph17", released)
    model = load_colorizer("siggraph17=narrow.pth")
    assert model.recipe.takes_hints and model.recipe.short_side == 256
    assert model(torch.ones(1, 1, 4, 4))[0, 1].mean() == pytest.approx(-0.3)
    assert model.colorize(GREY, hints=[(3, 3, "#00ff00")]).shape == (*GREY.shape, 3)


def test_released_weights_are_fetched_by_name_once(address, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    released = loading.Released(lambda path: Narrow(), f"{address}/good/told.pth", None, 1, "MIT")
    monkeypatch.setitem(loading.RELEASED, "ddcolor", released)
    assert loading.to_be_fetched("ddcolor") is released and loading.to_be_fetched("faithful") is None
    load_colorizer("ddcolor")
    assert f"The weights of ddcolor are fetched, once: 1 MB from {address[7:]}, MIT." in capsys.readouterr().err
    assert (tmp_path / "colorlib" / "told.pth").read_bytes() == Server.body
    assert loading.to_be_fetched("ddcolor") is None
    monkeypatch.setattr(loading, "fetch", None)
    load_colorizer("ddcolor")
    assert capsys.readouterr().err == ""


def test_without_the_net_it_says_where_to_put_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in loading.RELEASED:
        nowhere = dataclasses.replace(loading.RELEASED[name], url="http://127.0.0.1:9/some.pth")
        monkeypatch.setitem(loading.RELEASED, name, nowhere)
        with pytest.raises(OSError, match=r"could not be fetched .*; get it elsewhere and put it at .*some\.pth"):
            load_colorizer(name)


def test_what_colours_by_default_is_one_model():
    assert inspect.signature(load_colorizer).parameters["name"].default == loading.DEFAULT_MODEL
    assert loading.DEFAULT_MODEL in shipped_models()
    assert build_parser().parse_args(["colorize", "x", "--out", "y"]).model == loading.DEFAULT_MODEL


class Server(http.server.BaseHTTPRequestHandler):
    body = b"weights" * 1000

    def do_HEAD(self):
        self.send_response(200 if "good" in self.path else 404)
        if "told" in self.path:
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(self.body).hexdigest()}"')
        self.end_headers()

    def do_GET(self):
        self.send_response(200 if "good" in self.path else 404)
        self.end_headers()
        self.wfile.write(self.body if "good" in self.path else b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_weights_are_fetched_once_and_checked(address, tmp_path):
    digest = hashlib.sha256(Server.body).hexdigest()
    path = fetch_weights(f"{address}/good", "w.pth", digest[:8], tmp_path)
    assert path.read_bytes() == Server.body
    assert fetch_weights("http://127.0.0.1:9/gone", "w.pth", digest[:8], tmp_path) == path  # there already
    path.write_bytes(b"rotten")
    assert fetch_weights(f"{address}/good#sha256={digest}", "w.pth", None, tmp_path).read_bytes() == Server.body
    path.unlink()
    with pytest.raises(ValueError, match="nothing was kept"):
        fetch_weights(f"{address}/good", "w.pth", "0" * 8, tmp_path)
    with pytest.raises(ValueError, match="no checksum is known"):
        fetch_weights(f"{address}/good", "w.pth", None, tmp_path)
    with pytest.raises(ValueError, match="no web address"):
        fetch_weights("file:///etc/passwd", "w.pth", "0" * 8, tmp_path)
    with pytest.raises(OSError, match="could not be fetched"):
        fetch_weights(f"{address}/missing", "w.pth", "0" * 8, tmp_path)
    with pytest.raises(OSError, match="get it elsewhere and put it at"):
        fetch_weights("http://127.0.0.1:9/good", "w.pth", "0" * 8, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_importing_colorlib_stays_quick():
    with pytest.raises(AttributeError, match="no attribute 'load_colorizr'"):
        colorlib.load_colorizr  # noqa: B018
    assert colorlib.load_colorizer is load_colorizer
    assert "torch" not in Path(colorlib.__file__).read_text(encoding="utf-8")


def test_lab_to_rgb_is_what_a_flat_photograph_gets():
    """The whole way on a flat grey, whose colour must be flat as well: network, enlargement, gamut, rounding."""
    torch.manual_seed(0)
    network = create_model("plain_cnn", 2, filters=8)  # looks four pixels far, so the borders are far from the centre
    torch.nn.init.constant_(list(network.parameters())[-1], 0.2)  # the bias of its answer
    model = PhotoColorizer(Recipe("narrow", "", 64, "plain_cnn"), network, create_objective("l2"))
    result = model.colorize(np.full((90, 120), 140, np.uint8))
    centre = result[40:50, 55:65].reshape(-1, 3).astype(int)
    assert np.ptp(centre, axis=0).max() <= 1 and np.ptp(centre.mean(0)) > 10
    grey = rgb_to_lab(torch.full((1, 3, 1, 1), 140 / 255))
    again = lab_to_rgb(torch.cat([grey[:, :1], lab_of(result / 255)[:, 1:, 45:46, 60:61].float()], 1)) * 255
    np.testing.assert_allclose(again.flatten().numpy(), result[45, 60], atol=1)
