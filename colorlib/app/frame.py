"""The frame of the app: title, style, and the pages to choose from."""

import logging
from pathlib import Path

import streamlit as st

from colorlib.app import color, judging, report

FOLDER = Path(__file__).parent

st.set_page_config(page_title="In colour", page_icon=FOLDER / "icon.svg", layout="wide")
st.html(FOLDER / "style.css")
pages = [
    st.Page(color.page, title="Colour", icon=":material/palette:", default=True),
    st.Page(judging.page, title="Which is real?", icon=":material/compare:", url_path="which-is-real"),
    st.Page(report.page, title="The study", icon=":material/description:", url_path="study"),
]
page = st.navigation(pages, position="hidden")  # Streamlit's own menu covers a phone's screen and stays there
with st.container(horizontal=True, gap="small", key="pages"):
    for each in pages:
        st.page_link(each)
try:
    page.run()
except Exception:  # a visitor gets a sentence, the terminal the traceback
    logging.getLogger(__name__).exception("a page failed")
    st.error("This went wrong on our side. Load the page again, or try another photograph.", icon=":material/error:")
