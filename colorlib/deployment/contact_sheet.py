"""A contact sheet: every photograph at full size, in grey, in its true colours, and as each model colours it.

The numbers cannot see what a person sees at once; this is what a person looks at before a model ships.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

from colorlib.bars import progress_bar
from colorlib.color.lab import lab_to_rgb
from colorlib.data.bundled import bundled_photographs
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.files import atomic_path
from colorlib.pictures.formats import is_picture
from colorlib.pictures.picture import Picture
from colorlib.pictures.reading import read_picture

CAPTION, GAP, MARGIN = 34, 12, 16  # pixels; captions of wide pages are larger, to be read in the index too
QUALITY = 88  # of JPEG
THUMBNAIL = 900  # pixels, the width at which the index shows a page


def write_contact_sheet(
    colorizers: Mapping[str, PhotoColorizer], folder: Path | str, photographs: Path | str | None = None
) -> Path:
    """Write one page (JPEG) for each photograph, and ``README.md``, which shows them all with their scores.

    Args:
        colorizers: what to call a model -> the model.
        folder: where to; pages of the same names are replaced.
        photographs: a folder of black-and-white photographs whose truth nobody knows; None takes the coloured ones that
            ship with scikit-image.

    Returns:
        The path of the index.

    Raises:
        FileNotFoundError: the folder holds no photographs.
        ValueError: one of them cannot be read; the message names it.
    """
    folder, models = Path(folder), list(colorizers)
    source = f"the folder {Path(photographs).name}" if photographs else "scikit-image"
    lines = ["# Contact sheet", "", f"The photographs of {source} at full size, as each model that ships colours them."]
    if not photographs:
        lines += ["ΔE76 is the mean distance to the true colours; *grey* is the photograph left as it is.", ""]
        lines += [f"| ΔE76 | grey | {' | '.join(models)} |", f"| --- | {'---: | ' * (1 + len(models))}".rstrip()]
    pages = [""]
    for name, title, picture in progress_bar(list(photographs_of(photographs)), desc="contact sheet", unit="photo"):
        grey = _grey(picture.lightness())
        panels = {"grey": grey} if photographs else {"grey": grey, "truth": picture.pixels}
        panels |= {model: np.asarray(colorizer.colorize(grey)) for model, colorizer in colorizers.items()}
        with atomic_path(folder / f"{name}.jpg") as temporary:
            _page(panels).save(temporary, "JPEG", quality=QUALITY, optimize=True)
        if not photographs:
            scores = (f"{_distance(panels[model], picture):.1f}" for model in ("grey", *models))
            lines.append(f"| {name} | {' | '.join(scores)} |")
        link = quote(f"{name}.jpg")
        pages += [f"## {title}", "", f'<a href="{link}"><img src="{link}" width="{THUMBNAIL}"></a>', ""]
    with atomic_path(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines + pages), encoding="utf-8")
    return folder / "README.md"


def photographs_of(folder: Path | str | None) -> Iterator[tuple[str, str, Picture]]:
    """Yield name, title and photograph of all in a folder, or without one of those that ship with scikit-image.

    Raises:
        FileNotFoundError: the folder holds no photographs.
        ValueError: one of them cannot be read; the message names it.
    """
    if folder is None:
        for photograph in bundled_photographs(max_side=10_000):
            yield photograph.id, photograph.credit, Picture(photograph.rgb)
        return
    paths = [path for path in sorted(Path(folder).iterdir()) if is_picture(path.name)]
    if not paths:
        raise FileNotFoundError(f"{folder} holds no photographs.")
    for path in paths:
        yield path.stem, path.name, read_picture(path)


def _grey(L: torch.Tensor) -> np.ndarray:
    """Turn L (1, 1, H, W) into pixels (H, W, 3) uint8 without any colour."""
    green = lab_to_rgb(F.pad(L, (0, 0, 0, 0, 0, 2)))[0, 1].numpy()  # the others are the same but for rounding
    return (green * 255 + 0.5).astype(np.uint8)[..., None].repeat(3, 2)


def _distance(pixels: np.ndarray, picture: Picture) -> float:
    """Return the mean ΔE76 in ab of (H, W, 3) from the photograph's own colours."""
    return float((Picture(pixels).lab() - picture.lab())[:, 1:].norm(dim=1).mean())


def _page(panels: Mapping[str, np.ndarray]) -> Image.Image:
    """Lay panels of one size side by side, three in a row at most, each below its name."""
    columns = 2 if len(panels) in (2, 4) else min(3, len(panels))
    H, W = next(iter(panels.values())).shape[:2]
    rows = -(-len(panels) // columns)
    caption = max(CAPTION, columns * W // 40)
    size = (2 * MARGIN + columns * W + (columns - 1) * GAP, 2 * MARGIN + rows * (caption + H) + (rows - 1) * GAP)
    page, font = Image.new("RGB", size, "white"), ImageFont.load_default(0.6 * caption)
    draw = ImageDraw.Draw(page)
    for number, (name, pixels) in enumerate(panels.items()):
        row, column = divmod(number, columns)
        left, top = MARGIN + column * (W + GAP), MARGIN + row * (caption + H + GAP)
        draw.text((left, top), name, "#22262b", font)
        page.paste(Image.fromarray(pixels), (left, top + caption))
    return page
