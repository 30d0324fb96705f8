"""What the runs' test predictions say of the classes: of one run, or of all runs of a setting together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from mlhw.commands.report.sources import Member, Setting
from mlhw.commands.settings import Settings
from mlhw.errors import MlhwError
from mlhw.reports import matrix, thumbnails
from mlhw.reports.records import Classes, Confusion, Mistake
from mlhw.runs import predictions

Progress = Callable[[str, int, int], None]

MOST_CLASSES: Final = 100  # a matrix of more is not read
MOST_CONFUSED: Final = 8
MOST_MISTAKES: Final = 18


class _Pool(NamedTuple):
    """The predictions of ``runs`` runs: targets (rows,), and predicted classes and their probabilities (runs, rows)."""

    target: np.ndarray
    predicted: np.ndarray
    probability: np.ndarray

    @property
    def runs(self) -> int:
        return len(self.predicted)


def classes(
    setting: Setting, settings: Settings, progress: Progress, notes: list[str], several: bool
) -> Classes | None:
    """Each class's accuracy, the confusion matrix and the worst mistakes; None, and a note, where nothing was predicted."""
    pool = _read(setting.members, notes)
    if pool is None:
        notes.append("No classes and mistakes: there are no test predictions.")
        return None
    summary = setting.members[0].run.summary() or {}
    names = [str(name) for name in summary.get("class_names") or []]
    highest = int(max(pool.target.max(initial=0), pool.predicted.max(initial=0)))
    names += [str(place) for place in range(len(names), highest + 1)]
    try:
        counts = matrix.count(np.tile(pool.target, pool.runs), pool.predicted.ravel(), len(names))
    except ValueError as error:
        notes.append(f"No classes and mistakes: the test predictions are damaged: {error}.")
        return None
    scores = matrix.scores(counts, names)
    small = len(names) <= MOST_CLASSES
    if not small:
        notes.append(
            f"No confusion matrix: {len(names)} classes are too many for one; the pairs confused most are listed."
        )
    of = f"{pool.runs} runs" if pool.runs > 1 else ""
    if several:
        of = f"{setting.label}, {of}".rstrip(", ")
    return Classes(
        of=of,
        right=int(np.trace(counts)),
        rows=int(counts.sum()),
        scores=scores,
        confusion=Confusion(names, counts.tolist()) if small else None,
        confused=matrix.confused(counts, names, MOST_CONFUSED),
        mistakes=_mistakes(pool, names, setting.members[0], settings, progress, notes),
    )


def _read(members: Sequence[Member], notes: list[str]) -> _Pool | None:
    """The predictions of the runs that were asked of the same rows as the first."""
    found = []
    for member in members:
        if member.row.status != "done" or not member.run.predictions_file.exists():
            continue
        try:
            found.append(predictions.read(member.run.predictions_file))
        except MlhwError as error:
            notes.append(str(error).replace(str(member.run.path), member.run.id))
    alike = [each for each in found if np.array_equal(each.target, found[0].target)]
    if len(alike) < len(found):
        notes.append("The classes and mistakes are of the first run alone: the runs were tested on different rows.")
        alike = alike[:1]
    if not alike or not len(alike[0].target):
        return None
    return _Pool(
        alike[0].target, np.stack([each.predicted for each in alike]), np.stack([each.probability for each in alike])
    )


def _mistakes(
    pool: _Pool, names: Sequence[str], member: Member, settings: Settings, progress: Progress, notes: list[str]
) -> list[Mistake]:
    """The rows that most runs get wrong, the most confident mistakes first, each with its picture where the data is here."""
    wrong = pool.predicted != pool.target
    times = wrong.sum(axis=0)
    confidence = np.where(wrong, np.nan_to_num(pool.probability, nan=0.0), 0.0).sum(axis=0) / np.maximum(times, 1)
    order = np.lexsort((-confidence, -times))[: min(MOST_MISTAKES, int((times > 0).sum()))]
    if not len(order):
        return []
    pictures = _pictures(order, pool.target, member, settings, progress, notes)
    found = []
    for place, row in enumerate(order.tolist()):
        guesses = pool.predicted[wrong[:, row], row]
        guess = int(np.bincount(guesses).argmax())
        picture, tiny = pictures[place] if pictures else ("", False)
        chance = float(confidence[row])
        found.append(
            Mistake(row, names[pool.target[row]], names[guess], chance, int(times[row]), pool.runs, picture, tiny)
        )
    return found


def _pictures(
    rows: np.ndarray, target: np.ndarray, member: Member, settings: Settings, progress: Progress, notes: list[str]
) -> list[tuple[str, bool]]:
    """A data URI for each of the test ``rows``, and whether its pixels are few; nothing where there are no pictures."""
    from mlhw.commands.assemble.reporting import coarser_classes
    from mlhw.commands.assemble.splits import load_whole
    from mlhw.config import load as config
    from mlhw.plots.pictures import displayable

    try:
        experiment = config.load_file(member.run.config_file)
        whole = load_whole(experiment, settings, progress)
        coarser = coarser_classes(experiment, settings)
    except MlhwError as error:
        notes.append(f"The mistakes are without pictures, for the data is not here: {error}")
        return []
    test = whole.test if coarser is None or whole.test is None else coarser.relabel(whole.test)
    if test is None or len(test.input_shape) != 3:
        return []
    if not np.array_equal(np.asarray(test.targets), target):
        notes.append("The mistakes are without pictures: the data is not the data that the run was tested on.")
        return []
    images = displayable(np.asarray(test.inputs[rows]))
    return [(thumbnails.data_uri(image), thumbnails.is_tiny(image)) for image in images]
