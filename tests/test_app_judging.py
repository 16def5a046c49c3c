"""The judging page and the report page, in process."""

import base64
import json
import types

import pytest
from streamlit.testing.v1 import AppTest

from colorlib import human_study
from colorlib.app import judging, report
from colorlib.app.models import offered_models

pytestmark = pytest.mark.slow


def judging_app():
    from colorlib.app import judging

    judging.page()


def report_app():
    from colorlib.app import report

    report.page()


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only when a test says so."""
    now = types.SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(judging, "time", types.SimpleNamespace(monotonic=lambda: now.seconds))
    return now


@pytest.fixture
def answers(tmp_path, monkeypatch):
    path = tmp_path / "kept" / "answers.sqlite"
    monkeypatch.setenv("COLORLIB_ANSWERS", str(path))
    monkeypatch.delenv("COLORLIB_JUDGE_PHOTOS", raising=False)
    monkeypatch.delenv("COLORLIB_MODELS", raising=False)
    return path


def begin():
    app = AppTest.from_function(judging_app, default_timeout=60).run()
    return press(app, "Begin")


def press(app, label):
    button = next(button for button in app.button if button.label == label)
    button.click().run()
    assert not app.exception
    return app


def answer(app, real=True, seconds=0.7):
    """Take the real one or the coloured one for real, as the browser tells it, and go on after the verdict."""
    session = app.session_state["judging"]
    side = session.trials[session.done].real_side
    judging._answer(session, session.done, side if real else {"left": "right", "right": "left"}[side], seconds)
    app.run()
    assert not app.exception
    return app


def go_on(app):
    """Press through the verdict, where there is one."""
    return press(app, "Next pair") if app.session_state["judging"].told else app


def text_of(app):
    return " ".join(element.value for kind in (app.title, app.markdown, app.caption, app.info) for element in kind)


def given(app):
    """Return what the browser was given of a pair."""
    return json.loads(app.get("bidi_component")[0].proto.json)


def test_a_session_from_beginning_to_result(clock, answers):
    app = AppTest.from_function(judging_app, default_timeout=60).run()
    assert "no name, no address" in text_of(app) and "README" in text_of(app)
    assert not answers.exists()  # who only looks leaves nothing
    press(app, "Begin")
    session = app.session_state["judging"]
    for trial in session.trials:
        assert len(given(app)["pictures"]) == 2 and "the real one was on" not in text_of(app)
        answer(app, real=trial.kind != "scored" or trial.model == "faithful")
        if trial.kind == "practice":  # it is said beside the pair, before the next one
            assert f"the real one was on the {trial.real_side}" in text_of(app) and not app.get("bidi_component")
        go_on(app)
    assert app.title[0].value == "Thank you."
    kept = human_study.read_answers(answers)
    assert kept["trial"].tolist() == list(range(1, len(session.trials) + 1)) and kept["session"].nunique() == 1
    assert kept["kind"].tolist() == [trial.kind for trial in session.trials]
    assert kept["seconds"].tolist() == pytest.approx([0.7] * len(kept)) and set(kept["shown_seconds"]) == {1.0}
    assert app.dataframe[0].value.set_index("model")["fooling rate"].to_dict() == {"vivid": 100, "faithful": 0}
    press(app, "Next person")
    assert press(app, "Begin").session_state["judging"].id != session.id


def test_an_answer_counts_only_once_and_only_if_a_browser_can_give_it(clock, answers):
    app = begin()
    session = app.session_state["judging"]
    for number, side, seconds in ((0, "left", -0.1), (0, "left", float("nan")), (0, "middle", 1.0), (1, "left", 1.0)):
        judging._answer(session, number, side, seconds)
    assert session.done == 0 and human_study.read_answers(answers).empty
    judging._answer(session, 0, "left", 0.5)
    judging._answer(session, 0, "right", 0.6)  # the second of two quick presses
    assert session.done == 1 and human_study.read_answers(answers)["answer"].tolist() == ["left"]


def test_a_pair_is_shown_once(clock, answers):
    app = begin()
    shown = given(app)
    clock.seconds += 0.5
    assert given(app.run()) == shown  # the same again, which a browser leaves as it is
    clock.seconds += 90
    assert given(app.run())["pictures"] == []
    assert len(given(go_on(answer(app)))["pictures"]) == 2


def test_the_time_is_a_setting(clock, answers):
    app = AppTest.from_function(judging_app, default_timeout=60).run()
    next(number for number in app.number_input if "Seconds" in number.label).set_value(0.5)
    press(app, "Begin")
    assert given(app)["seconds"] == 0.5
    answer(app)
    assert human_study.read_answers(answers)["shown_seconds"].tolist() == [0.5]


def test_two_people_at_once(clock, answers):
    one, other = begin(), begin()
    for _ in range(3):
        go_on(answer(one))
        go_on(answer(other, real=False))
    kept = human_study.read_answers(answers)
    ids = [app.session_state["judging"].id for app in (one, other)]
    assert kept["session"].tolist() == ids * 3
    assert (kept["answer"] == kept["real_side"]).tolist() == [True, False] * 3


def test_the_pair_does_not_say_which_is_real(clock, answers):
    app = begin()
    trial = app.session_state["judging"].trials[0]
    words = json.dumps(given(app) | {"pictures": None})
    assert not any(word in words for word in ("real", trial.model, trial.photograph))


def test_answers_that_cannot_be_kept_are_said_and_asked_again(clock, answers, monkeypatch):
    answers.parent.mkdir()
    answers.write_text("no data base" * 100)
    app = begin()
    assert "damaged or no file of answers" in app.error[0].value and "judging" not in app.session_state
    answers.unlink()
    press(app, "Begin")
    with monkeypatch.context() as patch:

        def full(*arguments):
            raise OSError("the disk is full.")

        patch.setattr(human_study, "record_answer", full)
        answer(app)
        assert "was not kept: the disk is full." in app.error[0].value and app.session_state["judging"].done == 0
        assert given(app)["pictures"] == []  # it is asked again, not shown again
    answer(app)
    assert app.session_state["judging"].done == 1 and not app.error and len(human_study.read_answers(answers)) == 1


def test_a_folder_without_photographs_is_said(tmp_path, answers, monkeypatch):
    monkeypatch.setenv("COLORLIB_JUDGE_PHOTOS", str(tmp_path / "none"))
    assert "there is no folder of photographs" in begin().error[0].value


def test_a_model_that_cannot_be_loaded_is_said(answers, monkeypatch):
    monkeypatch.setenv("COLORLIB_MODELS", "nowhere/mine.safetensors")
    assert "there is no model at nowhere/mine.safetensors" in begin().error[0].value


def test_models_of_ones_own_are_offered(monkeypatch):
    monkeypatch.setenv("COLORLIB_MODELS", "runs/x/mine:eccv16=https://a.b/w.pth 'my models/b.safetensors' other/mine")
    assert {name: value for name, value in offered_models().items() if name != value} == {
        "mine": "runs/x/mine",
        "eccv16": "eccv16=https://a.b/w.pth",
        "b": "my models/b.safetensors",
    }
    assert {"faithful", "vivid", "other/mine"} < set(offered_models())
    monkeypatch.setenv("COLORLIB_MODELS", "grandma's")
    assert "grandma's" in offered_models()


# -------------------------------------------------------------------------------------------------------- the report


def test_without_a_report_it_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = AppTest.from_function(report_app).run()
    assert "no report yet" in app.info[0].value and not app.get("bidi_component")


def framed(app):
    """Return what the report's frame was given."""
    return json.loads(app.get("bidi_component")[0].proto.json)["content"]


def test_reports_are_shown_and_can_do_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, title, rows in (("one", "First &amp; best", 3), ("two", "Second", 1)):
        folder = tmp_path / "reports" / name
        folder.mkdir(parents=True)
        page = (
            f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{name}<script>evil()</script></body></html>"
        )
        (folder / "index.html").write_text(page)
        (folder / "results.csv").write_text("label\n" + "row\n" * rows)
    picture = tmp_path / "reports" / "one" / "figures" / "test" / "1-01.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    (tmp_path / "reports" / "secret.png").write_bytes(b"a secret")
    with open(tmp_path / "reports" / "one" / "index.html", "a") as file:
        file.write('<img src="figures/test/1-01.jpg"><img src="figures/../../secret.png"><img src="figures/lost.png">')
    app = AppTest.from_function(report_app).run()
    assert app.selectbox[0].options == ["First & best", "Second"]  # the one that compares more first
    assert "<body>one" in framed(app)
    address = f"data:image/jpeg;base64,{base64.b64encode(b'a picture').decode()}"
    assert f'<img src="{address}">' in framed(app)
    assert framed(app).count("data:image") == 1 and framed(app).count('<img src="figures/') == 2  # shown by no policy
    app.selectbox[0].select("two").run()
    assert "<body>two" in framed(app)

    (tmp_path / "reports" / "README.md").write_text(
        "# Which?\n\nTake [it](two/comparison.md), [see](https://a.b).\n\n"
        '<img src="one/figures/test/1-01.jpg" alt="it">\n'
        '<img src="../secret.png" alt="lost">\n'
    )
    app = AppTest.from_function(report_app).run()
    assert app.selectbox[0].value == report.OVERVIEW and not app.get("bidi_component")
    assert app.markdown[0].value.strip() == f"Take it, [see](https://a.b).\n\n![it]({address})\nlost"


@pytest.mark.parametrize(
    "page",
    [
        "<p>plain",
        "<html><script>parent.document.title='1'</script><head></head>",
        "<!-- <head> --><body><script>parent.document.title='2'</script>",
    ],
)
def test_the_policy_comes_before_anything_in_the_report(page):
    guarded = report.with_policy(page)
    assert guarded.index(report.POLICY) < guarded.index(page) and guarded.startswith("<!DOCTYPE html><meta http-equiv")
