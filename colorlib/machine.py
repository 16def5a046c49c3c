"""The machine: its device, threads, arithmetic and memory, and what a network costs on it."""

import contextlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def machine() -> dict[str, Any]:
    """Return what the study runs on: system, processor, cores, memory in GiB, GPU, or None, and how many of them."""
    import psutil
    import torch

    return {
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "processor": _processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "gpus": torch.cuda.device_count(),
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
    torch.backends.cudnn.allow_tf32 = False  # which rounds what is no bfloat16 to 10 bits, and with it the colours
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


class Counted(Protocol):
    """A network of :mod:`colorlib.models`, as far as what it costs is counted."""

    steps: int

    def __call__(self, L: Tensor) -> Tensor: ...
    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...
    def named_children(self) -> Iterator[tuple[str, nn.Module]]: ...


def count_macs(network: Counted, size: tuple[int, int]) -> int:
    """Count the multiply-accumulates of a network of :mod:`colorlib.models` to colour a photograph of ``size`` (H, W).

    Of one that walks they are those of all its ``steps``.
    """
    return network.steps * _count_flops(network, size).get_total_flops() // 2


def count_by_layer(network: Counted, size: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Count weights and multiply-accumulates layer by layer: name -> (weights, MACs); the MACs add up to the network's.

    A layer is a child of the network; of a list of layers, each one in it. What the network itself holds or multiplies
    comes last, as ``(between layers)``.

    Args:
        network: of :mod:`colorlib.models`.
        size: (H, W) of the photograph.
    """
    counter = _count_flops(network, size)
    flops = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}

    def of(name: str, layer: nn.Module) -> int:  # one that is not called as a whole counts by its parts
        return flops[name] if name in flops else sum(of(f"{name}.{n}", part) for n, part in layer.named_children())

    root = type(network).__name__
    found = {name: (_numel(layer.parameters()), of(f"{root}.{name}", layer)) for name, layer in _layers(network)}
    between = counter.get_total_flops() - sum(flops for _, flops in found.values())
    if any(own := (_numel(network.parameters(recurse=False)), between)):
        found["(between layers)"] = own
    return {name: (weights, network.steps * flops // 2) for name, (weights, flops) in found.items()}


def _count_flops(network: Counted, size: tuple[int, int]) -> FlopCounterMode:
    device = next(network.parameters()).device
    # Only the plain way of computing attention is made of products that the counter knows.
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, *size, device=device))
    return counter


def _layers(module: Counted | nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        if type(child) in (nn.ModuleList, nn.ModuleDict):
            yield from _layers(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _numel(parameters: Iterable[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)
