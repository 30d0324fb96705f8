"""The columns of a comparison: what a row has in each, which values are the same, and in which order they come."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from mlhw.commands.compare.rows import Row
from mlhw.sweeps.records import MEASURES, Spread

FACTS = ("run_id", "experiment", "sweep", "variant", "repeat", "n", "status", "epochs", "epoch", "error")
WORDS = {"name", "description", "source", "result"}  # and what follows: they change no number
_ASIDE = ("expect.", "sweep.")


class Absent:
    """What a row has in a column that it has not: a key that its config lacks."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


def value(row: Row, column: str) -> Any:
    """What ``row`` has in ``column``: a fact, a measure or a config key; ABSENT where it has no such thing."""
    if column in FACTS:
        found = getattr(row, column)
        return ABSENT if found in (None, "") else found
    if column in row.measures:
        found = row.measures[column]
        return ABSENT if found is None else found
    return row.config.get(column, ABSENT)


def identity(item: Any) -> str:
    """A text that is the same for equal values: 1 is 1.0, true is not 1, NaN is itself."""
    if isinstance(item, int | float) and not isinstance(item, bool) and abs(item) < 1e15:
        return repr(float(item))
    return json.dumps(item, sort_keys=True) if isinstance(item, list | dict) else repr(item)


def is_aside(key: str) -> bool:
    """Whether a config's key holds words, expectations or the plan of a sweep: nothing that a result depends on."""
    return key in WORDS or key.startswith(_ASIDE)


def config_keys(rows: Iterable[Row]) -> list[str]:
    """The config keys of all ``rows``, in order of appearance."""
    return list(dict.fromkeys(key for row in rows for key in row.config))


def measures(rows: Sequence[Row]) -> list[str]:
    """The measures that any of ``rows`` has, those that all experiments share in their usual order."""
    usual = ["parameters", *MEASURES]
    known = list(
        dict.fromkeys([*usual, *(name for row in rows for name in row.measures if name != "seconds"), "seconds"])
    )
    return [name for name in known if any(row.measures.get(name) is not None for row in rows)]


def differs(rows: Sequence[Row], column: str) -> bool:
    """Whether ``rows`` have not all the same in ``column``."""
    return len({identity(value(row, column)) for row in rows}) > 1


def is_accuracy(column: str) -> bool:
    """Whether more of ``column`` is better, and it is read in percent."""
    return column.partition(".")[0].endswith("_accuracy") or column == "all_agree"


def sort(rows: Sequence[Row], column: str | None, reverse: bool) -> list[Row]:
    """``rows`` by ``column``: accuracies from the best, numbers from the least, words as in a dictionary, none last.

    Equal ones stay in the order given; None leaves all in it. ``reverse`` turns the order round, and none stays last.
    """
    if column is None:
        return list(reversed(rows)) if reverse else list(rows)
    keys = [(_order(value(row, column)), row) for row in rows]
    known = [(key, row) for key, row in keys if key is not None]
    known.sort(key=lambda pair: pair[0], reverse=reverse != is_accuracy(column))
    return [row for _, row in known] + [row for key, row in keys if key is None]


def _order(item: Any) -> tuple[int, float, str] | None:
    number = item.mean if isinstance(item, Spread) else item
    if isinstance(number, int | float) and not isinstance(number, bool):
        return None if math.isnan(number) else (0, float(number), "")
    if isinstance(number, Absent):
        return None
    return (1, 0.0, number if isinstance(number, str) else identity(number))
