"""Which model should I use?: one page over all reports of a folder, ``README.md``, from the files that lie there; and
the same in three sentences and a table, for the README of the project, whose notebooks' names it makes links.

It is for a reader who knows nothing of the study. A row is called best only where a report's own table says that no
other trained row may be it, and each of them was trained more than once.
"""

import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

import pandas as pd

from colorlib.files import atomic_path
from colorlib.reports.cards import VIVID, nearest_and_boldest, read_cards, score
from colorlib.reports.rows import PRIMARY
from colorlib.reports.tables import PIXELS, markdown_table
from colorlib.reports.words import are, head, listed, number, plural, short

OWN = "trained_on_primary"
FIRST = 5  # trained rows of a report in its table
STRIP = 3  # of them that are shown as pictures
IN_SHORT = {"budgets": ("To train a network", "networks"), "objectives": ("To choose a loss", "losses")}  # by report
ROWS_IN_SHORT = 8  # of the first of them, grey among them
BEGIN, END = "<!-- the answer, written by `colorlib overview` -->", "<!-- end of the answer -->"
OPENING = """# Which model should I use?

Written from the files in this folder by `colorlib overview`.

Two numbers say how a coloured photograph stands to the real one. **ΔE 2000** is how far its colours lie from the true
ones as an eye sees it: less is better, about 1 is just visible, and leaving every photograph grey scores {grey}.
**Colourfulness** is how vivid it is, whether right or wrong. A model that is unsure does best in the first by painting
little, and in the second by painting boldly, so look at both, and at the pictures. **MACs** are what a model computes
for one photograph: multiplications, each with an addition, the same number on every machine."""


def write_overview(folder: Path | str) -> Path:
    """Write the page over all reports below a folder, and return its path.

    A ``README.md`` beside the folder that has the lines ``BEGIN`` and ``END`` gets the answer in short between them,
    and links to the notebooks that it names.

    Args:
        folder: of the reports, each with ``results.csv`` and ``index.html``, and of ``deployment``, the sheets of
            photographs as the models that ship colour them, if there are any.

    Raises:
        FileNotFoundError: there is no report in the folder.
    """
    folder = Path(folder)
    texts, readme = {folder / "README.md": overview(folder)}, folder.parent / "README.md"
    if readme.exists() and BEGIN in (text := readme.read_text(encoding="utf-8")):
        texts[readme] = with_links(with_answer(text, folder), folder.parent)
    for path, text in texts.items():  # both or none
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / "README.md"


def with_answer(text: str, folder: Path) -> str:
    """Return a README's text with the answer in short of the reports in ``folder`` between ``BEGIN`` and ``END``.

    Without the line ``END``, where nobody knows what of the text was written here, it is a ValueError.
    """
    before, _, rest = text.partition(BEGIN)
    if END not in rest:
        raise ValueError(
            f"the README beside {folder} has the line {BEGIN!r} and, below it, no line {END!r}: put it back."
        )
    return "\n".join([before + BEGIN, *_in_short(folder), END + rest.partition(END)[2]])


def with_links(text: str, folder: Path) -> str:
    """Return a README's text with each notebook's name, such as `12_unet`, as a link to it and to its page, if any.

    Args:
        text: of the README; links of an earlier call are made anew.
        folder: of the project, where the README lies.
    """

    def link(found: re.Match[str]) -> str:
        name, page = found[1] or found[2], f"notebooks/rendered/{found[1] or found[2]}.md"
        if not (folder / f"notebooks/{name}.ipynb").exists():
            return found[0]
        return f"[`{name}`](notebooks/{name}.ipynb)" + (f" ([page]({page}))" if (folder / page).exists() else "")

    return re.sub(r"\[`(\w+)`\]\(notebooks/\1\.ipynb\)(?: \(\[page\]\([^)]*\)\))?|(?<!\[)`(\d\d_\w+)`", link, text)


def _in_short(folder: Path) -> Iterator[str]:
    """Yield three sentences, on the model, the network and the loss, and the first designs of the first report."""
    cards = read_cards()
    nearest, boldest = nearest_and_boldest(cards)
    gain = score(cards[nearest], PRIMARY, 2)
    yield (
        f"- **To colour a photograph**: `{nearest}` {_shown('+' not in gain)} to come nearer to the true colours than "
        f"leaving it grey, by {gain.split()[0].lstrip('−')} ({head(PRIMARY)}, of which about 1 is just visible), and "
        f"`{boldest}` is more colourful."
    )
    tables = {name: pd.read_csv(folder / name / "results.csv", index_col="label") for name in IN_SHORT}
    for name, (purpose, rows) in IN_SHORT.items():
        yield f"- **{purpose}**: {_leader(tables[name], rows)}"
    name = next(iter(IN_SHORT))
    designs = _best_of_each_design(tables[name], pd.read_csv(folder / name / "runs.csv"))
    lines = _first_rows(designs, ROWS_IN_SHORT - 1)
    yield from ("", *lines, *_note(folder / name, lines), "")
    yield (
        f"These are the first designs of [`{name}`]({folder.name}/{name}/comparison.md), each with its best budget of "
        f"those trained more than once; all reports: [*which model should I use?*]({folder.name}/README.md)"
    )


def _leader(table: pd.DataFrame, rows: str) -> str:
    """Say in one sentence which row leads, what it is worth beside grey, and how many may be the best.

    Args:
        table: ``results.csv`` with the labels as index, of a report whose verdicts hold their level.
        rows: what its rows are.
    """
    told = table[table["may_be_best"].isin(["yes", "no"])].sort_values(PRIMARY)
    if not len(told):
        return "nothing was trained more than once, so nothing is decided."
    leader = told.iloc[0]
    own = f" (trained on {head(PRIMARY)} itself)" if leader[OWN] else ""
    better = number((table.loc[table["model"] == "grey", PRIMARY] - leader[PRIMARY]).iloc[0])
    count = (told["may_be_best"] == "yes").sum()
    often = "" if len(told) == table["group"].isin(["trained", "judged"]).sum() else " trained more than once"
    return (
        f"`{leader.name}`{own} leads and {_shown(leader['against_grey'] == 'better')} to be better than leaving "
        f"photographs grey, by {better}; {count} of {len(told)} {rows}{often} may be the best."
    )


def _shown(shown: bool) -> str:
    return "is shown" if shown else "is not shown"


def _best_of_each_design(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Keep, of rows trained more than once that differ in their budget alone, the nearest to the truth; and grey.

    Args:
        table: ``results.csv`` with the labels as index.
        runs: ``runs.csv``, which names the settings of each row.
    """
    settings = runs.drop_duplicates("label").set_index("label").drop(columns=["seed", "budget"])
    told = table[(table["group"] == "trained") & table["may_be_best"].isin(["yes", "no"])].sort_values(PRIMARY)
    best = told[~settings.reindex(told.index).duplicated()]
    return pd.concat([best, table[table["model"] == "grey"]])


def overview(folder: Path) -> str:
    """Return the page as Markdown; what it takes and raises, :func:`write_overview` says."""
    reports = sorted(path.parent for path in folder.glob("*/results.csv"))
    if not reports:
        raise FileNotFoundError(f"{folder} holds no report: run a study first, which writes one.")
    tables = {report: pd.read_csv(report / "results.csv", index_col="label") for report in reports}
    grey = pd.concat([table.loc[table["model"] == "grey", PRIMARY] for table in tables.values()])
    ends = dict.fromkeys(number(end, 1) for end in (grey.min(), grey.max()))
    lines = [OPENING.format(grey=" to ".join(ends)), *_shipped(folder), "", "## To train a network yourself", ""]
    lines.append("Each study asks one question of many rows, all judged on the same photographs.")
    for report, table in tables.items():
        lines += _about(report, table)
    return "\n".join(lines) + "\n"


def _shipped(folder: Path) -> Iterator[str]:
    """Yield what to take for a photograph of one's own: the models that ship, by their cards, and their pictures."""
    cards = read_cards()
    scores = {name: (score(card, PRIMARY), score(card, VIVID)) for name, card in cards.items()}
    nearest, boldest = nearest_and_boldest(cards)
    yield from ("", "## To colour a photograph", "")
    yield "No training is needed: these models ship, and `colorlib colorize photo.jpg --model NAME` uses them."
    own, more = (float(score(cards[nearest], PRIMARY, column).split()[0].replace("−", "-")) for column in (1, 2))
    if nearest != boldest:
        yield f"`{nearest}` comes nearer to the true colours, `{boldest}` is more colourful."
    table = [["model", f"{head(PRIMARY)}, less is better", head(VIVID), "what it is"]]
    for name, card in cards.items():
        table.append([f"[`{name}`](../colorlib/weights/{name}.md)", *scores[name], card.split("\n\n")[1]])
    table.append(["leaving all grey", f"{own - more:.2f}", "0", "The same photographs, as they are."])
    yield from ("", *markdown_table(table))
    for sheet in sorted((folder / "deployment").glob("*.jpg"))[:2]:
        yield from ("", _picture(f"deployment/{sheet.name}", PIXELS, f"{sheet.stem}, as each model colours it"))
    if (folder / "deployment" / "README.md").exists():
        yield from ("", "Further photographs, and what is what: [contact sheet](deployment/README.md).")


def _about(report: Path, table: pd.DataFrame) -> Iterator[str]:
    """Yield a report's question, what its table decides, its main figure, first rows and pictures."""
    title, question = (report / "comparison.md").read_text(encoding="utf-8").removeprefix("# ").split("\n\n")[:2]
    yield from ("", f"### {title}", "", f"*{question}*", "", verdict(table))
    rows = _first_rows(table, FIRST)
    yield from ("", *rows)
    trained = table[table["group"].isin(["trained", "judged"])].sort_values(PRIMARY)
    pictures = _pictures(report, ["truth", "grey", *trained.index[:STRIP]])
    if pictures:
        paths = [_picture(f"{report.name}/{path}", 150, name) for name, path in pictures.items()]
        yield from ("", *markdown_table([[_marked(table, name) for name in pictures], paths]))
    yield from _note(report, rows)
    if (report / "figures" / "forest.png").exists():
        shown_as = _picture(f"{report.name}/figures/forest.png", PIXELS, f"{head(PRIMARY)} of every row")
        yield from ("", "<details>", "<summary>Every row</summary>", "", shown_as, "", "</details>")
    yield from ("", f"All of it: [{report.name}]({report.name}/comparison.md).")


def _first_rows(table: pd.DataFrame, count: int) -> list[str]:
    """Return the first trained rows of a report's table, and grey, as lines of Markdown."""
    trained = table[table["group"].isin(["trained", "judged"])].sort_values(PRIMARY)
    cells = [["row", f"{head(PRIMARY)} (95 % interval)", head(VIVID), "weights", "MACs a photograph"]]
    for name, row in pd.concat([trained[:count], table[table["model"] == "grey"]]).iterrows():
        ends = f"{number(row[PRIMARY])} ({number(row[f'{PRIMARY}_low'])} to {number(row[f'{PRIMARY}_high'])})"
        costs = short(row.get("parameters")), short(row.get("macs_per_image"))
        cells.append([_marked(table, str(name)), ends, number(row.get(VIVID), 1), *costs])
    return markdown_table(cells)


def _marked(table: pd.DataFrame, name: str) -> str:
    """Return a row's name with ‡ where it was trained on the metric that ranks it."""
    return f"{name} ‡" if name in table.index and table.get(OWN, {}).get(name) else name


def _note(report: Path, rows: list[str]) -> list[str]:
    """Return what a report says of ‡, where one of these lines of its table has it."""
    if not any("‡" in row for row in rows):
        return []
    return ["", *re.findall("^‡ .*$", (report / "comparison.md").read_text(encoding="utf-8"), re.MULTILINE)]


def verdict(table: pd.DataFrame) -> str:
    """Say what a report decides: the best row, or how many may be it, and what grey scores.

    Args:
        table: ``results.csv`` with the labels as index.
    """
    trained = table[table["group"].isin(["trained", "judged"])].sort_values(PRIMARY)
    if not len(trained):
        return "No network of this study has finished."
    first, others = trained.index[0], trained.iloc[1:]
    once = trained[(trained["seeds"] < 2) & (trained["group"] == "trained")]
    out = others["may_be_best"] == "no" if "may_be_best" in others else others["against_best"] == "worse"
    sure = others[~out & ~others.index.isin(once.index)]
    open_ = sure if len(sure) else others[others.index.isin(once.index)]
    photographs = plural(int(trained["images"].iloc[0]), "photograph")
    mean = number(trained[PRIMARY].iloc[0])
    if OWN not in table:  # made before verdicts held their level (tests/coverage.py)
        return (
            f"**Not decided**: `{first}` has the lowest {head(PRIMARY)}, {mean} on {photographs}, but an earlier "
            "version made this report, whose verdicts were too sure, so they are not repeated here."
        )
    if first in once.index:
        count = "Every row was" if len(once) == len(trained) else f"{len(once)} of {plural(len(trained), 'row')} were"
        text = (
            f"{count} trained only once, so how much of a difference is luck is not known: `{first}` has the lowest "
            f"{head(PRIMARY)}, {mean} on {photographs}, which does not show it to be the best."
        )
    elif len(open_):
        worst, luck = number(open_[PRIMARY].max()), ""
        if len(once):
            luck = f"; {len(once)} {'more' if len(sure) else 'of them'}, trained once, decided nothing"
        text = (
            f"**No row is shown to be the best**: {len(open_) + 1} of {plural(len(trained), 'trained row')} may be it, "
            f"with {head(PRIMARY)} from {mean}, `{first}`, to {worst} on {photographs}{luck}."
        )
    elif len(others):
        text = (
            f"**`{first}` is best by this measure**, with a {head(PRIMARY)} of {mean} on {photographs}: each of the "
            f"{plural(len(others), 'other trained row')} is shown not to be it."
        )
    else:
        text = f"`{first}` is its only trained row, with a {head(PRIMARY)} of {mean} on {photographs}."
    own = trained[OWN].astype(bool)
    if own.any():
        text += f" {listed(f'`{name}`' for name in trained.index[own])} learned on the very measure that ranks the rows"
        text += (
            f"; of those that did not, the first is `{trained.index[~own][0]}`."
            if own.iloc[0] and not own.all()
            else "."
        )
    better = (trained["against_grey"] == "better").sum()
    if (table["model"] == "grey").any():
        of = plural(len(trained), "trained row")
        text += f" {better} of {of} {are(better)} shown to be better than leaving photographs grey."
    seen = trained["images_seen"].dropna()
    if len(seen):
        span = f"{seen.min():,.0f}" + (f" to {seen.max():,.0f}" if seen.max() > seen.min() else "")
        text += f" Networks saw {span} photographs in training, repeats included."
    return text


def _pictures(report: Path, columns: list[str]) -> dict[str, str]:
    """Return column → the picture of the report's first photograph in it, as the report's page names them."""
    page = (report / "index.html").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for path, words in re.findall(r'<img src="(figures/\w+/1-\d+\.jpg)" alt="([^"]*)"', page):
        found.setdefault(unescape(words).partition(", ")[2], path)
    return {column: found[column] for column in columns if column in found}


def _picture(path: str, width: int, words: str) -> str:
    return f'<img src="{path}" width="{width}" alt="{escape(words)}">'
