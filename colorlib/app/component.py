"""Parts of the page that Streamlit does not have: our own, each of three files, without a script from elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


def component(name: str) -> Callable[..., Any]:
    """Return the component whose HTML, style and script lie beside this file."""
    html, css, js = (
        Path(__file__).with_name(f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component(f"colorlib.{name}", html=html, css=css, js=js)
