"""The first page and the frame of the app, in process: what may be dropped on it, what it shows, what it hands back."""

import base64
import dataclasses
import io
import json
import runpy
import tempfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from safetensors.torch import save_file
from skimage.data import astronaut

pytest.importorskip("streamlit", reason="the app is an optional extra: pip install colorlib[app]")

from streamlit.testing.v1 import AppTest

from colorlib import app
from colorlib.app import choosing, photograph
from colorlib.app.photograph import Stroke, Wish, colored, doubt, full_size, plain_name, spread, take_in
from colorlib.color.gamut import bin_centres
from colorlib.color.lab import rgb_to_lab
from colorlib.deployment import loading
from colorlib.deployment.batch import colorize_files
from colorlib.deployment.hints import Hint
from colorlib.deployment.loading import load_colorizer
from colorlib.deployment.recipe import Recipe
from colorlib.metrics import METRICS, Pair
from colorlib.models import create_model
from colorlib.pictures.reading import read_picture

pytestmark = pytest.mark.slow

MAIN = str(Path(app.__file__).parent / "frame.py")
COLOR = np.array(Image.fromarray(astronaut()).resize((96, 80)))
GREY = np.asarray(Image.fromarray(COLOR).convert("L"))


def encoded(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def pretending(width, height):
    """A PNG of a few bytes that says it is large."""
    chunks = (b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0]), b"IDAT", b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) for chunk in chunks
    )


def animated(kind):
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.fixture
def page(monkeypatch):
    for name in ("COLORLIB_MODELS", "COLORLIB_HISTORICAL", "COLORLIB_FASHION_MNIST"):
        monkeypatch.delenv(name, raising=False)
    return AppTest.from_file(MAIN, default_timeout=60).run()


@pytest.fixture(scope="module")
def hintless(tmp_path_factory):
    """The file of a model that takes no hints."""
    recipe = Recipe("hintless", "For the test.", 32, "unet", {"width": 4}, "l2")
    path = tmp_path_factory.mktemp("models") / "hintless.safetensors"
    network = create_model("unet", 2, width=4)
    save_file(network.state_dict(), path, {"recipe": json.dumps(dataclasses.asdict(recipe))})
    return path


def upload(page, name, data):
    page.file_uploader(key="upload").upload(name, data).run()
    assert not page.exception
    return page


def shown(page):
    """Return what the picture components were given."""
    return [json.loads(element.proto.json) for element in page.get("bidi_component")]


def pixels(url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))), dtype=int)


def press(page, label):
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


# ----------------------------------------------------------------------------------------------------------- uploads


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("scan.jpg", b"%PDF-1.7 and so on", "a PDF, whatever its name says"),
        ("nothing.png", b"", "an empty file"),
        ("huge.png", pretending(30_000, 30_000), "more than the 50 megapixels allowed"),
        ("large.png", pretending(8_000, 6_500), "52 megapixels, more than the 50"),
        ("moving.gif", animated("GIF"), "an animation of 2 frames"),
        ("moving.webp", animated("WEBP"), "an animation of 2 frames"),
        ("cut.jpg", encoded(GREY, "JPEG")[:700], "truncated"),
        ("page.png", b"<html><script>alert(1)</script></html>", "cannot be coloured"),
        ("noise.tif", b"II*\0" + bytes(range(256)) * 9, "cannot be coloured"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_what_is_no_photograph_gets_one_sentence(page, name, data, reason):
    upload(page, name, data)
    (error,) = page.error
    assert reason in error.value and "\n" not in error.value and "Traceback" not in error.value
    assert not shown(page)
    upload(page, "good.png", encoded(GREY))  # nothing of it stays
    assert not page.error and len(shown(page)) == 2


@pytest.mark.parametrize(
    ("shape", "size"), [((1, 1), (1, 1)), ((1, 300), (1, 300)), ((300, 1), (300, 1)), ((3, 2000), (2, 1200))]
)
def test_the_smallest_and_the_thinnest(page, shape, size):
    upload(page, "thin.png", encoded(np.full(shape, 120, np.uint8)))
    assert not page.error
    assert [pixels(picture["after"]).shape[:2] for picture in shown(page)] == [size, size]
    for view in ("How sure it is", "Before and after"):
        page.segmented_control(key="view-3-True").set_value(view).run()
        assert not page.error and len(shown(page)) == 2


def test_a_still_gif_and_a_16_bit_scan_are_photographs(page):
    upload(page, "still.gif", encoded(GREY, "GIF"))
    assert not page.error and page.download_button[0].label == "Download, 96 × 80 PNG"
    upload(page, "deep.png", encoded(GREY.astype(np.uint16) * 257))
    assert not page.error and len(shown(page)) == 2


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("..\\..\\windows\\system.ini.png", "system.ini.png"),
        ("/absolute/grand mother (2).jpeg", "grand mother (2).jpeg"),
        ("a\0b\n<script>.jpg", "abscript.jpg"),
        ("[x](http://a.b).png", "a.b).png"),
        ("..", "photograph"),
        ("", "photograph"),
        (".jpg", "photograph.jpg"),
        ("née Müller.tif", "née Müller.tif"),
        ("x" * 500 + ".png", "x" * 80 + ".png"),
    ],
)
def test_names_lose_what_is_dangerous(name, plain):
    assert plain_name(name) == plain
    assert take_in(name, encoded(GREY)).download_name == f"{Path(plain).stem}-coloured.png"


# ----------------------------------------------------------------------------------------------------------- colouring


def test_two_models_side_by_side(page):
    upload(page, "grandmother.png", encoded(GREY))
    for picture, model in zip(shown(page), ("faithful", "vivid"), strict=True):
        assert picture["labels"] == ["black and white", model] and (picture["height"], picture["width"]) == (80, 96)
        expected = load_colorizer(model).colorize(GREY)
        np.testing.assert_array_equal(pixels(picture["after"]), expected)
        assert (pixels(picture["before"]) == GREY[..., None]).all()
    assert [slider.label for slider in page.slider] == [
        "Strength of colour",
        "Strength of colour",
        "Bolder or calmer",
    ]  # faithful has none
    page.slider(key="saturation-1").set_value(0.0).run()
    left, right = (pixels(picture["after"]) for picture in shown(page))
    assert np.ptp(right, axis=2).mean() < 2 < np.ptp(left, axis=2).mean()
    page.slider(key="saturation-1").set_value(1.0)
    page.slider(key="temperature-1-vivid").set_value(0.1).run()
    bold = load_colorizer("vivid").colorize(GREY, temperature=0.1)
    np.testing.assert_array_equal(pixels(shown(page)[1]["after"]), bold)
    page.selectbox(key="second").set_value("no second model").run()
    assert len(shown(page)) == len(page.download_button) == 1


def test_a_colour_photograph_is_asked_about_and_scored(page):
    upload(page, "colour.png", encoded(COLOR))
    assert not shown(page) and not page.table
    press(page, "Put them aside")
    page.segmented_control(key="view-4-True").set_value("Beside the true colours").run()
    np.testing.assert_array_equal(pixels(shown(page)[0]["before"]), COLOR)
    lab = rgb_to_lab(torch.from_numpy(COLOR).permute(2, 0, 1)[None] / 255)
    table = page.table[0].value
    assert list(table.index) == ["left grey", "faithful", "vivid"]
    for model in ("faithful", "vivid"):
        result = rgb_to_lab(torch.from_numpy(load_colorizer(model).colorize(COLOR)).permute(2, 0, 1)[None] / 255)
        pair = Pair(lab[:, :1], result[:, 1:], lab[:, 1:])
        for column, metric in zip(table.columns, photograph.SCORES, strict=True):
            assert float(table[column][model]) == pytest.approx(float(METRICS[metric].fn(pair)), abs=0.06)
    assert float(table[table.columns[0]]["left grey"]) > 5


def test_how_sure_a_model_is(page):
    upload(page, "grandmother.png", encoded(GREY))
    page.segmented_control(key="view-3-True").set_value("How sure it is").run()
    photo, vivid = take_in("g.png", encoded(GREY)), load_colorizer("vivid")
    sure = doubt(photo, vivid, Wish())
    assert shown(page)[1]["labels"] == ["vivid", "how unsure"]
    np.testing.assert_array_equal(pixels(shown(page)[1]["after"]), sure.rgb8)
    assert any("faithful answers with one colour" in caption.value for caption in page.caption)
    assert any(f"mean over it is {sure.mean:.0f}" in caption.value for caption in page.caption)
    told = doubt(
        photo, vivid, Wish(hints=tuple(Stroke(((x / 8, y / 8),), "#a03020") for x in range(8) for y in range(8)))
    )
    assert told.mean < 0.9 * sure.mean


def test_the_spread_of_odds():
    centres, odds = bin_centres(), torch.zeros(1, 313, 1, 3)
    odds[0, 7, 0, 0] = 1
    odds[0, [7, 200], 0, 1] = 0.5
    odds[0, :, 0, 2] = 1 / 313
    one, two, all_alike = spread(odds)[0, 0].tolist()
    assert one == pytest.approx(0, abs=0.05)
    assert two == pytest.approx(float((centres[7] - centres[200]).norm()) / 2, rel=1e-4)
    assert all_alike == pytest.approx(float((centres - centres.mean(0)).square().sum(1).mean().sqrt()), rel=1e-4)


def test_hints_are_for_models_that_take_them(page, hintless, monkeypatch):
    monkeypatch.setenv("COLORLIB_MODELS", str(hintless))
    upload(page, "grandmother.png", encoded(GREY))
    page.selectbox(key="first").set_value("hintless").run()
    page.selectbox(key="second").set_value("faithful").run()
    page.segmented_control(key="view-3-True").set_value("Hints").run()
    plain = pixels(shown(page)[1]["after"])
    assert "strokes" not in shown(page)[0] and shown(page)[1]["strokes"] == []
    stroke = Stroke(((0.25, 0.5), (0.5, 0.5)), "#d01010", 0.05, 0.3)
    page.session_state["hints"] = [stroke]
    page.run()
    red = shown(page)[1]
    assert red["strokes"] == [{"points": [[0.25, 0.5], [0.5, 0.5]], "color": "#d01010", "radius": 0.05}]
    hints = [Hint(x, 40, "#d01010", 0.05, 0.3) for x in (24, 48)]
    np.testing.assert_array_equal(pixels(red["after"]), load_colorizer("faithful").colorize(GREY, hints=hints))
    assert np.abs(pixels(red["after"]) - plain).mean() > 0.1

    def now():
        return [tuple(map(tuple, stroke["points"])) for stroke in shown(page)[1]["strokes"]]

    other = Stroke(((0.75, 0.5),), "#808080", 0.05, 0.05)
    page.session_state["hints"] = [stroke, other]
    page.run()
    for label, expected in (
        ("Undo", [stroke]),
        ("Undo", []),
        ("Redo", [stroke]),
        ("Redo", [stroke, other]),
        ("hint 1", [other]),
        ("Redo", [other, stroke]),
        ("Clear all", []),
        ("Redo", [other]),
        ("kept grey", []),
    ):
        press(page, label)
        assert now() == [one.points for one in expected]
    np.testing.assert_array_equal(pixels(shown(page)[1]["after"]), plain)


def test_authors_weights_are_fetched_when_one_asks_for_it(page, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []

    def fetch_weights(*given):
        asked.append(given)
        raise OSError("no net")

    monkeypatch.setattr(loading, "fetch_weights", fetch_weights)
    upload(page, "grandmother.png", encoded(GREY))
    page.selectbox(key="second").set_value("eccv16").run()
    (told,) = page.info
    assert "129 MB from colorizers.s3.us-east-2.amazonaws.com, BSD-2-Clause" in told.value
    assert not asked and len(shown(page)) == 1
    page.button(key="fetch-1").click().run()
    assert len(asked) == 1 and page.error[0].value == "eccv16 cannot be used: no net"
    assert len(shown(page)) == 1


def test_a_model_that_cannot_be_loaded_leaves_the_other(page, monkeypatch):
    monkeypatch.setenv("COLORLIB_MODELS", "gone.safetensors")
    upload(page, "grandmother.png", encoded(GREY))
    page.selectbox(key="second").set_value("gone").run()
    assert page.error[0].value == "gone cannot be used: there is no model at gone.safetensors."
    assert len(shown(page)) == 1


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_the_download_is_what_the_command_writes(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist], exif[ExifTags.Base.Orientation] = "Grandfather", 6
    data = encoded(GREY, kind, exif=exif, dpi=(300, 300))
    (tmp_path / "photo").write_bytes(data)
    vivid = load_colorizer("vivid")
    photo = take_in("../photo.jpg", data)
    ours = full_size(photo, vivid, Wish(temperature=0.2, saturation=1.5))
    (theirs,) = colorize_files(vivid, [tmp_path / "photo"], tmp_path / "out", temperature=0.2, saturation=1.5)
    picture = Image.open(io.BytesIO(ours))
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(Image.open(theirs.target)))
    assert picture.format == kind and picture.size == (80, 96)  # upright
    exif = picture.getexif()
    assert exif[ExifTags.Base.Artist] == "Grandfather" and exif.get(ExifTags.Base.Orientation, 1) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_screen_shows_what_the_download_holds():
    large = np.asarray(Image.fromarray(astronaut()).convert("L").resize((2000, 1600)))
    photo, vivid = take_in("large.jpg", encoded(large, "JPEG")), load_colorizer("vivid")
    assert photo.size == (1600, 2000) and photo.shown.size == (960, 1200)
    full = read_picture(io.BytesIO(full_size(photo, vivid, Wish()))).pixels
    reduced = Image.fromarray(full).resize((1200, 960), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(reduced, dtype=int) - colored(photo, vivid, Wish())).mean() < 1.5


def test_results_that_are_remembered_are_few():
    photo = take_in("a.png", encoded(GREY))
    for number in range(100):
        assert photo.remember(number, partial(int, number)) == number
    assert len(photo._results) == photograph.KEPT


# ------------------------------------------------------------------------------------------------- the other sources


def test_examples_historical_and_fashion(page, monkeypatch, tmp_path):
    press(page, "Coffee")
    assert len(shown(page)) == 2 and len(page.table[0].value) == 3
    page.segmented_control(key="source").set_value("Black and white").run()
    press(page, "Coffee")
    assert "600 × 400" in page.download_button[0].label
    assert "Fashion-MNIST" not in page.segmented_control(key="source").options

    for name in ("attic", "mnist"):
        (tmp_path / name).mkdir()
    (tmp_path / "attic" / "aunt.png").write_bytes(encoded(GREY))
    (tmp_path / "attic" / "broken.jpg").write_bytes(b"broken")
    labels = np.arange(10, dtype=np.uint8)
    images = np.random.default_rng(0).integers(0, 255, (10, 28, 28), np.uint8)
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        header = bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4) for side in array.shape)
        (tmp_path / "mnist" / f"t10k-{kind}-ubyte").write_bytes(header + array.tobytes())
    monkeypatch.setenv("COLORLIB_FASHION_MNIST", str(tmp_path / "mnist"))
    page.run()
    page.segmented_control(key="source").set_value("Fashion-MNIST").run()
    press(page, "Trouser")
    assert "28 × 28" in page.download_button[0].label
    np.testing.assert_array_equal(page.session_state["photo"].shown.pixels, images[1])
    monkeypatch.setenv("COLORLIB_HISTORICAL", str(tmp_path / "attic"))
    page.segmented_control(key="source").set_value("Black and white").run()
    press(page, "aunt")
    assert "96 × 80" in page.download_button[0].label
    monkeypatch.setenv("COLORLIB_HISTORICAL", str(tmp_path / "nowhere"))
    page.run()
    assert "is not there" in page.error[0].value


# ------------------------------------------------------------------------------------------------------------- people


def test_two_people_do_not_see_one_another(page):
    other = AppTest.from_file(MAIN, default_timeout=60).run()
    upload(page, "mine.png", encoded(GREY))
    assert not shown(other.run())
    upload(other, "theirs.png", encoded(255 - GREY))
    for visitor, name, before in ((page.run(), "mine.png", GREY), (other.run(), "theirs.png", 255 - GREY)):
        assert any(name in block.proto.body for block in visitor.get("html"))
        assert (pixels(shown(visitor)[0]["before"]) == before[..., None]).all()


def test_a_photograph_taken_away_is_gone(page):
    upload(page, "mine.png", encoded(GREY))
    page.file_uploader(key="upload").clear().run()
    assert not shown(page) and page.session_state["photo"] is None


def test_a_fault_of_ours_is_a_sentence(page, monkeypatch):
    def fail():
        raise RuntimeError("secret detail")

    monkeypatch.setitem(choosing.SOURCES, "Yours", fail)
    page.run()
    assert not page.exception and "on our side" in page.error[0].value and "secret" not in page.error[0].value


def test_a_host_name_that_is_given_is_added_to_those_of_the_page():
    from streamlit import config

    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", ["archive.example"])
    try:
        runpy.run_path(str(Path(app.__file__).with_name("main.py")))
        assert config.get_option("server.allowedHosts") == ["127.0.0.1", "archive.example", "localhost"]
    finally:
        config.set_option("server.allowedHosts", before)
