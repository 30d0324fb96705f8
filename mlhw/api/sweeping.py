"""Train every combination of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlhw.api.asking import overrides, plain, text_of
from mlhw.api.progress import display
from mlhw.api.run import Run
from mlhw.errors import ConfigError, did_you_mean
from mlhw.sweeps.records import Record, Spread

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Sweep:
    """What came of a sweep: its folder, and a record of each of its runs."""

    path: Path
    experiment: str
    _records: list[Record] = field(default_factory=list)
    _spreads: Mapping[str, Mapping[str, Spread]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The folder's name, which names the sweep on the command line too."""
        return self.path.name

    @property
    def runs(self) -> list[Run]:
        """The runs that are done, in the order of the sweep."""
        return [Run(self._outputs / record.run_id) for record in self._records if record.status == "done"]

    @property
    def trials(self) -> pd.DataFrame:
        """One row a run: its setting, the values of the grid's keys, status, what it reached, or why it failed."""
        import pandas as pd

        names = [each.name for each in fields(Record) if each.name != "values"]
        rows = [
            {"variant": record.variant, **record.values, **{name: getattr(record, name) for name in names}}
            for record in self._records
        ]
        return pd.DataFrame(rows)

    @property
    def table(self) -> pd.DataFrame:
        """One row a setting: n, and of each measure the mean over its runs, and the sample standard deviation (``…_sd``)."""
        import pandas as pd

        rows = {}
        for setting, measures in self._spreads.items():
            row: dict[str, Any] = {"n": max((spread.n for spread in measures.values()), default=0)}
            for name, spread in measures.items():
                row |= {name: spread.mean, f"{name}_sd": spread.deviation if spread.n > 1 else None}
            rows[setting] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("setting")

    def plot(self, kind: str = "curves") -> Figure:
        """The ``curves`` of each setting (bands where it has several seeds), or the ``accuracy`` of all. Nothing is written.

        Raises:
            ConfigError: there is no such figure, or no run is done.
        """
        from mlhw.commands.settings import from_environment
        from mlhw.commands.sweep.results import figures

        found = figures(self.experiment, self._records, replace(from_environment(), outputs=self._outputs))
        if kind not in found:
            why = did_you_mean(kind, found) if found else "None of its runs is done."
            raise ConfigError(f"sweep {self.id} has no figure '{kind}'. {why}")
        return found[kind]

    @property
    def _outputs(self) -> Path:
        return self.path.parent.parent

    def __repr__(self) -> str:
        done = sum(record.status == "done" for record in self._records)
        return f"<Sweep {self.id}: {done} of {len(self._records)} runs done>"

    def _repr_html_(self) -> str:
        shown = [name for name in self.table.columns if name.startswith(("n", "train_acc", "val_acc", "test_acc"))]
        html: str = self.table[shown].to_html(float_format=lambda value: f"{value:.4f}", na_rep="–")
        return html


def sweep(
    experiment: str | Path,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    seeds: int | None = None,
    settings: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    again: bool = False,
    quiet: bool = False,
) -> Sweep:
    """Train every combination of ``grid``, as ``mlhw sweep`` does; what was done before is not trained again.

    Args:
        experiment: name of an experiment, or path of a YAML file; without a grid and seeds its own ``sweep:`` says them.
        grid: values by dotted key: ``{"train.lr": [0.01, 0.1]}``.
        seeds: runs of each setting, each with seeds of its own.
        settings: keys of every run, dotted, with their values.
        jobs: processes at a time; None for as many as there are cores.
        again: train all anew, whatever was done before.
        quiet: no progress line in a notebook either.

    Returns:
        The sweep; a run that failed is in its ``trials``, and is logged as a warning.

    Raises:
        ConfigError, DataError: before anything is trained.
        Interrupted: what is done stays done; the same call goes on with the rest.
    """
    from mlhw.commands.settings import from_environment
    from mlhw.commands.sweep.asking import How, ask
    from mlhw.commands.sweep.results import sweep_and_draw
    from mlhw.commands.threads import as_found

    values = {key: _values(key, some) for key, some in (grid or {}).items()}
    for what, number in (("seeds", seeds), ("jobs", jobs)):
        if number is not None and (type(number) is not int or not 1 <= number <= 1000):
            raise ConfigError(f"{what} should be a whole number from 1 to 1000, got {number!r}.")
    given = overrides({}, settings)
    asked = ask("sweep", str(experiment), given, grid=values, seeds=seeds)
    command = ["mlhw", "sweep", str(experiment)]
    command += [word for each in given for word in ("-s", each)]
    command += [word for key, some in values.items() for word in ("--grid", f"{key}={_listed(key, some)}")]
    command += ["--seeds", str(seeds)] if seeds else []
    where, shown = replace(from_environment(), command=tuple(command)), display(quiet)
    with as_found():
        result = sweep_and_draw(asked, How(jobs=jobs, again=again), where, shown)
    for record in result["trials"]:
        if record.status == "failed":
            shown.warn(f"{record.variant} failed: {record.error}")
    path = Path(result["path"]).resolve()
    return Sweep(path, result["experiment"], list(result["trials"]), result["spreads"])


def _values(key: str, some: Iterable[Any]) -> list[Any]:
    """The values of one key of a grid, plain. Raises ConfigError where there is none, or one cannot stand in a YAML."""
    if isinstance(some, str) or not isinstance(some, Iterable):
        raise ConfigError(f"grid {key}: should be a list of values, got {some!r}. For one value there is settings.")
    values = [plain(value) for value in some]
    if not values:
        raise ConfigError(f"grid {key}: there is no value.")
    for value in values:
        text_of(value, key)
    return values


def _listed(key: str, values: list[Any]) -> str:
    return ",".join(text_of(value, key) for value in values)
