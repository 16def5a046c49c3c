"""One batch on several processes: each has an equal part of it, and what becomes of it is the whole batch's doing.

A training step on two processes of eight photographs is that of one process of sixteen, up to the rounding of sums,
when four things hold. What is drawn by lot is drawn for the whole batch by each process, from the same seed, and each
takes its :func:`part`. Gradients are averaged (:func:`learning_together`). What is neither a sum nor a mean over
photographs is computed from the :func:`mean` of what it is made of. And layers that look across photographs are told
(:func:`tell_layers`): batch normalisation takes mean and variance of the whole batch, dropout its lots.

Outside of :func:`sharing`, and in a process that is alone, a batch is the whole and nothing here changes anything.

References:
    S. Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020,
    arXiv:2006.15704, for averaged gradients.
    C. Peng et al., "MegDet: A Large Mini-Batch Object Detector", CVPR 2018, arXiv:1711.07240, section 3.3, for batch
    normalisation across devices.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")
Array = TypeVar("Array", Tensor, np.ndarray)

_shared = False  # whether a batch is one process's part of it


def processes() -> int:
    """Return how many processes torch.distributed has joined; 1 where it has not."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Return the number of this process among them, from 0."""
    return distributed.get_rank() if processes() > 1 else 0


@contextlib.contextmanager
def sharing() -> Iterator[None]:
    """Take every batch in the block for the part of this process, where there are several.

    Example:
        >>> with sharing():  # alone
        ...     parts(), part(np.arange(4))
        (1, array([0, 1, 2, 3]))
    """
    global _shared
    before, _shared = _shared, True
    try:
        yield
    finally:
        _shared = before


def parts() -> int:
    """Return into how many parts a batch is shared now: the number of processes in a block of :func:`sharing`, or 1."""
    return processes() if _shared else 1


def part(whole: Array, dim: int = 0) -> Array:
    """Return what of a whole batch is this process's part.

    Args:
        whole: a tensor or an array; of N photographs, N a multiple of :func:`parts`.
        dim: along which the photographs lie.
    """
    if parts() == 1:
        return whole
    each = whole.shape[dim] // parts()
    return whole[(slice(None),) * dim + (slice(rank() * each, (rank() + 1) * each),)]


def from_first(value: T) -> T:
    """Return the first process's value in all of them; tensors in it must lie on the processor."""
    if processes() == 1:
        return value
    found = [value if rank() == 0 else None]
    distributed.broadcast_object_list(found)
    return found[0]  # type: ignore[return-value]


def mean(value: Tensor) -> Tensor:
    """Return the mean of a tensor over the parts of the batch, with its gradient."""
    return value if parts() == 1 else _Sum.apply(value) / parts()


def means(terms: dict[str, Tensor]) -> dict[str, float]:
    """Return the means of scalars over the parts of the batch, as plain numbers."""
    if parts() > 1:
        stacked = torch.stack([value.detach().double() for value in terms.values()])
        terms = dict(zip(terms, mean(stacked), strict=True))
    return {name: float(value.detach()) for name, value in terms.items()}


def check_batch(size: int, processes: int) -> None:
    """Raise ValueError, in one sentence, where the processes cannot have equal parts of a batch of ``size``."""
    if size % processes:
        raise ValueError(
            f"{processes} processes cannot have equal parts of a batch of {size} photographs: take a number of "
            "processes that divides it, or another batch size."
        )


def learning_together(module: nn.Module, method: Callable[..., T]) -> Callable[..., T]:
    """Return a method of a module; whoever goes back through it finds gradients averaged over all processes.

    Args:
        module: whose weights learn; all of them, or none, at each step.
        method: what is called in place of its forward.
    """
    if processes() == 1:
        return method
    return DistributedDataParallel(_Method(module, method))


def tell_layers(module: nn.Module) -> None:
    """Make batch normalisation and dropout inside a module heed the whole of a shared batch; alone, do nothing.

    Difference from :class:`torch.nn.SyncBatchNorm`: it works on processors too, and its gradient has a gradient, which
    a gradient penalty wants. What looks across photographs and is none of these layers of torch is not told.
    """
    if processes() == 1:
        return
    for layer in module.modules():
        if isinstance(layer, _BatchNorm):
            layer.__class__ = BatchNorm  # the same layer with the same weights, under the same name in a checkpoint
        elif type(layer) in _DROPOUTS:
            layer.__class__ = _DROPOUTS[type(layer)]


class BatchNorm(_BatchNorm):
    """Batch normalisation by mean and variance of the whole batch."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or parts() == 1:
            return super().forward(x)
        own = torch.stack(torch.var_mean(x.float(), [0, *range(2, x.ndim)], correction=0))  # (2, C)
        variances, means = _gather(own).unbind(1)  # (parts, C); parts are of equal size
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        if self.running_mean is not None and self.running_var is not None and self.momentum is not None:
            count = parts() * x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1), self.momentum)
                self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = torch.rsqrt(variance + self.eps) * (1 if self.weight is None else self.weight)
        shift = 0 if self.bias is None else self.bias.view(1, -1, *(x.ndim - 2) * [1])
        centred = x.float() - mean.view(1, -1, *(x.ndim - 2) * [1])
        return (centred * scale.view(1, -1, *(x.ndim - 2) * [1]) + shift).to(x.dtype)

    def _check_input_dim(self, x: Tensor) -> None:
        """Take any: the layer that this one was has been created for its own."""


class Dropout(nn.Dropout):
    """Dropout whose lots are drawn for the whole batch."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if parts() == 1 else x * part(super().forward(_whole_of_ones(x)))


class Dropout2d(nn.Dropout2d):
    """Dropout of channels whose lots are drawn for the whole batch."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if parts() == 1 else x * part(super().forward(_whole_of_ones(x)))


_DROPOUTS: dict[type[nn.Module], type[nn.Module]] = {nn.Dropout: Dropout, nn.Dropout2d: Dropout2d}


def _whole_of_ones(x: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(x)] * parts())


def _gather(own: Tensor) -> Tensor:
    """Return every part's tensor, (parts, *shape)."""
    row = torch.arange(parts(), device=own.device) == rank()
    return _Sum.apply(row.to(own).view(-1, *own.ndim * [1]) * own)


class _Sum(torch.autograd.Function):
    """The sum over all processes: what changes one's summand changes everyone's sum."""

    @staticmethod
    def forward(ctx: Any, summand: Tensor) -> Tensor:
        total = summand.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Sum.apply(gradient)


class _Method(nn.Module):
    """A module's weights with one of its methods as forward, which is all that DistributedDataParallel calls.

    What normalisations keep beside weights is no part of it: it is the same everywhere without being sent around.
    """

    def __init__(self, module: nn.Module, method: Callable) -> None:
        super().__init__()
        self.weights, self.method = nn.ParameterList(module.parameters()), method

    def forward(self, *given: Any) -> Any:
        return self.method(*given)
