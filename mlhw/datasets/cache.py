"""Prepare once, memory-map ever after.

A prepared data set is a folder ``<cache>/datasets/<name>-<16 hex>/`` of ``<split>-inputs.npy``, ``<split>-targets.npy``
and ``meta.json``. The hash covers the source (paths, sizes, times) and the settings, so a changed picture or a new image
size prepares anew and nothing is ever stale. The folder appears under its name only when it is whole.

What was prepared has a name of its own, its ``origin``, after the bytes: the same pictures unpacked once more, or on
another machine, are prepared anew and are the same data.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from mlhw.arrays import Place, Split, Splits
from mlhw.datasets.hashes import content_hash
from mlhw.errors import OutputError
from mlhw.files import remove_folder

FORMAT = 4  # raise it when what is prepared, or how it is hashed, changes for the same source and settings


def fingerprint(files: Iterable[str | Path]) -> str:
    """A digest of each file's path, size and modification time: what tells one source from another without reading it.

    A file that is not there counts as such, so that it may still be reported with all other faults. About 10 µs a file.
    """
    digest = hashlib.sha256()
    for file in files:
        try:
            facts = os.stat(file)  # noqa: PTH116  (a Path a file costs more than the stat)
            known = f"{file}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
        except OSError:
            known = f"{file}\0missing\n"
        digest.update(known.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def prepared(place: Place, name: str, settings: Mapping[str, Any], build: Callable[[Path], Splits]) -> Splits:
    """The splits that ``build`` makes, memory-mapped from the cache; ``build`` runs only where they are not there yet.

    Args:
        place: where the cache is.
        name: what the folder's name begins with.
        settings: all that the result depends on, the source's fingerprint included; JSON values.
        build: makes the splits with numpy arrays; raises DataError for a bad source (nothing is then kept). It is given
            an empty folder that becomes the prepared one: inputs too large for memory it may write there itself, and
            return the path of that ``.npy`` file in their place.

    Raises:
        OutputError: the cache folder cannot be written.
    """
    text = json.dumps([FORMAT, name, settings], sort_keys=True)
    folder = Path(place.cache) / "datasets" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    ready = _open(folder)
    if ready is not None:
        return ready
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):  # sixteen processes may want it at once: one prepares
            ready = _open(folder)
            if ready is None:
                remove_folder(folder)  # what is there but does not open is damaged
                for left in folder.parent.glob(f".{folder.name}.*"):  # by a process that was killed as it prepared
                    shutil.rmtree(left, ignore_errors=True)
                _store(build, folder, text)
                ready = _open(folder)
    except OSError as error:
        raise OutputError(
            f"cannot prepare data in {folder.parent}: {error.strerror or error}. "
            "Set MLHW_CACHE to a folder with space that you may write to."
        ) from error
    if ready is None:
        raise OutputError(f"the prepared data in {folder} cannot be read back. Remove that folder and try again.")
    return ready


def _store(build: Callable[[Path], Splits], folder: Path, settings: str) -> None:
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    temporary.mkdir()  # not tempfile's, which is for its owner alone: a course shares its cache
    try:
        splits = build(temporary)
        for name, split in splits.named().items():
            final = temporary / f"{name}-inputs.npy"
            if isinstance(split.inputs, Path):
                split.inputs.replace(final)
            else:
                np.save(final, np.ascontiguousarray(split.inputs))
            np.save(temporary / f"{name}-targets.npy", np.ascontiguousarray(split.targets, dtype=np.int64))
        meta = {
            "settings": json.loads(settings),
            "splits": list(splits.named()),
            "class_names": splits.train.class_names,
            "skipped": splits.skipped,
            "content": _content(temporary, splits.train.class_names),
        }
        (temporary / "meta.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
        os.replace(temporary, folder)  # noqa: PTH105  (Path.replace on a folder reads as a file's)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _content(folder: Path, class_names: Sequence[str]) -> str:
    """A digest of the arrays in ``folder`` and of the classes' names."""
    arrays = content_hash(folder, (path.name for path in folder.glob("*.npy")))
    return hashlib.sha256("\0".join((arrays, *class_names)).encode()).hexdigest()


def _open(folder: Path) -> Splits | None:
    """The prepared splits of ``folder``; None where it is not there or is damaged."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        splits = {name: _open_split(folder, name, tuple(meta["class_names"])) for name in meta["splits"]}
        origin = f"{folder.name.rpartition('-')[0]}-{meta['content'][:16]}"
        return Splits(splits["train"], splits.get("val"), splits.get("test"), tuple(meta["skipped"]), origin)
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _open_split(folder: Path, name: str, class_names: tuple[str, ...]) -> Split:
    # Copy-on-write: torch wants writable memory, and no write of ours may ever reach the file.
    inputs = np.load(folder / f"{name}-inputs.npy", mmap_mode="c")
    targets = np.load(folder / f"{name}-targets.npy")
    if len(inputs) != len(targets):
        raise ValueError(f"{name}: {len(inputs)} inputs, {len(targets)} targets")
    return Split(inputs, targets, class_names)
