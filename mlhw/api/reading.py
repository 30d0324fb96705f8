"""What there is: experiments, runs, and how runs compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlhw.api.progress import LOG
from mlhw.api.run import Run
from mlhw.errors import RunError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from mlhw.api.sweeping import Sweep
    from mlhw.commands.compare.table import Comparison


def load_run(name: str = "latest") -> Run:
    """The run that ``name`` means: an id, a unique beginning of one, or ``latest``.

    Raises:
        RunError: there is none, or several.
    """
    from mlhw.commands.settings import from_environment
    from mlhw.runs import store

    return Run(store.find(from_environment().outputs, name).path.resolve())


def list_runs(newest: int | None = None) -> pd.DataFrame:
    """The ``newest`` runs (None: all), newest first, with what they reached; the columns are those of ``mlhw runs --json``."""
    from mlhw.commands.inspect import RUN_KEYS, runs
    from mlhw.commands.settings import from_environment

    return _frame(runs(from_environment(), newest), RUN_KEYS)


def list_experiments() -> pd.DataFrame:
    """Every experiment: its name, what it shows, where it comes from, its data, model and result."""
    from mlhw.commands.inspect import EXPERIMENT_KEYS, experiments

    return _frame(experiments(), EXPERIMENT_KEYS)


def compare(
    *runs: str | Run | Sweep,
    sort: str | None = None,
    reverse: bool = False,
    columns: Sequence[str] = (),
    everything: bool = False,
    seeds: bool | None = None,
) -> pd.DataFrame:
    """Runs, or the runs of sweeps, in one table, as ``mlhw compare`` shows them.

    Args:
        runs: runs and sweeps, or their ids, unique beginnings of them, ``latest`` or ``latest-sweep``.
        sort: a column; None for the accuracy on val, best first, never test.
        reverse: the other way round.
        columns: those to show, and no other; () for those that differ.
        everything: also what does not differ.
        seeds: whether runs that differ in their seeds alone are one row, with mean, ``…_sd`` and n; None for sweeps with
            several seeds.

    Returns:
        One row a run, or a setting; its index names them. What is to be known of the numbers is logged as warnings.

    Raises:
        ConfigError: nothing to compare, or an unknown column.
        RunError: no such run or sweep, or more than one.
    """
    from mlhw.commands.compare.table import compare as compare_runs
    from mlhw.commands.settings import from_environment

    names = [name_of(run) for run in runs]
    how: dict[str, Any] = {"sort": sort, "reverse": reverse, "columns": columns, "everything": everything}
    found = compare_runs(from_environment(), names, **how, folded=seeds)
    for note in [*found.notes, *found.damaged[:5]]:
        LOG.warning("%s", note)
    return _compared(found)


def plot(*runs: str | Run) -> Figure:
    """The curves of ``runs`` on one figure, labelled with what differs. Nothing is written.

    Raises:
        RunError: there is no such run, or one has no epoch yet.
    """
    from mlhw.commands.draw import comparison
    from mlhw.commands.inspect import find_runs
    from mlhw.commands.settings import from_environment

    if not runs:
        raise RunError("no run to plot. Name one, for example mlhw.plot('latest').")
    return comparison(find_runs(from_environment(), [name_of(run) for run in runs]))


def name_of(run: str | Run | Sweep) -> str:
    """The id of a run or sweep, or what was given in its place."""
    return run if isinstance(run, str) else run.id


def _frame(records: Iterable[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([[record.get(name) for name in columns] for record in records], columns=list(columns))


def _compared(found: Comparison) -> pd.DataFrame:
    import pandas as pd

    from mlhw.commands.compare.values import ABSENT, value
    from mlhw.sweeps.records import Spread

    table: dict[str, list[Any]] = {}
    for name in found.columns:
        cells = [value(row, name) for row in found.rows]
        table[name] = [cell.mean if isinstance(cell, Spread) else None if cell is ABSENT else cell for cell in cells]
        if any(isinstance(cell, Spread) for cell in cells):
            spreads = [cell if isinstance(cell, Spread) and cell.n > 1 else None for cell in cells]
            table[f"{name}_sd"] = [spread and spread.deviation for spread in spreads]
    index = pd.Index([found.name(row) for row in found.rows], name=found.title)
    return pd.DataFrame(table, index=index)
