"""Whether a tracker is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from mlhw.errors import ConfigError

TRACKERS: Final = ("tensorboard", "mlflow")


def check(tracker: str) -> None:
    """Raise ConfigError where ``tracker`` is not installed; says what to install. Imports nothing."""
    if find_spec(tracker) is None:
        raise ConfigError(f"{tracker} is not installed. `pip install 'mlhw[{tracker}]'` brings it.")
