"""How Sphinx builds the manual: ``python -m sphinx -W -n -b html docs build/manual``.

Nothing of it is fetched when it is read: formulas are SVG, drawn at build time, and the theme brings its fonts' names alone.
Figures and numbers are made by mlhw itself (``manual/making.py``), the references by its own schema and commands.
"""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "mlhw"
author = "The mlhw maintainers"
project_copyright = "the mlhw maintainers, MIT licence"
version = release = installed("mlhw")
language = "en"

extensions = ["myst_parser", "manual.formulas", "manual.pages"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_made", "manual"]
nitpicky = True
smartquotes = False  # the two dashes of an option are two dashes

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "mlhw"
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#7fb6f2", "color-brand-content": "#7fb6f2"},
}
pygments_style, pygments_dark_style = "friendly", "github-dark"
