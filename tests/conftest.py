"""What several test files share: small sets of scenes, rendered once."""

import multiprocessing
import os
import sys

import pytest
import torch

os.environ.setdefault("COLORLIB_THREADS", "1")
torch.set_num_threads(1)

MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def own_main():
    """Streamlit's tests put their page in the place of the main module, which new processes would then run."""
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture(scope="session")
def tiny_scenes(tmp_path_factory):
    """96 scenes of 32 pixels."""
    return written_scenes(tmp_path_factory.mktemp("data") / "tiny", 96, 32)


@pytest.fixture(scope="session")
def scenes_of_64(tmp_path_factory):
    """160 scenes of 64 pixels, the size of the notebooks' own."""
    return written_scenes(tmp_path_factory.mktemp("data") / "scenes", 160, 64)


@pytest.fixture(scope="session")
def processes():
    """Processes that begin with what a training imports: forks of one that has imported it and done no more."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["colorlib.runs.training", "torch._dynamo"])
    return context


def written_scenes(folder, count, size):
    from colorlib.data.scenes.render import write_scenes
    from colorlib.data.store import open_store

    write_scenes(folder, count=count, size=size, seed=0)
    return open_store(folder)
