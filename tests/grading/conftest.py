"""Settings of the tests of hand-ins, and a run that is handed in."""

from __future__ import annotations

import pytest

from mlhw.commands.settings import Settings
from mlhw.runs.store import Run
from tests.grading.submission_made import DIGITS, trained


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("grading")
    return Settings(data=root / "data", outputs=root / "outputs", cache=root / "cache")


@pytest.fixture(scope="module")
def digits(place: Settings) -> Run:
    return trained(place, "digits-cnn", *DIGITS)
