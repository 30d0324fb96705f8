"""The classes that results are told in, where training knows finer ones."""

from __future__ import annotations

from pathlib import Path

from mlhw.commands.settings import Settings
from mlhw.config.schema import Experiment
from mlhw.datasets.coarser import Coarser


def coarser_classes(experiment: Experiment, settings: Settings) -> Coarser | None:
    """The coarser classes that ``data.report`` asks for; None where results are told in the classes of training.

    Raises:
        DataError: the lists are missing or bad, or a finer class belongs to two coarser ones.
    """
    data = experiment.data
    if data.kind != "grocery" or data.report is None or data.report == data.labels:
        return None
    from mlhw.datasets.grocery import coarse_of_fine

    return coarse_of_fine(Path(settings.data))
