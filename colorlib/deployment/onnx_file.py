"""The ONNX file of a colorizer: what is in it, and the reader that runs it with ONNX Runtime.

It holds a network with the decoder of its objective, for photographs at the size at which it works. What is done around
it (:mod:`colorlib.pictures.shrinking` before, :mod:`colorlib.deployment.enlarging` after) is arithmetic that every
program does itself.

Inputs are ``lightness`` (1, 1, height, width) in [0, 100] and, where the network takes them, ``hints`` (1, 3, height,
width), zeros for none (see :mod:`colorlib.color.hints`); the output is ``ab`` (1, 2, height, width) in CIELAB units.
All are float32, and so are all computations, whatever the weights are stored in. The short side is that of the recipe,
from 3/4 to 5/4 of it. Metadata: ``colorlib_format``, ``recipe`` (JSON of
:class:`~colorlib.deployment.recipe.Recipe`), ``weights`` (what kernels are stored in), and ``model_license`` where the
licence is known.

Reference:
    ONNX, "Open Neural Network Exchange: intermediate representation", "Metadata".
"""

import importlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorlib.deployment.recipe import Recipe
from colorlib.runs.colorizer import Colorizer

FORMAT = 1  # of inputs, output and metadata; a reader of another number refuses the file
SIDES = (0.75, 1.25)  # times the recipe's short side: how far a photograph's own may be from it


def library(name: str) -> Any:
    """Import one of the libraries of the extra ``onnx``.

    Raises:
        RuntimeError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise RuntimeError(f"ONNX needs {name}, which is not installed: pip install 'colorlib[onnx]'.") from None


class OnnxColorizer(Colorizer):
    """A file of :func:`~colorlib.deployment.onnx_export.export_onnx`, run by ONNX Runtime; any study can judge it.

    Args:
        file: its path or content.

    Raises:
        ValueError: it is no such file, is damaged, or was written by another version; one sentence.
        RuntimeError: the extra ``onnx`` is not installed.
        FileNotFoundError: there is no such file.
    """

    def __init__(self, file: Path | str | bytes) -> None:
        runtime = library("onnxruntime")
        content, where = (file, "the model") if isinstance(file, bytes) else (Path(file).read_bytes(), str(file))
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4  # what goes wrong is raised, and said once
        try:
            self.session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's have no common class
            why = str(error).splitlines()[0].rstrip(".")
            raise ValueError(f"{where} is no ONNX file, or it is damaged ({why}); export it anew.") from None
        about = self.session.get_modelmeta().custom_metadata_map
        found = about.get("colorlib_format")
        if found != str(FORMAT):
            told = f"has format {found}" if found else "was not written by colorlib"
            raise ValueError(f"{where} {told}, and this colorlib reads format {FORMAT}; export the model anew.")
        try:
            self.recipe, self.weights = Recipe(**json.loads(about["recipe"])), about["weights"]
        except (LookupError, TypeError, ValueError):
            told = "tells less of itself than it must, or more than this colorlib knows"
            raise ValueError(f"{where} {told}; export the model anew.") from None
        self.name, self.licence = self.recipe.name, about.get("model_license", "")
        self.takes_hints = self.recipe.takes_hints

    def __call__(self, L: Tensor, hints: Tensor | None = None, temperature: float | None = None) -> Tensor:
        """Colour photographs at the size that the network works at; its temperature is the recipe's.

        Raises:
            ValueError: see :meth:`~colorlib.runs.colorizer.Colorizer.check`, a short side that is not 3/4 to 5/4 of
                the recipe's, or hints of another size.
        """
        self.check(temperature, hints is not None)
        low, high = (round(share * self.recipe.short_side) for share in SIDES)
        if not low <= min(L.shape[-2:]) <= high:
            raise ValueError(
                f"{self.name} colours photographs whose short side has {low} to {high} pixels, not "
                f"{min(L.shape[-2:])}; bring them to {self.recipe.short_side}."
            )
        given = {"lightness": L.float().cpu()}
        if self.takes_hints:
            hints = L.new_zeros(len(L), 3, *L.shape[-2:]) if hints is None else hints
            if hints.shape != (len(L), 3, *L.shape[-2:]):
                raise ValueError(f"hints are (N, 3, H, W) for L (N, 1, H, W), not {(*hints.shape,)} for {(*L.shape,)}.")
            given["hints"] = hints.float().cpu()
        ones = zip(*(values.split(1) for values in given.values()), strict=True)
        found = [self.session.run(["ab"], {key: x.numpy() for key, x in zip(given, one, strict=True)}) for one in ones]
        return torch.cat([torch.from_numpy(ab) for (ab,) in found]).to(L.device)
