"""Which models the pages offer, and each of them loaded once for all who visit."""

import os
import re
import shlex
from pathlib import Path

import streamlit as st

from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.loading import RELEASED, load_colorizer, shipped_models, to_be_fetched


def offered_models() -> dict[str, str]:
    """Return what people see of a model -> what :func:`colorlib.deployment.load_colorizer` takes.

    Those that ship come first, then those in the environment variable ``COLORLIB_MODELS``: run folders, weight files
    and ``eccv16=FILE``, with blanks or ``os.pathsep`` between them (quotes keep a path with blanks together); last
    those whose authors' weights were fetched before.
    """
    offered, text = {name: name for name in shipped_models()}, os.environ.get("COLORLIB_MODELS", "")
    try:
        parts = shlex.split(text)
    except ValueError:  # a quotation mark that belongs to a name
        parts = text.split()
    for words in parts:
        for name in filter(None, re.split(rf"{re.escape(os.pathsep)}(?!//)", words)):  # https:// is no separator
            label = name.partition("=")[0] if "=" in name else Path(name).stem
            offered[label if label not in offered else name] = name
    return offered | {name: name for name in RELEASED if name not in offered and not to_be_fetched(name)}


@st.cache_resource(max_entries=8, show_spinner=False)
def colorizer(name: str) -> PhotoColorizer:
    """Load a model once; raises what :func:`colorlib.deployment.load_colorizer` raises."""
    return load_colorizer(name)
