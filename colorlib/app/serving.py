"""The one queue of the server, and a visitor's place in it."""

from collections.abc import Callable
from concurrent.futures import CancelledError

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from colorlib.app.turns import Ended, GoOn, Queue, Result

PATIENCE = 120  # seconds that a visitor waits for what is to be seen at once


@st.cache_resource(show_spinner=False)
def queue() -> Queue:
    """Return the queue that all visitors share."""
    return Queue(is_here=lambda visitor: not exists() or get_instance().is_active_session(visitor))


def visitor() -> str:
    """Return what a visitor is known by: the session of one open page."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def in_turn(call: Callable[[GoOn], Result], who: str | None = None) -> Result:
    """Do a visitor's work when it is the visitor's turn, before what the visitor left to be done, and return it.

    Raises:
        Ended: it took too long, or the visitor has left.
    """
    try:
        return queue().submit(who or visitor(), call, first=True).result(PATIENCE)
    except TimeoutError:
        raise Ended("Too many are being served just now; try again in a minute.") from None
    except CancelledError:
        raise Ended("The work was given up because the page was left.") from None
