"""Photographs of garments, worn and laid out, in colour: the truth that Fashion-MNIST lacks.

Ten kinds as folders: dress, hat, longsleeve, outwear, pants, shirt, shoes, shorts, skirt, t-shirt. 3,781 photographs,
CC0, collected from people who photographed their own clothes.

Reference:
    A. Grigorev, "Clothing dataset", 2020: the ten most frequent of its kinds, "clothing-dataset-small".
"""

import shutil
import subprocess
from pathlib import Path

from colorlib.data.photos import prepare_photographs
from colorlib.data.store import LabArrays, is_store, open_store
from colorlib.files import exclusive, project_folder
from colorlib.pictures.listing import list_photographs

ADDRESS = "https://github.com/alexeygrigorev/clothing-dataset-small"
VERSION = "36364be1969242c019705255cd87aed00c73a939"  # git's checksum of all that is in it
KINDS = ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt")


def open_clothing(
    path: Path | str | None = None, size: int = 160, fetch: bool = False, cache: Path | str | None = None
) -> LabArrays:
    """Open the garments, which are prepared once for each size; later openings are instant.

    Args:
        path: the folder or archive as it was downloaded, or any that holds the ten kinds as folders; by default
            ``<cache>/clothing``.
        size: side of the square photographs in pixels.
        fetch: where there is nothing at ``path``, fetch it with git (some 100 MB), which checks each byte.
        cache: folder for what is fetched and prepared; by default the project's ``data``.

    Raises:
        FileNotFoundError: not there, or it could not be fetched; the sentence says how to get it by hand.
        ValueError: no photographs of the ten kinds at ``path``.
        OSError: the disk is full.
    """
    cache = Path(cache or project_folder() / "data")
    wanted = Path(path) if path is not None else cache / "clothing"
    if not wanted.exists():
        if not fetch:
            raise FileNotFoundError(
                f"the garments are not at {wanted}; download {ADDRESS} as a zip and give its path, or write "
                "`data: {name: clothing, fetch: true}` in the study to have git fetch it."
            )
        with exclusive(cache / "clothing-fetching", "data set", patience=1800):
            if not wanted.exists():
                _fetch(wanted)
    listing = list_photographs(wanted)
    if missing := set(KINDS) - {Path(name).parent.name for name, _ in listing.members}:
        raise ValueError(f"{wanted} has no folder of {', '.join(sorted(missing))}: it is not the set of garments.")
    prepared = cache / f"clothing-{listing.digest[:8]}-{size}"
    if not is_store(prepared):
        with exclusive(cache / f"{prepared.name}-preparing", "data set", patience=1800):
            if not is_store(prepared):
                prepare_photographs(wanted, prepared, size, name="clothing")
    return open_store(prepared)


def _fetch(folder: Path) -> None:
    """Fetch that very version with git; the folder appears when it is whole."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    git = ["git", "-C", str(partial)]
    commands = [
        ["git", "init", "--quiet", str(partial)],
        [*git, "fetch", "--quiet", "--depth", "1", ADDRESS, VERSION],
        [*git, "checkout", "--quiet", "FETCH_HEAD"],
    ]
    by_hand = f"download {ADDRESS} as a zip and give its path"
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise FileNotFoundError(f"fetching the garments needs git; or {by_hand}.") from None
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["git failed"])[-1]
            raise FileNotFoundError(f"the garments could not be fetched ({reason}); {by_hand}.") from None
    shutil.rmtree(partial / ".git")
    partial.rename(folder)
