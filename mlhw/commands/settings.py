"""Where things are, as the environment says; no settings file, no change of directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlhw.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders and switches of one invocation."""

    data: Path
    outputs: Path
    cache: Path
    offline: bool = False
    threads: int | None = None
    most_threads: int | None = None  # one worker's share of the cores
    command: tuple[str, ...] = ()  # what asked for the work, where it was no command line

    def bounded(self, threads: int | None) -> int | None:
        """``threads``, but no more than this worker's share; the share itself where nothing is asked for."""
        bounds = [each for each in (threads, self.most_threads) if each is not None]
        return min(bounds, default=None)


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that MLHW_DATA, MLHW_OUTPUTS, MLHW_CACHE, MLHW_OFFLINE and MLHW_THREADS give, or their defaults.

    Raises:
        ConfigError: MLHW_THREADS is not a number of threads.
    """
    cache = environ.get("MLHW_CACHE")
    if not cache:
        from platformdirs import user_cache_dir

        cache = user_cache_dir("mlhw", appauthor=False)
    threads = environ.get("MLHW_THREADS", "").strip()
    if threads and not (threads.isdigit() and 1 <= int(threads) <= 4096):
        raise ConfigError(f"MLHW_THREADS should be a whole number from 1 to 4096, got '{threads}'.")
    return Settings(
        data=Path(environ.get("MLHW_DATA") or "data"),
        outputs=Path(environ.get("MLHW_OUTPUTS") or "outputs"),
        cache=Path(cache),
        offline=environ.get("MLHW_OFFLINE", "") not in ("", "0", "false"),
        threads=int(threads) if threads else None,
    )
