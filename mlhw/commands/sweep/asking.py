"""What a sweep is asked: its trials, each a whole experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mlhw.config import load as config
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError
from mlhw.runs.signature import signature
from mlhw.sweeps.folder import signature_of
from mlhw.sweeps.plan import Trial, plan
from mlhw.sweeps.values import values_of

Kind = Literal["sweep", "sweep-lr"]
ExecutorName = Literal["auto", "stack", "processes", "serial"]


@dataclass(frozen=True)
class How:
    """How trials are run; none of it changes what comes out, but for the last digits."""

    executor: ExecutorName = "auto"
    jobs: int | None = None
    fail_fast: bool = False
    retry_failed: bool = False
    again: bool = False
    ray: str | None = None  # the cluster's address: auto, local, HOST:PORT, ray://HOST:PORT
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A sweep: the experiment, its trials, and the experiment of each."""

    kind: Kind
    base: Experiment
    trials: list[Trial]
    experiments: list[Experiment]
    signatures: list[str] = field(default_factory=list)

    @property
    def signature(self) -> str:
        """What tells this sweep from another."""
        return signature_of(self.kind, self.signatures)


def ask(
    kind: Kind, name: str, overrides: Sequence[str], *, grid: Mapping[str, Sequence[Any]], seeds: int | None
) -> Asked:
    """The sweep of the experiment ``name``; without a grid and seeds of its own, those that its ``sweep:`` names.

    Raises:
        ConfigError: a trial is no valid experiment, or two are the same.
    """
    base = config.load(name, overrides)
    variants = base.sweep.variants if base.sweep and kind == "sweep" else {}
    count = seeds or (base.sweep.seeds if base.sweep and kind == "sweep" else 1)
    trials = plan(variants, count, base.seed.model_dump(), grid)
    experiments = [_experiment(name, overrides, trial) for trial in trials]
    signatures = [signature(experiment.model_dump(mode="json")) for experiment in experiments]
    _refuse_twins(trials, signatures)
    return Asked(kind, base, trials, experiments, signatures)


def grid_of(asked: Sequence[str]) -> dict[str, list[Any]]:
    """The values by key of ``--grid`` flags, each ``key=a,b``.

    Raises:
        ConfigError: a flag is not that, or names a key again.
    """
    grid: dict[str, list[Any]] = {}
    for text in asked:
        origin = f"--grid {text}"
        key, equals, values = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{origin}: should be key=value,value with a dotted key: --grid train.lr=0.01,0.1.")
        if key.strip() in grid:
            raise ConfigError(f"{origin}: {key.strip()} is there twice. Name all of its values in one --grid.")
        grid[key.strip()] = values_of(values, origin)
    return grid


def rates_of(text: str | None, name: str, overrides: Sequence[str]) -> list[float]:
    """The learning rates that ``--lrs`` names, or the experiment's own list.

    Raises:
        ConfigError: one is not a positive number, or neither names any.
    """
    if text is None:
        base = config.load(name, overrides)
        if base.sweep and base.sweep.lrs:
            return list(base.sweep.lrs)
        raise ConfigError(f"{base.name} names no rates of its own (sweep.lrs). Give some: --lrs 0.01,0.1,1.")
    rates = values_of(text, f"--lrs {text}")
    for rate in rates:
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < float("inf"):
            raise ConfigError(f"--lrs {text}: a learning rate is a number above 0, got {rate!r}.")
    return [float(rate) for rate in rates]


def _experiment(name: str, overrides: Sequence[str], trial: Trial) -> Experiment:
    try:
        return config.load(name, [*overrides, *trial.overrides])
    except ConfigError as error:
        if trial.variant == "base":
            raise
        raise ConfigError(f"{'' if trial.values else 'sweep.variants.'}{trial.variant}: {error}") from None


def _refuse_twins(trials: Sequence[Trial], signatures: Sequence[str]) -> None:
    first: dict[str, Trial] = {}
    for trial, mine in zip(trials, signatures, strict=True):
        if mine in first:
            raise ConfigError(
                f"{first[mine].variant} and {trial.variant} are the same run twice (seed {trial.repeat}). "
                "Leave one of them out."
            )
        first[mine] = trial
