"""torchvision comes without torch's compiler, and whoever wants that gets it whole."""

from __future__ import annotations

import subprocess
import sys

import pytest


def told(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_torchvision_is_there_and_the_compiler_is_not() -> None:
    code = (
        "import sys, mlhw.models.zoo, mlhw.vision\n"
        "print([name for name in sys.modules if name.startswith('torch._dynamo')])\n"
        "print(mlhw.vision.torchvision.models.vgg16.__name__)"
    )
    assert told(code) == ["[]", "vgg16"]


def test_what_torchvision_took_is_the_compiler_s_once_it_is_called() -> None:
    code = (
        "import mlhw.vision\nfrom torchvision.ops.roi_align import is_compile_supported\n"
        "mine = is_compile_supported('cpu')\n"
        "import torch._dynamo.utils as real\nprint(type(real).__name__, mine == real.is_compile_supported('cpu'))"
    )
    assert told(code) == ["module", "True"]


@pytest.mark.parametrize("first", ["import torch._dynamo.utils", "import torchvision"])
def test_a_compiler_that_is_there_stays(first: str) -> None:
    code = f"{first}\nimport sys\nbefore = sys.modules['torch._dynamo.utils']\nimport mlhw.vision\n"
    assert told(code + "print(sys.modules['torch._dynamo.utils'] is before, type(before).__name__)") == [
        "True",
        "module",
    ]


def test_the_stand_in_gives_what_else_is_asked_for_and_goes() -> None:
    code = (
        "import sys, mlhw.vision as vision\n"
        "with vision._without_compiler():\n"
        "    from torch._dynamo.utils import counters\n"
        "    print(type(sys.modules['torch._dynamo.utils']).__name__)\n"
        "import torch._dynamo.utils as real\nprint(counters is real.counters)"
    )
    assert told(code) == ["module", "True"]
