"""Runs: a network trained, or any colorizer judged, in a folder that holds its settings, scores and pictures."""

from typing import TYPE_CHECKING

from colorlib.imports import on_demand

if TYPE_CHECKING:
    from colorlib.runs.baselines import BASELINES, ORACLES, lightness_lookup, oracles_for
    from colorlib.runs.colorizer import Colorizer, NetworkColorizer, read_colorizer
    from colorlib.runs.curves import hints_curve, several_curve, temperature_curve
    from colorlib.runs.evaluation import compare_objectives, evaluate, judge, judge_oracle, train_and_judge
    from colorlib.runs.exchange import export_pictures, judge_pictures, read_pictures
    from colorlib.runs.launch import train_on_processes
    from colorlib.runs.run import ExperimentConfig, Run, list_runs, notebook_folder
    from colorlib.runs.samples import color_at
    from colorlib.runs.samples import color_at as colour_at  # its name in 0.1.0
    from colorlib.runs.slips import SLIPS, judge_with_slips
    from colorlib.runs.sweep import choose_learning_rate
    from colorlib.runs.training import train
else:
    __getattr__, __dir__ = on_demand(__name__)

__all__ = [
    "BASELINES",
    "ORACLES",
    "SLIPS",
    "Colorizer",
    "ExperimentConfig",
    "NetworkColorizer",
    "Run",
    "choose_learning_rate",
    "color_at",
    "colour_at",
    "compare_objectives",
    "evaluate",
    "export_pictures",
    "hints_curve",
    "judge",
    "judge_oracle",
    "judge_pictures",
    "judge_with_slips",
    "lightness_lookup",
    "list_runs",
    "notebook_folder",
    "oracles_for",
    "read_colorizer",
    "read_pictures",
    "several_curve",
    "temperature_curve",
    "train",
    "train_and_judge",
    "train_on_processes",
]
