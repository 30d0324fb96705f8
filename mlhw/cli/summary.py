"""summary."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from mlhw.cli.options import ExperimentArgument, Json, Set

HEADERS = ("layer", "kind", "output", "params", "MACs", "sees", "output size by hand")
MACS, BY_HAND = 4, 6
MACS_LEGEND = "MACs: multiply-adds for one example"
IMAGE_LEGEND = (
    f"output: channels×height×width; {MACS_LEGEND};",
    "sees: how many input pixels (height×width) one output value depends on",
)
FLAT_LEGEND = (f"{MACS_LEGEND};", "sees: how many input values one output value depends on")


def summary(
    experiment: ExperimentArgument,
    overrides: Set = None,
    blocks: Annotated[bool, typer.Option("--blocks", help="One line for a block of layers.")] = False,
    as_json: Json = False,
) -> None:
    """A network layer by layer: sizes, parameters, multiply-adds, and what each layer sees of the input."""
    from mlhw.cli.live import Live
    from mlhw.cli.screen import print_json
    from mlhw.commands.settings import from_environment
    from mlhw.commands.summary import summary as summarize
    from mlhw.config.load import load

    found = load(experiment, overrides or ())
    display = Live()
    try:
        record = summarize(found, from_environment(), display.progress)
    finally:
        display.end()
    if as_json:
        print_json(record)
    else:
        print_summary(record, blocks=blocks)


def print_summary(record: dict[str, Any], *, blocks: bool = False) -> None:
    """Print what ``commands.summary.summary`` gives; with ``blocks`` one line for a block of layers."""
    _print(record, _in_blocks(record["layers"]) if blocks else record["layers"])


def _print(record: dict[str, Any], layers: list[dict[str, Any]]) -> None:
    from rich.text import Text

    from mlhw.cli.screen import errors, results

    screen = results()
    screen.print(f"{record['experiment']}  ({record['model']}, {record['classes']} classes)", style="bold")
    rows = [_input(record), *map(_row, layers), _total(record)]
    shown = _columns(rows, screen.console.width)
    right = [place for place, column in enumerate(shown) if column in (3, 4, 5)]
    cells = [[Text(row[column], "bold" if row is rows[-1] else "") for column in shown] for row in rows]
    screen.print_table([HEADERS[column] for column in shown], cells, right=right)
    for line in IMAGE_LEGEND if len(record["input_shape"]) == 3 else FLAT_LEGEND:
        screen.print(line, style="dim")
    screen.print()
    counts = f"{record['parameters']:,} parameters, {record['buffers']:,} buffers"
    screen.print(f"{counts}, {record['multiply_adds']:,} multiply-adds an example")
    weights, activations = _bytes(record["weight_bytes"]), _bytes(record["activation_bytes"])
    screen.print(f"as float32: {weights} of weights, {activations} of activations an example")
    for line in record["expectations"]:
        screen.print(line)
    if gone := [HEADERS[column] for column in (MACS, BY_HAND) if column not in shown and _has(rows, column)]:
        errors().print(f"no room for the columns: {', '.join(gone)}. A wider terminal shows them, and --json.", "dim")


def _in_blocks(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Layers side by side in one block as one line: what the last gives and sees, what all of them cost."""
    found = []
    for (name, block), group in groupby(layers, key=lambda layer: (layer["name"].partition(".")[0], layer["block"])):
        parts = list(group)
        if block:
            costs = {key: sum(part[key] for part in parts) for key in ("parameters", "multiply_adds")}
            parts = [parts[-1] | costs | {"name": name, "kind": f"{block} of {len(parts)} layers", "by_hand": ""}]
        found += parts
    return found


def _columns(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns that have something to show and fit into ``width``: by hand goes first, then MACs."""
    shown = [column for column in range(len(HEADERS)) if _has(rows, column)]
    for spare in (BY_HAND, MACS):
        widths = [max(len(HEADERS[column]), *(len(row[column]) for row in rows)) for column in shown]
        if sum(widths) + 2 * (len(widths) - 1) > width:
            shown = [column for column in shown if column != spare]
    return shown


def _has(rows: Sequence[Sequence[str]], column: int) -> bool:
    return any(row[column] for row in rows)


def _input(record: dict[str, Any]) -> list[str]:
    *size, channels = record["input_shape"]
    return ["input", "", _by([channels, *size]), "", "", _by([1] * max(1, len(size))), ""]


def _row(layer: dict[str, Any]) -> list[str]:
    counts = [f"{layer[key]:,}" if layer[key] else "" for key in ("parameters", "multiply_adds")]
    sees = "all" if layer["sees_all"] else _by(layer["receptive_field"])
    return [layer["name"], layer["kind"], _by(layer["output_shape"]), *counts, sees, layer["by_hand"]]


def _total(record: dict[str, Any]) -> list[str]:
    return ["total", "", "", f"{record['parameters']:,}", f"{record['multiply_adds']:,}", "", ""]


def _by(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"
