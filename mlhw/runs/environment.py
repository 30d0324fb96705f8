"""What a run was computed with: written beside it, so that a difference later can be explained."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("mlhw", "numpy", "torch", "torchvision", "scikit-learn", "pillow", "pandas", "matplotlib")


def environment(device: str, threads: int) -> dict[str, Any]:
    """Versions, platform, processor, device, threads and the command line, as JSON values."""
    return {
        "command": ["mlhw", *sys.argv[1:]],
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": device,
        "threads": threads,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123  (Linux's own file; elsewhere not there)
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def peak_memory_mb() -> float | None:
    """The most memory that this process has held so far (resident, mapped files included), or None where unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
