"""A colorizer out of Python: as an ONNX file, and as a page that colours in a browser, with the net switched off."""

import contextlib
import functools
import http.server
import io
import json
import logging
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from skimage.data import astronaut

from colorlib.cli import main
from colorlib.color.appearance import ciede2000
from colorlib.color.lab import rgb_to_lab
from colorlib.data.bundled import bundled_photographs
from colorlib.deployment import onnx_export
from colorlib.deployment.browser_page import RUNTIME, kept_runtime, write_browser_page
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.loading import load_colorizer
from colorlib.deployment.onnx_export import MANY, WEIGHTS, export_onnx, store_weights
from colorlib.deployment.onnx_file import OnnxColorizer
from colorlib.deployment.recipe import Recipe
from colorlib.models import Network
from colorlib.objectives import create_objective
from colorlib.pictures.mark import SOURCE_TYPE, read_mark
from colorlib.pictures.reading import picture_of
from colorlib.runs.colorizer import NetworkColorizer

onnx = pytest.importorskip("onnx", reason="an optional extra: pip install colorlib[onnx]")
pytest.importorskip("onnxruntime", reason="an optional extra: pip install colorlib[onnx]")
pytest.importorskip("onnxscript", reason="an optional extra: pip install colorlib[onnx]")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def vivid():
    return load_colorizer("vivid", "cpu")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """kind of weights -> file; traced once, since that takes half a minute."""
    folder = tmp_path_factory.mktemp("onnx")
    command = ["export-onnx", "vivid", "--weights", "float32", "--out", str(folder / "float32.onnx")]
    assert main(command) == 0
    assert logging.getLogger("torch.onnx").level == logging.NOTSET
    for weights in ("float16", "int8"):
        model = onnx.load(folder / "float32.onnx")
        store_weights(model, WEIGHTS[weights])
        onnx.save(model, folder / f"{weights}.onnx")
    return {weights: folder / f"{weights}.onnx" for weights in WEIGHTS}


def in_torch(colorizer, L, hints=None):
    return NetworkColorizer.__call__(colorizer, L, hints)


def differences(vivid, file):
    """Yield ΔE2000 (h, w) between torch and ONNX Runtime for each bundled photograph, and for a part of odd width."""
    written = OnnxColorizer(file)
    for photograph in bundled_photographs(320):
        whole = vivid.small_copy(picture_of(photograph.rgb))[:, :1]
        for L in (whole, whole[..., 15:]):
            yield ciede2000(torch.cat([L, in_torch(vivid, L)], 1), torch.cat([L, written(L)], 1))


def test_every_kind_of_weights_gives_the_colours_of_torch(vivid, files):
    assert max(float(d.mean()) for d in differences(vivid, files["float32"])) < 0.01
    assert max(float(d.mean()) for d in differences(vivid, files["float16"])) < 0.05
    assert max(float(d.mean()) for d in differences(vivid, files["int8"])) < 0.3
    sizes = [files[weights].stat().st_size for weights in WEIGHTS]
    assert sizes[0] > 1.9 * sizes[1] and sizes[1] > 1.6 * sizes[2]


def test_hints_are_heard(vivid, files):
    L = torch.linspace(20, 80, 128 * 150).view(1, 1, 128, 150)
    hints = torch.zeros(1, 3, 128, 150)
    hints[:, :, 50:60, 70:80] = torch.tensor([50.0, 20.0, 1.0]).view(1, 3, 1, 1)
    written = OnnxColorizer(files["float32"])
    hinted = written(L, hints)
    assert (hinted - written(L)).abs().mean() > 0.5
    assert (hinted - in_torch(vivid, L, hints)).abs().mean() < 0.01
    np.testing.assert_allclose(written(L.expand(2, -1, -1, -1))[1], written(L)[0])


def test_the_lines_that_are_printed_for_other_programs_colour(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("faithful.onnx").write_bytes(files["float16"].read_bytes())
    Image.fromarray(astronaut()).convert("L").save("grandmother.jpg")
    lines = (Path(__file__).parents[1] / "docs" / "onnx.md").read_text(encoding="utf-8").split("```python\n")[1]
    exec(lines.split("```")[0], {})
    coloured = np.array(Image.open("coloured.png"))
    assert coloured.shape == astronaut().shape
    red, green, blue = coloured[236:276, 236:276].reshape(-1, 3).mean(0)  # where the hint is
    assert red > green + 25 and red > blue + 10


def test_the_file_says_what_it_is(files):
    written = OnnxColorizer(files["float16"])
    assert (written.name, written.licence, written.recipe.short_side) == ("vivid", "Apache-2.0", 128)
    model = onnx.load(files["float32"])
    onnx.checker.check_model(model)
    assert model.producer_name == "colorlib" and [i.name for i in model.graph.input] == ["lightness", "hints"]
    sides = [dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert sides == ["", "", "height", "width"]


def test_what_cannot_be_read_is_refused_in_a_sentence(files, tmp_path):
    model = onnx.load(files["int8"])
    for found, told in (("2", "has format 2"), ("", "was not written by colorlib")):
        onnx.helper.set_model_props(model, {"colorlib_format": found} if found else {})
        onnx.save(model, tmp_path / "other.onnx")
        with pytest.raises(ValueError, match=f"{told}, and this colorlib reads format 1; export the model anew"):
            OnnxColorizer(tmp_path / "other.onnx")
    with pytest.raises(ValueError, match="is no ONNX file, or it is damaged"):
        OnnxColorizer(files["int8"].read_bytes()[:100_000])
    for recipe in ({"name": "x", "short_side": 128, "mood": "of a later one"}, None):
        told = {"colorlib_format": "1"} | ({"recipe": json.dumps(recipe), "weights": "int8"} if recipe else {})
        onnx.helper.set_model_props(model, told)
        with pytest.raises(ValueError, match="the model tells less .* or more than this colorlib knows; export the mo"):
            OnnxColorizer(model.SerializeToString())
    with pytest.raises(ValueError, match=r"hints are \(N, 3, H, W\) .* not \(1, 3, 128, 9\) for \(1, 1, 128, 130\)"):
        OnnxColorizer(files["int8"])(torch.zeros(1, 1, 128, 130), torch.zeros(1, 3, 128, 9))
    with pytest.raises(ValueError, match="whose short side has 96 to 160 pixels, not 64"):
        OnnxColorizer(files["int8"])(torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match="did you mean 'float16'"):
        export_onnx("vivid", tmp_path / "x.onnx", "float15")


@pytest.mark.parametrize("name", ["onnx", "onnxscript", "onnxruntime"])
def test_what_is_not_installed_is_said_before_anything_is_traced(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("torch.onnx.export", lambda *given, **more: pytest.fail("traced"))
    with pytest.raises(RuntimeError, match=f"needs {name}, which is not installed: pip install"):
        export_onnx("vivid", tmp_path / "x.onnx")


class Attending(Network):
    """A network whose graph holds the size at which it is traced."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 2, 1)

    def forward(self, L):
        return self.layer(L).flatten(2).mul(2).unflatten(2, L.shape[-2:])


class Inverting(Attending):
    """One with an operator that ONNX lacks."""

    def forward(self, L):
        return torch.linalg.pinv(self.layer(L))


class Uneven(Attending):
    """One whose kernels each hold a number beside which int8 makes nothing of all others."""

    def __init__(self):
        super().__init__()
        self.kernels = torch.nn.Conv2d(1, 200, 15, padding=7, padding_mode="replicate")
        self.layer = torch.nn.Conv2d(200, 2, 1)
        with torch.no_grad():
            self.kernels.weight.fill_(1e-3)
            self.kernels.weight[..., 0, 0] = 1
            self.layer.weight.fill_(1 / 200)

    def forward(self, L):
        return self.layer(self.kernels(L / 100))


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (Uneven, "t cannot be written as ONNX with int8 weights: at 48×109 pixels the graph's colours differ from"),
        (Attending, "t cannot be written as ONNX for photographs of any size: it looks at all of one at once"),
        (Inverting, "t cannot be written as ONNX: No (ONNX|decompositions|Dispatch).*pinv"),
    ],
)
def test_a_network_that_cannot_be_written_is_named(monkeypatch, tmp_path, capfd, network, told):
    recipe = Recipe("t", "", 64, "unet", objective="l2")
    made = PhotoColorizer(recipe, network(), create_objective("l2"), "cpu")
    monkeypatch.setattr(onnx_export, "load_colorizer", lambda *_: made)
    with pytest.raises(ValueError, match=told) as error:
        export_onnx("t", tmp_path / "t.onnx", "int8")
    assert len(str(error.value).splitlines()) == 1 and not (tmp_path / "t.onnx").exists()
    assert "onnxruntime" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["", "weights.safetensors", "folder.onnx"])
def test_what_is_no_name_for_the_file_is_refused_at_once(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ValueError, match="is no name for the file; name a new one that ends in .onnx"):
        export_onnx("vivid", name)


def test_large_kernels_alone_are_stored_in_bytes(files):
    stored = {tensor.name: tensor for tensor in onnx.load(files["int8"]).graph.initializer}
    kinds = {onnx.TensorProto.DataType.Name(t.data_type): [] for t in stored.values()}
    for tensor in stored.values():
        kinds[onnx.TensorProto.DataType.Name(tensor.data_type)].append(int(np.prod(tensor.dims)))
    assert min(kinds["INT8"]) >= MANY > max(kinds["FLOAT16"])


# -------------------------------------------------------------------------------------------------------- the page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_a_browser = pytest.mark.skipif(
    BROWSER is None or not kept_runtime().is_file(),
    reason=f"Chromium, or {RUNTIME}, is not there; `make browser-page` fetches the latter through npm",
)
PATIENCE = 120_000  # milliseconds; machines that test are busy
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    """The page with three models: the second is the first by another name, the third by its own, with ab turned."""
    folder = tmp_path_factory.mktemp("page")
    model = onnx.load(files["int8"])
    props = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, props | {"recipe": props["recipe"].replace('"vivid"', '"other"')})
    onnx.save(model, folder / "other.onnx")
    onnx.helper.set_model_props(model, props)
    model.graph.node[-1].output[:] = ["ab.turned"]
    model.graph.node.append(onnx.helper.make_node("Neg", ["ab.turned"], ["ab"]))
    onnx.save(model, folder / "twin.onnx")
    command = ["browser-page", "--out", str(folder / "page"), "--model", str(files["int8"])]
    assert main([*command, "--model", str(folder / "other.onnx"), "--model", str(folder / "twin.onnx")]) == 0
    return folder / "page"


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open a page; in the end it has asked for nothing beyond its own folder, and no error was left uncaught."""
    people, asked, said = [], [], []

    def open_page(address, viewport=DESK, offline=True):
        person = browser.new_context(viewport=viewport, accept_downloads=True, offline=offline)
        person.set_default_timeout(PATIENCE)
        people.append(person)
        page = person.new_page()
        page.on("request", lambda request: asked.append((address, request.url)))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/index.html")
        return page

    yield open_page
    for person in people:
        person.close()
    assert asked and [url for own, url in asked if not url.startswith((own, "blob:"))] == []
    assert said == []


def choose(page, name, data):
    page.locator(".drop input").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})


def download(page, kind, path):
    page.locator("section").wait_for()
    with page.expect_download() as promise:
        page.get_by_role("button", name=f"Download {kind}").click()
    promise.value.save_as(path)
    return promise.value.suggested_filename


def encoded(image, kind="JPEG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey(size=(500, 431)):
    return Image.fromarray(astronaut()).convert("L").resize(size)


def lab_of(path):
    with Image.open(path) as image:
        return rgb_to_lab(torch.from_numpy(np.asarray(image.convert("RGB")).copy()).permute(2, 0, 1)[None] / 255)


@needs_a_browser
def test_a_photograph_is_coloured_as_the_command_colours_it(visit, folder, tmp_path):
    alpha = np.full((431, 500), 255, np.uint8)
    alpha[:40, :40] = 0  # a corner is torn off
    photograph = grey()
    photograph.putalpha(Image.fromarray(alpha))
    photograph.save(tmp_path / "grandmother.png")
    assert main(["colorize", str(tmp_path / "grandmother.png"), "--model", "vivid", "--quiet"]) == 0
    page = visit(folder.as_uri())
    choose(page, "grandmother.png", (tmp_path / "grandmother.png").read_bytes())
    assert download(page, "PNG", tmp_path / "page.png") == "grandmother-coloured.png"
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "page.png"))[..., 3], alpha)
    theirs, ours = lab_of(tmp_path / "page.png"), lab_of(tmp_path / "grandmother-coloured.png")
    assert ours[:, 1:].norm(dim=1).mean() > 5
    theirs[..., :40, :40] = ours[..., :40, :40]
    assert ciede2000(ours, theirs).mean() < 0.4 and (ours - theirs)[:, 0].abs().mean() < 0.1

    assert download(page, "JPEG", tmp_path / "page.jpg") == "grandmother-coloured.jpg"
    on_white = lab_of(tmp_path / "page.jpg")
    assert on_white[:, 0, :32, :32].min() > 98
    assert ciede2000(ours, on_white)[..., 48:, :].mean() < 2  # JPEG halves the resolution of colours
    for name in ("page.png", "page.jpg"):
        assert read_mark(tmp_path / name).model == "vivid"
        assert SOURCE_TYPE.encode() in (tmp_path / name).read_bytes()


def drop(page, *named):
    """Drop files, (name, data) each, on the page at once."""
    page.evaluate(
        """(files) => {
            const dataTransfer = new DataTransfer();
            for (const [name, bytes] of files) dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [[name, list(data)] for name, data in named],
    )


@needs_a_browser
def test_the_last_photograph_and_the_chosen_model_count(visit, folder, tmp_path):
    """However fast they follow on one another, and if two models have one name."""
    page = visit(folder.as_uri())
    drop(page, *[(f"{number}.png", b"") for number in range(50)])
    page.get_by_text("These are 50 files; drop one at a time.").wait_for()
    small = encoded(grey((150, 130)), "PNG")
    drop(page, ("first.png", encoded(grey((200, 180)), "PNG")))
    drop(page, ("second.png", small))
    page.locator("section").wait_for()
    assert download(page, "PNG", tmp_path / "one.png") == "second-coloured.png"
    drop(page, ("third.png", small))
    page.get_by_role("radio").nth(2).check()
    page.locator(".name").get_by_text("third.png").wait_for()
    assert download(page, "PNG", tmp_path / "twin.png") == "third-coloured.png"
    one, twin = (lab_of(tmp_path / f"{name}.png")[:, 1:].mean((2, 3)) for name in ("one", "twin"))
    assert (one * twin).sum() < 0  # colours across from one another


@needs_a_browser
@pytest.mark.parametrize("missing", ["about.js", "parts.js", "reading.js", "writing.js", "page.js"])
def test_a_page_that_is_not_whole_says_so(browser, folder, tmp_path, missing):
    shutil.copytree(folder, tmp_path / "page", ignore=shutil.ignore_patterns(missing, "model-*", "runtime.js"))
    page = browser.new_page()
    page.goto(f"{(tmp_path / 'page').as_uri()}/index.html")
    page.locator(".problem:visible").get_by_text("A file of this page is missing or damaged").wait_for()
    page.close()


@needs_a_browser
def test_it_is_upright_on_a_phone_from_a_static_host_and_models_can_be_changed(visit, folder, tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned by a quarter
    sepia = np.asarray(grey())[..., None] * np.array([1.0, 0.9, 0.7])
    photograph = Image.fromarray(sepia.astype(np.uint8)).transpose(Image.Transpose.ROTATE_90)
    with served(folder) as address:
        page = visit(address, PHONE, offline=False)
        choose(page, "old/photo.jpg", encoded(photograph, exif=exif, quality=95))
        page.locator("section").wait_for()
        assert "It is toned, like sepia" in page.locator(".note").inner_text()
        assert "500 × 431" in page.locator(".name").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        figure = page.locator("figure")
        pixels = np.asarray(Image.open(io.BytesIO(figure.screenshot())).convert("RGB"), dtype=int)
        assert pixels[60:-60, 40 : pixels.shape[1] // 2 - 30].std(axis=1).mean() > 5  # a picture
        page.get_by_role("slider").press("Home")
        moved = np.asarray(Image.open(io.BytesIO(figure.screenshot())).convert("RGB"), dtype=int)
        assert np.abs(moved - pixels)[60:-60, 40 : pixels.shape[1] // 2 - 30].mean() > 1

        page.get_by_role("radio", name="other").check()
        page.locator(".status").wait_for()
        page.locator(".status").wait_for(state="hidden")
        download(page, "PNG", tmp_path / "other.png")
    assert read_mark(tmp_path / "other.png").model == "other"
    upright = rgb_to_lab(torch.from_numpy(sepia.astype(np.uint8)).permute(2, 0, 1)[None] / 255)
    assert (lab_of(tmp_path / "other.png") - upright)[:, 0].abs().mean() < 1


@contextlib.contextmanager
def served(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@needs_a_browser
def test_what_the_page_cannot_colour_is_said_in_a_sentence(visit, folder, tmp_path):
    page = visit(folder.as_uri())
    problem = page.locator(".problem:visible")
    for name, data, sentence in (
        ("scan.jpg", b"%PDF-1.7", "scan.jpg is a PDF; take the photograph out of it first."),
        ("scan.tif", b"II*\0" + bytes(60), "scan.tif is a TIFF, which browsers do not read; save it as PNG or JPEG."),
        ("text.jpg", b"Dear Sir", "text.jpg is no photograph that a browser can read."),
        ("nothing.jpg", b"", "nothing.jpg is empty."),
        ("new.avif", b"\0\0\0 ftypavif" + bytes(20), "new.avif is an AVIF; save it as PNG or JPEG."),
        ("cut.png", encoded(grey(), "PNG")[:60], "cut.png is damaged, or larger than this browser can open."),
        ("tiny.png", encoded(grey((80, 60)), "PNG"), "tiny.png is too small, or too long and thin"),
        ("wide.png", encoded(Image.new("L", (17_000, 8)), "PNG"), "wide.png has 17,000 × 8 pixels; 50 megapixels"),
    ):
        choose(page, name, data)
        problem.filter(has_text=sentence).wait_for()
        assert not page.locator("section").is_visible()

    for event, data in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.evaluate(
            f"""() => {{
                const {data} = new DataTransfer();
                {data}.items.add(new File(["GIF89a"], "{event}.gif"));
                const kind = {{ drop: DragEvent, paste: ClipboardEvent }}.{event};
                document.body.dispatchEvent(new kind("{event}", {{ {data}, bubbles: true, cancelable: true }}));
            }}"""
        )
        problem.filter(has_text=f"{event}.gif is a GIF; save it as PNG.").wait_for()

    choose(page, "colour.png", encoded(Image.fromarray(astronaut()), "PNG"))
    page.get_by_text("This photograph is in colour already.").wait_for()
    assert not problem.count() and not page.locator("section").is_visible()
    page.get_by_role("button", name="Put them aside").click()
    page.locator("section").wait_for()

    mixed = shutil.copytree(folder, tmp_path / "mixed")
    text = (mixed / "model-1.js").read_text().replace('"format": 1', '"format": 2')
    (mixed / "model-1.js").write_text(text)
    page = visit(mixed.as_uri())
    choose(page, "grandmother.png", encoded(grey(), "PNG"))
    page.get_by_text("model-1.js is of another version than this page: the folder has to be made anew.").wait_for()

    text = (folder / "model-1.js").read_text()
    (mixed / "model-1.js").write_text(text[:-2000] + "AAAA" + text[-1996:])
    page = visit(mixed.as_uri())
    choose(page, "grandmother.png", encoded(grey(), "PNG"))
    page.get_by_text("A file of this page is damaged: its folder has to be copied anew.").wait_for()
    said = "readPhotograph({ name: 'old', slice: () => ({ arrayBuffer: async () => { throw Error(); } }) })"
    assert "old cannot be read: it is a folder" in page.evaluate(f"{said}.catch((error) => error.message)")


@needs_a_browser
def test_its_policy_lets_nothing_out(browser, folder):
    person = browser.new_context()
    page = person.new_page()
    page.goto(f"{folder.as_uri()}/index.html")
    refused = page.evaluate(
        """async () => {
            const refused = [];
            addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
            const address = "https://elsewhere.invalid/";
            await fetch(address).catch(() => {});
            new Image().src = address;
            navigator.sendBeacon(address, "photograph");
            document.body.append(Object.assign(document.createElement("iframe"), { src: address }));
            await new Promise((done) => setTimeout(done, 500));
            return refused.sort();
        }"""
    )
    person.close()
    assert refused == ["connect-src", "connect-src", "frame-src", "img-src"]


def test_the_folder_of_something_else_and_files_of_other_versions_are_left_alone(files, tmp_path, monkeypatch, capsys):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "about.js").write_text("const about = 'my site';")
    for other in ("thesis", "site", "site/about.js"):
        with pytest.raises(ValueError, match=f"{other} holds something else than this page; name a new folder."):
            write_browser_page(tmp_path / other)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept_runtime().parent.mkdir()
    kept_runtime().write_bytes(b"half")
    assert main(["browser-page", "--out", str(tmp_path / "page")]) == 2
    assert "has another checksum; nothing was kept, try again" in capsys.readouterr().err
    assert not kept_runtime().exists() and not (tmp_path / "page").exists()
    monkeypatch.setenv("PATH", "")
    assert main(["browser-page", "--out", str(tmp_path / "page")]) == 2
    assert f"the page takes {RUNTIME} from npm, which is not installed" in capsys.readouterr().err
