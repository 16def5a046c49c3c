"""Photographs with flipped bits, cuts and odd numbers, read and written again: each is done or refused in one sentence.

    python tests/mutants.py [NUMBER] [SEED]

``NUMBER`` mutants (2,000) of a photograph in every format, with and without a profile, EXIF and XMP. A traceback, a
result that cannot be read again, or more than 20 seconds for one are a fault, and an exit status of 1.
"""

import io
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from colorlib.pictures.mark import Mark, read_mark
from colorlib.pictures.reading import read_centre, read_picture
from colorlib.pictures.writing import write_picture

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def photographs() -> dict[str, bytes]:
    """Return files of every format, by a name for each."""
    x, y = np.meshgrid(np.linspace(0, 255, 48), np.linspace(0, 255, 40))
    image = Image.fromarray(np.stack([x, y, 255 - x], 2).astype(np.uint8))
    exif = Image.Exif()
    exif[274], exif[315] = 6, "A. Nonymous"
    exif.get_ifd(0x8769)[0x927C] = b"note" * 9
    text = PngInfo()
    text.add_text("Title", "A ramp", zip=True)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    saved = {
        "JPEG": {"exif": exif, "icc_profile": icc, "xmp": XMP, "comment": b"hello"},
        "PNG": {"exif": exif, "icc_profile": icc, "pnginfo": text},
        "WEBP": {"exif": exif.tobytes(), "icc_profile": icc, "xmp": XMP},
        "TIFF": {"icc_profile": icc, "dpi": (300, 300)},
        "GIF": {},
        "BMP": {},
        "PPM": {},
        "JPEG2000": {},
        "AVIF": {"exif": exif.tobytes()},
        "TGA": {},
    }
    files = {}
    for kind, options in saved.items():
        file = io.BytesIO()
        image.save(file, kind, **options)
        files[kind] = file.getvalue()
    for name, mode, options in (
        ("JPEG CMYK", "CMYK", {}),
        ("PNG palette", "P", {"transparency": 3}),
        ("TIFF LZW", "L", {"compression": "tiff_lzw"}),
    ):
        file = io.BytesIO()
        image.convert(mode).save(file, name.split()[0], **options)
        files[name] = file.getvalue()
    for name, options in (("TIFF 16", {}), ("TIFF 16 tiles", {"tile": (16, 16), "compression": "zlib"})):
        file = io.BytesIO()
        tifffile.imwrite(file, (np.dstack([x, y, x]) * 257).astype(np.uint16), photometric="rgb", **options)
        files[name] = file.getvalue()
    return files


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the file with a few bits flipped, a number replaced, a piece cut out or doubled, or its end missing."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        if len(changed) < 16:
            break
        early = rng.random() < 0.6  # headers and directories are short, and more depends on them
        at = int(rng.integers(0, min(len(changed), 400) if early else len(changed)))
        how = rng.integers(0, 5)
        if how == 0:
            changed[at] ^= 1 << int(rng.integers(0, 8))
        elif how == 1:
            odd = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 30_000)[rng.integers(0, 7)]
            form = ("<I", ">I")[rng.integers(0, 2)] if odd > 0xFFFF else ("<H", ">H")[rng.integers(0, 2)]
            if at + 4 <= len(changed):
                struct.pack_into(form, changed, at, odd)
        elif how == 2:
            del changed[at : at + int(rng.integers(1, 64))]
        elif how == 3:
            changed[at:at] = changed[at : at + int(rng.integers(1, 64))]
        else:
            del changed[max(at, len(changed) // 4) :]
    return bytes(changed)


def main(number: int, seed: int) -> int:
    rng, files, mark = np.random.default_rng(seed), photographs(), Mark("any", "0")
    counts: Counter = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        source, result = Path(name) / "source", Path(name) / "result"
        for index in range(number):
            kind = list(files)[index % len(files)]
            source.write_bytes(mutant(files[kind], rng))
            start = time.monotonic()
            try:
                read_mark(source)
                try:
                    picture = read_picture(source)
                    H, W = picture.size
                    strip = np.zeros((H, W, 3), picture.pixels.dtype)
                    write_picture(result, [strip], picture, mark)
                    assert read_mark(result) == mark and read_picture(result).size == picture.size
                    counts["read and written"] += 1
                except ValueError as error:
                    assert "\n" not in str(error), error
                    counts["refused"] += 1
                try:
                    read_centre(source, (16, 16))
                except ValueError:
                    pass
            except Exception:
                counts["FAULT"] += 1
                kept = Path(tempfile.gettempdir()) / f"mutant-{seed}-{index}"
                kept.write_bytes(source.read_bytes())
                print(f"{kind}: {kept}\n{traceback.format_exc()}")
            took = time.monotonic() - start
            slowest = max(slowest, took)
            counts["SLOW"] += took > 20
    print(f"{', '.join(f'{count} {what}' for what, count in sorted(counts.items()))}; the slowest took {slowest:.1f} s")
    return 1 if counts["FAULT"] or counts["SLOW"] else 0


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(numbers + [2000, 0][len(numbers) :])))
