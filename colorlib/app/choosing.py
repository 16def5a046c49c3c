"""Choosing photographs on the first page: one's own, one or many, an example, an old one, or a garment."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from colorlib.app.album import MOST, Album
from colorlib.app.photograph import Photo, take_in
from colorlib.app.serving import in_turn, queue, visitor
from colorlib.data.bundled import bundled_photographs
from colorlib.data.fashion_mnist import open_fashion_mnist
from colorlib.files import project_folder
from colorlib.pictures.formats import is_picture
from colorlib.pictures.reading import read_centre
from colorlib.pictures.writing import png_bytes

THUMBNAIL = (112, 84)  # pixels of the screen: three abreast on a phone
SHARP = (2 * THUMBNAIL[0], 2 * THUMBNAIL[1])
MOST_IN_A_GALLERY = 40


class Chosen(NamedTuple):
    """A photograph that was just chosen; what is known to be in colour is not asked about."""

    name: str
    read: Callable[[], bytes]
    tone: str | None = None


def choose_photograph() -> Photo | None:
    """Show the sources of photographs, and return the photograph that was chosen, if any; say why one is refused."""
    offered = [name for name in SOURCES if name != GARMENTS or _fashion_folder().exists()]
    source = st.segmented_control(
        "Photograph", offered, default="Yours", required=True, key="source", label_visibility="collapsed"
    )
    SOURCES[source]()
    if chosen := st.session_state.pop("chosen", None):
        _read(chosen)
    if refusal := st.session_state.get("refusal"):
        st.error(refusal, icon=":material/block:")
    return st.session_state.get("photo")


def choose(chosen: Chosen | None) -> None:
    """Take a photograph for the one to be looked at, in the run that follows; None forgets the last."""
    st.session_state.update(photo=None, refusal=None, hints=[], undone=[], agreed=False)
    if chosen:
        st.session_state.chosen = chosen


def _read(chosen: Chosen) -> None:
    try:
        with st.spinner("Reading the photograph …"):
            photo = in_turn(lambda go_on: take_in(chosen.name, chosen.read(), chosen.tone))
        st.session_state.photo = photo
        st.session_state.agreed = chosen.tone is not None
    except (OSError, ValueError) as error:
        st.session_state.refusal = str(error)[:1].upper() + str(error)[1:]


# ----------------------------------------------------------------------------------------------------- the sources


def _uploader() -> None:
    folder = st.session_state.get("whole_folder", False)
    key = "upload-folder" if folder else "upload"

    def uploaded() -> None:
        files = st.session_state[key]
        if len(files) == 1:
            st.session_state.album = None
            return choose(Chosen(files[0].name, files[0].getvalue))
        choose(None)
        if files:
            album = st.session_state.get("album") or Album(queue(), visitor())
            album.hold({file.file_id: (file.name, file.getvalue()) for file in files})
            st.session_state.album = album
        else:
            st.session_state.album = None

    label = "Choose a folder of photographs" if folder else f"Drop photographs here, up to {MOST}, or choose them"
    st.file_uploader(label, None, "directory" if folder else True, key=key, on_change=uploaded)
    if not any(st.session_state.get(name) for name in ("chosen", "photo", "refusal", "album")):
        st.toggle("A whole folder", key="whole_folder")
        st.caption("Or try one of these:")
        _show_bundled()


def _gallery(items: Sequence[tuple[Image.Image | np.ndarray, str, Chosen]]) -> None:
    with st.container(horizontal=True, gap="xsmall", key="gallery"):
        for number, (thumbnail, label, chosen) in enumerate(items):
            with st.container(width=THUMBNAIL[0], gap=None):
                st.image(thumbnail, width="stretch", alt=label)
                key = f"pick-{chosen.name}-{number}"
                st.button(label, key=key, type="tertiary", width="stretch", on_click=choose, args=(chosen,))


@st.cache_data(show_spinner=False)
def _bundled() -> list[tuple[Image.Image, str, str, np.ndarray]]:
    """Return (thumbnail, id, credit, pixels) of each."""
    found = bundled_photographs(4096)
    thumbnails = [ImageOps.fit(Image.fromarray(p.rgb), SHARP, Image.Resampling.LANCZOS) for p in found]
    return [(t, p.id, p.credit, p.rgb) for t, p in zip(thumbnails, found, strict=True)]


def _show_bundled() -> None:
    photographs = _bundled()
    _gallery(
        [(t, id.capitalize(), Chosen(f"{id}.png", partial(png_bytes, rgb), "colour")) for t, id, _, rgb in photographs]
    )
    credits = "; ".join(f"{id}: {credit.replace(';', ',')}" for _, id, credit, _ in photographs)
    st.caption("They are in colour, so that the models can be compared with the truth.", help=credits)


@st.cache_data(show_spinner=False)
def _album(folder: str) -> list[tuple[np.ndarray, Path]]:
    """Return (thumbnail, path) of the photographs in a folder."""
    album = []
    for path in sorted(path for path in Path(folder).iterdir() if is_picture(path.name))[:MOST_IN_A_GALLERY]:
        try:
            album.append((read_centre(path, SHARP[::-1])[0], path))
        except (OSError, ValueError):
            continue  # whoever set the folder sees that it is missing
    return album


def _show_historical() -> None:
    folder = os.environ.get("COLORLIB_HISTORICAL")
    if folder is None:
        return _show_greyed()
    try:
        album = _album(folder)
    except OSError:
        st.error("The folder of old photographs that this page was given is not there.", icon=":material/error:")
        return None
    return _gallery([(thumbnail, path.stem, Chosen(path.name, path.read_bytes)) for thumbnail, path in album])


def _show_greyed() -> None:
    """Offer the examples without their colours: no old photograph ships whose rights are clear."""
    items = []
    for thumbnail, id, _, rgb in _bundled():
        read = partial(lambda rgb: png_bytes(np.asarray(Image.fromarray(rgb).convert("L"))), rgb)
        items.append((thumbnail.convert("L"), id.capitalize(), Chosen(f"{id}-grey.png", read, "grey")))
    _gallery(items)
    st.caption("These had their colours taken out. The page can be given a folder of old photographs to offer here.")


def _fashion_folder() -> Path:
    return Path(os.environ.get("COLORLIB_FASHION_MNIST") or project_folder() / "data" / "fashion-mnist")


def _show_fashion() -> None:
    try:
        fashion = _fashion(str(_fashion_folder()))
    except (OSError, ValueError) as error:
        st.error(str(error), icon=":material/error:")
        return
    turn = st.session_state.setdefault("fashion_turn", 0)
    items = []
    for label, name in enumerate(fashion.classes):
        members = np.flatnonzero(fashion.labels == label)
        if len(members):
            number = int(members[turn % len(members)])
            pixels = fashion.images[number]
            enlarged = Image.fromarray(pixels).resize((84, 84), Image.Resampling.NEAREST)
            file = f"{name.replace('/', '-')} {number}.png"
            items.append(
                (ImageOps.pad(enlarged, THUMBNAIL), name.capitalize(), Chosen(file, partial(png_bytes, pixels)))
            )
    _gallery(items)
    st.button("Ten others", icon=":material/refresh:", on_click=partial(st.session_state.update, fashion_turn=turn + 1))


@st.cache_resource(show_spinner=False)
def _fashion(folder: str):
    return open_fashion_mnist(folder)


GARMENTS = "Fashion-MNIST"  # offered where it is
SOURCES = {
    "Yours": _uploader,
    "Examples": _show_bundled,
    "Black and white": _show_historical,
    GARMENTS: _show_fashion,
}
