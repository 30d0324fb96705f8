"""What a run was computed with: written beside it, so that a difference later can be explained."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlhw.files import read_json

PACKAGES = ("mlhw", "numpy", "torch", "torchvision", "scikit-learn", "pillow", "pandas", "matplotlib")

CHANGE_RESULTS = ("mlhw", "numpy", "torch", "scikit-learn", "pillow")  # by arithmetic, or by how data is read


def environment(device: str, threads: int, data: str = "", command: Sequence[str] = ()) -> dict[str, Any]:
    """Versions, platform, processor, device, threads, the data's identity and the command, as JSON values.

    Without a ``command`` it is this process's own command line.
    """
    return {
        "command": [*command] or ["mlhw", *sys.argv[1:]],
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": device,
        "threads": threads,
        "data": data,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def read_environment(path: Path) -> dict[str, Any]:
    """The environment that a run recorded; empty where it has none that can be read, and without what cannot be one."""
    found = read_json(path) or {}
    threads, packages = found.get("threads"), found.get("packages")
    if type(threads) is not int or not 1 <= threads <= 4096:
        found.pop("threads", None)
    if not isinstance(packages, dict):
        found.pop("packages", None)
    return found


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs of all that can change the last digits, in words: ``threads 2 then, 1 now``."""
    if not before:
        return []
    pairs = [(key, before.get(key), now.get(key)) for key in ("data", "device", "threads", "processor", "platform")]
    packages = before.get("packages", {})
    pairs += [(name, packages.get(name), now.get("packages", {}).get(name)) for name in CHANGE_RESULTS]
    return [f"{name} {then} then, {value} now" for name, then, value in pairs if then != value]


@cache
def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:  # Linux alone has it
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def peak_memory_mb() -> float | None:
    """The most memory that this process has held so far (resident, mapped files included), or None where unknown."""
    try:  # On Linux ru_maxrss begins with the parent's peak; this line does not.
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
