"""A process that has imported everything and forks the program on request: real processes, without seconds of imports each.

Reads one JSON request a line from stdin and answers each with one line; see :class:`tests.faults.warm.Warm`.
"""

from __future__ import annotations

import builtins
import io
import json
import mmap
import os
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

MODULES = """
    matplotlib.backends.backend_agg mlhw.cli.app mlhw.cli.live mlhw.commands.assemble mlhw.commands.draw
    mlhw.commands.finish mlhw.commands.resume mlhw.commands.stack mlhw.commands.sweep.sweep mlhw.commands.train
    mlhw.datasets.digits mlhw.datasets.folder mlhw.learners.autograd mlhw.learners.fused mlhw.learners.stacked
    mlhw.models.digits_cnn mlhw.models.grocery_cnn mlhw.models.numpy_resnet mlhw.models.tensor_mlp mlhw.numerics.optimisers
    mlhw.plots.confusion mlhw.plots.curves mlhw.plots.samples mlhw.plots.style mlhw.training.augment sklearn.datasets
    sklearn.model_selection torchvision.models
"""
# Operations on files, beside opening to write and writing: where in their arguments the folder that a path starts from is.
CHANGES = {"os.rename": 2, "os.mkdir": 2, "os.remove": 1, "os.rmdir": 1, "os.truncate": 2}
MOST = 64  # programs at once
BYTES = 1024  # shared by parent and child: a count, and the path that an injected error befell


def begin(request: dict[str, Any], shared: mmap.mmap) -> None:
    """In the child: become the program that ``request`` describes."""
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    for number, name in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        handle = os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    if request["each_epoch"]:
        from mlhw.runs import recorder

        recorder.MIN_SECONDS_BETWEEN = recorder.SHARE = 0.0
    if not request["figures"]:
        from mlhw.commands import draw

        draw.draw_run = lambda *_, **__: []
    if request["most_bytes"]:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (request["most_bytes"], resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    Watch(request, shared).install()
    sys.argv = ["mlhw", *request["arguments"]]
    from mlhw.cli.start import run_app

    if request["part"]:
        from tests.faults.parts import run_part

        run_part(request["part"], request["arguments"])
    else:
        run_app()


class Watch:
    """Counts what is done to files below a folder, and at one of these operations kills the process, or lets it fail."""

    def __init__(self, request: dict[str, Any], shared: mmap.mmap) -> None:
        self.within, self.die_at = request["within"], request["die_at"]
        self.fail_at, self.lasting, self.error = request["fail_at"], request["lasting"], request["error"]
        self.shared, self.count, self.opened = shared, 0, ""
        self.trace = os.open(request["trace"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if request["trace"] else -1

    def install(self) -> None:
        """Watch from now on; what is written in text mode (log.txt) is seen being opened alone."""
        os_fsync, io_open = os.fsync, io.open
        watch = self

        class Raw(io.FileIO):
            def __init__(self, path: Any, mode: str, *, closefd: bool = True, opener: Any = None) -> None:
                super().__init__(path, mode, closefd, opener)
                self.path = watch.opened

            def write(self, data: Any) -> int:
                watch.operation("write", self.path, lambda: super(Raw, self).write(memoryview(data)[: len(data) // 2]))
                return super().write(data)

        def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
            if not ("b" in mode and set(mode) & set("wax+")):
                return io_open(file, mode, buffering, *rest, **more)
            raw = Raw(file, mode.replace("b", ""), **more)
            return raw if buffering == 0 else io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        def fsync(handle: int) -> None:
            path = opened_as(handle)
            watch.operation(
                "fsync", watch.opened if path == Path() else str(path)
            )  # not on Linux: most likely it is this one
            os_fsync(handle)

        io.open, builtins.open, os.fsync = opened, opened, fsync  # type: ignore[assignment]
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR) or isinstance(path, int):
                return
            self.opened = os.fsdecode(path)
        elif event in CHANGES:
            path, start = arguments[0], [*arguments, -1][CHANGES[event]]
            if start >= 0:  # shutil.rmtree's way
                path = opened_as(start) / os.fsdecode(path)
        else:
            return
        if isinstance(path, str | bytes | os.PathLike):
            self.operation(event, os.fsdecode(path))

    def operation(self, kind: str, path: str, half: Any = lambda: None) -> None:
        """Something is about to be done to ``path``; where it is to go wrong, ``half`` of it is done."""
        if not path.startswith(self.within):
            return
        self.count += 1
        self.shared[:8] = struct.pack("q", self.count)
        if self.trace >= 0:
            os.write(self.trace, f"{json.dumps([self.count, path, [*callers(), kind]])}\n".encode())
        if self.count == self.die_at:
            half()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fail_at and (self.count == self.fail_at or (self.lasting and self.count > self.fail_at)):
            half()
            if self.count == self.fail_at:
                name = path.encode()[: BYTES - 9]
                self.shared[8 : 8 + len(name)] = name
            raise OSError(self.error, os.strerror(self.error), path)


def opened_as(handle: int) -> Path:
    """The path that ``handle`` was opened as; empty where the system does not tell (Linux does)."""
    try:
        return Path(f"/proc/self/fd/{handle}").readlink()
    except OSError:
        return Path()


def callers() -> list[str]:
    """The functions of mlhw on the stack, innermost first: ``runs/metrics.py:append``."""
    found, frame = [], sys._getframe(1)
    while frame is not None:
        _, package, name = frame.f_code.co_filename.rpartition(f"{os.sep}mlhw{os.sep}")
        if package:
            found.append(f"{Path(name).as_posix()}:{frame.f_code.co_name}")
        frame = frame.f_back  # type: ignore[assignment]
    return found


def serve(requests: list[dict[str, Any]], shared: list[mmap.mmap]) -> list[dict[str, Any]]:
    """Fork the programs, all at once; kill each after ``kill_after`` seconds where it still runs; say what came."""
    gate, opener = os.pipe()  # they wait at it for each other: at once is at once
    going = {
        fork(request, memory, gate, opener): (request, memory)
        for request, memory in zip(requests, shared, strict=False)
    }
    os.close(gate)
    os.close(opener)
    began = time.monotonic()
    answers: dict[int, dict[str, Any]] = {}
    while going:
        for pid in list(going):
            request, memory = going[pid]
            ended, status = os.waitpid(pid, os.WNOHANG)
            limit = request["kill_after"] if request["kill_after"] is not None else request["limit"]
            if not ended and time.monotonic() - began >= limit:
                os.kill(pid, signal.SIGKILL)
                ended, status = os.waitpid(pid, 0)
            if ended:
                del going[pid]
                answers[requests.index(request)] = {
                    "code": os.waitstatus_to_exitcode(status),
                    "seconds": time.monotonic() - began,
                    "operations": struct.unpack("q", memory[:8])[0],
                    "failed": memory[8:].rstrip(b"\0").decode(errors="replace"),
                    "pid": pid,
                }
        time.sleep(0.0005)
    return [answers[place] for place in range(len(requests))]


def fork(request: dict[str, Any], shared: mmap.mmap, gate: int, opener: int) -> int:
    """The process that becomes the program of ``request`` when every end ``opener`` of the pipe ``gate`` is closed."""
    shared[:] = bytes(BYTES)
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.close(opener)
        os.read(gate, 1)
        os.close(gate)
        begin(request, shared)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Answer requests until stdin ends."""
    for name in filter(None, MODULES.replace("\n", " ").split(" ")):
        __import__(name)
    import torch

    torch.set_num_threads(1)
    shared = [mmap.mmap(-1, BYTES) for _ in range(MOST)]
    answer("ready")
    for line in sys.stdin:
        answer(json.dumps(serve(json.loads(line), shared)))


def answer(line: str) -> None:
    """One line to whoever asks."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
