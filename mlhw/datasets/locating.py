"""Where a path in a config leads."""

from __future__ import annotations

from pathlib import Path

from mlhw.arrays import Place
from mlhw.errors import DataMissing


def locate(place: Place, text: str, what: str) -> Path:
    """The absolute path that ``text`` means: from the current folder where it is there, else from the data folder.

    Args:
        place: where the data folder is.
        text: absolute, relative, or with a leading ``~``.
        what: the config key it was given for, for the message.

    Raises:
        DataMissing: it is in neither; names both.
    """
    path = Path(text).expanduser()
    candidates = [path] if path.is_absolute() else [Path.cwd() / path, Path(place.data).absolute() / path]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    looked = " or ".join(str(candidate) for candidate in candidates)
    raise DataMissing(f"{what}: there is no {looked}. Correct the path, or set MLHW_DATA to the folder it starts from.")
