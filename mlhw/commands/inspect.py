"""What is known of experiments and runs, as plain records for the command line to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlhw.commands.settings import Settings
from mlhw.errors import ConfigError, OutputError, RunError
from mlhw.files import atomic_write, make_folder
from mlhw.runs import removal, store

if TYPE_CHECKING:  # the schema of experiments takes a while to load, and a list of finished runs needs none
    from mlhw.config.pretrained import PretrainedExperiment
    from mlhw.config.schema import Experiment
    from mlhw.runs.judge import Judgement

_SUMMARY_KEYS = ("epochs", "test_accuracy", "val_accuracy", "train_accuracy", "seconds_training")
RUN_KEYS = ("run_id", "experiment", "status", *_SUMMARY_KEYS, "path")  # what ``runs`` says of each
# What ``experiments`` says of each.
EXPERIMENT_KEYS = ("name", "description", "source", "result", "data", "model", "path", "error")


def experiments() -> list[dict[str, Any]]:
    """Every experiment: name, what it shows, source, data, result, file; ``error`` where it is not valid."""
    from mlhw.config.find import available

    records = []
    for name, path in sorted(available().items()):
        record: dict[str, Any] = {"name": name, "path": str(path), "error": None}
        try:
            record |= _about(path)
        except ConfigError as error:
            record["error"] = str(error)
        records.append(record)
    return records


def _about(path: Path) -> dict[str, str]:
    """What an experiment's file says of it. Raises ConfigError where it is not valid."""
    from mlhw.config import load as config

    if config.is_pretrained(path):
        asked = config.load_pretrained_file(path)
        return _words(asked) | {"data": "your pictures", "model": f"pretrained {asked.pretrained.kind}"}
    found = config.load_file(path)
    return _words(found) | {"data": found.data.kind, "model": found.model.kind}


def _words(found: Experiment | PretrainedExperiment) -> dict[str, str]:
    return {"description": found.description, "source": found.source, "result": found.result}


def runs(settings: Settings, most: int | None = 20) -> list[dict[str, Any]]:
    """The newest ``most`` runs (all where None): id, status, and what the summary says."""
    return [_brief(run) for run in store.all_runs(settings.outputs, most)]


def _brief(run: store.Run) -> dict[str, Any]:
    summary = run.summary() or {}
    match = store.RUN_ID.fullmatch(run.id)
    record = {
        "run_id": run.id,
        "experiment": summary.get("experiment") or (match["name"] if match else ""),
        "status": run.status(),
    }
    record |= {key: summary.get(key) for key in _SUMMARY_KEYS} | {"path": str(run.path)}
    if not summary and not _is_pretrained(run):
        record["epochs"] = _epochs_so_far(run)
    return record


def _is_pretrained(run: store.Run) -> bool:
    """Whether ``run`` asked pretrained networks; such a run has pictures and no epochs."""
    if run.metrics_file.exists():  # written first of all by a training; the configs of twenty runs take a while to read
        return False
    from mlhw.config import load as config

    try:
        return config.is_pretrained(run.config_file)
    except ConfigError:  # a damaged or missing file: the run is still to be shown
        return False


def _epochs_so_far(run: store.Run) -> int:
    from mlhw.runs.metrics import last_epoch

    try:
        return last_epoch(run.metrics_file)
    except RunError:  # no such file yet, or a damaged one: the list of runs is still to be shown
        return 0


def _pictures_so_far(run: store.Run) -> dict[str, int] | None:
    """How many pictures an unfinished run has to do, and how many are done; None where it has not come so far."""
    from mlhw.commands.pretrained import inputs
    from mlhw.runs import classified

    try:
        found, done = inputs.read(run), classified.read(run.path / "predictions.csv")[0]
    except RunError:
        return None
    return {"found": len(found or []), "done": len(done)}


def show(settings: Settings, name: str) -> dict[str, Any]:
    """All that is known of one run: its summary or error, the judgement of its curves, and its most confused classes."""
    from mlhw.runs.metrics import read_metrics

    run = store.find(settings.outputs, name)
    rows = read_metrics(run.metrics_file) if run.metrics_file.exists() else []
    summary = run.whole_summary()
    record: dict[str, Any] = _brief(run) | (summary or {}) | {"status": run.status(), "error": run.error()}
    record["epochs"] = None if _is_pretrained(run) else max((row.epoch for row in rows), default=0)
    record["judgement"] = asdict(verdict) if (verdict := judgement(run)) is not None else None
    record.setdefault("expectations", [])
    if record["epochs"] is None and summary is None:
        record["pictures"] = _pictures_so_far(run)
    record["confused"] = _confused(run)
    record["files"] = sorted(str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file())
    return record


def judgement(run: store.Run) -> Judgement | None:
    """The judgement of the curves of ``run`` at its reported epoch (the last, before it is done); None without an epoch.

    Raises:
        RunError: its metrics are damaged.
    """
    from mlhw.runs.judge import judge
    from mlhw.runs.metrics import read_metrics

    rows = read_metrics(run.metrics_file) if run.metrics_file.exists() else []
    if not rows:
        return None
    summary = run.whole_summary() or {}
    return judge(rows, summary.get("best_epoch") or max(row.epoch for row in rows))


def _confused(run: store.Run, most: int = 5) -> list[dict[str, Any]]:
    """The pairs of classes that the run's own test predictions confuse most often."""
    if not run.predictions_file.exists():
        return []
    from mlhw.plots.confusion import confusion_matrix, most_confused
    from mlhw.runs import predictions

    found = predictions.read(run.predictions_file)
    names = (run.summary() or {}).get("class_names") or []
    classes = max(len(names), int(max(found.target.max(), found.predicted.max())) + 1)
    names = [*names, *map(str, range(len(names), classes))]
    pairs = most_confused(confusion_matrix(found.target, found.predicted, classes), names, most)
    return [
        {"truth": truth, "predicted": guess, "count": count, "share": share} for truth, guess, count, share in pairs
    ]


def find_runs(settings: Settings, names: Sequence[str]) -> list[store.Run]:
    """The runs that ``names`` mean, each once. Raises RunError where one means none, or several."""
    return list({run.id: run for run in [store.find(settings.outputs, name) for name in names]}.values())


def find_removable(settings: Settings, names: Sequence[str]) -> list[store.Run]:
    """As :func:`find_runs`, and the runs whose removal was cut short, by their whole ids."""
    return list({run.id: run for run in [removal.find(settings.outputs, name) for name in names]}.values())


def remove(runs: Sequence[store.Run]) -> list[str]:
    """Delete ``runs``; returns their ids. All stay as they were where one of them is held or cannot be taken away.

    First all leave the list, each whole; then their files are deleted. Cut short anywhere, it is finished by doing it again.

    Raises:
        RunError: a run is held, or is a link; names the process, or where it leads.
        OutputError: a folder cannot be removed; names it, and the runs of which something is left.
    """
    for run in runs:
        removal.check(run)
    away: list[store.Run] = []
    try:
        for run in runs:
            removal.put_away(run)
            away.append(run)
    except (OutputError, RunError) as error:
        if gone := [run.id for run in away if not removal.put_back(run)]:
            raise type(error)(f"{error} Taken away already, with their files: {', '.join(gone)}.") from error
        raise
    left: dict[str, OutputError] = {}
    for run in runs:
        try:
            removal.erase(run)
        except OutputError as error:
            left[run.id] = error
    if left:
        raise OutputError(
            f"{next(iter(left.values()))} No run is there any more, but some of its files. "
            f"Repair the cause, and finish: mlhw rm {' '.join(left)}"
        )
    return [run.id for run in runs]


def export(settings: Settings, name: str, folder: Path | None) -> list[Path]:
    """Write the reported weights of a run as ``weights.npz`` and ``weights.safetensors``; returns the two paths.

    Raises:
        RunError: there is no such run, or it has no checkpoint yet.
        OutputError: the folder cannot be written.
    """
    import numpy as np
    from safetensors.numpy import save as to_safetensors

    from mlhw.runs import checkpoint

    run = store.find(settings.outputs, name)
    if not run.best_checkpoint.exists():
        raise RunError(f"run {run.id} has no checkpoint yet: there is nothing to export.")
    found = checkpoint.load_weights(run.best_checkpoint)
    weights = {key: np.asarray(value, order="C") for key, value in found.items()}
    target = make_folder(folder or run.path / "export")
    with atomic_write(target / "weights.npz") as file:
        np.savez(file, allow_pickle=False, **weights)
    with atomic_write(target / "weights.safetensors") as file:
        file.write(to_safetensors(weights, metadata={"run": run.id}))
    return [target / "weights.npz", target / "weights.safetensors"]
