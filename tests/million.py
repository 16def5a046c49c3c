"""What a photograph costs in a store of a thousand, and of a million: `python tests/million.py 1000 10000 1000000`.

The photographs are stand-ins of 64×64, drawn from a few real ones with fields of lightness, shifts of colour and noise
on top, so that no two are near-duplicates; a million take 12 GB in the temporary directory. Each measurement has a
process of its own. `make bench` writes the table into reports/benchmarks.md.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from colorlib.color.lab import rgb8_to_lab8
from colorlib.data.bundled import bundled_photographs
from colorlib.data.shards import write_store
from colorlib.data.writing import Record

ROOT = Path(__file__).parents[1]
SIDE = 64
BATCH = 256
ROW = "| {count:,} | {made_ms:.2f} | {made_mb:.0f} | {open_s:.3f} | {first_s:.3f} | {read_ms:.2f} | {train_mb:.0f} |"
HEAD = [
    "| photographs | made, CPU ms each | making, MB | opened, s | first batch, s | read, ms each | training, MB |",
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
]

MAKE = """
import json, sys, time
from million import make
started = time.process_time()
make(sys.argv[1], int(sys.argv[2]))
print(json.dumps({"made_ms": (time.process_time() - started) / int(sys.argv[2]) * 1e3}))
"""
READ = """
import json, sys, time
import numpy as np
from colorlib.data import open_dataset
from colorlib.runs.batches import Order
started = time.perf_counter()
data = open_dataset(sys.argv[1])
opened = time.perf_counter()
order = Order(data.indices("train"), 16, seed=0)
data.batch(order.batch(0))
first = time.perf_counter()
steps = 256
for step in range(1, steps + 1):
    data.batch(order.batch(step))
print(json.dumps({"open_s": opened - started, "first_s": first - opened,
                  "read_ms": (time.perf_counter() - first) / steps / 16 * 1e3}))
"""
TRAIN = """
import sys
from colorlib.data import open_dataset
from colorlib.runs.run import ExperimentConfig
from colorlib.runs.training import train
train(ExperimentConfig("plain_cnn", "l2", images_seen=1600, validations=1), open_dataset(sys.argv[1]), sys.argv[2])
"""
# What getrusage tells of a process begins with the peak of the one that started it.
PEAK = "\nprint(next(int(line.split()[1]) for line in open('/proc/self/status') if line[:6] == 'VmHWM:') / 1024)"


def stand_ins(count: int) -> Iterator[Record]:
    """Give records of photographs that there are not."""
    squares = []
    for photograph in bundled_photographs(max_side=256):
        image = Image.fromarray(photograph.rgb)
        for k in range(8):
            left, top = k % 4 * (image.width - 128) // 4, k // 4 * (image.height - 128) // 2
            squares.append(np.asarray(image.crop((left, top, left + 128, top + 128)).resize((SIDE, SIDE))))
    L8, ab8 = (values.astype(np.int16) for values in rgb8_to_lab8(np.stack(squares)))
    for start in range(0, count, BATCH):
        rng = np.random.default_rng([start, count])
        n = min(BATCH, count - start)
        drawn = rng.integers(0, len(squares), n)
        field = rng.integers(-90, 91, (n, 8, 8), np.int16).repeat(SIDE // 8, 1).repeat(SIDE // 8, 2)
        noise = rng.integers(-6, 7, (SIDE, SIDE), np.int16)
        L = np.clip(L8[drawn] // 2 + 64 + field + noise, 0, 255).astype(np.uint8)
        ab = np.clip(ab8[drawn] + rng.integers(-20, 21, (n, 1, 1, 2), np.int16), 0, 255).astype(np.uint8)
        for k in range(n):
            yield Record(f"class{(start + k) % 1000:03d}/{start + k}.jpg", SIDE, SIDE, L[k], ab[k])


def make(folder: Path | str, count: int) -> None:
    write_store(folder, "stand-ins", stand_ins(count), count, (SIDE, SIDE), {"stand_ins": count})


def _run(code: str, *arguments: object) -> list[str]:
    """Return the lines that a process of its own prints, the last of which is its peak of resident memory in MB."""
    command = [sys.executable, "-c", code + PEAK, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    return done.stdout.splitlines()


def measure(count: int, folder: Path) -> dict[str, float]:
    """Return the costs of a store of ``count`` photographs, made in ``folder``; see `ROW`."""
    made, made_mb = _run(MAKE, folder / "store", count)
    read, _ = _run(READ, folder / "store")
    train_mb = _run(TRAIN, folder / "store", folder / "run")[-1]
    peaks = {"made_mb": float(made_mb), "train_mb": float(train_mb)}
    return {"count": count, **json.loads(made), **json.loads(read), **peaks}


def section(counts: list[int]) -> list[str]:
    """Return the lines of the benchmark's table, a line for each number of photographs."""
    lines = []
    for count in tqdm(counts, desc="photographs in a store"):
        with tempfile.TemporaryDirectory() as folder:
            lines.append(ROW.format(**measure(count, Path(folder))))
    text = "What a photograph of 64² costs, by how many are in the store (stand-ins, from `python tests/million.py`):"
    return [text, "", *HEAD, *lines]


if __name__ == "__main__":
    print("\n".join(section([int(count) for count in sys.argv[1:]] or [1_000, 10_000, 100_000])))
