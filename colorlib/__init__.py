"""The reference study of image colorization: data sets, models, objectives, metrics and an honest comparison.

Everything that is judged is a *colorizer*: lightness in, colour out. Images are NCHW float tensors: ``rgb`` in [0, 1],
``L`` in [0, 100], ``ab`` in CIELAB units. Start with ``colorlib.data.open_dataset``, ``colorlib.training.train`` and
``colorlib.evaluation.judge``; the notebooks show all three at work.
"""
