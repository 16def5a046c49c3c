"""The page over all reports: its words follow from their files."""

from pathlib import Path

import pandas as pd
import pytest
from fake_study import write_study

from colorlib.reports import write_report
from colorlib.reports.overview import overview, verdict, with_answer, write_overview

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


def test_the_committed_page_is_of_the_committed_reports():
    assert (REPORTS / "README.md").read_text(encoding="utf-8") == overview(REPORTS), "run `colorlib overview`"


def test_the_readme_answers_with_the_committed_reports():
    readme = (REPORTS.parent / "README.md").read_text(encoding="utf-8")
    assert "- **Which network**: " in readme and with_answer(readme, REPORTS) == readme, "run `colorlib overview`"
