"""The study: its file, its plan, its rows, and what happens when any of it fails or is killed."""

import contextlib
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from colorlib.data.shards import write_store
from colorlib.data.writing import Record
from colorlib.files import exclusive, write_json
from colorlib.studies import engine, progress
from colorlib.studies.executor import why_not
from colorlib.studies.file import check_parameter, load_study
from colorlib.studies.notebook import shell_line
from colorlib.studies.study import prepare_study, read_study

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PATIENCE = 300  # seconds; machines that test are busy
PARAMETERS = """DATA = "data/tiny"  # a prepared folder
RUN = "runs/row"  # the folder to write to
SEED = 0
OBJECTIVE = "l1"
LEARNING_RATE = 1.0e-3
SLEEP = 0.0  # seconds
FAIL = ""
SIZES = [1, 2]
"""
WORK = """import json, os, sys, time
from pathlib import Path
Path(RUN).mkdir(parents=True, exist_ok=True)
Path(RUN, "kernel.part").write_text(str(os.getpid()))
Path(RUN, "kernel.part").replace(Path(RUN, "kernel.pid"))
end = time.time() + SLEEP
while time.time() < end:
    progress = {"done": SLEEP - (end - time.time()), "total": SLEEP, "what": "training", "time": time.time()}
    Path(RUN, "progress.json").write_text(json.dumps(progress))
    time.sleep(0.05)
if FAIL == "raise":
    raise ValueError("the loss is NaN at step 3")
if FAIL == "exit":
    sys.exit(0)
if FAIL == "die":
    os._exit(9)
"""
FINISH = """Path(RUN, "per_image.csv").write_text(f"id,delta_e_76\\na,{SEED}\\n")"""
COMPARE = """REPORT = Path(REPORT)
REPORT.mkdir(parents=True, exist_ok=True)
rows = json.loads(Path(STUDY, "study.json").read_text())["rows"]
text = "".join(f"{r['id']},{r['status']},{r['error']}\\n" for r in rows)
(REPORT / "index.html").write_text(text)"""


def write_notebook(path: Path, *cells: str, parameters: str = PARAMETERS) -> None:
    tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[new_markdown_cell("# A row"), tagged, *map(new_code_cell, cells)])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def write_study(rows: list[dict], **more: object) -> Path:
    path = Path("notebooks/studies/tiny.yml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"title": "Tiny", "data": {"folder": "data/tiny"}, "rows": rows, **more}))
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """64 coloured squares of noise, prepared."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("store") / "tiny"
    squares = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(64)]
    records = [Record(f"{i}.png", 16, 16, lab[..., 0], lab[..., 1:]) for i, lab in enumerate(squares)]
    write_store(folder, "tiny", records, count=64, size=(16, 16), info={})
    return folder


@pytest.fixture
def project(tmp_path, store, monkeypatch) -> Iterator[Path]:
    """A folder with notebooks and data, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("COLORLIB_DIE_WITH_PARENT", raising=False)
    Path("data").mkdir()
    Path("data/tiny").symlink_to(store)
    write_notebook(Path("notebooks/12_row.ipynb"), WORK, FINISH)
    write_notebook(
        Path("notebooks/80_compare.ipynb"),
        "import json\nfrom pathlib import Path",
        COMPARE,
        parameters='STUDY = "runs/quick"\nREPORT = "reports/quick"',
    )
    yield tmp_path
    for process in running_here():
        process.kill()


def planned(rows: list[dict], **more: object) -> list[dict]:
    return prepare_study(write_study(rows, **more))[1]["rows"]


# ------------------------------------------------------------------------------------------------ the study file


def test_a_list_is_one_row_for_each_value_and_defaults_fill_in(project):
    rows = planned(
        [{"notebook": "12_row", "OBJECTIVE": ["l1", "l2"], "SEED": [0, 1]}, {"notebook": "12_row", "SIZES": [3]}],
        defaults={"LEARNING_RATE": 1},
    )
    names = [row["id"].rpartition("-")[0] for row in rows]
    assert names == ["12_row-l1-s0", "12_row-l2-s0", "12_row-sizes_3", "12_row-l1-s1", "12_row-l2-s1"]  # seed by seed
    assert rows[3]["parameters"] == {
        "DATA": "data/tiny",
        "RUN": rows[3]["folder"] + "/run",
        "LEARNING_RATE": 1.0,
        "OBJECTIVE": "l1",
        "SEED": 1,
    }
    assert rows[2]["parameters"]["SIZES"] == [3]


def test_small_budgets_come_first_among_the_rows_of_a_seed(project):
    write_notebook(Path("notebooks/12_row.ipynb"), WORK, FINISH, parameters=f"{PARAMETERS}IMAGES_SEEN = 1\n")
    rows = planned([{"notebook": "12_row", "OBJECTIVE": ["l1", "l2"], "IMAGES_SEEN": [8, 2], "SEED": [0, 1]}])
    order = [[row["parameters"][name] for name in ("SEED", "IMAGES_SEEN", "OBJECTIVE")] for row in rows]
    assert order == [[seed, images, name] for seed in (0, 1) for images in (2, 8) for name in ("l1", "l2")]


def test_an_alias_is_the_reports_affair_and_decides_nothing_of_what_is_run(project):
    row = {"notebook": "12_row", "OBJECTIVE": "l1", "SEED": [0, 1]}
    plain, named = planned([row]), planned([row | {"alias": "the first"}])
    assert [row.pop("alias") for row in named] == ["the first"] * 2 and named == plain


def test_a_row_asks_for_what_it_says_or_the_study_or_nobody_and_it_decides_nothing(project):
    plain = planned([{"notebook": "12_row"}, {"notebook": "12_row", "SEED": 1}])
    rows = [{"notebook": "12_row"}, {"notebook": "12_row", "SEED": 1, "resources": {"gpus": 2}, "row_hours": 1}]
    asking = planned(rows, resources={"memory_gb": 16, "gpus": 1}, row_hours=48)
    assert [row.pop("resources") for row in plain] == [{"memory_gb": 4, "threads": 1, "gpus": 0, "hours": 24}] * 2
    assert [row.pop("resources") for row in asking] == [
        {"memory_gb": 16, "threads": 1, "gpus": 1, "hours": 48},
        {"memory_gb": 16, "threads": 1, "gpus": 2, "hours": 1},
    ]
    assert plain == asking


@pytest.mark.parametrize(
    ("row", "more", "message"),
    [
        ({"notebook": "12_rwo"}, {}, "did you mean 12_row"),
        ({"OBJECTIVE": "l1"}, {}, "names no notebook"),
        ({"notebook": "12_row", "OBJETIVE": "l1"}, {}, "unknown parameter in row 1 .* did you mean 'OBJECTIVE'"),
        ({"notebook": "12_row", "OBJECTIVE": "l3"}, {}, "unknown objective 'l3'; did you mean"),
        ({"notebook": "12_row", "LEARNING_RATE": "1e-4"}, {}, r"1e-4 is text to YAML, not a number; write 0.0001"),
        ({"notebook": "12_row", "SEED": 0.5}, {}, "SEED must be a whole number"),
        ({"notebook": "12_row", "SEED": True}, {}, "SEED must be a whole number"),
        ({"notebook": "12_row", "SEED": []}, {}, "SEED is an empty list"),
        ({"notebook": "12_row", "RUN": "elsewhere"}, {}, "row 1 of .*: RUN is the study's own to give"),
        ({"notebook": "12_row"}, {"defaults": {"DATA": "data/other"}}, "defaults of .*: DATA is the study's own"),
        ({"notebook": "12_row"}, {"defaults": {"RUN": "runs/other"}}, "defaults of .*: RUN is the study's own"),
        ({"notebook": "/tmp/12_row"}, {}, "the name of a notebook holds"),
        ({"notebook": "../studies/12_row"}, {}, "the name of a notebook holds"),
        ({"notebook": "12_row", "alias": "two\nlines"}, {}, "alias must be a name"),
        ({"notebook": "12_row", "alias": 3}, {}, "row 1 of .* alias must be a name of at most 24 characters, not 3"),
        ({"notebook": "12_row", "alias": "x" * 25}, {}, "alias must be a name of at most 24 characters"),
        ({"notebook": "12_row", "alias": "two", "OBJECTIVE": ["l1", "l2"]}, {}, "is 2 rows, .* all be called 'two'"),
        ({"notebook": "12_row", "SEED": [0, 0]}, {}, "runs 1 and 2 are the same"),
        ({"notebook": "12_row"}, {"defaults": {"IMAGE_SEEN": 3}}, "parameter under defaults"),
        ({"notebook": "12_row"}, {"titel": "Tiny"}, "did you mean 'title'"),
        ({"notebook": "12_row"}, {"pictures": ["bundeld"]}, "did you mean 'bundled'"),
        ({"notebook": "12_row"}, {"margin": {"delta_e_2001": 1}}, "did you mean 'delta_e_2000'"),
        ({"notebook": "12_row"}, {"margin": {"delta_e_2000": "big"}}, "must be a number"),
        ({"notebook": "12_row"}, {"margin": {"delta_e_2000": math.inf}}, "must be a number of 0 or more, not inf"),
        ({"notebook": "12_row"}, {"margin": {"delta_e_2000": math.nan}}, "must be a number of 0 or more, not nan"),
        ({"notebook": "12_row"}, {"question": 3}, "question must be text"),
        ({"notebook": "12_row"}, {"row_hours": 0}, "row_hours must be above zero"),
        ({"notebook": "12_row"}, {"row_hours": float("nan")}, "row_hours must be above zero"),
        ({"notebook": "12_row"}, {"row_hours": 10**400}, "row_hours must be above zero and below 10,000"),
        ({"notebook": "12_row"}, {"row_hours": True}, "row_hours must be a number"),
        ({"notebook": "12_row", "row_hours": -1}, {}, "row 1 of .*: row_hours must be above zero"),
        ({"notebook": "12_row", "row_hours": "long"}, {}, "row 1 of .*: row_hours must be a number, not 'long'"),
        ({"notebook": "12_row"}, {"resources": {"memory": 3}}, "unknown resource in .* did you mean 'memory_gb'"),
        ({"notebook": "12_row"}, {"resources": [3]}, "resources must be a table"),
        ({"notebook": "12_row", "resources": 3}, {}, "row 1 of .*: resources must be a table such as {memory_gb: 16"),
        ({"notebook": "12_row", "resources": {"threads": 1.5}}, {}, "threads must be a whole number, not 1.5"),
        ({"notebook": "12_row", "resources": {"gpus": True}}, {}, "gpus must be a whole number, not True"),
        ({"notebook": "12_row", "resources": {"gpus": -1}}, {}, "row 1 of .*: gpus must be between 0 and 64, not -1"),
        ({"notebook": "12_row", "resources": {"memory_gb": float("nan")}}, {}, "memory_gb must be between 0.1 and"),
    ],
)
def test_mistakes_in_a_study_file_are_named(project, row, more, message):
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=message):
        load_study(write_study([row], **more))


def test_a_missing_or_broken_study_file(project):
    write_study([{"notebook": "12_row"}])
    with pytest.raises(FileNotFoundError, match="beside it: tiny.yml"):
        load_study("notebooks/studies/tine.yml")
    Path("notebooks/studies/tiny.yml").write_text("rows: [")
    with pytest.raises(ValueError, match="not readable YAML"):
        load_study("notebooks/studies/tiny.yml")


@pytest.mark.parametrize("other", [{"SEED": 0}, {"OBJECTIVE": "l1", "LEARNING_RATE": 0.001}, {"SIZES": [1, 2]}])
def test_a_row_that_says_what_its_notebook_has_anyway_is_the_same_row(project, other):
    with pytest.raises(ValueError, match="runs 1 and 2 are the same .* leave one out"):
        load_study(write_study([{"notebook": "12_row"}, {"notebook": "12_row", **other}]))


@pytest.mark.parametrize("twice", ["data: {folder: data/other}", "rows: [{notebook: 12_row, SEED: 1, SEED: 2}]"])
def test_a_key_that_stands_twice_is_refused(project, twice):
    path = write_study([{"notebook": "12_row"}])
    path.write_text(path.read_text().replace("rows:", "rows_:") if "rows" in twice else path.read_text())
    path.write_text(f"{path.read_text()}{twice}\n")
    with pytest.raises(ValueError, match="the key '(data|SEED)' stands twice"):
        load_study(path)
    path.write_text("base: &b {SEED: 1}\nrow: {<<: *b, SEED: 2}\n")  # what YAML merges may be said anew
    with pytest.raises(ValueError, match="unknown key"):
        load_study(path)


def test_a_study_is_no_way_out_of_its_folder(project):
    path = write_study([{"notebook": "12_row"}])
    for name in ("../../x", "/tmp/x", "a\nb", "a{b}", ".hidden", "-x", "x" * 200, "a/b"):
        with pytest.raises(ValueError, match="the name of a study holds letters"):
            prepare_study(path, name=name)
    Path("photos {1912} & more").symlink_to(Path("data/tiny").resolve())
    folder, content = prepare_study(path, data="photos {1912} & more")
    assert folder.parent == Path("runs") and not set(str(folder)) & set("{}& ")


def test_yaml_reads_back_the_number_that_the_message_proposes():
    for text in ("1e-4", "1e4", "3e-7", "2.5e10"):
        with pytest.raises(TypeError) as error:
            check_parameter("LEARNING_RATE", text, 0.1, "row 1")
        proposal = str(error.value).rpartition("write ")[2].removesuffix(".")
        assert yaml.safe_load(proposal) == float(text)
    with pytest.raises(TypeError, match="SEED: 1 is text to YAML, not a number; write 1[.]$"):
        check_parameter("SEED", "1", 0, "row 1")


def test_notebooks_that_cannot_be_rows(project):
    write_notebook(Path("notebooks/13_shell.ipynb"), "if 1 != 2:\n    !ls")
    with pytest.raises(ValueError, match="shell line"):
        load_study(write_study([{"notebook": "13_shell"}]))
    write_notebook(Path("notebooks/14_nowhere.ipynb"), "pass", parameters="SEED = 0")
    with pytest.raises(ValueError, match="no parameter RUN"):
        load_study(write_study([{"notebook": "14_nowhere"}]))
    write_notebook(Path("notebooks/15_code.ipynb"), "pass", parameters="RUN = 'x'\nSEED = int('3')")
    with pytest.raises(ValueError, match="NAME = literal"):
        load_study(write_study([{"notebook": "15_code"}]))


@pytest.mark.parametrize("source", ["!ls", "x = !ls", "%%bash\nls", "%sx ls", "%%time\n!ls"])
def test_shell_lines_are_found(tmp_path, source):
    write_notebook(tmp_path / "shell.ipynb", source)
    assert shell_line(tmp_path / "shell.ipynb")
    write_notebook(tmp_path / "python.ipynb", "a = 1 != 2\nb = not a  # !\n%matplotlib inline")
    assert shell_line(tmp_path / "python.ipynb") is None


# --------------------------------------------------------------------------------------------------- the stamp


def identity(**row: object) -> str:
    return planned([{"notebook": "12_row", **row}])[0]["id"]


def test_a_row_gets_a_new_folder_when_its_outcome_may_change_and_only_then(project):
    before = identity()
    assert identity() == before
    assert identity(SEED=0).rpartition("-")[2] == before.rpartition("-")[2]  # the default, said aloud
    assert identity(SEED=1).rpartition("-")[2] != before.rpartition("-")[2]
    notebook = nbformat.read("notebooks/12_row.ipynb", as_version=4)
    notebook.cells[0].source = "# Another heading"
    nbformat.write(notebook, "notebooks/12_row.ipynb")
    assert identity() == before
    notebook.cells[2].source += "\nprint()"
    nbformat.write(notebook, "notebooks/12_row.ipynb")
    assert identity() != before


def test_another_version_and_a_damaged_folder_are_refused(project):
    study = write_study([{"notebook": "12_row"}])
    write_json("runs/tiny/study.json", {"format": 99})
    with pytest.raises(ValueError, match="another version of colorlib"):
        prepare_study(study)
    Path("runs/tiny/study.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        prepare_study(study)


def test_other_data_get_another_folder(project):
    folder, content = prepare_study(write_study([{"notebook": "12_row"}]), data="data/tiny")
    assert folder == Path("runs/tiny-tiny") and content["data"]["splits"]["train"] > 40
    assert prepare_study(write_study([{"notebook": "12_row"}]), "data/tiny", name="mine")[0] == Path("runs/mine")


def test_plain_photographs_are_prepared(project):
    from PIL import Image

    rng = np.random.default_rng(1)
    Path("holiday").mkdir()
    for i in range(40):
        Image.fromarray(rng.integers(0, 256, (70, 80, 3), dtype=np.uint8)).save(f"holiday/{i}.png")
    folder, content = prepare_study(write_study([{"notebook": "12_row"}]), data="holiday")
    assert folder.name == "tiny-holiday" and content["data"]["folder"] == "data/holiday-64"
    assert content["data"]["size"] == [64, 64] and content["data"]["photographs"] == 40


# ------------------------------------------------------------------------------------------------------- a row


def run_rows(rows: list[dict], **more: object) -> list[tuple[bool, Path]]:
    folder, content = prepare_study(write_study(rows, **more))
    write_json(folder / "study.json", content)
    return [(engine.run_row(folder, row["id"]), Path(row["folder"])) for row in content["rows"]]


@pytest.mark.parametrize(
    ("how", "message"),
    [("raise", "ValueError: the loss is NaN at step 3"), ("exit", "ended the notebook early"), ("die", "died")],
)
def test_a_row_that_does_not_reach_its_end_failed(project, how, message):
    ((succeeded, place),) = run_rows([{"notebook": "12_row", "FAIL": how}])
    assert not succeeded and not (place / "done.json").exists()
    assert message in json.loads((place / "failed.json").read_text())["error"]
    assert (place / "notebook.ipynb").exists()
    if how == "raise":
        assert "NaN at step 3" in (place / "notebook.ipynb").read_text()


def test_a_row_without_end_is_ended(project):
    ((succeeded, place),) = run_rows([{"notebook": "12_row", "SLEEP": 900.0}], row_hours=3 / 3600)
    assert (
        not succeeded
        and "was ended after 0.000833333 hours" in json.loads((place / "failed.json").read_text())["error"]
    )
    assert not psutil.pid_exists(int((place / "run/kernel.pid").read_text()))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\0" * 40])
def test_a_mark_that_lost_its_content_is_none(project, monkeypatch, content):
    executed = []

    def execute(notebook, output, parameters, hours):
        executed.append(hours)
        Path(parameters["RUN"]).mkdir(parents=True, exist_ok=True)
        Path(parameters["RUN"], "per_image.csv").write_text("id\n")

    monkeypatch.setattr(engine, "execute", execute)
    ((_, place),) = run_rows([{"notebook": "12_row"}], row_hours=5)
    for name in ("done.json", "attempt.json", "run/progress.json"):
        (place / name).write_text(content)
        assert run_rows([{"notebook": "12_row"}], row_hours=5)[0] == (True, place)
        assert progress.look({"folder": place})["state"] == "done"
    (place / "run/per_image.csv").write_text(content if content.strip("{}[]") else "")
    assert engine.collect(place.parent)["rows"][0]["status"] == "interrupted"
    assert run_rows([{"notebook": "12_row"}], row_hours=5)[0][0] and executed[0] == 5 and len(executed) > 2
    (place / "run/config.json").write_text('{"data_fingerprint": ""}')  # a run that lost what it cost
    assert engine.collect(place.parent)["rows"][0]["status"] == "interrupted"


def test_a_row_is_run_once_and_a_failure_is_forgotten_when_it_succeeds(project):
    folder, content = prepare_study(write_study([{"notebook": "12_row"}]))
    write_json(folder / "study.json", content)
    place = Path(content["rows"][0]["folder"])
    write_json(place / "failed.json", {"error": "disk full", "cell": 1, "seconds": 1.0})
    assert engine.run_row(folder, content["rows"][0]["id"]) and not (place / "failed.json").exists()
    done = (place / "done.json").stat().st_mtime_ns
    assert engine.run_row(folder, content["rows"][0]["id"]) and (place / "done.json").stat().st_mtime_ns == done
    with pytest.raises(ValueError, match="has no row"):
        engine.run_row(folder, "12_row-00000000")


def test_the_time_between_two_attempts_at_a_row_is_not_the_rows(project, monkeypatch):
    def execute(notebook, output, parameters, hours):
        Path(parameters["RUN"]).mkdir(parents=True)
        Path(parameters["RUN"], "per_image.csv").write_text("id\n")

    monkeypatch.setattr(engine, "execute", execute)
    folder, content = prepare_study(write_study([{"notebook": "12_row"}]))
    write_json(folder / "study.json", content)
    place, now = Path(content["rows"][0]["folder"]), time.time()
    write_json(place / "attempt.json", {"pid": 1, "begun": now - 1000, "seconds_before": 5.0})
    os.utime(place / "attempt.json", (now - 900, now - 900))
    assert engine.run_row(folder, content["rows"][0]["id"])
    assert progress.read_mark(place / "done.json")["seconds"] == pytest.approx(105, abs=20)


def test_a_notebook_that_judges_nothing_failed(project):
    write_notebook(Path("notebooks/12_row.ipynb"), "pass")
    ((succeeded, place),) = run_rows([{"notebook": "12_row", "SLEEP": 0.1}])
    assert not succeeded and "per_image.csv" in json.loads((place / "failed.json").read_text())["error"]


def test_a_notebook_that_takes_other_photographs_than_the_studys_failed(project):
    other = """Path(RUN, "config.json").write_text('{"data_fingerprint": "of others"}')"""
    write_notebook(Path("notebooks/12_row.ipynb"), WORK, FINISH, other)
    ((succeeded, place),) = run_rows([{"notebook": "12_row"}])
    assert not succeeded and "other photographs than the study's" in (place / "failed.json").read_text()


def test_the_process_of_a_row_waits_for_no_heavy_import():
    heavy = {"torch", "pandas", "matplotlib", "papermill", "nbformat"}
    code = f"import sys, colorlib.studies.__main__; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ------------------------------------------------------------------------------------------------- the display


@pytest.fixture
def held() -> Iterator[contextlib.ExitStack]:
    """Locks that are let go of after the test."""
    with contextlib.ExitStack() as stack:
        yield stack


def test_the_display_tells_how_far_and_how_long(tmp_path, held):
    rows = [{"id": f"{i}-x-00000000", "notebook": "n", "folder": str(tmp_path / str(i))} for i in range(4)]
    now = time.time()
    write_json(tmp_path / "0/done.json", {"seconds": 100.0})
    write_json(tmp_path / "1/failed.json", {"seconds": 3.0, "error": "e", "cell": 1})
    write_json(tmp_path / "2/attempt.json", {"pid": os.getpid(), "begun": now - 50, "seconds_before": 0})
    write_json(tmp_path / "2/run/progress.json", {"done": 5, "total": 9, "what": "training", "time": now})
    assert progress.look(rows[2])["state"] == "waiting"  # whoever attempted it has ended
    held.enter_context(exclusive(tmp_path / "2", "row"))
    looks = [progress.look(row) for row in rows]
    assert [seen["state"] for seen in looks] == ["done", "failed", "running", "waiting"]
    assert progress.remaining_seconds(rows, looks, jobs=1) == pytest.approx(50 + 100, abs=2)
    assert progress.remaining_seconds(rows, looks, jobs=2) == pytest.approx(100, abs=2)
    lines = progress.display(rows, 1, 60)
    assert "2-x: training 50%, 50 s left" in lines[0].words and lines[0].share == pytest.approx(0.5, abs=0.01)
    assert "2/4 rows, 1 failed · 1 min 0 s · about 2 min" in lines[-1].words
    (tmp_path / "2/run/history.csv").touch()
    os.utime(tmp_path / "2/run/history.csv", (now - 10, now - 10))
    write_json(tmp_path / "2/run/progress.json", {"done": 1, "total": 2, "what": "judging", "time": now})
    assert progress.look(rows[2])["share"] == pytest.approx(50 / 60, abs=0.02)
    assert re.search("2-x: judging 8[234]%, 1[01] s left", progress.display(rows, 1, 60)[0].words)
    assert [progress.duration(s) for s in (5, 59.6, 3599.7, 7300)] == ["5 s", "1 min 0 s", "1 h 00 min", "2 h 01 min"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_is_told_now_and_then_and_a_terminal_in_place(monkeypatch):
    lines = [progress.Line(0.5, "12_unet-l1: training 50%"), progress.Line(0.25, "1/4 rows · 5 s")]
    log = io.StringIO()
    with progress.screen(log) as show:
        show(lines)
        show(lines)
        monkeypatch.setattr(progress, "SAY_EVERY", 0.0)
        show(lines)
    assert log.getvalue() == "1/4 rows · 5 s; 12_unet-l1: training 50%\n" * 2
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    terminal = Terminal()
    with progress.screen(terminal) as show:
        show(lines)
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
        assert "12_unet-l1: tr…" in shown and "1/4 rows · 5 s" in shown
    assert terminal.getvalue().endswith("\x1b[2K")  # what was shown is wiped away


# ------------------------------------------------------------------------------------------------- whole studies


def start(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "colorlib", "study", "tiny", "--jobs", "2", *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a background job ignores Ctrl-C
    )


def wait_for(pattern: str, count: int, seconds: float = PATIENCE) -> list[Path]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(found := sorted(Path().glob(pattern))) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} after {seconds} s")


def running_here() -> list[psutil.Process]:
    """Return the processes whose current folder is this one, this process apart."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and Path(process.cwd()) == Path.cwd() and process.status() != "zombie":
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def all_ended(seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while running_here() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not running_here()


def test_a_failed_row_is_reported_and_only_what_changed_is_run_again(project, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/version/nowhere")  # nobody can write there, nor make it
    for name in [name for name in os.environ if name.startswith(("XDG_", "IPYTHON", "JUPYTER", "MPL"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    rows = [{"notebook": "12_row", "OBJECTIVE": ["l1", "l2"]}, {"notebook": "12_row", "FAIL": "raise"}]
    write_study(rows, title="16 × 16 pixels")
    out, error = (study := start()).communicate(timeout=PATIENCE)
    assert study.returncode == 1, error
    assert "16 ? 16 pixels: 3 rows" in out
    assert "12_row-raise failed: ValueError: the loss is NaN at step 3" in error and "Traceback" not in error
    statuses = [line.split(",")[1:] for line in Path("reports/tiny/index.html").read_text().splitlines()]
    assert [status for status, _ in statuses] == ["done", "done", "failed"] and "NaN" in statuses[2][1]
    assert str(Path("reports/tiny/index.html").resolve()) in out
    done = {path: path.stat().st_mtime_ns for path in Path().glob("runs/tiny/*/done.json")}
    assert len(done) == 2
    emptied, _ = sorted(done)
    emptied.write_text("")
    done.pop(emptied)

    write_study([{"notebook": "12_row", "OBJECTIVE": ["l1", "l2", "huber"]}])
    out, error = (study := start()).communicate(timeout=PATIENCE)
    assert study.returncode == 0, error
    assert "3 rows, 1 of them done already" in out
    after = {path: path.stat().st_mtime_ns for path in Path().glob("runs/tiny/*/done.json")}
    assert len(after) == 3 and done.items() <= after.items()
    record = read_study("runs/tiny")
    assert record["wall_seconds"] > sum(row["seconds"] for row in record["rows"]) / 2 > 0

    results = Path("reports/tiny/index.html").read_text()
    out, error = (study := start()).communicate(timeout=PATIENCE)
    assert study.returncode == 0 and "3 rows, 3 of them done already" in out, error
    assert after == {path: path.stat().st_mtime_ns for path in after}
    assert Path("reports/tiny/index.html").read_text() == results


def stopped(how: str) -> None:
    """Run the study until two rows are under way, stop it in one of three ways, and see that nothing goes on."""
    for mark in Path().glob("runs/tiny/*/run/kernel.pid"):
        mark.unlink()
    study = start()
    kernels = wait_for("runs/tiny/*/run/kernel.pid", 2)
    if how == "kill a row":
        under_way = next(mark for mark in kernels if psutil.pid_exists(int(mark.read_text())))  # one may have ended
        attempt = json.loads((under_way.parents[1] / "attempt.json").read_text())
        kernel = psutil.Process(int(under_way.read_text()))
        os.kill(attempt["pid"], signal.SIGKILL)
        kernel.wait(10)
        out, error = study.communicate(timeout=PATIENCE)
        assert study.returncode == 1 and "its process was ended from outside" in error
    else:
        study.send_signal(signal.SIGINT if how == "Ctrl-C" else signal.SIGKILL)
        out, error = study.communicate(timeout=PATIENCE)
        if how == "Ctrl-C":
            assert study.returncode == 130 and "Run the same command to go on" in error and "Traceback" not in error
    assert all_ended(), running_here()


def test_a_study_that_is_stopped_leaves_nothing_running_and_goes_on(project):
    write_study([{"notebook": "12_row", "SEED": [0, 1], "SLEEP": 4.0}, {"notebook": "12_row", "SEED": 2}])
    for how in ("kill the study", "Ctrl-C", "kill a row"):
        stopped(how)
    out, error = (study := start()).communicate(timeout=PATIENCE)
    assert study.returncode == 0, error
    assert [row["status"] for row in read_study("runs/tiny")["rows"]] == ["done"] * 3


def test_what_cannot_execute_rows_is_said_before_anything_is_done(project, monkeypatch):
    path = write_study([{"notebook": "12_row"}])
    with pytest.raises(
        ModuleNotFoundError, match="no executor 'slrum' here: pip install snakemake-executor-plugin-slrum"
    ):
        engine.run_study(path, executor="slrum")
    with pytest.raises(ValueError, match="the name of a Snakemake executor holds"):
        engine.run_study(path, executor="../slurm")
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(OSError, match="there is no sbatch here; start the study where Slurm's commands are"):
        engine.run_study(path, executor="slurm")
    assert not Path("runs").exists()


def test_two_studies_at_once_on_one_folder_are_refused(project, monkeypatch):
    path = write_study([{"notebook": "12_row"}])
    monkeypatch.setattr(engine, "exclusive", partial(exclusive, patience=0.1))
    with exclusive("runs/tiny", "study"), pytest.raises(BlockingIOError, match="study folder runs/tiny is in use"):
        engine.run_study(path)
    assert not Path("runs/tiny/study.json").exists()


def test_snakemake_runs_a_study_by_hand(project):
    write_study([{"notebook": "12_row"}])
    command = [sys.executable, "-m", "snakemake", "-s", ROOT / "notebooks/Snakefile", "--cores", "1"]
    command += ["--config", "study=notebooks/studies/tiny.yml", "name=a (b)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "done" in Path("reports/a (b)/index.html").read_text()


@pytest.mark.parametrize(("visible", "names"), [(None, "010"), ("5,GPU-7", ["5", "GPU-7", "5"])])
def test_rows_beside_one_another_have_a_gpu_each(project, monkeypatch, visible, names):
    folder, content = prepare_study(write_study([{"notebook": "12_row", "SEED": [0, 1, 2]}]))
    content["machine"]["gpus"] = 2
    rows, seen = [row["id"] for row in content["rows"]], []

    def execute(notebook, output, parameters, hours):  # the next row begins while this one runs
        seen.append(os.environ["CUDA_VISIBLE_DEVICES"])
        if len(seen) < len(rows):
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
            if visible:
                monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
            engine.run_row(folder, rows[len(seen)])

    monkeypatch.setattr(engine, "execute", execute)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible or "")
    for executor, expected in (("local", list(names)), ("slurm", [visible])):
        write_json(folder / "study.json", content | {"executor": executor})
        if visible or executor == "local":
            seen.clear()
            engine.run_row(folder, rows[0])
            assert seen[: len(expected)] == expected
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible or "")
    assert engine._usual_jobs(content, "local") == 2


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "SLURM-job '4' failed, SLURM status is: 'TIMEOUT'. No detail.",
            "ended as TIMEOUT. row_hours in the study",
        ),
        ("SLURM-job '4' failed, SLURM status is: 'OUT_OF_MEMORY'.", "ended as OUT_OF_MEMORY. memory_gb in the study's"),
        ("SLURM-job '4' failed, SLURM status is: 'CANCELLED'.", "Slurm's job 4 ended as CANCELLED."),
        (
            "Job submission failed with exception: Failed to run sinfo: Unable to contact slurm controller",
            "could not be handed to Slurm (Failed to run sinfo: Unable to contact slurm controller); run",
        ),
    ],
)
def test_what_slurm_said_of_a_row_comes_with_what_to_do(tmp_path, message, said):
    log = f"Error in rule row_3:\n    message: {message}\nFor further error details see the log.\n    jobid: 1\n"
    (tmp_path / "snakemake.log").write_text(log)
    assert said in why_not(tmp_path, 3) and why_not(tmp_path, 2) is None
