"""Old film: each degradation does what its physics says, no more, and the same for the same seed."""

import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from colorlib.color.lab import lab_to_rgb, rgb_to_lab
from colorlib.data import oldfilm
from colorlib.data.bundled import bundled_photographs
from colorlib.data.oldfilm import DEGRADATIONS, age, age_some

pytestmark = pytest.mark.slow


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def lab():
    rgb = np.stack([np.resize(photograph.rgb[:48, :64], (48, 64, 3)) for photograph in bundled_photographs(128)[:3]])
    return rgb_to_lab(torch.from_numpy(rgb).permute(0, 3, 1, 2) / 255)


def plain(L, N=1, side=200):
    return F.pad(torch.full((N, 1, side, side), float(L)), (0, 0, 0, 0, 0, 2))


@pytest.mark.parametrize("degrade", [*DEGRADATIONS.values(), age], ids=[*DEGRADATIONS, "age"])
def test_shape_range_determinism_and_nothing_at_strength_0(lab, degrade):
    L = degrade(lab, 1.0, seeded())
    assert L.shape == (3, 1, 48, 64) and L.dtype == lab.dtype and 0 <= L.min() and L.max() <= 100
    assert torch.equal(L, degrade(lab, 1.0, seeded()))
    torch.testing.assert_close(degrade(lab, 0.0, seeded()), lab[:, :1], atol=2e-3, rtol=0)
    half = (degrade(lab, 0.5, seeded()) - lab[:, :1]).abs().mean()
    assert 0.3 < half < (L - lab[:, :1]).abs().mean()
    with pytest.raises(ValueError, match="from 0 to 1, not 2"):
        degrade(lab, 2)


def test_orthochromatic_film_sees_red_as_black_and_blue_as_light():
    colors = torch.eye(3).repeat(2, 1)
    colors[3:] = 0.2 + 0.6 * colors[3:]  # and less saturated
    before = rgb_to_lab(torch.cat([colors, torch.rand(1, 1, generator=seeded()).expand(1, 3)]).view(7, 3, 1, 1))
    after = oldfilm.orthochromatic(before, 1.0).flatten()
    change = (after - before[:, 0].flatten()).tolist()
    assert after[0].item() == pytest.approx(0, abs=1e-5)  # pure red
    assert change[3] < -10 and change[5] > 10  # soft red, soft blue
    assert abs(change[6]) < 1e-3  # grey
    # Half of white's light is L* = 116 (1/2)^(1/3) − 16.
    assert after[2].item() == pytest.approx(76.07, abs=0.01)


def test_grain_scatters_as_covered_paper_does():
    for L, deviation in ((50, 10), (10, 6), (90, 6)):  # 20 √(u (1 − u))
        noise = oldfilm.grain(plain(L), 1.0, seeded()) - L
        assert abs(noise.mean()) < 0.4 and noise.std().item() == pytest.approx(deviation, rel=0.1)
    assert oldfilm.grain(plain(0), 1.0).max() == 0 and oldfilm.grain(plain(100), 1.0).min() == 100
    half = oldfilm.grain(plain(50), 0.5, seeded()) - 50
    assert half.std().item() == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("size", [0, 0.7, 2])
def test_a_grain_is_as_large_as_it_is_said_to_be(size):
    """Noise under a Gaussian of deviation s is correlated over d pixels by exp(−d² / 4 s²); its variance stays."""
    noise = (oldfilm.grain(plain(50, side=400), 0.5, seeded(), size) - 50)[0, 0]
    assert noise.std().item() == pytest.approx(5, rel=0.05)
    for d in (1, 2, 3):
        found = (noise[:, d:] * noise[:, :-d]).mean() / noise.square().mean()
        assert found.item() == pytest.approx(np.exp(-(d**2) / (4 * size**2)) if size else 0, abs=0.05)
    shrunk = F.avg_pool2d(noise[None, None], 8)
    assert shrunk.std() < 0.7 * noise.std()


def test_fading_lifts_black_lowers_white_and_stains_softly():
    black, white = (oldfilm.fading(plain(L, N=40), 1.0, seeded()) for L in (0, 100))
    assert black.mean().item() == pytest.approx(35, abs=1) and white.mean().item() == pytest.approx(85, abs=1)
    stain = oldfilm.fading(plain(50, N=40), 1.0, seeded()) - 60
    assert 3 < stain.std() < 7
    assert stain.diff(dim=-1).abs().max() < 1  # 200 pixels wide


def test_jpeg_is_pillows(lab):
    L = oldfilm.jpeg(lab, 0.5)
    grey = (lab_to_rgb(F.pad(lab[:1, :1], (0, 0, 0, 0, 0, 2)))[0, 0] * 255).round().byte().numpy()
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=55)
    read = torch.from_numpy(np.array(Image.open(buffer).convert("RGB"))).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(L[:1], rgb_to_lab(read)[:, :1], atol=1e-3, rtol=0)


def test_by_lot_some_are_aged_each_in_its_own_way(lab):
    same = lab[:1].expand(400, -1, -1, -1)
    L = age_some(same, 0.5, seeded())
    assert torch.equal(L, age_some(same, 0.5, seeded())) and not torch.equal(L, age_some(same, 0.5, seeded(1)))
    untouched = (L == lab[:1, :1]).flatten(1).all(1)
    assert untouched.float().mean().item() == pytest.approx(0.5 + 0.5 / 16, abs=0.1)  # not chosen, or nothing fell
    assert len(L[~untouched].unique(dim=0)) == int((~untouched).sum())
    assert torch.equal(age_some(lab, 0.0), lab[:, :1])
    assert not (age_some(same, 1.0, seeded()) == lab[:1, :1]).flatten(1).all(1).float().mean() > 0.12
