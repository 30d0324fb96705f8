"""The figures of a run's test predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlhw.arrays import Split
from mlhw.runs.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES: Final = 10


def draw_predictions(found: Predictions, class_names: Sequence[str], test: Split | None, folder: Path) -> list[Path]:
    """Write what ``found`` gives into ``folder``: confusion, classes, confused, and with ``test`` samples and mistakes.

    Args:
        found: one row a test row.
        class_names: in the order of the class indices.
        test: the same rows with their pictures, where they are to be had; others are not used.
        folder: where the figures go.
    """
    from mlhw.plots.style import save

    written = [path for name, draw in figures(found, class_names).items() for path in save(draw(), folder / name)]
    if test is not None and len(test.input_shape) == 3 and np.array_equal(found.target, np.asarray(test.targets)):
        written += save(_samples(test, found), folder / "samples", formats=("png",))
        if (found.predicted != found.target).any():
            written += save(_mistakes(test, found), folder / "mistakes", formats=("png",))
    return written


def figures(found: Predictions, class_names: Sequence[str]) -> dict[str, Callable[[], Figure]]:
    """What draws each figure that needs no pictures, by its name."""
    from mlhw.plots.class_accuracy import draw_class_accuracy
    from mlhw.plots.confused_pairs import draw_confused_pairs
    from mlhw.plots.confusion import confusion_matrix, draw_confusion

    matrix = confusion_matrix(found.target, found.predicted, len(class_names))
    return {
        "confusion": lambda: draw_confusion(matrix, class_names),
        "classes": lambda: draw_class_accuracy(matrix, class_names),
        "confused": lambda: draw_confused_pairs(matrix, class_names),
    }


def _samples(test: Split, found: Predictions) -> Any:
    from mlhw.plots.samples import draw_samples, pick_mistakes, pick_samples

    drawn = pick_samples(found.target, found.predicted, found.probability, count=SAMPLES, seed=0)
    mistakes = pick_mistakes(found.target, found.predicted, found.probability, count=SAMPLES)
    rows = np.concatenate([drawn, mistakes])
    images, names = np.asarray(test.inputs[rows]), test.class_names
    values = (found.target[rows], found.predicted[rows], found.probability[rows])
    return draw_samples(images, *values, names, mistakes=len(mistakes))


def _mistakes(test: Split, found: Predictions) -> Any:
    from mlhw.plots.mistakes import MOST_MISTAKES, Mistakes, draw_mistakes
    from mlhw.plots.samples import pick_mistakes

    rows = pick_mistakes(found.target, found.predicted, found.probability, count=MOST_MISTAKES)
    worst = Mistakes(rows, found.target[rows], found.predicted[rows], found.probability[rows])
    total = int((found.predicted != found.target).sum())
    return draw_mistakes(np.asarray(test.inputs[rows]), worst, test.class_names, total)
