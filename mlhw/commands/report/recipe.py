"""How to have a run again: its config, what of it is not the preset's, and a command that is checked to give it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from mlhw.commands.compare import values
from mlhw.commands.compare.config import flat, read_config
from mlhw.commands.report.sources import Member
from mlhw.config import load as config
from mlhw.config import reader
from mlhw.config.find import available
from mlhw.errors import MlhwError
from mlhw.reports.records import Difference, Recipe
from mlhw.reports.text import DASH
from mlhw.runs.environment import read_environment
from mlhw.runs.signature import signature

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")


def recipe(member: Member, several: bool) -> Recipe | None:
    """The recipe of ``member``; None where its config cannot be read."""
    try:
        yaml = member.run.config_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    mine, name = dict(member.row.config), str(member.row.config.get("name", ""))
    preset = _preset(name)
    threads = _threads(member, mine)
    command, proof = _command(member, name, mine, preset, threads)
    found = read_environment(member.run.environment_file).get("command")
    typed = shlex.join(map(str, found)) if isinstance(found, list) and found[1:] else ""
    return Recipe(
        of=member.run.id if several else "",
        preset=name if preset else "",
        differences=_differences(mine, preset),
        yaml=yaml,
        file_name=f"{member.run.id}.yaml",
        command=command,
        proof=proof,
        typed=typed if typed != command else "",
    )


def _preset(name: str) -> dict[str, Any]:
    """The experiment ``name`` as it is today, by dotted keys; {} where there is none, or it is not valid."""
    path = available().get(name)
    if path is None:
        return {}
    try:
        return flat(read_config(config.dump(config.load_file(path)).encode(), name))
    except MlhwError:
        return {}


def _differences(mine: Mapping[str, Any], preset: Mapping[str, Any]) -> list[Difference]:
    if not preset:
        return []
    keys = [key for key in dict.fromkeys([*mine, *preset]) if not values.is_aside(key)]
    return [
        Difference(key, _shown(preset, key), _shown(mine, key))
        for key in keys
        if (key in mine) != (key in preset) or values.identity(mine.get(key)) != values.identity(preset.get(key))
    ]


def _shown(config_: Mapping[str, Any], key: str) -> str:
    return _word(config_[key]) if key in config_ else DASH


def _word(value: Any) -> str:
    """``value`` as one would write it in YAML."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and isinstance(reader.scalar(value), str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _threads(member: Member, mine: Mapping[str, Any]) -> str:
    """The number of threads where the config leaves it open: it changes the last digits."""
    found = read_environment(member.run.environment_file).get("threads")
    return f"threads={found}" if isinstance(found, int) and mine.get("threads") is None else ""


def _command(
    member: Member, name: str, mine: Mapping[str, Any], preset: Mapping[str, Any], threads: str
) -> tuple[str, str]:
    """The command, and in words what is known of it: from the preset where that gives the same config, else from the file."""
    changed = [
        f"{key}={_word(value)}"
        for key, value in mine.items()
        if not values.is_aside(key) and (key not in preset or values.identity(value) != values.identity(preset[key]))
    ]
    changed.sort(key=lambda each: not each.partition("=")[0].endswith(".kind"))  # a kind clears the keys of another
    own = [threads] if threads else []
    try:
        then = signature(config.load_file(member.run.config_file).model_dump(mode="json"))
        if preset and signature(config.load(name, changed).model_dump(mode="json")) == then:
            sets = [word for each in [*changed, *own] for word in ("-s", each)]
            proof = f"Checked when this report was made: it gives the config above, signature {then[:16]}."
            return shlex.join(["mlhw", "train", name, *sets]), proof
    except MlhwError:
        pass
    sets = [word for each in own for word in ("-s", each)]
    told = "Save the config above under this name: no experiment that mlhw has today gives it by its name."
    return shlex.join(["mlhw", "train", f"{member.run.id}.yaml", *sets]), told
