"""``colorlib list``: what can be named in a study, and the colorizers that ship."""

import argparse
import textwrap
from collections.abc import Mapping
from typing import Any

from colorlib.cli.command import Commands, add_command
from colorlib.registry import look_up

KINDS = ("data", "models", "objectives", "metrics", "baselines", "colorizers")
COLUMNS = 100


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "list",
        "List what can be named in a study, and the colorizers that ship.",
        "  colorlib list\n  colorlib list metrics",
    )
    parser.add_argument("kind", nargs="?", metavar="KIND", help=f"only these: {', '.join(KINDS)}")


def run(options: argparse.Namespace) -> int:
    if options.kind:
        look_up(dict.fromkeys(KINDS), options.kind, "kind")
    for kind in [options.kind] if options.kind else KINDS:
        print(f"{kind}:")
        entries = _descriptions(kind)
        width = max(map(len, entries), default=0)
        for name, about in entries.items():
            print(
                textwrap.fill(about, COLUMNS, initial_indent=f"  {name:{width}}  ", subsequent_indent=" " * (width + 4))
            )
    return 0


def _descriptions(kind: str) -> dict[str, str]:
    if kind == "data":
        from colorlib.data import DATASETS

        return {name: f"{dataset.about} Licence: {dataset.licence}" for name, dataset in DATASETS.items()}
    if kind == "metrics":
        from colorlib.metrics import METRICS

        better = {True: "higher is better", False: "lower is better", None: "neither is better"}
        return {
            name: f"{metric.about} [{metric.unit or 'no unit'}, {better[metric.higher_is_better]}]"
            for name, metric in METRICS.items()
        }
    if kind == "models":
        from colorlib.models import MODELS

        return _first_lines(MODELS)
    if kind == "colorizers":
        from colorlib.deployment.loading import shipped_models

        return {name: recipe.about for name, recipe in shipped_models().items()}
    if kind == "objectives":
        from colorlib.objectives import OBJECTIVES, SUMS, describe_objective

        return _first_lines(OBJECTIVES) | {name: describe_objective(terms) for name, terms in SUMS.items()}
    from colorlib.runs.baselines import BASELINES, ORACLES

    return _first_lines({**BASELINES, **ORACLES})


def _first_lines(registry: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: getattr(value, "about", None) or (value.__doc__ or "").strip().partition("\n")[0]
        for name, value in registry.items()
    }
