"""A file that hangs, crashes or ends Python is stopped with all that it started, and told in one sentence where it was."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlhw.checks.apart import check_apart
from mlhw.checks.calls import Fault

PAIR = "def forward(x):\n    return x * 2\ndef backward(d_out, x):\n    {}\n    return 2 * d_out\n"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and sessions as POSIX has them")


def fault(path: Path, text: str, seconds: float = 20.0) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Fault) as caught:
        check_apart(path, jacobians=False, time_limit_seconds=seconds)
    assert caught.value.kind == "work"
    return str(caught.value)


def test_a_right_file_gives_the_records_of_its_checks_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("factor = 2\n", encoding="utf-8")
    path = tmp_path / "fine.py"
    path.write_text("import beside\n" + PAIR.format("pass"), encoding="utf-8")
    records = check_apart(path, jacobians=True)
    assert all(record["passed"] for record in records)
    assert {record["test"] for record in records} >= {"taylor", "differences", "transpose", "linear"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["beside.py", "fine.py"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os; os._exit(0)", "Python was ended in backward with exit code 0 (os._exit?)"),
        ("import ctypes; ctypes.string_at(0)", "Python crashed in backward (SIGSEGV: a segmentation fault)"),
        ("x = [0] * 10**16", "bad.py, line 4, in backward: MemoryError"),
    ],
)
def test_an_end_that_no_handler_sees(line: str, words: str, tmp_path: Path) -> None:
    assert words in fault(tmp_path / "bad.py", PAIR.format(line))


def test_the_time_limit_ends_the_file_and_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    text = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\n" + PAIR.format("while True: pass")
    )
    assert "not finished in backward after 2 s. An endless loop?" in fault(tmp_path / "slow.py", text, 2.0)
    pid = int(mark.read_text())
    for _ in range(100):
        if not _lives(pid):
            break
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return Path("/proc/self").exists() is False and _answers(pid)


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
