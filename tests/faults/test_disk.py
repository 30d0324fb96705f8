"""A disk that fills up or fails: the message says where and how much, what was good still loads, and it goes on exactly.

``MLHW_TEST_FAULTS`` says how many errors are injected in all (15 where it does not).
"""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlhw.runs import checkpoint
from tests.cli.program import mlhw
from tests.faults.killing import Training, assert_same, assert_same_run
from tests.faults.warm import Ended, Warm

FAULTS = int(os.environ.get("MLHW_TEST_FAULTS", "15"))
KINDS = ("numpy", "cnn", "stack")


def assert_said(ended: Ended, training: Training) -> None:
    """An injected error ended the program in a message that names a path, or was of something that it can do without."""
    assert "Traceback" not in ended.err
    assert "This is a bug" not in ended.err
    if Path(ended.failed).name == "log.txt" or Path(ended.failed) == training.outputs:  # a mkdir of what is there
        assert ended.code == training.good, ended.err
        return
    assert ended.code == 1, (ended.failed, ended.err)
    said = ended.err[ended.err.index("error: ") :]
    assert "cannot " in said
    assert str(Path(ended.failed).parent if not training.stacked else training.outputs) in said
    assert "space" in said or "MLHW_OUTPUTS" in said


def assert_loadable(training: Training) -> None:
    """Every checkpoint that is there is whole."""
    for path in training.outputs.rglob("*.pt"):
        checkpoint.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_after_an_error_of_the_disk_anywhere_the_run_goes_on_exactly(kind: str, warm: Warm, tmp_path: Path) -> None:
    """ENOSPC from some operation on, or one EIO: at a write (half of it done), an fsync, a rename, an open or a mkdir."""
    whole = Training.made(kind, tmp_path / "whole")
    undisturbed = whole.start(warm, figures=False)
    rng = np.random.default_rng(len(kind))
    met = set()
    for number in range(FAULTS // len(KINDS)):
        got = Training.made(kind, tmp_path / f"failed-{number}")
        lasting = number % 4 != 3
        ended = got.start(
            warm,
            figures=False,
            fail_at=int(rng.integers(1, undisturbed.operations)),
            lasting=lasting,
            error=errno.ENOSPC if lasting else errno.EIO,
        )
        met.add(Path(ended.failed).name)
        assert_said(ended, got)
        assert_loadable(got)
        assert got.end(warm).code == whole.good
        assert_same(got, whole)
    logging.getLogger(__name__).info("%s: %d errors, first at %s", kind, FAULTS // len(KINDS), ", ".join(sorted(met)))


@pytest.mark.parametrize(("most_bytes", "file"), [(2000, "metrics.csv"), (20000, "last.pt")])
def test_a_quota_that_is_reached_names_the_file_and_what_it_takes(
    most_bytes: int, file: str, warm: Warm, tmp_path: Path
) -> None:
    """A limit of the system's own (RLIMIT_FSIZE), which writes a part and refuses the rest."""
    whole, got = (Training.made("numpy", tmp_path / name) for name in ("whole", "failed"))
    assert whole.start(warm, figures=False).code == 0
    ended = got.start(warm, figures=False, most_bytes=most_bytes, each_epoch=file == "last.pt")
    assert ended.code == 1
    assert file in ended.err
    assert "bytes" in ended.err
    assert "Free space" in ended.err
    assert_loadable(got)
    assert got.end(warm).code == 0
    assert_same(got, whole)


IN_NAMESPACE = """
set -eu
mount -t tmpfs -o size=$1 tmpfs "$2"
shift 2
if "$@"; then code=0; else code=$?; fi
echo $code > "$MLHW_OUTPUTS/../code"
cp -r "$MLHW_OUTPUTS" "$MLHW_OUTPUTS/../kept"
"""

EACH_EPOCH = """
from mlhw.runs import recorder
recorder.MIN_SECONDS_BETWEEN = recorder.SHARE = 0.0
from mlhw.cli import main
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's namespaces to mount a small disk")
def test_a_disk_that_fills_up_in_mid_run(tmp_path: Path) -> None:
    """A real file system of 96 kB, filled by the run itself."""
    whole, got = Training.made("numpy", tmp_path / "whole"), Training.made("numpy", tmp_path / "full")
    got.outputs.mkdir()
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(got.outputs)]
    try:
        able = subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        able = False
    if not able:
        pytest.skip("this system lets us mount nothing in a namespace of our own")
    longer = ("-s", "train.epochs=600", "-s", "train.patience_epochs=null")
    program = [sys.executable, "-c", EACH_EPOCH, "train", str(got.config), *longer]
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", IN_NAMESPACE, "bash", "96k", str(got.outputs), *program],
        capture_output=True,
        text=True,
        env={**os.environ, "MLHW_OUTPUTS": str(got.outputs)},
        check=True,
    )
    assert (tmp_path / "full" / "code").read_text().strip() == "1", done.stderr
    assert "No space left on device" in done.stderr
    assert "are free. Free space. Then go on: mlhw resume" in done.stderr
    assert "Traceback" not in done.stderr
    (run,) = (tmp_path / "full" / "kept").iterdir()
    assert checkpoint.load(run / "checkpoints" / "last.pt")["loop"][0]["epoch"] < 600
    (whole_run,) = [Path(mlhw("train", str(whole.config), *longer, "--json").json["path"])]
    assert mlhw("resume", run.name, MLHW_OUTPUTS=str(run.parent)).code == 0
    assert_same_run(run, whole_run)
