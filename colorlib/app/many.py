"""Many photographs on the first page: how far they are, a strip to go through them, and a zip to take home."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from colorlib.app.album import MOST, Album, Page
from colorlib.app.choosing import Chosen, choose
from colorlib.app.models import colorizer, offered_models
from colorlib.app.photograph import data_url, escape_markdown
from colorlib.app.picture import strip
from colorlib.deployment.loading import DEFAULT_MODEL

CELL = (224, 168)  # width and height of a picture in the strip, twice those on the screen


def show_album(album: Album) -> None:
    """Show an album, and have all of it coloured."""
    offered = offered_models()
    names = list(offered)
    with st.container(border=True, key="album"):
        name = st.selectbox("Coloured by", names, names.index(DEFAULT_MODEL), key="album_model", width=240)
        try:
            album.color(name, colorizer(offered[name]))
        except (OSError, ValueError) as error:
            st.error(f"{name} cannot be used: {error}", icon=":material/error:")
            return
        label, disabled = offer = _offer(album)
        st.fragment(_show_pages, run_every=1 if album.running else None)(album, offer)
        # not in the part that is drawn anew each second: a press finds no file once its button has been drawn again
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                label,
                album.zip,
                "coloured.zip",
                "application/zip",
                type="primary",
                icon=":material/folder_zip:",
                on_click="ignore",
                disabled=disabled,
            )
            st.caption("Choose one above to look at it closely, and to hint.")


def _offer(album: Album) -> tuple[str, bool]:
    """Return what the button says, and whether there is nothing yet to take home."""
    nothing = all(page.state != "done" for page in album.pages.values())
    return "Download what is done, zip" if album.running else "Download all, zip", nothing


def _show_pages(album: Album, offer: tuple[str, bool]) -> None:
    """Show how far it is; this part of the page is drawn anew each second as long as there is something to do."""
    if _offer(album) != offer or "chosen" in st.session_state:
        st.rerun()
    pages = album.pages
    done, failed = (sum(page.state == state for page in pages.values()) for state in ("done", "failed"))
    words = f"**{done} of {len(pages)}** photographs coloured"
    if failed:
        words += f", {failed} could not be"
    if album.running and (seconds := album.seconds_left) is not None:
        words += f" · about {seconds / 60:.0f} min left" if seconds > 90 else f" · about {seconds:.0f} s left"
    st.progress((done + failed) / len(pages), words)
    picked = st.session_state.get("picked")
    items = [_item(identity, page, identity == picked) for identity, page in pages.items()]
    strip(items, "strip", partial(_pick, album))
    for page in pages.values():
        if page.reason:
            st.error(f"**{escape_markdown(page.name)}**: {page.reason}", icon=":material/block:")
    if album.left_out:
        st.warning(
            f"These are the first {MOST}; {album.left_out} more were left out. Take these home, then bring those.",
            icon=":material/filter_none:",
        )


def _item(identity: str, page: Page, chosen: bool) -> dict[str, Any]:
    picture = data_url(_cell(page.result[2])) if page.result else None
    return {"id": identity, "name": page.name, "state": page.state, "picture": picture, "chosen": chosen}


def _cell(rgb8: np.ndarray) -> np.ndarray:
    return np.asarray(ImageOps.fit(Image.fromarray(rgb8), CELL, Image.Resampling.LANCZOS))


def _pick(album: Album) -> None:
    identity = st.session_state["strip"].pick
    if page := album.pages.get(identity):
        st.session_state.picked = identity
        choose(Chosen(page.name, lambda: page.data, page.result[3] if page.result else None))
