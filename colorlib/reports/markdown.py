"""A report as Markdown: the answer, then what its sections say."""

from colorlib.reports.comparison import Comparison
from colorlib.reports.findings import about_seeds, about_unshown, answer


def to_markdown(c: Comparison) -> str:
    """Write the answer and what the sections say as Markdown."""
    lines = [f"# {c.study.get('title') or c.study['name']}", "", c.study.get("question", ""), "", "## The answer", ""]
    lines += [" ".join(answer(c)), "", about_seeds(c) if c.trained else "", ""]
    for section in c.sections:
        lines += section.markdown()
    for row in c.failures():
        lines += ["", f"{row['status'].capitalize()}: {row['id']}: {row['error'] or 'no message'}"]
    lines += ["", about_unshown(c.unshown)]
    return "\n".join(lines).rstrip() + "\n"
