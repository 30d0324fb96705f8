"""``mlhw resume``: go on with a run, whatever kind of run it is."""

from __future__ import annotations

from typing import Any

from mlhw.commands.display import Display
from mlhw.commands.settings import Settings
from mlhw.config import load as config
from mlhw.errors import ConfigError, RunError
from mlhw.runs import store


def resume(name: str, settings: Settings, display: Display) -> tuple[store.Run, dict[str, Any], bool]:
    """Go on with the run ``name``; returns the run, its summary, and whether there was work.

    A training goes on from its last checkpoint, a classification or comparison after the pictures that are done. A finished
    run is left as it is.

    Raises:
        RunError: there is no such run, another process holds it, its files are damaged, or it has no parts to go on from.
    """
    run = store.find(settings.outputs, name)
    if not run.config_file.exists() and run.status() == "interrupted":
        raise RunError(
            f"run {run.id} was cut off before its config was written: there is nothing to go on with. `mlhw rm {run.id}` "
            "removes it; then train again."
        )
    if run.stack_file.exists() and run.whole_summary() is None:
        from mlhw.commands import stack

        return run, stack.resume(run, settings, display), True
    if not _is_pretrained(run):
        from mlhw.commands.train import resume as resume_training

        return resume_training(run.id, settings, display)
    if (summary := run.whole_summary()) is not None:
        display.say(f"run {run.id} is finished: nothing to do")
        return run, summary, False
    if config.load_pretrained_file(run.config_file).pretrained.kind == "filters":
        again = f"mlhw pretrained filters --experiment {run.config_file}"
        raise RunError(f"run {run.id} is done in one go, and cannot be gone on with. Run it again: {again}")
    from mlhw.commands.pretrained.work import resume as resume_pictures

    return run, resume_pictures(run, settings, display), True


def _is_pretrained(run: store.Run) -> bool:
    try:
        return config.is_pretrained(run.config_file)
    except ConfigError:  # no such file, or a damaged one: the training's reader says which
        return False
