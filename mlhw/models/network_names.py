"""The names of torchvision's classification networks, read from its files: importing it would take a second or two.

For the completion of a command line, which has a fraction of one. ``weights.names`` asks torchvision itself.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

_REGISTERED = re.compile(r"^@register_model\(\)\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)


def names() -> list[str]:
    """The names, sorted; none where torchvision is not installed, or its files are elsewhere."""
    found = find_spec("torchvision")  # of a package that is no part of another: nothing is imported
    folders = found.submodule_search_locations if found is not None else None
    files = [path for folder in folders or () for path in Path(folder, "models").glob("*.py")]
    return sorted({name for path in files for name in _REGISTERED.findall(path.read_text(encoding="utf-8"))})
