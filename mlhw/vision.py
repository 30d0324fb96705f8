"""torchvision, without torch's compiler.

One of torchvision's modules takes a function of the compiler as it is imported, and with it loads all of the compiler: 1.6 of
1.9 seconds, for what mlhw never does. Here a stand-in gives that function, which loads the compiler when it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import torch  # noqa: F401  (before the stand-in is there, which is meant for torchvision alone)

__all__ = ["ImageClassification", "InterpolationMode", "torchvision", "transforms"]

_COMPILER = "torch._dynamo.utils"


class _StandIn(ModuleType):
    """Gives what torchvision takes; whoever asks for more gets it of the module itself."""

    @staticmethod
    def is_compile_supported(device_type: Any) -> Any:
        return _compiler().is_compile_supported(device_type)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks for what a module need not have
            raise AttributeError(name)
        return getattr(_compiler(), name)


def _compiler() -> Any:
    if isinstance(sys.modules.get(_COMPILER), _StandIn):
        del sys.modules[_COMPILER]
    return import_module(_COMPILER)


@contextmanager
def _without_compiler() -> Iterator[None]:
    if _COMPILER in sys.modules:
        yield
        return
    sys.modules[_COMPILER] = _StandIn(_COMPILER)
    try:
        yield
    finally:
        if isinstance(sys.modules.get(_COMPILER), _StandIn):
            del sys.modules[_COMPILER]


with _without_compiler():
    import torchvision
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import functional as transforms
    from torchvision.transforms._presets import ImageClassification
