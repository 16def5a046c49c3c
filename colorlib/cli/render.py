"""``colorlib render``: notebooks executed and written as pages with pictures."""

import argparse
from pathlib import Path

from colorlib.cli.command import Commands, add_command, count


def register(commands: Commands) -> None:
    parser = add_command(
        commands,
        run,
        "render",
        "Execute notebooks and write them as pages with pictures.\n\n"
        "A page is notebooks/rendered/NAME.md with its pictures in a folder of that name, 300 kB together at most.\n"
        "A notebook takes about a minute on two free cores with its own budget, and with --images in proportion.",
        "  colorlib render 02 12\n  colorlib render 12_unet --images 10000\n  colorlib render --data data/holiday",
    )
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="a name or its number (default: all)")
    parser.add_argument("--images", type=count, help="that each training sees (default: the notebook's own)")
    parser.add_argument("--data", help="photographs, in place of the embedded scenes")


def run(options: argparse.Namespace) -> int:
    from colorlib.course.rendering import render
    from colorlib.files import NOTEBOOKS

    order = sorted(NOTEBOOKS.glob("*.ipynb"))
    asked = [_find(name, order) for name in options.notebooks] or order
    given = {"IMAGES_SEEN": options.images, "DATA": options.data}
    given = {name: value for name, value in given.items() if value is not None}
    for notebook in asked:
        print(f"{notebook.stem} …", flush=True)
        page = render(notebook, NOTEBOOKS / "rendered", given, order)
        size = page.stat().st_size + sum(picture.stat().st_size for picture in page.with_suffix("").iterdir())
        print(f"{page}: {size / 1000:.0f} kB")
    return 0


def _find(name: str, order: list[Path]) -> Path:
    from colorlib.registry import look_up

    known = {path.stem: path for path in order} | {path.stem[:2]: path for path in order}
    return look_up(known, name.removesuffix(".ipynb"), "notebook")
