"""Checkpoints: tensors, numbers, strings, lists and dicts in one file, written whole, loaded without running code."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from mlhw.errors import RunError
from mlhw.files import atomic_write


def save(path: Path, value: dict[str, Any]) -> None:
    """Write ``value`` to ``path``, atomically; numpy arrays become tensors.

    Raises:
        OutputError: the disk is full or the folder cannot be written to; the old file still stands.
    """
    import torch

    content = io.BytesIO()  # torch's own writer ends in other errors, or none, where a disk is full
    torch.save(_to_tensors(value), content)
    with atomic_write(path, size=content.getbuffer().nbytes) as file:
        file.write(content.getbuffer())


def load(path: Path) -> dict[str, Any]:
    """What ``save`` wrote, with tensors on the CPU. Only data is read: a pickle that carries code is refused.

    Raises:
        RunError: the file is missing, torn, or not a checkpoint.
    """
    import torch

    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"{path}: there is no such checkpoint.") from error
    except Exception as error:  # torch raises many kinds for a file that is not what it should be
        raise RunError(f"{path}: not a checkpoint that can be loaded ({type(error).__name__}).") from error
    if not isinstance(value, dict):
        raise RunError(f"{path}: should hold a dict, got {type(value).__name__}.")
    return value


def load_weights(path: Path, *, finite: bool = True) -> dict[str, np.ndarray]:
    """The reported weights in ``path`` by name.

    Raises:
        RunError: not a checkpoint, not of named arrays, or (where they shall be ``finite``) one holds a value that is not.
    """
    value = to_arrays(load(path))
    for name, array in value.items():
        if not isinstance(array, np.ndarray):
            raise RunError(f"{path}: '{name}' should be an array, got {type(array).__name__}.")
        if finite and array.dtype.kind in "fc" and not np.isfinite(array).all():
            raise RunError(f"{path}: '{name}' holds values that are not finite (NaN or infinity). Use another run.")
    return value


def to_arrays(value: Any) -> Any:
    """``value`` with every tensor turned into a numpy array (sharing memory)."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if isinstance(value, dict):
        return {key: to_arrays(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_arrays(item) for item in value]
    return value


def _to_tensors(value: Any) -> Any:
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value).reshape(value.shape))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: _to_tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_tensors(item) for item in value]
    return value
