"""The page that shows what the study found: which model to use, then each report."""

import base64
import re
from html import unescape
from pathlib import Path

import pandas as pd
import streamlit as st

from colorlib.app.component import component
from colorlib.files import project_folder

OVERVIEW = "Which model should I use?"

# A report as it is shown has all its pictures in it, and has no script. One that claims to be is let do no more: its
# frame has a sandbox without scripts and without this page's origin, and its policy comes before all that is in it.
# The base makes its links to its own parts stay in the frame.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'"
HEAD = (
    f'<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="{POLICY}"><base href="about:srcdoc">'
    '<meta charset="utf-8">'
)
_frame = component("report")


def find_reports() -> dict[str, Path]:
    """Return the reports of the project, name -> file, those that compare most rows first."""

    def rows(path: Path) -> int:
        try:
            return len(pd.read_csv(path.with_name("results.csv")))
        except (OSError, ValueError):
            return 0

    found = (project_folder() / "reports").glob("*/index.html")
    return {path.parent.name: path for path in sorted(found, key=lambda path: (-rows(path), path))}


def page() -> None:
    """Show the page: the answer in short, or one report, chosen among those there are."""
    st.title("What the study found")
    reports, overview = find_reports(), project_folder() / "reports" / "README.md"
    titles = {OVERVIEW: OVERVIEW} if overview.exists() else {}
    for name, path in reports.items():
        with open(path, encoding="utf-8", errors="replace") as file:
            title = re.search("<title>(.*?)</title>", file.read(4096), re.DOTALL)
        titles[name] = unescape(title[1]).strip() if title else name
    if not titles:
        st.info("There is no report yet: a study writes one when it is done.", icon=":material/description:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Report", list(titles), format_func=titles.__getitem__, key="report")
        if chosen != OVERVIEW:
            content = with_pictures(reports[chosen])
            st.download_button("Download", content, f"{chosen}.html", "text/html", icon=":material/download:")
    if chosen == OVERVIEW:
        st.markdown(as_markdown(overview))
    else:
        _frame(key=f"frame-{chosen}", data={"content": with_policy(content), "title": titles[chosen]})


def as_markdown(path: Path) -> str:
    """Read the page over all reports as Streamlit shows it: pictures in it, no title, no links to files beside it."""
    text = path.read_text(encoding="utf-8", errors="replace")
    text = re.sub(r"\A# .*\n+(Written from .*\n)?", "", text)
    text = text.replace("ΔE 2000", "distance from the true colours")
    text = re.sub(r"</?details>\n?|<summary>.*?</summary>\n?", "", text)
    text = re.sub(r"(?m)^[\w ,]+: \[[^\]]*\]\((?!https?:)[^)]*\)\.\n+", "", text)  # a line that only points there
    text = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)

    def embed(found: re.Match[str]) -> str:
        address = _picture_address(path.parent, found[1])
        return f"![{unescape(found[2])}]({address})" if address else unescape(found[2])

    return re.sub(r'<img src="([^"]+)"[^>]*alt="([^"]*)">', embed, text)


def with_pictures(path: Path) -> str:
    """Read a report's page with the pictures of its folder in it, so that it needs no file beside it."""

    def embed(found: re.Match[str]) -> str:
        address = _picture_address(path.parent, found[1])
        return f'src="{address}"' if address else found[0]

    return re.sub(r'src="(figures/[^"]+)"', embed, path.read_text(encoding="utf-8", errors="replace"))


def _picture_address(folder: Path, name: str) -> str | None:
    """Return a PNG or JPEG inside a folder as an address that holds it."""
    picture = (folder / name).resolve()
    kind = {".png": "png", ".jpg": "jpeg"}.get(picture.suffix)
    if kind is None or not picture.is_relative_to(folder.resolve()) or not picture.is_file():
        return None
    return f"data:image/{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def with_policy(content: str) -> str:
    """Return a page that may show what it holds, and may neither run a script nor ask for anything from elsewhere."""
    return HEAD + content
