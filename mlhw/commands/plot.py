"""``mlhw plot``: the curves of one run anew, or of several overlaid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mlhw.commands import draw
from mlhw.commands.settings import Settings
from mlhw.files import make_folder
from mlhw.runs import store


def plot(settings: Settings, names: Sequence[str], folder: Path | None) -> list[Path]:
    """Write the curves of the runs ``names`` as PNG and SVG; returns the paths.

    One run's go into its own ``plots`` folder; those of several into ``outputs/plots``, named by the runs they show.

    Raises:
        RunError: a run is not there, or has no finished epoch.
    """
    runs = list({run.id: run for run in (store.find(settings.outputs, name) for name in names)}.values())
    single = len(runs) == 1
    folder = folder or (runs[0].plots if single else settings.outputs / "plots")
    make_folder(folder)
    ids = "\n".join(run.id for run in runs)
    stem = "curves" if single else f"curves-{len(runs)}-runs-{hashlib.sha256(ids.encode()).hexdigest()[:6]}"
    return draw.draw_comparison(runs, folder / stem)
