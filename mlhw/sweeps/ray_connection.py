"""The connection to a Ray cluster: found, checked, made and ended."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mlhw.errors import ConfigError
from mlhw.sweeps.spawning import environment_with

_PROBE_SECONDS: Final = 5.0
_QUIET: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
_MISSING: Final = "--ray needs Ray, which is not installed: pip install 'mlhw[ray]'."


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected for the length of the block to the cluster at ``address``; what it began is ended and removed."""
    try:
        with environment_with(_QUIET):
            ray: Any = importlib.import_module("ray")
    except ImportError:
        raise ConfigError(_MISSING) from None
    if ray.is_initialized():
        yield ray
        return
    temporary: list[Path] = []
    try:
        with environment_with(_QUIET), _sigterm_kept():
            _connect(ray, address, temporary)
        yield ray
    finally:
        ray.shutdown()
        for folder in temporary:
            shutil.rmtree(folder, ignore_errors=True)


def _connect(ray: Any, address: str, temporary: list[Path]) -> None:
    address = _named(address)
    check(address)
    quiet = {"log_to_driver": False, "logging_level": "CRITICAL"}
    try:
        if address != "local":
            with contextlib.suppress(*((ConnectionError,) if address == "auto" else ())):  # none runs here
                ray.init(address, **quiet)
                return
        # Its logs and sockets, which Ray would leave in /tmp. A short path: a socket's may have 107 characters.
        base = "/tmp" if os.name == "posix" else None
        temporary.append(Path(tempfile.mkdtemp(prefix="mlhw-ray-", dir=base)))
        ray.init("local", include_dashboard=False, _temp_dir=str(temporary[0]), **quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise ConfigError(f"cannot use the Ray cluster at {address}: {first_line(error)}") from error


def check(address: str) -> None:
    """Return where Ray is installed and somebody listens at ``address``, without loading Ray, which itself tries for minutes.

    Raises:
        ConfigError: Ray is missing, the address is none, or nobody listens there.
    """
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(_MISSING)
    address = _named(address)
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"--ray should be auto, local, HOST:PORT or ray://HOST:PORT, got '{address}'.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS).close()
    except OSError as error:
        raise ConfigError(
            f"no Ray cluster answers at {address} ({error.strerror or error}). Start one there with `ray start --head`, "
            "or use this machine alone with --ray local."
        ) from None


@contextlib.contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Ray makes SIGTERM leave the program at once; here it is an interrupt, after which runs can be resumed."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _named(address: str) -> str:
    """``auto`` as RAY_ADDRESS says it, where it does."""
    return os.environ.get("RAY_ADDRESS") or "auto" if address == "auto" else address


def first_line(error: BaseException) -> str:
    """The first line of what ``error`` says, or its class."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
