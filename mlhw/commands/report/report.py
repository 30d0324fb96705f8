"""``mlhw report``: runs, or a sweep, as one HTML file that is complete in itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from mlhw.commands.report import browser, curves, tables, verdict
from mlhw.commands.report.classes import classes
from mlhw.commands.report.network import layers
from mlhw.commands.report.recipe import recipe
from mlhw.commands.report.sources import Sources, gather
from mlhw.commands.settings import Settings
from mlhw.files import make_folder, write_text
from mlhw.reports.page import render
from mlhw.reports.records import Picture, Report
from mlhw.reports.thumbnails import png_uri
from mlhw.runs import store
from mlhw.sweeps.folder import SweepFolder

Progress = Callable[[str, int, int], None]

MOST_PICTURE_BYTES: Final = 700_000


def report(
    settings: Settings, names: Sequence[str], folder: Path | None, pdf: bool, progress: Progress
) -> dict[str, Any]:
    """Write report.html of the runs and sweeps ``names``; returns {path, pdf, bytes, runs, sections, left_out}.

    It goes into the run's or the sweep's folder, of several into ``outputs/reports/<id>``, or into ``folder``. With ``pdf``
    report.pdf comes beside it.

    Raises:
        ConfigError: there is no name, or MLHW_BROWSER names no program.
        RunError: a name means nothing or several things, or nothing of all of it has a finished epoch.
        OutputError: a file cannot be written; or there is no browser for the PDF, and then report.html is written.
    """
    program = browser.find() if pdf else None
    sources, found = gather(settings, names)
    page = _report(sources, settings, progress)
    target = make_folder(folder or _home(settings, found)) / "report.html"
    text = render(page)
    write_text(target, text)
    printed = target.with_suffix(".pdf") if pdf else None
    if printed is not None:
        browser.print_pdf(target, printed, program)
    return {
        "path": str(target),
        "pdf": str(printed) if printed else None,
        "bytes": len(text.encode()),
        "runs": [member.run.id for member in sources.members],
        "sections": _sections(page),
        "left_out": list(page.notes),
    }


def _home(settings: Settings, found: Sequence[store.Run | SweepFolder]) -> Path:
    """Where a report lies: with what it is of; of several things under a name that follows from theirs."""
    if len(found) == 1:
        return found[0].path
    digest = hashlib.sha256("\n".join(each.id for each in found).encode()).hexdigest()[:6]
    return settings.outputs / "reports" / f"{len(found)}-{digest}"


def _report(sources: Sources, settings: Settings, progress: Progress) -> Report:
    import mlhw

    best, several, notes = sources.best(), len(sources.settings) > 1, list(sources.notes)
    first = best.members[0]
    lines = curves.lines(sources)
    if len(lines) < len(sources.settings):
        notes.append(
            f"The charts show {len(lines)} of {len(sources.settings)} settings, those with the best accuracy on val."
        )
    dots, dots_of = tables.dots(sources)
    epochs, epochs_caption = curves.epochs(lines, sources.held_out())
    found_layers, layers_caption = layers(first, settings, progress, notes)
    config = first.row.config
    alike = len({setting.row.experiment for setting in sources.settings}) == 1
    return Report(
        title=first.row.experiment if alike else ", ".join(dict.fromkeys(s.row.experiment for s in sources.settings)),
        subtitle=_subtitle(sources),
        description=str(config.get("description") or "") if alike else "",
        source=str(config.get("source") or "") if alike else "",
        claim=str(config.get("result") or "") if alike else "",
        findings=verdict.findings(sources),
        facts=verdict.facts(sources),
        lines=lines,
        epochs=epochs,
        epochs_caption=epochs_caption,
        results=tables.results(sources),
        dots=dots,
        dots_of=dots_of,
        runs=tables.runs(sources),
        classes=classes(best, settings, progress, notes, several),
        layers=found_layers,
        layers_caption=layers_caption,
        recipe=recipe(first, len(sources.rows) > 1),
        environment=tables.environment(sources.members),
        pictures=_pictures(sources),
        discussion=_discussion(sources),
        notes=notes,
        version=mlhw.__version__,
    )


def _subtitle(sources: Sources) -> str:
    if (member := sources.single) is not None:
        return f"Run {member.run.id}"
    count = f"{len(sources.rows)} runs" if len(sources.rows) > 1 else "1 run"
    by = f" of {len(sources.settings)} settings" if len(sources.settings) > 1 else ""
    return f"Sweep {sources.sweep.id}: {count}{by}" if sources.sweep else f"{count}{by}"


def _pictures(sources: Sources) -> list[Picture]:
    """The run's decision regions, where it has drawn any."""
    member = sources.single
    path = member.run.plots / "regions.png" if member else None
    if member is None or path is None or not path.is_file() or path.stat().st_size > MOST_PICTURE_BYTES:
        return []
    alt = f"The plane, each point in the colour of the class that {member.run.id} gives it, with held-out rows on top."
    caption = "Decision regions: colour is the predicted class, its strength the probability; hollow rows are mistakes."
    return [Picture(png_uri(path.read_bytes()), alt, caption)]


def _discussion(sources: Sources) -> list[str]:
    """What a sweep over learning rates said of itself."""
    path = sources.sweep.path / "discussion.txt" if sources.sweep else None
    if path is None or not path.is_file():
        return []
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def _sections(page: Report) -> list[str]:
    there = {
        "verdict": page.findings,
        "curves": page.lines,
        "results": page.results,
        "discussion": page.discussion,
        "runs": page.runs,
        "regions": page.pictures,
        "classes": page.classes,
        "confusion": page.classes and page.classes.confusion,
        "mistakes": page.classes and page.classes.mistakes,
        "layers": page.layers,
        "config": page.recipe,
        "environment": page.environment,
        "reproduce": page.recipe,
    }
    return [name for name, found in there.items() if found]
