"""Prepare once, memory-map ever after.

A prepared data set is a folder ``<cache>/datasets/<name>-<16 hex>/`` of ``<split>-inputs.npy``, ``<split>-targets.npy``
and ``meta.json``. The hash covers the source (paths, sizes, times) and the settings, so a changed picture or a new image
size prepares anew and nothing is ever stale. The folder appears under its name only when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from mlhw.arrays import Place, Split, Splits
from mlhw.errors import OutputError

FORMAT = 1  # raise it when what is prepared changes for the same source and settings


def fingerprint(files: Iterable[Path]) -> list[list[Any]]:
    """Path, size and modification time of each file: what tells one source from another without reading it all."""
    return [[str(path), (facts := path.stat()).st_size, facts.st_mtime_ns] for path in files]


def prepared(place: Place, name: str, settings: Mapping[str, Any], build: Callable[[], Splits]) -> Splits:
    """The splits that ``build`` makes, memory-mapped from the cache; ``build`` runs only where they are not there yet.

    Args:
        place: where the cache is.
        name: what the folder's name begins with.
        settings: all that the result depends on, the source's fingerprint included; JSON values.
        build: makes the splits with numpy arrays; raises DataError for a bad source (nothing is then kept).

    Raises:
        OutputError: the cache folder cannot be written.
    """
    text = json.dumps([FORMAT, name, settings], sort_keys=True)
    folder = Path(place.cache) / "datasets" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_suffix(".lock")):  # sixteen processes may want it at once: one prepares
                if not folder.is_dir():
                    _store(build(), folder, text)
        except OSError as error:
            raise OutputError(
                f"cannot prepare data in {folder.parent}: {error.strerror or error}. "
                "Set MLHW_CACHE to a folder with space that you may write to."
            ) from error
    return _open(folder)


def _store(splits: Splits, folder: Path, settings: str) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, split in splits.named().items():
            np.save(temporary / f"{name}-inputs.npy", np.ascontiguousarray(split.inputs))
            np.save(temporary / f"{name}-targets.npy", np.ascontiguousarray(split.targets, dtype=np.int64))
        meta = {
            "settings": json.loads(settings),
            "splits": list(splits.named()),
            "class_names": splits.train.class_names,
            "skipped": splits.skipped,
        }
        (temporary / "meta.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
        os.replace(temporary, folder)  # noqa: PTH105  (Path.replace on a folder reads as a file's)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _open(folder: Path) -> Splits:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    names = tuple(meta["class_names"])

    def split(name: str) -> Split | None:
        if name not in meta["splits"]:
            return None
        # Copy-on-write: torch wants writable memory, and no write of ours may ever reach the file.
        inputs = np.load(folder / f"{name}-inputs.npy", mmap_mode="c")
        return Split(inputs, np.load(folder / f"{name}-targets.npy"), names)

    train = split("train")
    assert train is not None
    return Splits(train, split("val"), split("test"), tuple(meta["skipped"]))
