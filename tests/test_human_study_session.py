"""A session of the human study: fair pictures and a fair plan."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from colorlib.color.lab import rgb_to_lab
from colorlib.deployment.loading import load_colorizer
from colorlib.human_study import (
    CHECK,
    Design,
    choose_photographs,
    colored_picture,
    miscolored_picture,
    plan_session,
    real_picture,
)
from colorlib.human_study.session import _png
from colorlib.pictures.picture import Picture

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundled():
    return choose_photographs(54, np.random.default_rng(0))


def plain(count):
    """Photographs of one colour each."""
    rng = np.random.default_rng(0)
    return {f"photo-{i}": np.tile(rng.integers(0, 256, 3, np.uint8), (16, 16, 1)) for i in range(count)}


def lab_of(png):
    rgb = np.asarray(Image.open(io.BytesIO(png))) / 255
    return rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1)[None])


# ------------------------------------------------------------------------------------------------------ the pictures


def test_pictures_differ_in_colour_alone(bundled):
    square, donor = list(bundled.values())[:2]
    real = real_picture(square)
    assert np.abs(np.asarray(Image.open(io.BytesIO(real))).astype(int) - square).max() <= 1
    vivid = load_colorizer("vivid")
    for other in (colored_picture(square, vivid), miscolored_picture(square, donor)):
        a, b = Image.open(io.BytesIO(real)), Image.open(io.BytesIO(other))
        assert (a.format, a.size, a.mode, a.info) == (b.format, b.size, b.mode, b.info)
        gap = lab_of(real) - lab_of(other)
        assert gap[:, 0].abs().max() < 0.9  # what rounding to 8 bits makes of one L
        assert gap[:, 1:].abs().mean() > 2


def test_the_model_sees_no_colour(bundled):
    square = next(iter(bundled.values()))
    dull = np.asarray(Image.open(io.BytesIO(_png(Picture(square).lightness(), torch.zeros(1, 2, 256, 256)))))
    vivid = load_colorizer("vivid")
    gap = lab_of(colored_picture(square, vivid)) - lab_of(colored_picture(dull, vivid))
    assert gap[:, 1:].abs().mean() < 0.5


def test_only_colour_photographs_are_judged(tmp_path, bundled):
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, square in enumerate(bundled.values()):
        Image.fromarray(square).save(folder / f"colour-{number}.png")
    Image.fromarray(square).convert("L").save(folder / "grey.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    found = choose_photographs(54, np.random.default_rng(0), folder)
    assert set(found) == {f"mine/colour-{number}.png" for number in range(len(bundled))}
    assert len(choose_photographs(3, np.random.default_rng(0), folder)) == 3
    (folder / "colour-0.png").unlink()
    (folder / "colour-1.png").unlink()
    with pytest.raises(ValueError, match="holds 2 colour photographs"):
        choose_photographs(54, np.random.default_rng(0), folder)
    with pytest.raises(FileNotFoundError, match="no folder of photographs"):
        choose_photographs(54, np.random.default_rng(0), tmp_path / "none")


# ---------------------------------------------------------------------------------------------------------- the plan


def test_a_session_is_the_papers_and_no_photograph_comes_twice():
    trials = plan_session(plain(Design().photographs), ["faithful", "vivid"], Design(), np.random.default_rng(0))
    kinds = [trial.kind for trial in trials]
    assert kinds[:10] == ["practice"] * 10 and "practice" not in kinds[10:]
    assert kinds.count("scored") == 40 and kinds.count("check") == 4
    assert len({trial.photograph for trial in trials}) == len(trials)
    models = [trial.model for trial in trials if trial.kind == "scored"]
    assert models.count("vivid") == models.count("faithful") == 20
    assert all((trial.model == CHECK) == (trial.kind == "check") == (trial.donor is not None) for trial in trials)


def test_lots_are_fair():
    rng = np.random.default_rng(0)
    sessions = [plan_session(plain(60), ["faithful", "vivid"], Design(), rng) for _ in range(60)]
    sides = [trial.real_side for trials in sessions for trial in trials]
    assert abs(sides.count("left") / len(sides) - 0.5) < 0.04
    first = [trials[10].model for trials in sessions]
    assert 15 < first.count("vivid") < 45
    assert len({[trial.kind for trial in trials].index("check") for trials in sessions}) > 5


@pytest.mark.parametrize("count", [3, 4, 9, 30])
def test_few_photographs_make_a_short_session_without_a_pair_twice(count):
    for seed in range(20):
        trials = plan_session(plain(count), ["a", "b", "c"], Design(), np.random.default_rng(seed))
        practised = {trial.photograph for trial in trials if trial.kind == "practice"}
        scored = [(trial.photograph, trial.model) for trial in trials if trial.kind == "scored"]
        assert len(set(scored)) == len(scored) == min(40, 3 * (count - len(practised)))
        assert practised and not practised & {photograph for photograph, _ in scored}
        assert sum(trial.kind == "check" for trial in trials) >= 2
        if count - len(practised) >= 4:
            after_practice = [trial.photograph for trial in trials if trial.kind != "practice"]
            assert all(a != b for a, b in zip(after_practice, after_practice[1:], strict=False))


def test_a_check_has_the_least_fitting_colours():
    colors = {"red": (200, 30, 30), "brick": (190, 40, 30), "blue": (30, 60, 220)}
    photographs = {name: np.full((16, 16, 3), color, np.uint8) for name, color in colors.items()}
    for seed in range(5):
        checks = [t for t in plan_session(photographs, ["m"], Design(), np.random.default_rng(seed)) if t.donor]
        farthest = {"red": "blue", "brick": "blue", "blue": "red"}
        assert checks and all(trial.donor == farthest[trial.photograph] for trial in checks)
