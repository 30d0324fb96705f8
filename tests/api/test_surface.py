"""The public names: there, documented, light, what they were, and in no one's way."""

from __future__ import annotations

import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlhw

DOCS = Path(__file__).parents[2] / "docs" / "notebook.md"
FUNCTIONS = {
    "compare": "runs sort reverse columns everything seeds",
    "list_experiments": "",
    "list_runs": "newest",
    "load_run": "name",
    "plot": "runs",
    "resume": "run quiet",
    "sweep": "experiment grid seeds settings jobs again quiet",
    "train": "experiment epochs batch_size lr weight_decay seed device settings name quiet",
}
CLASSES = {
    "MlhwError": "exit_code",
    "Run": "config environment id metrics path plot predictions status summary verdict weights",
    "Sweep": "experiment id path plot runs table trials",
}


def test_the_public_names_are_these_and_no_others() -> None:
    assert sorted(mlhw.__all__) == sorted([*FUNCTIONS, *CLASSES, "__version__"])
    assert set(mlhw.__all__) <= set(dir(mlhw))
    for name in mlhw.__all__:
        assert getattr(mlhw, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = mlhw.trian


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_these_parameters_and_say_what_they_return(name: str) -> None:
    function = getattr(mlhw, name)
    assert list(inspect.signature(function).parameters) == FUNCTIONS[name].split()
    assert function.__module__.startswith("mlhw.api.")
    lines = inspect.getdoc(function) or ""
    assert len(lines.splitlines()[0]) > 20
    if len(inspect.signature(function).parameters) > 1:
        for parameter in FUNCTIONS[name].split():
            assert re.search(rf"^    (\w+, )*{parameter}(, \w+)*: ", lines, re.MULTILINE), parameter


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_these_members_each_documented(name: str) -> None:
    found = getattr(mlhw, name)
    fields = getattr(found, "__dataclass_fields__", {})
    members = {member for member in [*vars(found), *fields] if not member.startswith("_")}
    assert sorted(members) == CLASSES[name].split()
    for member in members - set(fields) - {"exit_code"}:
        assert inspect.getdoc(getattr(found, member)), member


def test_no_public_name_is_that_of_a_module() -> None:
    """``import mlhw.runs`` makes ``mlhw.runs`` the module: a function of that name would be gone from then on."""
    modules = {module.name for module in pkgutil.iter_modules(mlhw.__path__)}
    assert not modules & set(mlhw.__all__)
    assert "runs" in modules


def test_names_for_type_checkers_and_at_run_time_are_the_same() -> None:
    source = Path(mlhw.__file__).read_text(encoding="utf-8")
    block = source.split("if TYPE_CHECKING:")[1].split("__all__")[0]
    declared = {
        name: module
        for module, names in re.findall(r"from (\S+) import (.+)", block)
        for name in names.replace(" ", "").split(",")
    }
    assert declared == mlhw._HOMES


def test_every_public_name_is_in_the_manual() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name in [*FUNCTIONS, "MlhwError"]:
        assert f"mlhw.{name}" in text, name
    for member in CLASSES["Run"].split():
        assert f".{member}" in text, member
    for name in re.findall(r"mlhw\.([a-z_]+)\(", text):
        assert name in FUNCTIONS, name


def test_looking_at_the_names_loads_nothing_heavy() -> None:
    code = (
        "import mlhw, sys; dir(mlhw); [getattr(mlhw, name) for name in mlhw.__all__]; "
        "print([name for name in ('torch', 'pandas', 'matplotlib', 'sklearn', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
