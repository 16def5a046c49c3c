"""Which of the two is the real photograph? The human study that no metric replaces.

A photograph and a model's colouring of its lightness stand side by side for one second; then the person says which was
real. The *fooling rate* is the share of answers that took the coloured one. :mod:`~colorlib.human_study.session` plans
what a person sees, :mod:`~colorlib.human_study.answers` keeps what they said, :mod:`~colorlib.human_study.rates` counts
it, and :mod:`~colorlib.human_study.words` says what it amounts to. The page of ``make app`` asks people, and::

    colorlib human-study runs/fooling/answers.sqlite --csv answers.csv

evaluates their answers.

Reference: R. Zhang, P. Isola and A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 3.1: the protocol.
"""

from colorlib.human_study.answers import answers_path, prepare_answers, read_answers, record_answer
from colorlib.human_study.rates import (
    Rate,
    Sessions,
    counted_answers,
    fooling_rate,
    fooling_rates,
    rate_differences,
    wilson,
)
from colorlib.human_study.session import (
    CHECK,
    SIDE,
    Design,
    Trial,
    choose_photographs,
    colored_picture,
    miscolored_picture,
    plan_session,
    real_picture,
)
from colorlib.human_study.words import (
    about_difference,
    about_power,
    about_sessions,
    answers_needed,
    plot_rates,
    summary,
)

__all__ = [
    "CHECK",
    "SIDE",
    "Design",
    "Rate",
    "Sessions",
    "Trial",
    "about_difference",
    "about_power",
    "about_sessions",
    "answers_needed",
    "answers_path",
    "choose_photographs",
    "colored_picture",
    "counted_answers",
    "fooling_rate",
    "fooling_rates",
    "miscolored_picture",
    "plan_session",
    "plot_rates",
    "prepare_answers",
    "rate_differences",
    "read_answers",
    "real_picture",
    "record_answer",
    "summary",
    "wilson",
]
