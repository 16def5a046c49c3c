"""The world of scenes, procedural photographs whose law of colour is known; see :mod:`~colorlib.data.scenes.render`."""

from colorlib.data.scenes.laws import (
    HUES,
    INDEX,
    KINDS,
    LAWS,
    bayes_mean,
    bayes_median,
    posterior,
    posterior_table,
)
from colorlib.data.scenes.render import open_scenes, render, write_scenes

__all__ = [
    "HUES",
    "INDEX",
    "KINDS",
    "LAWS",
    "bayes_mean",
    "bayes_median",
    "open_scenes",
    "posterior",
    "posterior_table",
    "render",
    "write_scenes",
]
