"""Hints on the first page: the tool that makes the next one, and what can be done with those there are."""

import math
from functools import partial
from typing import NamedTuple

import streamlit as st

from colorlib.app.photograph import Stroke
from colorlib.deployment.hints import RADIUS

DOT, BRUSH, GREY = "A dot", "A brush", "Keep grey"
SIZES = {"small": 0.02, "middle": 0.05, "large": 0.1}  # radius of the brush, as a share of the shorter side
REACHES = {"this place": 0.06, "around it": 0.3, "far": 0.8, "all over": math.inf}  # shares of the shorter side
NEUTRAL = "#808080"


class Tool(NamedTuple):
    """What the next hint will be: a stroke still without points, and whether it is drawn or clicked."""

    stroke: Stroke
    brush: bool


def choose_tool() -> Tool:
    """Let the next hint be chosen, and those there are be taken back, and return the tool."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="tools"):
        kind = st.segmented_control("Hint with", [DOT, BRUSH, GREY], default=DOT, required=True, key="hint_kind")
        color = NEUTRAL
        if kind != GREY:
            color = st.color_picker("Colour", "#a03020", key="hint_color")
        size = RADIUS
        if kind != DOT:
            size = SIZES[st.select_slider("Size", list(SIZES), "middle", key="hint_size", width=140)]
        reach = size
        if kind != GREY:
            reach = REACHES[st.select_slider("Reaches", list(REACHES), "around it", key="hint_reach", width=220)]
    _show_strokes()
    st.caption(
        "Draw over what is to stay grey."
        if kind == GREY
        else f"Choose a colour, then {'draw' if kind == BRUSH else 'click'} where it belongs. Only its hue and "
        "saturation are taken, not its light."
    )
    return Tool(Stroke((), color, size, reach), kind != DOT)


def add_stroke(key: str, tool: Tool) -> None:
    """Add what was drawn on a picture to the hints."""
    points = tuple((_inside(x), _inside(y)) for x, y in st.session_state[key].stroke)
    if points:
        stroke = tool.stroke
        st.session_state.hints.append(Stroke(points, stroke.color, stroke.radius, stroke.reach))
        st.session_state.undone = []


def _inside(share: float) -> float:
    return min(max(float(share), 0.0), 0.9999)


def _show_strokes() -> None:
    hints, undone = st.session_state.hints, st.session_state.setdefault("undone", [])
    swatches = "".join(
        f".st-key-hint-{number} button::before {{ content: ''; flex: none; width: 1.1rem; height: 1.1rem; "
        f"border-radius: 50%; margin-right: 0.4rem; background: {stroke.color}; box-shadow: 0 0 0 1px #0003; }}"
        for number, stroke in enumerate(hints)
    )
    st.html(f"<style>{swatches}</style>")
    with st.container(horizontal=True, gap="xsmall", key="strokes"):
        steps = {
            "hint-undo": ("Undo", "undo", "Ctrl+Z", _undo, hints),
            "hint-redo": ("Redo", "redo", "Ctrl+Y", _redo, undone),
        }
        for key, (label, icon, keys, step, needed) in steps.items():
            st.button(label, key=key, icon=f":material/{icon}:", shortcut=keys, on_click=step, disabled=not needed)
        st.button("Clear all", key="hint-clear", icon=":material/delete:", on_click=_clear, disabled=not hints)
        for number, stroke in enumerate(hints):
            what = "kept grey" if stroke.color == NEUTRAL else f"hint {number + 1}"
            st.button(
                what,
                key=f"hint-{number}",
                help="Take this hint away",
                on_click=partial(_take_away, number),
                type="tertiary",
            )


# Undo goes back to the hints before the last change, whatever it was.


def _undo() -> None:
    if st.session_state.hints:
        st.session_state.undone.append(st.session_state.hints.pop())


def _redo() -> None:
    if st.session_state.undone:
        st.session_state.hints.append(st.session_state.undone.pop())


def _take_away(number: int) -> None:
    st.session_state.undone = [st.session_state.hints.pop(number)]


def _clear() -> None:
    st.session_state.undone = st.session_state.hints[::-1]
    st.session_state.hints = []
