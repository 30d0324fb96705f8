"""What a sweep shows: figures from its runs' files, and for rates what their curves say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlhw.commands import draw
from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.commands.sweep.asking import Asked, How
from mlhw.commands.sweep.sweep import Swept, sweep
from mlhw.errors import Interrupted, MlhwError
from mlhw.files import make_folder, write_text
from mlhw.plots.swept import Curve
from mlhw.protocols import EpochRow
from mlhw.runs import store
from mlhw.runs.metrics import read_metrics
from mlhw.sweeps import records
from mlhw.sweeps.records import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CURVES = 10  # lines of one figure that can still be told apart
MOST_BANDS = 64


def sweep_and_draw(asked: Asked, how: How, settings: Settings, display: Display) -> dict[str, Any]:
    """Train what is not done yet of ``asked``; what ``results`` makes of it.

    Raises:
        ConfigError, RunError, OutputError: as ``sweep`` does.
        Interrupted: by Ctrl+C; says how to go on.
    """
    try:
        return results(sweep(asked, how, settings, display), settings)
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted("interrupted: what is done stays done. The same command goes on with the rest.") from None
    finally:
        display.end()


def results(swept: Swept, settings: Settings) -> dict[str, Any]:
    """The sweep as plain values, with its figures drawn into its folder."""
    found = swept.records
    result = {
        "sweep_id": swept.folder.id,
        "experiment": swept.asked.base.name,
        "path": str(swept.folder.path),
        "how": swept.why,
        "trials": found,
        "spreads": records.spreads(found),
    }
    if swept.asked.kind == "sweep-lr":
        curves = _curves(found, settings)
        said = _discussion(curves, found, settings)
        write_text(swept.folder.path / "discussion.txt", "".join(f"{line}\n" for line in said))
        return result | {"discussion": said, "files": [str(path) for path in _draw_rates(swept, curves)]}
    return result | {"files": [str(path) for path in _draw(swept, settings)]}


def _curves(found: Sequence[Record], settings: Settings) -> list[Curve]:
    return [
        Curve(
            record.variant,
            float(record.values["train.lr"]),
            _rows(settings, record.run_id),
            lost=record.error,
            best_epoch=record.best_epoch,
        )
        for record in found
    ]


def _rows(settings: Settings, run_id: str) -> list[EpochRow]:
    """The rows of a run that may have failed before it wrote any."""
    try:
        return read_metrics(store.Run(settings.outputs / run_id).metrics_file) if run_id else []
    except MlhwError:
        return []


def _discussion(curves: Sequence[Curve], found: Sequence[Record], settings: Settings) -> list[str]:
    from mlhw.sweeps.discussion import discuss

    done = next((record for record in found if record.status == "done"), None)
    summary = (store.Run(settings.outputs / done.run_id).summary() if done else None) or {}
    names = summary.get("class_names")
    return discuss(curves, classes=len(names) if names else None, rows=summary.get("rows") or {})


def _draw_rates(swept: Swept, curves: Sequence[Curve]) -> list[Path]:
    from mlhw.plots.final import draw_final
    from mlhw.plots.rates import draw_rates
    from mlhw.plots.style import save

    plots, name = make_folder(swept.folder.plots), swept.asked.base.name
    return save(draw_rates(curves, name), plots / "curves") + save(draw_final(curves, name), plots / "final")


def _draw(swept: Swept, settings: Settings) -> list[Path]:
    from mlhw.plots.style import save

    drawn = figures(swept.asked.base.name, swept.records, settings)
    plots = make_folder(swept.folder.plots) if drawn else swept.folder.plots
    return [path for name, figure in drawn.items() for path in save(figure, plots / name)]


def figures(title: str, found: Sequence[Record], settings: Settings) -> dict[str, Figure]:
    """The ``curves`` of each setting (bands where it has several seeds), and the ``accuracy`` of all runs, a row a setting.

    Empty where no run is done.
    """
    finished = [record for record in found if record.status == "done"]
    if not finished:
        return {}
    from mlhw.plots.bands import draw_bands
    from mlhw.plots.spread import draw_spread

    settings_ = list(dict.fromkeys(record.variant for record in finished))
    if len(finished) > len(settings_) or len(settings_) > MOST_CURVES:
        by = {name: [record for record in finished if record.variant == name] for name in settings_[:MOST_BANDS]}
        groups = {name: [_rows(settings, record.run_id) for record in mine] for name, mine in by.items()}
        reported = {name: [record.best_epoch for record in mine] for name, mine in by.items()}
        curves = draw_bands(groups, title, reported)
    else:
        runs = [store.find(settings.outputs, record.run_id) for record in finished]
        curves = draw.comparison(runs, [record.variant for record in finished])
    measure = next(name for name in ("val", "test", "train") if getattr(finished[0], f"{name}_accuracy") is not None)
    values = {}
    for variant in settings_[:MOST_BANDS]:
        mine = [record for record in finished if record.variant == variant]
        values[variant] = {
            split: [getattr(record, f"{split}_accuracy") for record in mine]
            for split in dict.fromkeys(("train", measure))
        }
    return {"curves": curves, "accuracy": draw_spread(values, f"{title}: accuracy of every run")}
