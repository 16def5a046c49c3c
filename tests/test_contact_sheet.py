"""The contact sheet: every photograph, every model, at full size, and scores that are those of the pictures shown."""

import numpy as np
import pytest
import torch
from PIL import Image

from colorlib.color.lab import rgb_to_lab
from colorlib.data.bundled import bundled_photographs
from colorlib.deployment import contact_sheet
from colorlib.deployment.contact_sheet import CAPTION, GAP, MARGIN, write_contact_sheet


class Painter:
    """A colorizer that knows one answer."""

    def __init__(self, color):
        self.color = color

    def colorize(self, grey):
        assert grey.dtype == np.uint8 and (grey == grey[..., :1]).all()  # no colour was let through
        return np.full_like(grey, self.color)


@pytest.fixture
def small(monkeypatch):
    photographs = bundled_photographs(64)
    monkeypatch.setattr(contact_sheet, "bundled_photographs", lambda max_side: photographs)
    return photographs


def test_bundled_photographs_with_their_truth_and_scores(small, tmp_path):
    index = write_contact_sheet({"red": Painter((255, 0, 0)), "green": Painter((0, 128, 0))}, tmp_path / "sheet")
    text = index.read_text(encoding="utf-8")
    assert len(list(tmp_path.glob("sheet/*"))) == len(small) + 1
    for photograph in small:
        H, W, _ = photograph.rgb.shape
        page = np.asarray(Image.open(tmp_path / "sheet" / f"{photograph.id}.jpg")).astype(int)
        assert page.shape == (2 * (MARGIN + CAPTION + H) + GAP, 2 * (MARGIN + W) + GAP, 3)
        top, below, right = MARGIN + CAPTION, MARGIN + 2 * CAPTION + H + GAP, MARGIN + W + GAP
        assert np.abs(page[top : top + H, right : right + W] - photograph.rgb).mean() < 12
        assert np.abs(page[below : below + H, right : right + W] - [0, 128, 0]).mean() < 4
        lab = rgb_to_lab(torch.from_numpy(photograph.rgb / np.float32(255)).permute(2, 0, 1)[None])
        scores = [float(x) for x in text.split(f"| {photograph.id} | ")[1].split(" |\n")[0].split(" | ")]
        assert scores[0] == pytest.approx(float(lab[:, 1:].norm(dim=1).mean()), abs=0.3)
        red = torch.tensor([80.09, 67.2]).view(1, 2, 1, 1)  # a and b of sRGB's red
        assert scores[1] == pytest.approx(float((lab[:, 1:] - red).norm(dim=1).mean()), abs=0.1)
        assert photograph.credit in text and f'src="{photograph.id}.jpg"' in text


def test_photographs_of_a_folder(tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "notes.txt").write_text("no photograph")
    with pytest.raises(FileNotFoundError, match="holds no photographs"):
        write_contact_sheet({"red": Painter((255, 0, 0))}, tmp_path / "sheet", folder)
    Image.new("L", (50, 30), 90).save(folder / "a b.png")
    text = write_contact_sheet({"red": Painter((255, 0, 0))}, tmp_path / "sheet", folder).read_text(encoding="utf-8")
    assert 'src="a%20b.jpg"' in text and "ΔE" not in text
    assert Image.open(tmp_path / "sheet" / "a b.jpg").size == (2 * (MARGIN + 50) + GAP, 2 * MARGIN + CAPTION + 30)
