"""Draw a run's figures from its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mlhw.arrays import Split
from mlhw.errors import ConfigError, RunError, did_you_mean
from mlhw.runs import predictions, regions, store
from mlhw.runs.metrics import read_metrics

if TYPE_CHECKING:  # drawing loads matplotlib when it is asked for
    from matplotlib.figure import Figure

KINDS: Final = ("curves", "confusion", "classes", "confused", "regions")  # that need the run's own files alone


def draw_run(
    run: store.Run, test: Split | None, folder: Path | None = None, best_epoch: int | None = None
) -> list[Path]:
    """Write all figures of ``run`` into ``folder``, else into its own ``plots``: curves, and what its files are enough for.

    That is decision regions in the plane; and of its test predictions the confusion matrix, the accuracy of each class, the
    most confused pairs, and (where ``test`` has the pictures that they are of) samples and the worst mistakes.
    The ``best_epoch`` is the summary's where it is not given: a run that finishes has no summary yet.

    Raises:
        RunError: it has no metrics yet, or a file of it is damaged.
    """
    from mlhw.plots.curves import draw_curves
    from mlhw.plots.style import save

    folder = folder or run.plots
    written = save(draw_curves([_curves(run, run.id, best_epoch)]), folder / "curves")
    if run.regions_file.exists():
        written += save(_regions(run), folder / "regions")
    names = test.class_names if test is not None else (run.summary() or {}).get("class_names")
    if names and run.predictions_file.exists():
        from mlhw.commands.draw_predictions import draw_predictions

        written += draw_predictions(predictions.read(run.predictions_file), names, test, folder)
    return written


def _regions(run: store.Run) -> Figure:
    from mlhw.plots.regions import draw_regions

    found = regions.read(run.regions_file)
    plane = (found.grid_x, found.grid_y, found.predicted, found.confidence)
    held_against = (found.points, found.targets, found.class_names)
    title = f"{run.id} on {found.data}" if found.data else run.id
    return draw_regions(*plane, *held_against, guesses=found.guesses, title=title, split=found.split)


def draw_comparison(runs: Sequence[store.Run], target: Path, labels: Sequence[str] | None = None) -> list[Path]:
    """Overlay the curves of ``runs`` into ``target`` (a path without suffix), labelled with only what differs.

    ``labels`` name them instead, where they are given.

    Raises:
        RunError: a run has no metrics yet.
    """
    from mlhw.plots.style import save

    return save(comparison(runs, labels), target)


def comparison(runs: Sequence[store.Run], labels: Sequence[str] | None = None) -> Figure:
    """The curves of ``runs`` on one figure; ``labels`` and what is raised as for ``draw_comparison``."""
    from mlhw.plots.curves import draw_curves

    labels = labels or differing_labels(runs)
    return draw_curves([_curves(run, label) for run, label in zip(runs, labels, strict=True)])


def figure(run: store.Run, kind: str) -> Figure:
    """The figure of ``run`` that ``kind`` names, one of :data:`KINDS`; nothing is written.

    Raises:
        ConfigError: there is no such figure, or the run has not what it shows.
        RunError: it has no metrics yet, or a file of it is damaged.
    """
    if kind not in KINDS:
        raise ConfigError(f"there is no figure '{kind}'. {did_you_mean(kind, KINDS)}")
    if kind == "curves":
        return comparison([run])
    needed = run.regions_file if kind == "regions" else run.predictions_file
    names = (run.summary() or {}).get("class_names")
    if not needed.exists() or not names:
        raise ConfigError(f"run {run.id} has no {kind}: they are made of {needed.name}, which a finished run may have.")
    if kind == "regions":
        return _regions(run)
    from mlhw.commands.draw_predictions import figures

    return figures(predictions.read(run.predictions_file), names)[kind]()


def _curves(run: store.Run, label: str, best_epoch: int | None = None) -> Any:
    from mlhw.plots.curves import Curves

    rows = read_metrics(run.metrics_file)
    if not rows:
        raise RunError(f"run {run.id} has no finished epoch yet: there is nothing to plot.")
    return Curves(label, rows, best_epoch or (run.summary() or {}).get("best_epoch"))


def differing_labels(runs: Sequence[store.Run]) -> list[str]:
    """A label for each run: the config keys in which they differ with their values, else the run's id."""
    if len(runs) == 1:
        return [runs[0].id]
    flats = [_flat(_config(run)) for run in runs]
    ignored = {"description", "source", "result"}
    keys = sorted({key for flat in flats for key in flat} - ignored)
    differing = [key for key in keys if len({repr(flat.get(key)) for flat in flats}) > 1]
    names = [flat.get("name") for flat in flats]
    if "name" in differing:  # other experiments differ in everything: their names say it, unless some are of one name
        within = ("train.lr", "seed.init", "seed.data") if len(set(names)) < len(names) else ()
        differing = ["name", *(key for key in differing if key in within)]
    labels = [", ".join(_pair(key, flat.get(key)) for key in differing[:4]) for flat in flats]
    alike = len(set(labels)) < len(labels)
    return [f"{label} {run.id[-4:]}".strip() if alike else label for label, run in zip(labels, runs, strict=True)]


def _pair(key: str, value: Any) -> str:
    return str(value) if key == "name" else f"{key.rpartition('.')[2]} {value}"


def _config(run: store.Run) -> dict[str, Any]:
    from mlhw.config.reader import read

    # As it was written, whatever today's schema says: a run looks the same a year later.
    try:
        value = read(run.config_file.read_bytes(), str(run.config_file)).value
    except OSError as error:
        raise RunError(f"{run.config_file}: cannot be read: {error.strerror or error}.") from error
    return value if isinstance(value, dict) else {}


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    return {k: v for key, item in value.items() for k, v in _flat(item, f"{prefix}.{key}" if prefix else key).items()}
