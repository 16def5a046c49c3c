"""The page over all reports: its words follow from their files."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest
from fake_study import write_study

from colorlib.reports import write_report
from colorlib.reports.overview import BEGIN, END, overview, verdict, with_answer, with_links, write_overview

REPORTS = Path(__file__).parents[1] / "reports"
ROWS = pd.DataFrame(
    {
        "group": ["trained"] * 3 + ["trivial"],
        "model": ["unet", "vit", "unet", "grey"],
        "objective": ["l1", "l1", "0.5 ciede2000 + l2", None],
        "trained_on_primary": [False, False, True, False],
        "seeds": [3, 3, 3, 1],
        "images": 1_000,
        "images_seen": [8_000, 9_000, 8_000, None],
        "may_be_best": ["yes", "no", "no", ""],
        "against_grey": ["better", "better", "undecided", ""],
        "delta_e_2000": [9.0, 10.0, 11.0, 12.0],
    },
    index=["a", "b", "c", "grey"],
)


def changed(**cells):
    table = ROWS.copy()
    for place, value in cells.items():
        row, _, column = place.partition("_")
        table.loc[row, column] = value
    return table


def test_best_is_said_only_where_the_table_decides_it():
    said = verdict(ROWS)
    assert "**`a` is best by this measure**" in said and "9.00 on 1,000 photographs" in said
    assert (
        "each of the 2 other trained rows is shown not to be it" in said
        and "2 of 3 trained rows are shown to be better" in said
    )
    assert "`c` learned on the very measure that ranks the rows." in said and "8,000 to 9,000 photographs" in said
    said = verdict(changed(c_may_be_best="yes"))
    assert (
        "**No row is shown to be the best**: 2 of 3 trained rows may be it, with ΔE 2000 from 9.00, `a`, to 11" in said
    )
    earlier = ROWS.rename(columns={"may_be_best": "against_best"}).replace({"yes": "", "no": "worse"})
    assert verdict(earlier) == verdict(ROWS)
    assert "2 of 2 trained rows may be it" in verdict(earlier.iloc[:2].replace({"worse": "undecided"}))
    said = verdict(changed(b_seeds=1))
    assert (
        "is best" not in said
        and "2 of 3 trained rows" in said
        and "; 1 of them, trained once, decided nothing." in said
    )
    said = verdict(changed(b_seeds=1, c_may_be_best="yes"))
    assert "2 of 3 trained rows" in said and "; 1 more, trained once, decided nothing." in said
    said = verdict(changed(a_seeds=1))
    assert "is best" not in said and "1 of 3 rows were trained only once" in said
    said = verdict(changed(a_trained_on_primary=True))
    assert (
        "`a` and `c` learned on the very measure that ranks the rows; of those that did not, the first is `b`." in said
    )
    said = verdict(ROWS.drop(columns="trained_on_primary"))
    assert said.startswith("**Not decided**: `a` has the lowest ΔE 2000, 9.00 on 1,000 photographs, but an earlier")
    assert verdict(ROWS[3:]) == "No network of this study has finished."


NOTE = "‡ Trained on ΔE 2000 itself, which ranks the rows."


def answer(folder: Path, **cells: object) -> list[str]:
    """Return the lines of the answer in short, of two reports of the same rows, a and b of one design."""
    for name in ("budgets", "objectives"):
        (folder / name).mkdir(parents=True)
        table = changed(**cells).assign(delta_e_2000_low=8.0, delta_e_2000_high=13.0)
        table.to_csv(folder / name / "results.csv", index_label="label")
        settings = {"seed": 0, "architecture": ["wide", "wide", "deep"], "encoder": None, "budget": range(3)}
        pd.DataFrame({"label": ["a", "b", "c"], **settings}).to_csv(folder / name / "runs.csv", index=False)
        (folder / name / "comparison.md").write_text(f"# Title\n\nQuestion\n\n{NOTE}\n", encoding="utf-8")
    return with_answer(BEGIN + END, folder).splitlines()


def test_the_answer_is_three_sentences_and_a_row_a_design(tmp_path):
    lines = answer(tmp_path / "decided")
    said = [line for line in lines if line.startswith("- ")]
    assert len(said) == 3 and all(line.count(". ") == 0 and line.endswith(".") for line in said)
    assert said[1] == (
        "- **To train a network**: `a` leads and is shown to be better than leaving photographs grey, by 3.00; "
        "1 of 3 networks may be the best."
    )
    rows = [line.split(" | ")[0] for line in lines if line.startswith("| ")]
    assert rows == ["| row", "| ---", "| a", "| c ‡", "| grey"] and NOTE in lines
    said = answer(tmp_path / "own", a_trained_on_primary=True, a_against_grey="undecided")
    assert any("`a` (trained on ΔE 2000 itself) leads and is not shown to be better" in line for line in said)
    once = "no verdict: one training"
    lines = answer(tmp_path / "once", a_may_be_best=once, b_may_be_best="yes", c_trained_on_primary=False)
    assert any(
        "`b` leads" in line and "1 of 2 losses trained more than once may be the best." in line for line in lines
    )
    assert not any(line.startswith("| a") for line in lines) and NOTE not in lines
    lines = answer(tmp_path / "none", a_may_be_best=once, b_may_be_best=once, c_may_be_best=once)
    assert "- **To choose a loss**: nothing was trained more than once, so nothing is decided." in lines


def test_a_notebooks_name_links_to_it_and_to_its_page(tmp_path):
    (tmp_path / "notebooks" / "rendered").mkdir(parents=True)
    (tmp_path / "notebooks" / "12_unet.ipynb").touch()
    text = "`12_unet`, `13_gone` and `unet`"
    linked = with_links(text, tmp_path)
    assert linked == "[`12_unet`](notebooks/12_unet.ipynb), `13_gone` and `unet`"
    (tmp_path / "notebooks" / "rendered" / "12_unet.md").touch()
    linked = with_links(linked, tmp_path)
    assert linked.startswith("[`12_unet`](notebooks/12_unet.ipynb) ([page](notebooks/rendered/12_unet.md)), ")
    assert with_links(linked, tmp_path) == linked


@pytest.mark.slow
def test_the_page_is_made_of_the_reports_there_are(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no report: run a study first"):
        write_overview(tmp_path)
    write_report(write_study(tmp_path / "runs"), tmp_path / "reports" / "tiny")
    text = write_overview(tmp_path / "reports").read_text()
    table = pd.read_csv(tmp_path / "reports" / "tiny" / "results.csv", index_col="label")
    row = table.loc["unet · l1"]
    ends = f"{row['delta_e_2000']:.2f} ({row['delta_e_2000_low']:.2f} to {row['delta_e_2000_high']:.2f})"
    assert f"| unet · l1 | {ends} |" in text and verdict(table) in text
    assert "### A tiny study\n\n*Which loss colours best?*" in text and 'alt="unet · l2"' in text
    pictures = [part.partition('"')[0] for part in text.split('<img src="')[1:]]
    assert len(pictures) == 6 and all((tmp_path / "reports" / path).exists() for path in pictures)


def test_the_committed_page_is_of_the_committed_reports(tmp_path):
    """What a reader's own studies have written into the folder is no part of it."""
    listed = subprocess.run(["git", "ls-files", "."], cwd=REPORTS, capture_output=True, text=True, check=True).stdout
    for name in {line.partition("/")[0] for line in listed.splitlines()}:
        (tmp_path / name).symlink_to(REPORTS / name)
    text = (REPORTS / "README.md").read_text(encoding="utf-8")
    assert text == overview(tmp_path), "run `colorlib overview`"
    assert "| truth | grey | ciede2000 ‡ |" in text and text.count("\n‡ Trained on ΔE 2000 itself") == 1


def test_a_readme_that_lost_the_end_of_the_answer_is_left_as_it_is(tmp_path):
    (tmp_path / "reports").mkdir()
    for name in ("budgets", "objectives"):
        (tmp_path / "reports" / name).symlink_to(REPORTS / name)
    text = f"# Ours\n{BEGIN}\nall that follows is the author's own\n"
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(ValueError, match="no line '<!-- end of the answer -->': put it back"):
        write_overview(tmp_path / "reports")
    assert (tmp_path / "README.md").read_text() == text and not (tmp_path / "reports" / "README.md").exists()


def test_the_readme_answers_with_the_committed_reports():
    readme = (REPORTS.parent / "README.md").read_text(encoding="utf-8")
    assert "- **To train a network**: " in readme and with_answer(readme, REPORTS) == readme, "run `colorlib overview`"
