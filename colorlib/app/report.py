"""The page that shows a study's report."""

import base64
import re
from html import unescape
from pathlib import Path

import streamlit as st

from colorlib.files import project_folder

# A report as it is shown has all its pictures in it, and has no script. One that claims to be is let do no more.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def find_reports() -> dict[str, Path]:
    """Return the reports of the project, name -> file, the newest first."""
    found = (project_folder() / "reports").glob("*/index.html")
    return {path.parent.name: path for path in sorted(found, key=lambda path: (-path.stat().st_mtime, path))}


def page() -> None:
    """Show the page: one report, chosen among those there are."""
    st.title("What the study found")
    reports = find_reports()
    if not reports:
        st.info(
            "There is no report yet: `make study` runs the quick study, in some ten minutes, and writes one to "
            "`reports/quick/`. Then load this page again.",
            icon=":material/description:",
        )
        return
    titles = {}
    for name, path in reports.items():
        with open(path, encoding="utf-8", errors="replace") as file:
            title = re.search("<title>(.*?)</title>", file.read(4096), re.DOTALL)
        titles[name] = f"{name}: {unescape(title[1]).strip()}" if title else name
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Report", list(reports), format_func=titles.__getitem__)
        content = with_pictures(reports[name])
        st.download_button("Download", content, f"{name}.html", "text/html", icon=":material/download:")
    st.html("<style>.st-key-report iframe { height: calc(100vh - 5rem); min-height: 20rem; }</style>")
    with st.container(key="report"):
        st.iframe(with_policy(content), height=800, alt=titles[name])


def with_pictures(path: Path) -> str:
    """Read a report's page with the pictures of its folder in it, so that it needs no file beside it."""
    folder = path.parent.resolve()

    def embed(found: re.Match[str]) -> str:
        picture = (folder / found[1]).resolve()
        if not picture.is_relative_to(folder) or not picture.is_file():
            return found[0]
        kind = found[2].replace("jpg", "jpeg")
        return f'src="data:image/{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"'

    return re.sub(r'src="(figures/[^"]+\.(png|jpg))"', embed, path.read_text(encoding="utf-8", errors="replace"))


def with_policy(content: str) -> str:
    """Return a page that may show what it holds, and may neither run a script nor ask for anything from elsewhere."""
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return (
        re.sub(r"<head[^>]*>", lambda found: found[0] + head, content, count=1)
        if "<head" in content
        else head + content
    )
