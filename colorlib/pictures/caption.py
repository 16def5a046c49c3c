"""A line of words in the lower right corner of a picture, small, and legible on light and on dark."""

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 0.02  # of the picture's, from the top of the letters to their foot
SMALLEST = 12  # pixels, likewise


def caption(strips: Iterable[np.ndarray], size: tuple[int, int], words: str) -> Iterator[np.ndarray]:
    """Write words into a picture while it goes by: white letters with a dark rim.

    Args:
        strips: (h, W, 3), uint8 or uint16, from top to bottom.
        size: (H, W) of the picture.

    Returns:
        The strips, the same ones where the words are not.

    Raises:
        ValueError: the words do not fit into the picture at their smallest.

    Example:
        >>> (marked,) = caption([np.zeros((100, 400, 3), np.uint8)], (100, 400), "coloured by a machine")
        >>> marked.max(), marked[:70].max()
        (np.uint8(255), np.uint8(0))
    """
    return _blend(strips, size, *_draw(words, size))


def _blend(
    strips: Iterable[np.ndarray], size: tuple[int, int], letters: np.ndarray, ink: np.ndarray
) -> Iterator[np.ndarray]:
    h, w = ink.shape
    first, left, top = size[0] - h, size[1] - w, 0
    for strip in strips:
        begin, end = max(first - top, 0), len(strip)
        if begin < end:
            strip = strip.copy()
            place, rows = strip[begin:, left:], slice(top + begin - first, top + end - first)
            cover, light = ink[rows, :, None], letters[rows, :, None] * float(np.iinfo(strip.dtype).max)
            place[:] = np.rint(place * (1 - cover) + light * cover)
        top += len(strip)
        yield strip


def _draw(words: str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return how light and how dense the words are, both (h, w) in [0, 1], with the space around them."""
    H, W = size
    for height in range(max(SMALLEST, round(HEIGHT * H)), SMALLEST - 1, -1):
        font = ImageFont.load_default(height / 0.72)  # its capitals are 0.72 of the size
        rim = max(1, height // 8)
        x, y, right, foot = font.getbbox(words, stroke_width=rim)
        h, w = round(foot - y) + height // 2, round(right - x) + height // 2
        if w <= W and h <= H:
            break
    else:
        raise ValueError(f"{W}×{H} pixels are too few for the words {words!r}")
    light, ink = (Image.new("L", (w, h)) for _ in range(2))
    ImageDraw.Draw(light).text((-x, -y), words, 255, font)
    ImageDraw.Draw(ink).text((-x, -y), words, 255, font, stroke_width=rim, stroke_fill=255)
    return np.asarray(light) / 255, np.asarray(ink) / 255
