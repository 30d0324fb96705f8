"""mlhw: one command each for the classic deep-learning exercises. Importing it loads nothing heavy.

In a notebook::

    import mlhw

    run = mlhw.train("digits-cnn", epochs=5)
    run.metrics  # a DataFrame: one row an epoch and split
    run.plot()

A name is loaded when it is first used. ``docs/notebook.md`` shows them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlhw.api.reading import compare, list_experiments, list_runs, load_run, plot
    from mlhw.api.run import Run
    from mlhw.api.sweeping import Sweep, sweep
    from mlhw.api.training import resume, train
    from mlhw.errors import MlhwError

    __version__: str

__all__ = [
    "MlhwError",
    "Run",
    "Sweep",
    "__version__",
    "compare",
    "list_experiments",
    "list_runs",
    "load_run",
    "plot",
    "resume",
    "sweep",
    "train",
]

_HOMES = {
    "MlhwError": "mlhw.errors",
    "Run": "mlhw.api.run",
    "Sweep": "mlhw.api.sweeping",
    "compare": "mlhw.api.reading",
    "list_experiments": "mlhw.api.reading",
    "list_runs": "mlhw.api.reading",
    "load_run": "mlhw.api.reading",
    "plot": "mlhw.api.reading",
    "resume": "mlhw.api.training",
    "sweep": "mlhw.api.sweeping",
    "train": "mlhw.api.training",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("mlhw")
    if name in _HOMES:
        from importlib import import_module

        found = getattr(import_module(_HOMES[name]), name)
        globals()[name] = found  # the next use does not come here
        return found
    raise AttributeError(f"module 'mlhw' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
