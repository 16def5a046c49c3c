"""Studies as training and judging leave them, without either: what the tests of reports are made from."""

import json
import re

import numpy as np
import pandas as pd
import torch

from colorlib.color.lab import encode_lab8
from colorlib.files import write_json
from colorlib.metrics import METRICS
from colorlib.plots import LAWS
from colorlib.runs.run import begin, write_pictures, write_table

IMAGES = 40


def write_run(folder, label, kind, error, vivid, objective=None, seed=0, model=None, laws=None, ids=None, cost=None):
    """A run as training and evaluation leave it: every photograph is as hard for all rows, plus noise of this one."""
    rng = np.random.default_rng(int.from_bytes(f"{label}{seed}".encode(), "big") % 2**32)
    hard = np.random.default_rng(7).normal(0, 2, IMAGES)
    delta_e = np.maximum(0.1, error + hard + rng.normal(0, 0.6, IMAGES))
    true = 40 + 4 * hard
    table = {"id": ids or [f"photo-{i:03}" for i in range(IMAGES)]}
    table |= {name: np.abs(rng.normal(delta_e / 20, 0.02)) for name in METRICS}
    table |= {"delta_e_2000": delta_e, "delta_e_76": 1.4 * delta_e, "mse_rgb": 1e-4 * delta_e**1.5}
    table |= {"psnr_rgb_db": 33 - delta_e, "psnr_ab_db": 34 - delta_e, "ssim_rgb_gauss11": 0.99 - delta_e / 300}
    table |= {"auc_raw": 98 - delta_e / 2, "auc_rebalanced": 70 + 20 * vivid - delta_e / 2}
    for name, scale in (("colorfulness_hs03", 1.0), ("colorfulness_abs", 0.9), ("mean_chroma", 0.5)):
        table |= {name: scale * vivid * true, f"{name}_error": scale * (vivid - 1) * true}
    for law, kept in zip(LAWS, laws or (), strict=False):
        table |= {f"share_{law}": np.full(IMAGES, 0.3), f"delta_e_76_{law}": delta_e * (1 + kept) / 2}
        table |= {f"mean_chroma_{law}": kept * true, f"mean_chroma_true_{law}": true}
    identity = {"name": folder.name, "label": label, "kind": kind, "model": model or label.split(" · ")[0]}
    identity |= {"objective": objective, "seed": seed, "data": "scenes", "data_fingerprint": "0011223344556677"}
    if kind == "network":
        identity |= {"images_seen": 10_000, "learning_rate": 1e-3}
        seen = np.arange(1, 11) * 1000
        write_table(
            folder / "history.csv",
            pd.DataFrame(
                {"images_seen": seen, "val_delta_e_76": 1.4 * error + 9 * np.exp(-seen / (2000 + 300 * seed))}
            ),
        )
    begin(folder, identity)
    write_table(folder / "per_image.csv", pd.DataFrame(table))
    write_json(
        folder / "cost.json",
        {"ms_per_image": 0.05, "threads": 1, "device": "cpu", "train_seconds": None} | (cost or {}),
    )
    if kind != "oracle":
        for name, size, count in (("bundled", (48, 64), 5), ("test", (32, 32), 6)):
            pictures = {f"{name}-{i}": _picture(i, size, vivid, 3.0 * error) for i in range(count)}
            write_pictures(folder, name, pictures)
    return folder


def _picture(number, size, vivid, noise):
    y, x = np.mgrid[0 : size[0], 0 : size[1]] / max(size)
    L = 55 + 30 * np.sin(5 * x + number) * np.cos(4 * y)
    ab = np.stack([45 * np.sin(3 * x + 2 * number), 45 * np.cos(2 * y + number)])
    wrong = vivid * ab + noise * np.sin(9 * x * (1 + number / 3))
    L8, ab8 = encode_lab8(torch.from_numpy(np.concatenate([L[None], wrong])).float()[None])
    _, ab8_true = encode_lab8(torch.from_numpy(np.concatenate([L[None], ab])).float()[None])
    return L8[0].numpy(), ab8[0].numpy(), ab8_true[0].numpy()


def network(seconds, parameters):
    return {"train_seconds": seconds, "ms_per_image": parameters / 2e5, "parameters": parameters} | {
        "macs_per_image": 80 * parameters, "images_seen": 10_000, "training_macs": 800_000 * parameters,
        "peak_memory_mb": 420.0,
    }  # fmt: skip


def write_study(folder, **changes):
    """Four networks, unet · l1 with two seeds or all with ``seeds``; three trivial rows, four oracles, a failed row."""
    seeds = changes.pop("seeds", None)
    rows = {
        "grey": ("baseline", 13.0, 0.0, None, (0.0, 0.0, 0.0)),
        "mean_ab": ("baseline", 12.6, 0.15, None, (0.2, 0.2, 0.2)),
        "random_photo": ("baseline", 16.0, 0.9, None, (0.9, 0.9, 0.9)),
        "bayes_l2": ("oracle", 7.5, 0.6, None, (1.0, 0.6, 0.08)),
        "bayes_l1": ("oracle", 7.3, 0.62, None, (1.0, 0.7, 0.1)),
        "bayes_ce": ("oracle", 8.2, 0.95, None, (1.0, 0.9, 0.6)),
        "bayes_rebalanced_ce": ("oracle", 8.9, 0.99, None, (1.0, 0.95, 0.9)),
        "unet · l2": ("network", 9.4, 0.5, "l2", (0.8, 0.5, 0.12)),
        "unet · l1": ("network", 9.0, 0.55, "l1", (0.85, 0.55, 0.15)),
        "unet · rebalanced_ce": ("network", 10.2, 0.97, "rebalanced_ce", (0.9, 0.85, 0.7)),
        "plain_cnn · l1": ("network", 12.7, 0.2, "l1", (0.4, 0.3, 0.1)),
    } | changes.pop("rows", {})
    study = {
        "format": 1, "name": "tiny", "title": "A tiny study", "question": "Which loss colours best?",
        "data": {"name": "scenes", "splits": {"train": 400, "val": 60, "test": 60}, "flags": {"near_grey": 3}},
        "pictures": ["bundled", "test"], "margin": {"delta_e_2000": 0.5}, "versions": {"python": "3.12.1"},
        "machine": {"cores": 2}, "started": 1_700_000_000.0, "wall_seconds": 61.0, "rows": [],
    } | changes  # fmt: skip
    for label, (kind, error, vivid, objective, laws) in rows.items():
        for seed in range(seeds or 1 + (label == "unet · l1") if kind == "network" else 1):
            name = re.sub(r"\W+", "-", label) + f"-s{seed}"
            cost = network(30 + 2 * error, 700_000 if "unet" in label else 3_000) if kind == "network" else None
            if cost:
                cost["images_seen"] += 5 * seed  # the mean of two is no whole number
            write_run(folder / name, label, kind, error, vivid, objective, seed, None, laws, cost=cost)
            study["rows"].append(
                {"id": name, "folder": f"runs/tiny/{name}", "notebook": "n.ipynb", "parameters": {"SEED": seed}}
                | {
                    "status": "done",
                    "error": None,
                    "command": f"colorlib row {name}",
                    "seconds": 31.0,
                    "log": "n.ipynb",
                }
            )
    study["rows"].append(
        {"id": "eccv16-l1-s0", "folder": "runs/tiny/eccv16-l1-s0", "notebook": "n.ipynb", "parameters": {}}
        | {"status": "failed", "error": "ValueError: the loss is NaN at step 12 <b>", "command": "x", "seconds": 2.0}
    )
    write_json(folder / "study.json", study)
    return folder


def change(run, **settings):
    """Change settings in a run's config.json."""
    path = run / "config.json"
    write_json(path, json.loads(path.read_text()) | settings)


def write_special(folder):
    """The tiny study, with a collapse, distances between sets, curves, and two rows with a budget of computing."""
    rows = {
        f"{name} · l1 (counted)": ("network", error, 0.5, "l1", None) for name, error in (("unet", 9.5), ("vit", 9.2))
    }
    write_study(folder, rows=rows)
    for name in ("unet", "vit"):
        run = folder / f"{name}-l1-counted--s0"
        change(run, label=f"{name} · l1", model=name, macs=3e11, images_seen=7_000, model_options={})
    write_json(folder / "unet-l2-s0" / "collapse.json", {"why": "the critic is always right", "images_seen": 4_000})
    sets = {"n": 40, "n_lite2": 40, "subset": 20, "subsets": 100, "frechet_lite2": None, "frechet_lite2_needs": 704}
    for number, run in enumerate(sorted(folder.glob("*-s*"))):
        kernel = {"kernel_lite2": 0.01 * number, "kernel_lite2_sd": 0.002}
        write_json(run / "sets.json", sets | kernel | {"fid": None, "kid": None})
    curve = {"images": 40, "delta_e_76": 9.0, "psnr_rgb_db": 23.0}
    temperatures = [
        curve | {"temperature": t, "delta_e_2000": 10 - t, "colorfulness_hs03": 40 - 20 * t} for t in (0.1, 1)
    ]
    write_table(folder / "unet-rebalanced_ce-s0" / "temperature.csv", pd.DataFrame(temperatures))
    told = [
        curve | {"hints": n, "psnr_rgb_db": 23 + n, "psnr_rgb_db_low": 22 + n, "psnr_rgb_db_high": 24 + n}
        for n in (0, 5)
    ]
    write_table(folder / "vit-l1-counted--s0" / "hints.csv", pd.DataFrame(told))
    sweep = {"learning_rate": [1e-3, 4e-3], "images_seen": 2_000, "val_loss": [3.0, 2.0], "chosen": [0, 1]}
    for seed in (0, 1):
        write_table(folder / f"unet-l1-s{seed}" / "sweep.csv", pd.DataFrame(sweep))
    several = {"images": 40, "mean_of_k_chroma": 9.0}
    tries = [
        several | {"k": k, "diversity": 8.0, "mean_of_k_delta_e_76": 12.0, "best_of_k_delta_e_76": 12 - k}
        for k in (1, 4)
    ]
    write_table(folder / "unet-l1-s0" / "several.csv", pd.DataFrame(tries))
    return folder
