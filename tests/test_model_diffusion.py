import pytest
import torch
import torch.nn.functional as F

from colorlib.models.diffusion import AB_DEVIATION, NOISE_SHIFT, Diffusion, shift, with_time
from colorlib.objectives import create_objective

pytestmark = pytest.mark.slow

RED = torch.tensor([20.0, -15.0]).view(1, 2, 1, 1)  # 25 from grey; the other colour of the toy world is −RED
SHARE_RED = 0.8
THING = 8  # pixels each way


class Blank(Diffusion):
    """Hands what it is given to the decoder, so that a test can put the perfect answer there."""

    def forward(self, L, noised=None):
        return noised


def narrow(kind=Diffusion, out_channels=2, **options):
    torch.manual_seed(0)
    return kind(out_channels, **(Diffusion.narrow | options)).eval()


def some_L(*shape):
    return 100 * torch.rand(shape, generator=torch.Generator().manual_seed(0))


def decode(output, size):
    return 110 * output


def mean_of_what_may_be_true(noised, size):
    """E[ab | x_t] where each thing of 8×8 pixels is RED or −RED as a whole, by Bayes' rule."""
    x_t, t = noised[:, :2], noised[:, 2:, ::THING, ::THING]
    along = F.avg_pool2d((x_t * RED).sum(1, keepdim=True), THING)
    log_odds = (
        torch.tensor(SHARE_RED / (1 - SHARE_RED)).log() + 2 * THING**2 * (1 - t) * along / (t * AB_DEVIATION) ** 2
    )
    return RED * F.interpolate((log_odds / 2).tanh(), scale_factor=THING, mode="nearest")


# ------------------------------------------------------------------------------------------------------------- noise


def test_drawn_noise_lies_on_the_straight_path():
    torch.manual_seed(0)
    ab = torch.tensor([40.0, -10.0]).view(1, 2, 1, 1).expand(400, 2, 24, 24)
    noised = narrow().add_noise(ab)
    assert noised.shape == (400, 3, 24, 24)
    t = noised[:, 2, 0, 0]
    assert torch.equal(noised[:, 2], t.view(-1, 1, 1).expand(-1, 24, 24))
    mean, deviation = noised[:, :2].mean((2, 3)), noised[:, :2].std((2, 3))
    error = AB_DEVIATION / 24  # of the mean, and at most of the deviation
    assert ((mean - (1 - t).view(-1, 1) * ab[:, :, 0, 0]).abs() < 5 * error).all()
    assert ((deviation - t.view(-1, 1) * AB_DEVIATION).abs() < 5 * error).all()
    # t is uniform once the shift is undone: its odds are so many times those of u.
    u = (t / (t + NOISE_SHIFT * (1 - t))).sort().values
    assert (u - torch.linspace(0, 1, 400)).abs().max() < 1.63 / 400**0.5  # Kolmogorov and Smirnov, 1 %
    assert t.unique().numel() == 400


def test_shift_keeps_the_ends_and_turns_half_into_eight_to_one():
    torch.testing.assert_close(shift(torch.tensor([0.0, 0.5, 1.0])), torch.tensor([0, 8 / 9, 1]))


def test_no_extra_is_pure_noise_the_same_for_every_photograph_of_a_size():
    network = narrow()
    L = some_L(3, 1, 24, 17)
    noise = network.noise(L, torch.Generator().manual_seed(0))
    assert torch.equal(noise[0], noise[2])
    assert abs(noise[0].std() / AB_DEVIATION - 1) < 0.1
    assert torch.equal(network(L), network(L, with_time(noise, torch.ones(3))))


def test_the_network_sees_noise_and_its_strength():
    network = narrow()
    L = some_L(2, 1, 16, 16)
    torch.manual_seed(1)
    x_t = 25 * torch.randn(2, 2, 16, 16)
    output = network(L, with_time(x_t, torch.tensor([0.5, 0.5])))
    assert (output - network(L, with_time(x_t, torch.tensor([0.5, 0.6]))))[1].abs().max() > 1e-5
    assert (output - network(L, with_time(-x_t, torch.tensor([0.5, 0.5])))).abs().amax((1, 2, 3)).min() > 1e-5
    with pytest.raises(ValueError, match=r"noised must be ab and t, \(N, 3, H, W\).*Diffusion.add_noise makes it"):
        network(L, x_t)


def test_every_parameter_learns_from_a_drawn_step():
    network = narrow().train()
    L, ab = some_L(2, 1, 32, 32), 30 * torch.randn(2, 2, 32, 32)
    network(L, network.add_noise(ab)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


# -------------------------------------------------------------------------------------------------------------- walk


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_with_a_network_that_knows_the_truth_the_walk_ends_there(steps):
    truth = 30 * torch.randn(2, 2, 9, 13, generator=torch.Generator().manual_seed(1))
    seen = []

    def knows(noised, size):
        seen.append(noised)
        return truth

    ab = narrow(Blank, steps=steps).colorize(some_L(2, 1, 9, 13), knows)
    assert torch.equal(ab, truth)
    # The network was shown the straight path from the first noise to the truth, noise first.
    noise, times = seen[0][:, :2], [noised[0, 2, 0, 0] for noised in seen]
    assert len(times) == steps and times[0] == 1 and times == sorted(times, reverse=True)
    for noised, t in zip(seen, times, strict=True):
        torch.testing.assert_close(noised[:, :2], (1 - t) * truth + t * noise, atol=1e-4, rtol=1e-5)


def test_a_perfect_network_gives_both_colours_as_often_as_they_are_true_and_one_step_their_mean():
    L = torch.full((1, 1, 16 * THING, 16 * THING), 50.0)
    samples = narrow(Blank, steps=10).samples(L, mean_of_what_may_be_true, count=10)
    things = samples[:, 0, :, ::THING, ::THING].permute(0, 2, 3, 1).reshape(-1, 2)  # (2560, 2)
    redness = things @ RED.flatten() / 25**2
    assert (redness.abs() > 0.95).float().mean() > 0.97  # red or the other colour, hardly anything between
    share = (redness > 0).float().mean().item()
    assert abs(share - SHARE_RED) < 0.035  # ten steps lean to the frequent colour by one in a hundred

    once = narrow(Blank, steps=1).samples(L, mean_of_what_may_be_true, count=2)
    torch.testing.assert_close(once, ((2 * SHARE_RED - 1) * RED).expand_as(once[0])[None].expand_as(once))


def test_a_trained_network_gives_one_colour_or_the_other_where_regression_gives_their_mean():
    """Photographs of one colour each, RED or its opposite at even odds; lightness does not tell which."""
    network = narrow(out_channels=2).train()
    objective = create_objective("l2")
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    L = torch.full((64, 1, 8, 8), 50.0)
    for _ in range(100):
        ab = RED * (2 * torch.randint(2, (64, 1, 1, 1)) - 1).expand(-1, 1, 8, 8)
        loss = objective(network(L, network.add_noise(ab)), L, ab)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        samples = network.samples(L[:1], objective.decode, count=24)
        redness = (samples * RED).sum(2).mean((1, 2, 3)) / 25**2
        first_answers = objective.decode(network(L[:1]), (8, 8))
    assert redness.max() > 0.6 and redness.min() < -0.6
    assert redness.abs().median() > 0.6
    assert ((first_answers * RED).sum(1) / 25**2).mean().abs() < 0.3


def test_one_step_is_the_networks_first_answer():
    network = narrow(steps=1)
    L = some_L(2, 1, 12, 10)
    torch.testing.assert_close(network.colorize(L, decode), decode(network(L), (12, 10)))


def test_seeds_repeat_and_samples_differ():
    network = narrow(steps=3)
    L = some_L(2, 1, 33, 47)
    with torch.inference_mode():
        samples = network.samples(L, decode, 3, seed=5)
        assert samples.shape == (3, 2, 2, 33, 47) and samples.isfinite().all()
        assert torch.equal(samples, network.samples(L, decode, 3, seed=5))
        assert torch.equal(samples[0], network.colorize(L, decode, seed=5))
        assert torch.equal(samples[:2], network.samples(L, decode, 2, seed=5))
        torch.testing.assert_close(samples[:, 1:], network.samples(L[1:], decode, 3, seed=5), atol=1e-4, rtol=1e-4)
        assert not torch.equal(samples[0], samples[1])
        assert not torch.equal(samples[0], network.colorize(L, decode))
        with pytest.raises(ValueError, match="must be at least 1, not 0"):
            network.samples(L, decode, 0)


@pytest.mark.parametrize("name", ["l1", "l2", "huber", "ce"])
def test_it_colours_by_any_objective(name):
    objective = create_objective(name)
    torch.manual_seed(0)
    network = Diffusion(objective.out_channels, objective.out_stride, **Diffusion.narrow, steps=2).eval()
    L = some_L(2, 1, 33, 47)
    with torch.inference_mode():
        ab = network.colorize(L, objective.decode)
    assert ab.shape == (2, 2, 33, 47) and ab.isfinite().all()
    assert ab.abs().max() < 20  # grey still, and no noise is left


# -------------------------------------------------------------------------------------------------------------- size


def test_the_default_has_the_widths_of_its_docstring():
    with torch.device("meta"):
        network, small = Diffusion(2), Diffusion(2, **Diffusion.narrow)
    assert [level[-1].conv2.out_channels for level in network.down] == [64, 128, 256, 512]
    assert {len(level) for level in [*network.down, *network.up, network.bottom]} == {2}
    assert sum(p.numel() for p in network.parameters()) == 28_607_426
    assert sum(p.numel() for p in small.parameters()) == 237_834
