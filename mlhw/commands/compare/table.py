"""``mlhw compare``: runs and sweeps as one table in which only what differs is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlhw.commands.compare import seeds, values
from mlhw.commands.compare.names import read_rows
from mlhw.commands.compare.rows import Row
from mlhw.commands.settings import Settings
from mlhw.errors import ConfigError, did_you_mean, nearest
from mlhw.sweeps.records import MEASURES, Spread

DAMAGED = ("damaged", "removed")
_MOST_NOTES = 5  # of runs that are not done; more of them are counted
_ALIASES = {"training": "seconds", "time": "seconds", "run": "run_id"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows in their order, and the columns to show.

    ``title`` is the column that names the rows: ``run_id``, or of sweeps alone ``variant``, or of folded runs ``run``.
    ``picked`` says that the columns were asked for, ``everything`` that all were. ``same`` are the config keys that all rows
    have alike. ``damaged`` are the rows that could not be read whole, in words.
    """

    rows: list[Row]
    title: str
    columns: list[str]
    picked: bool
    everything: bool
    same: dict[str, Any]
    sorted_by: str | None
    descending: bool
    folded: bool
    notes: list[str]
    damaged: list[str]

    def name(self, row: Row) -> str:
        """What ``row`` is called in the column ``title``."""
        return (row.variant if self.title == "variant" else None) or row.name

    def record(self) -> dict[str, Any]:
        """The comparison as JSON values: {columns, rows, same, sorted_by, folded, notes}.

        A row is {run_id, run_ids, n, experiment, sweep, variant, repeat, status, epochs, epoch, config, metrics, error}, with
        null where there is no such thing. ``config`` has the keys in which rows differ (all that are shown), where the row has
        them. Folded, each of ``metrics``, and ``epochs`` where they differ, is {mean, deviation, n}; of one value
        the deviation is null.
        """
        keys = [key for key in values.config_keys(self.rows) if key in self.columns or key not in self.same]
        shown = [key for key in keys if key in self.columns or not values.is_aside(key)]
        return {
            "columns": [self.title, *self.columns],
            "rows": [_record(row, shown) for row in self.rows],
            "same": self.same,
            "sorted_by": self.sorted_by,
            "folded": self.folded,
            "notes": [*self.notes, *self.damaged],
        }


def compare(
    settings: Settings,
    names: Sequence[str],
    *,
    sort: str | None = None,
    reverse: bool = False,
    columns: Sequence[str] = (),
    everything: bool = False,
    folded: bool | None = None,
) -> Comparison:
    """The runs and sweeps ``names`` beside each other.

    Args:
        names: as ``compare.names.read_rows`` takes them.
        sort: a column; None for the accuracy on val from the best, or where there is none the order given: never test.
        reverse: the other way round.
        columns: those to show, and no other; () for those that differ.
        everything: show the keys that do not differ too, and descriptions.
        folded: whether runs that differ in their seeds alone are one row; None for sweeps with several seeds.

    Raises:
        ConfigError: nothing to compare, or an unknown column.
        RunError: no such run or sweep, or more than one.
    """
    found = read_rows(settings, names)
    swept = all(row.sweep for row in found)
    if folded is None:
        folded = swept and any(row.repeat for row in found)
    rows, notes = seeds.fold(found) if folded else (found, [])
    by = _column(sort, rows) if sort else next(iter({"val_accuracy"} & set(values.measures(rows))), None)
    title = "variant" if swept else "run" if folded else "run_id"
    shown = [_column(name, rows) for name in columns]
    shown = ["n"] * folded + shown if shown else _differing(rows, title, folded, everything)  # no mean without its n
    return Comparison(
        rows=values.sort(rows, by, reverse),
        title=title,
        columns=[name for name in dict.fromkeys(shown) if name != title],
        picked=bool(columns),
        everything=everything and not columns,
        same=_same(rows),
        sorted_by=by,
        descending=by is not None and reverse != values.is_accuracy(by),
        folded=folded,
        notes=[*_comparable(rows), *notes, *_not_done(rows)],
        damaged=[f"{row.name}: {row.status}: {row.error}" for row in rows if row.status in DAMAGED],
    )


def _column(word: str, rows: Sequence[Row]) -> str:
    """The column that ``word`` means: its name, its heading (``val acc``), or a key's last parts. Raises ConfigError."""
    usual = [*values.FACTS, "parameters", *MEASURES, "seconds"]
    known = list(dict.fromkeys([*usual, *values.measures(rows), *values.config_keys(rows)]))
    plain = word.strip().replace(" ", "_")
    plain = plain + "uracy" if plain.endswith("_acc") else _ALIASES.get(plain, plain)
    ends = [key for key in known if key == plain] or [key for key in known if key.endswith(f".{plain}")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise ConfigError(f"the column '{word}' could be {' or '.join(ends)}. Write one of these.")
    shorts = {key.rpartition(".")[2]: key for key in reversed(known)}
    close = dict.fromkeys(shorts.get(name, name) for name in nearest(plain, [*known, *shorts]))
    hint = f"Did you mean {' or '.join(close)}?" if close else did_you_mean(plain, values.measures(rows))
    raise ConfigError(f"there is no column '{word}'. {hint}")


def _differing(rows: Sequence[Row], title: str, folded: bool, everything: bool) -> list[str]:
    """The columns in which ``rows`` differ, and the measures; all columns where ``everything`` is asked for."""
    several = {name for name in values.FACTS if values.differs(rows, name)}
    if not everything and all(f"{row.name}-".startswith(f"{row.experiment}-") for row in rows if row.experiment):
        several.discard("experiment")  # the ids say it
    facts = [name for name in ("experiment", "sweep", "variant") if name in several or everything]
    alike = len({(row.sweep, row.variant) for row in rows}) < len(rows)  # folded, several that are not done
    facts += ["repeat"] * ("repeat" in several and (alike or not folded))
    facts += ["run_id"] * (title == "variant" and not folded)
    facts += ["n"] * folded
    facts += ["status"] * (everything or any(row.status != "done" for row in rows))
    with_config = [row for row in rows if row.config]
    keys = [
        key
        for key in values.config_keys(rows)
        if everything
        or (not values.is_aside(key) and values.differs(with_config, key) and not (folded and key.startswith("seed.")))
    ]
    planned = all(row.epochs == row.config.get("train.epochs") for row in rows)
    epochs = ["epochs"] * (everything or ("epochs" in several and not planned))
    of_one = not folded or everything or any(row.status != "done" for row in rows)  # means are of no one epoch
    epochs += ["epoch"] * (of_one and any(row.epoch is not None and row.epoch != row.epochs for row in rows))
    measures = [
        name
        for name in values.measures(rows)
        if name != "parameters" or everything or values.differs([row for row in rows if row.status == "done"], name)
    ]
    errors = ["error"] * any(row.error for row in rows)
    return [name for name in [*facts, *keys, *epochs, *measures, *errors] if name != title]


def _same(rows: Sequence[Row]) -> dict[str, Any]:
    known = [row for row in rows if row.config]
    return {key: known[0].config[key] for key in known[0].config if not values.differs(known, key)} if known else {}


def _comparable(rows: Sequence[Row]) -> list[str]:
    """What stands in the way of comparing ``rows``: kinds of runs without a measure in common, other data."""
    trained, asked = ([row for row in rows if row.trained is kind] for kind in (True, False))
    if trained and asked:
        return [
            f"nothing to compare between the {len(trained)} trained and the {len(asked)} of pretrained networks: they have no "
            "measure of what they found in common."
        ]
    found = [name for name in values.measures(rows) if name not in ("parameters", "seconds")]
    if not any(sum(row.measures.get(name) is not None for row in rows) > 1 for name in found) and len(rows) > 1:
        return ["nothing to compare: no two of these have a measure of what they found in common."]
    sets = sorted({str(row.config.get("data.kind")) for row in trained})
    if len(sets) > 1:
        return [f"of different data ({', '.join(sets)}): losses and accuracies of one say little of those of another."]
    return []


def _not_done(rows: Sequence[Row]) -> list[str]:
    """What is to be known of the numbers of runs that are not done."""
    theirs = [row for row in rows if row.status not in ("done", "planned", *DAMAGED)]
    notes = [_how_far(row) for row in theirs[:_MOST_NOTES]]
    if rest := len(theirs) - len(notes):
        notes.append(f"and {rest} more that are not done: their numbers are those of the last epoch on record.")
    if waiting := sum(row.status == "planned" for row in rows):
        notes.append(f"{waiting} trial{'s have' if waiting > 1 else ' has'} not begun.")
    return notes


def _how_far(row: Row) -> str:
    planned = row.config.get("train.epochs")
    of = f" of {planned}" if planned else ""
    text = f"{row.name}: {row.status}"
    if row.epochs is not None:
        text += (
            f" after epoch {row.epochs}{of}; its numbers are of that epoch" if row.epochs else " before its first epoch"
        )
    return f"{text}: {row.error}" if row.error else f"{text}."


def _record(row: Row, keys: Sequence[str]) -> dict[str, Any]:
    return {
        "run_id": row.run_id,
        "run_ids": list(row.run_ids),
        "n": row.n,
        "experiment": row.experiment,
        "sweep": row.sweep,
        "variant": row.variant,
        "repeat": row.repeat,
        "status": row.status,
        "epochs": _plain(row.epochs),
        "epoch": row.epoch,
        "config": {key: row.config[key] for key in keys if key in row.config},
        "metrics": {name: _plain(value) for name, value in row.measures.items()},
        "error": row.error or None,
    }


def _plain(value: Any) -> Any:
    """A spread as {mean, deviation, n}; one value has no deviation."""
    if not isinstance(value, Spread):
        return value
    return {"mean": value.mean, "deviation": value.deviation if value.n > 1 else None, "n": value.n}
