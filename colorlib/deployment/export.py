"""A finished run as a weight file in half precision with its model card."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

from colorlib.deployment.loading import WEIGHTS, read_run
from colorlib.deployment.recipe import Recipe
from colorlib.files import atomic_path, check_name
from colorlib.metrics import METRICS
from colorlib.models import write_weights
from colorlib.objectives import describe_objective
from colorlib.runs.run import ExperimentConfig, Run
from colorlib.statistics import mean_interval, paired_difference

CARD_METRICS = (
    "delta_e_76",
    "delta_e_2000",
    "psnr_rgb_db",
    "ssim_rgb_gauss11",
    "auc_raw",
    "ab_mae",
    "colorfulness_hs03",
)


def export_run(
    run_folder: Path | str,
    name: str,
    out: Path | str = WEIGHTS,
    about: str = "",
    licence: str = "",
    notes: str = "",
    beside: Iterable[Path | str] = (),
    short_side: int | None = None,
) -> Path:
    """Make a deployed model of a finished run: ``NAME.safetensors`` in half precision, and its card ``NAME.md``.

    The card puts the weights under the code's own licence; where yours are to have another, say so in it.

    Args:
        run_folder: of :func:`colorlib.runs.evaluation.train_and_judge`, judged on photographs it never saw.
        name: see :func:`~colorlib.files.check_name`.
        out: the folder.
        about: one line for lists; by default network and objective.
        licence: of the photographs it learned from, for the card.
        notes: Markdown that ends the card: what it does badly, what published figures look like.
        beside: run folders of others, such as "grey", judged on the same photographs; the card has the differences.
        short_side: pixels of a photograph's shorter side at which it is to colour; by default what it was judged at.

    Returns:
        The path of the weight file.

    Raises:
        ValueError: a name that is no file name, a run of something else than a network, or one beside it that was
            judged on other photographs.
        FileNotFoundError: the run is not finished.
    """
    check_name(name, "model")
    recipe, state = read_run(Path(run_folder))
    short_side = short_side or recipe.short_side
    recipe = dataclasses.replace(recipe, name=name, about=about or recipe.about, short_side=short_side)
    path = Path(out) / f"{name}.safetensors"
    about_file = {"recipe": json.dumps(dataclasses.asdict(recipe))}
    write_weights(path, {key: _halved(tensor) for key, tensor in state.items()}, about_file)
    with atomic_path(path.with_suffix(".md")) as temporary:
        others = [Run(Path(folder)) for folder in beside]
        temporary.write_text(_card(recipe, Run(Path(run_folder)), path, licence, notes, others), encoding="utf-8")
    return path


def _halved(tensor: Tensor) -> Tensor:
    """Return the kernels in half precision; biases and statistics are few and stay as they are."""
    if not tensor.is_floating_point() or tensor.ndim < 2 or not tensor.abs().max() < 6e4:
        return tensor
    return tensor.half()


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
    lines += ["- **Licence** of these weights: Apache-2.0, as the code. The photographs they were trained on came with"]
    lines[-1] += " licences of their own" + (" (see **Data**)." if licence else ", which are not known to us.")
    lines += [f"- **Training**: {run.cost.get('images_seen', 0):,} photographs seen, repeats included, batches of "]
    lines[-1] += f"{config['batch_size']}, seed {config['seed']}, {run.cost.get('train_seconds', 0):,.0f} s on "
    lines[-1] += f"{run.cost.get('device')} with {run.cost.get('threads')} threads."
    lines += ["- **Settings**, for `colorlib.runs.train_and_judge`:", "", "```python"]
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
        named = f"{metric} {METRICS[metric].arrow}".rstrip()
        cells = [named, "{:.2f} ({:.2f} to {:.2f})".format(*mean_interval(scores[metric].to_numpy()))]
        gaps = (paired_difference(scores[metric], other.per_image[metric]) for other in others)
        cells += [f"{gap.mean:+.2f} ({gap.low:+.2f} to {gap.high:+.2f})" for gap in gaps]
        lines.append(f"| {' | '.join(cells)} |".replace("-", "−"))
    true = float((scores["colorfulness_hs03"] - scores["colorfulness_hs03_error"]).mean())
    lines += ["", f"The photographs' own mean colourfulness (hs03) is {true:.2f}."]
    return "\n".join(lines) + (f"\n\n{notes.strip()}\n" if notes else "\n")


def _written(options: dict[str, Any]) -> str:
    return f"({', '.join(f'{key} {value}' for key, value in options.items())})" if options else "(as it comes)"


def _settings(config: dict) -> str:
    names = [setting.name for setting in dataclasses.fields(ExperimentConfig) if setting.name in config]
    return f"ExperimentConfig({', '.join(f'{name}={config[name]!r}' for name in names)})"
