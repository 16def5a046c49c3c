"""Labels: what each photograph shows, by its folder or by the WordNet id in its name."""

import numpy as np
import pytest

from colorlib.data.shards import write_store
from colorlib.data.store import open_store
from colorlib.data.writing import Record

SIDE = 32


def store_of(folder, sources):
    """A store of photographs of noise from these sources."""

    def record(i, source):
        rng = np.random.default_rng(i)
        L8, ab8 = (rng.integers(0, 256, size, dtype=np.uint8) for size in ((SIDE, SIDE), (SIDE, SIDE, 2)))
        return Record(source, SIDE, SIDE, L8, ab8)

    records = (record(i, source) for i, source in enumerate(sources))
    return write_store(folder, "t", records, len(sources), (SIDE, SIDE), {"seed": 0})


def test_labels_are_the_folders_right_above_the_photographs(tmp_path):
    data = store_of(tmp_path / "t", ["all/zebra/1.jpg", "all/apple/1.jpg", "more/zebra/2.jpg", "all/apple/2.jpg"])
    assert data.classes == ["apple", "zebra"]
    assert data.labels.dtype == np.int64 and data.labels.tolist() == [1, 0, 1, 0]
    batch = open_store(data.folder).batch([2, 1, 2])
    assert batch.labels.tolist() == [1, 0, 1] and [i[0] for i in batch.ids] == ["2", "1", "2"]


@pytest.mark.parametrize("sources", [["all/1.jpg", "all/2.jpg"], ["1", "2"]], ids=["one folder", "none"])
def test_photographs_of_one_folder_have_no_labels(tmp_path, sources):
    data = store_of(tmp_path / "t", sources)
    assert data.classes == [] and data.labels is None and data.batch([0]).labels is None


def test_photographs_of_one_folder_are_classed_by_the_wordnet_ids_that_their_names_begin_with(tmp_path):
    names = ["n02391049_zebra.jpg", "n01440764_10026.JPEG", "n02391049_7.jpg"]
    data = store_of(tmp_path / "t", [f"all/{name}" for name in names])
    assert data.classes == ["n01440764", "n02391049"] and data.labels.tolist() == [1, 0, 1]
    assert store_of(tmp_path / "some", [f"all/{name}" for name in (*names, "1.jpg")]).classes == []
    in_folders = store_of(tmp_path / "folders", [f"{place}/{name}" for place, name in zip("abb", names, strict=True)])
    assert in_folders.classes == ["a", "b"]


def test_scenes_have_no_labels(tiny_scenes):
    assert tiny_scenes.classes == [] and tiny_scenes.batch([0]).labels is None
