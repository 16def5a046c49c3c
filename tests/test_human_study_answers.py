"""The answers of the human study survive: many writers, damaged files, an earlier version; and their command."""

import contextlib
import multiprocessing
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from colorlib import cli
from colorlib.human_study import (
    Trial,
    answers_path,
    counted_answers,
    fooling_rates,
    plot_rates,
    prepare_answers,
    read_answers,
    record_answer,
)

SCORED = Trial("scored", "bundled/cat", "vivid", "left")


def write_many(path, session, count):
    prepare_answers(path)
    for number in range(1, count + 1):
        record_answer(path, session, number, SCORED, "left", 0.5, 1.0)


def test_many_at_once_lose_nothing(tmp_path):
    path = tmp_path / "deep" / "answers.sqlite"
    context = multiprocessing.get_context("fork")  # quick, and the children only write
    people = [context.Process(target=write_many, args=(path, f"person-{i}", 25)) for i in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.exitcode for person in people] == [0] * 4
    answers = read_answers(path)
    assert answers.groupby("session")["trial"].apply(sorted).tolist() == [list(range(1, 26))] * 4


def test_one_who_reads_stops_nobody_from_writing(tmp_path):
    path = tmp_path / "answers.sqlite"
    prepare_answers(path)
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM answers").fetchall()
    record_answer(path, "person", 1, SCORED, "right", 0.5, 1.0)
    reader.close()
    assert len(read_answers(path)) == 1


def test_the_first_answer_stands_and_all_of_it_is_kept(tmp_path):
    path = tmp_path / "answers.sqlite"
    assert read_answers(path).empty and not path.exists()
    prepare_answers(path)
    record_answer(path, "person", 3, SCORED, "right", 0.51249, 1.0)
    record_answer(path, "person", 3, SCORED, "left", 0.9, 1.0)
    row = read_answers(path).iloc[0]
    assert (row["session"], row["trial"], row["kind"], row["photograph"]) == ("person", 3, "scored", "bundled/cat")
    assert (row["model"], row["real_side"], row["answer"]) == ("vivid", "left", "right")
    assert (row["seconds"], row["shown_seconds"]) == (0.512, 1.0)
    assert row["answered_at"].endswith("+00:00") and row["version"]
    assert not set(read_answers(path).columns) & {"name", "address", "ip", "agent"} and len(read_answers(path)) == 1


def test_what_cannot_hold_answers_is_said_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no data base, but some thoughts that are long enough to be looked at" * 20)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    for path, words in ((text, "damaged or no file of answers"), (foreign, "not version 1 of a file of answers")):
        before = path.read_bytes()
        for attempt in (prepare_answers, read_answers):
            with pytest.raises(ValueError, match=words):
                attempt(path)
        assert path.read_bytes() == before
    for path in (text / "answers.sqlite", tmp_path):
        with pytest.raises(OSError, match="cannot be"):
            prepare_answers(path)


# What colorlib 0.1.0 wrote, word for word.
WRITTEN_BY_0_1_0 = """
PRAGMA journal_mode = WAL;
CREATE TABLE answers (session TEXT NOT NULL, trial INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('practice', 'check', 'scored')), photograph TEXT NOT NULL, model TEXT NOT NULL, real_side TEXT NOT NULL CHECK (real_side IN ('left', 'right')), answer TEXT NOT NULL CHECK (answer IN ('left', 'right')), seconds REAL NOT NULL, shown_seconds REAL NOT NULL, answered_at TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (session, trial));
PRAGMA user_version = 1;
INSERT INTO answers VALUES ('5f0c', 1, 'check', 'bundled/cat', 'random_photo', 'left', 'left', 0.4, 1.0, '2026-03-01T10:00:00+00:00', '0.1.0');
INSERT INTO answers VALUES ('5f0c', 2, 'scored', 'bundled/coffee', 'vivid', 'right', 'left', 0.512, 1.0, '2026-03-01T10:00:05+00:00', '0.1.0');
"""  # noqa: E501


def test_answers_of_the_first_version_are_read_and_added_to(tmp_path, capsys):
    path = tmp_path / "answers.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(WRITTEN_BY_0_1_0)
    (check, scored) = read_answers(path).itertuples(index=False, name=None)
    assert check[:7] == ("5f0c", 1, "check", "bundled/cat", "random_photo", "left", "left")
    assert scored == (
        *("5f0c", 2, "scored", "bundled/coffee", "vivid", "right", "left"),
        *(0.512, 1.0, "2026-03-01T10:00:05+00:00", "0.1.0"),
    )
    prepare_answers(path)
    record_answer(path, "5f0c", 2, SCORED, "left", 0.1, 1.0)  # the first one stands
    record_answer(path, "5f0c", 3, SCORED, "left", 0.5, 1.0)
    answers = read_answers(path)
    assert answers["trial"].tolist() == [1, 2, 3] and answers["seconds"].tolist() == [0.4, 0.512, 0.5]
    assert cli.main(["human-study", str(path)]) == 0
    assert "1 people count" in capsys.readouterr().out


def test_the_command_prints_and_exports(tmp_path, capsys):
    path, csv = tmp_path / "answers.sqlite", tmp_path / "out" / "answers.csv"
    assert cli.main(["human-study", str(path)]) == 2 and "there are no answers at" in capsys.readouterr().err
    prepare_answers(path)
    for person in "ab":
        for number in range(1, 7):
            trial = Trial("check" if number < 3 else "scored", f"p{number}", "vivid", "left")
            record_answer(path, person, number, trial, "right" if number == 6 else "left", 0.4, 1.0)
    assert cli.main(["human-study", str(path), "--csv", str(csv)]) == 0
    printed = capsys.readouterr().out
    assert "2 people count" in printed and "25.0" in printed and "answers for each model" in printed
    pd.testing.assert_frame_equal(pd.read_csv(csv), read_answers(path))
    assert cli.main(["human-study", str(path), "--csv", str(path)]) == 2 and len(read_answers(path)) == 12
    plot_rates(fooling_rates(counted_answers(read_answers(path))[0]))


def test_answers_lie_in_the_project_unless_told(tmp_path, monkeypatch):
    monkeypatch.delenv("COLORLIB_ANSWERS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert answers_path() == Path("runs/fooling/answers.sqlite")
    monkeypatch.setenv("COLORLIB_ANSWERS", "/elsewhere/a.sqlite")
    assert answers_path() == Path("/elsewhere/a.sqlite")
