"""``python -m mlhw.checks.child REPORT``: checks the file that REPORT's first line asks for, and adds what it found.

REPORT is a file of JSON lines: the request; then ``{"stage": …}`` before another function is called, so that it is known where
a process that died was; last ``{"checks": […]}`` or ``{"fault": …, "kind": …}``. Whatever is printed goes to stderr.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

_SPARE_SECONDS = 5  # after the time limit, in case whoever holds it is gone


def main(report: Path) -> None:
    """Answer the request in ``report``."""
    request = json.loads(report.read_text(encoding="utf-8").splitlines()[0])
    _bound(request["time_limit_seconds"], request["memory_mb"])
    sys.dont_write_bytecode = True  # nothing is left in the learner's folder
    stage = ""

    def write(value: dict[str, Any]) -> None:
        with report.open("a", encoding="utf-8") as file:
            file.write(json.dumps(value) + "\n")

    def tell(now: str) -> None:
        nonlocal stage
        if now != stage:
            stage = now
            write({"stage": now})

    from mlhw.checks.calls import Fault
    from mlhw.checks.own import check_file
    from mlhw.files import finite

    try:
        checks = check_file(
            Path(request["path"]),
            jacobians=request["jacobians"],
            forward=request["forward"],
            backward=request["backward"],
            seed=request["seed"],
            tell=tell,
        )
    except Fault as fault:
        write({"fault": str(fault), "kind": fault.kind})
        return
    write(finite({"checks": [check.record() | {"curve": check.curve()} for check in checks]}))


def _bound(time_limit_seconds: float, memory_mb: int | None) -> None:
    """Let the system end this process if it takes too long or all memory, whoever watches it."""
    if os.name != "posix":
        return
    import resource
    import signal

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(time_limit_seconds) + _SPARE_SECONDS)
    with contextlib.suppress(ValueError, OSError):
        # A list that grows for ever then raises MemoryError here, and not everywhere.
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        resource.setrlimit(resource.RLIMIT_AS, (memory * 3 // 4, memory * 3 // 4))
    if memory_mb is not None and sys.platform == "linux":
        # What is written to; RLIMIT_AS would count the gigabytes of address space that torch maps and never touches.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 2**20, memory_mb * 2**20))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # threads or exit handlers of the learner's code have no say any more
