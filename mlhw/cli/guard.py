"""Errors become one message and an exit code, here and nowhere else."""

from __future__ import annotations

import functools
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import typer

from mlhw.errors import Interrupted, MlhwError


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
