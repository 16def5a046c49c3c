"""What the models that ship score, read from their cards."""

import re

from colorlib.files import LIBRARY
from colorlib.reports.rows import PRIMARY

VIVID = "colorfulness_hs03"


def read_cards() -> dict[str, str]:
    """Return model -> the text of its card."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((LIBRARY / "weights").glob("*.md"))}


def nearest_and_boldest(cards: dict[str, str]) -> tuple[str, str]:
    """Name the model that comes nearest to the true colours, and the one that is the most colourful."""
    nearest = min(cards, key=lambda name: float(score(cards[name], PRIMARY).split()[0]))
    return nearest, max(cards, key=lambda name: float(score(cards[name], VIVID).split()[0]))


def score(card: str, metric: str, column: int = 1) -> str:
    """Return a model's score with its interval from the table of its card: its own, or in 2 what it is above grey's."""
    found = re.search(rf"^\| {metric}\b[^|]*(?:\| [^|]+){{{column - 1}}}\| ([^|]+?) \|", card, re.MULTILINE)
    return found[1] if found else "0 (not measured)"
