import pytest
import torch

from colorlib.color import hints


def ramp(N=1, H=16, W=20):
    """Every pixel has a colour of its own: a tells the column, b the row."""
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return torch.stack([x, y]).float().expand(N, 2, H, W).clone() + torch.arange(N).view(N, 1, 1, 1) * 100


def draw(ab, seed=0):
    torch.manual_seed(seed)
    return hints.draw_hints(ab)


def test_hints_are_float32_with_a_mask_of_zeros_and_ones():
    for ab in (ramp(50), ramp(50).double()):
        drawn = draw(ab)
        assert drawn.shape == (50, 3, 16, 20) and drawn.dtype == torch.float32
        assert set(drawn[:, 2].unique().tolist()) == {0.0, 1.0}
        assert not drawn[:, :2][(drawn[:, 2:] == 0).expand(-1, 2, -1, -1)].any()
    assert torch.equal(draw(ramp(5)), draw(ramp(5))) and not torch.equal(draw(ramp(5)), draw(ramp(5), seed=1))


def test_no_hint_at_all_comes_with_probability_one_eighth():
    none = (draw(torch.ones(8000, 2, 2, 2))[:, 2].flatten(1).amax(1) == 0).float().mean().item()
    assert none == pytest.approx(1 / 8, abs=4 * (7 / 64 / 8000) ** 0.5)


def test_points_are_geometric_in_number_uniform_in_side_and_normal_in_place(monkeypatch):
    seen = []
    monkeypatch.setattr(hints, "_paint", lambda ab, top, left, side: seen.append((top, left, side)))
    draw(torch.zeros(1).expand(4000, 2, 256, 512))
    top, left, side = (x.double() for x in seen[0])
    counts = (side > 0).sum(1).double()
    assert counts.mean().item() == pytest.approx(7, abs=0.5)
    assert counts.std().item() == pytest.approx(56**0.5, rel=0.1)  # (1 - p) / p²
    top, left, side = (x[side > 0] for x in (top, left, side))
    assert [(side == s).double().mean().item() for s in range(1, 10)] == pytest.approx([1 / 9] * 9, abs=0.01)
    for start, length in ((top, 256), (left, 512)):
        middle = start + side / 2
        assert middle.mean().item() == pytest.approx(length / 2, rel=0.02)
        assert 0.22 * length < middle.std().item() < 0.245 * length  # a quarter, but for what the edges cut off
        assert start.min() >= 0 and (start + side).max() <= length


def test_each_photograph_gets_hints_of_its_own_truth():
    ab = ramp(40)
    drawn = draw(ab)
    revealed = drawn[:, 2] == 1
    for n in range(40):
        difference = (drawn[n, :2] - ab[n])[:, revealed[n]]
        assert difference.numel() == 0 or difference.abs().max() <= 4  # the mean of 9×9 is 4 from its edge
    assert any(not torch.equal(revealed[0], revealed[n]) for n in range(1, 40))


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (9, 2)])
def test_small_photographs_get_small_patches(size):
    assert draw(ramp(20, *size)).isfinite().all()


def test_a_square_reveals_its_mean_and_the_later_one_covers_the_earlier():
    ab = ramp()
    top, left, side = torch.tensor([[[2, 4, 9]], [[3, 4, 0]], [[4, 3, 0]]])
    painted = hints._paint(ab, top, left, side)[0]
    assert painted[:, 2, 3].tolist() == [4.5, 3.5, 1]  # the middle of columns 3 to 6 and of rows 2 to 5
    assert painted[:, 4, 4].tolist() == painted[:, 6, 6].tolist() == [5, 5, 1]
    assert painted[:, 9, 9].tolist() == [0, 0, 0]  # side 0 is nothing
    assert painted[2].sum() == 16 + 9 - 6  # they share rows 4 and 5, columns 4 to 6


def test_reveal_gives_as_many_squares_as_asked_for():
    ab = ramp(3, 64, 64)
    assert not hints.reveal(ab, 0).any()
    for patch in (1, 6):
        one = hints.reveal(ab, 1, patch, torch.Generator().manual_seed(0))
        assert one[:, 2].sum((1, 2)).tolist() == [patch**2] * 3
        assert len({tuple(photograph.nonzero()[0].tolist()) for photograph in one[:, 2]}) == 3  # each elsewhere
        assert torch.equal(one, hints.reveal(ab, 1, patch, torch.Generator().manual_seed(0)))
    areas = [hints.reveal(ab, count)[:, 2].mean().item() for count in (2, 20, 501)]
    assert areas[0] < 73 / 64**2 and areas[0] < areas[1] < areas[2] and areas[2] > 0.95


def test_revealed_pixels_are_the_truth():
    ab = ramp(2)
    shown = hints.reveal(ab, 30, patch=1)
    assert torch.equal(shown[:, :2], ab * shown[:, 2:])


def test_place_puts_clicks_where_they_were_made():
    placed = hints.place((4, 6), [(5, 0, 40.0, -10.0), (2.9, 3, 0.0, 0.0)])
    assert placed.shape == (1, 3, 4, 6)
    assert placed[0, :, 0, 5].tolist() == [40, -10, 1] and placed[0, :, 3, 2].tolist() == [0, 0, 1]
    assert placed[0, 2].sum() == 2
    assert not hints.place((4, 6), []).any()
    square = hints.place((4, 6), [(1, 1, 1.0, 2.0), (0, 0, 3.0, 4.0)], patch=3)[0]
    assert square[0].tolist() == [[3, 3, 1, 0, 0, 0], [3, 3, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0] * 6]


def test_hints_reach_networks_in_units():
    L = torch.zeros(2, 1, 4, 6)
    given = hints.place((4, 6), [(1, 2, 55.0, -110.0)]).expand(2, -1, -1, -1)
    assert hints.to_unit(given, L)[1, :, 2, 1].tolist() == [0.5, -1, 1]
    assert not hints.to_unit(None, L).any() and hints.to_unit(None, L).shape == (2, 3, 4, 6)
    with pytest.raises(ValueError, match=r"must have shape \(2, 3, 4, 6\), not \(1, 3, 4, 6\)"):
        hints.to_unit(given[:1], L)


def test_bad_input_gets_one_clear_sentence():
    ab = ramp()
    with pytest.raises(ValueError, match=r"shape \(N, 2, H, W\)"):
        hints.draw_hints(ab[:, :1])
    with pytest.raises(ValueError, match="must be floating-point"):
        hints.draw_hints(ab.long())
    with pytest.raises(ValueError, match="0 or more, not -1"):
        hints.reveal(ab, -1)
    for patch in (0, 17):
        with pytest.raises(ValueError, match="from 1 to 16"):
            hints.reveal(ab, 1, patch)
    for point in ((20, 0, 0.0, 0.0), (0, -1, 0.0, 0.0)):
        with pytest.raises(ValueError, match="outside the photograph, which is 20 wide and 16 high"):
            hints.place((16, 20), [point])
    for point in ((1, 1, float("nan"), 0.0), (1, 1, 0.0)):
        with pytest.raises(ValueError, match="four numbers"):
            hints.place((16, 20), [point])
    with pytest.raises(ValueError, match="1 or more, not 0"):
        hints.place((16, 20), [], patch=0)
