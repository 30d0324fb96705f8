"""Ray clusters of this machine, for tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@contextlib.contextmanager
def head_with_one_core() -> Iterator[Any]:
    """A cluster of a head with one core; a test may add nodes. Its folder is in /tmp, since a socket's path must be short."""
    pytest.importorskip("ray")
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    noted = Path("/tmp/ray")  # Cluster writes its address there, and expects the folder
    made_here = not noted.exists()
    noted.mkdir(exist_ok=True)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    temporary = Path(folder) / "tmp"
    temporary.mkdir()
    head = {"num_cpus": 1, "include_dashboard": False, "temp_dir": folder, "object_store_memory": 10**8}
    made = Cluster(initialize_head=True, head_node_args=head | {"env_vars": {"TMPDIR": str(temporary)}})
    made.temporary = temporary  # where trials work on the head
    try:
        yield made
    finally:
        made.shutdown()
        del os.environ["RAY_USAGE_STATS_ENABLED"]
        for left in [folder, *([noted] if made_here else [])]:
            shutil.rmtree(left, ignore_errors=True)
