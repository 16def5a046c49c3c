"""The page on which people judge: which of the two is the real photograph?

The pictures are shown and hidden by the browser once it has both, and it takes the time of the answer from when they
vanish, so neither counts how long anything took to load. All else is :mod:`colorlib.human_study`.
"""

import base64
import math
import os
import secrets
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from colorlib import human_study
from colorlib.app.component import component
from colorlib.app.models import colorizer, offered_models
from colorlib.human_study import Design, Trial
from colorlib.plots import figure_bytes

LEAD = 1.0  # seconds between the cross and the pair, for the eyes to settle
LOADING = 60.0  # seconds after which a pair that was sent is taken for seen
LONGEST = 10.0  # seconds that a pair may be shown
SIDES = ("left", "right")

_component = component("pair")


@dataclass
class Session:
    """One person's trials, and how far they are.

    Attributes:
        id: a random number, all that is kept of a person.
        photographs: {identity: (SIDE, SIDE, 3) uint8}.
        done: so many answers were given.
        told: the trial in practice that was answered last and the side that was taken for real, until the next begins.
        sent: when the present pair was sent to the browser, on `time.monotonic`; None before.
        trouble: why the last answer could not be kept.
        attempt: so many answers could not be kept, for the browser to ask again.
    """

    trials: list[Trial]
    photographs: dict[str, np.ndarray]
    design: Design
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    done: int = 0
    told: tuple[Trial, str] | None = None
    sent: float | None = None
    trouble: str = ""
    attempt: int = 0


def page() -> None:
    """Show the page: what it is about, then the trials one by one, then thanks and the results."""
    session: Session | None = st.session_state.get("judging")
    if session is not None and session.told:
        _show_verdict(session, *session.told)
        return
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
        named = st.multiselect("Models", models, models, key="judged_models")
        st.number_input("Seconds that a pair is shown", 0.1, LONGEST, Design.seconds, 0.1, key="judged_seconds")
        practice = st.number_input("Practice trials", 0, 40, Design.practice, key="judged_practice")
        scored = st.number_input("Scored trials", 4, 400, Design.scored, key="judged_scored")
        st.caption("Leave them as they are unless you run the study. Rates for different times are never put together.")
    if _photograph_folder() is None:
        st.info(
            "These are the few colour photographs that ship with the app, enough to try it out: a session is short, "
            "and memory helps. For a study of your own, the page can be given a folder of at least "
            f"{Design(practice, scored).photographs} colour photographs that no model was trained on: the project's "
            "README says how.",
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
    st.markdown(_words_before(number, practice), text_alignment="center")
    seen = (
        session.trouble
        or session.sent is not None
        and time.monotonic() > session.sent + LEAD + session.design.seconds + LOADING
    )
    pictures = [] if seen else _pair(session, trial)  # a second look would not be the same trial
    if session.sent is None:
        session.sent = time.monotonic()
    key = f"pair-{session.id}"
    data = {"number": f"{number}.{session.attempt}", "pictures": pictures, "side": human_study.SIDE, "lead": LEAD}
    _component(
        key=key, data=data | {"seconds": session.design.seconds}, on_answer_change=partial(_answered, session, key)
    )
    if session.trouble:
        st.error(session.trouble, icon=":material/error:")
    st.button("Stop here", type="tertiary", on_click=_forget, help="What you answered so far is kept.")


def _words_before(number: int, practice: int) -> str:
    if number == practice and practice:
        return "From here on answers count, and nobody tells you whether they were right."
    return "Look at the cross." if number == 0 else "&nbsp;"


def _show_verdict(session: Session, trial: Trial, side: str) -> None:
    """Say whether an answer in practice was right, beside the pair, before the next one is shown."""
    right = side == trial.real_side
    verdict = ":green[**Yes**]" if right else ":red[**No**]"
    st.markdown(f"{verdict}, the real one was on the {trial.real_side}.", text_alignment="center")
    with st.container(horizontal=True, horizontal_alignment="center", gap="small", key="verdict"):
        for place, picture in zip(SIDES, _pair(session, trial), strict=True):
            words = "the photograph" if place == trial.real_side else "coloured by a machine"
            st.image(picture, words, width=human_study.SIDE)
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button("Next pair", type="primary", shortcut="Enter", on_click=partial(setattr, session, "told", None))


def _answered(session: Session, key: str) -> None:
    """Take what the browser says of an answer."""
    given = st.session_state[key].answer
    _answer(session, int(given["number"].partition(".")[0]), str(given["side"]), float(given["seconds"]))


def _answer(session: Session, number: int, side: str, seconds: float) -> None:
    """Keep an answer and go on; one for another pair than the present, and one that no browser gives, do nothing."""
    possible = side in SIDES and math.isfinite(seconds) and seconds >= 0
    if session.done != number or session.sent is None or not possible:
        return
    trial = session.trials[number]
    try:
        human_study.record_answer(
            human_study.answers_path(), session.id, number + 1, trial, side, seconds, session.design.seconds
        )
    except (OSError, ValueError) as error:
        session.trouble = f"Your answer was not kept: {error} Answer again to try once more."
        session.attempt += 1
        return
    session.told = (trial, side) if trial.kind == "practice" else None
    session.done, session.sent, session.trouble = number + 1, None, ""


def _pair(session: Session, trial: Trial) -> list[str]:
    """Return the two pictures of a trial from left to right, as addresses that hold them."""
    square = session.photographs[trial.photograph]
    if trial.donor is not None:
        other = human_study.miscolored_picture(square, session.photographs[trial.donor])
    else:
        other = human_study.colored_picture(square, colorizer(offered_models()[trial.model]))
    pair = [human_study.real_picture(square), other]
    if trial.real_side == "right":
        pair.reverse()
    return [f"data:image/png;base64,{base64.b64encode(picture).decode()}" for picture in pair]


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
