"""Colour conversion against scikit-image, OpenCV and its own inverse."""

import cv2
import numpy as np
import pytest
import torch
from skimage import color as skimage_color
from torch.autograd import gradcheck

from colorlib.color import lab as color


@pytest.fixture(scope="module")
def rgb():
    """A lattice of sRGB with all corners, as one picture."""
    steps = torch.linspace(0, 1, 18, dtype=torch.float64)
    return torch.cartesian_prod(steps, steps, steps).T.reshape(1, 3, 54, 108)


def to_hwc(image):
    return image[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rgb_to_lab_equals_scikit_image(rgb, dtype):
    assert np.abs(to_hwc(color.rgb_to_lab(rgb.to(dtype))) - skimage_color.rgb2lab(to_hwc(rgb))).max() < 1e-3


def test_lab_to_rgb_equals_scikit_image(rgb):
    lab = color.rgb_to_lab(rgb)
    assert np.abs(to_hwc(color.lab_to_rgb(lab)) - skimage_color.lab2rgb(to_hwc(lab))).max() < 1e-3


def test_the_curves_are_the_standards():
    """IEC 61966-2-1 rounds the point where power and line meet, so that they are up to 3e-9 apart there."""
    rgb = torch.linspace(0, 1.5, 30_001, dtype=torch.float64)
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    found = color.to_linear(rgb.view(1, 1, 1, -1).expand(-1, 3, -1, -1))[0, 0, 0]
    assert (found - linear).abs().max() < 3e-9
    assert (color.to_gamma(linear) - rgb).abs().max() < 1e-7
    assert (color.to_gamma(-rgb) + 12.92 * rgb).abs().max() < 1e-12  # out of gamut the line goes on


def test_a_batch_is_converted_as_its_photographs_are():
    rgb = torch.rand(50, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert rgb.numel() > 2 * color.CACHED
    lab = color.rgb_to_lab(rgb)
    torch.testing.assert_close(lab, torch.cat([color.rgb_to_lab(one) for one in rgb.split(1)]), atol=1e-4, rtol=0)
    assert (color.lab_to_rgb(lab) - rgb).abs().max() < 1e-5
    tall = rgb.transpose(0, 1).reshape(1, 3, 50 * 64, 64)  # the same, one below the other
    expected = lab.transpose(0, 1).reshape(tall.shape)
    torch.testing.assert_close(color.rgb_to_lab(tall), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(color.rgb_to_lab(tall.mT.contiguous()), expected.mT, atol=1e-4, rtol=0)


def test_round_trip(rgb):
    assert (color.lab_to_rgb(color.rgb_to_lab(rgb), clip=False) - rgb).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("name", "rgb_value", "lab_value"),
    [("white", (1, 1, 1), (100, 0, 0)), ("black", (0, 0, 0), (0, 0, 0)), ("blue", (0, 0, 1), (32.3, 79.2, -107.9))],
)
def test_known_colours(name, rgb_value, lab_value):
    lab = color.rgb_to_lab(torch.tensor(rgb_value, dtype=torch.float32).view(1, 3, 1, 1)).flatten()
    assert torch.allclose(lab, torch.tensor(lab_value, dtype=torch.float32), atol=0.05)


def test_gradients_are_finite_and_right():
    torch.manual_seed(0)
    rgb = torch.rand(2, 3, 2, 3, dtype=torch.float64) * 0.9 + 0.05
    assert gradcheck(color.rgb_to_lab, rgb.requires_grad_())
    lab = color.rgb_to_lab(rgb).detach().requires_grad_()
    assert gradcheck(lambda x: color.lab_to_rgb(x, clip=False), lab)
    black = torch.zeros(1, 3, 1, 1, requires_grad=True)
    color.lab_to_rgb(color.rgb_to_lab(black)).sum().backward()
    assert black.grad.isfinite().all()


def test_out_of_gamut(rgb):
    assert not color.out_of_gamut(color.rgb_to_lab(rgb)).any()
    vivid = torch.tensor([50.0, 100.0, -100.0]).view(1, 3, 1, 1)
    assert color.out_of_gamut(vivid).all()
    assert color.out_of_gamut(vivid).shape == (1, 1, 1, 1)


def test_codec_equals_opencv():
    rgb8 = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    L8, ab8 = color.rgb8_to_lab8(rgb8)
    mine = np.concatenate([L8[..., None], ab8], -1)[0].astype(int)
    opencv_8bit = cv2.cvtColor(rgb8[0], cv2.COLOR_RGB2LAB).astype(int)
    distance = np.abs(mine - opencv_8bit)
    assert distance.max() <= 2 and (distance > 1).mean() < 1e-3  # OpenCV's own tables of integers
    opencv_float = cv2.cvtColor(rgb8[0].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    expected = np.rint(opencv_float * [255 / 100, 1, 1] + [0, 128, 128])
    assert np.abs(mine - expected).max() <= 1


def test_every_8bit_code_survives():
    L8 = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    ab8 = torch.stack([L8, L8.flip(-1)], -1)
    again = color.encode_lab8(torch.cat(color.decode_lab8(L8, ab8), 1))
    assert torch.equal(again[0], L8) and torch.equal(again[1], ab8)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: color.rgb_to_lab(torch.zeros(3, 4, 4)), ValueError),
        (lambda: color.rgb_to_lab(torch.zeros(1, 3, 4, 4, dtype=torch.uint8)), TypeError),
        (lambda: color.lab_to_rgb(torch.zeros(1, 2, 4, 4)), ValueError),
        (lambda: color.decode_lab8(torch.zeros(1, 4, 4), torch.zeros(1, 4, 4, 2)), TypeError),
        (lambda: color.decode_lab8(torch.zeros(1, 4, 4).byte(), torch.zeros(1, 5, 4, 2).byte()), ValueError),
        (lambda: color.rgb8_to_lab8(np.zeros((1, 4, 4), np.uint8)), ValueError),
    ],
)
def test_wrong_input_is_named(call, error):
    with pytest.raises(error, match="must"):
        call()
