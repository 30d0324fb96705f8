"""Errors become one message and an exit code, here and nowhere else."""

from __future__ import annotations

import functools
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import typer

from mlhw.errors import Interrupted, MlhwError

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

    app()


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with every exception turned into a message on stderr and the exit code of ``errors.py``."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            _terminate_as_interrupt()
            command(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise _exit(Interrupted("interrupted.")) from None
        except BrokenPipeError:
            # The reader (head, say) has enough. Nothing may be written to the closed pipe at exit either.
            for stream in (sys.stdout, sys.stderr):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            raise typer.Exit(0) from None
        except MlhwError as error:
            raise _exit(error) from None
        except Exception as error:
            if debugging():
                raise
            text = f"unexpected {type(error).__name__}: {error}. This is a bug in mlhw; --debug shows where."
            raise _exit(MlhwError(text)) from None

    return run


def debugging() -> bool:
    """Whether tracebacks were asked for."""
    return os.environ.get("MLHW_DEBUG", "") not in ("", "0")


def _exit(error: MlhwError) -> typer.Exit:
    if debugging():
        traceback.print_exception(error)
        return typer.Exit(error.exit_code)
    from mlhw.cli.screen import errors

    errors().print_error(str(error))
    return typer.Exit(error.exit_code)


def _terminate_as_interrupt() -> None:
    """Let SIGTERM (a cluster taking its machine back) end a run as Ctrl+C does: on record, and to be resumed."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
