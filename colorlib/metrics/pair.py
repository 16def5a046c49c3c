"""A batch of predictions beside the photographs they were made from: what every metric is measured on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from torch import Tensor

from colorlib.color.appearance import opponents
from colorlib.color.gamut import bin_centres, nearest_bin
from colorlib.color.lab import check_L, check_precision, lab_to_linear_rgb, lab_to_rgb, shown_lab, to_gamma
from colorlib.imagenet import class_ids
from colorlib.judges import Seen, judge_for_metrics

SMALLEST_SEEN = 16  # pixels of a side; in smaller pictures nothing is recognised


@cache
def _imagenet_positions(class_names: tuple[str, ...]) -> Tensor:
    """Give each name's position among ImageNet's classes, −1 for a name that is none of their WordNet ids."""
    position = {name: number for number, name in enumerate(class_ids())}
    return torch.tensor([position.get(name, -1) for name in class_names])


def _length(ab: Tensor) -> Tensor:
    a, b = ab.unbind(1)
    return (a * a).addcmul_(b, b).sqrt_()  # several times quicker than a norm, twice as quick as hypot


@dataclass(frozen=True, eq=False)
class Pair:
    """Predicted and true ab of the same photographs; what several metrics need is computed once.

    Args:
        L: (N, 1, H, W) lightness of the photographs, [0, 100].
        ab: (N, 2, H, W) predicted, CIELAB units; kept as predicted, in or out of sRGB's gamut.
        ab_true: (N, 2, H, W) of the photographs, CIELAB units.
        prior: (313,) share of each colour bin in the training photographs, sum 1; None if it is not known.
        labels: (N,) int64, what each photograph shows: a position in ``class_names``; None if it is not known.
        class_names: the names that ``labels`` count through.
        look: whether Lite2 looks at the pictures, which takes longer than all other metrics together.

    Raises:
        TypeError: an image is not a tensor of float32 or float64, or the labels are not int64.
        ValueError: the shapes do not belong together, values are NaN or infinite, L lies beyond its range, or a label
            has no name.

    Example:
        >>> grey = Pair(torch.full((1, 1, 8, 8), 50.0), torch.zeros(1, 2, 8, 8), torch.full((1, 2, 8, 8), 30.0))
        >>> grey.ab_distance.mean().round()
        tensor(42.)
    """

    L: Tensor
    ab: Tensor
    ab_true: Tensor
    prior: Tensor | None = None
    labels: Tensor | None = None
    class_names: Sequence[str] = ()
    look: bool = True

    def __post_init__(self) -> None:
        for name, channels in {"L": 1, "ab": 2, "ab_true": 2}.items():
            image = getattr(self, name)
            check_precision(image, name)
            if image.ndim != 4 or image.shape[1] != channels or image.numel() == 0:
                raise ValueError(
                    f"{name} must have shape (N, {channels}, H, W), none of them 0, not {tuple(image.shape)}."
                )
            if image.shape[0] != self.L.shape[0] or image.shape[2:] != self.L.shape[2:]:
                raise ValueError(
                    f"{name} {tuple(image.shape)} and L {tuple(self.L.shape)} are not the same photographs: "
                    "N, H and W must agree."
                )
            low, high = (float(end) for end in image.detach().aminmax())
            if not math.isfinite(high - low):
                bad = int((~image.isfinite()).sum())
                raise ValueError(f"{bad} of the {image.numel()} values of {name} are NaN or infinite.")
        check_L(self.L, "L")
        if self.prior is not None and self.prior.shape != (len(bin_centres()),):
            raise ValueError(
                f"prior must have shape ({len(bin_centres())},), one share per colour bin, "
                f"not {tuple(self.prior.shape)}."
            )
        if self.labels is not None:
            self._check_labels()

    def _check_labels(self) -> None:
        if not isinstance(self.labels, Tensor) or self.labels.dtype != torch.int64:
            kind = getattr(self.labels, "dtype", type(self.labels).__name__)
            raise TypeError(f"labels must be an int64 tensor, not {kind}.")
        if self.labels.shape != self.L.shape[:1]:
            raise ValueError(
                f"labels must have shape ({len(self.L)},), one per photograph, not {tuple(self.labels.shape)}."
            )
        if self.labels.min() < 0 or self.labels.max() >= len(self.class_names):
            raise ValueError(
                f"labels must be positions in class_names, which holds {len(self.class_names)} names, "
                f"not {self.labels.min()} to {self.labels.max()}."
            )

    @cached_property
    def unknown(self) -> Tensor:
        """(N,) NaN: what a metric gives that does not exist for these photographs."""
        return self.ab.new_full(self.ab.shape[:1], torch.nan)

    @cached_property
    def lab(self) -> Tensor:
        """(N, 3, H, W) prediction, in CIELAB units."""
        return torch.cat([self.L, self.ab], 1)

    @cached_property
    def lab_true(self) -> Tensor:
        """(N, 3, H, W) photograph, in CIELAB units."""
        return torch.cat([self.L, self.ab_true], 1)

    @cached_property
    def linear(self) -> Tensor:
        """(N, 3, H, W) prediction, in linear RGB; beyond [0, 1] where sRGB cannot show it."""
        return lab_to_linear_rgb(self.lab)

    @cached_property
    def linear_true(self) -> Tensor:
        """(N, 3, H, W) photograph, in linear RGB: of 8-bit Lab, so a few pixels lie a little beyond [0, 1], too."""
        return lab_to_linear_rgb(self.lab_true)

    @cached_property
    def rgb(self) -> Tensor:
        """(N, 3, H, W) prediction as sRGB shows it: clipped to [0, 1], not rounded to 8 bits."""
        return to_gamma(self.linear).clamp(0, 1)

    @cached_property
    def rgb_true(self) -> Tensor:
        """(N, 3, H, W) photograph by the same path, so both have lost the same."""
        return to_gamma(self.linear_true).clamp(0, 1)

    @cached_property
    def opponents(self) -> Tensor:
        """(N, 2, H, W) opponent channels of :attr:`rgb`, see :func:`colorlib.color.appearance.opponents`."""
        return opponents(self.rgb)

    @cached_property
    def opponents_true(self) -> Tensor:
        """(N, 2, H, W) opponent channels of :attr:`rgb_true`."""
        return opponents(self.rgb_true)

    @cached_property
    def lab_shown(self) -> Tensor:
        """(N, 3, H, W) prediction as sRGB shows it, in CIELAB units: :attr:`rgb`, seen by the eye."""
        return shown_lab(self.lab, self.linear)

    @cached_property
    def lab_true_shown(self) -> Tensor:
        """(N, 3, H, W) photograph by the same path."""
        return shown_lab(self.lab_true, self.linear_true)

    @cached_property
    def ab_error(self) -> Tensor:
        """(N, 2, H, W) predicted minus true ab."""
        return self.ab - self.ab_true

    @cached_property
    def ab_distance(self) -> Tensor:
        """(N, H, W) Euclidean distance between predicted and true ab; it is ΔE76, since L is the same."""
        return _length(self.ab_error)

    @cached_property
    def chroma(self) -> Tensor:
        """(N, H, W) predicted chroma √(a*² + b*²), CIELAB units."""
        return _length(self.ab)

    @cached_property
    def chroma_true(self) -> Tensor:
        """(N, H, W) chroma of the photograph, CIELAB units."""
        return _length(self.ab_true)

    @cached_property
    def bins(self) -> Tensor:
        """(N, H, W) int64 colour bin of each predicted pixel."""
        return nearest_bin(self.ab)

    @cached_property
    def bins_true(self) -> Tensor:
        """(N, H, W) int64 colour bin of each pixel of the photograph."""
        return nearest_bin(self.ab_true)

    @cached_property
    def rgb_grey(self) -> Tensor:
        """(N, 3, H, W) photograph without its colours, by the same path."""
        return lab_to_rgb(torch.cat([self.L, torch.zeros_like(self.ab)], 1))

    @cached_property
    def imagenet_labels(self) -> Tensor:
        """(N,) int64 position of each label among ImageNet's classes, −1 where it is none of them or not known."""
        if self.labels is None:
            return torch.full(self.ab.shape[:1], -1, device=self.ab.device)
        return _imagenet_positions(tuple(self.class_names)).to(self.labels.device)[self.labels]

    @cached_property
    def seen(self) -> Seen | None:
        """What Lite2 sees in the predictions; None without ``look``, below 16 pixels, and without its weights."""
        return self._look(lambda: self.rgb)

    @cached_property
    def seen_true(self) -> Seen | None:
        """What Lite2 sees in the photographs; None where :attr:`seen` is."""
        return self._look(lambda: self.rgb_true)

    @cached_property
    def seen_grey(self) -> Seen | None:
        """What Lite2 sees in the photographs without their colours; None where :attr:`seen` is."""
        return self._look(lambda: self.rgb_grey)

    @torch.no_grad()
    def _look(self, rgb: Callable[[], Tensor]) -> Seen | None:
        if not self.look or min(self.L.shape[2:]) < SMALLEST_SEEN:
            return None
        judge = judge_for_metrics(self.L.device)
        return judge(rgb()) if judge else None
