"""Small pictures, small networks, and runs on them, for the tests of classify and compare."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mlhw.commands.display import Silent
from mlhw.commands.pretrained.asking import resolve
from mlhw.commands.pretrained.work import start
from mlhw.commands.settings import from_environment
from mlhw.runs.store import Run

SMALL, OTHER = "squeezenet1_1", "shufflenet_v2_x0_5"


def draw_pictures(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """``count`` pictures of different colours and shapes in ``folder``, named so that their order is that of the list."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, paths = np.random.default_rng(seed), []
    for number in range(count):
        width, height = rng.integers(5, 40, 2)
        pixels = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
        paths.append(folder / f"picture {number:03d}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


def run(kind: Any, paths: Sequence[Path], weights: Sequence[str], **flags: Any) -> tuple[Run, dict[str, Any]]:
    """A run of ``kind`` on ``paths`` in the test's own folder, and its summary."""
    given = {f"pretrained.{key}": value for key, value in flags.items()}
    named = [str(path) for path in paths]
    asked = resolve(kind, None, paths=named, weights=weights, flags=given)
    return start(asked, named, from_environment(os.environ), Silent())
