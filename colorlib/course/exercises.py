"""Exercises: an answer goes in, and what comes out is whether it is right."""

from typing import Any

from colorlib.course.remark import Remark


def check(answer: Any, right: Any, *, within: float = 0.0, because: str = "", hint: str = "") -> None:
    """Show whether an answer to an exercise is right.

    Args:
        answer: the reader's; None is no answer yet.
        right: the right one, computed from data; or a function that takes the answer and returns whether it is right,
            where many are.
        within: how far off a number may be.
        because: shown with a right answer: why it is.
        hint: shown with one that is not.

    Example:
        >>> check(None, 4)
        Not answered yet.
        >>> check(3.9, 4, within=0.2, because="two and two")
        Right: two and two
        >>> check("red", "green", hint="what do leaves have in common?")
        Not right yet: what do leaves have in common?
        >>> check(lambda x: x / 0, lambda double: double(2) == 4)
        Not right yet: the answer ends in ZeroDivisionError: division by zero.
    """
    if answer is None:
        return Remark("Not answered yet").show()
    try:
        solved = bool(right(answer) if callable(right) else _equal(answer, right, within))
    except Exception as error:  # whatever a reader may have written
        return Remark("Not right yet", f"the answer ends in {type(error).__name__}: {error}.").show()
    (Remark("Right", because) if solved else Remark("Not right yet", hint)).show()


def _equal(answer: Any, right: Any, within: float) -> bool:
    if isinstance(right, int | float) and not isinstance(right, bool):
        return abs(float(answer) - right) <= within
    if isinstance(right, str):
        return str(answer).strip().casefold() == right.casefold()
    return answer == right
