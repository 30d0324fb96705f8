"""An experiment from a name, a path or a run's config, with ``-s key=value`` overrides on top."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from mlhw.config.faults import as_config_error
from mlhw.config.find import find, shipped_folder
from mlhw.config.pretrained import PretrainedExperiment
from mlhw.config.reader import MAX_DEPTH, Document, read, scalar
from mlhw.config.schema import Experiment
from mlhw.errors import ConfigError


def load(name: str, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment ``name`` (or at that path), with ``key=value`` overrides applied.

    Raises:
        ConfigError: no such experiment, or any fault in it; all faults at once, each with file, line and key.
    """
    return load_file(find(name), overrides)


def load_file(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in the YAML file ``path``, with ``key=value`` overrides applied."""
    return parse(*_contents(path), overrides)


def _contents(path: Path) -> tuple[bytes, str]:
    """What the file holds, and how messages name it."""
    origin = _short_name(path)
    try:
        with path.open("rb") as file:
            return file.read(2_000_000), origin  # the reader refuses from 1 MB on; never take in a huge file whole
    except OSError as error:
        raise ConfigError(f"{origin}: cannot be read: {error.strerror or error}.") from error


def load_pretrained(name: str, overrides: Sequence[str] = ()) -> PretrainedExperiment:
    """The experiment ``name`` with pretrained networks, with ``key=value`` overrides applied. Raises as ``load``."""
    return load_pretrained_file(find(name), overrides)


def load_pretrained_file(path: Path, overrides: Sequence[str] = ()) -> PretrainedExperiment:
    """The experiment with pretrained networks in the YAML file ``path``, with ``key=value`` overrides applied."""
    return _parse_as(PretrainedExperiment, *_contents(path), overrides)


def is_pretrained(path: Path) -> bool:
    """Whether the YAML file ``path`` describes an experiment with pretrained networks and not a training."""
    value = read(*_contents(path)).value
    return isinstance(value, dict) and "pretrained" in value


S = TypeVar("S", Experiment, PretrainedExperiment)


def parse(data: bytes, origin: str, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment that the YAML ``data`` holds; ``origin`` names it in messages."""
    return _parse_as(Experiment, data, origin, overrides)


def _parse_as(schema: type[S], data: bytes, origin: str, overrides: Sequence[str]) -> S:
    document = read(data, origin)
    if document.value is None:
        raise ConfigError(f"{origin}: is empty. An experiment needs at least name, data, model and train.")
    if not isinstance(document.value, dict):
        raise ConfigError(f"{origin}: should be a mapping of keys, got {type(document.value).__name__}.")
    if schema is Experiment and "pretrained" in document.value:
        raise ConfigError(
            f"{origin}: runs pretrained networks and trains none. `mlhw pretrained --help` shows the commands; they take "
            "it by --experiment."
        )
    if schema is PretrainedExperiment and "train" in document.value:
        raise ConfigError(f"{origin}: is a training, and takes no pretrained network. Run it with `mlhw train`.")
    for override in overrides:
        _apply(document, override)
    try:
        # By way of JSON, since pydantic's strict mode takes a list for a tuple there and nowhere else.
        return schema.model_validate_json(json.dumps(document.value))
    except ValidationError as error:
        raise as_config_error(error, schema, document, origin) from None


def dump(experiment: Experiment | PretrainedExperiment) -> str:
    """The whole experiment as YAML, defaults included: itself a valid experiment."""
    values = _kind_first(experiment.model_dump(mode="json"))
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _kind_first(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    head = {"kind": value["kind"]} if "kind" in value else {}
    return head | {key: _kind_first(item) for key, item in value.items()}


class _Dumper(yaml.SafeDumper):
    """Short lists on one line; text that our reader would take for a number or a word is quoted."""


def _represent_list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    plain = all(not isinstance(item, dict) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=plain)


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = None if isinstance(scalar(value), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(str, _represent_text)


# What stands there when a YAML says nothing, so that one key of it can be set alone.
_DEFAULTS: dict[tuple[str, ...], dict[str, Any]] = {
    ("train", "optimizer"): {"kind": "sgd"},
    ("train", "schedule"): {"kind": "constant"},
}


def _apply(document: Document, override: str) -> None:
    """Set one dotted key in ``document``; its place becomes the flag itself."""
    origin = f"-s {override}"
    key, equals, text = override.partition("=")
    steps = tuple(key.strip().split("."))
    if not equals or not all(steps):
        raise ConfigError(f"{origin}: should be key=value with a dotted key, for example -s train.lr=0.1.")
    if len(steps) > MAX_DEPTH:
        raise ConfigError(f"{origin[:80]}…: nested too deeply; at most {MAX_DEPTH} levels.")
    given = read(text.encode("utf-8", "surrogateescape"), origin)
    target = document.value
    for depth, step in enumerate(steps[:-1], start=1):
        document.places.setdefault(steps[:depth], origin)
        child = target.get(step)
        if child is None:
            child = target[step] = dict(_DEFAULTS.get(steps[:depth], {}))
        if not isinstance(child, dict):
            raise ConfigError(f"{origin}: '{'.'.join(steps[:depth])}' holds a value, not keys.")
        target = child
    old = target.get(steps[-1])
    value = given.value
    if isinstance(value, str) and (isinstance(old, dict) or steps in _DEFAULTS):
        value = {"kind": value}  # -s train.optimizer=adam is short for -s train.optimizer.kind=adam
    if steps[-1] == "kind" and target.get("kind") != value:
        target.clear()  # the keys of one kind mean nothing to another
    target[steps[-1]] = value
    document.places[steps] = origin
    for path, place in given.places.items():
        document.places[steps + path] = place.rpartition(":")[0]


def _short_name(path: Path) -> str:
    """``path`` from the current folder where it lies below it, else the file's name alone for shipped experiments."""
    resolved = path.resolve()
    if resolved.is_relative_to(Path.cwd()):
        return str(resolved.relative_to(Path.cwd()))
    return path.name if resolved.is_relative_to(shipped_folder().resolve()) else str(path)
