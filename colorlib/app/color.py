"""The first page: choose a photograph, colour it with two models side by side, look, hint, and take it home."""

import html
from functools import partial

import numpy as np
import streamlit as st

from colorlib.app.choosing import choose_photograph
from colorlib.app.models import colorizer, offered_models
from colorlib.app.photograph import SCORES, Photo, Wish, colored, data_url, doubt, full_size, grey, scores
from colorlib.app.picture import clickable, slider
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.loading import DEFAULT_MODEL, RELEASED, to_be_fetched
from colorlib.pictures.tone import TONED

NO_MODEL = "no second model"
BEFORE_AFTER, BESIDE_TRUTH, HINTS, SURE = "Before and after", "Beside the true colours", "Hints", "How sure it is"
SCORE_NAMES = {"delta_e_2000": "ΔE2000 ↓", "psnr_rgb_db": "PSNR in dB ↑", "colorfulness_hs03": "Colourfulness → {:.1f}"}


def page() -> None:
    """Show the page."""
    st.title("Colour a photograph")
    st.markdown(
        "Two models colour it side by side; it keeps its own light, size and metadata. Nobody else sees it, and it is "
        "forgotten when you leave."
    )
    photo = choose_photograph()
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
    if view == HINTS:
        _show_hints()
    shown = []
    for number, (column, (name, model)) in enumerate(zip(st.columns(max(1, len(loaded))), loaded, strict=False)):
        with column, st.container(border=True):
            shown.append((name, model, _side(photo, number, name, model, view)))
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


def _side(photo: Photo, number: int, name: str, model: PhotoColorizer, view: str) -> Wish:
    """Show one model's picture with all that belongs to it, and return how it was coloured."""
    recipe = model.recipe
    place = st.container()
    wish = _choose_wish(number, name, model)
    with place:
        after, shown = data_url(_colored(photo, name, model, wish)), photo.shown.size
        before, label = data_url(grey(photo)), "black and white"
        if view == HINTS and recipe.takes_hints:
            key = f"spot-{number}"
            clickable(after, "click to hint", shown, wish.hints, key, partial(_add_hint, key))
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
        partial(full_size, photo, model, wish),
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
    return photo.remember((name, wish), lambda: colored(photo, model, wish))


def _truth(photo: Photo) -> np.ndarray:
    pixels = photo.shown.pixels
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)


def _choose_wish(number: int, name: str, model: PhotoColorizer) -> Wish:
    recipe = model.recipe
    left, right = st.columns(2)
    saturation = left.slider(
        "Saturation", 0.0, 3.0, 1.0, 0.05, key=f"saturation-{number}", help="1 is the model's own; 0 is grey."
    )
    temperature = None
    if recipe.temperature is not None:
        temperature = right.slider(
            "Temperature",
            0.05,
            max(1.0, recipe.temperature),
            recipe.temperature,
            0.01,
            key=f"temperature-{number}-{name}",
            help="Towards 0 bolder and patchier, towards 1 calmer.",
        )
    hints = tuple(st.session_state.hints) if recipe.takes_hints else ()
    return Wish(temperature, saturation, hints)


def _show_doubt(photo: Photo, number: int, name: str, model: PhotoColorizer, wish: Wish, after: str) -> None:
    found = photo.remember((name, wish.hints, "doubt"), lambda: doubt(photo, model, wish))
    if found is None:
        slider(data_url(grey(photo)), after, ("black and white", name), photo.shown.size, f"sure-{number}")
        st.caption(f"{name} answers with one colour for each place, not with odds: it does not say how sure it is.")
        return
    slider(after, data_url(found.rgb8), (name, "how unsure"), photo.shown.size, f"sure-{number}")
    st.html(
        f'<div class="scale"><span>surer: {found.low:.0f}</span><i></i><span>{found.high:.0f}: less sure</span></div>'
    )
    st.caption(
        f"How far apart the colours lie that {name} thinks possible: the spread of its odds, in units of a* and b*, "
        f"on average {found.mean:.0f}. The scale is this photograph's own."
    )


# ------------------------------------------------------------------------------------------------------------- hints


def _add_hint(key: str) -> None:
    x, y = (min(max(float(share), 0.0), 0.9999) for share in st.session_state[key].spot)
    st.session_state.hints.append((x, y, st.session_state.hint_color))


def _show_hints() -> None:
    hints = st.session_state.hints
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.color_picker("Colour of the next hint", "#a03020", key="hint_color")
        for number, (x, y, color) in enumerate(hints):
            st.button(
                f"{color} at {x:.0%}, {y:.0%}",
                key=f"hint-{number}",
                icon=":material/close:",
                help="Take this hint away",
                on_click=partial(hints.pop, number),
            )
    st.caption("Choose a colour, then click where it belongs. Only its hue and saturation are taken, not its light.")


# ------------------------------------------------------------------------------------------------------------ scores


def _show_scores(photo: Photo, shown: list[tuple[str, PhotoColorizer, Wish]]) -> None:
    rows = {"left grey": photo.remember("grey scores", lambda: scores(photo, grey(photo)))}
    for name, model, wish in shown:
        found = photo.remember((name, wish, "scores"), lambda: scores(photo, _colored(photo, name, model, wish)))  # noqa: B023, called at once
        rows[name if name not in rows else f"{name}, second"] = found
    truth = photo.remember("true scores", lambda: scores(photo, _truth(photo)))["colorfulness_hs03"]
    names = {key: name.format(truth) for key, name in SCORE_NAMES.items()}
    st.markdown("#### Against the true colours")
    st.table({names[key]: {name: f"{row[key]:.1f}" for name, row in rows.items()} for key in SCORES})
    st.caption(
        "ΔE2000, the mean difference that the eye sees, is better low (↓); PSNR is better high (↑); colourfulness is "
        f"better near the photograph's own, {truth:.1f} (→). One photograph says little: see the study."
    )
