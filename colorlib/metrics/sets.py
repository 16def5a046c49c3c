"""How far a set of pictures lies from the set of photographs: nobody is compared with their own photograph here.

Each picture becomes one vector, its embedding by a network; the two clouds of vectors are compared. With Inception
these are the published FID and KID; with EfficientNet-Lite2 (:mod:`colorlib.judges`), whose weights can be installed,
they are ``frechet_lite2`` and ``kernel_lite2``, whose size says nothing beside an FID or KID.

**Inception** is the TorchScript file ``inception-2015-12-05.pt`` that StyleGAN2-ADA and clean-fid use, looked for in
the folder that the environment variable ``COLORLIB_WEIGHTS`` names; nothing is downloaded. It is called as
``network(images, return_features=True)`` with images (N, 3, H, W) uint8 and is taken to give (N, 2048); the resizing
to 299 × 299 (bilinear) and the scaling of the values are its own. The pictures are rounded to 8 bits in memory.

References:
    Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, "GANs trained by a two time-scale update rule converge to a
    local Nash equilibrium", NeurIPS 2017 (the Fréchet distance of embeddings, FID).
    Bińkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", ICLR 2018, section 4 (KID).
    Dowson and Landau, "The Fréchet distance between multivariate normal distributions", Journal of Multivariate
    Analysis 12(3), 1982.
"""

import math
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from colorlib.files import sha256
from colorlib.metrics.base import SetMetric
from colorlib.metrics.pair import Pair
from colorlib.metrics.perceptual import weights_folder

SUBSET = 1_000  # vectors of each kind in a subset of the kernel distance, as published
SUBSETS = 100
INCEPTION = "inception-2015-12-05.pt"
INCEPTION_WIDTH = 2_048
NETWORKS = ("lite2", "inception")  # by which pictures are embedded
FID = "Heusel et al., NeurIPS 2017"
KID = "Bińkowski et al., ICLR 2018"

SETS: dict[str, SetMetric] = {}


def frechet_needs(D: int) -> int:
    """Return how many vectors of D numbers a Fréchet distance needs at least.

    N vectors give a covariance of rank N − 1 at most: up to N = D it is singular, and until well beyond, its small
    directions are noise, which adds to the distance. Below 2·D there is no number worth printing.
    """
    return 2 * D


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Give the squared Fréchet distance of two clouds of vectors as if both were Gaussian.

    |μx − μy|² + tr(Σx + Σy − 2 (Σx Σy)^½), with covariances divided by N − 1. It is biased upwards by some 1/N: never
    compare two of different N.

    Args:
        x, y: (N, D) and (M, D) float64.

    Returns:
        0 for the same clouds; NaN where N or M is below :func:`frechet_needs`.

    Difference from the paper (Heusel et al. 2017): none intended.

    Example:
        >>> x = torch.randn(1000, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        >>> round(frechet_distance(x, x + 1), 6)
        4.0
    """
    _check(x, y)
    if min(len(x), len(y)) < frechet_needs(x.shape[1]):
        return math.nan
    covariance_x, covariance_y = torch.cov(x.T), torch.cov(y.T)
    # tr (Σx Σy)^½ = tr (Σx^½ Σy Σx^½)^½, and what is under that root is symmetric.
    values, vectors = torch.linalg.eigh(covariance_x)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ covariance_y @ root).clamp(min=0).sqrt().sum()
    between = (x.mean(0) - y.mean(0)).square().sum()
    return (between + covariance_x.trace() + covariance_y.trace() - 2 * cross).clamp(min=0).item()


def kernel_distance(
    x: Tensor, y: Tensor, subset: int, subsets: int, generator: torch.Generator | None = None
) -> tuple[float, float]:
    """Give the unbiased estimate of MMD² with the kernel (x·y / D + 1)³: its mean over random subsets, and their sd.

    The estimate may fall below 0. Pictures and photographs of the same scenes are no independent samples: now and then
    a picture meets its own photograph, so perfect colours score a little below 0, by some 1/N.

    Args:
        x, y: (N, D) and (M, D) floating point.
        subset: vectors drawn from x and as many from y, without repeats, each time; at least 2.
        subsets: how often; at least 1.
        generator: what draws.

    Raises:
        ValueError: fewer vectors than ``subset``, or numbers out of range.

    Difference from the paper (Bińkowski et al. 2018): none intended.
    """
    _check(x, y)
    if not 2 <= subset <= min(len(x), len(y)) or subsets < 1:
        raise ValueError(
            f"subset must be from 2 to {min(len(x), len(y))}, the number of vectors, and subsets at least 1, "
            f"not {subset} and {subsets}."
        )
    drawn = [_mmd_squared(*_draw(x, y, subset, generator)) for _ in range(subsets)]
    estimates = torch.tensor(drawn, dtype=torch.float64)
    return estimates.mean().item(), estimates.std(correction=0).item()


def _draw(x: Tensor, y: Tensor, subset: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    x, y = (vectors[torch.randperm(len(vectors), generator=generator)[:subset]] for vectors in (x, y))
    return x, y


def _mmd_squared(x: Tensor, y: Tensor) -> float:
    def kernel(products: Tensor) -> Tensor:
        return (products / D + 1) ** 3

    def total(a: Tensor, b: Tensor) -> Tensor:
        return kernel(a @ b.T).sum(1).sum(dtype=torch.float64)  # row by row: sooner than all in float64

    M, D = x.shape
    within = sum(total(v, v) - kernel(v.square().sum(1)).sum(dtype=torch.float64) for v in (x, y))
    return (within / (M * (M - 1)) - 2 * total(x, y) / M**2).item()


def _check(x: Tensor, y: Tensor) -> None:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"embeddings must be (N, D) and (M, D), not {tuple(x.shape)} and {tuple(y.shape)}.")


# ---- the networks ------------------------------------------------------------------------------------------------


@cache
def _load_inception(folder: Path | None) -> tuple[torch.jit.ScriptModule, str] | None:
    """Load Inception and the first digits of its file's SHA-256; None where the file is missing."""
    if folder is None or not (path := folder / INCEPTION).is_file():
        return None
    try:
        network = torch.jit.load(path, map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        why = str(error).strip().splitlines()[0]
        raise ValueError(f"{path} cannot be read as TorchScript ({why}); download it again or move it away.") from None
    return network, sha256(path)[:8]


def _embed_by_inception(network: torch.jit.ScriptModule, rgb: Tensor) -> Tensor:
    embedding = network.to(rgb.device)((255 * rgb).round().to(torch.uint8), return_features=True)
    if embedding.shape != (len(rgb), INCEPTION_WIDTH):
        raise ValueError(
            f"{INCEPTION} gives {tuple(embedding.shape)} for {len(rgb)} pictures, not ({len(rgb)}, {INCEPTION_WIDTH}): "
            "it is another network; move it away."
        )
    return embedding.float()


# ---- the distances -----------------------------------------------------------------------------------------------


def _subset(n: int) -> int:
    """Choose the size of a subset: half of the vectors where they are few, so that the subsets differ."""
    return min(SUBSET, n // 2)


def _frechet(name: str, embeddings: tuple[Tensor, Tensor] | None) -> dict[str, float | int | None]:
    distance, needs = math.nan, None
    if embeddings:
        x, y = embeddings
        distance, needs = frechet_distance(x.double(), y.double()), frechet_needs(x.shape[1])
    return {name: None if math.isnan(distance) else distance, f"{name}_needs": needs}


SETS["frechet_lite2"] = SetMetric(
    _frechet,
    network="lite2",
    alike=("n_lite2",),
    needs="frechet_lite2_needs",
    title="Fréchet (Lite2)",
    unit="",
    higher_is_better=False,
    about=(
        "Fréchet distance between the sets' embeddings by EfficientNet-Lite2, made as an FID is, on another "
        "scale; compare it at the same number of pictures only."
    ),
    blind_to="Which picture belongs to which photograph; all that is not in mean and covariance of its features.",
    reference=f"{FID}, with EfficientNet-Lite2 in place of Inception",
)


def _kernel(name: str, embeddings: tuple[Tensor, Tensor] | None) -> dict[str, float | int | None]:
    mean = sd = None
    if embeddings and (subset := _subset(len(embeddings[0]))) >= 2:
        drawn = torch.Generator().manual_seed(0)  # the same photographs in every run
        mean, sd = kernel_distance(*embeddings, subset, SUBSETS, drawn)
    return {name: mean, f"{name}_sd": sd}


SETS["kernel_lite2"] = SetMetric(
    _kernel,
    network="lite2",
    alike=("n_lite2", "subsets"),
    title="Kernel (Lite2)",
    unit="",
    higher_is_better=False,
    about=(
        "Kernel distance (unbiased MMD², cubic) between the sets' embeddings by EfficientNet-Lite2, made as a KID "
        "is, on another scale; mean over subsets, and a perfect set scores a little below 0."
    ),
    blind_to="Which picture belongs to which photograph; what EfficientNet-Lite2 has no features for.",
    reference=f"{KID}, with EfficientNet-Lite2 in place of Inception",
)

SETS["fid"] = SetMetric(
    _frechet,
    network="inception",
    alike=("n", "inception_sha256"),
    needs="fid_needs",
    title="FID",
    unit="",
    higher_is_better=False,
    about=(
        "Fréchet Inception distance, of 8-bit pictures and bilinear resizing; not measured without the published "
        "weights; compare it at the same number of pictures only."
    ),
    blind_to="Which picture belongs to which photograph; small pictures are enlarged to 299 pixels first.",
    reference=FID,
)

SETS["kid"] = SetMetric(
    _kernel,
    network="inception",
    alike=("n", "subset", "subsets", "inception_sha256"),
    title="KID",
    unit="",
    higher_is_better=False,
    about=(
        "Kernel Inception distance, of 8-bit pictures and bilinear resizing, mean over subsets; not measured without "
        "the published weights."
    ),
    blind_to="Which picture belongs to which photograph; small pictures are enlarged to 299 pixels first.",
    reference=KID,
)


# ---- collecting --------------------------------------------------------------------------------------------------


class SetDistances:
    """Collects the embeddings of a set of pictures and of its photographs, batch by batch, and compares them.

    Example:
        >>> sets = SetDistances()
        >>> sets.add(Pair(torch.full((4, 1, 16, 16), 50.0), torch.zeros(4, 2, 16, 16), torch.zeros(4, 2, 16, 16)))
        >>> sets.results()["n"]
        4
    """

    def __init__(self) -> None:
        self.n = 0
        self.inception = _load_inception(weights_folder())
        self._batches: dict[str, list[tuple[Tensor, Tensor]]] = {network: [] for network in NETWORKS}

    @torch.no_grad()
    def add(self, pair: Pair) -> None:
        """Take in the pictures and photographs of a pair."""
        self.n += len(pair.L)
        if pair.seen is not None and pair.seen_true is not None:
            self._batches["lite2"].append((pair.seen.embedding, pair.seen_true.embedding))
        if self.inception:
            network, _ = self.inception
            embedded, embedded_true = (_embed_by_inception(network, rgb) for rgb in (pair.rgb, pair.rgb_true))
            self._batches["inception"].append((embedded, embedded_true))

    def results(self) -> dict[str, float | int | str | None]:
        """Give the contents of ``sets.json``; None stands for what was not measured.

        Keys: n (pictures), n_lite2 (those that Lite2 looked at); frechet_lite2, kernel_lite2 and fid, kid, each kernel
        distance with its ``_sd`` over subsets; frechet_lite2_needs and fid_needs, the least number for a Fréchet
        distance; subset and subsets of the KID (half of n where n is below 2,000, so that the subsets differ; those of
        kernel_lite2 are made of n_lite2 likewise); inception_sha256, the first digits of the file.
        """
        embeddings = {network: self._embeddings(network) for network in NETWORKS}
        results: dict[str, float | int | str | None] = {"n": self.n, "subset": _subset(self.n), "subsets": SUBSETS}
        results["n_lite2"] = len(seen[0]) if (seen := embeddings["lite2"]) else 0
        for name, metric in SETS.items():
            results |= metric.fn(name, embeddings[metric.network])
        return results | {"inception_sha256": self.inception[1] if self.inception else None}

    def _embeddings(self, network: str) -> tuple[Tensor, Tensor] | None:
        """Give those of all pictures and of all photographs, (N, D) each; None where there are none."""
        batches = self._batches[network]
        if not batches:
            return None
        pictures, photographs = (torch.cat(parts) for parts in zip(*batches, strict=True))
        return pictures, photographs
