"""Jobs for worker processes: some end them, some never end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from time import sleep
from typing import Any

import numpy as np

from mlhw.grading.apart import begin
from mlhw.grading.limits import within

SECONDS, MEMORY_MB = 1.5, 200


def work(job: str, tell: Callable[[Any], None]) -> str:
    """Do what ``job`` says, within the limits."""
    begin(tell)
    with within(SECONDS, memory_mb=MEMORY_MB):
        if job == "hang":
            while True:
                pass
        if job == "hang outside Python":
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
            sleep(1000)
        if job == "hog":
            return str(np.ones(10**9).sum())
        if job == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if job == "raise":
            raise ValueError("no such thing")
        return f"did {job}"


def interrupted(job: float, tell: Callable[[Any], None]) -> str:
    """Work that leaves something behind when it is interrupted."""
    begin(tell)
    try:
        with within(job, interrupt=True):
            while True:
                sleep(0.05)
    except KeyboardInterrupt:
        tell("left a checkpoint")
        raise
