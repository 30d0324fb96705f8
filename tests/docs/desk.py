"""A reader's desk: a folder with what the pages take for granted, and a shell of one command: mlhw."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from mlhw.runs.store import all_runs
from tests.cli.program import mlhw
from tests.commands.pictures_made import draw_pictures
from tests.datasets.made import write_mnist
from tests.docs.lines import Block, Line, blocks
from tests.faults.warm import Warm
from tests.models.zoo_made import by_hand, saved

NAMED = re.compile(r"# ((?:[a-z_]+/)*[a-z_]+\.(?:py|yaml))$")


@dataclass(frozen=True)
class Answer:
    """What a command line came to: the exit code and both streams of each command, in order."""

    code: int
    out: str
    err: str


class Desk:
    """A folder to work in, with small data in the formats of the real sets, pictures, a layer and hand-ins."""

    def __init__(self, folder: Path, warm: Warm | None) -> None:
        self.folder, self.warm = folder, warm
        self.outputs = folder / "outputs"
        for kind in ("MNIST", "FashionMNIST"):
            write_mnist(folder / "data", kind, train=300, test=60)
        draw_pictures(folder / "images", 3)
        draw_pictures(folder / "photos", 3, seed=1)
        for name in ("photo.jpg", "dog.jpg"):
            shutil.copy(draw_pictures(folder / "one", 1)[0], folder / name)
        (folder / "experiments").mkdir()

    def take(self, page: Path) -> None:
        """The files that ``page`` shows under a first line ``# name.py`` (or .yaml), as a reader would save them."""
        for block in blocks(page):
            if name := NAMED.match(block.lines[0] if block.lines else ""):
                self.save(block, name[1])

    def save(self, block: Block, name: str) -> None:
        (self.folder / name).write_text("\n".join(block.lines) + "\n", encoding="utf-8")

    def weights(self, name: str) -> None:
        """A network's weights where torch looks for them, of numbers by lot: small networks alone."""
        from mlhw.models.weights import weights_file

        path = self.folder / "torch" / "hub" / "checkpoints" / weights_file(name).path.name
        path.parent.mkdir(parents=True, exist_ok=True)
        saved(by_hand(name), path)

    def run(self, line: Line) -> Answer:
        """The commands of ``line``, one after the other; a command that is not mlhw's is not run here."""
        out, err = "", ""
        for words in line.commands:
            if words[0] != "mlhw":
                continue
            answer = self.mlhw(*self.filled(words[1:]))
            out, err = out + answer.out, err + answer.err
            if answer.code:
                return Answer(answer.code, out, err)
        return Answer(0, out, err)

    def filled(self, words: tuple[str, ...]) -> list[str]:
        """``words`` with the newest finished runs for RUN, and the newest sweep for SWEEP."""
        runs = [run.id for run in all_runs(self.outputs) if run.status() == "done"]
        sweeps = sorted((path.name for path in (self.outputs / "sweeps").glob("*")), reverse=True)
        named = {"RUN": iter(runs), "SWEEP": iter(sweeps)}
        return [
            next(named[word], word) if word in named else word.format(*runs) if word in ("{0}", "{1}") else word
            for word in words
        ]

    def mlhw(self, *words: str) -> Answer:
        """One command, as a process of its own."""
        environment = {
            "MLHW_DATA": str(self.folder / "data"),
            "TORCH_HOME": str(self.folder / "torch"),
            "MLHW_OFFLINE": "1",
            "COLUMNS": "100",
        }
        if self.warm is None:
            done = mlhw(*words, cwd=self.folder, MLHW_OUTPUTS=str(self.outputs), **environment)
            return Answer(done.code, done.out, done.err)
        environment |= {"MLHW_CACHE": os.environ["MLHW_CACHE"]}
        asked = self.warm.request(*words, outputs=self.outputs, each_epoch=False, limit=600, **environment)
        ended = self.warm.all_of([asked | {"folder": str(self.folder)}])[0]
        return Answer(ended.code, ended.out, ended.err)


def can_fork() -> bool:
    """Whether the program can be a fork of a process that is up already."""
    return sys.platform != "win32"
