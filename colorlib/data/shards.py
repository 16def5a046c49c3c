"""Stores of any length: up to 100,000 photographs in one folder, beyond that in shards, each a store of its own.

A shard is written as any store is. One that is finished is never touched again, and no more than one is ever held in
memory. At the end they are joined: ids, flags and classes are given over all photographs, exactly as one store of them
all would have given them, and so is the fingerprint::

    shard-0001/, shard-0002/, …   stores of 100,000 photographs, the last one of fewer
    index/                        ids, splits, flags and classes of all: `colorlib.data.index`
    dataset.json                  as that of a store, and the shards
    skipped.csv                   that of all shards

Until the last is written, all lies in ``<folder>.partial``, and there in ``unjoined/`` what is needed to join them.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from colorlib.bars import progress_bar
from colorlib.data.arrays import map_npy
from colorlib.data.duplicates import thumbnails
from colorlib.data.index import Index, label, name_folders, write_index
from colorlib.data.manifest import (
    FORMATS,
    LEFT_OUT,
    flags_of,
    giving_way,
    marks_of,
    numbered,
    photograph_names,
    read_info,
    read_manifest,
    split_numbers,
    summary_of,
)
from colorlib.data.store import LabArrays, is_store, open_store
from colorlib.data.writing import (
    NoPhotographError,
    Record,
    StoreWriter,
    compare_settings,
    disk_full_explained,
    npy_header,
    remove_halves,
    write_skipped,
)
from colorlib.files import atomic_path, exclusive, write_json

SHARD_PHOTOGRAPHS = 100_000
_CHUNK = 256
_DUPLICATE, _NEAR_DUPLICATE = (np.uint8(1 << LEFT_OUT.index(flag)) for flag in ("duplicate", "near_duplicate"))

Fill = Callable[[StoreWriter, int, int], None]
"""Gives a writer the sources from one position to another, but for the ``done`` first of them."""


def write_store(
    folder: Path | str,
    name: str,
    records: Iterable[Record],
    count: int,
    size: tuple[int, int],
    info: dict[str, Any],
    kinds: bool = False,
) -> LabArrays:
    """Write records into a new store and open it; a killed call, made again, goes on where it was.

    Args:
        folder: appears, whole, at the end; until then the work lies in ``<folder>.partial``.
        name: of the data set.
        records: the photographs, the same in the same order at every call.
        count: how many there are, for the progress bar and as a check.
        size: (H, W) of every record.
        info: how the set was made; goes into ``dataset.json`` and decides whether a store that is already there is
            this one.
        kinds: whether the records carry kinds.

    Raises:
        ValueError: ``folder`` holds something else, or the records are not ``count``.
        OSError: the disk is full.
    """
    with progress_bar(total=count, desc=f"writing {name}", unit="image") as progress:
        remaining, taken = iter(records), 0

        def fill(writer: StoreWriter, start: int, stop: int) -> None:
            nonlocal taken
            for _ in itertools.islice(remaining, start + writer.done - taken):
                pass
            progress.update(start + writer.done - taken)
            wanted = None if stop == count else stop - start - writer.done
            rest = itertools.islice(remaining, wanted)
            while chunk := list(itertools.islice(rest, _CHUNK)):
                writer.append(chunk)
                progress.update(len(chunk))
            taken = start + writer.done
            if taken != stop:
                raise ValueError(f"{folder} was to hold {count:,} images but {taken:,} were given.")

        fill_store(Path(folder), name, size, info, count, fill, kinds)
    return open_store(folder)


def fill_store(
    folder: Path,
    name: str,
    size: tuple[int, int],
    info: dict[str, Any],
    count: int,
    fill: Fill,
    kinds: bool = False,
    passed_over: Sequence[tuple[str, str]] = (),
    counts: dict[str, Any] | None = None,
) -> None:
    """Write a store of ``count`` sources, in shards where they are many; see :class:`StoreWriter` for the rest.

    Of a finished one whose shards are not all there, those that are missing are written anew.
    """
    partial = folder.with_name(folder.name + ".partial")
    settings = {"name": name, "size": list(size), **info}
    if is_store(folder) and "shards" in (there := read_info(folder)):
        compare_settings(settings, there, folder)
        if not all(is_store(folder / shard["folder"]) for shard in there["shards"]):
            with disk_full_explained(folder), exclusive(folder, "store"):
                _fill_shards(folder, name, size, info, count, fill, kinds)
            shutil.rmtree(folder / "unjoined", ignore_errors=True)
            (folder / ".lock").unlink()
        return
    if count <= SHARD_PHOTOGRAPHS or is_store(folder) or (partial / "settings.json").exists():
        with StoreWriter(folder, name, size, info, kinds) as writer:
            if not writer.finished:
                fill(writer, 0, count)
                writer.finish(passed_over, counts)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists and is not a prepared data set; choose another folder for the result.")
    with disk_full_explained(partial), exclusive(partial, "store"):
        if is_store(folder):  # another process, which was waited for, has written it
            return compare_settings(settings, read_info(folder), folder)
        if is_store(partial):  # killed between the last file and the new name
            compare_settings(settings, read_info(partial), partial)
        else:
            _fill_shards(partial, name, size, info, count, fill, kinds)
            _join(partial, settings, passed_over, counts or {})
        shutil.rmtree(partial / "unjoined", ignore_errors=True)
        remove_halves(partial)
        os.replace(partial, folder)
        (folder / ".lock").unlink()


def _fill_shards(
    partial: Path, name: str, size: tuple[int, int], info: dict[str, Any], count: int, fill: Fill, kinds: bool
) -> None:
    """Write the shards that are not finished; of one whose sources are all unusable, why they are."""
    known = (".", "shard-", "index", "unjoined", "skipped.csv", "dataset.json")
    if strange := [path for path in partial.iterdir() if not path.name.startswith(known)]:
        raise ValueError(f"{strange[0]} belongs to no unfinished store; move it away.")
    starts = range(0, count, SHARD_PHOTOGRAPHS)
    for number, start in enumerate(starts, start=1):
        shard = f"shard-{number:04d}"
        unusable = partial / "unjoined" / shard / "skipped.csv"
        if unusable.exists():
            continue
        try:
            about = {**info, "shard": number, "shards_in_all": len(starts)}
            with StoreWriter(partial / shard, f"{name}-{number}", size, about, kinds) as writer:
                if not writer.finished:
                    fill(writer, start, min(start + SHARD_PHOTOGRAPHS, count))
                    writer.finish()
        except NoPhotographError as error:
            write_skipped(unusable, error.skipped)


def _join(
    folder: Path, settings: dict[str, Any], passed_over: Sequence[tuple[str, str]], counts: dict[str, Any]
) -> None:
    """Give the photographs of all shards what follows from all of them: index, fingerprint and ``dataset.json``."""
    shards = sorted(path for path in folder.glob("shard-*") if is_store(path))
    lists = [*folder.glob("shard-*/skipped.csv"), *folder.glob("unjoined/shard-*/skipped.csv")]
    skipped = [
        (source, reason)
        for path in sorted(lists, key=lambda path: path.parent.name)
        for source, reason in pd.read_csv(path, dtype=str, keep_default_na=False).itertuples(index=False)
    ] + [*passed_over]
    if not shards:
        shutil.rmtree(folder)
        raise NoPhotographError(skipped)
    about = [read_info(shard) for shard in shards]
    lengths = [each["counts"]["photographs"] for each in about]
    index = _index_of(shards, lengths, folder / "unjoined" / "thumbnails.npy")
    starts = np.cumsum([0, *lengths]).tolist()

    def manifests() -> Iterator[pd.DataFrame]:
        for shard, start, stop in zip(shards, starts, starts[1:], strict=False):
            rows = read_manifest(shard, stop - start)
            here = np.arange(start, stop)
            yield rows.assign(id=index.names(here), flags=flags_of(rows["flags"], index.marks[here]))

    found = summary_of(manifests())
    write_index(folder, index)
    write_skipped(folder / "skipped.csv", skipped)
    shard_list = [
        {"folder": shard.name, "photographs": length, "fingerprint": each["fingerprint"]}
        for shard, length, each in zip(shards, lengths, about, strict=True)
    ]
    all_counts = {**found["counts"], "skipped": len(skipped), **counts}
    write_json(
        folder / "dataset.json", {"format": FORMATS[1], **settings, **found, "counts": all_counts, "shards": shard_list}
    )


def _index_of(shards: Sequence[Path], lengths: Sequence[int], scratch: Path) -> Index:
    """Make the index of photographs in shards; their thumbnails lie in a file meanwhile."""
    names, digests, hashes, splits, marks, named = [], [], [], [], [], []
    with atomic_path(scratch) as temporary, open(temporary, "wb") as file:
        file.write(npy_header((sum(lengths), 256)))
        for shard, length in zip(shards, lengths, strict=True):
            rows = read_manifest(shard, length)
            file.write(thumbnails(map_npy(shard / "l" / "gray_scale.npy")).data)
            names.append(photograph_names(rows["source"], rows["sha256"]))
            digests.append(np.frombuffer(bytes.fromhex("".join(rows["sha256"])), ">u8").reshape(length, 4))
            hashes.append(np.frombuffer(bytes.fromhex("".join(rows["dhash"])), ">u8").astype(np.uint64))
            splits.append(split_numbers(rows["split"]))
            marks.append(marks_of(rows["flags"]))
            named.append(name_folders(rows["source"]))
    ids, digest, split = numbered(np.concatenate(names)), np.concatenate(digests), np.concatenate(splits)
    known = np.concatenate(marks) & ~(_DUPLICATE | _NEAR_DUPLICATE)
    twice = pd.DataFrame(digest.astype(np.uint64)).duplicated().to_numpy()
    gives_way = giving_way(np.concatenate(hashes), map_npy(scratch).values, split)
    classes, labels = label(named)
    return Index(
        ids.view(np.uint8).reshape(len(ids), -1),
        digest[:, 0],
        split,
        known | _DUPLICATE * twice | _NEAR_DUPLICATE * gives_way,
        labels,
        classes,
    )
