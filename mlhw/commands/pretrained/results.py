"""What a run says of its pictures, read back from its files: for tables, figures and predictions.json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mlhw.commands.pretrained.tables import predictions_files
from mlhw.datasets.names import csv_name
from mlhw.datasets.walking import Found
from mlhw.runs import classified
from mlhw.runs.classified import Classified
from mlhw.runs.store import Run


@dataclass(frozen=True, slots=True)
class Results:
    """All pictures in their order, and for each of ``models`` what it says of each."""

    models: tuple[str, ...]
    pictures: list[Found]
    said: tuple[list[Classified], ...]

    @property
    def good(self) -> list[int]:
        """The places of the pictures that were not skipped."""
        return [place for place, said in enumerate(self.said[0]) if said.ranks]

    @property
    def skipped(self) -> list[Classified]:
        """Those that were, with their reasons."""
        return [said for said in self.said[0] if not said.ranks]

    def records(self) -> Iterator[dict[str, Any]]:
        """A JSON object for each picture: its file, status, reason, and the ranks by model."""
        for picture, *said in zip(self.pictures, *self.said, strict=True):
            record: dict[str, Any] = {"file": csv_name(picture.name), "path": csv_name(str(picture.path))}
            if said[0].ranks:
                ranks = {model: _ranks(of) for model, of in zip(self.models, said, strict=True)}
                yield record | {"status": "ok", "reason": None, "predictions": ranks}
            else:
                yield record | {"status": "skipped", "reason": said[0].reason, "predictions": {}}


def read(run: Run, models: Sequence[str], pictures: list[Found]) -> Results:
    """What lies in the files of ``run``. Raises RunError where one cannot be read."""
    said = tuple(classified.read(path)[0] for path in predictions_files(run, models))
    return Results(tuple(models), pictures[: len(said[0])], said)


def _ranks(said: Classified) -> list[dict[str, Any]]:
    return [
        {"rank": place, "class_index": rank.class_index, "class_name": rank.class_name, "probability": rank.probability}
        for place, rank in enumerate(said.ranks, start=1)
    ]
