"""The page of a report: what comes in is data, and stays data.

Three doors, each with its own lock. Text goes through jinja2 with autoescape on for every template, after
:func:`mlhw.reports.text.clean`. Numbers for the charts go into a script of type ``application/json`` in which neither
``<`` nor ``&`` nor anything beyond ASCII is written as itself. And a Content-Security-Policy lets only our own script
run, named by its hash, and nothing be fetched from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mlhw.files import finite
from mlhw.reports import palette, text
from mlhw.reports.curves import payload
from mlhw.reports.records import Report

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER: Final = Path(__file__).parent / "templates"
SCRIPTS: Final = ("scale.js", "lines.js", "marks.js", "chart.js", "page.js")
MOST_CLASSES_NUMBERED: Final = 16  # a larger matrix has smaller cells


def render(report: Report) -> str:
    """The report as one HTML file: no address in it leads anywhere else."""
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            style=_safe(":root{" + palette.variables() + "}\n" + _read("style.css")),
            script=_safe(script),
            script_hash=digest,
            data=_safe(embedded(payload(report.lines))),
            download=f"data:text/yaml;base64,{base64.b64encode(report.recipe.yaml.encode()).decode()}"
            if report.recipe
            else "",
        )
    )


def embedded(value: Any) -> str:
    """``value`` as JSON that cannot end the script it stands in: ``<``, ``>``, ``&`` and all beyond ASCII are escapes."""
    plain = json.dumps(_clean(finite(value)), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def environment() -> Environment:
    """The templates, all with autoescape; an unknown name in one is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: text.clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"percent": text.percent, "spread": text.spread, "count": text.count}
    found.globals |= {"numbered": MOST_CLASSES_NUMBERED}
    return found


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return text.clean(value)
    if isinstance(value, dict):
        return {text.clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def _script() -> str:
    parts = "\n".join(_read(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _safe(ours: str) -> Any:
    """Text that is ours, or made harmless, and goes in as it is."""
    from markupsafe import Markup

    return Markup(ours)
