"""What every objective is: the meaning of a network's output. And how several are added up."""

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib.color.lab import AB_SCALE, lab_to_rgb


class Objective(nn.Module):
    """Says how many channels a network must give, how wrong they are, and which colours they stand for.

    Attributes:
        out_channels: that the network must have.
        out_stride: the output has 1/out_stride of the photograph's height and width, rounded up; 1, 2 or 4.
        needs_prior: whether the bins' prior must be given.
        critic: a second network with a loss of its own, ``critic_terms``, or None.
        truth_is_best: whether no other answer costs less than the truth.
        metric: the metric that the loss is, up to its scale: who learned by it is favoured by it. Else empty.
        critic_rate: the learning rate of the critic; 0 without one.
        validated_term: the term of the loss that decides which checkpoint is best where there is no critic, and with
            one whether the training has collapsed.
        temperature: of the decoding where the output means odds, else None; in a sum that of its :attr:`meaning`.
        space: the colour space of the output where it has one of its own, else empty.
        share: of the budget that is used up, 0 to 1; the training loop keeps it.
        autocast: the context in which networks of the objective's own are computed; the training loop sets it.
    """

    out_channels = 2
    needs_prior = False
    truth_is_best = True
    metric = ""
    critic: nn.Module | None
    critic_rate = 0.0
    validated_term = "loss"
    temperature: float | None = None
    space = ""

    def __init__(self, out_stride: int) -> None:
        super().__init__()
        self.critic = None
        self.share = 1.0
        self.autocast: contextlib.AbstractContextManager = contextlib.nullcontext()
        if out_stride not in (1, 2, 4):
            raise ValueError(f"out_stride must be 1, 2 or 4, not {out_stride!r}.")
        self.out_stride = out_stride

    @property
    def meaning(self) -> "Objective":
        """The objective that says what the output means: itself, or in a sum the term that owns the output."""
        return self

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return the scalar to minimise, ``"loss"``, and its named terms, all of float32 at least.

        Args:
            output: (N, out_channels, ⌈H / out_stride⌉, ⌈W / out_stride⌉), the network's.
            L: (N, 1, H, W) in [0, 100].
            ab: (N, 2, H, W), the true colours in CIELAB units.
        """
        raise NotImplementedError

    def decode(self, output: Tensor, size: tuple[int, ...]) -> Tensor:
        """Return the colours that an output stands for: (N, 2, H, W) in CIELAB units, for ``size`` (H, W)."""
        raise NotImplementedError

    def critic_terms(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return the critic's own ``"loss"`` and what else it tells, where there is a critic."""
        raise NotImplementedError

    def network_rests(self) -> bool:
        """Return whether, at this share of the budget, the critic alone learns and the network stays as it is."""
        return False

    def check_output(self, output: Tensor, size: tuple[int, ...]) -> None:
        """Raise ValueError, in one sentence, where a network's output has not the shape that is asked for.

        Args:
            output: the network's, for photographs of ``size`` (H, W).
        """
        asked = (self.out_channels, *(math.ceil(side / self.out_stride) for side in size))
        if tuple(output.shape[1:]) != asked:
            stride = ", or set the objective's option out_stride to 1" if self.out_stride > 1 else ""
            raise ValueError(
                f"for photographs of {size[0]}×{size[1]} the objective asks the network for {asked}, out_channels and "
                f"then height and width over out_stride {self.out_stride}, and it gives {tuple(output.shape[1:])}: end "
                f"it with colorlib.models.blocks.Output, which heeds both{stride}."
            )


class OnColours(Objective):
    """An objective that looks at nothing but the colours: alone, of an output of ab / 110; in a sum, of any output."""

    def __init__(self) -> None:
        super().__init__(out_stride=1)

    def decode(self, output: Tensor, size: tuple[int, ...]) -> Tensor:
        return enlarge(AB_SCALE * full_precision(output), self.out_stride, size)

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        return self.judge(self.decode(output, L.shape[-2:]), L, ab)

    def judge(self, ab_predicted: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return what :meth:`Objective.forward` does, for decoded colours (N, 2, H, W) in CIELAB units."""
        raise NotImplementedError


class WeightedSum(Objective):
    """Several objectives on one output: ``loss`` = Σ weight · term.

    The first term that is more than a look at the colours (a regression in some space, a cross-entropy) says what the
    output means; the others judge the colours that it is decoded to. Where none is, the output is ab / 110. What is
    ``validated`` is the same sum without the terms whose standard moves during training (a critic's) or that the truth
    does not minimise; where no term is left, it is the mean |ab error|. Several critics learn with the highest of their
    rates.

    Args:
        terms: name -> objective, one at least.
        weights: name -> weight, above zero.

    Raises:
        ValueError: two terms read the output differently.
    """

    critic: nn.ModuleDict | None
    validated_term = "validated"

    def __init__(self, terms: dict[str, Objective], weights: dict[str, float]) -> None:
        meanings = {name: term for name, term in terms.items() if not isinstance(term, OnColours)}
        owner = next(iter(meanings or terms))
        super().__init__(terms[owner].out_stride)
        ways = {name: (term.out_channels, term.out_stride, term.space) for name, term in meanings.items()}
        if len(set(ways.values())) > 1:
            raise ValueError(
                f"{' and '.join(ways)} read a network's output differently; a sum can hold one of them, and any number "
                "of terms that judge its colours."
            )
        self.terms, self.weights = nn.ModuleDict(terms), weights
        self.owner, self.out_channels = owner, terms[owner].out_channels
        self.critic = nn.ModuleDict({n: term.critic for n, term in terms.items() if term.critic is not None}) or None
        self.truth_is_best = all(term.truth_is_best for term in terms.values())
        self.critic_rate = max(term.critic_rate for term in terms.values())

    @property
    def meaning(self) -> Objective:
        owner = self.terms[self.owner]
        assert isinstance(owner, Objective)
        return owner

    def decode(self, output: Tensor, size: tuple[int, ...]) -> Tensor:
        return self.meaning.decode(output, size)

    def network_rests(self) -> bool:
        return any(term.network_rests() for term in self._terms_now().values())

    def _terms_now(self) -> dict[str, Objective]:
        terms = {name: term for name, term in self.terms.items() if isinstance(term, Objective)}
        for term in terms.values():
            term.share, term.autocast = self.share, self.autocast
        return terms

    def forward(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        colors, terms = self.decode(output, L.shape[-2:]), self._terms_now()
        results = {}
        for name, term in terms.items():
            found = term.judge(colors, L, ab) if isinstance(term, OnColours) else term(output, L, ab)
            results[name] = found["loss"]
        nothing = colors.new_zeros(())
        loss = sum((self.weights[name] * value for name, value in results.items()), nothing)
        fixed = [self.weights[name] * value for name, value in results.items() if terms[name].truth_is_best]
        validated = sum(fixed, nothing) if fixed else F.l1_loss(colors, ab)
        return {"loss": loss, **results, "validated": validated.detach()}

    def critic_terms(self, output: Tensor, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        """Return the critics' own ``"loss"`` and what they tell apart; no gradient reaches ``output``."""
        colors, terms = self.decode(output.detach(), L.shape[-2:]), self._terms_now()
        found = {n: term.critic_terms(colors, L, ab) for n, term in terms.items() if term.critic is not None}
        prefix = {name: f"{name}_" if len(found) > 1 else "" for name in found}
        named = {f"{prefix[n]}{key}": v for n, losses in found.items() for key, v in losses.items() if key != "loss"}
        return {"loss": sum((losses["loss"] for losses in found.values()), colors.new_zeros(())), **named}


def full_precision(x: Tensor) -> Tensor:
    """Return ``x`` in float32 at least; autocast hands over bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def open_rgb(L: Tensor, ab: Tensor) -> Tensor:
    """Return sRGB (N, 3, H, W) whose gradient goes on outside the gamut, a little beyond [0, 1], and leads back."""
    return lab_to_rgb(torch.cat([L, ab], 1), clip=False).clamp(-0.5, 1.5)


def area_average(ab: Tensor, stride: int) -> Tensor:
    """Average (N, C, H, W) over squares of ``stride``, over what is left of them at the edges."""
    return F.avg_pool2d(ab, stride, ceil_mode=True) if stride > 1 else ab


def enlarge(ab: Tensor, stride: int, size: tuple[int, ...]) -> Tensor:
    """Bring (N, C, h, w) to ``size`` (H, W) bilinearly.

    Where h and w are H and W over ``stride``, rounded up, the surplus of the last square is cut off, so that colours
    stay where they belong; any other size is reached by stretching.
    """
    H, W = size
    if tuple(ab.shape[-2:]) != (math.ceil(H / stride), math.ceil(W / stride)):
        return F.interpolate(ab, size=(H, W), mode="bilinear", align_corners=False)
    if stride > 1:
        ab = F.interpolate(ab, scale_factor=stride, mode="bilinear", align_corners=False)
    return ab[..., :H, :W]
