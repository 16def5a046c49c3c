"""Notebooks as pages: executed, and written as Markdown with pictures small enough to be committed."""

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

from colorlib.files import atomic_path, temporary_folder
from colorlib.studies.notebook import execute, notebook_parameters

MOST = 300_000  # bytes of a page, its pictures included
QUALITIES = (90, 75, 50, 25)  # of WebP, tried in turn


def render(notebook: Path, folder: Path, parameters: dict[str, Any], others: Iterable[Path] = ()) -> Path:
    """Execute a notebook and write it as a page: ``folder/NAME.md``, its pictures in ``folder/NAME/``.

    Code is folded away, warnings are left out, and the names of other notebooks become links.

    Args:
        parameters: in place of the notebook's own, for example ``{"IMAGES_SEEN": 10_000}``; those that it does not
            have are passed over.
        others: notebooks in reading order; those that are a page, in ``folder``, are linked to as pages.

    Returns:
        The page.

    Raises:
        RuntimeError: a cell of the notebook failed.
        ValueError: the page is above 300 kB even with its pictures at the lowest quality.
    """
    given = {name: value for name, value in parameters.items() if name in notebook_parameters(notebook)}
    with temporary_folder() as temporary:
        executed = temporary / notebook.name
        if failure := execute(notebook, executed, given):
            raise RuntimeError(f"{notebook.stem} stopped in cell {failure['cell']}: {failure['error']}")
        text, pictures = _to_markdown(nbformat.read(executed, as_version=4), notebook.stem)
    settings = "".join(f", {name} = {value!r}" for name, value in given.items())
    source = f"*Made from [{notebook.name}](../{notebook.name}){settings or ', its defaults'}.*"
    text = text.replace("\n", f"\n\n{source}\n", 1)  # below the title
    text = _linked(f"{text}\n\n{_neighbours(notebook, list(others))}\n", notebook, folder, list(others))
    return _write(folder, notebook.stem, text, pictures)


def _to_markdown(notebook: nbformat.NotebookNode, name: str) -> tuple[str, dict[str, bytes]]:
    """Return the text, in which pictures are named, and each picture's bytes as they came."""
    from nbconvert import MarkdownExporter
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    notebook, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})  # lines that were printed with pauses between
    body, resources = MarkdownExporter().from_notebook_node(notebook, {"output_files_dir": name, "unique_key": "p"})
    body = re.sub(r"<style\b.*?</style>\s*", "", body, flags=re.DOTALL)  # of tables: GitHub would show it as text
    body = re.sub(r' id="T_\w+"', "", body)  # by which that style found cells, another at each execution
    body = re.sub(r"^```python\n(.*?)^```$", _folded, body, flags=re.DOTALL | re.MULTILINE)
    pictures = {Path(path).stem: data for path, data in resources["outputs"].items()}
    for number, stem in enumerate(pictures, 1):
        body = re.sub(rf"!\[\w+\]\(\S*{stem}\.\w+\)", f"![figure {number}]({name}/{number}.webp)", body)
    return body, {f"{number}.webp": data for number, data in enumerate(pictures.values(), 1)}


def _folded(code: re.Match[str]) -> str:
    return f"<details><summary>code</summary>\n\n```python\n{code[1]}```\n\n</details>"


def _linked(text: str, notebook: Path, folder: Path, others: list[Path]) -> str:
    for other in others:
        page = other == notebook or (folder / f"{other.stem}.md").exists()
        place = f"{other.stem}.md" if page else f"../{other.name}"
        text = re.sub(rf"(?<!\[)`({other.stem})`|(?<=otebook )`({other.stem[:2]})`", rf"[`\1\2`]({place})", text)
    return text


def _neighbours(notebook: Path, others: list[Path]) -> str:
    place = others.index(notebook) if notebook in others else 0
    before, after = others[max(0, place - 1) : place], others[place + 1 : place + 2]
    links = [*(f"← `{other.stem}`" for other in before), "[all notebooks](../README.md)"]
    return " · ".join([*links, *(f"`{other.stem}` →" for other in after)])


def _write(folder: Path, name: str, text: str, pictures: dict[str, bytes]) -> Path:
    opened = {picture: Image.open(io.BytesIO(data)).convert("RGB") for picture, data in pictures.items()}
    exact = {picture: _webp(image, lossless=True) for picture, image in opened.items()}
    for quality in QUALITIES:
        lossy = {picture: _webp(image, quality=quality) for picture, image in opened.items()}
        small = {picture: min(exact[picture], lossy[picture], key=len) for picture in opened}  # drawings: the exact one
        if len(text.encode()) + sum(map(len, small.values())) <= MOST:
            break
    else:
        raise ValueError(f"the page of {name} is above {MOST / 1000:.0f} kB even with its pictures at their worst.")
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob("*.webp"):
        old.unlink()
    for picture, data in small.items():
        (place / picture).write_bytes(data)
    page = folder / f"{name}.md"
    with atomic_path(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return page


def _webp(picture: Image.Image, **options: Any) -> bytes:
    with io.BytesIO() as file:
        picture.save(file, "webp", **options)
        return file.getvalue()
