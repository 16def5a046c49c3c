"""`make bench`: each part of the study beside the obvious alternative, in one run; writes reports/benchmarks.md.

Ratios are what to read; seconds depend on the machine. Nothing here is a test.
"""

import json
import os
import platform
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
from tqdm import tqdm

from colorlib import load_colorizer
from colorlib.color import lab as color
from colorlib.data.photos import prepare_photographs
from colorlib.data.store import open_store
from colorlib.metrics import Pair, score
from colorlib.models import ReleasedECCV16, create_model

ROOT = Path(__file__).parents[1]
COUNTS = (1_000, 10_000, 100_000, 1_000_000)  # of photographs in a store, up to PHOTOGRAPHS


def seconds(call, repeats=5):
    """Return the median time of a call, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def lab_conversion(folder):
    rgb = torch.rand(64, 3, 224, 224)
    images = [image.permute(1, 2, 0).numpy() for image in rgb]
    ours = seconds(lambda: color.rgb_to_lab(rgb))
    theirs = seconds(lambda: [skimage_color.rgb2lab(image) for image in images])
    return "sRGB → Lab, 64 photographs of 224²", "one batch", ours, "scikit-image, one by one", theirs


def reading(folder):
    files = folder / "photographs"
    files.mkdir()
    rng = np.random.default_rng(0)
    for number in range(256):
        noise = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((500, 375), Image.Resampling.BICUBIC).save(files / f"{number}.jpg", quality=90)
    prepare_photographs(files, folder / "store", size=224)
    data = open_store(folder / "store")
    order = rng.permutation(256)

    def decode():
        for start in range(0, 256, 16):
            batch = []
            for number in order[start : start + 16]:
                with Image.open(files / f"{number}.jpg") as image:
                    small = image.convert("RGB").resize((299, 224)).crop((37, 0, 261, 224))
                batch.append(torch.from_numpy(skimage_color.rgb2lab(np.asarray(small)).astype(np.float32)))
            torch.stack(batch).permute(0, 3, 1, 2)

    def gather():
        for start in range(0, 256, 16):
            data.batch(order[start : start + 16])

    return (
        "256 photographs into training",
        "from the store",
        seconds(gather),
        "decode and convert each",
        seconds(decode, 2),
    )


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
    ours = seconds(stepper("unet", bfloat16=True))
    plain = seconds(stepper("unet", memory_format=torch.contiguous_format))
    return "training step, unet, 16 × 64²", "bfloat16, channels_last", ours, "float32, contiguous", plain


def encoder_step(folder, model):
    """The design on a tuned EfficientNet-Lite0, which sees 128 pixels, beside the same one on its own encoder."""
    pretrained = {"encoder": "lite0", "pretraining": "tuned"}
    own = {"encoder": "none", "pretraining": "none"}
    names = f"training step, {model}, 16 × 64²", "EfficientNet-Lite0 tuned, at 128²"
    ours, plain = seconds(stepper(model, pretrained), 2), seconds(stepper(model, own), 2)
    return *names, ours, "an encoder of its own, fresh", plain


def scoring(folder):
    generator = torch.Generator().manual_seed(0)
    L = torch.rand(1000, 1, 64, 64, generator=generator) * 100
    ab, ab_true = (torch.randn(1000, 2, 64, 64, generator=generator) * 20 for _ in range(2))

    def ours():
        for start in range(0, 1000, 32):
            here = slice(start, start + 32)
            score(Pair(L[here], ab[here], ab_true[here]))

    def theirs():
        for n in range(1000):
            lab, lab_true = (torch.cat([L[n], x[n]]).permute(1, 2, 0).numpy() for x in (ab, ab_true))
            rgb, rgb_true = skimage_color.lab2rgb(lab), skimage_color.lab2rgb(lab_true)
            skimage_metrics.structural_similarity(
                rgb, rgb_true, channel_axis=2, data_range=1, gaussian_weights=True, sigma=1.5
            )
            deltaE_ciede2000(lab, lab_true).mean()
            one, other = torch.from_numpy(rgb).permute(2, 0, 1)[None], torch.from_numpy(rgb_true).permute(2, 0, 1)[None]
            tm.peak_signal_noise_ratio(one, other, data_range=1.0)

    names = "scoring 1,000 photographs of 64²", "all metrics, in batches"
    return *names, seconds(ours, 1), "PSNR, SSIM, CIEDE2000 in a loop", seconds(theirs, 1)


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
    return *names, seconds(lambda: ours.colorize(grey), repeats), "ECCV16 as in its demo", seconds(published, repeats)


def photographs_at_once(folder):
    model = load_colorizer("faithful")
    L = torch.rand(8, 1, 128, 128) * 100
    names = "the network on 8 small copies", "one by one, as photographs are coloured"
    one_by_one, batch = seconds(lambda: [model(L[n : n + 1]) for n in range(8)]), seconds(lambda: model(L))
    return *names, one_by_one, "in one batch, as films are", batch


def study_overhead():
    """Return (name, wall seconds, seconds of the rows over the cores) of each study on this machine."""
    for path in sorted((ROOT / "runs").glob("*/study.json")):
        study = json.loads(path.read_text())
        if study.get("wall_seconds"):
            yield study["name"], study["wall_seconds"], sum(row.get("seconds") or 0 for row in study["rows"])


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        parts = [lab_conversion, reading, training_step]
        parts += [partial(encoder_step, model=model) for model in ("effunet", "deoldify", "chromagan", "ddcolor")]
        parts += [scoring, *(partial(coloring, megapixels=count) for count in (1, 10, 50)), photographs_at_once]
        rows = [part(folder) for part in tqdm(parts, desc="benchmarks")]
        table = pd.DataFrame(rows, columns=["what", "here", "seconds", "alternative", "seconds "])
        table["ratio"] = table["seconds "] / table["seconds"]
    lines = ["# Benchmarks", "", f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "]
    lines[-1] += f"{torch.get_num_threads()} threads, torch {torch.__version__}. Written by `make bench`.\n"
    lines += ["| what | here | s | alternative | s | ratio |", "| --- | --- | ---: | --- | ---: | ---: |"]
    for what, here, ours, alternative, theirs, ratio in table.itertuples(index=False):
        lines.append(f"| {what} | {here} | {ours:.3f} | {alternative} | {theirs:.3f} | {ratio:.1f} |")
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
