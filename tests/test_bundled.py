"""The photographs inside scikit-image."""

import socket

import numpy as np
import pytest
from skimage import data
from skimage.transform import downscale_local_mean

from colorlib.data.bundled import CREDITS, bundled_photographs


def test_all_are_there_without_a_network(monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    photographs = bundled_photographs(4096)
    assert [p.id for p in photographs] == list(CREDITS)
    for photograph in photographs:
        assert np.array_equal(photograph.rgb, getattr(data, photograph.id)())
        assert "CC0" in photograph.credit or "public domain" in photograph.credit


def test_long_side_is_reduced_and_colours_kept():
    for photograph in bundled_photographs(128):
        assert photograph.rgb.dtype == np.uint8 and max(photograph.rgb.shape) == 128
    small = bundled_photographs(128)[0].rgb.astype(float)
    assert np.abs(small - downscale_local_mean(data.astronaut(), (4, 4, 1))).mean() < 4


def test_they_are_colour_photographs():
    """No channel is another's copy."""
    for photograph in bundled_photographs(64):
        assert np.ptp(photograph.rgb.astype(int), axis=-1).mean() > 5


def test_too_small_is_said():
    with pytest.raises(ValueError, match="16 pixels or more"):
        bundled_photographs(4)
