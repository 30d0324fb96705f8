"""What ``mlhw pretrained filters`` is asked for: an experiment, ``-s`` overrides and flags into one experiment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlhw.commands.pretrained.asking import require_text, with_flags
from mlhw.config.pretrained import Filters, PretrainedExperiment
from mlhw.datasets.names import csv_name, name_from_csv
from mlhw.errors import ConfigError

DEFAULT = "pretrained-filters"


def resolve(
    experiment: str | None = None,
    overrides: Sequence[str] = (),
    *,
    image: Path | None = None,
    weights: Path | None = None,
    flags: Mapping[str, Any] | None = None,
) -> PretrainedExperiment:
    """The experiment to run, with absolute paths.

    Args:
        experiment: a name or a path; ``DEFAULT`` where None.
        overrides: ``key=value`` as given with -s.
        image: the picture; wins over the experiment's.
        weights: a state dict for the experiment's model, whichever that is in the end.
        flags: dotted keys with values that win over all of these; None where a flag was not given.

    Raises:
        ConfigError: no such experiment, one for another command, or any fault in it.
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    require_text(os.fspath(weights or ""))
    found = with_flags(experiment or DEFAULT, overrides, given)
    asked = asked_of(found)
    files = {**asked.weights, **({asked.model: os.fspath(weights)} if weights else {})}
    if strangers := [name for name in files if name != asked.model]:
        raise ConfigError(f"weights for {', '.join(strangers)}, but the model is {asked.model}. Name that one.")
    changed: dict[str, Any] = {"weights": {name: _absolute(file) for name, file in files.items()}}
    if asked.labels:
        changed["labels"] = _absolute(asked.labels)
    if picture := os.fspath(image) if image else name_from_csv(asked.image or ""):
        changed["image"] = csv_name(_absolute(picture))  # so that it is text even where it is no UTF-8
    elif asked.cam:
        raise ConfigError("pretrained.cam: Grad-CAM needs a picture. Name one with --image FILE.")
    if found.paths:
        raise ConfigError("paths: filters takes one picture and no others. Name it with --image FILE.")
    return found.model_copy(update={"pretrained": asked.model_copy(update=changed)})


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 (links are kept, and names that are no UTF-8)


def asked_of(experiment: PretrainedExperiment) -> Filters:
    """The experiment's part about filters. Raises ConfigError where it is for another command."""
    asked = experiment.pretrained
    if not isinstance(asked, Filters):
        raise ConfigError(
            f"{experiment.name} is for `mlhw pretrained {asked.kind}`, not for `mlhw pretrained filters`."
        )
    return asked
