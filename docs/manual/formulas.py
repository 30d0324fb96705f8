"""Formulas as SVG in the page itself: drawn while the manual is built, in the colour of the text, and nothing to fetch."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from xml.etree import ElementTree

import ziafont
import ziamath
from docutils import nodes
from sphinx.application import Sphinx

SIGN = re.compile(r"(^|[=(,&]\s*)-")  # a minus that belongs to one number has no room to its left and right
SIZE = 16.0  # pixels to the em in which a formula is drawn; the page scales it to its own
ziafont.config.svg2 = False  # each glyph where it stands: shared ones have ids, and a page has many formulas


def drawn(latex: str, *, inline: bool) -> str:
    """The SVG of a formula, its sizes in em, its foot on the line of the text; readers of screens are told the LaTeX."""
    formula = ziamath.Latex(SIGN.sub(r"\1{-}", latex), size=SIZE, color="currentColor", inline=inline)
    root = formula.svgxml()
    for name in ("width", "height"):
        root.set(name, f"{float(root.get(name, '0')) / SIZE:.3f}em")
    _, top, _, height = (float(number) for number in root.get("viewBox", "0 0 0 0").split())
    below = top + height  # pixels under the line
    root.set("style", f"vertical-align: {-below / SIZE:.3f}em")
    root.set("role", "img")
    root.set("aria-label", " ".join(latex.split()))
    return ElementTree.tostring(root, encoding="unicode")


def visit_inline(translator: Any, node: nodes.math) -> None:
    """A formula within a line."""
    translator.body.append(f'<span class="formula">{drawn(node.astext(), inline=True)}</span>')
    raise nodes.SkipNode


def visit_display(translator: Any, node: nodes.math_block) -> None:
    """A formula of its own, which scrolls where the page is narrower."""
    latex = node.astext()
    label = escape(" ".join(latex.split()), quote=True)
    translator.body.append(
        f'<div class="formula-block" tabindex="0" role="group" aria-label="{label}">{drawn(latex, inline=False)}</div>'
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Make this the way formulas are written."""
    app.add_html_math_renderer("drawn", (visit_inline, None), (visit_display, None))
    app.config.html_math_renderer = "drawn"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
