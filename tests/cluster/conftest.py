"""A Slurm of two nodes, started once for all tests of this folder."""

import pytest
from slurm import missing, two_nodes


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The environment in which ``sbatch`` and ``srun`` find two nodes; skipped where none can be had."""
    if why := missing():
        pytest.skip(why)
    with two_nodes(tmp_path_factory.mktemp("slurm") / "root") as environment:
        yield environment
