"""`make bench`: each part of the study beside the obvious alternative, in one run; writes reports/benchmarks.md.

Ratios are what to read; seconds depend on the machine. They are seconds of a processor, of which one thread computes,
and the two that are compared take turns: so other programs on the machine disturb little. Nothing here is a test.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import million
import numpy as np
import pandas as pd
import torch
import torchmetrics.functional as tm
from PIL import Image
from skimage import color as skimage_color
from skimage import metrics as skimage_metrics
from skimage.color import deltaE_ciede2000
from torch.profiler import ProfilerActivity, profile
from tqdm import tqdm

from colorlib import load_colorizer
from colorlib.color import lab as color
from colorlib.data import open_dataset
from colorlib.data.photos import prepare_photographs
from colorlib.data.store import open_store
from colorlib.machine import computes_in_bfloat16
from colorlib.metrics import METRICS, Pair, score
from colorlib.models import ReleasedECCV16, create_model
from colorlib.runs import ExperimentConfig, train

ROOT = Path(__file__).parents[1]
COUNTS = (1_000, 10_000, 100_000, 1_000_000)  # of photographs in a store, up to PHOTOGRAPHS


def used():
    """Return the processor's seconds that this process and its children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def seconds(*calls, repeats=5):
    """Return the median processor time of each call; they take turns, and the first turn is not counted."""
    times = []
    for _ in range(repeats + 1):
        times.append([])
        for call in calls:
            started = used()
            call()
            times[-1].append(used() - started)
    return np.median(times[1:], axis=0).tolist()


def beside(what, here, ours, alternative, theirs, repeats=5):
    """Measure two calls and return their row of the table."""
    mine, other = seconds(ours, theirs, repeats=repeats)
    return what, here, mine, alternative, other


def command(*arguments):
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)


def listing(folder):
    registries = "import colorlib.data, colorlib.metrics, colorlib.models, colorlib.objectives, colorlib.runs.baselines"
    names = "`colorlib list`", "read from the source"
    return beside(*names, command("-m", "colorlib", "list"), "importing the registries", command("-c", registries), 3)


def starting(folder):
    """With the process that reads the photograph, which makes itself ready while the other one imports torch."""
    pixels = np.random.default_rng(0).integers(0, 256, (10, 12), dtype=np.uint8)
    Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC).save(folder / "small.jpg")
    ours = command("-m", "colorlib", "colorize", str(folder / "small.jpg"), "--out", str(folder / "coloured"))
    names = "`colorlib colorize` of one photograph of 640 × 480", "all of it"
    return beside(*names, ours, "importing torch alone", command("-c", "import torch"), 3)


def lab_conversion(folder):
    rgb = torch.rand(64, 3, 224, 224)
    images = [image.permute(1, 2, 0).numpy() for image in rgb]
    names = "sRGB → Lab, 64 photographs of 224²", "one batch"
    return beside(
        *names,
        lambda: color.rgb_to_lab(rgb),
        "scikit-image, one by one",
        lambda: [skimage_color.rgb2lab(image) for image in images],
    )


def photographs(files, count):
    """Write stand-ins of 500 × 375 and return their paths."""
    files.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((500, 375), Image.Resampling.BICUBIC).save(files / f"{number}.jpg", quality=90)
    return [files / f"{number}.jpg" for number in range(count)]


def decoded(path):
    with Image.open(path) as image:
        small = image.convert("RGB").resize((299, 224)).crop((37, 0, 261, 224))
    return torch.from_numpy(skimage_color.rgb2lab(np.asarray(small)).astype(np.float32))


def preparing(folder):
    """From the command's start to its end; how busy the cores are says little where other work shares them."""
    paths, store = photographs(folder / "many", 2_000), folder / "many-store"
    prepare, began, before = (
        command("-m", "colorlib", "prepare", str(folder / "many"), "--out", str(store)),
        time.perf_counter(),
        used(),
    )
    prepare()
    wall, ours, started = time.perf_counter() - began, used() - before, used()
    for path in paths:
        decoded(path)
    busy = f"{ours / wall / os.cpu_count():.0%} of {os.cpu_count()} cores busy, {len(paths) / wall:.0f} a second"
    return "`colorlib prepare` of 2,000 JPEGs", busy, ours, "decode and convert each", used() - started


def reading(folder):
    paths = photographs(folder / "photographs", 256)
    prepare_photographs(folder / "photographs", folder / "store", size=224)
    data = open_store(folder / "store")
    order = np.random.default_rng(1).permutation(256)

    def decode():
        for start in range(0, 256, 16):
            batch = [decoded(paths[number]) for number in order[start : start + 16]]
            torch.stack(batch).permute(0, 3, 1, 2)

    def gather():
        for start in range(0, 256, 16):
            data.batch(order[start : start + 16])

    return beside("256 photographs into training", "from the store", gather, "decode and convert each", decode, 2)


def stepper(model, options=None, memory_format=torch.channels_last, bfloat16=False):
    """Return a training step of 16 photographs of 64 pixels."""
    batch = torch.rand(16, 1, 64, 64) * 100
    network = create_model(model, 2, **(options or {})).to(memory_format=memory_format)
    optimizer = torch.optim.AdamW(network.parameters())

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            output = network(batch.contiguous(memory_format=memory_format))
        optimizer.zero_grad(set_to_none=True)
        output.float().square().mean().backward()
        optimizer.step()

    return step


def training_step(folder):
    ours, plain = stepper("unet"), stepper("unet", memory_format=torch.contiguous_format)
    return beside("training step, unet, 16 × 64²", "channels_last", ours, "contiguous", plain)


def convolutions(folder, model, width, precision):
    """Training as ``train`` does it, profiled: how much of its time goes into convolutions, there and back."""
    data, steps = open_dataset("scenes", count=200, size=64, seed=1), 16
    budget = {"images_seen": 16 * steps, "validations": 1, "validation_images": 16}
    config = ExperimentConfig(model, "l2", {"width": width}, precision=precision, **budget)
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        train(config, data, folder / f"{model}-{precision}")
    convolved = sum(event.self_cpu_time_total for event in profiled.key_averages() if "conv" in event.key) / 1e6
    taken = float(pd.read_csv(folder / f"{model}-{precision}" / "history.csv")["seconds"].iloc[-1])
    what = f"training step, {model} of width {width}, 16 × 64², {precision}"
    return what, "all of it", taken / steps, "its convolutions", convolved / steps


def encoder_step(folder, model):
    """The design on a tuned EfficientNet-Lite0, which sees 128 pixels, beside the same one on its own encoder."""
    pretrained = {"encoder": "lite0", "pretraining": "tuned"}
    own = {"encoder": "none", "pretraining": "none"}
    names = f"training step, {model}, 16 × 64²", "EfficientNet-Lite0 tuned, at 128²"
    return beside(*names, stepper(model, pretrained), "an encoder of its own, fresh", stepper(model, own), 1)


def scoring(folder, which):
    generator = torch.Generator().manual_seed(0)
    L = torch.rand(256, 1, 64, 64, generator=generator) * 100
    ab, ab_true = (torch.randn(256, 2, 64, 64, generator=generator) * 20 for _ in range(2))

    def ours(measure):
        with torch.no_grad():
            for start in range(0, 256, 32):
                here = slice(start, start + 32)
                measure(Pair(L[here], ab[here], ab_true[here], look=False))

    def theirs():
        for n in range(256):
            lab, lab_true = (torch.cat([L[n], x[n]]).permute(1, 2, 0).numpy() for x in (ab, ab_true))
            rgb, rgb_true = skimage_color.lab2rgb(lab), skimage_color.lab2rgb(lab_true)
            skimage_metrics.structural_similarity(
                rgb, rgb_true, channel_axis=2, data_range=1, gaussian_weights=True, sigma=1.5
            )
            deltaE_ciede2000(lab, lab_true).mean()
            one, other = torch.from_numpy(rgb).permute(2, 0, 1)[None], torch.from_numpy(rgb_true).permute(2, 0, 1)[None]
            tm.peak_signal_noise_ratio(one, other, data_range=1.0)

    same = [METRICS[name].fn for name in ("psnr_rgb_db", "ssim_rgb_gauss11", "delta_e_2000")]
    measure, here = {
        "all": (score, "all metrics but those of Lite2, in batches"),
        "same": (lambda pair: [metric(pair) for metric in same], "the same three, in batches"),
    }[which]
    names = "scoring 256 photographs of 64²", here
    return beside(*names, lambda: ours(measure), "PSNR, SSIM, CIEDE2000 in a loop", theirs, 3)


def coloring(folder, megapixels):
    side = round(1000 * megapixels**0.5)
    grey = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
    ours = load_colorizer("faithful")
    eccv16 = ReleasedECCV16().eval()  # fresh weights take as long as the published ones

    def published():
        """The way of the published demo: a square of 256 pixels, bilinear enlargement, scikit-image's conversion."""
        lab = skimage_color.rgb2lab(np.repeat(grey[..., None], 3, 2))
        small = np.asarray(Image.fromarray(grey).resize((256, 256)))
        L = skimage_color.rgb2lab(np.repeat(small[..., None], 3, 2))[..., 0]
        with torch.inference_mode():
            ab = eccv16(torch.from_numpy(L).float()[None, None])
        lab[..., 1:] = torch.nn.functional.interpolate(ab, (side, side), mode="bilinear")[0].permute(1, 2, 0).numpy()
        return skimage_color.lab2rgb(lab)

    names = f"colouring a photograph of {megapixels} MP", "faithful, along the edges"
    repeats = 3 if megapixels == 1 else 1
    return beside(*names, lambda: ours.colorize(grey), "ECCV16 as in its demo", published, repeats)


def photographs_at_once(folder):
    model = load_colorizer("faithful")
    L = torch.rand(8, 1, 128, 128) * 100
    names = "the network on 8 small copies", "one by one, as photographs are coloured"
    return beside(
        *names, lambda: [model(L[n : n + 1]) for n in range(8)], "in one batch, as films are", lambda: model(L)
    )


def study_overhead():
    """Return (name, wall seconds, seconds of the rows over the cores) of each study on this machine."""
    for path in sorted((ROOT / "runs").glob("*/study.json")):
        study = json.loads(path.read_text())
        if study.get("wall_seconds"):
            yield study["name"], study["wall_seconds"], sum(row.get("seconds") or 0 for row in study["rows"])


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        precisions = ["float32"] + ["bfloat16"] * computes_in_bfloat16(torch.device("cpu"))
        parts = [listing, starting, lab_conversion, preparing, reading, training_step]
        for model, width in (("unet", 16), ("effunet", 24)):
            parts += [partial(convolutions, model=model, width=width, precision=p) for p in precisions]
        parts += [partial(encoder_step, model=model) for model in ("effunet", "deoldify", "chromagan", "ddcolor")]
        parts += [*(partial(scoring, which=which) for which in ("all", "same"))]
        parts += [*(partial(coloring, megapixels=count) for count in (1, 10, 50)), photographs_at_once]
        rows = [part(folder) for part in tqdm(parts, desc="benchmarks")]
        table = pd.DataFrame(rows, columns=["what", "here", "seconds", "alternative", "seconds "])
        table["ratio"] = table["seconds "] / table["seconds"]
    lines = ["# Benchmarks", "", f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "]
    lines[-1] += f"one thread, torch {torch.__version__}. Written by `make bench`.\n"
    lines += ["| what | here | CPU s | alternative | CPU s | ratio |", "| --- | --- | ---: | --- | ---: | ---: |"]
    for what, here, ours, alternative, theirs, ratio in table.itertuples(index=False):
        lines.append(f"| {what} | {here} | {ours:.3f} | {alternative} | {theirs:.3f} | {ratio:.2g} |")
    lines += ["", *million.section([count for count in COUNTS if count <= int(os.environ.get("PHOTOGRAPHS", 10_000))])]
    if studies := list(study_overhead()):
        lines += ["", "Studies on this machine: wall time beside the sum of their rows, each row on one core:", ""]
        lines += ["| study | wall, s | rows, s | rows / wall |", "| --- | ---: | ---: | ---: |"]
        lines += [f"| {name} | {wall:.0f} | {rows:.0f} | {rows / wall:.2f} |" for name, wall, rows in studies]
    path = ROOT / "reports" / "benchmarks.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(path.read_text())


if __name__ == "__main__":
    main()
