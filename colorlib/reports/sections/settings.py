"""What one setting buys: each row beside the row that differs from it in that setting alone."""

import json
from functools import cached_property

from colorlib.reports.rows import NOT_SETTINGS, PRIMARY, Row
from colorlib.reports.sections.base import PairsSection
from colorlib.reports.tables import difference_cell
from colorlib.reports.words import are, head, number

SETTINGS = {  # of an encoder and of a training, in the order of the table, and what each is to a reader
    "pretraining": "An encoder that knows ImageNet",
    "encoder_rate": "Another learning rate of the encoder",
    "statistics": "Statistics that move",
    "ema": "Averaged weights",
    "crop": "Crops",
    "contrast": "Changes of contrast",
    "degrade": "The look of old film",
}
VIVID = "colorfulness_hs03"
SEEN = (
    "These photographs are of ImageNet's classes: those that were taken from ImageNet itself the encoder has seen in "
    "colour, with their names, and on others it may be worth less."
)


class Settings(PairsSection):
    heading = "What one setting buys"
    note = (
        "All else is the same in both rows. Figures with an arrow lead from the row without it to the row with it. The "
        "study was made for these comparisons, so they have a part of the level to themselves."
    )

    @cached_property
    def pairs(self) -> list[tuple[str, str, str]]:
        """Setting, label of the row that has it, and of the row that is the same without; the largest gain first."""
        found = []
        means = {label: interval.mean for label, interval in self.c.intervals[PRIMARY].items()}
        trained = [row for row in self.c.rows if row.group == "trained"]
        for setting in SETTINGS:
            without = {_rest(row, setting): row.label for row in trained if _value(row, setting) is None}
            with_it = [row for row in trained if _value(row, setting) is not None]
            pairs = [(setting, row.label, without[rest]) for row in with_it if (rest := _rest(row, setting)) in without]
            found += sorted(pairs, key=lambda pair: means[pair[1]] - means[pair[2]])
        return found

    @cached_property
    def planned(self) -> list[tuple[str, str]]:
        return [pair[1:] for pair in self.pairs]

    @cached_property
    def sentences(self) -> list[str]:
        """For each setting: in how many rows it helps or harms, and where it helps most."""
        lines = []
        for setting, words in SETTINGS.items():
            pairs = [pair[1:] for pair in self.pairs if pair[0] == setting]
            verdicts = [self.c.verdict(*pair) for pair in pairs]
            if len(pairs) > 1:
                better = verdicts.count("better")
                shown = f"{better} of {len(pairs)} rows {are(better)} shown to be lower in {head(PRIMARY)}"
                shown += f" and {verdicts.count('worse')} higher"
                most = verdicts.index("better") if "better" in verdicts else 0
                shown += ", of those the most" if "better" in verdicts else f"; the most, {verdicts[most]},"
                lines.append(
                    f"{words}: {shown} {pairs[most][0]}, {self._difference(*pairs[most])}.{self._seen(setting)}"
                )
            elif pairs:
                told = f"{words}: {head(PRIMARY)} {self._difference(*pairs[0])} in {pairs[0][0]}, {verdicts[0]}."
                lines.append(told + self._seen(setting))
        return lines

    def _seen(self, setting: str) -> str:
        """Say what such a comparison hides where the photographs may be those that the encoder learned on."""
        known = setting == "pretraining" and "log_probability_lite2" in self.c.intervals
        return f" {SEEN}" if known else ""

    @cached_property
    def headline(self) -> str:
        return self.sentences[0] if self.sentences else ""

    @cached_property
    def table(self) -> list[list[str]]:
        """A line for each pair: the difference with its verdict, and how vivid both are."""
        lines = [["row", f"{head(PRIMARY)}, difference", "verdict", head(VIVID), "beside"]]
        for _, label, other in self.pairs:
            ends = (number(self.c.intervals[VIVID][name].mean, 1) for name in (other, label))
            lines.append([label, self._difference(label, other), self.c.verdict(label, other), " → ".join(ends), other])
        return lines if len(lines) > 1 else []

    def _difference(self, label: str, other: str) -> str:
        return difference_cell(self.c.differences[label, other])


def _value(row: Row, setting: str) -> object:
    """Return what a row has for a setting, or None where it has what a training has that says nothing of it."""
    if setting == "pretraining":
        return None if row.encoder["pretraining"] == "none" else row.encoder["pretraining"]
    return _all(row).get(setting)


def _rest(row: Row, setting: str) -> str:
    """Return all settings of a row but one, as a key."""
    rest = _all(row) | row.encoder
    return json.dumps({name: value for name, value in rest.items() if name != setting}, sort_keys=True)


def _all(row: Row) -> dict[str, object]:
    left_out = (*NOT_SETTINGS, "label", "model_options")
    given = {name: value for name, value in row.config.items() if name not in left_out}
    return given | (row.config.get("model_options") or {})
