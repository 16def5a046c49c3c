"""Every layout of TIFF that ImageMagick writes, read here and compared with the picture that it was written from.

    python tests/tiff_matrix.py FOLDER

Bits × photometric × planes × transparency × compression × byte order. Each file is read right, refused in a sentence
that names what is odd, or wrong; one wrong file is an exit status of 1. It needs ``convert`` (Debian: ``apt-get install
imagemagick``) and takes some minutes. A layout counts by what the file says, not by what was asked for.
"""

import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from colorlib.pictures.reading import read_picture

H, W = 24, 32
KINDS = {
    "grey": ["-colorspace", "Gray", "-define", "quantum:polarity=min-is-black"],
    "white-is-zero": ["-colorspace", "Gray", "-define", "quantum:polarity=min-is-white"],
    "bilevel": ["-monochrome"],
    "rgb": ["-type", "TrueColor"],
    "palette": ["-type", "Palette"],
    "cmyk": ["-colorspace", "CMYK"],
    "lab": ["-colorspace", "Lab"],
    "ycbcr": ["-colorspace", "YCbCr"],
}
COMPRESSIONS = {"none": (8, 16), "lzw": (1, 2, 4, 8, 16), "zip": (8, 16), "rle": (8, 16), "jpeg": (8,), "lzma": (8, 16)}
COMPRESSIONS |= {"group4": (1,), "zstd": (8,), "webp": (8,)}


def source(folder: Path, alpha: bool) -> Path:
    """Write the picture: a ramp of grey, then colours that are not too strong for CMYK."""
    x, y = np.meshgrid(np.linspace(0, 1, W), np.linspace(0, 1, H))
    rgb = np.stack([0.2 + 0.6 * x, 0.3 + 0.4 * y, 0.7 - 0.4 * x], 2)
    rgb[: H // 3] = x[: H // 3, :, None]
    pixels = (rgb * 255).round().astype(np.uint8)
    if alpha:
        pixels = np.dstack([pixels, np.where(x < 0.5, 255, 128).astype(np.uint8)])
    path = folder / ("rgba.png" if alpha else "rgb.png")
    Image.fromarray(pixels).save(path)
    return path


def layouts():
    """Yield (name, options of convert, whether there is transparency)."""
    for kind, compression, order in itertools.product(KINDS, COMPRESSIONS, ("lsb", "msb")):
        for bits, planes, alpha in itertools.product(
            COMPRESSIONS[compression], ("contig", "plane"), (None, "unassociated", "associated", "unspecified")
        ):
            wide_only = (kind == "bilevel") != (bits == 1) or kind in ("palette", "ycbcr", "bilevel") and alpha
            if wide_only or planes == "plane" and (bits < 8 or compression in ("jpeg", "group4", "webp")):
                continue
            if alpha and (compression not in ("none", "lzw") or bits < 8) or order == "msb" and alpha == "associated":
                continue
            options = [*KINDS[kind], "-depth", str(bits), "-compress", compression, "-define", f"tiff:endian={order}"]
            options += ["-interlace", planes] if planes == "plane" else []
            options += ["-define", f"tiff:alpha={alpha}"] if alpha else []
            yield f"{kind}-{bits}-{compression}-{planes}-{alpha}-{order}", options, alpha is not None


def of_file(path: Path, negative: list[str] | None) -> tuple[float, float, str]:
    """Compare a file with what convert itself shows of it: the largest and mean difference in 8-bit levels.

    Args:
        negative: how to make what it shows where convert cannot be asked. It tags grey as WhiteIsZero without turning
            it round, so the file says the negative; and reads its own wrongly with 4 bits or a second channel.
    """
    shown = path.with_suffix(".png")
    subprocess.run(
        ["convert", *(negative or [f"{path}[0]"]), "-colorspace", "sRGB", "-depth", "16", f"PNG48:{shown}"],
        check=True,
        capture_output=True,
    )
    import cv2

    expected = cv2.imread(str(shown), cv2.IMREAD_UNCHANGED)[..., 2::-1].astype(float) / 257
    picture = read_picture(path)
    got = picture.pixels.astype(float) / (picture.white / 255)
    got = np.stack([got] * 3, 2) if got.ndim == 2 else got
    if got.shape != expected.shape:
        return 255, 255, f"{got.shape} for {expected.shape}"
    difference = np.abs(got - expected)
    return difference.max(), difference.mean(), " ".join(picture.notes)


def main(folder: Path) -> int:
    folder.mkdir(parents=True)
    pictures = {alpha: source(folder, alpha) for alpha in (False, True)}
    counts, kinds = Counter(), Counter()
    for name, options, alpha in layouts():
        path = folder / f"{name}.tif"
        done = subprocess.run(["convert", pictures[alpha], *options, path], capture_output=True, text=True)
        if done.returncode or not path.exists():
            counts["not written"] += 1
            continue
        page = tifffile.TiffFile(path).pages[0]
        layout = (
            f"{page.bitspersample}-bit {page.photometric.name} {page.compression.name} "
            f"{page.planarconfig.name} {[int(x) for x in page.extrasamples]} {page.parent.byteorder}"
        )
        turned = page.photometric.name == "MINISWHITE" and not name.startswith("bilevel")
        bits = str(page.bitspersample)
        negative = (
            [str(pictures[alpha]), "-alpha", "off", "-colorspace", "Gray", "-depth", bits, "-negate"]
            if turned
            else None
        )
        try:
            largest, mean, notes = of_file(path, negative)
        except ValueError as error:
            counts["refused"] += 1
            kinds[f"refused: {str(error).split(' cannot be coloured: ')[1]}"] += 1
            continue
        allowed = (21, 2) if "lab-8" in name else (2, 0.6)  # convert writes a and b of 8 bits up to 2 too low
        if "jpeg" in name or "webp" in name:
            allowed = (16, 4)
        right = largest <= allowed[0] and mean <= allowed[1]
        counts["read right" if right else "WRONG"] += 1
        kinds[f"right: {page.photometric.name}"] += right
        if not right:
            print(f"WRONG {name} ({layout}): by {largest:.1f}, in the mean {mean:.2f}. {notes}")
    for what, count in sorted(kinds.items()):
        print(f"{count:4} {what}")
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return 1 if counts["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
