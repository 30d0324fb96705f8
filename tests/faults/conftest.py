"""One warm process for all of this folder's tests; assertions in their helpers say what differs, as those in tests do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.faults.killing", "tests.faults.stranger")

from tests.faults.warm import Warm  # noqa: E402  (after the line that it is subject to)


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """The program as forks of a process that is up already."""
    if sys.platform == "win32":
        pytest.skip("Windows has neither fork nor SIGKILL")
    with Warm(tmp_path_factory.mktemp("warm")) as server:
        yield server


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run of each kind, in a folder of outputs of its own."""
    from tests.faults.stranger import finished_runs

    return finished_runs(tmp_path_factory)


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies of runs go, named by the environment; below the working directory."""
    monkeypatch.setenv("MLHW_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs"
