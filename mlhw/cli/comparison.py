"""Compared runs as text: what stands in a cell, and the whole as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections.abc import Sequence
from typing import Any

from mlhw.cli.screen import percent, plain, seconds
from mlhw.commands.compare.rows import Row
from mlhw.commands.compare.table import Comparison
from mlhw.commands.compare.values import ABSENT, is_accuracy, value
from mlhw.sweeps.records import Spread

_HEADINGS = {"run_id": "run", "seconds": "training"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet computes a cell that begins so


def headings(columns: Sequence[str], *, dotted: bool = False) -> list[str]:
    """What to write above ``columns``: ``val acc``, ``lr`` (a key's last part where no other ends alike)."""
    lasts = [name.rpartition(".")[2] for name in columns]
    found = []
    for name, last in zip(columns, lasts, strict=True):
        if "." not in name or name.startswith("top1_accuracy."):
            found.append(_HEADINGS.get(name, name.replace("_accuracy", " acc").replace("_loss", " loss")))
        elif dotted or lasts.count(last) > 1 or last == "kind" or name.startswith("seed."):
            found.append(name)
        else:
            found.append(last)
    return [plain(name).plain.replace("_", " ") if "." not in name else plain(name).plain for name in found]


def read_as(row: Row, column: str) -> str:
    """What ``row`` has in ``column`` as a person reads it: shares in percent, times, means ± deviations; settings short."""
    found = value(row, column)
    if found is ABSENT:
        return "–"
    if isinstance(found, Spread):
        return _spread(found, column, row.n)
    if column in row.measures:
        return _number(found, column)
    return short(found)


def _number(found: float, column: str) -> str:
    if is_accuracy(column):
        return percent(found)
    if column == "seconds":
        return seconds(found)
    if column.endswith("_loss"):
        return f"{found:.4f}" if 0.001 <= abs(found) < 1000 else f"{found:.3g}"
    return f"{found:,.0f}" if math.isfinite(found) else str(found)


def _spread(found: Spread, column: str, rows: int) -> str:
    """Mean ± sample standard deviation; the mean alone of one value; n where it is not that of the row."""
    several = found.n > 1
    if is_accuracy(column):
        mean = f"{100 * found.mean:.2f} ± {100 * found.deviation:.2f} %" if several else percent(found.mean)
    elif column == "epochs":
        mean = f"{found.mean:.1f} ± {found.deviation:.1f}"
    elif several and column.endswith("_loss"):
        small = 0.001 <= abs(found.mean) < 1000
        mean = f"{_number(found.mean, column)} ± {found.deviation:{'.4f' if small else '.2g'}}"
    else:
        mean = _number(found.mean, column)
    return mean if found.n == rows else f"{mean} (n = {found.n})"


def short(found: Any) -> str:
    """A setting in few words: ``dense 16, residual 16 ×2``."""
    if isinstance(found, list):
        items = [(text, len(list(same))) for text, same in itertools.groupby(map(short, found))]
        return ", ".join(f"{text} ×{times}" if times > 1 else text for text, times in items) or "[]"
    if isinstance(found, dict):
        return (
            " ".join(short(item) if "kind" in found else f"{key} {short(item)}" for key, item in found.items()) or "{}"
        )
    return " ".join(plain(_scalar(found)).plain.split())


def _scalar(found: Any) -> str:
    if isinstance(found, str):
        return found
    return (
        {None: "null", True: "true", False: "false"}[found]
        if found is None or found is True or found is False
        else str(found)
    )


def whole(found: Any) -> str:
    """A setting with nothing left out, on one line."""
    return json.dumps(found, ensure_ascii=False) if isinstance(found, list | dict) else _scalar(found)


def as_csv(found: Comparison) -> str:
    """The table as CSV with the numbers as they are; folded rows have ``…_sd``, and ``…_n`` where a measure has fewer."""
    spreads = {name for name in found.columns if any(isinstance(value(row, name), Spread) for row in found.rows)}
    fewer = {name for name in spreads for row in found.rows if getattr(value(row, name), "n", row.n) != row.n}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    header = [_safe(found.title)]
    for name in found.columns:
        header += [_safe(name), *[f"{name}_sd"] * (name in spreads), *[f"{name}_n"] * (name in fewer)]
    table.writerow(header)
    for row in found.rows:
        line: list[object] = [_safe(found.name(row))]
        for name in found.columns:
            line += _csv_cells(value(row, name), name in spreads, name in fewer)
        table.writerow(line)
    return text.getvalue()


def _csv_cells(item: Any, is_spread: bool, has_n: bool) -> list[object]:
    """One cell, or a spread's two or three."""
    blank: list[object] = [""] * (is_spread + has_n)
    if item is ABSENT:
        return ["", *blank]
    if isinstance(item, Spread):
        return [repr(item.mean), repr(item.deviation) if item.n > 1 else "", *[item.n] * has_n]
    if isinstance(item, int | float) and not isinstance(item, bool):
        return [repr(item), *blank]
    return [_safe(whole(item)), *blank]


def _safe(text: str) -> str:
    """``text`` without control characters, and such that no spreadsheet takes it for a formula."""
    text = plain(text).plain
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_markdown(found: Comparison) -> str:
    """The table in Markdown, numbers as a person reads them and settings whole."""
    columns = found.columns
    lines = [["run" if found.title == "run_id" else found.title, *headings(columns, dotted=True)]]
    lines.append(["---", *("---:" if is_numeric(found.rows, name) else "---" for name in columns)])
    body = [[found.name(row), *(_whole_cell(row, name) for name in columns)] for row in found.rows]
    head, rule = ([_escaped(cell) for cell in lines[0]], lines[1])
    return "".join(
        f"| {' | '.join(line)} |\n" for line in [head, rule, *([_escaped(cell) for cell in row] for row in body)]
    )


def _whole_cell(row: Row, column: str) -> str:
    item = value(row, column)
    if item is ABSENT or isinstance(item, Spread) or column in row.measures:
        return read_as(row, column)
    return whole(item)


def _escaped(text: str) -> str:
    text = " ".join(plain(text).plain.split())
    for sign in "\\|<`*":
        text = text.replace(sign, "&lt;" if sign == "<" else f"\\{sign}")
    return text


def is_numeric(rows: Sequence[Row], column: str) -> bool:
    """Whether all that stands in ``column`` is numbers."""
    found = [item for row in rows if (item := value(row, column)) is not ABSENT]
    return all(isinstance(item, int | float | Spread) and not isinstance(item, bool) for item in found)
