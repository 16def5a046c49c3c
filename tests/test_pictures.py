"""Picture files: bits, transparency, orientation, metadata and profiles survive; hostile files end in one sentence."""

import base64
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageCms, ImageOps

from colorlib.color.lab import lab_to_rgb, rgb_to_lab
from colorlib.pictures import containers, reading, tags, writing
from colorlib.pictures.decode import upright
from colorlib.pictures.formats import FORMATS, SUFFIXES, is_picture
from colorlib.pictures.mark import SOURCE_TYPE, Mark, read_mark
from colorlib.pictures.metadata import Metadata
from colorlib.pictures.picture import Picture
from colorlib.pictures.profiles import read_profile
from colorlib.pictures.reading import picture_of, read_centre, read_picture
from colorlib.pictures.tags import Tag
from colorlib.pictures.writing import png_bytes, write_picture
from colorlib.runs.exchange import read_pictures

RNG = np.random.default_rng(0)
GREY16 = RNG.integers(0, 65536, (23, 31), dtype=np.uint16)
COLOR16 = RNG.integers(0, 65536, (23, 31, 3), dtype=np.uint16)
COLOR8 = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
ALPHA16 = RNG.integers(0, 65536, (23, 31), dtype=np.uint16)


def icc(gamma=2.2, primaries=((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))):
    """A profile of a matrix and a gamma; the primaries are Adobe RGB's, adapted to D50. One number for grey: None."""

    def curve():
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"

    def xyz(values):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))

    tags = {b"kTRC": curve()}
    if primaries:
        tags = {name: curve() for name in (b"rTRC", b"gTRC", b"bTRC")}
        tags |= {name: xyz(values) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    header = bytearray(128)
    header[8:24] = b"\2\x10\0\0mntr" + (b"RGB " if primaries else b"GRAY") + b"XYZ "
    header[36:40], header[68:80] = b"acsp", struct.pack(">3i", 63190, 65536, 54061)
    table, body, offset = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    header[:4] = struct.pack(">I", len(header + table + body))
    return bytes(header) + table + body


def rewritten(tmp_path, picture, pixels):
    path = tmp_path / "out"
    write_picture(path, [pixels[:7], pixels[7:]], picture)
    return path


@pytest.mark.parametrize("pixels", [COLOR8, COLOR8[..., 0]], ids=["colour", "grey"])
def test_pixels_as_a_png_are_the_pixels(pixels):
    with Image.open(io.BytesIO(png_bytes(pixels))) as image:
        assert image.format == "PNG" and np.array_equal(np.asarray(image), pixels)


# ------------------------------------------------------------------------------------------------------------ 16 bits


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_16_bits_of_grey_and_of_colour_come_in_whole(tmp_path, ending):
    for array in (GREY16, COLOR16, np.dstack([COLOR16, ALPHA16])):
        path = tmp_path / f"scan{ending}"
        cv2.imwrite(str(path), array if array.ndim == 2 else array[..., [2, 1, 0, 3][: array.shape[2]]])
        picture = read_picture(path)
        assert picture.pixels.dtype == np.uint16
        np.testing.assert_array_equal(picture.pixels, array[..., :3] if array.ndim == 3 else array)
        if array.shape[-1] == 4:
            np.testing.assert_array_equal(picture.alpha, ALPHA16)


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_tiffs_of_either_byte_order(tmp_path, byteorder, compression):
    tifffile.imwrite(tmp_path / "a.tif", COLOR16, photometric="rgb", byteorder=byteorder, compression=compression)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, COLOR16)


def test_a_16_bit_png_of_grey_with_transparency(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in np.dstack([GREY16, ALPHA16]))
    header = struct.pack(">IIBBBBB", 31, 23, 16, 4, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    picture = read_picture(io.BytesIO(data))
    np.testing.assert_array_equal(picture.pixels, GREY16)
    np.testing.assert_array_equal(picture.alpha, ALPHA16)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("alpha", [None, ALPHA16])
def test_16_bits_go_out_whole_with_profile_and_captions(tmp_path, kind, alpha):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "A. Person"
    metadata = Metadata(icc=icc(), dpi=(300.0, 300.0), xmp=b"<x/>")
    metadata.take_exif(exif.tobytes().removeprefix(b"Exif\0\0"), [])
    path = rewritten(tmp_path, Picture(GREY16, alpha, format=kind, metadata=metadata), COLOR16)
    again = read_picture(path)
    np.testing.assert_array_equal(again.pixels, COLOR16)
    assert (again.alpha is None) == (alpha is None)
    assert again.metadata.icc == icc() and again.metadata.xmp == b"<x/>"
    with Image.open(path) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert image.format == kind and image.getexif()[ExifTags.Base.Artist] == "A. Person"
    whole = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(whole[..., 2::-1], COLOR16)  # another reader sees the same


# ---------------------------------------------------------------------------------------------- what is carried along


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_once(tmp_path, kind, orientation):
    corner = np.zeros((16, 24), np.uint8)
    corner[:8, :12] = 255  # top left
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Leica"
    image = Image.fromarray(corner).convert("RGB")
    image.save(tmp_path / "a", kind, exif=exif)
    picture = read_picture(tmp_path / "a")
    expected = upright(corner, orientation)
    np.testing.assert_allclose(picture.pixels.astype(int), expected.astype(int), atol=40)
    path = rewritten(tmp_path, picture, np.repeat(picture.pixels[..., None], 3, 2))
    with Image.open(path) as again:
        assert again.format == kind and again.size == expected.shape[::-1]
        assert again.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert again.getexif()[ExifTags.Base.Make] == "Leica"


def test_upright_agrees_with_pillow():
    corner = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for orientation in range(1, 9):
        image = Image.fromarray(corner)
        image.getexif()[ExifTags.Base.Orientation] = orientation
        np.testing.assert_array_equal(upright(corner, orientation), np.asarray(ImageOps.exif_transpose(image)))


def test_captions_of_a_jpeg_survive(tmp_path):
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x08\x1c\x02x\0\x03Ivy"
    extra = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    xmp = b'<x xmlns:tiff="t" tiff:Orientation="6"/>'
    Image.fromarray(COLOR8).save(tmp_path / "a.jpg", comment=b"hello", extra=extra, xmp=xmp, dpi=(150, 150))
    picture = read_picture(tmp_path / "a.jpg")
    path = rewritten(tmp_path, picture, COLOR8.transpose(1, 0, 2))
    with Image.open(path) as again:
        assert again.info["comment"] == b"hello" and again.info["dpi"] == (150, 150)
        assert b"Ivy" in dict(again.applist)["APP13"]
        assert again.info["xmp"] == xmp.replace(b"6", b"1")


def test_transparency_and_text_of_a_png_survive(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Title", "At the sea")
    rgba = np.dstack([COLOR8, COLOR8[..., 0]])
    Image.fromarray(rgba).save(tmp_path / "a.png", pnginfo=text)
    path = rewritten(tmp_path, read_picture(tmp_path / "a.png"), COLOR8)
    with Image.open(path) as again:
        assert again.info["Title"] == "At the sea"
        np.testing.assert_array_equal(np.asarray(again), rgba)


def test_grey_stored_as_colour_is_grey(tmp_path):
    Image.fromarray(np.repeat(COLOR8[..., :1], 3, 2)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").is_grey
    Image.fromarray(COLOR8).save(tmp_path / "b.png")
    assert not read_picture(tmp_path / "b.png").is_grey
    Image.fromarray(COLOR8[..., 0] > 128).save(tmp_path / "c.png")
    assert set(np.unique(read_picture(tmp_path / "c.png").pixels)) == {0, 255}


# ------------------------------------------------------------------------------------------------------------ profiles


def test_srgb_is_taken_for_granted():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert read_profile(srgb).is_srgb
    assert not read_profile(icc()).is_srgb


def test_a_profile_means_what_littlecms_says():
    profile = read_profile(icc())
    rgb = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    srgb = profile.to_srgb(rgb)
    back = profile.from_srgb(srgb)
    assert (back - rgb).abs().max() < 1e-4
    grey = torch.linspace(0, 1, 11).view(1, 1, 1, 11).expand(1, 3, 1, 11)
    assert np.ptp(profile.to_srgb(grey).numpy(), axis=1).max() < 1e-5  # equal channels are grey
    known = profile.to_srgb(torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1)).flatten().tolist()
    # By hand: the gamma, the primaries, Bradford from D50 to D65, sRGB's inverse matrix and curve.
    linear = np.array([0.5, 0.3, 0.2]) ** (563 / 256)
    xyz_d50 = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]]) @ linear
    bradford = [
        [0.9555766, -0.0230393, 0.0631636],
        [-0.0282895, 1.0099416, 0.0210077],
        [0.0122982, -0.020483, 1.3299098],
    ]
    to_rgb = [[3.2404542, -1.5371385, -0.4985314], [-0.969266, 1.8760108, 0.041556], [0.0556434, -0.2040259, 1.0572252]]
    expected = np.array(to_rgb) @ np.array(bradford) @ xyz_d50
    expected = 1.055 * expected ** (1 / 2.4) - 0.055
    np.testing.assert_allclose(known, expected, atol=2e-3)


def test_profiles_of_photographs(tmp_path):
    Image.fromarray(COLOR8).save(tmp_path / "adobe.jpg", icc_profile=icc(), quality=95, subsampling=0)
    picture = read_picture(tmp_path / "adobe.jpg")
    assert picture.profile is not None and picture.metadata.icc == icc()
    L = picture.lightness()
    assert L.shape == (1, 1, 23, 31)
    encoded = picture.encode(picture.profile.to_srgb(torch.from_numpy(picture.pixels / 255.0).permute(2, 0, 1)[None]))
    assert np.abs(encoded.astype(int) - picture.pixels).max() <= 1

    grey = COLOR8[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png", icc_profile=icc(1.8, None))
    picture = read_picture(tmp_path / "grey.png")
    assert not picture.metadata.icc and "grey" in picture.notes[0]
    y = (grey[0, 0] / 255) ** (461 / 256)
    expected = 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y
    assert float(picture.lightness()[0, 0, 0, 0]) == pytest.approx(expected, abs=0.02)

    Image.fromarray(grey).save(tmp_path / "odd.png", icc_profile=b"nonsense" * 30)
    picture = read_picture(tmp_path / "odd.png")
    assert picture.profile is None and "unknown kind" in picture.notes[0]


def icc_of_tables(matrix=False):
    """A scanner's profile: a table from RGB to L behind curves that lighten; with a matrix, which says otherwise."""

    def lab(L):
        return struct.pack(">3H", round(L * 652.8), 0x8000, 0x8000)

    corners = [lab(30 * r + 60 * g + 10 * b) for r in (0, 1) for g in (0, 1) for b in (0, 1)]
    curve = struct.pack(">256H", *[round(65535 * (i / 255) ** 0.5) for i in range(256)])
    table = b"mft2\0\0\0\0" + bytes([3, 3, 2, 0]) + struct.pack(">9i", *(np.eye(3, dtype=int) * 65536).flatten())
    table += struct.pack(">2H", 256, 2) + curve * 3 + b"".join(corners) + struct.pack(">2H", 0, 65535) * 3
    tags = {b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061), b"A2B0": table}
    if matrix:
        plain = icc()
        at = {name: (where, size) for name, where, size in struct.iter_unpack(">4sII", plain[132 : 132 + 12 * 6])}
        tags |= {name: plain[where : where + size] for name, (where, size) in at.items()}
    listed, body, offset = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        listed += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"test", 0x02100000, b"scnr", b"RGB ", b"Lab ")
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061) + b"\0" * 48
    return header + listed + body


@pytest.mark.parametrize("matrix", [False, True])
def test_tables_are_applied_and_go_before_a_matrix(tmp_path, matrix):
    data = icc_of_tables(matrix)
    assert (read_profile(data) is None) and (read_profile(icc()) is not None)
    source = ImageCms.ImageCmsProfile(io.BytesIO(data))
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    expected = np.asarray(ImageCms.applyTransform(Image.fromarray(COLOR8), transform)).astype(int)
    assert np.abs(expected - COLOR8).mean() > 20
    rgba = np.dstack([COLOR8, COLOR8[..., 0]])
    Image.fromarray(COLOR8).save(tmp_path / "rgb.png", icc_profile=data)
    Image.fromarray(rgba).save(tmp_path / "rgba.png", icc_profile=data)
    tifffile.imwrite(tmp_path / "rgb16.tif", COLOR8.astype(np.uint16) * 257, photometric="rgb", iccprofile=data)
    for name in ("rgb.png", "rgba.png", "rgb16.tif"):
        picture = read_picture(tmp_path / name)
        np.testing.assert_allclose(picture.rgb8().astype(int), expected, rtol=0, atol=1)
        assert picture.profile is None and not picture.metadata.icc and "profile was applied" in picture.notes[0]
    np.testing.assert_array_equal(read_picture(tmp_path / "rgba.png").alpha, rgba[..., 3])
    Image.fromarray(COLOR8[..., 0]).save(tmp_path / "grey.png", icc_profile=data)  # a grey scan of a colour scanner
    assert read_picture(tmp_path / "grey.png").lightness().mean() > Picture(COLOR8[..., 0]).lightness().mean() + 5


def test_a_profile_for_grey_means_nothing_for_colours(tmp_path):
    Image.fromarray(COLOR8).save(tmp_path / "a.png", icc_profile=icc(1.8, None))
    picture = read_picture(tmp_path / "a.png")
    assert picture.profile is None and "taken for sRGB" in picture.notes[0]


def test_lightness_of_levels_is_that_of_pixels():
    for levels in (COLOR8[..., 0], GREY16):
        picture = Picture(levels)
        rgb = torch.from_numpy(levels.astype(np.float64) / picture.white).expand(1, 3, -1, -1)
        assert (picture.lightness() - rgb_to_lab(rgb)[:, :1]).abs().max() < 1e-3
    assert picture.lab(slice(3, 5)).shape == (1, 3, 2, 31)


# --------------------------------------------------------------------------------------------------------- one decoder


def files_of_every_kind(folder):
    """Write the same photograph as many kinds of file: modes, bits, profiles and orientations."""
    image, grey = Image.fromarray(COLOR8), Image.fromarray(COLOR8[..., 0])
    images = {"RGB": image, "RGBA": image.convert("RGBA"), "P": image.quantize(64), "L": grey, "LA": grey.convert("LA")}
    for name, profile in {"": None, "-adobe": icc(), "-grey": icc(1.8, None), "-tables": icc_of_tables()}.items():
        for mode, saved in images.items():
            saved.save(folder / f"{mode}{name}.png", icc_profile=profile)
        image.save(folder / f"jpeg{name}.jpg", icc_profile=profile)
        tifffile.imwrite(folder / f"grey16{name}.tif", GREY16, photometric="minisblack", iccprofile=profile)
    image.convert("CMYK").save(folder / "cmyk.tif")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        for kind, options in (("png", {}), ("tif", {}), ("tiff", {"compression": "tiff_lzw"})):
            image.copy().save(folder / f"turned{orientation}.{kind}", exif=exif, **options)
    return sorted(folder.iterdir())


def test_the_whole_and_the_centre_are_the_same_pixels(tmp_path):
    """`prepare` and `colorize` see one photograph: the same way up, in the same colours, to the bit at its own size."""
    for path in files_of_every_kind(tmp_path):
        picture = read_picture(path)
        centre, whole = read_centre(path, picture.size)
        assert whole == picture.size, path
        rounding = int(picture.pixels.dtype == np.uint16 and picture.profile is not None)
        np.testing.assert_allclose(centre.astype(int), picture.rgb8(), rtol=0, atol=rounding, err_msg=path.name)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_centre_has_the_shape_that_is_asked_for(orientation):
    image = Image.fromarray(COLOR8).resize((310, 230), Image.Resampling.BICUBIC)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    image.save(file, "PNG", exif=image.getexif())
    expected = ImageOps.fit(ImageOps.exif_transpose(image), (60, 20), Image.Resampling.LANCZOS)
    centre, whole = read_centre(io.BytesIO(file.getvalue()), (20, 60))
    assert centre.shape == (20, 60, 3) and whole == ((310, 230) if orientation > 4 else (230, 310))
    assert np.abs(centre.astype(int) - np.asarray(expected)).max() <= 2


def test_16_bits_and_profiles_become_sRGB_of_8_bits():
    np.testing.assert_array_equal(Picture(COLOR8).rgb8(), COLOR8)
    np.testing.assert_array_equal(Picture(COLOR8[..., 0]).rgb8(), COLOR8[..., :1].repeat(3, 2))
    np.testing.assert_array_equal(Picture(COLOR16).rgb8(), (COLOR16 / 257).round())
    picture = Picture(COLOR8, profile=read_profile(icc()))
    lab = rgb_to_lab(torch.from_numpy(picture.rgb8() / 255.0).permute(2, 0, 1)[None])
    assert (lab - picture.lab()).abs().median() < 0.5  # but for colours beyond sRGB


def test_every_format_is_found_by_name_and_read_by_content(tmp_path):
    assert is_picture("a/b.JPG") and is_picture("c.jpg ") and is_picture(Path("b.tga")) and len(SUFFIXES) == 22
    assert not any(
        is_picture(name) for name in ("a.eps", "a.pdf", "a", "jpg", ".a.jpg", "__MACOSX/a.jpg", ".git/a.png")
    )
    for kind in set(FORMATS) - {"HEIC"}:  # which nothing here writes
        path = tmp_path / "photo.jpg"
        Image.fromarray(COLOR8).save(path, kind)
        assert read_picture(path).size == (23, 31) and read_centre(path, (16, 16))[1] == (23, 31)


@pytest.mark.parametrize("kind", ["PCX", "ICO", "SGI", "EPS"])
def test_no_other_format_is_read(tmp_path, kind):
    Image.fromarray(COLOR8).save(tmp_path / "photo.jpg", kind)
    for read in (read_picture, lambda path: read_centre(path, (16, 16))):
        with pytest.raises(ValueError, match="not a picture"):
            read(tmp_path / "photo.jpg")


def test_judged_pictures_are_read_like_photographs(tiny_scenes, tmp_path):
    """Somebody's pictures, in Adobe RGB and lying on their side, are judged by the colours that they show."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    batch = tiny_scenes.batch(tiny_scenes.indices("test"))
    rgb = read_profile(icc()).from_srgb(lab_to_rgb(torch.cat([batch.L, batch.ab], 1)))
    for identity, values in zip(batch.ids, rgb.permute(0, 2, 3, 1).numpy(), strict=True):
        stored = Image.fromarray(np.rot90((values * 255).round().astype(np.uint8)).copy())
        stored.save(tmp_path / f"{identity}.png", icc_profile=icc(), exif=exif)
    assert (read_pictures(tmp_path, tiny_scenes)(batch) - batch.ab).abs().mean() < 1
    (tmp_path / f"{batch.ids[0]}.png").write_bytes(b"%PDF-1.7")
    with pytest.raises(ValueError, match=r"png cannot be read: a PDF, whatever its name says\.$"):
        read_pictures(tmp_path, tiny_scenes)(batch)


def test_pictures_are_opened_in_one_room():
    library = Path(reading.__file__).parents[1]
    made = {"oldfilm.py", "rendering.py"}  # they read back a picture that was just made: a JPEG, a notebook's figure
    others = [path for path in library.rglob("*.py") if path.parent.name != "pictures" and path.name not in made]
    assert len(others) > 50
    for path in others:
        words = [word for word in ("Image.open(", "exif_transpose", "ImageCms") if word in path.read_text("utf-8")]
        assert not words, f"{path} decodes pictures by itself: {words}"


def test_what_a_caller_may_have_becomes_a_picture(tmp_path):
    Image.fromarray(COLOR8).save(tmp_path / "a.png")
    for given in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(COLOR8), COLOR8, COLOR16):
        assert picture_of(given).size == (23, 31)
    with pytest.raises(TypeError, match="a path, a Pillow image or a numpy array, not list"):
        picture_of([1, 2])


# --------------------------------------------------------------------------------------------------- hostile and broken


def jpeg():
    file = io.BytesIO()
    Image.fromarray(COLOR8).resize((200, 100)).save(file, "JPEG")
    return file.getvalue()


def animation(kind):
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "green")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def claims_30_000():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.7 ...", "a PDF, whatever its name says"),
        (b"\0\0\0\x20ftypisom" + bytes(20), "a film, whatever its name says"),
        (b"\0\0\0\x1cftypheic" + bytes(20), "a HEIC photograph that cannot be read"),
        (b"just words, no picture", "not a picture"),
        (jpeg()[:-800], "truncated"),
        (jpeg()[:50], "cannot be coloured"),
        (animation("GIF"), "an animation of 3 frames"),
        (animation("WEBP"), "an animation of 3 frames"),
        (claims_30_000(), "megapixels allowed"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    ],
    ids=["empty", "pdf", "film", "heic", "text", "truncated", "header", "gif", "webp", "bomb", "eps"],
)
def test_bad_files_end_in_one_sentence(tmp_path, data, message):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        read_picture(path)
    assert str(caught.value).startswith(f"{path} cannot be coloured: ") and "\n" not in str(caught.value)
    if "animation" not in message:  # its first frame stands for it
        with pytest.raises(ValueError) as alone:
            read_centre(path, (16, 16))
        assert str(caught.value) == f"{path} cannot be coloured: {alone.value}."


def test_a_picture_that_begins_like_a_film_is_a_picture(tmp_path):
    """AVIF, whose first box other programs make 28 bytes long."""
    file = io.BytesIO()
    Image.fromarray(COLOR8).save(file, "AVIF")
    data = bytearray(file.getvalue())
    length = struct.unpack_from(">I", data)[0]
    start, shift = data.index(b"mdat") + 4, 28 - length
    where = data.index(struct.pack(">I", start), data.index(b"iloc"))
    data[where : where + 4] = struct.pack(">I", start + shift)
    (tmp_path / "a.avif").write_bytes(struct.pack(">I", 28) + data[4:28] + data[length:])
    assert read_picture(tmp_path / "a.avif").size == (23, 31)
    (tmp_path / "b.avif").write_bytes(data[:28].replace(data[:4], struct.pack(">I", 28), 1) + b"\0" * 99)
    with pytest.raises(ValueError, match="b.avif cannot be coloured"):
        read_picture(tmp_path / "b.avif")


def test_the_limit_can_be_lowered(tmp_path):
    Image.new("L", (100, 100)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="100×100 = 0 megapixels"):
        read_picture(tmp_path / "a.png", max_pixels=9999)
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "b.png")


def test_the_limit_can_be_raised_above_pillows(tmp_path, monkeypatch):
    Image.new("L", (100, 100)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    monkeypatch.setattr(reading, "MAX_PIXELS", 4000)
    with pytest.raises(ValueError, match="more than the 0 megapixels allowed"):
        read_picture(tmp_path / "a.png", 4000)
    assert read_picture(tmp_path / "a.png", 10_000).size == (100, 100)


def test_a_still_gif_and_a_bitmap_become_png(tmp_path):
    for kind in ("GIF", "BMP"):
        Image.fromarray(COLOR8).save(tmp_path / "a", kind)
        assert read_picture(tmp_path / "a").format == "PNG"


def test_floats_and_wide_integers_are_refused(tmp_path):
    Image.fromarray(np.full((9, 9), 0.5, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match="floating-point 32-bit pixels"):
        read_picture(tmp_path / "a.tif")
    Image.fromarray(np.full((9, 9), 70_000, np.int32)).save(tmp_path / "b.tif")
    with pytest.raises(ValueError, match="32-bit pixels"):
        read_picture(tmp_path / "b.tif")


def test_cmyk_and_several_pages_are_told(tmp_path):
    pages = [Image.new("CMYK", (20, 20), (0, 200, 200, 0)) for _ in range(2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    picture = read_picture(tmp_path / "a.tif")
    assert picture.pixels[0, 0, 0] > picture.pixels[0, 0, 1]
    assert any("2 pages" in note for note in picture.notes) and any("CMYK" in note for note in picture.notes)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"old")

    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "open", lambda *_: Full(), raising=False)
    with pytest.raises(OSError, match="No space left"):
        write_picture(path, [COLOR8], Picture(COLOR8, format="JPEG"))
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


# ------------------------------------------------------------------------------------- what a decoder would get wrong


def test_white_is_zero_is_turned_round_whatever_lies_beside_it(tmp_path):
    """For 4 bits, and for grey with transparency, programs disagree; the standard does not."""
    for dtype in (np.uint8, np.uint16):
        white = np.iinfo(dtype).max
        ramp = np.tile(np.linspace(0, white, 31).astype(dtype), (23, 1))
        tifffile.imwrite(tmp_path / "a.tif", white - ramp, photometric="miniswhite")
        np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").pixels, ramp)
        both = np.dstack([white - ramp, ramp])
        tifffile.imwrite(tmp_path / "b.tif", both, photometric="miniswhite", extrasamples=["unassalpha"])
        picture = read_picture(tmp_path / "b.tif")
        np.testing.assert_array_equal(picture.pixels, ramp)
        np.testing.assert_array_equal(picture.alpha, ramp)
    (tmp_path / "four.tif").write_bytes(tiff_of(16, 1, bytes(range(0, 256, 32)), bits=4, photometric=0))
    nibbles = np.array([value for byte in range(0, 256, 32) for value in (byte >> 4, byte & 15)])
    np.testing.assert_array_equal(read_picture(tmp_path / "four.tif").pixels[0], 255 - nibbles * 17)


def tiff_of(width, height, data, bits=8, photometric=1, compression=1, samples=1, more=()):
    """A TIFF of one strip, tag by tag; more: further entries (tag, type, count, value)."""
    at = 8 + len(data)
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, compression)]
    entries += [(262, 3, 1, photometric), (273, 4, 1, 8), (277, 3, 1, samples), (279, 4, 1, len(data)), *more]
    body = struct.pack("<H", len(entries))
    body += b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries)) + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", at) + data + body


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"compression": 50000}, "compression Zstandard"),  # libvips gives black where it was built without
        ({"photometric": 32803}, "a sensor's mosaic"),
        ({"more": [(339, 3, 1, 2)]}, "signed 8-bit pixels"),
        ({"more": [(254, 4, 1, 1)]}, "raw file"),
        ({"compression": 1, "bits": 12}, "12-bit pixels"),
        ({"bits": 4, "photometric": 3, "samples": 2}, "several channels of less than 8 bits"),
        ({"photometric": 5, "samples": 4, "more": [(332, 3, 1, 2)]}, "inks of another kind"),
        ({"photometric": 5, "samples": 5, "more": [(334, 3, 1, 5)]}, "inks of another kind"),
        ({"photometric": 5, "samples": 4, "more": [(336, 3, 2, 255)]}, "turned round"),
    ],
)
def test_what_is_not_read_is_named(tmp_path, change, message):
    (tmp_path / "a.tif").write_bytes(tiff_of(8, 8, bytes(range(64)) * 2))
    assert read_picture(tmp_path / "a.tif").pixels[1, 0] == 8
    (tmp_path / "a.tif").write_bytes(tiff_of(8, 8, bytes(range(64)) * 2, **change))
    with pytest.raises(ValueError, match=message):
        read_picture(tmp_path / "a.tif")


def test_a_fourth_channel_is_transparency_only_if_it_says_so(tmp_path):
    infrared = np.dstack([COLOR16, ALPHA16])
    tifffile.imwrite(tmp_path / "a.tif", infrared, photometric="rgb", extrasamples=["unspecified"])
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(picture.pixels, COLOR16)
    assert picture.alpha is None and "1 channel beside its colours" in picture.notes[0]


def test_many_pages_cost_nothing(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for _ in range(3):
            writer.write(COLOR8, photometric="rgb", metadata=None)
    assert read_picture(tmp_path / "a.tif").notes == ["The first of its 3 pages was coloured."]
    data = bytearray(tiff_of(8, 8, bytes(64)))
    data[-4:] = struct.pack("<I", 8 + 64)  # its only directory names itself as the next
    (tmp_path / "b.tif").write_bytes(data)
    assert "more than 1,000 pages" in read_picture(tmp_path / "b.tif").notes[0]


def png_with(*chunks, pixels=COLOR8[..., 0]):
    """A PNG with further chunks behind its header."""
    data = png_bytes(pixels)
    parts = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks)
    return data[:33] + b"".join(parts) + data[33:]


def test_the_gamma_of_a_png_is_applied(tmp_path):
    grey = np.tile(np.arange(256, dtype=np.uint8), (9, 1))
    (tmp_path / "a.png").write_bytes(png_with((b"gAMA", struct.pack(">I", 100_000)), pixels=grey))
    picture = read_picture(tmp_path / "a.png")
    y = np.arange(256) / 255
    np.testing.assert_allclose(
        picture.lightness()[0, 0, 0], np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27), atol=0.05
    )
    assert "sRGB" in picture.notes[0] and not picture.metadata.icc
    (tmp_path / "b.png").write_bytes(png_with((b"gAMA", struct.pack(">I", 45455))))
    assert read_picture(tmp_path / "b.png").profile is None
    (tmp_path / "c.png").write_bytes(png_with((b"cICP", bytes([9, 16, 0, 1]))))
    with pytest.raises(ValueError, match=r"HDR \(PQ\)"):
        read_picture(tmp_path / "c.png")


def test_a_png_of_video_or_of_an_odd_gamma_is_refused(tmp_path):
    whole = png_bytes(COLOR8)
    for values, message in ((b"\1\5\0\1", "gamma 2.8"), (b"\1\15\0\0", "from 16 to 235")):
        (tmp_path / "a.png").write_bytes(whole[:33] + containers.png_bytes([(b"cICP", values)]) + whole[33:])
        with pytest.raises(ValueError, match=message):
            read_picture(tmp_path / "a.png")


def test_what_a_jpeg_2000_says_is_heard(tmp_path):
    Image.fromarray(COLOR8[..., 0]).save(tmp_path / "a.jp2")
    whole = (tmp_path / "a.jp2").read_bytes()

    def box(name, body):
        return struct.pack(">I", 8 + len(body)) + name + body

    at, profile = whole.index(b"jp2h") - 4, icc(1.0, None)
    size = struct.unpack_from(">I", whole, at)[0]
    color = whole.index(b"colr") - 4
    end = color + struct.unpack_from(">I", whole, color)[0]
    header = box(b"jp2h", whole[at + 8 : color] + box(b"colr", b"\2\0\0" + profile) + whole[end : at + size])
    xmp = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x:xmpmeta/>"
    exif = Image.Exif()
    exif[315] = "A. Nonymous"
    more = box(b"uuid", xmp) + box(b"uuid", b"JpgTiffExif->JP2" + exif.tobytes()) + box(b"xml ", b"<a/>")
    (tmp_path / "a.jp2").write_bytes(whole[:at] + header + more + whole[at + size :])
    picture = read_picture(tmp_path / "a.jp2")
    assert picture.profile and picture.profile.is_grey and picture.metadata.xmp == b"<x:xmpmeta/>"
    assert 315 in picture.metadata.tags and any("further box" in note for note in picture.notes)


def test_bits_that_are_not_read_are_said(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"P6\n# scan\n31 23 65535\n" + COLOR16.astype(">u2").tobytes())
    picture = read_picture(tmp_path / "a.ppm")
    assert picture.pixels.dtype == np.uint8 and picture.notes == ["Of its 16 bits a channel 8 were read."]
    cv2.imwrite(str(tmp_path / "a.jp2"), np.tile(COLOR16, (9, 9, 1)))
    assert read_picture(tmp_path / "a.jp2").notes == ["Of its 16 bits a channel 8 were read."]
    (tmp_path / "a.pgm").write_bytes(b"P5 31 23 65535\n" + GREY16.astype(">u2").tobytes())
    np.testing.assert_array_equal(read_picture(tmp_path / "a.pgm").pixels, GREY16)


def test_xmp_that_fills_its_segment_stays_whole_beside_the_mark(tmp_path):
    text = b"w" * 65_000
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:a="a/" a:b="%b"/></rdf:RDF></x:xmpmeta>' % text
    )
    picture = Picture(COLOR8, format="JPEG", metadata=Metadata(xmp=xmp))
    write_picture(tmp_path / "a.jpg", [COLOR8], picture, Mark("vivid", "0.2.0"))
    metadata = read_picture(tmp_path / "a.jpg").metadata
    assert SOURCE_TYPE.encode() in metadata.xmp and b"".join(part[75:] for part in metadata.extended) == xmp
    assert metadata.extended[0][35:67] in metadata.xmp


def test_a_profile_that_declares_more_than_it_has_costs_no_memory():
    data = bytearray(icc())
    data[data.index(b"curv") + 8 : data.index(b"curv") + 12] = struct.pack(">I", 1 << 31)
    assert read_profile(bytes(data)) is None


HEIC = (  # a ramp of 48 × 64, as ImageMagick writes it
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRt"
    "AAAAAAACAAAAEGlkYXQAAAAAADAAQAAAADhpbG9jAQAAAERAAAIAAQAAAAAAAAHOAAEAAAAAAAAAOQACAAEAAAAAAAAAAQAAAAAAAAAIAAAA"
    "OGlpbmYAAAAAAAIAAAAVaW5mZQIAAAEAAQAAaHZjMQAAAAAVaW5mZQIAAAAAAgAAZ3JpZAAAAADVaXBycAAAALNpcGNvAAAAc2h2Y0MBA3AA"
    "AAAAAAAAAAAe8AD8/fj4AAAPAyAAAQAYQAEMAf//A3AAAAMAkAAAAwAAAwAeugJAIQABACdCAQEDcAAAAwCQAAADAAADAB6gIIEFlurkprmw"
    "IAAAAwAgAAADACEiAAEABkQBwXPAiQAAABRpc3BlAAAAAAAAAEAAAABAAAAAFGlzcGUAAAAAAAAAMAAAAEAAAAAQcGl4aQAAAAADCAgIAAAA"
    "GmlwbWEAAAAAAAAAAgABAoECAAICA4QAAAAaaXJlZgAAAAAAAAAOZGltZwACAAEAAQAAAEFtZGF0AAAANSgBrxOA9fJ7bMVhZ5+NgWn5+Dh+"
    "+A+teCgw5byvve806EJOx8clrZJ0etK5J8Or+wSxw+/4"
)


def test_a_heic_photograph_is_read_and_becomes_png(tmp_path):
    (tmp_path / "a.heic").write_bytes(base64.b64decode(HEIC))
    picture = read_picture(tmp_path / "a.heic")
    assert picture.size == (64, 48) and picture.format == "PNG"
    assert np.abs(picture.rgb8()[:, 8].astype(int) - picture.rgb8()[:, 8].mean()).max() < 6  # a ramp across
    assert abs(int(picture.rgb8()[0, 0, 0]) - int(picture.rgb8()[0, -1, 0])) > 240


def test_no_other_decoder_is_asked_and_none_needs_torch():
    code = (
        "import sys, pyvips, colorlib.pictures.reading\n"
        "assert 'torch' not in sys.modules\n"
        'try: pyvips.Image.new_from_buffer(b\'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>\', \'\')\n'
        "except pyvips.Error: print('refused')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "refused\n"


# ---------------------------------------------------------------------------------------- what is kept, and the mark


def test_exif_is_kept_tag_by_tag(tmp_path):
    """A maker's note where it stood, a tag of a wrong type, one of no type, and what goes on in a second segment."""
    comment = b"ASCII\0\0\0" + b"x" * 70_000
    exif = {
        tags.MAKER_NOTE: Tag(7, 30, b"a note that knows its own place"[:30]),
        0x9286: Tag(7, len(comment), comment),
        0xA002: tags.integer("<", 31, tags.LONG),
        0xA003: tags.integer("<", 23, tags.LONG),
    }
    directory = {
        271: Tag(2, 8, b"samsung\0"),
        274: tags.integer("<", 6),
        282: Tag(2, 3, b"72\0"),
        315: Tag(2, 6, b"A. N.\0"),
        65000: Tag(99, 1, b"\1\2\3\4"),
        tags.EXIF: Tag(4, 1, exif),
    }
    block = tags.block(directory, "<")
    where = block.index(b"a note that")
    metadata = Metadata(tags=directory)
    write_picture(tmp_path / "a.jpg", [COLOR8], Picture(COLOR8, format="JPEG", metadata=metadata))
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.size == (31, 23)
    path = rewritten(tmp_path, picture, COLOR8.transpose(1, 0, 2))
    again = read_picture(path).metadata
    inner = again.tags.pop(tags.EXIF).value
    assert tags.number(again.tags, "<", 274) == 1
    assert {tag: again.tags[tag].value[:4] for tag in (271, 315, 65000)} == {
        271: b"sams",
        315: b"A. N",
        65000: b"\1\2\3\4",
    }
    assert inner[0x9286].value == comment and inner[tags.MAKER_NOTE].value.startswith(b"a note")
    assert (tags.number(inner, "<", 0xA002), tags.number(inner, "<", 0xA003)) == (23, 31)
    assert tags.block(directory, "<").index(b"a note that") == where


def test_what_a_tiff_carries_goes_into_a_tiff(tmp_path):
    directories = {tags.EXIF: {0x9003: "1912:05:01 12:00:00"}, tags.GPS: {1: "N", 2: (53.0, 33.0, 0.0)}}
    exif = Image.Exif()
    exif[315], exif[33723] = "A. Nonymous", b"\x1c\x02\x78\x00\x04Deck"
    for tag, values in directories.items():
        exif[tag] = 0
        exif._ifds[tag] = values
    for dtype in (np.uint8, np.uint16):
        grey = np.tile(np.arange(31, dtype=dtype), (23, 1))
        Image.fromarray(grey).save(tmp_path / "a.tif", exif=exif, dpi=(300, 200))
        path = rewritten(tmp_path, read_picture(tmp_path / "a.tif"), COLOR8.astype(dtype))
        with Image.open(path) as image:
            found = image.getexif()
            assert found[315] == "A. Nonymous" and found[33723] == exif[33723] and image.info["dpi"] == (300, 200)
            assert {tag: dict(found.get_ifd(tag)) for tag in directories} == directories


@pytest.mark.parametrize("name", ["exif", "EXIF profile"])  # ImageMagick's way, ExifTool's
def test_orientation_in_a_hidden_exif_is_applied_and_gone(tmp_path, name):
    exif = Image.Exif()
    exif[274], exif[315] = 6, "A. Nonymous"
    raw = exif.tobytes()
    text = b"Raw profile type exif\0\0" + zlib.compress(f"\n{name}\n{len(raw):8}\n{raw.hex()}\n".encode())
    (tmp_path / "a.png").write_bytes(png_with((b"zTXt", text)))
    picture = read_picture(tmp_path / "a.png")
    assert picture.size == (31, 23)
    with Image.open(rewritten(tmp_path, picture, COLOR8.transpose(1, 0, 2))) as image:
        assert not [key for key in image.info if "profile type" in key]
        assert image.getexif()[274] == 1 and image.getexif()[315] == "A. Nonymous"


def test_a_gain_map_is_said_and_no_longer_claimed(tmp_path):
    xmp = (
        b'<rdf:RDF><rdf:Description rdf:about="" xmlns:hdrgm="http://h/" hdrgm:Version="1.0" dc:title="Sea"/></rdf:RDF>'
    )
    image = Image.fromarray(COLOR8)
    image.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[image.resize((8, 8))], xmp=xmp)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.notes == ["Its gain map, for bright screens, was left out."]
    assert b"hdrgm" not in picture.metadata.xmp and b'dc:title="Sea"' in picture.metadata.xmp


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_mark_is_written_beside_what_was_there_and_read_again(tmp_path, kind):
    software = b"SilverFast 8\0"
    metadata = Metadata(tags={305: Tag(2, len(software), software)})
    picture = Picture(COLOR8, format=kind, metadata=metadata)
    assert read_mark(tmp_path / "none") is None
    for model in ("vivid", "faithful"):  # coloured anew: one mark, not two
        mark = Mark(model, "0.2.0", "0123456789ab")
        write_picture(tmp_path / "a", [COLOR8], picture, mark)
        assert read_mark(tmp_path / "a") == mark
        picture = read_picture(tmp_path / "a")
        with Image.open(tmp_path / "a") as image:
            assert image.getexif()[305] == f"SilverFast 8; {mark.software}"
        assert picture.metadata.xmp.count(SOURCE_TYPE.encode()) == 1
    write_picture(tmp_path / "a", [COLOR8], Picture(COLOR8, format=kind))
    assert read_mark(tmp_path / "a") is None


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 1, 4), (1, 3), (3, 1)])
def test_a_picture_may_be_one_pixel(kind, shape):
    if kind == "JPEG" and shape[2:] == (4,):
        return
    file = io.BytesIO()
    Image.fromarray(np.full(shape, 120, np.uint8)).save(file, kind)
    picture = read_picture(file)
    assert picture.size == shape[:2] and abs(int(picture.pixels.flat[0]) - 120) < 3


def test_a_tag_of_64_bits_costs_no_tiff(tmp_path):
    extra = [(65005, 16, 1, 2**33, True), (65000, 3, 1, 7, True)]
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 9), 99, np.uint8), photometric="minisblack", extratags=extra)
    picture = read_picture(tmp_path / "a.tif")
    assert (picture.pixels == 99).all() and {65000, 65005} <= set(picture.metadata.tags)


def test_what_a_program_says_of_the_shape_of_pixels_is_left_out(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 9), 99, np.uint8), photometric="minisblack")
    picture = read_picture(tmp_path / "a.tif")
    assert 270 not in picture.metadata.tags and any("shape of its pixels" in note for note in picture.notes)
    tifffile.imwrite(tmp_path / "b.tif", np.full((8, 9), 99, np.uint8), description="Aunt", metadata=None)
    assert read_picture(tmp_path / "b.tif").metadata.tags[270].value.startswith(b"Aunt")
