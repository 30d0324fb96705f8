"""The layers of the network that a run trained, from its config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlhw.commands.report.sources import Member
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.errors import MlhwError
from mlhw.reports.records import Table
from mlhw.reports.text import DASH, count


def layers(
    member: Member, settings: Settings, progress: Callable[[str, int, int], None], notes: list[str]
) -> tuple[Table | None, str]:
    """A row a layer with the totals last, and a caption; None, and a note, where the network cannot be built today."""
    from mlhw.commands.summary import summary

    try:
        found = summary(config.load_file(member.run.config_file), settings, progress)
    except MlhwError as error:
        notes.append(f"No table of layers: {error}")
        return None, ""
    rows = [
        [
            layer["name"],
            layer["kind"],
            _size(layer["output_shape"]),
            count(layer["parameters"]) if layer["parameters"] else DASH,
            count(layer["multiply_adds"]) if layer["multiply_adds"] else DASH,
            _sees(layer),
        ]
        for layer in found["layers"]
    ]
    rows.insert(0, ["input", "", _size(_channels_first(found["input_shape"])), "", "", ""])
    rows.append(["total", "", "", count(found["parameters"]), count(found["multiply_adds"]), ""])
    headers = ["layer", "kind", "output", "parameters", "multiply-adds", "sees"]
    caption = "For one example. Output: "
    caption += "channels × height × width, or units. " if len(found["input_shape"]) == 3 else "units. "
    caption += "Sees: how much of the input one output value depends on."
    return Table(headers, rows, frozenset({2, 3, 4, 5}), last_is_total=True), caption


def _size(shape: Any) -> str:
    return "×".join(map(str, shape))


def _channels_first(shape: Any) -> Any:
    return [shape[2], shape[0], shape[1]] if len(shape) == 3 else shape


def _sees(layer: Mapping[str, Any]) -> str:
    return "all" if layer["sees_all"] else _size(layer["receptive_field"])
