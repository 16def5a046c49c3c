"""Try every network of studies/published.yml, in its published size, for some steps; writes reports/published_trial.md.

It shows that the configurations build, train and fit into memory, and what a step costs; it trains nothing of use. Each
runs in a process of its own, so that memory is its own:  python tests/trial.py
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from colorlib.data import open_dataset
from colorlib.machine import count_macs
from colorlib.runs.colorizer import build
from colorlib.runs.run import ExperimentConfig
from colorlib.runs.training import train
from colorlib.studies.file import load_study

ROOT = Path(__file__).parents[1]
STEPS, BATCH_SIZE, SIDE = 6, 2, 64


def rows():
    """Return (model, parameters) of each network of the study, once for all seeds."""
    found = {}
    for row in load_study(ROOT / "notebooks" / "studies" / "published.yml").rows:
        model = row.notebook.stem.partition("_")[2]
        if model != "baselines":
            found.setdefault(model, row.parameters)
    return list(found.items())


def trial(number):
    """Train one network for some steps and return what it took."""
    model, given = rows()[number]
    options = given.get("OBJECTIVE_OPTIONS", {})
    data = open_dataset("scenes", count=200, size=SIDE, seed=0)
    budget = {"images_seen": STEPS * BATCH_SIZE, "batch_size": BATCH_SIZE, "validations": 2, "validation_images": 2}
    config = ExperimentConfig(model, given["OBJECTIVE"], given["MODEL_OPTIONS"], options, **budget)
    with tempfile.TemporaryDirectory() as folder:
        train(config, data, Path(folder) / "run")
        history = (Path(folder) / "run" / "history.csv").read_text().splitlines()
    network, _ = build(config, data)
    result = {"label": config.label, "parameters": sum(p.numel() for p in network.parameters())}
    result |= {"macs": count_macs(network.eval(), data.size)}
    result["seconds"] = float(history[-1].split(",")[history[0].split(",").index("seconds")]) / STEPS
    return result | {"memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def main():
    if len(sys.argv) > 1:
        print(json.dumps(trial(int(sys.argv[1]))))
        return
    lines = ["# The published sizes, tried", ""]
    lines += [f"{STEPS} steps of {BATCH_SIZE} scenes of {SIDE}×{SIDE} pixels. Written by `python tests/trial.py`.", ""]
    lines += ["| network · objective | parameters | MACs a picture | s a step | peak memory, MB |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for number in tqdm(range(len(rows())), desc="published sizes"):
        command = [sys.executable, __file__, str(number)]
        done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        cells = (done["label"], f"{done['parameters']:,}", f"{done['macs'] / 1e6:,.0f} M")
        lines.append(f"| {' | '.join(cells)} | {done['seconds']:.2f} | {done['memory_mb']:,.0f} |")
    (ROOT / "reports" / "published_trial.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
