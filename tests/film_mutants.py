"""Colours damaged films of every container and tells what became of them: ``python tests/film_mutants.py 200``.

Bits are flipped, bytes cut off, cut out or doubled, numbers in headers set to extremes, films put end to end. Each one
must be coloured, or refused in one sentence that names it; nothing may take longer than LIMIT seconds, and where frames
are missing the outcome must say so. The exit status is 1 if one was not.
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

LIMIT, FRAMES = 20.0, 8
KINDS = {
    ".mp4": ("libx264", "aac"), ".mov": ("mjpeg", "pcm_s16le"), ".mkv": ("ffv1", "flac"),
    ".webm": ("libvpx-vp9", "libopus"), ".avi": ("mpeg4", "mp2"), ".ts": ("mpeg2video", "mp2"),
    ".mpg": ("mpeg1video", "mp2"), ".flv": ("flv", "nellymoser"), ".wmv": ("wmv2", None), ".3gp": ("h263", None),
    ".mxf": ("mpeg2video", "pcm_s16le"), ".m2ts": ("libx264", "ac3"),
}  # fmt: skip
FORMATS = {".wmv": "asf", ".m2ts": "mpegts", ".3gp": "3gp"}


def write(path: Path) -> None:
    """Write a film of FRAMES grey frames with a tone."""
    codec, sound = KINDS[path.suffix]
    width, height = (176, 144) if codec == "h263" else (64, 48)
    with av.open(str(path), "w", format=FORMATS.get(path.suffix)) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        rate = 44100 if sound == "nellymoser" else 48000
        audio = out.add_stream(sound, rate=rate, layout="mono") if sound else None
        for index in range(FRAMES):
            grey = np.random.default_rng(index // 4).integers(40, 200, (6, 8)).astype(np.uint8)
            grey = np.kron(grey, np.ones((height // 6, width // 8), np.uint8))
            frame = av.VideoFrame.from_ndarray(np.stack([grey + index] * 3, 2), "rgb24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if audio:
            tone = (8000 * np.sin(np.arange(rate * FRAMES // 25) / 20)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
            frame.sample_rate, frame.pts = rate, 0
            audio.codec_context.open(strict=False)
            size = audio.codec_context.frame_size or None
            resampler = av.AudioResampler(audio.codec_context.format, audio.codec_context.layout, rate, size)
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                out.mux(audio.encode(part))
            out.mux(audio.encode(None))


def mutated(whole: bytes, other: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Return how a film was damaged, and the damaged one."""
    content = bytearray(whole)
    here, there = sorted(chance.randrange(len(content)) for _ in range(2))
    kind = chance.choice(["flips", "header", "cut", "hole", "doubled", "joined", "zeros", "head lost"])
    if kind == "flips":
        for _ in range(chance.choice([1, 8, 64])):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif kind == "header":  # four bytes among the first or last hundreds become an extreme number
        at = chance.choice([chance.randrange(400), len(content) - 4 - chance.randrange(400)])
        content[at : at + 4] = chance.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"])
    elif kind == "cut":
        del content[there:]
    elif kind == "hole":
        del content[here : min(there, here + 3000)]
    elif kind == "doubled":
        content[there:there] = content[here:there]
    elif kind == "joined":
        content += other
    elif kind == "zeros":
        length = min(there - here, 500)
        content[here : here + length] = bytes(length)
    else:
        del content[: here // 4]
    return kind, bytes(content)


def work(asked: multiprocessing.Queue, answered: multiprocessing.Queue) -> None:
    """Colour films, in a process that may be ended."""
    import torch

    from colorlib.deployment.film import colorize_film, plan_films
    from colorlib.deployment.loading import load_colorizer

    torch.set_num_threads(1)
    colorizer = load_colorizer("faithful")
    answered.put("ready")
    while (source := asked.get()) is not None:
        try:
            (job,) = plan_films([source], source.parent / "out")
            outcome = colorize_film(colorizer, source, job.target)
            with av.open(str(job.target)) as film:
                shown = sum(1 for _ in film.decode(video=0))
            said = " ".join(outcome.notes)
            if shown != outcome.frames:
                answered.put(("wrong", f"{shown} frames are shown, {outcome.frames} were coloured"))
            elif shown < FRAMES and not said.replace("Matroska", ""):
                answered.put(("wrong", f"{shown} of {FRAMES} frames and not a word"))
            else:
                answered.put(("coloured", said))
        except (ValueError, OSError) as error:
            named = source.name in str(error) and "\n" not in str(error)
            answered.put(("refused", str(error)) if named else ("wrong", f"an unnamed sentence: {error}"))
        except Exception:
            answered.put(("wrong", traceback.format_exc()))


def begin(context: multiprocessing.context.BaseContext) -> tuple:
    asked, answered = context.Queue(), context.Queue()
    process = context.Process(target=work, args=(asked, answered), daemon=True)
    process.start()
    answered.get(timeout=600)
    return process, asked, answered


def answer(process: multiprocessing.Process, answered: multiprocessing.Queue, limit: float) -> tuple[str, str]:
    """Wait for what became of a film; the worker may die of it, or not come to an end."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if not answered.empty():
            return answered.get()
        if not process.is_alive() and answered.empty():
            return "wrong", f"the process ended with status {process.exitcode}"
        time.sleep(0.02)
    return "wrong", f"it takes longer than {limit:.0f} seconds"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", type=int, help="how many films")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the films that went wrong")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    tally: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        whole = {}
        for ending in KINDS:
            path = Path(folder) / f"whole{ending}"
            write(path)
            whole[ending] = path.read_bytes()
        process, asked, answered = begin(context)
        for number in range(options.seed, options.seed + options.number):
            ending = list(KINDS)[number % len(KINDS)]
            chance = random.Random(number)
            kind, content = mutated(whole[ending], whole[chance.choice([ending, *KINDS])], chance)
            source = Path(folder) / f"{number:04}{ending}"
            source.write_bytes(content)
            began = time.monotonic()
            asked.put(source)
            became, why = answer(process, answered, LIMIT)
            tally[became] += 1
            print(f"{source.name} ({kind}): {became} in {time.monotonic() - began:.1f} s: {why}", flush=True)
            if became == "wrong":
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / source.name).write_bytes(content)
                if not process.is_alive() or "longer" in why:
                    process.kill()
                    process, asked, answered = begin(context)
            source.unlink()
        asked.put(None)
        process.join(10)
    print(", ".join(f"{count} {became}" for became, count in tally.items()))
    return 1 if tally["wrong"] else 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
