import numpy as np
import pytest
import skimage.color
import torch
import torch.nn.functional as F
from scipy.spatial import cKDTree
from variants import VARIANTS

from colorlib.color import gamut
from colorlib.color.appearance import hs03
from colorlib.color.lab import lab_to_rgb, rgb_to_lab
from colorlib.color.spaces import SPACES
from colorlib.judges import judge_for_losses
from colorlib.models import MODELS, create_model
from colorlib.objectives import (
    OBJECTIVES,
    SUMS,
    Objective,
    create_objective,
    describe_objective,
    objective_options,
)
from colorlib.objectives.critics import CRITICS, PatchCritic

pytestmark = pytest.mark.slow

CENTRES = gamut.bin_centres()
PRIOR = gamut.empirical_prior([torch.randn(4, 2, 32, 32, generator=torch.Generator().manual_seed(9)) * 12])
NAMES = [*OBJECTIVES, *SUMS]
CHEAP = {name: {"critic_width": 4} for name in NAMES if "critic_width" in objective_options(name)}

every_objective = pytest.mark.parametrize("name", NAMES)


def create(name, **options) -> Objective:
    torch.manual_seed(0)
    cheap = CHEAP.get(name, {}) if isinstance(name, str) else {}
    return create_objective(name, prior=PRIOR, **cheap | options)


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
    term = objective.validated_term  # a critic's own opinion need not be best at the truth
    best = objective(output, L, ab)
    assert best["loss"].shape == () and best["loss"].dtype == torch.float32
    for scale in (0.1, 0.5):
        worse = objective(output + scale * torch.randn(output.shape, generator=generator), L, ab)
        assert worse[term] > best[term] + 1e-4


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
    size = 16 if name == "gan_projected" else 4  # in a smaller one a critic has a single place to look at
    L, ab = (x.double() for x in some_photographs(1, size, size))
    side = size // objective.out_stride
    output = torch.randn(1, objective.out_channels, side, side, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: objective(x, L, ab)["loss"], output, fast_mode=True)


def train_two_steps(name, model, options):
    objective = create(name)
    network = create_model(model, objective.out_channels, objective.out_stride, 3, **options)
    learning = [p for p in network.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in learning]
    optimizer = torch.optim.AdamW(learning, 1e-3)
    L, ab = some_photographs(2, 33, 32)
    for _ in range(2):
        loss = objective(network(L), L, ab)["loss"]
        loss = loss + sum(network.side_loss(L, ab, torch.arange(2)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, learning, strict=True))
    assert objective.decode(network(L), (33, 32)).isfinite().all()


# A network knows of its objective the kind of output that it asks for, and an objective knows of its network the output
# alone: every objective with one network, and every network with one objective of each kind, of which one has a critic.


@every_objective
def test_each_objective_trains_a_network(name):
    train_two_steps(name, "unet", MODELS["unet"].narrow)


@pytest.mark.parametrize("name", ["l1", "rebalanced_ce", "pix2pix"])
@pytest.mark.parametrize("model, options", VARIANTS)
def test_each_kind_of_objective_trains_each_network(model, options, name):
    train_two_steps(name, model, options)


# ------------------------------------------------------------------------------------------------------------ sums


def test_a_sum_is_the_weighted_sum_of_its_terms():
    L, ab = some_photographs()
    output = torch.randn(2, 2, 32, 32, generator=torch.Generator().manual_seed(1)) / 50
    objective = create({"l1": 100, "l2": 3.0, "ciede2000": 0.5})
    expected = sum(w * create(name)(output, L, ab)["loss"] for name, w in (("l1", 100), ("l2", 3), ("ciede2000", 0.5)))
    terms = objective(output, L, ab)
    assert float(terms["loss"]) == pytest.approx(float(expected), rel=1e-6)
    assert float(terms["validated"]) == pytest.approx(float(expected), rel=1e-6)


def test_a_critic_judges_the_colours_that_odds_are_decoded_to():
    objective = create({"ce": 1, "gan_lsgan": 0.1}, critic_width=4)
    assert (objective.out_channels, objective.out_stride) == (313, 2) and objective.critic is not None
    L, ab = some_photographs()
    output = perfect_output(create("ce"), ab).requires_grad_()
    terms = objective(output, L, ab)
    opinion = objective.critic["gan_lsgan"](L, objective.decode(output, (32, 32)) / 110)
    assert float(terms["gan_lsgan"].detach()) == pytest.approx(float((opinion - 1).square().mean()), rel=1e-4)
    (gradient,) = torch.autograd.grad(terms["gan_lsgan"], output)
    assert gradient.isfinite().all() and gradient.any()


def test_impossible_sums_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="l1 and ce read a network's output differently"):
        create({"l1": 1, "ce": 1})
    for weight in (0, -1, "2", True, float("nan")):
        with pytest.raises(ValueError, match="weight of l1 .* above zero"):
            create({"l1": weight})
    with pytest.raises(ValueError, match="at least one term"):
        create_objective({})
    with pytest.raises(ValueError, match="did you mean 'gan_lsgan'"):
        create_objective({"gan_lsgn": 1})
    with pytest.raises(ValueError, match="unknown option of 2 l1 [+] gan_hinge 'delta'"):
        create_objective({"l1": 2, "gan_hinge": 1}, delta=1.0)
    with pytest.raises(ValueError, match="unknown colour space 'hvs'; did you mean 'hsv'"):
        create_objective("l2", space="hvs")
    with pytest.raises(TypeError, match="space of l2 must be a word like 'lab'"):
        create_objective("l2", space=3)
    assert describe_objective({"l1": 100.0, "gan_lsgan": 1}) == "100 l1 + gan_lsgan"


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
    L = torch.full((1, 1, 1, 5), 50.0)
    objective = create(name)
    answers = torch.arange(-50.0, 11.0)
    costs = [
        float(objective(torch.tensor([x, 0.0]).view(1, 2, 1, 1).expand_as(ab) / 110, L, ab)["loss"]) for x in answers
    ]
    assert answers[int(np.argmin(costs))] == middle


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", ["l1", "l2", "huber", "charbonnier"])
def test_every_colour_space_keeps_the_truth(name, space):
    """The truth costs nothing and is decoded to itself; an answer that is decoded can be taught."""
    objective = create(name, space=space)
    rgb = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(3))
    rgb[0, :, :3] = rgb[0, :1, :3]  # greys, which have no hue
    L, ab = rgb_to_lab(rgb).split([1, 2], 1)
    truth = SPACES[space].encode(torch.cat([L, ab], 1))
    assert truth.shape[1] == objective.out_channels and truth.abs().max() < 1.05
    assert float(objective(truth, L, ab)["loss"]) == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(objective.decode(truth, (9, 11)), ab, atol=2e-3, rtol=0)
    answer = torch.zeros_like(truth).add(0.1).requires_grad_()
    (gradient,) = torch.autograd.grad(objective.decode(answer, (9, 11)).sum(), answer)
    assert gradient.isfinite().all() and gradient.any()


def test_charbonnier_equals_its_formula():
    L, ab = some_photographs()
    output = torch.zeros_like(ab)
    expected = np.sqrt((ab.double().numpy() / 110) ** 2 + (2 / 110) ** 2).mean() - 2 / 110
    assert float(create("charbonnier", epsilon=2.0)(output, L, ab)["loss"]) == pytest.approx(expected, rel=1e-5)


def test_cie76_by_hand():
    """Errors (0, 0) and (3, 4): distances 0 and 5, of which the round tip takes (1 + 5) − √26."""
    L, ab = torch.full((1, 1, 1, 2), 50.0), torch.tensor([[[[0.0, 3.0]], [[0.0, 4.0]]]])
    loss = create("cie76")(torch.zeros(1, 2, 1, 2), L, ab)["loss"]
    assert float(loss) == pytest.approx((26**0.5 - 1) / 2 / 100)


def test_ciede2000_equals_scikit_image():
    L, ab = some_photographs()
    first, second = (torch.cat([L, x], 1).movedim(1, -1).double().numpy() for x in (0.5 * ab, ab))
    expected = skimage.color.deltaE_ciede2000(first, second).mean() / 100
    assert float(create("ciede2000")(0.5 * ab / 110, L, ab)["loss"]) == pytest.approx(expected, rel=1e-4)


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
        on_predicted = objective.critic["gan_vanilla"](L, output).double().numpy()
        on_true = objective.critic["gan_vanilla"](L, ab / 110).double().numpy()
    gan = np.log1p(np.exp(-on_predicted)).mean()
    l1 = np.abs(output.numpy() - ab.numpy() / 110).mean()
    assert float(terms["loss"]) == pytest.approx(100 * l1 + gan, rel=1e-5)
    assert float(terms["l1"]) == pytest.approx(l1, rel=1e-5)
    assert objective.validated_term == "validated" and float(terms["validated"]) == pytest.approx(100 * l1, rel=1e-5)
    critic_terms = objective.critic_terms(output, L, ab)
    expected = (np.log1p(np.exp(-on_true)).mean() + np.log1p(np.exp(on_predicted)).mean()) / 2
    assert float(critic_terms["loss"].detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["pix2pix", "gan_projected"])
def test_each_of_the_two_losses_teaches_its_own_network_only(name):
    objective = create(name)
    L, ab = some_photographs()
    output = torch.zeros_like(ab, requires_grad=True)
    objective(output, L, ab)["loss"].backward()
    assert output.grad.any() and all(p.grad is None for p in objective.critic.parameters())
    output.grad = None
    objective.critic_terms(output, L, ab)["loss"].backward()
    assert output.grad is None and all(p.grad is not None for p in objective.critic.parameters())


def test_the_critic_learns_to_tell_grey_from_colour():
    objective = create("pix2pix")
    L, ab = some_photographs(4)
    grey = torch.zeros_like(ab)
    optimizer = torch.optim.Adam(objective.critic.parameters(), 1e-3)
    losses = []
    for _ in range(15):
        loss = objective.critic_terms(grey, L, ab)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert objective(grey, L, ab)["gan_vanilla"] > objective(ab / 110, L, ab)["gan_vanilla"]


ADVERSARIAL = {
    "gan_lsgan": (
        lambda true, fake: ((true - 1) ** 2).mean() / 2 + (fake**2).mean() / 2,
        lambda x: ((x - 1) ** 2).mean(),
    ),
    "gan_hinge": (lambda true, fake: (1 - true).clip(0).mean() + (1 + fake).clip(0).mean(), lambda x: -x.mean()),
    "gan_wgan_gp": (lambda true, fake: fake.mean() - true.mean(), lambda x: -x.mean()),
}
ADVERSARIAL["gan_projected"] = ADVERSARIAL["gan_hinge"]


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_adversarial_losses_equal_their_formulas(name):
    objective = create(name).eval()
    L, ab = some_photographs()
    output = torch.randn(2, 2, 32, 32, generator=torch.Generator().manual_seed(1)) / 5
    with torch.no_grad():
        opinions = [objective.critic[name](L, x).double().numpy() for x in (ab / 110, output)]
    lesson, wish = ADVERSARIAL[name]
    assert float(objective(output, L, ab)["loss"].detach()) == pytest.approx(wish(opinions[1]), rel=1e-4, abs=1e-7)
    terms = {key: float(value.detach()) for key, value in objective.critic_terms(output, L, ab).items()}
    expected = lesson(*opinions) + 10 * terms.get("critic_penalty", 0)
    assert terms["loss"] == pytest.approx(expected, rel=1e-4, abs=1e-7)
    assert 0 <= terms["critic_told_apart"] <= 1


def test_the_penalty_is_that_of_a_known_slope():
    """A critic whose mean opinion is a tenth of the sum of its ab inputs has the slope √(number of values) / 10."""
    objective = create_objective("gan_wgan_gp", critic_width=4)

    class Sum(torch.nn.Module):
        def forward(self, L, ab_unit):
            # as four opinions that differ, since a patch critic has many
            return ab_unit.sum((1, 2, 3), keepdim=True) * torch.tensor([0.0, 0.1, 0.1, 0.2]).view(1, 1, 2, 2)

    objective.critic["gan_wgan_gp"] = objective.terms["gan_wgan_gp"].critic = Sum()
    L, ab = some_photographs(3, 6, 7)
    penalty = objective.critic_terms(torch.zeros_like(ab), L, ab)["critic_penalty"]
    assert float(penalty) == pytest.approx((0.1 * (2 * 6 * 7) ** 0.5 - 1) ** 2, rel=1e-4)


@pytest.mark.parametrize("critic", CRITICS)
def test_every_critic_takes_any_size_and_learns(critic):
    objective = create("gan_lsgan", critic=critic)
    optimizer = torch.optim.Adam(objective.critic.parameters(), 2e-3)
    L, ab = some_photographs(2, 33, 47)
    losses = []
    for _ in range(12):
        loss = objective.critic_terms(torch.zeros_like(ab), L, ab)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    if critic == "unet":
        assert objective.critic["gan_lsgan"](L, ab / 110).shape == (2, 1, 33, 47)


def test_a_schedule_holds_the_critic_back():
    objective = create({"l1": 1, "gan_hinge": 1}, critic_from=0.5, counts_from=0.75, network_rests=1, critic_width=4)
    L, ab = some_photographs()
    counts, learns, rests = [], [], []
    for objective.share in (0.4, 0.6, 0.8):
        output = torch.zeros_like(ab)
        counts.append(float(objective(output, L, ab)["gan_hinge"]) != 0)
        learns.append(float(objective.critic_terms(output, L, ab)["loss"].detach()) != 0)
        rests.append(objective.network_rests())
    assert counts == [False, False, True] and learns == [False, True, True] and rests == [False, True, False]
    objective = create("gan_hinge", critic_from=0.5, counts_from=0.75, critic_rate=1e-4)
    objective.share = 0.6
    assert not objective.network_rests() and objective.critic_rate == 1e-4 and create("pix2pix").critic_rate == 2e-4
    for option, value in (("critic_from", 1.5), ("critic_rate", 0.0), ("network_rests", 2)):
        with pytest.raises(ValueError, match=f"{option} .*must be"):
            create("gan_hinge", **{option: value})


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


@pytest.mark.parametrize("name", ["perceptual", "class_kl"])
def test_a_look_through_the_judge_is_zero_at_the_truth_and_trains_no_judge(name):
    objective, another = create_objective(name), create_objective(name)
    L, ab = some_photographs(2, 32, 32)
    at_truth, at_grey = (float(objective(colors / 110, L, ab)["loss"]) for colors in (ab, torch.zeros_like(ab)))
    assert at_truth == pytest.approx(0, abs=1e-4) and at_grey > 10 * at_truth + 1e-3
    assert not any(p.requires_grad for p in objective.parameters()) and objective.critic is None
    assert not any(p is q for p, q in zip(objective.parameters(), another.parameters(), strict=True))


def test_perceptual_and_class_kl_by_hand():
    L, ab = some_photographs(2, 32, 32)
    judge = judge_for_losses()
    seen, true = (judge(lab_to_rgb(torch.cat([L, colors], 1), clip=False).clamp(-0.5, 1.5)) for colors in (0 * ab, ab))
    by_map = [float((x - y).abs().sum() / y.abs().sum()) for x, y in zip(seen.maps, true.maps, strict=True)]
    assert float(create_objective("perceptual")(0 * ab, L, ab)["loss"]) == pytest.approx(sum(by_map) / 5, rel=1e-4)
    p, q = (scores.logits.double().softmax(1) for scores in (true, seen))
    kl = (p * (p / q).log()).sum(1).mean()
    assert float(create_objective("class_kl")(0 * ab, L, ab)["loss"]) == pytest.approx(float(kl), rel=1e-3)


def test_colorfulness_rewards_vivid_pictures_and_lets_another_term_choose_the_checkpoint():
    objective = create_objective("colorfulness")
    L, ab = torch.full((2, 1, 32, 32), 55.0), 0.3 * some_photographs(2, 32, 32)[1]  # all of it inside sRGB
    terms = objective(ab / 110, L, ab)
    assert float(terms["colorfulness"]) == pytest.approx(
        1 - float(hs03(lab_to_rgb(torch.cat([L, ab], 1))).mean()) / 100
    )
    assert float(terms["validated"]) == pytest.approx(0, abs=1e-4) and objective.validated_term == "validated"
    assert float(objective(0.5 * ab / 110, L, ab)["loss"]) > float(terms["loss"])
    grey = torch.zeros_like(ab, requires_grad=True)
    objective(grey, L, ab)["loss"].backward()
    assert grey.grad.isfinite().all()
    with pytest.raises(ValueError, match="absolute must be 0"):
        create_objective("colorfulness", absolute=2)
