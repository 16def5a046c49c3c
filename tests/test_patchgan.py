"""The critic of pix2pix: "70×70" is a claim about what one of its opinions sees (Isola et al. 2017, section 6.1.2)."""

import pytest
import torch

from colorlib.objectives.critics import PatchCritic

pytestmark = pytest.mark.slow


def test_one_opinion_sees_70_by_70_pixels():
    torch.manual_seed(0)
    critic = PatchCritic(4).double().eval()  # in training, batch normalisation would make it see everything
    L = torch.rand(1, 1, 160, 160, dtype=torch.float64).mul(100).requires_grad_()
    ab_unit = torch.rand(1, 2, 160, 160, dtype=torch.float64).requires_grad_()
    opinions = critic(L, ab_unit)
    opinions[0, 0, opinions.shape[2] // 2, opinions.shape[3] // 2].backward()
    for pixels in (L.grad[0, 0], *ab_unit.grad[0]):
        rows, columns = (pixels.abs().sum(axis).nonzero() for axis in (1, 0))
        assert [int(seen.max() - seen.min()) + 1 for seen in (rows, columns)] == [70, 70]
        assert pixels.count_nonzero() == 70 * 70
        assert 0 < rows.min() and rows.max() < 159 and 0 < columns.min() and columns.max() < 159  # not cut off


def test_it_has_the_parameters_of_the_published_critic():
    """C64-C128-C256-C512 and one output, 4×4, no batch normalisation in the first and the last."""
    hidden = sum(16 * i * o + 2 * o for i, o in ((64, 128), (128, 256), (256, 512)))
    count = sum(p.numel() for p in PatchCritic(64).parameters())
    assert count == (16 * 3 * 64 + 64) + hidden + (16 * 512 + 1) == 2_765_633
    assert (
        count + 16 * 3 * 64 == 2_768_705
    )  # the 2.769 M of the authors' release, whose pictures have three more channels
