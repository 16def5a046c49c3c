"""What training, judging and deployment may ask of a network, with defaults for one that answers lightness at once."""

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn

from colorlib.color.hints import draw_hints

Decode = Callable[[Tensor, tuple[int, ...]], Tensor]  # an output and (H, W) -> ab (N, 2, H, W): an objective's


class Network(nn.Module):
    """A network: L (N, 1, H, W) in [0, 100] in, whatever the objective asks for out.

    A subclass writes ``forward`` and overrides what else it can do. What it can do is declared:

    Attributes:
        narrow: options of a variant that tests and two cores can train; the defaults where there is none.
        takes_hints: whether its forward takes hints beside L, see :class:`HintedNetwork`.
        walks: whether it colours in several steps, each a forward: :meth:`colorize` is then more than one.
        steps: forwards that colour one photograph.
        gives_several: whether :meth:`samples` gives answers that differ.
        replays: whether its forward in training mode takes L, and hints where it takes any, does the same to every
            batch, asks for no number that is on a GPU and leaves behind nothing that has a gradient: it can be
            recorded then, see :mod:`colorlib.runs.replay`. One that does not declare it is called step by step.
        helped: whether its output in training rests on a part of the truth (hints, noised colours), so that it says
            little of what it answers alone.
    """

    narrow: ClassVar[dict[str, int | float | str]] = {}
    takes_hints = False
    walks = False
    steps = 1
    gives_several = False
    replays = False
    helped = False

    def forward_in_training(self, L: Tensor, ab: Tensor) -> Tensor:
        """Return the output of a training step.

        Args:
            L: (N, 1, H, W) in [0, 100].
            ab: (N, 2, H, W), the truth in CIELAB units, for networks that are helped by a part of it.
        """
        return self(L)

    def parameter_groups(self) -> list[dict]:
        """Return groups for an optimizer: ``params``, and the ``share`` of the learning rate that they learn with."""
        return [{"params": list(self.parameters()), "share": 1.0}]

    def side_loss(self, L: Tensor, ab: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
        """Return terms that the network adds to the loss of a training step: name -> scalar, weighted already.

        Args:
            L, ab: the photographs of the last forward in training mode.
            labels: (N,) int64, the photographs' classes, or None.
        """
        return {}

    def colorize(self, L: Tensor, decode: Decode, hints: Tensor | None = None) -> Tensor:
        """Colour photographs: ab (N, 2, H, W) in CIELAB units.

        Args:
            L: (N, 1, H, W) in [0, 100].
            decode: the objective's.
            hints: (N, 3, H, W), where the network ``takes_hints``; see :mod:`colorlib.color.hints`.

        Raises:
            TypeError: hints for a network that takes none.
        """
        return decode(self(L) if hints is None else self(L, hints), L.shape[-2:])

    def samples(self, L: Tensor, decode: Decode, count: int, seed: int = 0) -> Tensor:
        """Colour each photograph ``count`` times: (count, N, 2, H, W); all alike unless it ``gives_several``."""
        return self.colorize(L, decode).expand(count, -1, -1, -1, -1)


class HintedNetwork(Network):
    """A network whose forward takes ``(L, hints=None)``, hints (N, 3, H, W) or None for none at all.

    Args:
        hinted: the share of photographs that are shown with hints in training, above 0 and at most 1.
    """

    takes_hints = True
    helped = True

    def __init__(self, hinted: float = 1.0) -> None:
        super().__init__()
        if not 0 < hinted <= 1:
            raise ValueError(f"hinted is a share of the photographs, above 0 and at most 1, not {hinted}.")
        self.hinted = hinted

    def forward_in_training(self, L: Tensor, ab: Tensor) -> Tensor:
        return self(L, draw_hints(ab, self.hinted))
