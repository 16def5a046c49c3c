"""The reference study of image colorization: data sets, models, objectives, metrics and an honest comparison.

Everything that is judged is a *colorizer*: lightness in, colour out. Images are NCHW float tensors: ``rgb`` in [0, 1],
``L`` in [0, 100], ``ab`` in CIELAB units. Start with ``colorlib.data.open_dataset``, ``colorlib.runs.train`` and
``colorlib.runs.judge``; the notebooks show all three at work. To colour photographs::

    from colorlib import load_colorizer
    load_colorizer("vivid").colorize("grandmother.jpg").save("grandmother-coloured.jpg")
"""

__all__ = ["load_colorizer"]
__version__ = "0.2.0"


def __getattr__(name: str) -> object:
    if name == "load_colorizer":  # only then: importing any part of colorlib stays as quick as that part is
        from colorlib.deployment.loading import load_colorizer

        return load_colorizer
    raise AttributeError(f"module 'colorlib' has no attribute {name!r}")
