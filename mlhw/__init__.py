"""mlhw: one command each for the classic deep-learning exercises. Importing it loads nothing heavy."""

from __future__ import annotations

from typing import Any

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("mlhw")
    raise AttributeError(f"module 'mlhw' has no attribute {name!r}")
