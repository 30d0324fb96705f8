"""`mlhw rm` on a terminal asks before it deletes; elsewhere, and with --yes, it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import mlhw


def made(tail: str) -> Path:
    path = Path(os.environ["MLHW_OUTPUTS"]) / f"x-20260101-000000-{tail}"
    path.mkdir(parents=True)
    (path / "config.yaml").write_text("name: x\n", encoding="utf-8")
    return path


def on_a_terminal(answer: bytes, *arguments: str) -> tuple[int, str]:
    """Exit code and screen of ``mlhw`` where a person answers."""
    import pty

    screen, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mlhw", *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=os.environ
    ) as process:
        os.close(terminal)
        os.write(screen, answer)
        said = b""
        try:
            while part := os.read(screen, 4096):
                said += part
        except OSError:  # Linux's way of saying that the other end is closed
            pass
    os.close(screen)
    return process.returncode, said.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_it_names_the_runs_and_waits_for_a_yes() -> None:
    runs = [made("aaaa"), made("bbbb")]
    names = [run.name for run in runs]
    code, said = on_a_terminal(b"n\n", "rm", *names)
    assert code == 1
    assert all(name in said for name in names)
    assert "delete these 2 runs?" in said
    assert all(run.is_dir() for run in runs)
    code, said = on_a_terminal(b"y\n", "rm", names[0])
    assert code == 0, said
    assert "delete this run?" in said
    assert [run.is_dir() for run in runs] == [False, True]
    code, said = on_a_terminal(b"", "rm", "--yes", names[1])
    assert code == 0
    assert "delete" not in said
    assert not runs[1].exists()


def test_elsewhere_it_does_not_ask() -> None:
    run = made("aaaa")
    assert mlhw("rm", run.name).code == 0
    assert not run.exists()
