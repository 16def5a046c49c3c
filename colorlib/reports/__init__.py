"""What the runs of a study amount to: one comparison, and a report of sections that each say what they found in it."""

from colorlib.reports.comparison import Comparison
from colorlib.reports.findings import about_unshown, answer, describe_run
from colorlib.reports.markdown import to_markdown
from colorlib.reports.page import to_html
from colorlib.reports.report import compare, draw_figures, write_report
from colorlib.reports.rows import Row, gather_rows, runs_left_out
from colorlib.reports.samples import choose_samples, show_samples
from colorlib.reports.words import HEADS

__all__ = [
    "HEADS",
    "Comparison",
    "Row",
    "about_unshown",
    "answer",
    "choose_samples",
    "compare",
    "describe_run",
    "draw_figures",
    "gather_rows",
    "runs_left_out",
    "show_samples",
    "to_html",
    "to_markdown",
    "write_report",
]
