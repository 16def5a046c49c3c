"""The app as a person meets it: a real server and a real browser, headless, without any net but this machine's own."""

import base64
import contextlib
import http.client
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image
from skimage.data import astronaut
from test_pictures import HEIC

from colorlib.color.lab import rgb_to_lab

pytest.importorskip("streamlit", reason="the app is an optional extra: pip install colorlib[app]")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason=f"no browser: none of {', '.join(BROWSERS)} is installed"),
]

MAIN = Path(__file__).parents[1] / "colorlib" / "app" / "main.py"
SIZE = (480, 400)  # width and height of what is uploaded
PATIENCE = 30_000  # milliseconds; machines that test are busy
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def photograph(turned=False):
    """A grey JPEG with EXIF."""
    image = Image.fromarray(astronaut()).convert("L").resize(SIZE)
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Grandfather"
    file = io.BytesIO()
    (image.rotate(180) if turned else image).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The app on a free port, with answers in a folder of its own, and no way out."""
    folder = tmp_path_factory.mktemp("app")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "COLORLIB_MODELS": "",
        "COLORLIB_ANSWERS": str(folder / "answers.sqlite"),
        "COLORLIB_FASHION_MNIST": str(folder / "none"),
        "OMP_NUM_THREADS": "1",
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    }
    command = [sys.executable, "-m", "streamlit", "run", str(MAIN), "--server.port", str(port)]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(150):
            with contextlib.suppress(OSError), direct.open(f"http://localhost:{port}/_stcore/health", timeout=5):
                break
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)
    assert "Traceback" not in (folder / "log").read_text()
    written = {path.name for path in folder.iterdir()}
    assert written <= {"log", "answers.sqlite", "answers.sqlite-wal", "answers.sqlite-shm"}


@pytest.fixture(scope="module")
def browser():
    sync_api.expect.set_options(timeout=PATIENCE)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, address):
    """Open the app as a person of one's own; in the end nobody's page has asked for anything beyond this machine."""
    people, asked, said = [], [], []

    def open_page(viewport=DESK):
        person = browser.new_context(viewport=viewport, accept_downloads=True)
        person.set_default_timeout(PATIENCE)
        people.append(person)
        page = person.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for person in people:
        person.close()
    assert asked and not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not said


def upload(page, name="grandmother.jpg", data=None):
    picture = {"name": name, "mimeType": "image/jpeg", "buffer": photograph() if data is None else data}
    page.locator("input[type=file]").set_input_files(picture)


def pictures(page, count=2):
    """Wait until the app has nothing to do, and return the pictures to slide over or click on."""
    found = page.locator("figure")
    sync_api.expect(found).to_have_count(count)
    settle(page)
    return [found.nth(number) for number in range(count)]


def settle(page):
    page.wait_for_timeout(250)
    page.wait_for_function("document.querySelector('.stApp').dataset.testScriptState === 'notRunning'")


def seen(figure):
    """Return what a person sees of a picture: (H, W, 3)."""
    return np.asarray(Image.open(io.BytesIO(figure.screenshot())).convert("RGB"), dtype=int)


def chroma(pixels):
    return np.ptp(pixels, axis=-1).mean()


def test_upload_slide_and_download(visit):
    page = visit()
    upload(page, "../../grandmother.jpg")
    left, _ = pictures(page)
    middle = seen(left)
    width = middle.shape[1]
    inner = slice(width // 8, width // 2 - 30), slice(width // 2 + 30, -width // 8)  # beside the handle
    assert chroma(middle[:, inner[0]]) < 3 < chroma(middle[:, inner[1]])
    box = left.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert chroma(seen(left)[:, inner[1]]) < 3  # it is grey that was uncovered
    left.locator("input").press("Home")
    assert chroma(seen(left)[:, inner[0]]) > 3  # the keyboard does it, too

    with page.expect_download() as promise:
        page.get_by_role("button", name="Download, 480 × 400 JPEG").first.click()
    assert promise.value.suggested_filename == "grandmother-coloured.jpg"
    result = Image.open(promise.value.path())
    assert result.size == SIZE and result.format == "JPEG"
    assert result.getexif()[ExifTags.Base.Artist] == "Grandfather"
    before, after = (
        rgb_to_lab(torch.from_numpy(np.asarray(image.convert("RGB")).copy()).permute(2, 0, 1)[None] / 255)
        for image in (Image.open(io.BytesIO(photograph())), result)
    )
    assert (before - after)[:, 0].abs().mean() < 1 and after[:, 1:].norm(dim=1).mean() > 3


def test_hints_spread_and_can_be_taken_back(visit):
    page = visit()
    upload(page)
    pictures(page)
    page.get_by_text("Hints", exact=True).click()
    page.locator("figure.hintable").nth(1).wait_for()
    picture = pictures(page)[1]
    before = seen(picture)
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    page.get_by_role("button", name="hint 1").wait_for()
    settle(page)
    strokes = picture.locator(".strokes g")
    sync_api.expect(strokes).to_have_count(1)
    spot = strokes.bounding_box()
    assert spot["x"] + spot["width"] / 2 == pytest.approx(box["x"] + box["width"] / 4, abs=3)
    y, x = before.shape[0] // 2, before.shape[1] // 4
    assert np.abs(seen(picture) - before)[y - 40 : y - 12, x - 30 : x + 30].mean() > 0.5  # beside the spot itself

    page.get_by_text("Keep grey", exact=True).click()
    page.locator("figure.brush").nth(1).wait_for()
    settle(page)
    box = picture.bounding_box()  # it has moved
    down = box["y"] + box["height"] * 0.7
    page.mouse.move(box["x"] + box["width"] * 0.4, down)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, down, steps=10)
    page.mouse.up()
    page.get_by_role("button", name="kept grey").wait_for()
    sync_api.expect(strokes).to_have_count(2)
    settle(page)
    rows = slice(round(before.shape[0] * 0.66), round(before.shape[0] * 0.68))  # beside the line itself
    columns = slice(before.shape[1] // 2, round(before.shape[1] * 0.7))
    assert chroma(seen(picture)[rows, columns]) < 4 < chroma(before[rows, columns])
    page.keyboard.press("Control+z")
    sync_api.expect(strokes).to_have_count(1)
    page.get_by_role("button", name="hint 1").click()
    sync_api.expect(strokes).to_have_count(0)
    settle(page)
    np.testing.assert_array_equal(seen(picture)[:-60], before[:-60])  # below stands what a press would do


def test_twelve_photographs_are_coloured_and_taken_home_in_a_zip(visit, tmp_path):
    grey = np.asarray(Image.open(io.BytesIO(photograph())))
    for number in range(9):
        (tmp_path / f"page-{number}.jpg").write_bytes(photograph(turned=number % 2))
    (tmp_path / "broken.jpg").write_bytes(photograph()[:900])
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "scan.tif")
    (tmp_path / "phone.heic").write_bytes(base64.b64decode(HEIC))
    page = visit()
    page.locator("input[type=file]").set_input_files(sorted(tmp_path.iterdir()))
    sync_api.expect(page.get_by_test_id("stAlert")).to_have_count(1, timeout=3 * PATIENCE)
    page.get_by_role("button", name="Download all, zip").wait_for(timeout=3 * PATIENCE)
    sync_api.expect(page.get_by_test_id("stAlert")).to_contain_text("broken.jpg")
    sync_api.expect(page.locator(".strip button.done")).to_have_count(11)
    sync_api.expect(page.locator(".strip button.failed")).to_have_count(1)
    settle(page)

    with page.expect_download() as promise:
        page.get_by_role("button", name="Download all, zip").click()
    with zipfile.ZipFile(promise.value.path()) as archive:
        names = set(archive.namelist())
        assert names >= {f"page-{number}-coloured.jpg" for number in range(9)} | {"scan-coloured.tif", "notes.txt"}
        assert len(names) == 12 and not any(name.startswith("broken") for name in names)
        assert "broken.jpg: the file cannot be coloured" in archive.read("notes.txt").decode()
        with Image.open(archive.open("page-3-coloured.jpg")) as result:
            assert result.size == SIZE and result.getexif()[ExifTags.Base.Artist] == "Grandfather"
            assert "colorlib" in result.getexif()[ExifTags.Base.Software]
            assert chroma(np.asarray(result, dtype=int)) > 3
        (tmp_path / "result.tif").write_bytes(archive.read("scan-coloured.tif"))
    assert tifffile.imread(tmp_path / "result.tif").dtype == np.uint16

    page.locator(".strip button.done").nth(1).click()  # one of them, looked at closely
    page.locator(".photo-name", has_text="page-1.jpg").wait_for()
    pictures(page)


def test_two_people_at_once(visit):
    first, second, third = visit(), visit(), visit()
    upload(first, "first.jpg")
    upload(second, "second.jpg", photograph(turned=True))
    seen_by = []
    for person, mine, other in ((first, "first.jpg", "second.jpg"), (second, "second.jpg", "first.jpg")):
        pictures(person)
        person.get_by_text("How sure it is").click()  # the app thinks again, after the other one's upload
        person.get_by_text("how unsure").wait_for()
        person.get_by_text("Before and after").click()
        sync_api.expect(person.get_by_text("how unsure")).to_have_count(0)
        assert person.locator(".photo-name", has_text=mine).count() and not person.get_by_text(other).count()
        picture = pictures(person)[0]
        picture.locator("input").press("End")
        seen_by.append(seen(picture)[20:-40, 20:-20])
    assert np.abs(seen_by[0] - seen_by[1]).mean() > 10
    third.get_by_text("Black and white").click()
    third.get_by_text("Coffee").wait_for()
    assert not third.locator("figure, .photo-name").count()


def test_what_is_refused_is_said_in_a_sentence(visit):
    page = visit()
    upload(page, "scan.jpg", b"%PDF-1.7")
    error = page.get_by_test_id("stAlert")
    sync_api.expect(error).to_contain_text("The file cannot be coloured: a PDF, whatever its name says.")
    upload(page, "photo.jpg", b"")  # a second one: each is named
    sync_api.expect(error.filter(has_text="scan.jpg: the file cannot be coloured: a PDF")).to_be_visible()
    sync_api.expect(error.filter(has_text="photo.jpg: the file cannot be coloured: an empty file")).to_be_visible()
    page = visit()
    with page.expect_request("**/_stcore/upload_file/**") as sent:
        upload(page)
    pictures(page)
    sync_api.expect(page.get_by_test_id("stAlert")).to_have_count(0)

    # A hostile client passes over the limit of size in the page; the server has it too.
    whereto = urllib.parse.urlsplit(sent.value.url)
    client = http.client.HTTPConnection(whereto.hostname, whereto.port, timeout=20)
    client.putrequest("PUT", whereto.path)
    headers = {name: value for name, value in sent.value.all_headers().items() if name.startswith(("x-", "cookie"))}
    for name, value in (
        headers | {"content-type": "multipart/form-data; boundary=x", "content-length": 52 << 20}
    ).items():
        client.putheader(name, value)
    client.endheaders()
    assert client.getresponse().status == 413
    client.close()


def test_judge_once(visit):
    page = visit()
    page.get_by_role("link", name="Which is real?").click()
    page.get_by_role("button", name="Begin").click()
    sync_api.expect(page.locator(".square img")).to_have_count(2)
    sync_api.expect(page.locator(".square img").first).to_be_visible()
    page.get_by_role("button", name="Left").click()  # which waits until the pair is hidden
    sync_api.expect(page.get_by_text("the real one was on the")).to_be_visible()
    assert not page.get_by_text("Practice 2 of").count()  # it is said before the next pair
    page.get_by_role("button", name="Next pair").click()
    sync_api.expect(page.get_by_text("Practice 2 of")).to_be_visible()
    sync_api.expect(page.locator("button[data-side=right]")).to_be_enabled()
    sync_api.expect(page.locator(".square img")).to_have_count(0)  # shown, and hidden again
    page.keyboard.press("ArrowRight")
    sync_api.expect(page.get_by_text("the real one was on the")).to_be_visible()


def test_the_page_answers_to_its_own_names_only(address):
    port = urllib.parse.urlsplit(address).port
    statuses = []
    for host in ("localhost", "127.0.0.1", "elsewhere.example", f"elsewhere.example:{port}"):
        for path in ("/", "/_stcore/stream"):
            client = http.client.HTTPConnection("localhost", port, timeout=20)
            client.request("GET", path, headers={"Host": host})
            statuses.append(client.getresponse().status)
            client.close()
    assert statuses[0] == statuses[2] == 200 and statuses[4:] == [400] * 4


def test_a_phone_never_scrolls_sideways(visit):
    page = visit(PHONE)
    widths = "[...document.querySelectorAll('html, .stMain')].map((e) => [e.scrollWidth, e.clientWidth])"

    def check():
        settle(page)
        assert all(content <= room <= PHONE["width"] for content, room in page.evaluate(widths))

    page.get_by_role("button", name="Coffee", exact=True).click()
    pictures(page)
    page.get_by_text("How sure it is").click()
    page.get_by_text("how unsure").wait_for()
    check()
    for link, title in (("Which is real?", "Which of the two"), ("The study", "What the study found")):
        page.get_by_role("link", name=link).click()
        page.get_by_role("heading", name=title).wait_for()
        check()
