"""What must be settled before the program begins: its streams, threads and the flag that is thought of last."""

from __future__ import annotations

import io
import os
import sys

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_app() -> None:
    """Run the Typer application on ``sys.argv``."""
    if "--debug" in sys.argv:  # anywhere on the line: it is thought of last
        sys.argv.remove("--debug")
        os.environ["MLHW_DEBUG"] = "1"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a code page without some sign must not end a command
            stream.reconfigure(errors="replace")
    if threads := os.environ.get("MLHW_THREADS"):
        for variable in THREAD_VARIABLES:  # read when numpy and torch load, so it must be said before
            os.environ.setdefault(variable, threads)
    if "OMP_WAIT_POLICY" not in os.environ:
        # Idle OpenMP threads of torch's Linux builds spin for milliseconds by default: free on an idle machine, but two
        # trainings on the same cores then slow each other down fifty times. So few spins cost 1 to 3 % alone.
        os.environ.setdefault("GOMP_SPINCOUNT", "4000")
    from mlhw.cli.app import app

    app(prog_name="mlhw")  # as `python -m mlhw` too: the completion scripts call it by this name
