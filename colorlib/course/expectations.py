"""What a notebook expects of its next cell, put to the test by the notebook's own results."""

from typing import Any

from colorlib.course.remark import Remark


def expected(claim: str, held: Any, figures: str) -> None:
    """Show whether an expectation held, beside the figures that say so.

    Args:
        claim: what was expected, without a full stop.
        held: whether it did, computed from results: a truth value, or an array or tensor of one.
        figures: what that was computed from.

    Example:
        >>> expected("grey comes first", 21.5 > 20.0, "21.5 dB against 20.0")
        Held: grey comes first (21.5 dB against 20.0).
        >>> expected("grey comes first", 19.5 > 20.0, "19.5 dB against 20.0")
        Did not hold: grey comes first (19.5 dB against 20.0).
    """
    Remark("Held" if bool(held) else "Did not hold", f"{claim} ({figures}).").show()
