"""A sentence that a notebook shows as prose, its first words in bold; elsewhere it is plain text."""

from IPython.display import display


class Remark(str):
    """A verdict and, after a colon, what it is about."""

    def __new__(cls, verdict: str, words: str = "") -> "Remark":
        remark = super().__new__(cls, f"{verdict}: {words}" if words else f"{verdict}.")
        remark.verdict = verdict
        return remark

    verdict: str

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return f"**{self.verdict}**{self[len(self.verdict) :]}"

    def show(self) -> None:
        """Show it where a notebook's cell shows its figures, or print it."""
        display(self)
