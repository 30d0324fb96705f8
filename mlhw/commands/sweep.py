"""``mlhw sweep``: the variants and seeds of an experiment, each an ordinary run, and what their comparison says."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlhw.commands import draw
from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.commands.train import train
from mlhw.config import load as config
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError, MlhwError, OutputError
from mlhw.files import make_folder, write_text
from mlhw.runs import store
from mlhw.runs.signature import signature
from mlhw.sweeps import records
from mlhw.sweeps.plan import Trial, plan
from mlhw.sweeps.records import MEASURES, Record

MOST_CURVES = 10  # lines of one figure that can still be told apart


def sweep(
    name: str, overrides: Sequence[str], settings: Settings, display: Display, *, seeds: int | None = None
) -> dict[str, Any]:
    """Train every variant that the experiment's ``sweep:`` names, with ``seeds`` seeds of each; returns what came of it.

    A trial whose result is already among the runs (by signature) is not trained again. One that fails is recorded, and the
    rest go on. ``outputs/sweeps/<id>/`` gets the experiment, sweep.csv after every trial, and the figures.

    Raises:
        ConfigError: a variant is not a valid experiment; before anything is trained.
        Interrupted: the trials that are done stay done; the same command goes on with the rest.
    """
    base = config.load(name, overrides)
    variants = base.sweep.variants if base.sweep else {}
    count = seeds or (base.sweep.seeds if base.sweep else 1)
    trials = plan(variants, count, base.seed.model_dump())
    experiments = [_experiment(name, overrides, trial) for trial in trials]
    folder = _folder(settings, base)
    done = _finished(settings)
    found: list[Record] = []
    for number, (trial, experiment) in enumerate(zip(trials, experiments, strict=True), start=1):
        display.say(f"{number}/{len(trials)}  {trial.variant}, seed {experiment.seed.init}")
        found.append(_record(trial, experiment, base, done, settings, display))
        records.write(folder / "sweep.csv", found)
    result = {"experiment": base.name, "path": str(folder), "trials": found, "spreads": records.spreads(found)}
    return result | {"files": [str(path) for path in _draw(settings, folder, found)]}


def _experiment(name: str, overrides: Sequence[str], trial: Trial) -> Experiment:
    try:
        return config.load(name, [*overrides, *trial.overrides])
    except ConfigError as error:
        raise ConfigError(f"sweep.variants.{trial.variant}: {error}") from None


def _folder(settings: Settings, base: Experiment) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = make_folder(settings.outputs / "sweeps" / f"{base.name}-{stamp}-{secrets.token_hex(2)}")
    write_text(folder / "sweep.yaml", config.dump(base))
    return folder


def _finished(settings: Settings) -> dict[str, store.Run]:
    """The finished runs by signature, the newest of each."""
    summaries = ((run, run.summary()) for run in reversed(store.all_runs(settings.outputs)))
    return {summary["signature"]: run for run, summary in summaries if summary and "signature" in summary}


def _record(
    trial: Trial,
    experiment: Experiment,
    base: Experiment,
    done: dict[str, store.Run],
    settings: Settings,
    display: Display,
) -> Record:
    known = done.get(signature(experiment.model_dump(mode="json")))
    if known is not None and (summary := known.summary()) is not None:
        display.say(f"already done: {known.id}")
        return _from_summary(trial, summary)
    try:
        label = base.name if trial.variant == "base" else f"{base.name}-{trial.variant}"
        _, summary = train(experiment, settings, display, label=label, figures=False)
    except OutputError:
        raise  # a full disk is not this trial's fault, and the next one would fare no better
    except MlhwError as error:
        if error.exit_code == 130:
            raise
        display.warn(f"{trial.variant}: {error}")
        return Record(trial.variant, trial.repeat, "", "failed", error=str(error))
    finally:
        display.end()
    return _from_summary(trial, summary)


def _from_summary(trial: Trial, summary: dict[str, Any]) -> Record:
    keys = ("parameters", "best_epoch", *MEASURES, "seconds_training")
    return Record(trial.variant, trial.repeat, summary["run_id"], "done", **{key: summary[key] for key in keys})


def _draw(settings: Settings, folder: Path, found: Sequence[Record]) -> list[Path]:
    """The curves of the first seed of each variant on one figure, and the results of all runs, a row a variant."""
    finished = [record for record in found if record.status == "done"]
    if not finished:
        return []
    from mlhw.plots.spread import draw_spread
    from mlhw.plots.style import save

    plots = make_folder(folder / "plots")
    shown = finished if len(finished) <= MOST_CURVES else [record for record in finished if record.repeat == 0]
    runs = [store.find(settings.outputs, record.run_id) for record in shown[:MOST_CURVES]]
    several = len({record.repeat for record in shown}) > 1
    labels = [f"{record.variant} {record.repeat}" if several else record.variant for record in shown[:MOST_CURVES]]
    written = draw.draw_comparison(runs, plots / "curves", labels)
    measure = next(name for name in ("val", "test", "train") if getattr(finished[0], f"{name}_accuracy") is not None)
    values = {}
    for variant in dict.fromkeys(record.variant for record in finished):
        mine = [record for record in finished if record.variant == variant]
        values[variant] = {
            split: [getattr(record, f"{split}_accuracy") for record in mine]
            for split in dict.fromkeys(("train", measure))
        }
    return written + save(draw_spread(values), plots / "accuracy")
