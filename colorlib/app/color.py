"""The first page: choose a photograph, colour it with two models side by side, look, hint, and take it home."""

import html
from functools import partial

import numpy as np
import streamlit as st

from colorlib.app.choosing import choose_photograph
from colorlib.app.hinting import Tool, add_stroke, choose_tool
from colorlib.app.many import show_album
from colorlib.app.models import colorizer, offered_models
from colorlib.app.photograph import SCORES, Photo, Wish, colored, data_url, doubt, full_size, grey, scores
from colorlib.app.picture import hintable, slider
from colorlib.app.serving import in_turn, visitor
from colorlib.app.turns import Ended
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.loading import DEFAULT_MODEL, RELEASED, to_be_fetched
from colorlib.pictures.tone import TONED

NO_MODEL = "no second model"
BEFORE_AFTER, BESIDE_TRUTH, HINTS, SURE = "Before and after", "Beside the true colours", "Hints", "How sure it is"
SCORE_NAMES = {"delta_e_2000": "Distance from the true colours", "colorfulness_hs03": "Colourfulness"}


def page() -> None:
    """Show the page."""
    st.title("Colour a photograph")
    st.markdown(
        "It keeps its own light, size and metadata. Nobody else sees it, and it is forgotten when you leave. "
        "Bring one, and two models colour it side by side; bring many, and take them all home in one go."
    )
    photo = choose_photograph()
    if album := st.session_state.get("album"):
        show_album(album)
    if photo is not None and _agreed(photo):
        _workspace(photo)


# --------------------------------------------------------------------------------------------------------- colouring


def _agreed(photo: Photo) -> bool:
    """Ask, where a photograph has colours, whether to put them aside."""
    if photo.tone == "colour" and not st.session_state.agreed:
        with st.container(border=True):
            st.markdown(
                "**This photograph is in colour already.** Shall its colours be put aside and made up anew? You can "
                "then compare the two, with scores."
            )
            st.button(
                "Put them aside",
                type="primary",
                icon=":material/invert_colors_off:",
                on_click=partial(st.session_state.update, agreed=True),
            )
    return photo.tone != "colour" or st.session_state.agreed


def _workspace(photo: Photo) -> None:
    H, W = photo.size
    st.html(f'<div class="photo-name"><b>{html.escape(photo.name)}</b><span>{W:,} × {H:,} pixels</span></div>')
    notes = list(photo.notes)
    if photo.tone == "toned":
        notes.append(TONED)
    if notes:
        st.caption(" ".join(notes))
    loaded = _load_chosen()
    view = _choose_view(photo, any(model.recipe.takes_hints for _, model in loaded))
    tool = choose_tool() if view == HINTS else None
    shown = []
    for number, (column, (name, model)) in enumerate(zip(st.columns(max(1, len(loaded))), loaded, strict=False)):
        with column, st.container(border=True):
            try:
                shown.append((name, model, _side(photo, number, name, model, view, tool)))
            except Ended as error:
                st.error(str(error), icon=":material/hourglass_bottom:")
    if photo.tone == "colour" and shown:
        _show_scores(photo, shown)


def _load_chosen() -> list[tuple[str, PhotoColorizer]]:
    """Let two models be chosen, and return those that could be loaded."""
    offered = offered_models()
    offered |= {name: name for name in RELEASED if name not in offered}
    names = list(offered)
    left, right = st.columns(2)
    first = left.selectbox("Model", names, index=names.index(DEFAULT_MODEL), key="first")
    others = [NO_MODEL, *names]
    second = right.selectbox("Second model", others, index=others.index("vivid"), key="second")
    loaded = []
    for place, name in enumerate((first, second)):
        if name != NO_MODEL and _is_here(name, offered[name], place):
            try:
                with st.spinner(f"Loading {name} …"):
                    loaded.append((name, colorizer(offered[name])))
            except (OSError, ValueError) as error:
                st.error(f"{name} cannot be used: {error}", icon=":material/error:")
    return loaded


def _is_here(name: str, named: str, place: int) -> bool:
    """Whether a model can be loaded now; authors' weights are fetched when somebody asks for it."""
    released = to_be_fetched(named)
    if released is None:
        return True
    st.info(f"The weights of {name} are its authors'. Fetching them takes {released}; they are kept for the next time.")
    return st.button(f"Fetch {released.megabytes} MB", key=f"fetch-{place}", icon=":material/download:")


def _choose_view(photo: Photo, hints: bool) -> str:
    views = [BEFORE_AFTER, SURE]
    if photo.tone == "colour":
        views.insert(1, BESIDE_TRUTH)
    if hints:
        views.insert(-1, HINTS)
    return st.segmented_control(
        "View", views, default=views[0], required=True, key=f"view-{len(views)}-{hints}", label_visibility="collapsed"
    )


def _side(photo: Photo, number: int, name: str, model: PhotoColorizer, view: str, tool: Tool | None) -> Wish:
    """Show one model's picture with all that belongs to it, and return how it was coloured."""
    recipe = model.recipe
    place = st.container()
    wish = _choose_wish(number, name, model)
    with place:
        after, shown = data_url(_colored(photo, name, model, wish)), photo.shown.size
        before, label = data_url(grey(photo)), "black and white"
        if tool and recipe.takes_hints:
            key = f"stroke-{number}"
            label = "draw to hint" if tool.brush else "click to hint"
            hintable(after, label, shown, wish.hints, tool.stroke, tool.brush, key, partial(add_stroke, key, tool))
        elif view == SURE:
            _show_doubt(photo, number, name, model, wish, after)
        else:
            if view == BESIDE_TRUTH:
                before, label = data_url(_truth(photo)), "true colours"
            end = f"{name} takes no hints" if view == HINTS else name
            slider(before, after, (label, end), shown, f"slider-{number}")
    H, W = photo.size
    st.download_button(
        f"Download, {W:,} × {H:,} {photo.format}",
        partial(in_turn, partial(full_size, photo, model, wish), visitor()),
        photo.download_name,
        f"image/{photo.format.lower()}",
        key=f"download-{number}",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )
    st.caption(recipe.about)
    return wish


def _colored(photo: Photo, name: str, model: PhotoColorizer, wish: Wish) -> np.ndarray:
    return photo.remember((name, wish), lambda: in_turn(lambda go_on: colored(photo, model, wish)))


def _truth(photo: Photo) -> np.ndarray:
    pixels = photo.shown.pixels
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)


def _choose_wish(number: int, name: str, model: PhotoColorizer) -> Wish:
    recipe = model.recipe
    left, right = st.columns(2)
    saturation = left.slider(
        "Strength of colour", 0.0, 3.0, 1.0, 0.05, key=f"saturation-{number}", help="1 is the model's own; 0 is grey."
    )
    temperature = None
    if recipe.temperature is not None:
        temperature = right.slider(
            "Bolder or calmer",
            0.05,
            max(1.0, recipe.temperature),
            recipe.temperature,
            0.01,
            key=f"temperature-{number}-{name}",
            help="To the left bolder and patchier, to the right calmer.",
        )
    hints = tuple(st.session_state.hints) if recipe.takes_hints else ()
    return Wish(temperature, saturation, hints)


def _show_doubt(photo: Photo, number: int, name: str, model: PhotoColorizer, wish: Wish, after: str) -> None:
    found = photo.remember((name, wish.hints, "doubt"), lambda: in_turn(lambda go_on: doubt(photo, model, wish)))
    if found is None:
        slider(data_url(grey(photo)), after, ("black and white", name), photo.shown.size, f"sure-{number}")
        st.caption(f"{name} answers with one colour for each place, not with odds: it does not say how sure it is.")
        return
    slider(after, data_url(found.rgb8), (name, "how unsure"), photo.shown.size, f"sure-{number}")
    st.html(
        f'<div class="scale"><span>surer: {found.low:.0f}</span><i></i><span>{found.high:.0f}: less sure</span></div>'
    )
    st.caption(
        f"How far apart the colours lie that {name} thinks possible. The scale is this photograph's own; the mean over "
        f"it is {found.mean:.0f}."
    )


# ------------------------------------------------------------------------------------------------------------ scores


def _show_scores(photo: Photo, shown: list[tuple[str, PhotoColorizer, Wish]]) -> None:
    rows = {"left grey": photo.remember("grey scores", lambda: scores(photo, grey(photo)))}
    for name, model, wish in shown:
        found = photo.remember((name, wish, "scores"), lambda: scores(photo, _colored(photo, name, model, wish)))  # noqa: B023, called at once
        rows[name if name not in rows else f"{name}, second"] = found
    truth = photo.remember("true scores", lambda: scores(photo, _truth(photo)))["colorfulness_hs03"]
    st.markdown("#### Beside the true colours")
    st.table({SCORE_NAMES[key]: {name: f"{row[key]:.1f}" for name, row in rows.items()} for key in SCORES})
    st.caption(
        "The distance is the mean difference that an eye sees, less is better, and about 1 is just visible. "
        f"Colourfulness is best near the photograph's own, {truth:.1f}. One photograph says little: see the study."
    )
