import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.spatial import cKDTree

from colorlib import gamut
from colorlib.models import MODELS, create_model
from colorlib.objectives import OBJECTIVES, Objective, create_objective, objective_options
from colorlib.objectives.adversarial import PatchCritic

CENTRES = gamut.bin_centres()
PRIOR = gamut.empirical_prior([torch.randn(4, 2, 32, 32, generator=torch.Generator().manual_seed(9)) * 12])
CHEAP = {"pix2pix": {"critic_width": 4}}
NARROW = {"unet": {"width": 4}, "eccv16": {"width": 0.0625}}

every_objective = pytest.mark.parametrize("name", OBJECTIVES)


def create(name, **options) -> Objective:
    torch.manual_seed(0)
    return create_objective(name, prior=PRIOR, **CHEAP.get(name, {}) | options)


def some_photographs(N=2, H=32, W=32):
    generator = torch.Generator().manual_seed(0)
    ab = F.interpolate(torch.randn(N, 2, 4, 4, generator=generator) * 25, size=(H, W), mode="bilinear")
    return torch.rand(N, 1, H, W, generator=generator) * 100, ab


def perfect_output(objective, ab):
    """The output that an all-knowing network would give."""
    small = F.avg_pool2d(ab, objective.out_stride, ceil_mode=True)
    if objective.out_channels == 2:
        return small / 110
    indices, odds = gamut.soft_encode(small, objective.k, objective.sigma)
    return torch.zeros(len(ab), 313, *small.shape[-2:]).scatter(1, indices, odds).clamp(min=1e-9).log()


# -------------------------------------------------------------------------------------------------- every objective


@every_objective
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_the_truth_costs_least(name, size):
    objective = create(name).eval()
    L, ab = some_photographs(2, *size)
    output = perfect_output(objective, ab)
    assert output.shape[1:] == (objective.out_channels, *(-(-side // objective.out_stride) for side in size))
    generator = torch.Generator().manual_seed(1)
    best = objective(output, L, ab)
    assert best["loss"].shape == () and best["loss"].dtype == torch.float32
    for scale in (0.1, 0.5):
        worse = objective(output + scale * torch.randn(output.shape, generator=generator), L, ab)
        assert worse["loss"] > best["loss"] + 1e-4


@every_objective
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_decoding_the_truth_returns_it(name, stride):
    """Colours that change evenly, on a picture of odd size: exact inside for regression, else within a bin."""
    if "out_stride" not in objective_options(name):
        stride = 1
    objective = create(name, **{"out_stride": stride} if "out_stride" in objective_options(name) else {})
    assert objective.out_stride == stride
    y, x = torch.meshgrid(torch.linspace(-30, 40, 33), torch.linspace(-20, 30, 47), indexing="ij")
    ab = torch.stack([x + y / 4, y])[None]
    decoded = objective.decode(perfect_output(objective, ab), (33, 47))
    assert decoded.shape == ab.shape and decoded.dtype == torch.float32
    inside = (..., slice(stride, -2 * stride), slice(stride, -2 * stride))
    error = (decoded - ab)[inside]
    if objective.out_channels == 2:
        assert error.abs().max() < 1e-4
    else:
        assert error.norm(dim=1).max() < 50**0.5 and error.mean().abs() < 0.5  # half the diagonal of a bin


@every_objective
def test_decoding_fits_any_size(name):
    objective = create(name)
    output = torch.zeros(2, objective.out_channels, 16, 16)
    assert objective.decode(output, (50, 31)).shape == (2, 2, 50, 31)


@every_objective
def test_bfloat16_in_float32_out(name):
    objective = create(name)
    L, ab = some_photographs()
    output = perfect_output(objective, ab)
    with torch.autocast("cpu", torch.bfloat16):
        terms = objective(output.bfloat16(), L, ab)
        decoded = objective.decode(output.bfloat16(), (32, 32))
    assert decoded.dtype == torch.float32
    assert all(term.dtype == torch.float32 and term.isfinite() for term in terms.values())
    assert float(terms["loss"].detach()) == pytest.approx(
        float(objective(output, L, ab)["loss"].detach()), rel=0.05, abs=0.1
    )


@every_objective
def test_gradient_of_the_loss(name):
    objective = create(name).double().eval()
    L, ab = (x.double() for x in some_photographs(1, 4, 4))
    side = 4 // objective.out_stride
    output = torch.randn(1, objective.out_channels, side, side, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: objective(x, L, ab)["loss"], output, fast_mode=True)


@every_objective
@pytest.mark.parametrize("model", MODELS)
def test_each_objective_trains_each_model(model, name):
    objective = create(name)
    network = create_model(model, objective.out_channels, objective.out_stride, **NARROW.get(model, {}))
    before = [p.detach().clone() for p in network.parameters()]
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    L, ab = some_photographs(2, 33, 32)
    for _ in range(2):
        loss = objective(network(L), L, ab)[objective.validated_term]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert objective.decode(network(L), (33, 32)).isfinite().all()


# ------------------------------------------------------------------------------------------------------ regression


def test_regression_losses_equal_their_formulas():
    L, ab = some_photographs()
    output = torch.randn(2, 2, 32, 32, generator=torch.Generator().manual_seed(1)) / 50
    error = np.abs(output.double().numpy() - ab.double().numpy() / 110)
    huber = np.where(error < 3 / 110, error**2 / 2, 3 / 110 * (error - 1.5 / 110)) / (3 / 110)
    expected = {"l1": error.mean(), "l2": (error**2).mean(), "huber": huber.mean()}
    for name, value in expected.items():
        objective = create(name, **{"delta": 3.0} if name == "huber" else {})
        assert float(objective(output, L, ab)["loss"]) == pytest.approx(value, rel=1e-5)


def test_a_coarse_output_is_compared_with_averages():
    L, ab = some_photographs(1, 5, 6)
    blocks = [[ab[0, :, y : y + 2, x : x + 2].mean((1, 2)) for x in (0, 2, 4)] for y in (0, 2, 4)]
    averages = torch.stack([torch.stack(row) for row in blocks]).permute(2, 0, 1)[None]
    assert float(create("l2", out_stride=2)(averages / 110, L, ab)["loss"]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name,middle", [("l1", 0.0), ("l2", -10.0)])
def test_a_two_way_truth_costs_least_at_its_median_or_mean(name, middle):
    """Three pixels in five are neutral, one is green and one very green, and the network cannot tell which."""
    a = torch.tensor([0.0, 0.0, 0.0, -10.0, -40.0])
    ab = torch.stack([a, torch.zeros(5)]).view(1, 2, 1, 5)
    objective = create(name)
    answers = torch.arange(-50.0, 11.0)
    costs = [
        float(objective(torch.tensor([x, 0.0]).view(1, 2, 1, 1).expand_as(ab) / 110, ab, ab)["loss"]) for x in answers
    ]
    assert answers[int(np.argmin(costs))] == middle


# -------------------------------------------------------------------------------------------------- classification


@pytest.mark.parametrize("k", [5, 10])
def test_cross_entropy_equals_the_formula_of_the_paper(k):
    L, ab = some_photographs(1, 8, 8)
    logits = torch.randn(1, 313, 4, 4, generator=torch.Generator().manual_seed(1))
    small = F.avg_pool2d(ab, 2).movedim(1, -1).reshape(-1, 2).double().numpy()
    distance, bins = cKDTree(CENTRES.numpy()).query(small, k=k)
    Z = np.zeros((16, 313))
    np.put_along_axis(Z, bins, np.exp(-(distance**2) / 50), 1)
    Z /= Z.sum(1, keepdims=True)
    per_pixel = -(Z * logits.log_softmax(1).movedim(1, -1).reshape(-1, 313).double().numpy()).sum(1)
    assert float(create("ce", k=k)(logits, L, ab)["loss"]) == pytest.approx(per_pixel.mean(), rel=1e-5)

    kernel = np.exp(-((CENTRES[:, None] - CENTRES[None]) ** 2).sum(-1).double().numpy() / 50)
    smooth = (PRIOR.numpy()[:, None] * kernel / kernel.sum(1, keepdims=True)).sum(0)
    w = 1 / (0.5 * smooth + 0.5 / 313)
    w /= (smooth * w).sum()
    terms = create("rebalanced_ce", k=k)(logits, L, ab)
    assert float(terms["loss"]) == pytest.approx((w[bins[:, 0]] * per_pixel).mean(), rel=1e-5)
    assert float(terms["unweighted"]) == pytest.approx(per_pixel.mean(), rel=1e-5)


def test_rebalancing_keeps_the_scale_and_lifts_rare_colours():
    weights = create("rebalanced_ce").weights
    smooth = gamut.smooth_prior(PRIOR)
    assert float(smooth @ weights.double()) == pytest.approx(1, rel=1e-5)
    assert weights[smooth.argmin()] > 10 * weights[smooth.argmax()]
    assert torch.allclose(create("rebalanced_ce", mix=1.0).weights, torch.ones(313))


def test_uniform_logits_cost_log_of_313():
    L, ab = some_photographs()
    assert float(create("ce")(torch.zeros(2, 313, 16, 16), L, ab)["loss"]) == pytest.approx(np.log(313), rel=1e-6)


def test_temperature_decides_how_vivid_a_doubtful_answer_is():
    two = gamut.nearest_bin(torch.tensor([[60.0, -40.0], [40.0, 50.0]]).view(1, 2, 2, 1)).flatten()
    logits = torch.full((1, 313, 2, 2), -30.0)
    logits[0, two[0]], logits[0, two[1]] = 0.3, 0.0
    chroma = [float(create("ce", temperature=t).decode(logits, (4, 4)).norm(dim=1).mean()) for t in (0.01, 0.38, 1.0)]
    assert chroma[0] > chroma[1] > chroma[2]


# ----------------------------------------------------------------------------------------------------- adversarial


def test_critic_is_the_papers():
    """C64-C128-C256-C512 of 4×4 filters on 3 channels; no bias before batch normalisation."""
    pairs = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    expected = sum(16 * i * o for i, o in pairs) + 64 + 1 + 2 * (128 + 256 + 512)
    assert sum(p.numel() for p in PatchCritic().parameters()) == expected == 2_765_633


def test_an_opinion_rests_on_70_by_70_pixels():
    critic = PatchCritic(4).eval()
    L = torch.rand(1, 1, 160, 160, requires_grad=True)
    opinions = critic(L, torch.rand(1, 2, 160, 160))
    opinions[0, 0, 9, 9].backward()
    seen = L.grad[0, 0].nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [70, 70]


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (32, 32), (8, 5)])
def test_critic_takes_any_size(size):
    objective = create("pix2pix")
    L, ab = some_photographs(2, *size)
    output = torch.zeros_like(ab, requires_grad=True)
    terms = objective(output, L, ab)
    terms["loss"].backward()
    assert output.grad.isfinite().all() and all(term.isfinite() for term in terms.values())


def test_pix2pix_is_100_l1_plus_the_critics_cross_entropy():
    objective = create("pix2pix").eval()
    L, ab = some_photographs()
    output = torch.randn(2, 2, 32, 32, generator=torch.Generator().manual_seed(1)) / 5
    terms = objective(output, L, ab)
    with torch.no_grad():
        on_predicted = objective.critic(L, output).double().numpy()
        on_true = objective.critic(L, ab / 110).double().numpy()
    gan = np.log1p(np.exp(-on_predicted)).mean()
    l1 = np.abs(output.numpy() - ab.numpy() / 110).mean()
    assert float(terms["loss"]) == pytest.approx(100 * l1 + gan, rel=1e-5)
    assert float(terms["l1"]) == pytest.approx(l1, rel=1e-5) and objective.validated_term == "l1"
    critic_terms = objective.critic_loss(output, L, ab)
    expected = (np.log1p(np.exp(-on_true)).mean() + np.log1p(np.exp(on_predicted)).mean()) / 2
    assert float(critic_terms["loss"].detach()) == pytest.approx(expected, rel=1e-5)


def test_each_of_the_two_losses_teaches_its_own_network_only():
    objective = create("pix2pix")
    L, ab = some_photographs()
    output = torch.zeros_like(ab, requires_grad=True)
    objective(output, L, ab)["loss"].backward()
    assert output.grad.any() and all(p.grad is None for p in objective.critic.parameters())
    output.grad = None
    objective.critic_loss(output, L, ab)["loss"].backward()
    assert output.grad is None and all(p.grad is not None for p in objective.critic.parameters())


def test_the_critic_learns_to_tell_grey_from_colour():
    objective = create("pix2pix")
    L, ab = some_photographs(4)
    grey = torch.zeros_like(ab)
    optimizer = torch.optim.Adam(objective.critic.parameters(), 1e-3)
    losses = []
    for _ in range(15):
        loss = objective.critic_loss(grey, L, ab)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert objective(grey, L, ab)["gan"] > objective(ab / 110, L, ab)["gan"]


# ------------------------------------------------------------------------------------------------------- bad input


def test_unknown_names_and_options_get_one_clear_sentence():
    with pytest.raises(ValueError, match="unknown objective 'rebalanced'; did you mean 'rebalanced_ce'"):
        create_objective("rebalanced")
    with pytest.raises(ValueError, match="unknown option of ce 'temprature'; did you mean 'temperature'"):
        create_objective("ce", temprature=1.0)
    with pytest.raises(ValueError, match="unknown option of l1 'delta'"):
        create_objective("l1", delta=1.0)
    with pytest.raises(TypeError, match="k of ce must be a number like 5, not '5'"):
        create_objective("ce", k="5")
    with pytest.raises(ValueError, match="rebalanced_ce needs the prior"):
        create_objective("rebalanced_ce")
    with pytest.raises(ValueError, match="prior"):
        create_objective("rebalanced_ce", prior=torch.ones(10))
    for name, bad in [("l1", {"out_stride": 3}), ("ce", {"k": 0}), ("ce", {"temperature": 0}), ("huber", {"delta": 0})]:
        with pytest.raises(ValueError, match="must be"):
            create_objective(name, **bad)
