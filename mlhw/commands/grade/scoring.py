"""A checkpoint scored on the rows of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mlhw.arrays import Splits
from mlhw.commands import assemble
from mlhw.commands.assemble.reporting import coarser_classes
from mlhw.commands.settings import Settings
from mlhw.config.schema import Experiment
from mlhw.runs import checkpoint
from mlhw.training.epoch import score_split


def warm() -> None:
    """Import what scoring imports: seconds, which should not be the first student's of a worker."""
    import mlhw.learners.autograd
    import mlhw.learners.explicit  # noqa: F401  (loaded for its time, not for its name)


class Score(NamedTuple):
    """Mean loss and accuracy over the ``rows`` of a split."""

    loss: float
    accuracy: float
    rows: int


@dataclass(frozen=True)
class Scores:
    """``splits`` by name (val and test, where the experiment has them), and the number of trained values."""

    parameters: int
    splits: dict[str, Score]


def score_checkpoint(experiment: Experiment, splits: Splits, settings: Settings, weights: Path) -> Scores:
    """What the model of ``experiment`` with the reported ``weights`` (a run's best.pt) reaches on val and test, on the CPU.

    ``splits`` are ``assemble.load_splits`` of the experiment. The numbers are those of the run's own summary, to the last
    digit where processor, threads and versions are the same.

    Raises:
        ConfigError: the model cannot take such inputs, or the weights do not fit it.
        RunError: the file is no checkpoint; nothing in it is executed.
        DataError: a split has no rows.
    """
    on_cpu = experiment.model_copy(update={"device": "cpu"})
    coarser = coarser_classes(on_cpu, settings)
    learner = assemble.build_learner(on_cpu, splits.train, "cpu", coarser)
    learner.adopt(checkpoint.load_weights(weights, finite=False))
    told = splits if coarser is None else splits.map(coarser.relabel)
    held_out = {name: split for name, split in told.named().items() if name != "train"}
    found = {}
    for name, split in held_out.items():
        row = score_split(learner, learner.place(split), name, 1, [0.0])[0]
        found[name] = Score(row.loss, row.accuracy, len(split))
    return Scores(assemble.count_parameters(learner), found)
