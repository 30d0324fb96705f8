"""The results' file: what was measured is written as soon as it is, so that a run that was cut off goes on."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlhw.files import write_json

FORMAT = 1
PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "skorch", "lightning", "keras", "pillow", "typer")


def machine() -> dict[str, Any]:
    """The processor, its cores, the memory, the system, and the versions that matter; loads none of them."""
    import os

    from mlhw.runs.environment import processor

    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
    }


class Results:
    """Measurements by part, in a JSON file. Those of another machine, versions or ``settings`` are not gone on with."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.value: dict[str, Any] = {"format": FORMAT, "machine": machine(), "settings": settings, "parts": {}}
        found = _read(path)
        if found and all(found.get(key) == self.value[key] for key in ("format", "machine", "settings")):
            self.value = found

    @property
    def parts(self) -> dict[str, Any]:
        return self.value["parts"]

    def add(self, name: str, measured: dict[str, Any], seconds: float) -> None:
        """Write ``measured``, which took ``seconds``, to the file at once."""
        when = datetime.now(UTC).isoformat(timespec="seconds")
        self.parts[name] = {"when": when, "took_seconds": round(seconds, 1), **measured}
        write_json(self.path, self.value)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("parts"), dict) else None
