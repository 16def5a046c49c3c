"""The notebooks as a course: expectations, exercises, and pages that are small, linked and silent."""

import io
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from PIL import Image

from colorlib.course import check, expected, rendering
from colorlib.course.remark import Remark


def said(capsys):
    return capsys.readouterr().out.strip()


def test_an_expectation_says_either_outcome(capsys):
    expected("red is warm", torch.tensor(True), "20 against 3")
    assert said(capsys) == "Held: red is warm (20 against 3)."
    expected("red is warm", np.bool_(False), "2 against 3")
    assert said(capsys) == "Did not hold: red is warm (2 against 3)."


@pytest.mark.parametrize(
    "answer, right, verdict",
    [
        (None, 4, "Not answered yet"),
        (0, 0.0, "Right"),
        (4.1, 4, "Right"),
        (4.3, 4, "Not right yet"),
        ("Grey ", "grey", "Right"),
        (False, True, "Not right yet"),
        (True, (0.7 > 0.6).__eq__, "Right"),
        ("four", 4, "Not right yet: the answer ends in ValueError"),
        ((3, 4), lambda ab: torch.tensor(ab).float().norm() == 5, "Right"),
    ],
)
def test_an_answer_is_checked(answer, right, verdict, capsys):
    check(answer, right, within=0.2)
    assert said(capsys).startswith(verdict)


def test_a_verdict_stands_out_in_a_notebook():
    assert Remark("Held", "1 (2).")._repr_markdown_() == "**Held**: 1 (2)."
    assert Remark("Not answered yet")._repr_markdown_() == "**Not answered yet**."


CELLS = """
import sys

import numpy as np
import pandas as pd
from tqdm import tqdm
from IPython.display import Image, display
from PIL import Image as Pictures
for number in tqdm(range(3)):
    print("line", number, flush=True)
    print("noise", file=sys.stderr, flush=True)
pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)  # cannot be compressed
display(Pictures.fromarray(pixels))
pd.DataFrame({"colour": ["brown"]}).style.set_properties(color="brown")
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    cells = [nbformat.v4.new_markdown_cell("# 91 · Small\n\nAfter `12_other`.\n\nSee `91_small`.")]
    cells += [
        nbformat.v4.new_code_cell("SIDE = 8", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(CELLS),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "91_small.ipynb")
    order = [folder / "12_other.ipynb", folder / "91_small.ipynb"]
    return rendering.render(order[1], folder / "rendered", {"SIDE": 500, "IMAGES_SEEN": 3}, order)


@pytest.mark.slow
def test_a_page_is_small_linked_and_silent(page):
    text = page.read_text(encoding="utf-8")
    (picture,) = page.with_suffix("").iterdir()
    assert Image.open(picture).size == (500, 500)
    assert len(text.encode()) + picture.stat().st_size <= rendering.MOST
    assert f"](91_small/{picture.name})" in text and "brown" in text
    assert text.startswith("# 91 · Small\n\n*Made from [91_small.ipynb](../91_small.ipynb), SIDE = 500.*\n")
    assert "[`12_other`](../12_other.ipynb)" in text and "[all notebooks](../README.md)" in text
    assert "    line 0\n    line 1\n    line 2\n" in text
    assert not re.search(r"noise\n|it/s|<style| id=|SIDE = 8\nSIDE", text)


def test_a_page_that_cannot_be_small_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "MOST", 100)
    with io.BytesIO() as file:
        Image.new("RGB", (64, 64)).save(file, "png")
        with pytest.raises(ValueError, match="the page of 12_unet is above 0 kB"):
            rendering._write(tmp_path, "12_unet", "words " * 30, {"1.webp": file.getvalue()})


NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def test_the_teachers_page_leads_to_every_notebook_and_page():
    text = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    there = [path.name for path in NOTEBOOKS.glob("*.ipynb")]
    there += [f"rendered/{path.name}" for path in (NOTEBOOKS / "rendered").glob("*.md")]
    assert [name for name in there if f"]({name})" not in text] == []


@pytest.mark.parametrize("page", sorted((NOTEBOOKS / "rendered").glob("*.md")), ids=lambda page: page.stem)
def test_a_committed_page_is_small_and_whole(page):
    text = page.read_text(encoding="utf-8")
    pictures = sorted(page.with_suffix("").iterdir())
    assert page.stat().st_size + sum(picture.stat().st_size for picture in pictures) <= rendering.MOST
    assert {picture.name for picture in pictures} == set(re.findall(rf"\]\({page.stem}/([^)]+)\)", text))
    assert not re.search(r"Traceback|/tmp/|/home/|Error:", text)
