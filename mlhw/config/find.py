"""Where experiments lie: shipped with mlhw, in ``./experiments``, or anywhere by path."""

from __future__ import annotations

import os
from pathlib import Path

from mlhw.errors import ConfigError, did_you_mean

LOCAL = Path("experiments")


def shipped_folder() -> Path:
    """Where the experiments that come with mlhw lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "experiments"
    return inside if inside.is_dir() else package.parent / "experiments"


def available() -> dict[str, Path]:
    """Experiment name to file; ``./experiments`` wins over the shipped ones."""
    found: dict[str, Path] = {}
    for folder in (shipped_folder(), LOCAL):
        if folder.is_dir():
            found |= {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return found


def find(name: str) -> Path:
    """The file of the experiment ``name``: a path where it looks like one (a slash, or .yaml), else a known name.

    Raises:
        ConfigError: there is none; names the nearest.
    """
    path = Path(name)
    looks_like_path = path.suffix in (".yaml", ".yml") or any(mark in name for mark in ("/", os.sep))
    if looks_like_path:
        if path.is_file():
            return path
        raise ConfigError(f"no experiment file {name}. `mlhw list` shows the experiments that there are.")
    known = available()
    if name in known:
        return known[name]
    raise ConfigError(f"no experiment named '{name}'. {did_you_mean(name, known)} `mlhw list` shows all.")
