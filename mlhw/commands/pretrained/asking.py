"""What the user asks for, from an experiment, ``-s`` overrides and flags into one experiment with nothing left open."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from mlhw.config.find import available
from mlhw.config.load import load_pretrained
from mlhw.config.pretrained import Classify, Compare, PretrainedExperiment
from mlhw.datasets.names import csv_name, escape_name, name_from_csv
from mlhw.errors import ConfigError, did_you_mean

DEFAULTS = {"classify": "pretrained-resnet18", "compare": "pretrained-compare"}


def resolve(
    kind: Literal["classify", "compare"],
    experiment: str | None = None,
    overrides: Sequence[str] = (),
    *,
    paths: Sequence[str] = (),
    weights: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> PretrainedExperiment:
    """The experiment to run, with absolute paths, so that it can be resumed from any folder.

    Args:
        kind: which command asks.
        experiment: a name or a path; None for the one in ``DEFAULTS``, or for classify with one model ``pretrained-<model>``.
        overrides: ``key=value`` as given with -s.
        paths: pictures and folders as typed; win over those of the experiment.
        weights: ``FILE``, or ``MODEL=FILE`` where there are several models.
        flags: dotted keys with values that win over all of these; None where a flag was not given.

    Raises:
        ConfigError: no such experiment, one for another command, or any fault in it.
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    require_text(*weights)
    if kind == "compare" and len(chosen := tuple(dict.fromkeys(given.get("pretrained.models", "ab")))) < 2:
        raise _too_few(chosen)
    base, words = _base(kind, experiment, given.get("pretrained.models"))
    found = with_flags(base, [*words, *overrides], given)
    asked = found.pretrained
    if not isinstance(asked, Classify | Compare) or asked.kind != kind:
        raise ConfigError(f"{found.name} is for `mlhw pretrained {asked.kind}`, not for `mlhw pretrained {kind}`.")
    models = tuple(dict.fromkeys(asked.models))
    files = {**asked.weights, **_by_model(weights, models)}
    if strangers := [name for name in files if name not in models]:
        raise ConfigError(
            f"weights for {', '.join(strangers)}, but the models are {', '.join(models)}. Name one of these."
        )
    if kind == "compare" and len(models) < 2:
        raise _too_few(models)
    changed: dict[str, Any] = {"models": models, "weights": {name: _absolute(file) for name, file in files.items()}}
    for key in ("labels", "truth"):
        if value := getattr(asked, key, None):
            changed[key] = _absolute(value)
    named = paths or [name_from_csv(path) for path in found.paths]
    return found.model_copy(
        update={
            "pretrained": asked.model_copy(update=changed),
            "paths": tuple(csv_name(os.path.abspath(path)) for path in named),  # noqa: PTH100 (keeps what is no UTF-8)
        }
    )


def _too_few(models: Sequence[str]) -> ConfigError:
    return ConfigError(f"a comparison needs two models or more, got {', '.join(models)}. Name another with --model.")


def _base(kind: str, experiment: str | None, models: Any) -> tuple[str, list[str]]:
    """The experiment to begin with, and overrides that take from it the words that would not be true any more."""
    if experiment is not None:
        return experiment, []
    if not models:
        return DEFAULTS[kind], []
    single = f"pretrained-{models[0]}".replace("_", "-")
    if kind == "classify" and len(models) == 1:
        if single in available():
            return single, []
        name = single
    else:
        name = f"pretrained-{kind}"
    return DEFAULTS[kind], [f"name={name}", 'description=""', 'source=""', 'result=""']


def with_flags(base: str, overrides: Sequence[str], flags: Mapping[str, Any]) -> PretrainedExperiment:
    """The experiment ``base`` with ``overrides``, then ``flags`` (dotted keys with values); faults name the flags as typed.

    Raises:
        ConfigError: any fault in it.
    """
    words = {key: f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in flags.items()}
    require_text(*words.values())
    try:
        return load_pretrained(base, [*overrides, *words.values()])
    except ConfigError as error:
        text = str(error)
        for key, word in words.items():
            text = text.replace(f"-s {word}:", f"{_as_typed(key, flags[key])}:")
        raise ConfigError(text) from None


def _as_typed(key: str, value: Any) -> str:
    flag = key.rpartition(".")[2]
    if value is True:
        return f"--{flag}"
    return f"--model {','.join(value)}" if flag == "models" else f"--{flag} {value}"


def require_text(*names: str) -> None:
    """Raise ConfigError where one of ``names`` is not UTF-8: a config could not hold it."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ConfigError(
                f"{escape_name(name)}: a name that is not UTF-8, which no YAML holds. Rename it."
            ) from None


def _by_model(given: Sequence[str], models: Sequence[str]) -> dict[str, str]:
    """Files of weights by model."""
    files: dict[str, str] = {}
    for text in given:
        name, equals, file = text.partition("=")
        if not (equals and name in models):
            if len(models) > 1:
                hint = f" {did_you_mean(name, models)}" if equals else ""
                raise ConfigError(
                    f"--weights {text}: for which of {', '.join(models)}? Write --weights {models[0]}=FILE, once a model.{hint}"
                )
            name, file = models[0], text
        if name in files:
            raise ConfigError(f"--weights: {name} is given twice.")
        files[name] = file
    return files


def _absolute(path: str) -> str:
    return str(Path(path).absolute())
