"""Bars of progress are seen on a terminal and in a notebook, and are no part of what a command writes into a file."""

import os
import re
import subprocess
import sys
import termios
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorlib.files import LIBRARY

COUNT = "from colorlib.bars import progress_bar\nfor _ in progress_bar(range(3)): pass"
SILENT = {"TQDM_DISABLE": "1"}


def environment(further: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"} | further


def test_a_piped_command_writes_no_bar(tmp_path):
    (tmp_path / "photographs").mkdir()
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photographs" / f"{number}.png")
    command = [sys.executable, "-m", "colorlib", "prepare", "photographs", "--size", "32", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, env=environment({}), capture_output=True, text=True, check=True)
    assert done.stderr == "" and "8 photographs" in done.stdout


def test_no_other_module_draws_a_bar_of_its_own():
    files = {path.name for path in LIBRARY.rglob("*.py") if re.search(r"\btqdm\(", path.read_text(encoding="utf-8"))}
    assert files == {"bars.py"}


@pytest.mark.parametrize("further, shown", [({}, True), (SILENT, False)])
def test_a_terminal_shows_a_bar_unless_told_not_to(further, shown):
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (24, 80))
    subprocess.run([sys.executable, "-c", COUNT], env=environment(further), stderr=its, check=True)
    os.write(its, b"end")
    os.close(its)
    told = b""
    while not told.endswith(b"end"):
        told += os.read(ours, 10_000)
    os.close(ours)
    assert (b"3/3" in told) == shown


@pytest.mark.slow
@pytest.mark.parametrize("further, shown", [({}, True), (SILENT, False)])
def test_a_notebook_shows_a_bar_unless_told_not_to(further, shown, tmp_path):
    from jupyter_client.manager import start_new_kernel

    place = {"IPYTHONDIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    manager, client = start_new_kernel(env=environment(further | place))
    told: list[dict[str, Any]] = []
    try:
        client.execute_interactive(COUNT, timeout=60, output_hook=told.append)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not [message for message in told if message["msg_type"] == "error"]
    assert any("3/3" in message["content"].get("text", "") for message in told) == shown
