"""``mlhw predict``: the class of each picture (or row) by the reported model of a run."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from mlhw.arrays import Split
from mlhw.commands import assemble, trained
from mlhw.commands.display import Display
from mlhw.commands.predict import results
from mlhw.commands.predict.decoding import Decoded, decoded
from mlhw.commands.predict.reading import Reader, picture_reader
from mlhw.commands.predict.rows import read_rows
from mlhw.commands.settings import Settings
from mlhw.config.schema import Experiment
from mlhw.datasets.names import csv_name
from mlhw.datasets.walking import Found, find
from mlhw.errors import ConfigError, Interrupted
from mlhw.files import make_folder
from mlhw.protocols import Learner
from mlhw.runs import classified
from mlhw.runs.classified import Classified, Rank
from mlhw.runs.growing import GrowingTable
from mlhw.runs.preparation import Preparation
from mlhw.runs.store import Run
from mlhw.training.batches import score_rows

MOST_TOP = 1000


def predict(
    settings: Settings,
    name: str,
    paths: Sequence[str],
    display: Display,
    *,
    top: int = 5,
    recursive: bool = False,
    out: Path | None = None,
) -> dict[str, Any]:
    """What the run ``name`` says of ``paths``: pictures and folders of them, or files of rows for a run on plain features.

    A picture is prepared exactly as those that the run learned from, and rows are computed in batches as large as those of the
    run's own test rows: its test pictures, named in their order, get the probabilities that the run itself gave them.

    Args:
        settings: folders and switches.
        name: of the run.
        paths: as typed.
        display: is told of the progress.
        top: how many classes of each.
        recursive: also look into folders of folders.
        out: the folder for predictions.csv, predictions.json and (pictures) grid.png; else a new one in the run's.

    Returns:
        What is in predictions.json; ``inputs`` says how many were found, classified and skipped.

    Raises:
        ConfigError, DataError, RunError: what was named is not there, or the run cannot be put together again.
        OutputError: the folder cannot be written.
        Interrupted: by Ctrl+C; what is done is in predictions.csv.
    """
    if not 1 <= top <= MOST_TOP:
        raise ConfigError(f"--top {top}: should be from 1 to {MOST_TOP:,}.")
    began = perf_counter()
    run, experiment = trained.find(settings, name)
    trained.threads_of(run, experiment, settings)
    prepared = trained.preparation(run, experiment, settings, display.progress)
    asked = _asked(experiment, prepared, paths, recursive)
    device = assemble.pick_device(experiment)
    learner = trained.reported(run, experiment, prepared, device)
    folder = make_folder(out or _new_folder(run))
    display.say(f"predictions go to {folder}")
    timer = perf_counter()
    said = _written(folder / "predictions.csv", _outcomes(learner, prepared, asked.examples, top), asked, display)
    facts = {
        "run_id": run.id,
        "experiment": experiment.name,
        "epoch": (run.summary() or {}).get("best_epoch"),
        "parameters": assemble.count_parameters(learner),
        "device": device,
        "top": min(top, len(prepared.told)),
        "preparation": asked.reader.words if asked.reader else f"rows of {prepared.input_shape[0]} numbers",
        "altered": _altered(asked, prepared.input_shape),
        "seconds_predicting": round(perf_counter() - timer, 3),
    }
    return results.finish(folder, facts, said, asked.reader, began, display)


class _Asked(NamedTuple):
    """The ``examples`` as they come; where they are pictures, how many there are, what reads them, and which they are."""

    examples: Iterable[tuple[Found, Decoded]]
    total: int | None = None
    reader: Reader | None = None
    pictures: Sequence[Found] = ()


def _asked(experiment: Experiment, prepared: Preparation, paths: Sequence[str], recursive: bool) -> _Asked:
    if len(prepared.input_shape) == 3:
        pictures, reader = find(list(paths), recursive), picture_reader(experiment.data, prepared)
        return _Asked(decoded(pictures, reader), len(pictures), reader, pictures)
    (features,) = prepared.input_shape
    return _Asked(chain.from_iterable([read_rows(path, features, prepared.dtype) for path in paths]))


def _altered(asked: _Asked, shape: tuple[int, ...]) -> dict[str, Any] | None:
    """How many pictures were not like the run's own, and what the first of them was; None where all were."""
    found = asked.reader.altered if asked.reader else {}
    first = next((picture for picture in asked.pictures if picture.path in found), None)
    if first is None:
        return None
    height, width, channels = shape
    was = found[first.path]
    return {
        "pictures": sum(picture.path in found for picture in asked.pictures),
        "first": {"file": csv_name(first.name), "width": was.width, "height": was.height, "colour": was.colour},
        "to": {"width": width, "height": height, "colour": channels == 3},
    }


def _written(path: Path, batches: Iterable[list[Classified]], asked: _Asked, display: Display) -> list[Classified]:
    """All that ``batches`` hold, each written to ``path`` as it comes. Raises Interrupted; what is done is there then."""
    said = list[Classified]()
    try:
        with closing(GrowingTable(path, classified.HEADER, 0)) as table:
            for batch in batches:
                table.append([row for each in batch for row in classified.rows(each)])
                said += batch
                if asked.total:
                    what = f"{asked.total:,} picture{'s' if asked.total != 1 else ''}"
                    display.progress(what, len(said), asked.total)
            table.sync()
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after {len(said):,}; what is said of them is in {path}.") from None
    return said


def _new_folder(run: Run) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return run.path / "predictions" / f"{stamp}-{secrets.token_hex(2)}"


def _outcomes(
    learner: Learner, prepared: Preparation, examples: Iterable[tuple[Found, Decoded]], top: int
) -> Iterator[list[Classified]]:
    """What came of ``examples``, in their order, a batch of good ones at a time."""
    like = Split(np.zeros((1, *prepared.input_shape), dtype=prepared.dtype), np.zeros(1, dtype=np.int64), prepared.told)
    most, waiting, good = score_rows(like), list[tuple[Found, Decoded]](), 0
    for found, example in examples:
        waiting.append((found, example))
        good += not isinstance(example, str)
        if good == most or len(waiting) == 4 * most:
            yield _classified(learner, like, waiting, top)
            waiting, good = [], 0
    if waiting:
        yield _classified(learner, like, waiting, top)


def _classified(learner: Learner, like: Split, waiting: list[tuple[Found, Decoded]], top: int) -> list[Classified]:
    inputs = [example for _, example in waiting if not isinstance(example, str)]
    ranks = iter(_ranks(learner, like, np.stack(inputs), top) if inputs else [])
    return [
        Classified(found.name, reason=example) if isinstance(example, str) else Classified(found.name, next(ranks))
        for found, example in waiting
    ]


def _ranks(learner: Learner, like: Split, inputs: np.ndarray, top: int) -> list[tuple[Rank, ...]]:
    names = like.class_names
    placed = learner.place(Split(inputs, np.zeros(len(inputs), dtype=np.int64), names))
    probabilities = np.asarray(learner.probabilities(placed.model_inputs()))
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return [
        tuple(Rank(index, names[index], float(shares[index])) for index in places)
        for shares, places in zip(probabilities, order.tolist(), strict=True)
    ]
