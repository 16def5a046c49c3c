"""Several colourings of one photograph: how far apart they are, and how near the nearest comes to the truth.

They belong together. A colorizer that always gives the same answer has no diversity; one that answers anything at all
has much of it and, with enough tries, a good best one. The best of k falls with k, so k is to be stated with it.
"""

import torch
from torch import Tensor


def _check(samples: Tensor, fewest: int) -> None:
    if not isinstance(samples, Tensor) or not samples.is_floating_point():
        raise TypeError(f"samples must be a floating-point tensor, not {getattr(samples, 'dtype', type(samples))}.")
    if samples.ndim != 5 or samples.shape[2] != 2 or samples.numel() == 0 or len(samples) < fewest:
        raise ValueError(
            f"samples must have shape (k, N, 2, H, W) with at least {fewest} colourings k of each photograph, "
            f"not {tuple(samples.shape)}."
        )


def _distance(ab: Tensor, other: Tensor) -> Tensor:
    """(k, N) mean over the pixels of the Euclidean distance in ab; it is ΔE76, since lightness is the same."""
    return torch.linalg.vector_norm(ab - other, dim=2).mean((-2, -1))


def diversity(samples: Tensor) -> Tensor:
    """Average ΔE76 over all pairs of colourings and all pixels.

    Args:
        samples: (k, N, 2, H, W) in CIELAB units, k ≥ 2 colourings of each of N photographs.

    Returns:
        (N,), 0 where all colourings are the same; on average it does not depend on k.

    Raises:
        TypeError, ValueError: not a floating-point tensor of that shape.

    Example:
        >>> diversity(torch.tensor([0.0, 30.0, 60.0]).view(3, 1, 1, 1, 1).expand(-1, -1, 2, 4, 4)).round()
        tensor([57.])
    """
    _check(samples, fewest=2)
    return torch.cat([_distance(samples[k + 1 :], samples[k]) for k in range(len(samples) - 1)]).mean(0)


def best_of(samples: Tensor, ab_true: Tensor) -> Tensor:
    """Give the mean ΔE76 of the colouring that comes nearest to the truth, a different one for each photograph.

    It is chosen with the truth in hand, so it is no score of a colorizer that must answer once.

    Args:
        samples: (k, N, 2, H, W) in CIELAB units, k ≥ 1 colourings of each of N photographs.
        ab_true: (N, 2, H, W) of the photographs, CIELAB units.

    Returns:
        (N,); it can only fall as k grows.

    Raises:
        TypeError, ValueError: not floating-point tensors of these shapes.

    Example:
        >>> samples = torch.tensor([0.0, 30.0]).view(2, 1, 1, 1, 1).expand(-1, -1, 2, 4, 4)
        >>> best_of(samples, torch.full((1, 2, 4, 4), 27.0))
        tensor([4.2426])
    """
    _check(samples, fewest=1)
    if ab_true.shape != samples.shape[1:]:
        raise ValueError(
            f"ab_true must have the photographs' shape {tuple(samples.shape[1:])}, not {tuple(ab_true.shape)}."
        )
    return _distance(samples, ab_true).amin(0)
