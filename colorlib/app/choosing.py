"""Choosing a photograph on the first page: one's own, an example, an old one, or a garment."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import skimage
import streamlit as st
from PIL import Image, ImageOps

from colorlib.app.photograph import Photo, take_in
from colorlib.data.bundled import bundled_photographs
from colorlib.data.fashion_mnist import open_fashion_mnist
from colorlib.files import project_folder
from colorlib.pictures.formats import SUFFIXES, is_picture
from colorlib.pictures.reading import read_centre
from colorlib.pictures.writing import png_bytes

UPLOADED = sorted(suffix.removeprefix(".") for suffix in SUFFIXES)
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
    source = st.segmented_control(
        "Photograph", list(SOURCES), default="Yours", required=True, key="source", label_visibility="collapsed"
    )
    SOURCES[source]()
    if chosen := st.session_state.pop("chosen", None):
        _read(chosen)
    if refusal := st.session_state.get("refusal"):
        st.error(refusal, icon=":material/block:")
    return st.session_state.get("photo")


def _choose(chosen: Chosen | None) -> None:
    st.session_state.update(photo=None, refusal=None, hints=[], agreed=False)
    if chosen:
        st.session_state.chosen = chosen


def _read(chosen: Chosen) -> None:
    try:
        with st.spinner("Reading the photograph …"):
            st.session_state.photo = take_in(chosen.name, chosen.read(), chosen.tone)
        st.session_state.agreed = chosen.tone is not None
    except (OSError, ValueError) as error:
        st.session_state.refusal = str(error)[:1].upper() + str(error)[1:]


# ----------------------------------------------------------------------------------------------------- the sources


def _uploader() -> None:
    def uploaded() -> None:
        file = st.session_state.upload
        _choose(Chosen(file.name, file.getvalue) if file else None)

    st.file_uploader("Drop a photograph here, or choose one", UPLOADED, key="upload", on_change=uploaded)
    if not any(st.session_state.get(name) for name in ("chosen", "photo", "refusal")):
        st.caption("Or try one of these:")
        _show_bundled()


def _gallery(items: Sequence[tuple[Image.Image | np.ndarray, str, Chosen]]) -> None:
    with st.container(horizontal=True, gap="xsmall", key="gallery"):
        for number, (thumbnail, label, chosen) in enumerate(items):
            with st.container(width=THUMBNAIL[0], gap=None):
                st.image(thumbnail, width="stretch", alt=label)
                key = f"pick-{chosen.name}-{number}"
                st.button(label, key=key, type="tertiary", width="stretch", on_click=_choose, args=(chosen,))


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
def _album(folder: str | None) -> list[tuple[np.ndarray, Path]]:
    """Return (thumbnail, path) of the black-and-white photographs in a folder, or of those in scikit-image."""
    if folder is None:
        paths = [Path(skimage.__file__).parent / "data" / name for name in ("camera.png", "coins.png")]
    else:
        paths = sorted(path for path in Path(folder).iterdir() if is_picture(path.name))
    album = []
    for path in paths[:MOST_IN_A_GALLERY]:
        try:
            album.append((read_centre(path, SHARP[::-1])[0], path))
        except (OSError, ValueError):
            continue  # whoever set the folder sees that it is missing
    return album


def _show_historical() -> None:
    folder = os.environ.get("COLORLIB_HISTORICAL")
    try:
        album = _album(folder)
    except OSError:
        st.error(f"There is no folder {folder}; set COLORLIB_HISTORICAL to another one.", icon=":material/error:")
        return
    _gallery([(thumbnail, path.stem, Chosen(path.name, path.read_bytes)) for thumbnail, path in album])
    if folder is None:
        st.caption(
            "Black-and-white photographs that come inside scikit-image: a photographer by Lav Varshney, CC0; Greek "
            "coins, Brooklyn Museum, no known copyright restrictions. To have an album of yours here, set "
            "COLORLIB_HISTORICAL to its folder."
        )


def _show_fashion() -> None:
    folder = os.environ.get("COLORLIB_FASHION_MNIST") or project_folder() / "data" / "fashion-mnist"
    try:
        fashion = _fashion(str(folder))
    except FileNotFoundError:
        st.info(
            "Fashion-MNIST is not on this computer. `data/README.md` says how to get its 30 MB; put the files into "
            "`data/fashion-mnist`, or set COLORLIB_FASHION_MNIST to their folder.",
            icon=":material/download:",
        )
        return
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


SOURCES = {
    "Yours": _uploader,
    "Examples": _show_bundled,
    "Historical": _show_historical,
    "Fashion-MNIST": _show_fashion,
}
