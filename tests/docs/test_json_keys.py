"""docs/json.md and what the commands print: the same keys, of the same types."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.docs.desk import Desk
from tests.docs.lines import ROOT
from tests.docs.samples import SAMPLES, Path, leaves, prepare, printed
from tests.docs.test_command_lines import prepared

ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+?) \| ?(.*?) ?\|$")
KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "whole number": (int,),
    "true/false": (bool,),
    "null": (type(None),),
}
ALSO = {"show": "train", "pretrained compare": "pretrained classify"}  # the keys of another command are among its own
QUICK = ("list", "train", "runs", "show", "plot", "export", "evaluate", "predict", "summary", "data list")
Documented = dict[Path, tuple[str, str]]


def documented() -> dict[str, Documented]:
    """By command, the way to each key with its type and meaning."""
    found: dict[str, Documented] = {}
    table: Documented = {}
    for line in (ROOT / "docs" / "json.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            table = {}
            found |= {name.strip().removeprefix("mlhw "): table for name in line.removeprefix("## ").split(",")}
        elif row := ROW.match(line):
            table[tuple(row[1].replace("[]", ".[]").split("."))] = (row[2], row[3])
    for name, other in ALSO.items():
        found[name] = found[other] | found[name]
    return found


def fits(way: Path, pattern: Path) -> bool:
    """Whether ``way`` is what ``pattern`` means: a part in capitals is any key."""
    return len(way) == len(pattern) and all(
        there == asked or (asked.isupper() and there != "[]") for there, asked in zip(way, pattern, strict=True)
    )


def faults(command: str, values: list[Any], table: Documented) -> list[str]:
    """Keys that are not documented, or of another type; and documented ones that never came."""
    wrong, seen = [], set()
    for way, value in (leaf for each in values for leaf in leaves(each)):
        inside = [p for p in table if fits(way, p) or (fits(way[: len(p)], p) and table[p][0] == "any")]
        above = [p for p in table if len(p) > len(way) and fits(way, p[: len(way)])]
        seen |= {*inside, *(above if value in ({}, [], None) else ())}
        if not inside and not (above and value in ({}, [], None)):
            wrong.append(f"{command}: {'.'.join(way)} = {value!r} is not documented")
        for pattern in inside:
            kinds = [kind.strip() for kind in table[pattern][0].split(" or ")]
            if "any" not in kinds and not any(type(value) in KINDS[kind] for kind in kinds):
                wrong.append(f"{command}: {'.'.join(way)} = {value!r} is no {table[pattern][0]}")
    missing = [p for p, (_, meaning) in table.items() if p not in seen and not meaning.startswith("only where")]
    return sorted({*wrong, *(f"{command}: {'.'.join(p)} never came" for p in missing)})


def check(desk: Desk, commands: tuple[str, ...]) -> None:
    """Run the samples of ``commands`` and hold what they print to the page."""
    prepare(prepared(desk, ROOT / "README.md"))
    page, wrong = documented(), []
    for command, words in SAMPLES:
        if command in commands:
            values = [value for each in words for value in printed(desk, each)]
            wrong += faults(command, values, page[command])
    assert not wrong, "\n".join(wrong)


def test_quick_commands_print_what_is_documented(desk: Desk) -> None:
    check(desk, QUICK)


@pytest.mark.slow
def test_every_command_prints_what_is_documented(desk: Desk) -> None:
    check(desk, tuple(command for command, _ in SAMPLES))


def test_every_command_with_json_has_a_section() -> None:
    from tests.docs.usage import program

    def commands(group: Any, words: tuple[str, ...] = ()) -> list[str]:
        if not hasattr(group, "commands"):
            return [" ".join(words)] if any("--json" in each.opts for each in group.params) else []
        return [name for key, inner in group.commands.items() for name in commands(inner, (*words, key))]

    sections = set(documented())
    missing = [
        c
        for c in commands(program())
        if not any(s == c or s.startswith(f"{c} ") or c.startswith(f"{s} ") for s in sections)
    ]
    assert not missing
    assert {command for command, _ in SAMPLES} | {"weights fetch"} == sections


def test_a_key_too_many_one_too_few_and_a_wrong_type_are_found() -> None:
    table = {
        ("rows", "SPLIT"): ("whole number", ""),
        ("path",): ("text", ""),
        ("pdf",): ("text", "only where asked for"),
    }
    assert faults("x", [{"rows": {"train": 1}, "path": "a"}], table) == []
    (extra,) = faults("x", [{"rows": {"train": 1}, "path": "a", "new": 1}], table)
    assert "new" in extra
    (fewer,) = faults("x", [{"rows": {"train": 1}}], table)
    assert fewer == "x: path never came"
    (other,) = faults("x", [{"rows": {"train": 0.5}, "path": "a"}], table)
    assert "is no whole number" in other
