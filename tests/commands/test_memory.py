"""What a training step frees is there for the next one."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from mlhw.commands.memory import Heap

if sys.argv[1] == "kept":
    heap = Heap()

def step():
    held = [torch.ones(2_000_000) for _ in range(6)]
    return held[0].sum()

for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(way: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap alone is told to keep")
def test_a_step_finds_the_pages_of_the_one_before() -> None:
    as_it_is, kept = _faults("as it is"), _faults("kept")
    pages = 20 * 6 * 8_000_000 // 4096
    assert kept < pages / 20
    assert as_it_is > pages / 4, "the system's own heap keeps them by now: Heap has nothing left to do"
