"""Where the examples in docstrings run: in an empty folder, with ``data`` at hand, a few small scenes."""

import pytest


@pytest.fixture(scope="session")
def few_scenes(tmp_path_factory):
    """48 scenes of 32 pixels."""
    from colorlib.data.scenes.render import write_scenes

    return write_scenes(tmp_path_factory.mktemp("data") / "scenes", count=48, size=32, seed=0)


@pytest.fixture(autouse=True)
def place_of_an_example(request, tmp_path_factory, monkeypatch, doctest_namespace):
    """An example may write files and name ``data``; a test finds nothing changed."""
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.chdir(tmp_path_factory.mktemp("example"))
        doctest_namespace["data"] = request.getfixturevalue("few_scenes")
