"""Any photographs into a store: every kind of picture, every kind of damage, archives, resuming."""

import gzip
import io
import os
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageCms
from skimage.color import rgb2lab
from skimage.data import astronaut, coffee
from test_pictures import icc

from colorlib.data import photos
from colorlib.data.photos import prepare_photographs, square_photograph
from colorlib.pictures import bounded
from colorlib.pictures.listing import list_photographs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data" / "photos64.tar"


def smooth(seed: int, width: int = 60, height: int = 48) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(data: bytes, size: int = 32) -> np.ndarray:
    return square_photograph(io.BytesIO(data), size)[0].astype(int)


def fill(folder: Path, count: int = 12) -> Path:
    for i in range(count):
        path = folder / f"class{i % 3}" / f"p{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth(i).save(path)
    return folder


def bytes_of(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def png16(values: np.ndarray) -> bytes:
    """A 16-bit PNG, written by hand since Pillow writes none in colour. values: (H, W, channels) uint16."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# ------------------------------------------------------------------------------------------------ kinds of pictures


def test_short_side_then_centre_crop():
    """As Pillow resizing the whole and cropping then, but for the edges and the fast reduction of large pictures."""
    image = Image.fromarray(coffee())
    whole = image.resize((96, 64), Image.Resampling.LANCZOS)
    two_steps = np.asarray(whole.crop((16, 0, 80, 64))).astype(int)
    got, width, height = square_photograph(io.BytesIO(encoded(image)), 64)
    assert (width, height) == (600, 400)
    assert np.abs(got - two_steps)[:, 2:-2].max() <= 4 and np.abs(got - two_steps).mean() < 0.3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "tiff_lzw"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation, kind):
    """The numbers' meaning from the EXIF standard: where the stored row 0 and column 0 belong."""
    upright = smooth(1, 40, 64)
    pixels = np.asarray(upright)
    stored = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, 1),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"kind": "TIFF", "compression": kind} if kind == "tiff_lzw" else {"kind": kind}
    data = encoded(Image.fromarray(np.ascontiguousarray(stored)), exif=exif, **options)
    got, width, height = square_photograph(io.BytesIO(data), 32)
    assert (width, height) == (40, 64)
    assert np.abs(got.astype(int) - decoded(encoded(upright))).max() <= 1


def test_modes_that_mean_the_same_colours():
    image = smooth(2, 64, 64)
    plain, pixels = decoded(encoded(image)), np.asarray(image).astype(np.uint16)
    opaque = image.copy()
    opaque.putalpha(255)
    assert np.abs(decoded(encoded(opaque)) - plain).max() <= 1
    assert np.abs(decoded(png16(pixels * 257)) - plain).max() <= 1
    assert np.abs(decoded(encoded(image, "TIFF")) - plain).max() <= 1
    assert np.abs(decoded(encoded(image, "WEBP", lossless=True)) - plain).max() <= 1
    assert np.abs(decoded(encoded(image.quantize(256))) - plain).mean() < 6
    assert np.abs(decoded(encoded(image.convert("CMYK"), "TIFF")) - plain).mean() < 2
    assert np.abs(decoded(encoded(image.convert("CMYK"), "JPEG", quality=95)) - plain).mean() < 6


def test_grey_modes_come_out_grey():
    grey = smooth(3, 64, 64).convert("L")
    plain, pixels = decoded(encoded(grey)), np.asarray(grey).astype(np.uint16)
    assert (plain == plain[..., :1]).all()
    for data in (
        encoded(grey.convert("LA")),
        encoded(Image.fromarray(pixels * 257)),
        png16(pixels[..., None] * 257),
        encoded(Image.fromarray(pixels.astype(np.int32) * 257), "TIFF"),
    ):
        assert np.abs(decoded(data) - plain).max() <= 1
    bits = decoded(encoded(Image.fromarray(pixels > 99)), 64)
    assert set(np.unique(bits)) == {0, 255} and (bits == bits[..., :1]).all()


def test_transparency_lies_on_white():
    image = smooth(4, 64, 64)
    image.putalpha(0)
    assert (decoded(encoded(image)) == 255).all()
    image.putalpha(128)
    opaque = decoded(encoded(image.convert("RGB")))
    assert np.abs(decoded(encoded(image)) - (opaque * 128 + 255 * 127) / 255).max() <= 2
    palette = Image.new("P", (32, 32), 1)
    palette.putpalette([0, 0, 0, 200, 10, 10])
    assert (decoded(encoded(palette, transparency=1)) == 255).all()


def test_an_embedded_profile_is_turned_into_srgb():
    """The profile of linear light: 8-bit 55 is sRGB's 128."""
    source = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    data = bytearray(source.tobytes())
    plain = encoded(Image.new("RGB", (32, 32), (200, 60, 60)), icc_profile=bytes(data))
    assert np.abs(decoded(plain) - [200, 60, 60]).max() <= 1
    for tag in (b"rXYZ", b"bXYZ"):  # a profile whose red and blue are exchanged
        at = data.find(tag, 128)
        data[at : at + 4] = b"tmp0" if tag == b"rXYZ" else b"rXYZ"
    data = data.replace(b"tmp0", b"bXYZ", 1)
    swapped = encoded(Image.new("RGB", (32, 32), (200, 60, 60)), icc_profile=bytes(data))
    assert np.abs(decoded(swapped) - [60, 60, 200]).max() <= 1
    broken = encoded(Image.new("RGB", (32, 32), (200, 60, 60)), icc_profile=b"nonsense")
    assert np.abs(decoded(broken) - [200, 60, 60]).max() <= 1


def test_profiles_hold_for_every_mode():
    """A photograph in Adobe RGB is the same as RGB, with transparency and as a palette; a grey one heeds its gamma."""
    image = smooth(7, 64, 64)
    plain, adobe = decoded(encoded(image)), decoded(encoded(image, icc_profile=icc()))
    assert np.abs(adobe - plain).mean() > 2
    assert np.abs(decoded(encoded(image.convert("RGBA"), icc_profile=icc())) - adobe).max() <= 1
    palette = image.quantize(256)
    assert np.abs(decoded(encoded(palette, icc_profile=icc())) - adobe).mean() < 6
    grey = Image.new("L", (32, 32), 128)
    by_hand = 255 * (1.055 * ((128 / 255) ** 1.8) ** (1 / 2.4) - 0.055)  # the gamma, then sRGB's curve
    assert np.abs(decoded(encoded(grey, icc_profile=icc(1.8, None))) - by_hand).max() < 1


def test_store_holds_the_lab_of_the_photograph(tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(astronaut()).resize((64, 64)).save(tmp_path / "in/a.png")
    batch = prepare_photographs(tmp_path / "in", tmp_path / "out", size=64, workers=1).batch([0])
    lab = rgb2lab(np.asarray(Image.open(tmp_path / "in/a.png")))
    assert np.abs(batch.L[0, 0].numpy() - lab[..., 0]).max() < 0.21  # half a step of 100/255, and a little
    assert np.abs(batch.ab[0].numpy().transpose(1, 2, 0) - lab[..., 1:]).max() < 0.51


# -------------------------------------------------------------------------------------------------- bad pictures


def bomb() -> bytes:
    """A small PNG whose header promises 10 gigapixels."""
    data = bytearray(encoded(Image.new("RGB", (16, 16))))
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def test_bad_files_are_skipped_and_listed_with_the_reason(tmp_path):
    folder = fill(tmp_path / "in", 4)
    jpeg = encoded(smooth(5, 200, 200), "JPEG")
    bad = {
        "bomb.png": (bomb(), "decompression bomb"),
        "empty.jpg": (b"", "empty file"),
        "float.tif": (encoded(Image.fromarray(np.zeros((32, 32), np.float32)), "TIFF"), "floating-point"),
        "noise.jpg": (b"no picture at all", "not a picture of a kind that is read"),
        "tiny.png": (encoded(smooth(6, 60, 3)), "60×3 pixels is too small"),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "truncated"),
        "truncated.png": (encoded(smooth(5, 200, 200))[:3000], ""),
    }
    for name, (data, _) in bad.items():
        (folder / name).write_bytes(data)
    for name in ("notes.txt", ".hidden.jpg", "Thumbs.db", "__MACOSX/x.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    made = prepare_photographs(folder, tmp_path / "out", size=32, workers=1)
    skipped = pd.read_csv(made.folder / "skipped.csv")
    assert skipped["source"].tolist() == sorted(bad) and len(made) == 4
    for name, reason in zip(skipped["source"], skipped["reason"], strict=True):
        assert bad[name][1] in reason and "\n" not in reason and "0x" not in reason
    assert made.info["counts"]["skipped"] == 7 and made.info["counts"]["photographs"] == 4
    assert made.info["files"] == 11 and made.info["counts"]["ignored"] == {"document": 1, "hidden file": 3}


def test_postscript_is_skipped_and_nothing_is_run(tmp_path, monkeypatch):
    """Pillow would hand it to Ghostscript, whatever the file is called."""
    folder, tools = fill(tmp_path / "in", 2), tmp_path / "tools"
    eps = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 40\n%%EndComments\n0 0 moveto 60 40 lineto stroke\nshowpage\n"
    (folder / "holiday.jpg").write_text(eps)
    tools.mkdir()
    (tools / "gs").write_text(f"#!/bin/sh\necho called >> {tmp_path}/called\n")
    (tools / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    made = prepare_photographs(folder, tmp_path / "out", size=32, workers=1)
    skipped = pd.read_csv(made.folder / "skipped.csv")
    assert skipped.values.tolist() == [["holiday.jpg", "PostScript, not a picture, whatever its name says"]]
    assert not (tmp_path / "called").exists()


def test_names_that_are_not_utf8_are_spelled_out(tmp_path):
    folder = fill(tmp_path / "in", 2)
    for name, data in ((b"caf\xe9.png", encoded(smooth(7))), (b"\xff.png", b"nothing")):
        (folder / os.fsdecode(name)).write_bytes(data)
    made = prepare_photographs(folder, tmp_path / "out", size=32, workers=1)
    assert made.manifest["source"].tolist() == [r"caf\xe9.png", "class0/p000.png", "class1/p001.png"]
    assert pd.read_csv(made.folder / "skipped.csv")["source"].tolist() == [r"\xff.png"]


def test_what_cannot_be_opened_or_asks_for_too_much_is_listed(tmp_path, monkeypatch):
    """A pipe, a link to nothing, and a file whose decoding is ended; the others are prepared."""
    folder = fill(tmp_path / "in", 3)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "gone.jpg").symlink_to("/nowhere")
    Image.new("L", (12_000, 12_000)).save(folder / "large.png")  # 20 KB
    monkeypatch.setattr(photos, "call_bounded", lambda f, s, size: bounded.call_bounded(f, s, size, memory=1 << 26))
    made = prepare_photographs(folder, tmp_path / "out", size=32, workers=1)
    skipped = pd.read_csv(made.folder / "skipped.csv").set_index("source")["reason"]
    assert len(made) == 3 and skipped.index.tolist() == ["large.png", "gone.jpg", "pipe.jpg"]
    assert "memory" in skipped["large.png"] and "broken link" in skipped["gone.jpg"] and "pipe" in skipped["pipe.jpg"]


def test_a_file_too_large_is_skipped_unread(tmp_path, monkeypatch):
    fill(tmp_path / "in", 2)
    with open(tmp_path / "in/huge.tif", "wb") as file:
        file.truncate((1 << 30) + 1)
    prepare_photographs(tmp_path / "in", tmp_path / "out", size=32, workers=1)
    assert "GiB" in (tmp_path / "out/skipped.csv").read_text()


def test_nothing_usable_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder or archive"):
        prepare_photographs(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("a")
    with pytest.raises(ValueError, match=r"holds no pictures \(1 other files"):
        prepare_photographs(tmp_path / "in", tmp_path / "out")
    with pytest.raises(ValueError, match="neither a folder nor an archive"):
        prepare_photographs(tmp_path / "in/a.txt", tmp_path / "out")
    (tmp_path / "in/a.jpg").write_bytes(b"a")
    with pytest.raises(ValueError, match="no photograph could be used, 1 were skipped; the first, a.jpg: not a pict"):
        prepare_photographs(tmp_path / "in", tmp_path / "out", workers=1)
    with pytest.raises(ValueError, match="size .* is too small"):
        prepare_photographs(tmp_path / "in", tmp_path / "out", size=8)
    with pytest.raises(TypeError, match="size must be a whole number"):
        prepare_photographs(tmp_path / "in", tmp_path / "out", size="64")
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        prepare_photographs(tmp_path / "in", tmp_path / "out", workers=0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_damaged_archives_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is no archive" * 100)
    with pytest.raises(ValueError, match=f"{name} is damaged or no archive"):
        prepare_photographs(tmp_path / name, tmp_path / "out")


def test_a_compressed_tar_that_ends_too_soon(tmp_path):
    whole = tar_of(fill(tmp_path / "in"), tmp_path / "a.tar.gz", "w:gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="a.tar.gz is damaged"):
        prepare_photographs(tmp_path / "a.tar.gz", tmp_path / "out")


def test_too_little_space_is_said_before_beginning(tmp_path, monkeypatch):
    fill(tmp_path / "in", 3)
    monkeypatch.setattr(photos.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    with pytest.raises(OSError, match="the photographs need 0 MB .* free some space or choose a smaller size"):
        prepare_photographs(tmp_path / "in", tmp_path / "out", size=32, workers=1)


# ------------------------------------------------------------------------------------------- sources and resuming


def tar_of(folder: Path, path: Path, mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.add(file, file.relative_to(folder).as_posix())
    return path


def test_folder_zip_and_tar_give_the_same_photographs(tmp_path):
    folder = fill(tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(folder.rglob("*.png"), reverse=True):
            archive.write(file, file.relative_to(folder).as_posix())
    sources = [folder, tmp_path / "a.zip"]
    sources += [
        tar_of(folder, tmp_path / f"a.{k}", m) for k, m in (("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz"))
    ]
    made = [prepare_photographs(s, tmp_path / f"out{k}", size=32, workers=1) for k, s in enumerate(sources)]
    assert made[0].manifest["source"].tolist() == sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*.png")
    )
    for other in made[1:]:
        assert other.manifest.equals(made[0].manifest) and np.array_equal(other.L8, made[0].L8)


def test_upscaled_is_flagged_and_kept(tmp_path):
    fill(tmp_path / "in", 3)
    smooth(9, 400, 300).save(tmp_path / "in/z.png")
    made = prepare_photographs(tmp_path / "in", tmp_path / "out", size=64, workers=1)
    assert made.manifest["flags"].tolist() == ["upscaled"] * 3 + [""]
    assert made.manifest[["width", "height"]].values.tolist() == [[60, 48]] * 3 + [[400, 300]]
    assert made.info["counts"]["usable"] == 4
    assert made.info["resize"] == {"short_side": 64, "crop": "centre square", "filter": "lanczos"}


def test_the_number_of_workers_changes_nothing(tmp_path):
    folder = fill(tmp_path / "in", 80)
    (folder / "bad.jpg").write_bytes(b"bad")
    one = prepare_photographs(folder, tmp_path / "one", size=32, workers=1, name="n")
    two = prepare_photographs(folder, tmp_path / "two", size=32, workers=2, name="n")
    assert bytes_of(one.folder) == bytes_of(two.folder) and len(two) == 80


def test_a_second_run_is_instant_and_other_settings_are_refused(tmp_path, monkeypatch):
    folder = fill(tmp_path / "in")
    prepare_photographs(folder, tmp_path / "out", size=32, workers=1)
    monkeypatch.setattr(photos, "prepare_file", None)
    assert len(prepare_photographs(folder, tmp_path / "out", size=32, workers=1)) == 12
    with pytest.raises(ValueError, match="made with other settings"):
        prepare_photographs(folder, tmp_path / "out", size=48, workers=1)
    pixels = (folder / "class0/p000.png").read_bytes()
    (folder / "class0/p000.png").write_bytes(pixels)  # another of equal length
    with pytest.raises(ValueError, match="made with other settings .photographs were added, removed or replaced"):
        prepare_photographs(folder, tmp_path / "out", size=32, workers=1)


def test_labels_stay_when_photographs_are_added(tmp_path):
    folder = fill(tmp_path / "in", 30)
    before = prepare_photographs(folder, tmp_path / "a", size=32, workers=1).manifest.set_index("sha256")["split"]
    for i in range(30, 60):
        smooth(i).save(folder / f"class0/p{i:03d}.png")
    after = prepare_photographs(folder, tmp_path / "b", size=32, workers=1).manifest.set_index("sha256")["split"]
    assert len(after) == 60 and (after[before.index] == before).all()


PREPARE = """
import sys
from colorlib.data.photos import prepare_photographs
if __name__ == "__main__":
    prepare_photographs(sys.argv[1], sys.argv[2], size=64, workers=2, name="n")
"""


@pytest.fixture(scope="module")
def four_hundred(tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    for i in range(400):
        smooth(i, 200, 150).save(folder / f"p{i:03d}.jpg")
    return folder


@pytest.mark.parametrize("kind", ["folder", "tar.gz"])
def test_killed_in_the_middle_it_goes_on_to_the_same_bytes(four_hundred, tmp_path, kind):
    """SIGKILL once a part is written; the processes of the pool end with it."""
    source = four_hundred if kind == "folder" else tar_of(four_hundred, tmp_path / "in.tar.gz", "w:gz")
    (tmp_path / "go.py").write_text(PREPARE)
    command = [sys.executable, str(tmp_path / "go.py"), str(source), str(tmp_path / "killed")]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    journal = tmp_path / "killed.partial/journal.jsonl"
    deadline = time.monotonic() + 300
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)
    workers = subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, text=True).stdout.split()
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert journal.exists() and not (tmp_path / "killed").exists()
    resumed = prepare_photographs(source, tmp_path / "killed", size=64, workers=1, name="n")
    whole = prepare_photographs(source, tmp_path / "whole", size=64, workers=1, name="n")
    assert len(resumed) == 400 and bytes_of(resumed.folder) == bytes_of(whole.folder)
    running = [
        pid
        for pid in workers
        if Path(f"/proc/{pid}/cmdline").exists() and b"pictures.bounded" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert not running


def test_gzip_is_seen_by_content(tmp_path):
    """A .tar that is gzipped all the same."""
    plain = tar_of(fill(tmp_path / "in"), tmp_path / "a.tar", "w").read_bytes()
    (tmp_path / "a.tar").write_bytes(gzip.compress(plain))
    assert len(list_photographs(tmp_path / "a.tar").members) == 12


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_real_photographs(tmp_path):
    with tarfile.open(SHARED) as archive:
        for member in list(archive)[:200]:
            archive.extract(member, tmp_path / "in", filter="data")
    made = prepare_photographs(tmp_path / "in", tmp_path / "out", size=64, workers=1)
    assert len(made) == 200 and made.manifest["source"].str.startswith("photos64/n01443537/").all()
    first = made.manifest["source"][0]
    lab = rgb2lab(np.asarray(Image.open(tmp_path / "in" / first).convert("RGB")))
    assert np.abs(made.batch([0]).L[0, 0].numpy() - lab[..., 0]).max() < 0.21
