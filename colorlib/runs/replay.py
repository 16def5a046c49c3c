"""On a GPU: a network's forward and backward, recorded once and replayed at every step (a CUDA graph).

A network that two cores can train is small for a GPU: it has some thousand kernels of a few microseconds, and launching
them one by one from Python takes longer than they do. A recording is launched as a whole. The kernels are the same, in
the same order, and so is what they compute.

What is recorded must do the same at every step, ask the GPU for no number, and bring nothing to it: a network that
declares ``replays`` does. Validation and judging, in eval mode and in batches of other sizes, are not recorded.
"""

import torch

from colorlib.models import Network


def record(network: Network, photographs: int, size: tuple[int, int], bfloat16: bool) -> None:
    """Record a network's forward in training mode and its backward; calling it in that mode then replays both.

    Weights, statistics and gradients are left as they are. Weights may be loaded afterwards, but not moved.

    Args:
        network: on a GPU, and one that ``replays``.
        photographs: in a batch.
        size: (H, W) of each.
        bfloat16: whether the steps are taken under autocast.
    """
    device = next(network.parameters()).device
    given = [torch.zeros(photographs, channels, *size, device=device) for channels in (1, 3)]
    kept = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with torch.autocast("cuda", torch.bfloat16, bfloat16, cache_enabled=False):
        torch.cuda.make_graphed_callables(
            network.train(), tuple(given if network.takes_hints else given[:1]), allow_unused_input=True
        )
    for name, buffer in network.named_buffers():  # normalisations saw the blank batch a few times
        buffer.copy_(kept[name])
