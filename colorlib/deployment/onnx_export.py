"""A colorizer written as one ONNX file (:mod:`colorlib.deployment.onnx_file`), for programs in any language.

A network is traced at one size that no stride has to pad. Its graph then holds no size at all, whereas reasoning over
sizes as symbols takes minutes for a network that pads at each stride. What is read is padded to whole strides and cut
again, as networks here do it themselves. That this is the very network is checked at other sizes before it is written.

Reference:
    ONNX, operators Pad and Slice; DequantizeLinear.
"""

import contextlib
import dataclasses
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import colorlib
from colorlib.color.blur import blur
from colorlib.deployment.colorizer import PhotoColorizer
from colorlib.deployment.loading import RELEASED, load_colorizer, shipped_models
from colorlib.deployment.onnx_file import FORMAT, SIDES, OnnxColorizer, library
from colorlib.files import atomic_path
from colorlib.registry import look_up
from colorlib.runs.colorizer import NetworkColorizer, decoder

STRIDE = 32  # sides are brought to multiples of it, the coarsest stride of the networks here
TOLERANCE = 0.05  # ab units by which a graph may differ from its network in the mean
STORED_TOLERANCE = 0.5  # by which it may with kernels in fewer bits; int8 makes 0.02 to 0.07 of the models that ship
FEW = 1024  # numbers of a tensor; smaller ones stay float32
MANY = 40_000  # int8 is for larger ones, which it harms least


def export_onnx(name: Path | str, out: Path | str, weights: str = "float16") -> Path:
    """Write a colorizer as an ONNX file.

    On the photographs of :mod:`colorlib.data.bundled`, models that ship differ from themselves in torch by a ΔE2000 of
    less than 0.05 anywhere with float16, and with int8 by less than 0.3 in the mean of each photograph.

    Args:
        name: for :func:`~colorlib.deployment.loading.load_colorizer`.
        out: the file.
        weights: what kernels are stored in, a key of ``WEIGHTS``: float32; float16, in which models ship anyway; or
            int8, the large ones only, with a scale for each output channel.

    Raises:
        ValueError: no such model or kind of weights, a file of another ending than ``.onnx``, or a network that cannot
            be written as one graph, which those cannot that look at all of a photograph at once.
        RuntimeError: the extra ``onnx`` is not installed.
        OSError: the file cannot be written.
    """
    out = Path(out)
    if out.suffix != ".onnx" or out.is_dir():
        raise ValueError(f"{str(out)!r} is no name for the file; name a new one that ends in .onnx.")
    store = look_up(WEIGHTS, weights, "kind of weights")
    onnx, *_ = map(library, ("onnx", "onnxscript", "onnxruntime"))
    colorizer = load_colorizer(name, "cpu")
    model = _traced(colorizer)
    _accept_any_size(model)
    recipe, licence = colorizer.recipe, _licence(str(name))
    about = {"colorlib_format": str(FORMAT), "recipe": json.dumps(dataclasses.asdict(recipe)), "weights": weights}
    onnx.helper.set_model_props(model, about | ({"model_license": licence} if licence else {}))
    model.producer_name, model.producer_version = "colorlib", colorlib.__version__
    model.graph.name, model.doc_string = recipe.name, recipe.about
    _check(colorizer, model.SerializeToString(), TOLERANCE)
    if store:
        store_weights(model, store)
        _check(colorizer, model.SerializeToString(), STORED_TOLERANCE, f" with {weights} weights")
    with atomic_path(out) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return out


def _licence(name: str) -> str:
    if name in shipped_models():
        return "Apache-2.0"
    released = RELEASED.get(name.partition("=")[0])
    return released.licence if released else ""


class Stored(NamedTuple):
    """How a tensor of float32 is stored: an operator that gives it back, its settings, and what it reads."""

    operator: str
    settings: dict[str, Any]
    parts: list[np.ndarray]


class _Graph(nn.Module):
    """Network and decoder as one function of tensors."""

    def __init__(self, colorizer: PhotoColorizer) -> None:
        super().__init__()
        self.network, self.decode = colorizer.network, decoder(colorizer.objective)

    def forward(self, lightness: Tensor, hints: Tensor | None = None) -> Tensor:
        return self.network.colorize(lightness, self.decode, hints)


def _traced(colorizer: PhotoColorizer) -> Any:
    """Return the network as an ONNX model whose tensors have the sides that were traced."""
    side = STRIDE * max(1, round(colorizer.recipe.short_side / STRIDE))
    given = (torch.full((1, 1, side, side + STRIDE), 50.0), torch.zeros(1, 3, side, side + STRIDE))
    names = ["lightness", "hints"][: 1 + colorizer.takes_hints]
    try:
        with _quiet():
            program = torch.onnx.export(
                _Graph(colorizer),
                given[: len(names)],
                input_names=names,
                output_names=["ab"],
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # torch's exporter raises nearly anything
        cause: BaseException = error  # whose own words are advice to those who write exporters
        while cause.__cause__ is not None:
            cause = cause.__cause__
        why = (str(cause).splitlines() or [type(cause).__name__])[0].rstrip(".")
        raise ValueError(f"{colorizer.name} cannot be written as ONNX: {why}.") from None
    return program.model_proto  # type: ignore[union-attr]  # with dynamo=True it is never None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's exporter from telling a person of its own affairs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _accept_any_size(model: Any) -> None:
    """Let a graph that holds no size take any: its inputs are padded to whole strides, its output is cut."""
    helper, numpy_helper, graph = library("onnx.helper"), library("onnx.numpy_helper"), model.graph
    del graph.value_info[:]  # the sides that were traced
    constants = {"whole": [STRIDE, STRIDE], "none": [0] * 6, "from": [0, 0], "sides": [2, 3]}
    graph.initializer.extend(
        numpy_helper.from_array(np.array(values, np.int64), f"size.{name}") for name, values in constants.items()
    )
    before = [
        helper.make_node("Shape", ["lightness"], ["size.given"], start=2, end=4),
        helper.make_node("Neg", ["size.given"], ["size.negative"]),
        helper.make_node("Mod", ["size.negative", "size.whole"], ["size.missing"]),
        helper.make_node("Concat", ["size.none", "size.missing"], ["size.pads"], axis=0),
    ]
    for node in graph.node:
        node.input[:] = [f"{name}.whole" if name in ("lightness", "hints") else name for name in node.input]
        node.output[:] = ["ab.whole" if name == "ab" else name for name in node.output]
    for given in graph.input:
        before.append(helper.make_node("Pad", [given.name, "size.pads"], [f"{given.name}.whole"], mode="edge"))
    for value in (*graph.input, *graph.output):
        for axis, name in ((2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[axis].dim_param = name
    nodes = [*before, *graph.node]
    nodes.append(helper.make_node("Slice", ["ab.whole", "size.from", "size.given", "size.sides"], ["ab"]))
    del graph.node[:]
    graph.node.extend(nodes)


@torch.inference_mode()
def _check(colorizer: PhotoColorizer, content: bytes, tolerance: float, how: str = "") -> None:
    """Raise ValueError unless a graph answers as its network does, at sizes that were not traced.

    Args:
        how: the graph is written, for the message.
    """
    short, written = colorizer.recipe.short_side, OnnxColorizer(content)
    noise = torch.Generator().manual_seed(0)
    for share in SIDES:
        size = round(share * short), round(1.7 * short)
        L = (50 + 250 * blur(torch.randn(1, 1, *size, generator=noise), 2.0)).clamp(0, 100)
        hints = None
        if colorizer.takes_hints:
            hints = torch.zeros(1, 3, *size)
            hints[:, :, size[0] // 3 : size[0] // 2, -9:] = torch.tensor([40.0, -30.0, 1.0]).view(1, 3, 1, 1)
        right = NetworkColorizer.__call__(colorizer, L, hints)
        try:
            gap = float((written(L, hints) - right).abs().mean())
        except Exception:  # ONNX Runtime's have no common class
            raise ValueError(
                f"{colorizer.name} cannot be written as ONNX for photographs of any size: it looks at all of one at "
                f"once, by attention or by features coarser than 1/{STRIDE}; name a network that does not."
            ) from None
        if not gap <= tolerance:
            raise ValueError(
                f"{colorizer.name} cannot be written as ONNX{how}: at {size[0]}×{size[1]} pixels the graph's colours "
                f"differ from the network's by {gap:.3g}."
            )


def _halves(values: np.ndarray) -> Stored | None:
    """Store numbers in float16; those that it cannot hold stay as they are."""
    if np.abs(values).max() > np.finfo(np.float16).max:
        return None
    return Stored("Cast", {"to": 1}, [values.astype(np.float16)])  # 1: to float32


def _bytes(values: np.ndarray) -> Stored | None:
    """Store many numbers in int8, with a scale for each output channel, and few in float16."""
    if values.size < MANY:
        return _halves(values)
    scale = np.abs(values).max(axis=tuple(range(1, values.ndim))) / 127
    whole = np.rint(values / np.maximum(scale, 1e-30).reshape(-1, *[1] * (values.ndim - 1)))
    return Stored("DequantizeLinear", {"axis": 0}, [whole.astype(np.int8), scale.astype(np.float32)])


WEIGHTS = {"float32": None, "float16": _halves, "int8": _bytes}


def store_weights(model: Any, store: Callable[[np.ndarray], Stored | None]) -> None:
    """Store the kernels of a graph in fewer bits; nodes at its beginning give them back in float32."""
    helper, numpy_helper, graph = library("onnx.helper"), library("onnx.numpy_helper"), model.graph
    kept, nodes = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        large = values.dtype == np.float32 and values.ndim > 1 and values.size >= FEW
        stored = store(values) if large else None
        if stored is None:
            kept.append(tensor)
            continue
        names = [f"{tensor.name}.stored{number}" for number in range(len(stored.parts))]
        kept += [numpy_helper.from_array(part, name) for part, name in zip(stored.parts, names, strict=True)]
        nodes.append(helper.make_node(stored.operator, names, [tensor.name], **stored.settings))
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
