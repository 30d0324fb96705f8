"""What is put into the pages before they are read: the references, and numbers that the project itself has made.

``<!-- made: commands -->`` and ``<!-- made: config -->`` stand for the references. In ``tutorials/``, ``[= runs.net.epochs
=]`` is a number of ``_made/numbers.json``, and ``[% if … %]`` chooses by it; a name that there is not ends the build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from sphinx.application import Sphinx

from manual import commands, keys, making

MADE = {"<!-- made: commands -->": commands.reference, "<!-- made: config -->": keys.reference}


def percent(share: float, digits: int = 1) -> str:
    """``0.9737`` as ``97.4 %``."""
    return f"{100 * share:.{digits}f} %"


def figures(number: float, digits: int = 3) -> str:
    """``number`` to that many significant figures."""
    return f"{number:.{digits}g}"


def grouped(number: int) -> str:
    """``9930`` as ``9,930``."""
    return f"{number:,}"


def words() -> Environment:
    """The language of the places in which numbers stand."""
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=False,  # Markdown, of the project's own
        variable_start_string="[=",
        variable_end_string="=]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#-",
        comment_end_string="-#]",
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "figures": figures,
        "grouped": grouped,
        "signed": "{:+.4f}".format,
        "fixed": "{:.3f}".format,
    }
    return environment


def fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Put what was made into the text of the page ``name``."""
    for mark, reference in MADE.items():
        if mark in source[0]:
            source[0] = source[0].replace(mark, reference())
    if name.startswith("tutorials/"):
        source[0] = words().from_string(source[0]).render(app.config.made)


def make(app: Sphinx, config: Any) -> None:
    """Make figures and numbers, where they are not there yet or are of another version."""
    app.config.made = making.numbers(Path(app.srcdir) / "_made")


def setup(app: Sphinx) -> dict[str, Any]:
    """Read the pages so."""
    app.add_config_value("made", {}, "")
    app.connect("config-inited", make)
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
