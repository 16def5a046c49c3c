"""The page on which people judge: which of the two is the real photograph?

The pictures are shown and hidden by the browser (a CSS animation), so the time is the same on a slow line; the answer
is an ordinary button, or an arrow key. All else is :mod:`colorlib.human_study`.
"""

import base64
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st

from colorlib import human_study
from colorlib.app.models import colorizer, offered_models
from colorlib.human_study import Design, Trial
from colorlib.plots import figure_bytes

LEAD = 1.0  # seconds between a press and the pair: both pictures are decoded by then, and the eyes have settled
LONGEST = 10.0  # seconds that a pair may be shown
SIDES = {"left": "Left", "right": "Right"}


@dataclass
class Session:
    """One person's trials, and how far they are.

    Attributes:
        id: a random number, all that is kept of a person.
        photographs: {identity: (SIDE, SIDE, 3) uint8}.
        done: so many answers were given.
        right: whether the last answer in practice was right.
        sent: when the present pair was sent to the browser, on `time.monotonic`; None before.
        trouble: why the last answer could not be kept.
    """

    trials: list[Trial]
    photographs: dict[str, np.ndarray]
    design: Design
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    done: int = 0
    right: bool | None = None
    sent: float | None = None
    trouble: str = ""


def page() -> None:
    """Show the page: what it is about, then the trials one by one, then thanks and the results."""
    st.html(PAGE_STYLE)
    session: Session | None = st.session_state.get("judging")
    if session is not None and session.done < len(session.trials):
        _show_trial(session)
        return
    if session is not None:
        _show_thanks(session)
    else:
        _show_beginning()
    _show_results()


# ----------------------------------------------------------------------------------------------- before and after


def _photograph_folder() -> Path | None:
    folder = os.environ.get("COLORLIB_JUDGE_PHOTOS")
    return Path(folder) if folder else None


def _show_beginning() -> None:
    st.title("Which of the two is the real photograph?")
    st.markdown(
        "One of two pictures has the colours it was taken with. The other had them removed, and a model made up new "
        "ones. You see both for a moment, then say which was **real**. Numbers cannot tell whether a colouring looks "
        "right; you can."
    )
    st.markdown("First some pairs to practise, when you are told whether you were right, then those that count.")
    models = list(offered_models())
    with st.expander("Settings of the study", icon=":material/tune:"):
        named = st.multiselect("Models", models, models, key="judged_models", help="COLORLIB_MODELS adds more.")
        st.number_input("Seconds that a pair is shown", 0.1, LONGEST, Design.seconds, 0.1, key="judged_seconds")
        practice = st.number_input("Practice trials", 0, 40, Design.practice, key="judged_practice")
        scored = st.number_input("Scored trials", 4, 400, Design.scored, key="judged_scored")
        st.caption("Leave them as they are unless you run the study. Rates for different times are never put together.")
    if _photograph_folder() is None:
        st.info(
            "These are the few colour photographs that ship with the app, enough to try it out: a session is short, "
            "and memory helps. For a study of your own, set COLORLIB_JUDGE_PHOTOS to a folder of at least "
            f"{Design(practice, scored).photographs} colour photographs that no model was trained on.",
            icon=":material/photo_library:",
        )
    st.button("Begin", type="primary", disabled=not named, width=240, on_click=_begin)
    if trouble := st.session_state.pop("judging_trouble", None):
        st.error(trouble, icon=":material/error:")
    st.caption(
        "Please take part once. What is kept of you: your answers, how long each took, when it was given, and a random "
        "number that holds them together; no name, no address, nothing about your device."
    )


def _begin() -> None:
    settings = st.session_state  # what was typed a moment ago is there, and not yet on the page
    design = Design(settings["judged_practice"], settings["judged_scored"], settings["judged_seconds"])
    names, rng = settings["judged_models"], np.random.default_rng()
    try:
        human_study.prepare_answers(human_study.answers_path())
        for name in names:
            colorizer(offered_models()[name])
        photographs = human_study.choose_photographs(design.photographs, rng, _photograph_folder())
        trials = human_study.plan_session(photographs, names, design, rng)
    except (OSError, ValueError) as error:
        settings["judging_trouble"] = str(error)
        return
    settings["judging"] = Session(trials, photographs, design)


def _show_thanks(session: Session) -> None:
    scored = [trial for trial in session.trials if trial.kind != "practice"]
    st.title("Thank you.")
    st.markdown(f"Your {len(scored)} answers are in. See below what people were fooled by.")
    st.button("Next person", icon=":material/person_add:", on_click=_forget)


def _forget() -> None:
    st.session_state.pop("judging", None)


# ------------------------------------------------------------------------------------------------------- a trial


def _show_trial(session: Session) -> None:
    number = session.done
    trial = session.trials[number]
    practice = sum(other.kind == "practice" for other in session.trials)
    if number < practice:
        words, share = f"Practice {number + 1} of {practice}", (number + 1) / practice
    else:
        total = len(session.trials) - practice
        words, share = f"Pair {number - practice + 1} of {total}", (number - practice + 1) / total
    st.progress(share, words)
    st.markdown(_feedback(session, practice), text_alignment="center")
    if session.sent is None or time.monotonic() < session.sent + LEAD + session.design.seconds:
        pair = _pair(session, trial)
        if session.sent is None:
            session.sent = time.monotonic()
        st.iframe(pair, height=FRAME_HEIGHT, alt="The pair of pictures")
    else:  # the page was left and come back to; a second look would not be the same trial
        st.iframe(_frame_html(), height=FRAME_HEIGHT, alt="The pair was shown already")
    st.html(BUTTON_STYLE.format(number=number, wait=LEAD + session.design.seconds))
    st.markdown("Which one was the **real** photograph?", text_alignment="center")
    with st.container(horizontal=True, key=f"answers-{number}"):
        for side, label in SIDES.items():
            st.button(
                label,
                key=f"{side}-{number}",
                shortcut=label,
                width="stretch",
                on_click=_answer,
                args=(session, number, side),
            )
    if session.trouble:
        st.error(session.trouble, icon=":material/error:")
    st.button("Stop here", type="tertiary", on_click=_forget, help="What you answered so far is kept.")


def _feedback(session: Session, practice: int) -> str:
    if session.right is not None:
        side = session.trials[session.done - 1].real_side
        verdict = f"{':green[**Yes**]' if session.right else ':red[**No**]'}, the real one was on the {side}."
        return verdict + (" From here on answers count, and nobody tells you." if session.done == practice else "")
    return "Look at the cross." if session.done == 0 else "&nbsp;"


def _answer(session: Session, number: int, side: str) -> None:
    """Keep an answer and go on; a second press for the same pair, and one before it was hidden, do nothing."""
    if session.done != number or session.sent is None:
        return
    seconds = time.monotonic() - session.sent - LEAD - session.design.seconds
    if seconds < 0:
        return
    trial = session.trials[number]
    try:
        human_study.record_answer(
            human_study.answers_path(), session.id, number + 1, trial, side, seconds, session.design.seconds
        )
    except (OSError, ValueError) as error:
        session.trouble = f"Your answer was not kept: {error} Answer again to try once more."
        return
    session.right = side == trial.real_side if trial.kind == "practice" else None
    session.done, session.sent, session.trouble = number + 1, None, ""


def _pair(session: Session, trial: Trial) -> str:
    square = session.photographs[trial.photograph]
    if trial.donor is not None:
        other = human_study.miscolored_picture(square, session.photographs[trial.donor])
    else:
        other = human_study.colored_picture(square, colorizer(offered_models()[trial.model]))
    pair = [human_study.real_picture(square), other]
    if trial.real_side == "right":
        pair.reverse()
    return _frame_html(pair, session.design.seconds)


def _frame_html(pair: list[bytes] | None = None, seconds: float = 0.0) -> str:
    """Return the frame: a cross between two empty squares, which are filled once for so many seconds."""
    pictures = ["", ""]
    if pair is not None:
        pictures = [
            f'<img alt="" decoding="sync" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
            for picture in pair
        ]
    squares = [f"<div>{picture}</div>" for picture in pictures]
    return FRAME.format(lead=LEAD, seconds=seconds, left=squares[0], right=squares[1], side=human_study.SIDE)


FRAME_HEIGHT = human_study.SIDE + 8
FRAME = """<style>
html {{ color-scheme: light dark; }}
body {{ margin: 0; height: 100vh; display: flex; align-items: center; justify-content: center; gap: 8px;
  overflow: hidden; }}
div {{ flex: 0 1 {side}px; aspect-ratio: 1; background: #8883; border-radius: 4px; overflow: hidden; }}
b {{ flex: none; width: 16px; text-align: center; font: 20px/1 sans-serif; color: #888; }}
img {{ display: block; width: 100%; visibility: hidden; animation: shown {seconds}s step-end {lead}s; }}
@keyframes shown {{ from, to {{ visibility: visible; }} }}
</style>{left}<b>+</b>{right}"""

# The answers wait until the pair is hidden, in the browser's time.
BUTTON_STYLE = """<style>
.st-key-answers-{number} {{ animation: ready-{number} 0s {wait}s both; }}
@keyframes ready-{number} {{ from {{ pointer-events: none; opacity: 0.35; }} to {{ opacity: 1; }} }}
</style>"""
PAGE_STYLE = "<style>[class*='st-key-answers-'] button { min-height: 3.5rem; }</style>"


# ------------------------------------------------------------------------------------------------------- results


def _show_results() -> None:
    with st.expander("Results so far", icon=":material/bar_chart:"):
        try:
            answers = human_study.read_answers(human_study.answers_path())
        except (OSError, ValueError) as error:
            st.error(str(error), icon=":material/error:")
            return
        counted, sessions = human_study.counted_answers(answers)
        table = human_study.fooling_rates(counted)
        if len(table):
            st.image(figure_bytes(human_study.plot_rates(table)), width=620)
            shown = table.reset_index()[["model", "rate", "low", "high", "answers", "people", "photographs", "method"]]
            number = st.column_config.NumberColumn(format="%.1f %%")
            st.dataframe(
                shown.rename(columns={"rate": "fooling rate"}),
                hide_index=True,
                column_config={"fooling rate": number, "low": number, "high": number},
            )
            for pair, found in human_study.rate_differences(counted).items():
                st.markdown(human_study.about_difference(*pair, found))
        else:
            st.markdown("No answers that count yet.")
        st.caption(
            f"The fooling rate is the share of pairs in which the coloured picture was taken for the real one; at 50 % "
            f"nobody can tell. Ends are those of 95 % intervals. {human_study.about_sessions(sessions)} "
            f"{human_study.about_power(table, Design.scored, max(1, len(offered_models())))}"
        )
        st.download_button(
            "All answers as CSV",
            answers.to_csv(index=False),
            "answers.csv",
            "text/csv",
            icon=":material/download:",
            disabled=not len(answers),
        )
