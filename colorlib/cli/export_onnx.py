"""``colorlib export-onnx``: a colorizer as an ONNX file, for programs in other languages."""

import argparse
from pathlib import Path

from colorlib.cli.command import Commands, add_command


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "export-onnx",
        "Write a colorizer as an ONNX file, for programs in other languages.\n\n"
        "Inputs are lightness (1, 1, height, width) from 0 to 100 and, where the model takes them, hints\n"
        "(1, 3, height, width), zeros for none; the output is ab (1, 2, height, width) in CIELAB units. Height and\n"
        "width are free, the shorter within a quarter of the short side that the file's metadata name. It needs\n"
        "`pip install 'colorlib[onnx]'`.",
        "  colorlib export-onnx faithful --out faithful.onnx\n"
        "  colorlib export-onnx runs/notebooks/unet-l2 --out mine.onnx --weights int8",
    )
    parser.add_argument("model", help="a colorizer that ships, a run folder, or whatever `colorize --model` takes")
    parser.add_argument("--out", required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--weights",
        default="float16",
        choices=("float32", "float16", "int8"),
        help="what kernels are stored in (default float16); all computations are in float32",
    )


def run(options: argparse.Namespace) -> int:
    from colorlib.deployment.onnx_export import export_onnx

    path = export_onnx(options.model, Path(options.out), options.weights)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB.")
    return 0
