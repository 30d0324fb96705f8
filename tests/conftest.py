"""Every test runs with its own folders, and with the shapes in signatures checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# Before anything of it is imported: jaxtyping's shapes are then checked at each call, in tests and nowhere else.
install_import_hook(["mlhw.numerics", "mlhw.models", "mlhw.checks"], "beartype.beartype")

# As the program itself does: tests run beside each other, and beside whatever else the machine does.
os.environ.setdefault("GOMP_SPINCOUNT", "4000")

REAL_DATA = os.environ.get("MLHW_DATA")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No fixture of a module reads what another version has prepared for whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLHW_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes to, or depends on, the folders of whoever runs it."""
    monkeypatch.setenv("MLHW_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.setenv("MLHW_DATA", str(tmp_path / "data"))
    for name in ("MLHW_OFFLINE", "MLHW_THREADS", "MLHW_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real data that MLHW_DATA named when pytest started; a test that asks for it is skipped without."""
    if not REAL_DATA or not (Path(REAL_DATA) / "MNIST").is_dir():
        pytest.skip("needs real data: set MLHW_DATA to a folder with MNIST and GroceryStoreDataset")
    monkeypatch.setenv("MLHW_DATA", REAL_DATA)
    return Path(REAL_DATA)
