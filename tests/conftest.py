"""What several test files share: small sets of scenes, rendered once."""

import os

import pytest
import torch

os.environ.setdefault("COLORLIB_THREADS", "1")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_scenes(tmp_path_factory):
    """96 scenes of 32 pixels."""
    from colorlib.data.scenes.render import write_scenes
    from colorlib.data.store import open_store

    folder = tmp_path_factory.mktemp("data") / "tiny"
    write_scenes(folder, count=96, size=32, seed=0)
    return open_store(folder)
