import doctest
from itertools import combinations

import pytest
import torch

from colorlib.metrics import several
from colorlib.metrics.several import best_of, diversity


def some_samples(count, photographs=3):
    return 40 * torch.randn(count, photographs, 2, 5, 7, generator=torch.Generator().manual_seed(0))


def test_diversity_is_the_mean_over_pairs_and_pixels():
    samples = some_samples(4)
    for n in range(3):
        apart = [torch.hypot(*(a[n] - b[n])).mean() for a, b in combinations(samples, 2)]
        torch.testing.assert_close(diversity(samples)[n], torch.stack(apart).mean())
    assert torch.equal(diversity(samples[:1].expand(3, -1, -1, -1, -1)), torch.zeros(3))
    # Two pairs out of three are apart by 50, so the mean is 100 / 3.
    odd_one_out = torch.zeros(3, 1, 2, 2, 2)
    odd_one_out[1, :, 0], odd_one_out[1, :, 1] = 30, -40
    torch.testing.assert_close(diversity(odd_one_out), torch.tensor([100 / 3]))


def test_diversity_does_not_grow_with_the_number_of_samples():
    few, many = (diversity(some_samples(k, 50)).mean() for k in (2, 12))
    torch.testing.assert_close(few, many, rtol=0.03, atol=0)


def test_the_best_is_chosen_for_each_photograph_as_a_whole():
    truth = some_samples(1)[0]
    samples = truth + 20 + torch.zeros(4, 1, 1, 1, 1)
    samples[2, 0] = truth[0]
    samples[3, 1] = truth[1] + 3
    samples[0, 2, :, :4], samples[1, 2, :, 4:] = truth[2, :, :4], truth[2, :, 4:]  # right in one part each
    expected = 2**0.5 * torch.tensor([0, 3, 20 / 5])
    torch.testing.assert_close(best_of(samples, truth), expected, atol=1e-4, rtol=1e-5)
    assert (best_of(samples[:2], truth) >= best_of(samples, truth)).all()
    torch.testing.assert_close(best_of(samples[:1], truth)[0], torch.tensor(20 * 2**0.5))


def test_examples():
    assert doctest.testmod(several).failed == 0


def test_bad_samples_get_one_clear_sentence():
    samples = some_samples(2)
    with pytest.raises(ValueError, match=r"\(k, N, 2, H, W\) with at least 2 colourings k"):
        diversity(samples[:1])
    for bad in (samples[0], samples[:, :, :1], samples[:, :0], samples[:0]):
        with pytest.raises(ValueError, match=r"\(k, N, 2, H, W\) with at least 1 colourings k"):
            best_of(bad, samples[0])
    with pytest.raises(TypeError, match="floating-point tensor, not torch.int64"):
        diversity(samples.long())
    with pytest.raises(ValueError, match=r"ab_true must have the photographs' shape \(3, 2, 5, 7\)"):
        best_of(samples, samples[0, :1])
