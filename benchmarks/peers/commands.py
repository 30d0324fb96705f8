"""Whole programs, from the shell's prompt to the finished result, beside the least that Python needs for the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.rounds import ROOT, Command, Runner

Words = dict[str, list[str]]  # the program of each system
PYTHON = sys.executable
MLHW = [PYTHON, "-m", "mlhw"]


@dataclass(frozen=True)
class Program:
    """Programs that come to the same, made ready in a folder; ``limit`` is on mlhw's seconds over the floor's."""

    what: str
    floor_is: str
    limit: float
    words: Callable[[Path], Words]
    rounds: int = 99


def _help(folder: Path) -> Words:
    return {"mlhw": [*MLHW, "--help"], "floor": [PYTHON, "-c", "import typer"]}


def _digits(folder: Path) -> Words:
    return {
        "mlhw": [*MLHW, "train", "digits-cnn", "--quiet"],
        "floor": [PYTHON, "-m", "benchmarks.peers.cold_digits"],
        "imports alone": [PYTHON, "-c", "import torch, sklearn.datasets"],
    }


def _first(folder: Path) -> Words:
    """VGG16's weights (528 MB, seeded) and a picture are made by a process of its own: torch would stay in this one."""
    weights, picture = str(folder / "vgg16.pth"), str(folder / "picture.jpg")
    code = (
        "import sys; from pathlib import Path; from PIL import Image; import numpy as np\n"
        "from benchmarks.peers.pictures import seeded_weights\n"
        "seeded_weights('vgg16', Path(sys.argv[1]))\n"
        "pixels = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)\n"
        "Image.fromarray(pixels).save(sys.argv[2])\n"
    )
    subprocess.run([PYTHON, "-c", code, weights, picture], cwd=ROOT, check=True, capture_output=True)
    program = [PYTHON, "-m", "benchmarks.peers.first_prediction", weights, picture]
    classify = [*MLHW, "pretrained", "classify", picture, "--model", "vgg16", "--weights", weights, "--quiet"]
    return {"mlhw": classify, "floor": program, "notebook": [*program, "plain"]}


PROGRAMS = {
    "cold-help": Program("`mlhw --help`", "`python -c 'import typer'`", 3.0, _help),
    "cold-train": Program(
        "`mlhw train digits-cnn` from the prompt to files and figures",
        "the same recipe as one plain program, `import torch, sklearn.datasets` included; no file, no figure",
        1.3,
        _digits,
        rounds=3,
    ),
    "first-vgg16": Program(
        "`mlhw pretrained classify` of one picture by VGG16 from a file",
        "imports, the file mapped, one forward; no file, no figure",
        1.3,
        _first,
        rounds=5,
    ),
}


def runners(name: str, folder: Path, environ: dict[str, str]) -> dict[str, Runner]:
    """The programs of ``name``, ready to run; what they need and leave is in ``folder``."""
    environ = {**environ, "MLHW_OUTPUTS": str(folder / "outputs")}
    return {system: Command(words, environ) for system, words in PROGRAMS[name].words(folder).items()}
