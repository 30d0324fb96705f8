"""``mlhw doctor``: whether this machine has what mlhw needs, looked at and not guessed."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from mlhw.commands.settings import Settings
from mlhw.errors import MlhwError

State = Literal["ok", "look", "fail"]
ENOUGH_BYTES, LITTLE_BYTES = (
    2 * 10**9,
    100 * 10**6,
)  # of free space: below the first one should look, below the second it ends
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(>=\s*(?P<least>[0-9][0-9.]*))?")


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is as it should be (``look``: it works, but see), and what was found."""

    name: str
    state: State
    found: str


def doctor(settings: Settings) -> list[Check]:
    """Look at versions, threads, device, folders, disk, data and weights. Leaves nothing behind. Takes seconds."""
    return [check for look in CHECKS for check in look(settings)]


def _versions(settings: Settings) -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok" if sys.version_info >= (3, 11) else "fail", f"{python} ({sys.executable})")
    try:
        needed = [text for text in requires("mlhw") or () if "extra ==" not in text]
        own = version("mlhw")
    except PackageNotFoundError:
        yield Check(
            "packages", "look", "mlhw is not installed here, but run from its folder: versions are not compared"
        )
        return
    faults, found = [], [f"mlhw {own}"]
    for text in needed:
        match = _REQUIREMENT.match(text)
        if match is None:
            continue
        name, least = match["name"], match["least"]
        try:
            has = version(name)
        except PackageNotFoundError:
            faults.append(f"{name} is missing")
            continue
        found.append(f"{name} {has}")
        if least and _numbers(has) < _numbers(least):
            faults.append(f"{name} is {has}, should be {least} or newer")
    if faults:
        yield Check("packages", "fail", f"{'; '.join(faults)}. Install mlhw again: pip install -e .")
    else:
        yield Check("packages", "ok", ", ".join(found))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", text.partition("+")[0])[:3])


def _arithmetic(settings: Settings) -> Iterator[Check]:
    """Numpy and torch load, agree on a product, and use as many threads as there are cores, or fewer."""
    try:
        import numpy as np
        import torch
        from threadpoolctl import threadpool_info
    except (ImportError, OSError) as error:
        yield Check("arithmetic", "fail", f"numpy or torch does not load: {error}. Install them again.")
        return
    rows = np.random.default_rng(0).standard_normal((64, 64))
    gap = float(np.abs(rows @ rows - (torch.from_numpy(rows) @ torch.from_numpy(rows)).numpy()).max())
    yield Check("arithmetic", "ok" if gap < 1e-10 else "fail", f"numpy and torch agree on a product to {gap:.0e}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    blas = max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)
    asked = settings.threads or max(blas, torch.get_num_threads())
    said = f"{cores} cores; torch uses {torch.get_num_threads()} threads, numpy {blas}"
    said += f"; MLHW_THREADS asks for {settings.threads}" if settings.threads else ""
    yield Check("threads", "ok" if asked <= cores else "look", said + ("" if asked <= cores else ": more than cores"))
    yield Check("device", "ok", _devices(torch.cuda.is_available(), torch.backends.mps.is_available()))


def _devices(cuda: bool, mps: bool) -> str:
    if cuda:
        import torch

        return ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return "mps" if mps else "cpu alone: nothing in the course needs more"


def _folders(settings: Settings) -> Iterator[Check]:
    """A file can be written, renamed and locked in each folder that mlhw writes to, and there is space left."""
    from mlhw.models.weights import folder as weights_folder

    places = {"outputs": (settings.outputs, "MLHW_OUTPUTS"), "cache": (settings.cache, "MLHW_CACHE")}
    places["weights folder"] = (weights_folder(), "TORCH_HOME")
    for name, (path, variable) in places.items():
        there = nearest_there(path.absolute())
        if fault := unwritable(there):
            yield Check(name, "fail", f"{there}: {fault}. Set {variable} to a folder that you may write to.")
            continue
        free = shutil.disk_usage(there).free
        state: State = "ok" if free >= ENOUGH_BYTES else "look" if free >= LITTLE_BYTES else "fail"
        advice = "" if state == "ok" else f". Free space, or set {variable} to another disk"
        made = "" if path.exists() else " (is made when needed)"
        yield Check(name, state, f"{path}{made}: writable, {free / 1e9:,.1f} GB free{advice}")


def nearest_there(path: Path) -> Path:
    """``path``, or the nearest of the folders above it that is there."""
    for each in [path, *path.parents]:
        with contextlib.suppress(OSError):
            if each.exists():
                return each
    return Path(path.anchor)


def unwritable(folder: Path) -> str:
    """Why no file can be written, renamed and locked in ``folder``; "" where it can. Leaves nothing behind."""
    from filelock import FileLock

    if not folder.is_dir():
        return "is not a folder"
    first, second = (folder / f".mlhw-{secrets.token_hex(4)}.{end}" for end in ("tmp", "lock"))
    try:
        first.write_bytes(b"mlhw")
        first.replace(second)
        with FileLock(second, timeout=1):
            pass
    except (OSError, RuntimeError) as error:
        return f"cannot be written to ({getattr(error, 'strerror', None) or error})"
    finally:
        for path in (first, second):
            with contextlib.suppress(OSError):
                path.unlink()
    return ""


def _data(settings: Settings) -> Iterator[Check]:
    """Which public data sets are there; a part of one is worth a look."""
    from mlhw.commands.data import list_sources

    found: dict[str, list[str]] = {}
    for record in list_sources(settings.data, settings.cache):
        found.setdefault(record.status, []).append(record.name)
    said = "; ".join(f"{state}: {', '.join(names)}" for state, names in found.items())
    partial = found.get("partial", [])
    advice = f". Bring the rest: mlhw data fetch {partial[0]}" if partial else ""
    yield Check("data", "look" if partial else "ok", f"{settings.data}: {said}{advice}")


def _weights(settings: Settings) -> Iterator[Check]:
    """Which pretrained networks' weights are there."""
    from mlhw.commands.weights import list_weights

    try:
        records = list_weights()
    except (MlhwError, ImportError, OSError) as error:
        yield Check("weights", "fail", f"torchvision's networks cannot be listed: {error}")
        return
    here = [record.model for record in records if record.status == "cached"]
    partial = [record.model for record in records if record.status == "partial"]
    said = f"{len(here)} of {len(records)} networks: {', '.join(here)}" if here else f"none of {len(records)} networks"
    said += f"; cut off: {', '.join(partial)}. Bring the rest: mlhw weights fetch {partial[0]}" if partial else ""
    yield Check("weights", "look" if partial else "ok", said)


def _experiments(settings: Settings) -> Iterator[Check]:
    """Every experiment can be read."""
    from mlhw.commands.inspect import experiments

    records = experiments()
    faults = [record["error"] for record in records if record["error"]]
    if faults:
        yield Check("experiments", "look", f"{len(faults)} of {len(records)} cannot be read: {faults[0]}")
    else:
        yield Check("experiments", "ok", f"{len(records)}, all valid")


CHECKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    _versions,
    _arithmetic,
    _folders,
    _data,
    _weights,
    _experiments,
)
