"""Instant start: what prints a list or a help text loads none of the heavy libraries."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "matplotlib", "pandas", "sklearn")
PROBE = """
import sys
sys.argv = ["mlhw", *sys.argv[1:]]
{before}
from mlhw.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
loaded = [name for name in {heavy!r} if name in sys.modules]
print("LOADED", loaded, file=sys.stderr)
"""


def loaded_by(*arguments: str, before: str = "") -> str:
    code = PROBE.format(before=before, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=os.environ, check=True
    )
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["list"],
        ["runs"],
        ["--version"],
        ["train", "--help"],
        ["data", "list"],
        ["train", "digits-cnn", "--print-config"],
    ],
)
def test_light_commands_load_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(*arguments) == "LOADED []"


@pytest.mark.parametrize("module", HEAVY)
def test_the_probe_sees_what_is_loaded(module: str) -> None:
    assert loaded_by("list", before=f"import {module}") != "LOADED []"


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import mlhw, sys; print(sorted(name for name in sys.modules if name.startswith('mlhw')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['mlhw']"


def test_the_tables_of_names_agree_with_the_config_s_kinds() -> None:
    from typing import get_args

    from mlhw.commands import assemble
    from mlhw.config import data, models, training

    def kinds(union: object) -> set[str]:
        choices = get_args(get_args(union)[0])
        return {name for choice in choices for name in get_args(choice.model_fields["kind"].annotation)}

    assert kinds(data.Data) == set(assemble.DATASETS)
    assert kinds(models.Model) == set(assemble.MODELS)
    assert kinds(training.Schedule) == set(assemble.SCHEDULES)


def test_every_entry_of_the_tables_can_be_imported() -> None:
    from mlhw.commands import assemble

    for address in [*assemble.DATASETS.values(), *(entry.build for entry in assemble.MODELS.values())]:
        assert callable(assemble.resolve(address))
