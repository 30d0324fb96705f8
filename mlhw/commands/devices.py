"""Where a torch module computes."""

from __future__ import annotations

import torch

from mlhw.errors import ConfigError


def torch_device(wanted: str) -> str:
    """``wanted`` where it is here; for ``auto`` a CUDA GPU where there is one, else the CPU.

    Raises:
        ConfigError: it is not here.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and int(wanted.partition(":")[2] or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ConfigError(f"device '{wanted}' is not here ({count} CUDA devices). Use --device cpu.")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device 'mps' is not here. Use --device cpu.")
    return wanted
