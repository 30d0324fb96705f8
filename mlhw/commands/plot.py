"""``mlhw plot``: all figures of one run anew, or the curves of several overlaid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mlhw.arrays import Split
from mlhw.commands import draw
from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.errors import ConfigError, DataError
from mlhw.files import make_folder
from mlhw.runs import store


def plot(settings: Settings, names: Sequence[str], folder: Path | None, display: Display) -> list[Path]:
    """Write the figures of the one run in ``names``, or the curves of several on one figure; returns the paths.

    One run's go into its own ``plots`` folder; those of several into ``outputs/plots``, named by the runs they show.

    Raises:
        RunError: a run is not there, or has no finished epoch.
    """
    runs = list({run.id: run for run in (store.find(settings.outputs, name) for name in names)}.values())
    if len(runs) == 1:
        return draw.draw_run(runs[0], _test_rows(runs[0], settings, display), make_folder(folder or runs[0].plots))
    folder = make_folder(folder or settings.outputs / "plots")
    ids = "\n".join(run.id for run in runs)
    stem = f"curves-{len(runs)}-runs-{hashlib.sha256(ids.encode()).hexdigest()[:6]}"
    return draw.draw_comparison(runs, folder / stem)


def _test_rows(run: store.Run, settings: Settings, display: Display) -> Split | None:
    """The test rows that the predictions of ``run`` are of; None where it has none, or (with a warning) they cannot be had."""
    if not run.predictions_file.exists():
        return None
    from mlhw.commands import assemble
    from mlhw.config.load import load_file

    try:
        experiment = load_file(run.config_file)
        test = assemble.load_whole(experiment, settings, display.progress).test
        coarser = assemble.coarser_classes(experiment, settings)
        return test if test is None or coarser is None else coarser.relabel(test)
    except (ConfigError, DataError) as error:  # a run looks the same a year later, but for what it does not hold itself
        display.warn(f"without pictures, since the rows that they are of are not there: {error}")
        return None
