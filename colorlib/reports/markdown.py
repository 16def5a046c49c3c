"""A report as Markdown: the answer, then what its sections say."""

from colorlib.reports.comparison import Comparison
from colorlib.reports.findings import about_seeds, about_unshown, answer
from colorlib.reports.page import FEW
from colorlib.reports.tables import markdown_details
from colorlib.reports.words import plural


def to_markdown(c: Comparison) -> str:
    """Write the answer and what the sections say as Markdown."""
    lines = [f"# {c.study.get('title') or c.study['name']}", "", c.study.get("question", ""), "", "## The answer", ""]
    lines += [*(f"- {sentence}" for sentence in answer(c)), "", about_seeds(c) if c.trained else "", ""]
    for section in c.sections:
        lines += section.markdown()
    alike: dict[str, list[str]] = {}
    for row in c.failures():
        alike.setdefault(f"{row['status'].capitalize()}: {row['error'] or 'no message'}", []).append(f"`{row['id']}`")
    for why, rows in alike.items():
        named = f"{why} {', '.join(rows)}"
        lines += ["", named] if len(rows) <= FEW else markdown_details(f"{why} {plural(len(rows), 'row')}", [named])
    lines += ["", about_unshown(c.unshown)]
    return "\n".join(lines).rstrip() + "\n"
