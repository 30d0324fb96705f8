"""What the tests have executors run: functions of a module, as a spawned process needs them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from mlhw.errors import ConfigError, Interrupted
from mlhw.sweeps.executors import THREAD_VARIABLES, Tell


class Unloadable:
    """Pickles, and cannot be loaded again."""

    def __reduce__(self) -> Any:
        return (_refuse, ())


def _refuse() -> NoReturn:
    raise ValueError("not on this machine")


def work(job: Any, tell: Tell) -> Any:
    """Do what the job ``(verb, argument)`` says."""
    verb, argument = job
    return globals()[verb](argument, tell)


def double(number: Any, tell: Tell) -> Any:
    return number * 2


def where(_: Any, tell: Tell) -> int:
    return os.getpid()


def say(count: int, tell: Tell) -> str:
    for number in range(count):
        tell({"said": number})
    return "all said"


def say_much(size: int, tell: Tell) -> bytes:
    tell(bytes(size))
    return b"x" * size


def refuse(_: Any, tell: Tell) -> None:
    raise ConfigError("train.lr should be above 0.")


def fail(_: Any, tell: Tell) -> None:
    raise ValueError("no such thing")


def leave(code: int, tell: Tell) -> None:
    sys.exit(code)


def interrupted(_: Any, tell: Tell) -> None:
    raise Interrupted("go on with: mlhw resume x")


def ctrl_c(_: Any, tell: Tell) -> None:
    raise KeyboardInterrupt


def run_out_of_memory(_: Any, tell: Tell) -> None:
    raise MemoryError


def vanish(code: int, tell: Tell) -> None:
    os._exit(code)


def send_signal(number: int, tell: Tell) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def crash(_: Any, tell: Tell) -> None:
    ctypes.string_at(0)


def no_pickle(_: Any, tell: Tell) -> Any:
    return (number for number in range(3))


def no_loading(_: Any, tell: Tell) -> Any:
    return Unloadable()


def say_no_pickle(_: Any, tell: Tell) -> None:
    tell(threading.Lock())


def print_both(_: Any, tell: Tell) -> None:
    print("printed by Python")  # noqa: T201
    os.write(1, b"printed by C\n")


def wait_for(path: Path, tell: Tell) -> str:
    """Until ``path`` is there."""
    while not path.exists():
        time.sleep(0.005)
    return "there"


def endure(count: int, tell: Tell) -> None:
    """Until it is interrupted ``count`` times; tells of each. Like a training that writes a checkpoint when interrupted."""
    said = False
    for number in range(count):
        try:
            if not said:
                said = True
                tell(os.getpid())
            for _ in range(1200):  # Ray interrupts Python between two steps, not a system call
                time.sleep(0.05)
        except KeyboardInterrupt:
            tell(f"interrupted {number + 1}")
            time.sleep(0.2)
    tell("checkpoint")


def interrupt_within_messages(size: int, tell: Tell) -> None:
    """Says so much that an interrupt almost surely comes within a message."""
    try:
        tell(os.getpid())
        while True:
            tell(bytes(size))
    except KeyboardInterrupt:
        tell("checkpoint")
        raise


def multiply(side: int, tell: Tell) -> None:
    import numpy as np

    tell(os.getpid())
    matrix = np.ones((side, side))
    while True:
        matrix @ matrix


def threads_in_use(_: Any, tell: Tell) -> tuple[int, int, str]:
    """Of torch, of numpy's BLAS, and of mlhw."""
    import numpy as np  # noqa: F401
    import torch
    from threadpoolctl import threadpool_info

    blas = max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
    return torch.get_num_threads(), blas, os.environ["MLHW_THREADS"]


def modules(_: Any, tell: Tell) -> list[str]:
    return [name for name in ("torch", "numpy", "pytest", "pandas") if name in sys.modules]


KILL = getattr(signal, "SIGKILL", 0)


def nap(number: int, tell: Tell) -> int:
    """Tells the Ray node that it runs on, and takes a moment (a minute for job 60)."""
    import ray

    tell(ray.get_runtime_context().get_node_id())
    time.sleep(60 if number == 60 else 0.2)
    return number


def vanish_after_noting(folder: Path, tell: Tell) -> None:
    """Leaves a file for each attempt."""
    (folder / str(os.getpid())).touch()
    os._exit(1)


def threads_said(_: Any, tell: Tell) -> dict[str, str]:
    return {name: os.environ[name] for name in THREAD_VARIABLES}
