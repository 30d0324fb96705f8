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
    held = [torch.ones(10_000_000) for _ in range(2)]  # 40 MB: more than glibc ever keeps of its own accord
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
    pages = 20 * 2 * 40_000_000 // 4096
    assert _faults("kept") < pages / 4  # without it all, with pages of the usual size; a step may find new ones yet
