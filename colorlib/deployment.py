"""Models that are ready for use: a weight file that says by itself how to rebuild its network, without any data.

Such a file is a safetensors file in half precision beside a model card. Those in ``colorlib/weights`` ship with the
package; :func:`export_run` makes one of a finished run. A run folder can be named as it is, too, and so can the weight
files that the authors of ECCV16, SIGGRAPH17 and DDColor released.
"""

import copy
import dataclasses
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from colorlib.experiment import Run
from colorlib.features import WEIGHTS
from colorlib.files import atomic_path, sha256
from colorlib.gamut import bin_centres
from colorlib.metrics import METRICS
from colorlib.models import create_model, load_released_ddcolor, load_released_eccv16, load_released_siggraph17
from colorlib.objectives import OBJECTIVES, Objective, create_objective, describe_objective, objective_options, terms_of
from colorlib.objectives.base import OnColours
from colorlib.registry import look_up
from colorlib.statistics import mean_interval, paired_bootstrap
from colorlib.training import choose_device, colours_of, computes_in_bfloat16

RELEASED_SHORT_SIDE = 256  # what all three were trained at
BFLOAT16_PARAMETERS = 5_000_000  # below it the network is not what takes the time
MAX_DOWNLOAD = 2 << 30
CARD_METRICS = (
    "delta_e_76",
    "delta_e_2000",
    "psnr_rgb_db",
    "ssim_rgb_gauss11",
    "auc_raw",
    "ab_mae",
    "colorfulness_hs03",
)


@dataclass(frozen=True)
class Released:
    """A network as its authors released it.

    Attributes:
        load: reads the weight file.
        file: its name.
        digest: how its SHA-256 begins, where the authors say so (in the file's name).
    """

    load: Callable[[Path], nn.Module]
    file: str
    digest: str | None


RELEASED = {
    "eccv16": Released(load_released_eccv16, "colorization_release_v2-9b330a0b.pth", "9b330a0b"),
    "siggraph17": Released(load_released_siggraph17, "siggraph17-df00044c.pth", "df00044c"),
    "ddcolor": Released(load_released_ddcolor, "ddcolor_paper_tiny.pth", None),
}


@dataclass(frozen=True)
class Recipe:
    """All that is needed to rebuild a deployed model; a weight file's metadata hold it as JSON.

    Attributes:
        name: what people call it.
        about: one line for lists.
        short_side: pixels of a photograph's shorter side at which it colours: that of its training.
        model, model_options: for :func:`colorlib.models.create_model`; for a released network its key in ``RELEASED``.
        objective, objective_options: the one that says what the network's output means.
        classes: how many labels its network learned, mostly 0.
        temperature: that of its decoding where it has one: it can be changed; else None.
        takes_hints: whether colours can be given to it.
    """

    name: str
    about: str
    short_side: int
    model: str
    model_options: dict = field(default_factory=dict)
    objective: str | None = None
    objective_options: dict = field(default_factory=dict)
    classes: int = 0
    temperature: float | None = None
    takes_hints: bool = False


class DeployedModel:
    """A network with its recipe: L in, ab out, at the size it works at.

    Attributes:
        recipe: what it is.
        network, objective: in eval mode; a released network has no objective, it answers with ab.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, objective: Objective | None, device: str = "auto") -> None:
        self.recipe = recipe
        self.device = choose_device(device)
        self.network = network.eval().requires_grad_(False).to(self.device, memory_format=torch.channels_last)
        self.objective = objective.eval().to(self.device) if objective else None
        parameters = sum(parameter.numel() for parameter in network.parameters())
        self.bfloat16 = parameters >= BFLOAT16_PARAMETERS and computes_in_bfloat16(self.device)

    def check(self, temperature: float | None, hints: bool) -> None:
        """Say in one sentence why the model cannot do what is asked.

        Raises:
            ValueError: a temperature for a model without one, or not above zero; hints for a model without them.
        """
        if temperature is not None and self.recipe.temperature is None:
            raise ValueError(f"{self.recipe.name} has no temperature: it answers with one colour, not with odds.")
        if temperature is not None and not 0 < temperature < float("inf"):
            raise ValueError(f"the temperature must be above zero, not {temperature}.")
        if hints and not self.recipe.takes_hints:
            raise ValueError(f"{self.recipe.name} takes no hints; siggraph17 and vit do.")

    @torch.inference_mode()
    def __call__(self, L: Tensor, hints: Tensor | None = None, temperature: float | None = None) -> Tensor:
        """Colour photographs.

        Args:
            L: (N, 1, h, w) in [0, 100], the shorter side about ``recipe.short_side``.
            hints: (N, 3, h, w), see :mod:`colorlib.hints`.
            temperature: of the decoding; the model's own without one.

        Returns:
            ab (N, 2, h, w) in CIELAB units, float32, on the device of ``L``.

        Raises:
            ValueError: see :meth:`check`.
        """
        self.check(temperature, hints is not None)
        objective = self.objective
        if temperature is not None:
            objective = copy.copy(objective)  # others may be using the model at their own temperature
            objective.temperature = temperature
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            if objective is None:
                ab = self._answer(L, hints)
            elif hints is not None:
                ab = objective.decode(self._answer(L, hints).float(), L.shape[-2:])
            else:
                ab = colours_of(self.network, objective, self._placed(L))
        return ab.float().to(L.device)

    def _placed(self, L: Tensor) -> Tensor:
        return L.to(self.device, memory_format=torch.channels_last)

    def _answer(self, L: Tensor, hints: Tensor | None) -> Tensor:
        return self.network(self._placed(L)) if hints is None else self.network(self._placed(L), hints.to(self.device))

    @torch.inference_mode()
    def odds(self, L: Tensor, hints: Tensor | None = None) -> Tensor | None:
        """Return the odds that a model gives to each colour, before a temperature sharpens them.

        Args:
            L, hints: see :meth:`__call__`.

        Returns:
            (N, 313, h / s, w / s), sum 1 over the bins of :func:`colorlib.gamut.bin_centres`, float32, s being the
            ``out_stride`` of the objective; None where a model answers with one colour.
        """
        if self.recipe.temperature is None:
            return None
        self.check(None, hints is not None)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits = self._answer(L, hints)
        return logits.float().softmax(1).to(L.device)


def shipped_models() -> dict[str, Recipe]:
    """Return the models that come with the package: name -> recipe."""
    found = {}
    for path in sorted(WEIGHTS.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            if "recipe" in (file.metadata() or {}):  # the classifiers of `features` lie there too
                found[path.stem] = Recipe(**json.loads(file.metadata()["recipe"]))
    return found


def load_model(name: Path | str = "vivid", device: str = "auto") -> DeployedModel:
    """Load a model.

    Args:
        name: one of :func:`shipped_models`, a file of :func:`export_run`, a run folder, or the weights that authors
            released: ``eccv16=FILE`` or ``eccv16=URL``, siggraph17 and ddcolor likewise.
        device: "auto", "cpu", "cuda" or "cuda:1".

    Raises:
        ValueError: an unknown name (the message holds the nearest ones), or a damaged file.
        FileNotFoundError: no such file, or a run without weights.
        OSError: a download that failed.
    """
    text = str(name)
    released, equals, where = text.partition("=")
    if equals and released in RELEASED:
        return _load_released(released, where, device)
    path = Path(name)
    if path.is_dir():
        recipe, state = _read_run(path)
    elif path.suffix == ".safetensors":
        recipe, state = _read_file(path)
    elif text in RELEASED:
        raise ValueError(
            f"the weights of {text} do not ship with colorlib: write {text}=FILE or {text}=URL for "
            f"{RELEASED[text].file}, which its authors released."
        )
    else:
        look_up({**shipped_models(), **RELEASED}, text, "model")
        recipe, state = _read_file(WEIGHTS / f"{text}.safetensors")
    network, objective = _rebuild(recipe)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"the weights of {name} do not fit its network ({str(error).splitlines()[0]}).") from None
    return DeployedModel(recipe, network, objective, device)


def _load_released(key: str, where: str, device: str) -> DeployedModel:
    released = RELEASED[key]
    path = download(where, released.file, released.digest) if "://" in where else Path(where)
    network = released.load(path)
    hints = getattr(network, "takes_hints", False)
    recipe = Recipe(key, f"{key} as its authors released it", RELEASED_SHORT_SIDE, key, takes_hints=hints)
    return DeployedModel(recipe, network, None, device)


def _rebuild(recipe: Recipe) -> tuple[nn.Module, Objective]:
    prior = None
    if OBJECTIVES[recipe.objective].needs_prior:  # it weighs a loss; decoding does not ask for it
        prior = torch.full((len(bin_centres()),), 1 / len(bin_centres()))
    objective = create_objective(recipe.objective, prior, **recipe.objective_options)
    network = create_model(
        recipe.model, objective.out_channels, objective.out_stride, recipe.classes, **recipe.model_options
    )
    return network, objective


def _read_file(path: Path) -> tuple[Recipe, dict[str, Tensor]]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no model at {path}.")
    try:
        with safe_open(path, "pt") as file:
            recipe = Recipe(**json.loads(file.metadata()["recipe"]))
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, no mapping
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise ValueError(f"{path} is no model that colorlib exported, or it is damaged ({why}).") from None
    return recipe, {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}


def _read_run(folder: Path) -> tuple[Recipe, dict[str, Tensor]]:
    """Read a finished run; the size of its photographs is that of the coloured samples it kept."""
    run = Run(folder)
    config = run.config
    if config["kind"] != "network":
        raise ValueError(f"{folder} holds no trained network but {config['label']}.")
    path = folder / "weights.safetensors"
    if not path.exists() or not run.finished:
        raise FileNotFoundError(f"{folder} is not finished: train it and judge it first.")
    pictures = run.pictures("test")
    if not pictures:
        raise FileNotFoundError(f"{folder} kept no coloured samples, which say how large its photographs are.")
    state = load_file(path)
    short_side = min(next(iter(pictures.values()))[0].shape)
    meaning, options = _meaning(config["objective"], config["objective_options"])
    head = max((key for key in state if key.startswith("classifier.")), default=None)  # the last layer's
    recipe = Recipe(
        name=config["name"],
        about=config["label"],
        short_side=short_side,
        model=config["model"],
        model_options=config["model_options"],
        objective=meaning,
        objective_options=options,
        classes=len(state[head]) if head else 0,
    )
    network, objective = _rebuild(recipe)
    hints = getattr(network, "takes_hints", False)
    temperature = getattr(objective, "temperature", None)
    return dataclasses.replace(recipe, temperature=temperature, takes_hints=hints), state


def _meaning(objective: str | dict[str, float], options: dict) -> tuple[str, dict]:
    """Return the one objective, and its options, that decodes a network's output; critics and the like fall away."""
    for name in terms_of(objective):
        if not issubclass(OBJECTIVES[name], OnColours):
            return name, {key: value for key, value in options.items() if key in objective_options(name)}
    return "l1", {"out_stride": 1}  # all terms look at the colours alone: the output is ab / 110


def export_run(
    run_folder: Path | str,
    name: str,
    out: Path | str = WEIGHTS,
    about: str = "",
    licence: str = "",
    notes: str = "",
    beside: Iterable[Path | str] = (),
) -> Path:
    """Make a deployed model of a finished run: ``NAME.safetensors`` in half precision, and its card ``NAME.md``.

    Args:
        run_folder: of :func:`colorlib.evaluation.train_and_judge`, judged on photographs it never saw.
        name: letters, digits, ``-`` and ``_``.
        out: the folder.
        about: one line for lists; by default network and objective.
        licence: of the photographs it learned from, for the card.
        notes: Markdown that ends the card: what it does badly, what published figures look like.
        beside: run folders of others, such as "grey", judged on the same photographs; the card has the differences.

    Returns:
        The path of the weight file.

    Raises:
        ValueError: a name that is no file name, a run of something else than a network, or one beside it that was
            judged on other photographs.
        FileNotFoundError: the run is not finished.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"a model's name is made of letters, digits, - and _, not {name!r}.")
    recipe, state = _read_run(Path(run_folder))
    recipe = dataclasses.replace(recipe, name=name, about=about or recipe.about)
    path = Path(out) / f"{name}.safetensors"
    with atomic_path(path) as temporary:
        metadata = {"recipe": json.dumps(dataclasses.asdict(recipe))}
        save_file({key: _halved(tensor) for key, tensor in state.items()}, temporary, metadata)
    with atomic_path(path.with_suffix(".md")) as temporary:
        others = [Run(Path(folder)) for folder in beside]
        temporary.write_text(_card(recipe, Run(Path(run_folder)), path, licence, notes, others), encoding="utf-8")
    return path


def _halved(tensor: Tensor) -> Tensor:
    """Return the kernels in half precision; biases and statistics are few and stay as they are."""
    if not tensor.is_floating_point() or tensor.ndim < 2 or not tensor.abs().max() < 6e4:
        return tensor.contiguous()
    return tensor.half().contiguous()


def _card(recipe: Recipe, run: Run, path: Path, licence: str, notes: str, others: list[Run]) -> str:
    config, scores = run.config, run.per_image
    lines = [f"# {recipe.name}", "", recipe.about, ""]
    parameters = run.cost.get("parameters", 0)
    lines += [f"- **Network**: `{recipe.model}` {_written(recipe.model_options)}, {parameters:,} parameters, "]
    lines[-1] += f"{path.stat().st_size / 1e6:.1f} MB in half precision; colours at a short side of {recipe.short_side}"
    lines[-1] += " pixels, and its colours are brought up along the edges of the photograph's own lightness."
    objective = describe_objective(config["objective"])
    lines += [f"- **Objective**: `{objective}` {_written(config['objective_options'])}."]
    lines += [f"- **Data**: `{config['data']}` ({config['data_fingerprint']}). {licence}".rstrip()]
    lines += [f"- **Training**: {run.cost.get('images_seen', 0):,} photographs seen, repeats included, batches of "]
    lines[-1] += f"{config['batch_size']}, seed {config['seed']}, {run.cost.get('train_seconds', 0):,.0f} s on "
    lines[-1] += f"{run.cost.get('device')} with {run.cost.get('threads')} threads."
    lines += ["- **Settings**, for `colorlib.evaluation.train_and_judge`:", "", "```python"]
    lines += [_settings(config), "```", ""]
    lines += [
        f"Scores on {len(scores):,} photographs of the test split, which it never saw, with 95 % intervals over",
        "",
    ]
    lines[-2] += " photographs" + (
        "; beside them what it is above (+) or below (−) others on the same ones:" if others else ":"
    )
    lines += [" | ".join(["| metric", recipe.name, *(f"against {other.label}" for other in others)]) + " |"]
    lines += ["| --- |" + " --- |" * (1 + len(others))]
    for other in others:
        if list(other.per_image["id"]) != list(scores["id"]):
            raise ValueError(f"{other.folder} was judged on other photographs than {run.folder}.")
    for metric in CARD_METRICS:
        best = {True: " ↑", False: " ↓", None: ""}[METRICS[metric].higher_is_better]
        cells = [metric + best, "{:.2f} ({:.2f} to {:.2f})".format(*mean_interval(scores[metric].to_numpy()))]
        gaps = (paired_bootstrap(scores[metric], other.per_image[metric]) for other in others)
        cells += [f"{gap.mean:+.2f} ({gap.low:+.2f} to {gap.high:+.2f})" for gap in gaps]
        lines.append(f"| {' | '.join(cells)} |".replace("-", "−"))
    true = float((scores["colorfulness_hs03"] - scores["colorfulness_hs03_error"]).mean())
    lines += ["", f"The photographs' own mean colourfulness (hs03) is {true:.2f}."]
    return "\n".join(lines) + (f"\n\n{notes.strip()}\n" if notes else "\n")


def _written(options: dict[str, Any]) -> str:
    return f"({', '.join(f'{key} {value}' for key, value in options.items())})" if options else "(as it comes)"


def _settings(config: dict) -> str:
    names = ("model", "objective", "model_options", "objective_options", "seed", "images_seen", "seconds", "batch_size")
    names += ("learning_rate", "weight_decay", "precision", *(["degrade"] if "degrade" in config else []))
    return f"ExperimentConfig({', '.join(f'{name}={config[name]!r}' for name in names)})"


def download(url: str, file: str, digest: str | None = None, folder: Path | str | None = None) -> Path:
    """Fetch a weight file once, and keep it only if it is the right one.

    Args:
        url: http or https; ``#sha256=HEX`` at its end says what its SHA-256 must begin with.
        file: what to call it.
        digest: what its SHA-256 must begin with, where that is known already.
        folder: where it is kept; by default ``colorlib`` below ``$XDG_CACHE_HOME`` or ``~/.cache``.

    Returns:
        Its path; one that is there already is checked and not fetched again.

    Raises:
        ValueError: no checksum is known, or the file has another.
        OSError: no network, no such file on the server, no room; what to do instead is said.
    """
    address, _, fragment = url.partition("#")
    digest = fragment.removeprefix("sha256=").lower() or digest
    if urllib.parse.urlparse(address).scheme not in ("http", "https"):
        raise ValueError(f"{address} is no web address; name a file instead.")
    if not digest or len(digest) < 8 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"no checksum is known for {file}: write its SHA-256 behind the address, …#sha256=HEX.")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorlib"
    path = Path(folder or cache) / file
    if path.is_file() and sha256(path).startswith(digest):
        return path
    with atomic_path(path) as temporary:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer, open(temporary, "wb") as kept:
                fetched = 0
                while block := answer.read(1 << 20):
                    fetched += len(block)
                    if fetched > MAX_DOWNLOAD:
                        raise ValueError(f"{address} is larger than {MAX_DOWNLOAD / 1e9:.0f} GB, so no weight file.")
                    kept.write(block)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise OSError(
                f"{address} cannot be fetched ({getattr(error, 'reason', error)}); get {file} in another way and name "
                "the file: NAME=FILE."
            ) from None
        found = sha256(temporary)
        if not found.startswith(digest):
            raise ValueError(f"{address} is not {file}: its SHA-256 is {found[:16]}…, not {digest}…; nothing was kept.")
    return path
