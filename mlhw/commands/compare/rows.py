"""A row of a comparison: what a run has in its files.

Of a run that is done config.yaml and summary.json are read and nothing else, so that a thousand runs cost about half a
second; of another one its metrics.csv too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlhw.commands.compare.config import clean, flat, read_config
from mlhw.commands.settings import Settings
from mlhw.config import reader
from mlhw.errors import ConfigError, MlhwError
from mlhw.runs import store
from mlhw.runs.metrics import read_metrics, row_of
from mlhw.sweeps.records import MEASURES, Spread


@dataclass(frozen=True, slots=True)
class Row:
    """One run, or (``n`` > 1 in ``run_ids``) several that differ in their seeds alone.

    ``epoch`` is the one that the measures are of: the reported one of a run that is done, the last one on record of any
    other. ``config`` has dotted keys. ``status`` is the run's, or ``damaged``, or ``removed`` where a sweep's table names a
    run whose folder is gone; ``error`` says why. ``trained`` is None where no config tells.
    """

    run_ids: tuple[str, ...]
    label: str
    experiment: str
    status: str
    trained: bool | None = None
    sweep: str | None = None
    variant: str | None = None
    repeat: int | None = None
    epochs: int | Spread | None = None
    epoch: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, float | Spread | None] = field(default_factory=dict)
    error: str = ""

    @property
    def n(self) -> int:
        """How many runs the row is made of; none of a trial that has not begun, or failed before it had a run."""
        return len(self.run_ids)

    @property
    def run_id(self) -> str | None:
        """The run's id; None where the row is of several, or of none."""
        return self.run_ids[0] if len(self.run_ids) == 1 else None

    @property
    def name(self) -> str:
        """What to call the row: the run's id, else the variant or the part of the ids that says what was run."""
        return self.run_id or self.label


def read_run(settings: Settings, run: store.Run) -> Row:
    """The row of ``run``; damaged files are no error but make a ``damaged`` row that says which."""
    faults: list[str] = []
    config = _config(run, faults)
    row = Row((run.id,), label(run.id), "", "damaged", config=flat(config))
    if config:
        row = replace(row, trained="pretrained" not in config, experiment=str(config.get("name", "")))
    summary = run.summary()
    if summary is not None:
        row = _done(replace(row, status="done"), summary, faults)
    elif (status := run.status()) != "done":
        row = _unfinished(settings, run, replace(row, status=status), faults)
    else:
        faults.append("summary.json is not a JSON object")
    row = replace(row, experiment=row.experiment or row.label)
    return replace(row, status="damaged", error=clean("; ".join(faults))) if faults else row


def label(name: str) -> str:
    """The part of an id that says what was run."""
    match = store.RUN_ID.fullmatch(name)
    return match["name"] if match else name


def _done(row: Row, summary: dict[str, Any], faults: list[str]) -> Row:
    if row.trained is False:
        return replace(row, measures=_pretrained_measures(summary, faults))
    if row.trained is None:
        row = replace(row, experiment=str(summary.get("experiment", "")))
    measures = {key: number(summary, key, faults) for key in ("parameters", *MEASURES)}
    measures["seconds"] = number(summary, "seconds_training", faults)
    epochs, epoch = (number(summary, key, faults) for key in ("epochs", "best_epoch"))
    return replace(row, measures=measures, epochs=whole(epochs), epoch=whole(epoch))


def _pretrained_measures(summary: dict[str, Any], faults: list[str]) -> dict[str, float | Spread | None]:
    """A run of pretrained networks: how many pictures, how often its networks agree, and who is right where it is known."""
    agreement, pictures = _mapping(summary, "agreement"), _mapping(summary, "pictures")
    models = [model for model in summary.get("models") or [summary] if isinstance(model, dict)]
    measures: dict[str, float | Spread | None] = {}
    measures["parameters"] = number(models[0], "parameters", faults) if len(models) == 1 else None
    measures["pictures"] = number(pictures, "classified", faults)
    measures["skipped"] = number(pictures, "skipped", faults)
    if compared := number(agreement, "pictures", faults):
        measures["all_agree"] = (number(agreement, "all_agree", faults) or 0) / compared
    for network in agreement.get("networks") or []:
        if isinstance(network, dict) and network.get("top1_accuracy") is not None:
            measures[f"top1_accuracy.{network.get('name')}"] = number(network, "top1_accuracy", faults)
    took = "seconds_classifying" if "seconds_classifying" in summary else "seconds_total"
    return measures | {"seconds": number(summary, took, faults)}


def _unfinished(settings: Settings, run: store.Run, row: Row, faults: list[str]) -> Row:
    """What is on record of a run that failed, was interrupted or goes on: the last epoch of its metrics."""
    if row.status == "failed":
        row = replace(row, error=clean(str((run.error() or {}).get("message", "error.json does not say why"))))
    try:
        if row.trained is False:
            from mlhw.commands.inspect import show

            pictures = show(settings, run.id).get("pictures") or {}
            return replace(row, measures={"pictures": pictures.get("done")})
        rows = read_metrics(run.metrics_file) if run.metrics_file.exists() else []
    except MlhwError as error:
        faults.append(str(error).replace(f"{run.path}/", ""))
        return row
    last = max((found.epoch for found in rows), default=0)
    measures: dict[str, float | Spread | None] = {}
    for split in ("train", "val", "test"):
        found = row_of(rows, last, split)
        measures[f"{split}_loss"] = found.loss if found else None
        measures[f"{split}_accuracy"] = found.accuracy if found else None
    measures["seconds"] = sum(found.seconds for found in rows) if rows else None
    return replace(row, measures=measures, epochs=last, epoch=last)


def number(values: Mapping[str, Any], key: str, faults: list[str]) -> float | None:
    """The number ``values[key]``, None where there is none; anything else is added to ``faults``."""
    value = values.get(key)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    faults.append(f"'{key}' should be a number, got {str(value)[:40]!r}")
    return None


def whole(value: float | None) -> int | None:
    """``value`` as a whole number, None for infinity and the like."""
    return int(value) if value is not None and math.isfinite(value) else None


def _mapping(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _config(run: store.Run, faults: list[str]) -> dict[str, Any]:
    """The run's config as it was written, whatever today's schema says; {} and a fault where there is none."""
    try:
        with run.config_file.open("rb") as file:
            data = file.read(reader.MAX_BYTES + 1)
        value = read_config(data, "config.yaml")
    except OSError as error:
        faults.append(f"config.yaml cannot be read: {error.strerror or error}")
        return {}
    except ConfigError as error:
        faults.append(str(error).rstrip("."))
        return {}
    if isinstance(value, dict) and value:
        return value
    faults.append("config.yaml holds no keys")
    return {}
