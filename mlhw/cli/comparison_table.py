"""Compared runs as a table as wide as the terminal: what tells least goes first, and is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log2
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from mlhw.cli.classified import middle
from mlhw.cli.comparison import headings, is_numeric, read_as, short
from mlhw.cli.screen import errors, plain, results
from mlhw.commands.compare.rows import Row
from mlhw.commands.compare.table import Comparison
from mlhw.commands.compare.values import ABSENT, FACTS, differs, identity, value
from mlhw.sweeps.records import Spread

WIDEST = 32  # cells of a setting; CSV, Markdown and JSON have it whole
GAP = "  "
_MOST_NAMED = 6  # of the columns that do not fit
_STYLES = {"failed": "red", "damaged": "red", "removed": "red", "interrupted": "yellow", "running": "cyan"}


class Column(NamedTuple):
    """One column: its name, and the texts of its heading and cells."""

    name: str
    texts: list[str]
    right: bool

    @property
    def width(self) -> int:
        """The cells that its widest text takes."""
        return max(map(cell_len, self.texts))


def print_comparison(found: Comparison) -> None:
    """Print ``found``; what does not fit is left out and said on stderr."""
    screen = results()
    columns = _columns(found)
    shown, gone = fitting(columns, found, screen.console.width)
    screen.console.print(_table(found, shown))
    if found.everything and (alike := _alike(found)):
        screen.print(f"\nthe same in all {len(found.rows)}:")
        widest = max(map(cell_len, alike))
        for key, item in alike.items():
            room = max(20, screen.console.width - widest - len(GAP))
            screen.print(f"{key.ljust(widest)}{GAP}{middle(short(item), room)}")
    if gone:
        more = f" and {len(gone) - _MOST_NAMED} more" if len(gone) > _MOST_NAMED else ""
        print_note(f"no room for {', '.join(gone[:_MOST_NAMED])}{more}: --columns picks, --csv and --json have all.")


def _alike(found: Comparison) -> dict[str, Any]:
    """Facts and settings that all rows have alike; the plan that a sweep was made by is none of a run's."""
    facts = {name: value(found.rows[0], name) for name in FACTS if not differs(found.rows, name)}
    known = {name: item for name, item in facts.items() if item is not ABSENT}
    return known | {key: item for key, item in found.same.items() if not key.startswith("sweep.")}


def print_note(text: str) -> None:
    """Print ``text`` on stderr; broken between words on a terminal, and not at all in a file."""
    screen = errors()
    screen.console.print(plain(f"note: {text}"), soft_wrap=not screen.console.is_terminal)


def _columns(found: Comparison) -> list[Column]:
    names = list(found.columns)
    if not found.picked:  # errors are told in the notes; with --all, what is the same stands below the table
        alike = _alike(found) if found.everything else {}
        names = [name for name in names if name not in alike and name not in found.same and name != "error"]
    heads = headings([found.title, *names])
    columns = [Column(found.title, [heads[0], *(plain(found.name(row)).plain for row in found.rows)], right=False)]
    for name, head in zip(names, heads[1:], strict=True):
        mark = (" ↓" if found.descending else " ↑") if name == found.sorted_by else ""
        cells = [middle(read_as(row, name), WIDEST) if name not in FACTS else read_as(row, name) for row in found.rows]
        columns.append(Column(name, [head + mark, *cells], is_numeric(found.rows, name)))
    return columns


def fitting(columns: Sequence[Column], found: Comparison, width: int) -> tuple[list[Column], list[str]]:
    """Those of ``columns`` that fit into ``width``, and the names of the rest, which tell most first.

    The first column, the one that the rows are sorted by, and the n of means always stay.
    """
    order = _least_first(found, [column.name for column in columns[1:]])
    places = {column.name: place for place, column in reversed(list(enumerate(columns)))}
    kept = [column for column in columns if column.name not in order or column is columns[0]]
    gone = []
    room = width + len(GAP) - sum(column.width + len(GAP) for column in kept)
    for column in (columns[places[name]] for name in reversed(order)):
        # A wide column that does not fit leaves its room to narrower ones that tell less.
        if column.width + len(GAP) <= room:
            kept.append(column)
            room -= column.width + len(GAP)
        else:
            gone.append(column.name)
    return sorted(kept, key=lambda column: places[column.name]), gone


def _least_first(found: Comparison, names: Sequence[str]) -> list[str]:
    """``names`` in the order in which they may go.

    First a setting that repeats what a column left of it says, then losses and times, then settings, the seeds before
    the others, these by the entropy of their values over the rows; the two settings that tell most, the accuracies and
    the state of the runs go last.
    """
    measures = {name for row in found.rows for name in row.measures}
    settings = [name for name in names if name not in measures and name not in FACTS]
    splits = {name: _split(found.rows, name) for name in [found.title, *names] if name not in measures}
    lefts = ["variant"] * (found.title == "variant")  # a run's id tells all apart, and says nothing of how
    repeated = [
        name
        for place, name in enumerate(settings)
        if splits[name] in [splits[left] for left in [*lefts, *settings[:place]]]
    ]
    telling = sorted(
        (name for name in settings if name not in repeated),
        key=lambda name: (not name.startswith("seed."), _entropy(splits[name]), -settings.index(name)),
    )
    order = ["run_id", *reversed(repeated), "train_loss", "epoch", "test_loss", "seconds", "val_loss", "repeat"]
    order += [*telling[:-2], "skipped", "epochs", "train_accuracy", "parameters", "sweep", "experiment", "pictures"]
    order += telling[-2:]
    order = list(reversed(names)) if found.picked else [*order, *reversed(names)]
    stay = {found.sorted_by, "n" if found.folded else None}
    return [name for name in dict.fromkeys(order) if name in names and name not in stay]


def _split(rows: Sequence[Row], name: str) -> tuple[int, ...]:
    """Which rows ``name`` tells from which: for each the number of its value, counted as they appear."""
    numbers: dict[str, int] = {}
    return tuple(numbers.setdefault(identity(value(row, name)), len(numbers)) for row in rows)


def _entropy(split: Sequence[int]) -> float:
    """In bits, of a value drawn from the rows."""
    return sum(-count / len(split) * log2(count / len(split)) for count in Counter(split).values())


def _table(found: Comparison, columns: Sequence[Column]) -> Text:
    """The lines of the table; the best on val stands out."""
    best = _best(found.rows)
    widths = [column.width for column in columns]
    text = Text(no_wrap=True)
    for place in range(len(found.rows) + 1):
        row = found.rows[place - 1] if place else None
        for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
            cell = column.texts[place]
            space = " " * (width - cell_len(cell))
            last = index == len(columns) - 1
            text.append(space * column.right)
            text.append(cell, _style(row, column.name, row is best))
            text.append("" if last else space * (not column.right) + GAP)
        text.append("\n" if place < len(found.rows) else "")
    return text


def _style(row: Row | None, column: str, is_best: bool) -> str:
    if row is None:
        return "bold"
    if column == "status":
        return _STYLES.get(row.status, "")
    return "bold green" if is_best and column == "val_accuracy" else ""


def _best(rows: Sequence[Row]) -> Row | None:
    """The best on val among several; None where there is no val, or nothing to be better than."""
    known = [row for row in rows if row.status == "done" and row.measures.get("val_accuracy") is not None]
    return max(known, key=_val) if len(known) > 1 else None


def _val(row: Row) -> float:
    found = row.measures["val_accuracy"]
    return found.mean if isinstance(found, Spread) else float(found or 0)
