import pytest
import torch

from colorlib.color import hints
from colorlib.models.vit import Block, ViT, rotary, rotate

pytestmark = pytest.mark.slow


def narrow(out_channels=2, **options):
    torch.manual_seed(0)
    return ViT(out_channels, **ViT.narrow | options)


def some_L(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 100


def click(x, y, size=64):
    return hints.place((size, size), [(x, y, 50.0, -20.0)])


def test_the_default_blocks_are_those_of_vit_b_16():
    with torch.device("meta"):
        network = ViT(2)
    assert sum(p.numel() for p in network.blocks.parameters()) == 12 * (12 * 768**2 + 13 * 768) == 85_054_464
    assert sum(p.numel() for p in network.embed.parameters()) == 4 * 16**2 * 768 + 768
    assert network.head.weight.shape == (8 * 16**2, 768, 3, 3)
    with torch.device("meta"):
        assert ViT(2, features=2).head.weight.shape[0] == 512  # iColoriT's two colours for each pixel


def test_only_the_distance_between_two_patches_tells():
    q, k = torch.randn(2, 1, 1, 1, 24, generator=torch.Generator().manual_seed(0))
    place = rotary(5, 7, 24, torch.device("cpu"))
    looks = rotate(q.expand(-1, -1, 35, -1), place) @ rotate(k.expand(-1, -1, 35, -1), place).transpose(-1, -2)
    looks = looks.view(5, 7, 5, 7)
    torch.testing.assert_close(looks[1, 2, 3, 1], looks[2, 5, 4, 4])
    torch.testing.assert_close(looks[0, 0, 0, 0], (q * k).sum())
    different = (looks[2, 3, 2, 3], looks[2, 3, 2, 4], looks[2, 3, 3, 3], looks[2, 3, 2, 2])
    assert len({round(x.item(), 3) for x in different}) == 4


def test_a_block_mixes_by_the_attention_it_shows():
    torch.manual_seed(0)
    block, x, place = Block(16, heads=1), torch.randn(2, 6, 16), rotary(2, 3, 16, torch.device("cpu"))
    attention = block.attention(x, place)
    torch.testing.assert_close(attention.sum(-1), torch.ones(2, 6))
    halfway = x + block.project(attention @ block.rotated_qkv(x, place)[2][:, 0])
    torch.testing.assert_close(block(x, place), halfway + block.mlp(block.norm2(halfway)))


def test_a_hint_reaches_the_far_corner():
    network, L = narrow().eval(), some_L(1, 1, 64, 64)
    moved = (network(L, click(2, 2)) - network(L)).abs().amax(1)[0]
    assert moved[-8:, -8:].max() > 1e-7 and moved[:8, :8].max() > 10 * moved[-8:, -8:].max()
    assert torch.equal(network(L), network(L, torch.zeros(1, 3, 64, 64)))


def test_light_and_very_light_patches_differ():
    """They are multiples of each other, which normalisation alone would hide."""
    network = narrow().eval()
    outputs = [network(torch.full((1, 1, 24, 24), lightness))[..., 8:16, 8:16] for lightness in (65.0, 95.0)]
    assert (outputs[0] - outputs[1]).norm() > 0.1 * outputs[0].norm()


def test_attention_shows_where_a_hint_went():
    network, L = narrow().eval(), some_L(2, 1, 60, 64)
    one = hints.place((60, 64), [(17, 41, 50.0, -20.0)]).repeat(2, 1, 1, 1)
    seen = network.attention(L, one)
    assert seen.shape == (2, 8, 8)
    assert (seen > 0).all() and (seen < 1).all()
    assert [divmod(photograph.argmax().item(), 8) for photograph in seen] == [(5, 2)] * 2
    assert (seen[:, 5, 2] > 0.5 ** len(network.blocks)).all()


def test_attention_to_all_is_one_and_to_nothing_zero():
    network, L = narrow().eval(), some_L(1, 1, 24, 30)
    everywhere = torch.ones(1, 3, 24, 30)
    torch.testing.assert_close(network.attention(L, everywhere), torch.ones(1, 3, 4))
    assert not network.attention(L, torch.zeros(1, 3, 24, 30)).any()


def test_attention_to_each_patch_sums_to_one():
    """With the mask's weights at zero, a mask changes what is asked but not what is seen."""
    network, L = narrow(depth=2).eval(), some_L(1, 1, 16, 24)
    torch.nn.init.zeros_(network.embed.weight[:, 3])
    shares = [network.attention(L, hints.place((16, 24), [(x, y, 0.0, 0.0)])) for y in (3, 11) for x in (4, 12, 20)]
    torch.testing.assert_close(sum(shares), torch.ones(1, 2, 3))


def test_training_shows_hints_of_the_truth():
    network, L, ab = narrow().eval(), some_L(8, 1, 16, 16), torch.full((8, 2, 16, 16), 20.0)
    torch.manual_seed(0)
    drawn = hints.draw_hints(ab)
    assert drawn.shape == (8, 3, 16, 16) and drawn.any()
    torch.manual_seed(0)
    assert torch.equal(network.forward_in_training(L, ab), network(L, drawn))


def test_it_learns_to_follow_a_hint():
    """The colour of a plain grey picture is told by nothing but one hint, here or there."""
    network, L = narrow(), torch.full((4, 1, 16, 16), 50.0)
    colors = torch.tensor([[60.0, 0.0], [-60.0, 0.0], [0.0, 60.0], [0.0, -60.0]])
    given = torch.cat([hints.place((16, 16), [(4 * n, 2, *ab.tolist())], patch=3) for n, ab in enumerate(colors)])
    ab_unit = (colors / 110).view(4, 2, 1, 1).expand(-1, -1, 16, 16)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(60):
        loss = (network(L, given) - ab_unit).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05 * ab_unit.square().mean()


@pytest.mark.parametrize("name", ["patch", "dim", "depth", "heads", "features"])
def test_options_must_be_above_zero(name):
    with pytest.raises(ValueError, match=f"{name} of vit must be 1 or more, not 0"):
        narrow(**{name: 0})


def test_heads_must_divide_the_tokens():
    with pytest.raises(ValueError, match="multiple of 4 · heads = 16, not 40"):
        narrow(dim=40)
