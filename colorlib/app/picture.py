"""A picture to slide over, from before to after, or to click on: our own, without a script from elsewhere."""

from collections.abc import Callable, Iterable
from pathlib import Path

import streamlit as st

from colorlib.deployment.colorizer import Hint

_html, _css, _js = (
    Path(__file__).with_name(f"picture.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
)
_component = st.components.v2.component("colorlib.picture", html=_html, css=_css, js=_js)


def slider(before: str, after: str, labels: tuple[str, str], size: tuple[int, int], key: str) -> None:
    """Show two pictures of ``size`` (h, w), addresses of :func:`colorlib.app.photograph.data_url`."""
    data = {"before": before, "after": after, "labels": labels, "height": size[0], "width": size[1]}
    _component(key=key, data=data)


def clickable(
    picture: str, label: str, size: tuple[int, int], spots: Iterable[Hint], key: str, on_click: Callable[[], None]
) -> None:
    """Show a picture with spots on it; ``st.session_state[key].spot`` is where it was clicked when it calls back.

    Places are shares of width and height.
    """
    data = {"after": picture, "labels": ("", label), "height": size[0], "width": size[1], "spots": list(spots)}
    _component(key=key, data=data, on_spot_change=on_click)
