"""One run, for a person to read."""

from __future__ import annotations

from typing import Any

from mlhw.cli.screen import percent, results, seconds


def print_run(record: dict[str, Any]) -> None:
    """Print what ``commands.inspect.show`` found."""
    screen = results()
    screen.print(f"{record['run_id']}  ({record['experiment']}, {record['status']})", style="bold")
    if record["error"] and record["status"] != "done":
        screen.print(f"{record['error'].get('kind')}: {record['error'].get('message')}", style="red")
    if record.get("train_loss") is not None:
        rows = [
            (split, f"{record[f'{split}_loss']:.4f}", percent(record[f"{split}_accuracy"]))
            for split in ("train", "val", "test")
            if record.get(f"{split}_loss") is not None
        ]
        screen.print_table(("split", "loss", "accuracy"), rows, right=(1, 2))
        screen.print(
            f"epoch {record['best_epoch']} of {record['epochs']}, {record['parameters']:,} parameters, "
            f"{seconds(record['seconds_training'])} training on {record['device']}, peak {record['peak_memory_mb'] or '?'} MB"
        )
    elif record["epochs"] is None:
        for line in _pictures(record):
            screen.print(line)
    else:
        screen.print(f"{record['epochs']} epochs on record")
    if judgement := record["judgement"]:
        screen.print(judgement["reason"])
    for line in record["expectations"]:
        screen.print(line)
    for line in _dead_units(record.get("dead_units") or []):
        screen.print(line)
    if record["confused"]:
        screen.print()
        pairs = [(c["truth"], c["predicted"], c["count"], percent(c["share"])) for c in record["confused"]]
        screen.print_table(("most confused", "taken for", "times", "of the class"), pairs, right=(2, 3))
    screen.print()
    screen.print("  ".join(record["files"]))
    screen.print(record["path"])


def _pictures(record: dict[str, Any]) -> list[str]:
    """What is known of a run of pretrained networks: how far it came, by which, and what it found."""
    lines, pictures = [], record.get("pictures") or {}
    if "done" in pictures:
        lines.append(f"{pictures['done']:,} of {pictures['found']:,} pictures done")
    elif pictures:
        skipped = f", {pictures['skipped']:,} skipped" if pictures["skipped"] else ""
        took = seconds(record["seconds_total"])
        lines.append(f"{pictures['classified']:,} pictures classified{skipped}; {took} in all on {record['device']}")
    models = record.get("models") or []
    lines += [f"{model['name']}: {model['parameters']:,} parameters, {model['weights']}" for model in models]
    return lines + [str(line) for line in record.get("findings") or []]


def _dead_units(layers: list[dict[str, Any]]) -> list[str]:
    """A line for each ReLU layer with dead units, or one that says that there are none; nothing where there is no ReLU."""
    lines = [
        f"relu {layer['layer']}: {layer['dead']} of {layer['units']} units dead (never above 0 on any training row)"
        for layer in layers
        if layer["dead"]
    ]
    return lines or ["no dead ReLU units"] * bool(layers)
