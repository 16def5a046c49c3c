"""The machine: its device, threads, arithmetic and memory, and what a network costs on it."""

import contextlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def machine() -> dict[str, Any]:
    """Return what the study runs on: system, processor, cores, memory in GiB and GPU, or None."""
    import psutil
    import torch

    return {
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "processor": _processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _processor_name() -> str:
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        return found[1] if found else platform.machine()
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor()


def choose_device(name: str = "auto") -> torch.device:
    """Return the device to compute on; ``"auto"`` takes a CUDA GPU where there is one.

    Raises:
        ValueError: an unknown device, or one that this machine does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        raise ValueError(f"device {name!r} cannot be used on this machine; take 'auto', 'cpu' or 'cuda'.") from None
    return device


def use_threads() -> int:
    """Set the number of threads from ``COLORLIB_THREADS`` (a study gives each row one) and return it."""
    if os.environ.get("COLORLIB_THREADS"):
        torch.set_num_threads(int(os.environ["COLORLIB_THREADS"]))
    return torch.get_num_threads()


def computes_in_bfloat16(device: torch.device) -> bool:
    """Say whether the device has arithmetic for bfloat16; where it has not, autocast is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and any(flag in cpuinfo.read_text() for flag in ("avx512_bf16", "amx_bf16"))


def peak_memory_mb(device: torch.device) -> float:
    """Return the most memory used so far in MB: of the GPU where there is one, else resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    import resource  # not at the top: Windows has none

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes on Linux, bytes on macOS
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def count_macs(network: nn.Module, size: tuple[int, int]) -> int:
    """Count the multiply-accumulates of a network of :mod:`colorlib.models` to colour a photograph of ``size`` (H, W).

    Of one that walks they are those of all its ``steps``.
    """
    device = next(network.parameters()).device
    # Only the plain way of computing attention is made of products that the counter knows.
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, *size, device=device))
    return network.steps * counter.get_total_flops() // 2
