"""The exceptions that mlhw raises on purpose, and the exit code that each one means.

    MlhwError                 1   the work failed
    ├── TrainingDiverged      1   a loss stopped being finite
    │   └── WeightsDiverged   1   the weights did, and no loss told
    ├── OutputError           1   a result could not be written
    ├── ConfigError           2   a config, flag or argument is wrong
    ├── DataError             3   data or weights are corrupt
    │   └── DataMissing       3   data or weights are not there (or may not be fetched)
    ├── PartialResult         4   finished, but some inputs or trials were skipped
    ├── RunError              5   no such run, or it is locked
    └── Interrupted         130   stopped by the user; what can be resumed was written

A message is one or two lines: what was wrong, where, what was got, what is allowed, what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable


class MlhwError(Exception):
    """The work failed; the message says why in words for the user."""

    exit_code = 1


class TrainingDiverged(MlhwError):
    """A loss stopped being finite at ``epoch`` and ``step`` (both count from 1): in training, or of ``split`` after it."""

    def __init__(self, epoch: int, step: int, loss: float, split: str = "training") -> None:
        self.epoch, self.step, self.loss, self.split = epoch, step, loss, split
        super().__init__(f"the {split} loss became {loss} at epoch {epoch}, step {step}. Try a smaller train.lr.")


class WeightsDiverged(TrainingDiverged):
    """The weights (or averages, or what the optimiser keeps) stopped being finite in ``epoch``, after ``step`` steps of it."""

    def __init__(self, epoch: int, step: int) -> None:
        self.epoch, self.step, self.loss, self.split = epoch, step, float("nan"), "training"
        MlhwError.__init__(
            self,
            f"the weights became NaN or infinite by epoch {epoch}, step {step}, where every loss was still a number: "
            "a gradient was not finite. Try a smaller train.lr.",
        )


class OutputError(MlhwError):
    """A result could not be written."""


class ConfigError(MlhwError):
    """A config, flag or argument is wrong."""

    exit_code = 2


class DataError(MlhwError):
    """Data or weights are corrupt."""

    exit_code = 3


class DataMissing(DataError):
    """Data or weights are not there, or may not be fetched."""


class PartialResult(MlhwError):
    """Finished, but some inputs or trials were skipped."""

    exit_code = 4


class RunError(MlhwError):
    """No such run, or another process holds it."""

    exit_code = 5


class Interrupted(MlhwError):
    """Stopped by the user; what can be resumed was written."""

    exit_code = 130


def nearest(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The names in ``known`` that ``word`` may have been meant to be, best first; perhaps none."""
    import difflib

    return difflib.get_close_matches(word, list(known), n=most, cutoff=0.55)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest of ``known``, or all of them where none is near."""
    names = sorted(set(known))
    close = nearest(word, names)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Known: {', '.join(names)}." if names else ""
