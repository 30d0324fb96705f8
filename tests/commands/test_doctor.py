"""`mlhw doctor` finds what is wrong, and leaves nothing behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlhw.commands import doctor
from mlhw.commands.settings import from_environment
from tests.cli.program import mlhw

NAMES = {
    *("python", "packages", "arithmetic", "threads", "device", "outputs", "cache", "weights folder", "data", "weights"),
    "experiments",
}


def states() -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.doctor(from_environment())}


def test_a_sound_machine_is_well_and_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    done = mlhw("doctor", "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.json["ok"] is True
    assert {check["name"] for check in done.json["checks"]} == NAMES
    assert not [check for check in done.json["checks"] if check["state"] == "fail"]
    assert list(tmp_path.iterdir()) == []
    assert "ok" in mlhw("doctor", cwd=tmp_path).out


def test_an_outputs_folder_that_is_a_file_fails_with_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = mlhw("doctor", "--json", MLHW_OUTPUTS=str(tmp_path / "file" / "outputs"))
    assert done.code == 1
    assert done.json["ok"] is False
    (check,) = [check for check in done.json["checks"] if check["state"] == "fail"]
    assert check["name"] == "outputs"
    assert "MLHW_OUTPUTS" in check["found"]
    assert "outputs" in done.err


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_permission_is_seen(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert "cannot be written to" in doctor.unwritable(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_disk_that_is_nearly_full_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((10**12, "ok"), (10**9, "look"), (10**6, "fail")):
        usage = type("Usage", (), {"free": free})()
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path, usage=usage: usage)
        assert states()["outputs"].state == state


def test_too_many_threads_and_old_packages_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLHW_THREADS", "4096")
    monkeypatch.setattr(
        doctor, "requires", lambda name: ["numpy>=99.1", "nowhere>=1", "torch>=2", "ray>=1; extra == 'ray'"]
    )
    found = states()
    assert found["threads"].state == "look"
    assert found["packages"].state == "fail"
    assert "should be 99.1 or newer" in found["packages"].found
    assert "nowhere is missing" in found["packages"].found
    assert "ray" not in found["packages"].found


def test_a_broken_experiment_of_one_s_own_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "broken.yaml").write_text("name: [", encoding="utf-8")
    assert states()["experiments"].state == "look"
    assert "broken.yaml" in states()["experiments"].found


def test_json_is_one_object() -> None:
    assert set(json.loads(mlhw("doctor", "--json").out)) == {"ok", "checks"}
