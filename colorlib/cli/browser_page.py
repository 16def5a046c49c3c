"""``colorlib browser-page``: a folder that colours photographs in a visitor's browser, without a server."""

import argparse

from colorlib.cli.command import Commands, add_command


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "browser-page",
        "Write a page that colours photographs in the visitor's own browser.\n\n"
        "The folder opens from a disk (index.html) or from any static host: upload it as it is. No photograph leaves\n"
        "the visitor's device, and the page fetches nothing. Making it needs `pip install 'colorlib[onnx]'`, and npm,\n"
        "which fetches ONNX Runtime for browsers once.",
        "  colorlib browser-page --out page\n"
        "  colorlib browser-page --out page --model faithful --model runs/notebooks/unet-l2",
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a new folder, or that of an earlier page")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME",
        help="whatever `colorize --model` takes, or a file of `export-onnx`; repeat it (default: those that ship)",
    )


def run(options: argparse.Namespace) -> int:
    from colorlib.deployment.browser_page import write_browser_page

    files = write_browser_page(options.out, options.model)
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    print(f"{options.out}: {len(files)} files, {megabytes:.1f} MB. Open {files[0].with_name('index.html')}.")
    return 0
