"""What follows when all is predicted: predictions.json and a sheet of the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from mlhw.commands.display import Display
from mlhw.commands.predict.reading import Reader
from mlhw.datasets.names import below_shared, csv_name, escape_name
from mlhw.datasets.pictures import BadImage
from mlhw.files import write_json
from mlhw.runs.classified import Classified

MOST_CLASSES = 20  # that are counted


def finish(
    folder: Path,
    facts: dict[str, Any],
    said: Sequence[Classified],
    reader: Reader | None,
    began: float,
    display: Display,
) -> dict[str, Any]:
    """Write predictions.json, and grid.png where pictures were named, into ``folder``; returns what the former holds.

    Args:
        folder: has predictions.csv already.
        facts: of the run and its model; go into the record as they are.
        said: what came of each picture or row.
        reader: what read the pictures; None for rows.
        began: when all this did, by ``perf_counter``.
        display: is told of the drawing.
    """
    good = [each for each in said if each.ranks]
    files = ["predictions.csv", "predictions.json"]
    if good and reader is not None:
        display.say("drawing …")
        files += [path.name for path in _draw(folder, facts, good, reader)]
    record = facts | {
        "kind": "rows" if reader is None else "pictures",
        "inputs": {"found": len(said), "classified": len(good), "skipped": len(said) - len(good)},
        "classes": dict(Counter(each.ranks[0].class_name for each in good).most_common(MOST_CLASSES)),
        "predictions": [_record(each) for each in said],
        "files": files,
        "seconds_total": round(perf_counter() - began, 3),
        "path": str(folder),
    }
    write_json(folder / "predictions.json", record)
    return record


def _record(said: Classified) -> dict[str, Any]:
    ranks = [
        {"rank": place, "class_index": rank.class_index, "class_name": rank.class_name, "probability": rank.probability}
        for place, rank in enumerate(said.ranks, start=1)
    ]
    status = "ok" if ranks else "skipped"
    return {"file": csv_name(said.file), "status": status, "reason": said.reason or None, "predictions": ranks}


def _draw(folder: Path, facts: dict[str, Any], good: Sequence[Classified], reader: Reader) -> list[Path]:
    """A sheet of the pictures, at most a hundred: as they are, or, where little is left of them, as the model sees them."""
    from mlhw.commands.pretrained.pictures import MOST_ON_A_SHEET, small, spread
    from mlhw.plots.grid import Card, draw_grid, pixels
    from mlhw.plots.style import save

    places = spread(len(good), MOST_ON_A_SHEET)
    paths = [Path(good[place].file) for place in places]
    pictures = small(paths, pixels(len(places))) if reader.as_is else [_seen(path, reader) for path in paths]
    names = below_shared([escape_name(each.file) for each in good])
    cards = [
        Card(picture, names[place], good[place].ranks[0].class_name, good[place].ranks[0].probability)
        for picture, place in zip(pictures, places, strict=True)
    ]
    count = f"{len(good):,} picture{'s' if len(good) != 1 else ''}"
    shown = count if len(places) == len(good) else f"{len(places):,} of {count}, evenly spread"
    words = reader.words if reader.as_is else f"as the model sees them: {reader.words}"
    note = f"{words[0].upper()}{words[1:]}. Title: the likeliest class; bar: its probability."
    sheet = draw_grid(cards, f"{facts['run_id']}: {shown}", note)
    return save(sheet, folder / "grid", formats=("png",))


def _seen(path: Path, reader: Reader) -> np.ndarray:
    from mlhw.plots.pictures import displayable

    try:
        example = reader.read(path, lambda total: None)
    except BadImage:  # gone by now
        return np.full((64, 64, 3), 200, dtype=np.uint8)
    return np.ascontiguousarray(displayable(example[np.newaxis])[0])
