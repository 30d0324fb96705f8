"""A plain install, not an editable one: the experiments come along, and nothing of the checkout is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # hatchling is among the test requirements: nothing is fetched to build.
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(build, check=True)
    (found,) = folder.glob("mlhw-*.whl")
    return found


def test_the_wheel_holds_the_package_and_the_experiments_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "mlhw/py.typed" in names
    shipped = {Path(name).name for name in names if name.startswith("mlhw/experiments/")}
    assert shipped == {path.name for path in (ROOT / "experiments").glob("*.yaml")}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"mlhw"}


def test_list_and_train_work_from_any_folder_after_a_plain_install(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "-q", "--target", str(target), str(wheel)], check=True
    )
    environment = {**os.environ, "PYTHONPATH": str(target)}

    def mlhw(*arguments: str) -> str:
        command = [
            sys.executable,
            "-c",
            f"import mlhw; assert {str(target)!r} in mlhw.__file__; from mlhw.cli import main; main()",
        ]
        done = subprocess.run(
            [*command, *arguments],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "digits-cnn" in mlhw("list")
    assert '"status": "done"' in mlhw("train", "digits-cnn", "-s", "train.epochs=1", "--json")
