"""What follows when all pictures are done: predictions.json, the figures, and the summary, written last."""

from __future__ import annotations

from collections import Counter
from time import perf_counter
from typing import Any, Final

from mlhw.commands.display import Display
from mlhw.commands.pretrained import results
from mlhw.commands.pretrained.naming import counted, short_names
from mlhw.commands.pretrained.prepare import Job
from mlhw.commands.pretrained.results import Results
from mlhw.commands.pretrained.tables import predictions_files
from mlhw.datasets.names import csv_name
from mlhw.files import write_json
from mlhw.runs.environment import peak_memory_mb
from mlhw.runs.signature import signature
from mlhw.runs.store import Run

MOST_SKIPPED: Final = 1000  # that the summary lists; predictions.csv has all


def finish(run: Run, job: Job, facts: dict[str, Any], began: float, display: Display) -> dict[str, Any]:
    """Complete the files of ``run`` from those that grew, and return its summary.

    Args:
        run: all pictures of the job are in its files.
        job: see ``prepare``.
        facts: go into the summary as they are.
        began: when this sitting did, by ``perf_counter``.
        display: is told of the drawing.
    """
    found = results.read(run, job.asked.models, job.pictures)
    more: dict[str, Any] = {}
    records = list(found.records())
    if found.good:
        display.say("drawing …")
        if job.compares:
            from mlhw.commands.pretrained.compare import conclude

            more, each = conclude(run, job, found)
            for place, facts_of in zip(found.good, each, strict=True):
                records[place] |= facts_of
        else:
            _draw_grids(run, job, found)
    write_json(run.path / "predictions.json", _heading(run, job, found) | more | {"predictions": records})
    summary = _heading(run, job, found) | {
        "status": "done",
        "preprocess": job.asked.preprocess,
        "top": job.asked.top,
        "device": job.device,
        "threads": job.threads,
        "signature": signature(job.experiment.model_dump(mode="json")),
        "classes": classes(found),
        **more,
        "skipped": [{"file": csv_name(said.file), "reason": said.reason} for said in found.skipped[:MOST_SKIPPED]],
        **facts,
        "seconds_total": round(perf_counter() - began, 3),
        "peak_memory_mb": round(peak, 1) if (peak := peak_memory_mb()) is not None else None,
        "path": str(run.path),
    }
    write_json(run.summary_file, summary)
    return summary


def _heading(run: Run, job: Job, found: Results) -> dict[str, Any]:
    files = predictions_files(run, job.asked.models)
    return {
        "run_id": run.id,
        "experiment": job.experiment.name,
        "kind": job.asked.kind,
        "models": [
            {
                "name": network.name,
                "parameters": network.parameters,
                "weights": network.source,
                "predictions": path.name,
            }
            for network, path in zip(job.networks, files, strict=True)
        ],
        "pictures": {"found": len(found.pictures), "classified": len(found.good), "skipped": len(found.skipped)},
    }


def classes(found: Results, most: int = 20) -> dict[str, dict[str, int]]:
    """For each model the classes that it names most often, with how many pictures each has."""
    return {
        model: dict(Counter(each.ranks[0].class_name for each in said if each.ranks).most_common(most))
        for model, said in zip(found.models, found.said, strict=True)
    }


def _draw_grids(run: Run, job: Job, found: Results) -> None:
    """Draw a sheet for each network: grid.png of a single one, else grid-<model>.png."""
    from mlhw.commands.pretrained.pictures import MOST_ON_A_SHEET, small, spread
    from mlhw.plots.grid import Card, draw_grid, pixels
    from mlhw.plots.style import save

    places = [found.good[place] for place in spread(len(found.good), MOST_ON_A_SHEET)]
    thumbnails = small([found.pictures[place].path for place in places], pixels(len(places)))
    names = short_names(found)
    for network, said in zip(job.networks, found.said, strict=True):
        firsts = [said[place].ranks[0] for place in places]
        cards = [
            Card(picture, names[place], first.class_name, first.probability)
            for picture, place, first in zip(thumbnails, places, firsts, strict=True)
        ]
        sheet = draw_grid(cards, f"{network.name}: {counted(found, len(places))}", _notes(job))
        name = "grid" if len(job.networks) == 1 else f"grid-{network.name}"
        save(sheet, run.plots / name, formats=("png",))


def _notes(job: Job) -> str:
    sizes = "squashed to the network's size" if job.asked.preprocess == "course" else "torchvision's resize and crop"
    return f"{sizes[0].upper()}{sizes[1:]}. Title: the likeliest class; bar: its probability."
