"""The first page: choose a photograph, colour it with two models side by side, look, hint, and take it home."""

import html
import io
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import skimage
import streamlit as st
from PIL import Image, ImageOps

from colorlib.app.models import colorizer, offered_models
from colorlib.app.photograph import SCORES, Photo, Wish, coloured, data_url, doubt, full_size, grey, scores, take_in
from colorlib.app.picture import clickable, slider
from colorlib.data.bundled import bundled_photographs
from colorlib.data.fashion_mnist import open_fashion_mnist
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.files import project_folder
from colorlib.pictures.picture import ENDINGS
from colorlib.pictures.tone import TONED

UPLOADED = ["jpg", "jpeg", "png", "tif", "tiff", "webp", "gif", "bmp"]
THUMBNAIL = (112, 84)  # pixels of the screen: three abreast on a phone
MOST_IN_A_GALLERY = 40
NO_MODEL = "no second model"
BEFORE_AFTER, BESIDE_TRUTH, HINTS, SURE = "Before and after", "Beside the true colours", "Hints", "How sure it is"
SCORE_NAMES = {"delta_e_2000": "ΔE2000 ↓", "psnr_rgb_db": "PSNR in dB ↑", "colorfulness_hs03": "Colourfulness → {:.1f}"}


class Chosen(NamedTuple):
    """A photograph that was just chosen; what is known to be in colour is not asked about."""

    name: str
    read: Callable[[], bytes]
    tone: str | None = None


def page() -> None:
    """Show the page."""
    st.title("Colour a photograph")
    st.markdown(
        "Two models colour it side by side; it keeps its own light, size and metadata. Nobody else sees it, and it is "
        "forgotten when you leave."
    )
    source = st.segmented_control(
        "Photograph", list(SOURCES), default="Yours", required=True, key="source", label_visibility="collapsed"
    )
    SOURCES[source]()
    if chosen := st.session_state.pop("chosen", None):
        _read(chosen)
    if refusal := st.session_state.get("refusal"):
        st.error(refusal, icon=":material/block:")
    photo: Photo | None = st.session_state.get("photo")
    if photo is not None and _agreed(photo):
        _workspace(photo)


# --------------------------------------------------------------------------------------------------------- choosing


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


def _uploader() -> None:
    def uploaded() -> None:
        file = st.session_state.upload
        _choose(Chosen(file.name, file.getvalue) if file else None)

    st.file_uploader("Drop a photograph here, or choose one", UPLOADED, key="upload", on_change=uploaded)
    if not any(st.session_state.get(name) for name in ("chosen", "photo", "refusal")):
        st.caption("Or try one of these:")
        _show_bundled()


def _gallery(items: Sequence[tuple[Image.Image, str, Chosen]]) -> None:
    with st.container(horizontal=True, gap="xsmall", key="gallery"):
        for number, (thumbnail, label, chosen) in enumerate(items):
            with st.container(width=THUMBNAIL[0], gap=None):
                st.image(thumbnail, width="stretch", alt=label)
                key = f"pick-{chosen.name}-{number}"
                st.button(label, key=key, type="tertiary", width="stretch", on_click=_choose, args=(chosen,))


def _thumbnail(image: Image.Image) -> Image.Image:
    sharp = (2 * THUMBNAIL[0], 2 * THUMBNAIL[1])
    return ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), sharp, Image.Resampling.LANCZOS)


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@st.cache_data(show_spinner=False)
def _bundled() -> list[tuple[Image.Image, str, str, np.ndarray]]:
    """Return (thumbnail, id, credit, pixels) of each."""
    found = bundled_photographs(4096)
    return [(_thumbnail(Image.fromarray(p.rgb)), p.id, p.credit, p.rgb) for p in found]


def _show_bundled() -> None:
    photographs = _bundled()
    _gallery([(t, id.capitalize(), Chosen(f"{id}.png", partial(_png, rgb), "colour")) for t, id, _, rgb in photographs])
    credits = "; ".join(f"{id}: {credit.replace(';', ',')}" for _, id, credit, _ in photographs)
    st.caption("They are in colour, so that the models can be compared with the truth.", help=credits)


@st.cache_data(show_spinner=False)
def _album(folder: str | None) -> list[tuple[Image.Image, Path]]:
    """Return (thumbnail, path) of the black-and-white photographs in a folder, or of those in scikit-image."""
    if folder is None:
        paths = [Path(skimage.__file__).parent / "data" / name for name in ("camera.png", "coins.png")]
    else:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in ENDINGS)
    album = []
    for path in paths[:MOST_IN_A_GALLERY]:
        try:
            with Image.open(path) as image:
                album.append((_thumbnail(image), path))
        except (OSError, ValueError, Image.DecompressionBombError):
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
            items.append((ImageOps.pad(enlarged, THUMBNAIL), name.capitalize(), Chosen(file, partial(_png, pixels))))
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


# --------------------------------------------------------------------------------------------------------- colouring


def _workspace(photo: Photo) -> None:
    H, W = photo.size
    st.html(f'<div class="photo-name"><b>{html.escape(photo.name)}</b><span>{W:,} × {H:,} pixels</span></div>')
    notes = list(photo.notes)
    if photo.tone == "toned":
        notes.append(TONED)
    if notes:
        st.caption(" ".join(notes))
    loaded = _load_chosen(list(offered_models()))
    view = _choose_view(photo, any(model.recipe.takes_hints for _, model in loaded))
    if view == HINTS:
        _show_hints()
    shown = []
    for number, (column, (name, model)) in enumerate(zip(st.columns(max(1, len(loaded))), loaded, strict=False)):
        with column, st.container(border=True):
            shown.append((name, model, _side(photo, number, name, model, view)))
    if photo.tone == "colour" and shown:
        _show_scores(photo, shown)


def _load_chosen(names: list[str]) -> list[tuple[str, PhotoColorizer]]:
    """Let two models be chosen, and return those that could be loaded."""
    left, right = st.columns(2)
    first = left.selectbox("Model", names, index=names.index("vivid") if "vivid" in names else 0, key="first")
    others = [NO_MODEL, *names]
    second = right.selectbox("Second model", others, index=min(1, len(names)), key="second")
    loaded = []
    for name in (first, second):
        if name != NO_MODEL:
            try:
                with st.spinner(f"Loading {name} …"):
                    loaded.append((name, colorizer(offered_models()[name])))
            except (OSError, ValueError) as error:
                st.error(f"{name} cannot be used: {error}", icon=":material/error:")
    return loaded


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
        after, shown = data_url(_coloured(photo, name, model, wish)), photo.shown.size
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


def _coloured(photo: Photo, name: str, model: PhotoColorizer, wish: Wish) -> np.ndarray:
    return photo.remember((name, wish), lambda: coloured(photo, model, wish))


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
    st.session_state.hints.append((x, y, st.session_state.hint_colour))


def _show_hints() -> None:
    hints = st.session_state.hints
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.color_picker("Colour of the next hint", "#a03020", key="hint_colour")
        for number, (x, y, colour) in enumerate(hints):
            st.button(
                f"{colour} at {x:.0%}, {y:.0%}",
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
        found = photo.remember((name, wish, "scores"), lambda: scores(photo, _coloured(photo, name, model, wish)))  # noqa: B023, called at once
        rows[name if name not in rows else f"{name}, second"] = found
    truth = photo.remember("true scores", lambda: scores(photo, _truth(photo)))["colorfulness_hs03"]
    names = {key: name.format(truth) for key, name in SCORE_NAMES.items()}
    st.markdown("#### Against the true colours")
    st.table({names[key]: {name: f"{row[key]:.1f}" for name, row in rows.items()} for key in SCORES})
    st.caption(
        "ΔE2000, the mean difference that the eye sees, is better low (↓); PSNR is better high (↑); colourfulness is "
        f"better near the photograph's own, {truth:.1f} (→). One photograph says little: see the study."
    )
